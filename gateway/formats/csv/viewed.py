"""The gateway's own words in the rows of one file: moments and status, and what is left of rows that ended.

A file that tells status is one of changes (a delta): a row that is not in it is not gone by that. Every row that may
leave stands in it all the same, so that a file that was lost is no loss. Leaves out: when a row ended
(`core.release.views`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from gateway.core.model import Subject, Transform
from gateway.core.policy.schema import Csv
from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from gateway.core.release.projection import Projection
from gateway.core.release.views import Stamp, Views
from gateway.formats.csv.plan import Column
from gateway.formats.csv.write import line

_STAYS = ((Reason.NOT_AVAILABLE,),)

Line = tuple[str, bytes]
"""What orders a row, and the row."""


def tells_ends(projection: Projection) -> bool:
    """Whether its status leaves."""
    return any(getattr(node, "view", None) == "status" for node in projection.root.fields.values())


class Told:
    """Of one file. `names`: its columns as they leave."""

    def __init__(self, projection: Projection, columns: Sequence[Column], names: Sequence[str], dialect: Csv) -> None:
        self._projection = projection
        self._columns = {one.name: one for one in columns}
        self._names = names
        self._dialect = dialect
        self._encoding = "cp1252" if dialect.encoding == "cp1252" else "utf-8"

    def lines(
        self,
        lines: Sequence[Line],
        owners: Sequence[Subject | None],
        emission: Emission,
        views: Views,
        hidden: Sequence[str] = (),
    ) -> list[Line]:
        """`hidden`: what orders rows that stay behind while the source tells them. None of these is told to have ended:
        that would tell of whom in them is restricted."""
        stamps = views.look([key for key, _ in lines], [row for _, row in lines], owners, self._remains)
        here = [(key, self._write(row, stamp)) for (key, row), stamp in zip(lines, stamps, strict=True)]
        ended = emission.ended(self._projection.record, dict.fromkeys(hidden, _STAYS), views)
        if not tells_ends(self._projection):
            return here
        return here + [(one.key, self._write(one.remains, one.stamp)) for one in ended]

    def _cells(self, row: bytes) -> list[str]:
        text = io.StringIO(row.decode(self._encoding), newline="")
        return next(csv.reader(text, delimiter=self._dialect.delimiter, strict=True))

    def _write(self, row: bytes, stamp: Stamp) -> bytes:
        said = {"created": stamp.first, "modified": stamp.changed, "status": stamp.status}
        cells = zip(self._names, self._cells(row), strict=True)
        return line([said.get(self._view(name), cell) for name, cell in cells], self._dialect)

    def _view(self, name: str) -> str:
        column = self._columns.get(name)
        return (column.value.leaf.view if column is not None and column.value is not None else None) or ""

    def _remains(self, row: bytes) -> bytes:
        """Ids, what leaves for everybody, and a filler where the format requires something."""
        cells = zip(self._names, self._cells(row), strict=True)
        return line([self._kept(self._columns.get(name), cell) for name, cell in cells], self._dialect)

    def _kept(self, column: Column | None, cell: str) -> str:
        if column is None or column.value is None:
            return ""
        leaf, slot = column.value.leaf, column.value.slot
        if slot is not None or leaf.maps is not None or leaf.transform is Transform.FIXED:
            return cell
        return next(iter(leaf.values), "-") if column.required else ""
