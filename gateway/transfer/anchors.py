"""Where a walk over a long list goes on: after what was released, whatever happened to others meanwhile.

An offset counts released records; what it stands for at the source is sealed, bound to who asks what, and holds for a
day. It travels in the `next` link, so that two walks do not meet, and is kept by offset for who counts. Leaves out:
reading the list (`paged`), keeping (`ports.World`, `ports.Register`).
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any

import msgspec

LIFETIME = timedelta(hours=24)

Rank = tuple[str, str, int]
"""What orders a record as it leaves: what it is sorted by, its key, and its number among those with the same key."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """`at`: the source's record with which a stretch of the list begins; `size`: how many records of the source make a
    stretch (0: not known yet); `after`: what was released last of this stretch; `keys`: the version under which keys
    are what they are; `moment`: seconds since 1970; `before`, `until`: marks of the records with which the stretch
    before this one and this one end, as the source's records move while it is walked. Fields are only added, at the
    end, with a default."""

    at: int = 0
    size: int = 0
    after: Rank | None = None
    keys: int = 0
    moment: int = 0
    before: tuple[bytes, ...] = ()
    until: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return "<Place …>"

    def stands(self, keys: int, now: datetime) -> bool:
        return self.keys == keys and 0 <= now.timestamp() - self.moment <= LIFETIME.total_seconds()


_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Place)


def encoded(place: Place) -> bytes:
    return _encode(place)


def decoded(value: bytes) -> Place | None:
    try:
        found: Place = _decoder.decode(value)
    except msgspec.DecodeError:
        return None
    return found


def as_text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def from_text(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
