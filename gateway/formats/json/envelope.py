"""What stands around the records of an answer: a list or one record under a name ({"users": […]}).

Only what stands under that name is looked at. Leaves out: the records (`minimiser`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.json.records import attempt, split


def opened(body: bytes, name: str) -> bytes:
    """What stands under `name`, or, without one, the whole. Raises EnvelopeBroken."""
    if not name:
        return body
    found = attempt(_decoder(name), body)
    if found is None:
        raise EnvelopeBroken("no envelope of the expected name")
    return bytes(found.inside)


def closed(body: bytes, name: str) -> bytes:
    """The envelope around what leaves."""
    return b'{"' + name.encode() + b'":' + body + b"}" if name else body


def counted(body: bytes) -> int:
    """How many records a list holds. Raises EnvelopeBroken."""
    return len(split(body))


def joined(lists: list[bytes]) -> bytes:
    """Lists as one list."""
    inner = (one.strip()[1:-1].strip() for one in lists)
    return b"[" + b",".join(one for one in inner if one) + b"]"


@cache
def _decoder(name: str) -> msgspec.json.Decoder[Any]:
    """For a name of a schema."""
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", [("inside", Raw)], rename={"inside": name}, gc=False))
