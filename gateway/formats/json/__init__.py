"""JSON: what leaves in answers (`minimiser`), what comes in with requests (`requests`, `inbound`) and files (`files`),
what is new in a source (`drift`)."""

from gateway.core.release.circle import Circle
from gateway.core.release.minimised import EnvelopeBroken, Minimised, tolerable
from gateway.core.release.statements import BodyRefused, Message, Statement
from gateway.formats.json.drift import unknown_fields
from gateway.formats.json.files import JsonFile
from gateway.formats.json.inbound import JsonInbound
from gateway.formats.json.minimiser import JsonMinimiser, Row, Sheet
from gateway.formats.json.misfits import JsonRuler
from gateway.formats.json.requests import NamedRequest, naming, read_named
from gateway.formats.json.sample import sample_of

__all__ = [
    "BodyRefused",
    "Circle",
    "EnvelopeBroken",
    "JsonFile",
    "JsonInbound",
    "JsonMinimiser",
    "JsonRuler",
    "Message",
    "Minimised",
    "NamedRequest",
    "Row",
    "Sheet",
    "Statement",
    "naming",
    "read_named",
    "sample_of",
    "tolerable",
    "unknown_fields",
]
