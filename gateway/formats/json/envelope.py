"""What stands around the records of an answer: a list or one record under a name ({"users": […]}).

Only what stands under that name is looked at. Leaves out: the records (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def records(body: bytes) -> list[bytes]:
    """Of a list. Raises EnvelopeBroken."""
    return [bytes(one) for one in split(body)]


def keys(found: Sequence[bytes], name: str) -> list[bytes]:
    """What stands under `name` in each of these records, as JSON; of one that has nothing there, the record."""
    decoder = _key_decoder(name)
    return [_key(attempt(decoder, one)) or one for one in found]


def _key(keyed: Any | None) -> bytes:
    return b"" if keyed is None or bytes(keyed.key) in _NOTHING else bytes(keyed.key)


def joined(found: Iterable[bytes]) -> bytes:
    """Records as a list."""
    return b"[" + b",".join(found) + b"]"


_NOTHING = frozenset({b"null", b'""'})


@cache
def _key_decoder(name: str) -> msgspec.json.Decoder[Any]:
    """For a name of a schema."""
    return msgspec.json.Decoder(msgspec.defstruct("Keyed", [("key", Raw, Raw())], rename={"key": name}, gc=False))


@cache
def _decoder(name: str) -> msgspec.json.Decoder[Any]:
    """For a name of a schema."""
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", [("inside", Raw)], rename={"inside": name}, gc=False))
