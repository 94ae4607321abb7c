"""A file of JSON as records to lay beside their schema. Leaves out: what is said of them (`transfer.sample`)."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.policy.schema import Record
from gateway.core.release.minimised import BROKEN, EnvelopeBroken
from gateway.formats.json.files import JsonFile


def sample_of(body: bytes, record: Record) -> list[Any]:
    """The records of a file: an array, a line each, or one; without the schema's envelope. Raises EnvelopeBroken."""
    file = JsonFile(len(body))
    found = [_decoded(text) for text in (*file.feed(body), *file.close())]
    name = record.envelope
    inside = found[0].get(name) if len(found) == 1 and name else None
    return inside if isinstance(inside, list) else found


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except BROKEN:
        pass
    # raised outside `except`: the cause would hold the text
    raise EnvelopeBroken("no JSON")
