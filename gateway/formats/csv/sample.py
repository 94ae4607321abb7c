"""A file of CSV as rows to lay beside their schema. Leaves out: what is said of them (`transfer.sample`)."""

from __future__ import annotations

from typing import Any

from gateway.core.policy.schema import Csv, Many, Record
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.csv.read import table


def sample_of(body: bytes, record: Record, dialect: Csv) -> list[Any]:
    """The rows; an empty cell is no value. Raises EnvelopeBroken."""
    found = table(body, dialect)
    if any(len(cells) != len(found.names) for cells in found.rows):
        raise EnvelopeBroken("a row has more or fewer cells than the header has columns")
    lists = {name for name, node in record.fields.fields.items() if isinstance(node, Many)}
    return [
        {name: _cell(cell, dialect, many=name in lists) for name, cell in zip(found.names, cells, strict=True)}
        for cells in found.rows
    ]


def _cell(text: str, dialect: Csv, *, many: bool) -> Any:
    if not text.strip():
        return None
    return [one.strip() for one in text.split(dialect.separator)] if many else text
