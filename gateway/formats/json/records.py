"""The records of a body, decoded as far as they may leave; the malformed apart, each by itself.

A body that is no JSON of the expected form, or whose text is no UTF-8, is unusable as a whole. Leaves out: of what
type a record is (`shapes`), how many malformed ones are too many (`minimiser`).
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.release.minimised import BROKEN, EnvelopeBroken
from gateway.formats.json.ids import array_of

_RAW = msgspec.json.Decoder(Raw)
_RAWS = msgspec.json.Decoder(list[Raw])


class Records:
    """Reads the records of one type."""

    def __init__(self, record: Any) -> None:
        self._many = msgspec.json.Decoder(array_of(record))
        self._one = msgspec.json.Decoder(record)

    def read(self, body: bytes, *, many: bool) -> tuple[list[Any], list[Raw]]:
        """The records, and those that are malformed. Raises EnvelopeBroken."""
        found = attempt(self._many, body) if many else attempt(self._one, body)
        if found is not None:
            return (found if many else [found]), []
        return self._singly(body, many=many)

    def _singly(self, body: bytes, *, many: bool) -> tuple[list[Any], list[Raw]]:
        """Record by record, so that a malformed one is withheld alone."""
        records: list[Any] = []
        broken: list[Raw] = []
        for raw in split(body) if many else [_single(body)]:
            record = self._typed(raw)
            if record is None:
                broken.append(raw)
            else:
                records.append(record)
        return records, broken

    def _typed(self, raw: Raw) -> Any | None:
        """The record, or None when it is malformed; text that is no UTF-8 breaks the whole answer."""
        try:
            return self._one.decode(raw)
        except msgspec.ValidationError:
            return None
        except BROKEN:
            pass
        raise EnvelopeBroken("no valid JSON text")


def split(body: bytes) -> list[Raw]:
    """The records of a list, as they stand in it. Raises EnvelopeBroken."""
    found: list[Raw] | None = attempt(_RAWS, body)
    if found is None:
        raise EnvelopeBroken("no JSON array of records")
    return found


def _single(body: bytes) -> Raw:
    raw: Raw | None = attempt(_RAW, body)
    if raw is None or not bytes(raw).startswith(b"{"):
        raise EnvelopeBroken("no JSON object")
    return raw


def attempt(decoder: msgspec.json.Decoder[Any], body: bytes | Raw) -> Any | None:
    """What the decoder reads; None when it cannot: an error that is raised from it would hold the body."""
    try:
        return decoder.decode(body)
    except BROKEN:
        return None
