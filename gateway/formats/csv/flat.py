"""Records that leave as JSON, as rows of a table: a column for each path that may leave, items of a list in one cell.

Nothing is decided here: what is in a row was released, and has its place by its path. For who opens it in a
spreadsheet, so no cell begins a formula. Leaves out: tables of a source (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.core.policy.schema import Csv
from gateway.core.release.texts import written
from gateway.formats.csv.write import head, line, plain

OPENED = Csv(delimiter=";", encoding="utf-8-sig", separator="|", opened=True)
"""As Dutch spreadsheets read it."""


class Flat:
    """For the paths of one projection."""

    def __init__(self, paths: tuple[str, ...], dialect: Csv = OPENED) -> None:
        self.head = head(paths, dialect)
        self._paths = [tuple(path.split(".")) for path in paths]
        self._dialect = dialect

    def line(self, record: bytes) -> bytes:
        """Raises Malformed for a sign that the encoding does not have."""
        found = msgspec.json.decode(record)
        cells = [self._dialect.separator.join(_texts(found, path)) for path in self._paths]
        return line([plain(cell) for cell in cells], self._dialect)


def _texts(node: Any, path: tuple[str, ...]) -> Iterator[str]:
    """What stands at this path, of every item on the way."""
    if isinstance(node, list):
        for item in node:
            yield from _texts(item, path)
    elif isinstance(node, dict):
        if path and path[0] in node:
            yield from _texts(node[path[0]], path[1:])
    elif not path and node is not None:
        yield written(node)
