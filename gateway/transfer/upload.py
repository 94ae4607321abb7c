"""`POST /SOURCE/filter`: a system of the school pushes records, and gets back what a recipient may have of them.

The body stands where the source's answer stands in a read; the rest is the same flow. With a school's credential only,
and decided before the body is read: to a recipient the route would be an oracle of pseudonyms and refusals. Leaves out:
files at the command line (`filter`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qsl

import msgspec

from gateway.core.file_forms import Form
from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.core.release.minimised import Minimised
from gateway.transfer.filing import Filing, Wanted, cut, handed_in, handed_in_as, is_set, through
from gateway.transfer.flow import Target
from gateway.transfer.inquiry import Inquiry, accepts, declared, named_purpose
from gateway.transfer.ports import RegisterUnavailable, UpstreamAnswer, UpstreamCall
from gateway.transfer.released import Answer, Released
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Match, Request, Stop
from gateway.transfer.steps import Outside, Sizes, unregistered
from gateway.transfer.trail import Trail

_PLACE = re.compile(rb"/([A-Za-z0-9-]+)/filter")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NEEDED = ("recipient", "purpose", "schema")
_NAMES = (*_NEEDED, "record", "final_recipient")
_MEDIA = {
    "json": {
        b"application/json": frozenset({Form.ARRAY, Form.SINGLE}),
        b"application/x-ndjson": frozenset({Form.LINES, Form.SINGLE}),
    },
    "xml": dict.fromkeys((b"application/xml", b"text/xml"), frozenset({Form.SINGLE, Form.LIST})),
    "csv": {b"text/csv": frozenset({Form.TABLE}), b"application/zip": frozenset({Form.SET})},
}
"""What a body may be declared as, by the schema's format, and what it must then turn out to be."""


def is_upload(raw_path: bytes) -> bool:
    """Whether records are handed in here; no schema has this path."""
    return _PLACE.fullmatch(raw_path) is not None


class Upload(Filing):
    """One per request."""

    def __init__(self, outside: Outside, sizes: Sizes, remembered: Remembered) -> None:
        super().__init__(outside, sizes, remembered)
        self.form = Form.ARRAY

    async def answer(self, caller: Caller, request: Request) -> Answer:
        """Every refusal is registered before it is told."""
        trail = self.begin(caller)
        try:
            wanted = _wanted(caller, request)
            trail = replace(trail, caller=wanted.caller(caller.credential))
            match, inquiry = handed_in(self.outside.world.now().compiled, wanted)
            trail = trail.at(match)
            media, forms = _declared(request, match.schema.format)
            await self.steadily(lambda snapshot: self.may_be_read(trail, inquiry, snapshot))
            body = await self._read(request, match, forms)
            answer = await self._answer(trail, wanted, inquiry, body)
            return answer if answer.reason else replace(answer, media=media)
        except Stop as stop:
            return await self.refuse(trail, stop)
        except RegisterUnavailable:
            return unregistered(trail)

    async def _read(self, request: Request, match: Match, forms: frozenset[Form]) -> bytes:
        """As the source would have sent it: an array, or one record."""
        body = await request.body()
        reader = handed_in_as(match, self.sizes.answer_bytes)
        ((records, _),) = cut(reader, (body,), len(body) + 1)
        if reader.form not in forms:
            raise Stop(Reason.MEDIA_TYPE_UNKNOWN)
        self.form = Form.LINES if Form.LINES in forms else reader.form
        self.lines = self.form is Form.LINES
        if len(body) > self.sizes.answer_bytes and match.schema.format != "json":
            raise Stop(Reason.BODY_TOO_LARGE, "what is larger goes through `gateway filter`")
        return records[0] if self.form is Form.SINGLE else reader.piece(records)

    async def _answer(self, trail: Trail, wanted: Wanted, inquiry: Inquiry, body: bytes) -> Released:
        match, _ = handed_in(self.outside.world.now().compiled, wanted, self.form)
        trail = trail.at(match)
        if not is_set(match):
            self.outside.drift.look(match, body)
        if match.route.many and len(body) > self.sizes.answer_bytes:
            released = await self.in_parts(trail, match, inquiry, body)
        else:
            given = UpstreamAnswer(200, "", body)
            target = Target(UpstreamCall(match.source, match.route.method, match.route.path))
            released = await self.steadily(
                lambda snapshot: self.release(trail, match, inquiry, target, given, snapshot)
            )  # fmt: skip
        return released

    def framed(self, minimised: Minimised, match: Match) -> None:
        del match
        if self.form is Form.LINES:
            minimised.body = b"".join(bytes(row) + b"\n" for row in _ROWS.decode(minimised.body))


_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


def _wanted(caller: Caller, request: Request) -> Wanted:
    """Read strictly, and nothing of it before it is known that a school calls."""
    if caller.kind != "school":
        raise Stop(Reason.CALLER_NOT_RECIPIENT)
    if request.method != "POST":
        raise Stop(Reason.METHOD_NOT_ALLOWED, "POST")
    given: dict[str, str] = {}
    for name, value in _pairs(request.query):
        if name not in _NAMES:
            raise Stop(Reason.PARAMETER_UNKNOWN, "declared: " + ", ".join(_NAMES))
        if name in given or not _NAME.fullmatch(value):
            raise Stop(Reason.PARAMETER_INVALID, name)
        given[name] = value
    missing = [name for name in _NEEDED if name not in given]
    if missing:
        raise Stop(Reason.PARAMETER_MISSING, ", ".join(missing))
    source = request.raw_path.split(b"/")[1].decode("ascii")
    recipient, platform = through(given["recipient"], given.get("final_recipient"))
    purpose, schema, record = given["purpose"], given["schema"], given.get("record")
    return Wanted(source, schema, recipient, purpose, record, named_purpose(request), platform)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), max_num_fields=8, errors="strict"
        )  # fmt: skip
    except ValueError:
        raise Stop(Reason.PARAMETER_INVALID) from None


def _declared(request: Request, form: str) -> tuple[bytes, frozenset[Form]]:
    """The media type, and what the body may then turn out to be."""
    media = declared(request)
    forms = _MEDIA.get(form, {}).get(media)
    if forms is None:
        raise Stop(Reason.MEDIA_TYPE_UNKNOWN)
    accepts(request, media)
    return media, forms
