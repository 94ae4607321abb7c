"""A file of JSON as records to lay beside their schema. Leaves out: what is said of them (`transfer.sample`)."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.policy.schema import Record
from gateway.core.release.minimised import BROKEN, EnvelopeBroken
from gateway.formats.json.files import JsonFile


def sample_of(body: bytes, record: Record) -> tuple[list[Any], str]:
    """The records of a file: an array, a line each, or one; and in which envelope they stand. Raises EnvelopeBroken."""
    file = JsonFile(len(body))
    found = [_decoded(text) for text in (*file.feed(body), *file.close())]
    lists = {name: one for name, one in found[0].items() if _is_list(one)} if len(found) == 1 else {}
    known = record.fields.fields.keys() & found[0].keys() if found else set()
    name = record.envelope or next(iter(lists), "") if not known else record.envelope
    return (lists[name], name) if name in lists else (found, "")


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except BROKEN:
        pass
    # raised outside `except`: the cause would hold the text
    raise EnvelopeBroken("no JSON")
