"""One record's projection compiled for CSV: see whom each row speaks of, and write the columns that may leave.

The same promise as JSON's (`core.release.minimised`). A large file comes in pieces (`read.CsvFile`), each with its
header, so that memory stays flat; `rows` of the pieces are sorted by the caller. A ragged row is malformed, and alone;
a file that does not have the columns it needs is no file of this kind. Leaves out: which record and delivery
(`transfer`), files that refer to each other (`sets`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from gateway.core.model import Subject, Transform
from gateway.core.policy.schema import Csv
from gateway.core.policy.terms import Aggregate
from gateway.core.release.circle import Circle
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import WHOLE, EnvelopeBroken, Minimised, Share
from gateway.core.release.projection import Branch, Many, Projection, without
from gateway.core.release.views import Views
from gateway.formats.csv.circle import circle as circle_of
from gateway.formats.csv.places import Place
from gateway.formats.csv.plan import Column, Planner, references, subjects
from gateway.formats.csv.read import Limits, Table, table
from gateway.formats.csv.rows import ALONE, Beside, Name, Row, Rows
from gateway.formats.csv.viewed import Told
from gateway.formats.csv.write import head

_PLANS = 4096  # kept columns: rows with ever other withheld paths must not fill the memory


@dataclass(slots=True)
class Sheet:
    """What leaves of one file: `lines` (what orders each, the line; `owners`: whose, before any is told to have
    ended), and what others refer to these rows by (`named`: column → what stood in it); `said`: which rows
    they refer to; `rows`: those rows, where they are of nobody; `hidden`: what orders those that stay behind because
    nobody refers to them; `lost`: by what others refer to malformed rows; `waiting`: rows that are looked at later."""

    head: bytes
    lines: list[tuple[str, bytes]] = field(default_factory=list, repr=False)
    malformed: int = 0
    named: dict[str, set[str]] = field(default_factory=dict, repr=False)
    owners: list[Subject | None] = field(default_factory=list, repr=False)
    said: set[Name] = field(default_factory=set, repr=False)
    rows: list[Row] = field(default_factory=list, repr=False)
    hidden: list[str] = field(default_factory=list, repr=False)
    lost: frozenset[Name] = field(default=frozenset(), repr=False)
    waiting: list[list[str]] = field(default_factory=list, repr=False)

    def take(self, row: Row) -> None:
        self.lines.append((row.key, row.line))
        self.owners.append(row.owner)
        self.said |= row.refers
        if row.owner is None:
            self.rows.append(row)
        for name, text in row.named.items():
            self.named.setdefault(name, set()).add(text)

    @property
    def body(self) -> bytes:
        return self.head + b"".join(line for _, line in self.lines)


class CsvMinimiser:
    """Compiled when policy is taken over; holds nothing of any file."""

    def __init__(
        self,
        projection: Projection,
        dialect: Csv | None = None,
        aggregate: Aggregate | None = None,
        limits: Limits | None = None,
    ) -> None:
        record = projection.record
        if aggregate is not None:
            raise DeliveryRefused(f"{record.name}: rows in CSV cannot be counted")
        self.projection = projection
        self.dialect = dialect or Csv()
        self.limits = limits or Limits()
        self.aggregate = None
        places = {
            one.at: Place(record, one, needed=_needed(projection.root, one.at)) for one in subjects(projection.root)
        }
        self.places = tuple(place for place in places.values() if place.subject.withheld == "record")
        self.references = tuple(references(record))
        self.lists_people = bool(places) and not self.places
        self._planner = Planner(record, places, self.limits.row)
        self._plans: dict[tuple[frozenset[str], date], tuple[Column, ...] | None] = {}
        columns = self.plan(frozenset(), date(2000, 10, 1))  # a delivery that cannot run is known when it is taken over
        assert columns is not None, "nothing is withheld here"
        self.columns = columns
        self.masks = any(one.value is not None and one.value.leaf.transform is Transform.MASK for one in columns)
        self._needed = frozenset(one.name for one in columns if one.required and _read(one))
        self._sorted = bool(self.places) or projection.order is not None

    def __repr__(self) -> str:
        return f"<CsvMinimiser of {self.projection.record.name}>"

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        """Raises EnvelopeBroken. Synchronous: screening and writing are one moment (house rule 4). Not `many`: a
        file of one row."""
        found = self.table(body)
        if not many and len(found.rows) != 1:
            raise EnvelopeBroken("not one row")
        views = emission.views if self.projection.views else None
        sheet = self.sheet(found, emission, share.circle or (lambda: self.circle(found)), share=share, views=views)
        rows = tuple(sheet.lines) if share.apart else ()
        body = sheet.body if many or sheet.lines else b""
        return Minimised(body, len(sheet.lines), sheet.malformed, rows, head=sheet.head)

    def table(self, body: bytes) -> Table:
        """Raises EnvelopeBroken."""
        return table(body, self.dialect, self.limits)

    def circle(self, found: Table) -> Circle:
        """The names and numbers in a file."""
        return circle_of([(self.projection.record, found)])

    def head(self, names: tuple[str, ...]) -> bytes:
        """The first line of what leaves of a file with these columns."""
        return head(self._leaving(names), self.dialect)

    def _leaving(self, names: tuple[str, ...]) -> tuple[str, ...]:
        leaving = {one.name for one in self.columns}
        if self.dialect.columns == "standard":
            leaving |= set(names)
        return tuple(name for name in self.projection.record.fields.fields if name in leaving)

    def sheet(
        self,
        found: Table,
        emission: Emission,
        circle: Callable[[], Circle],
        *,
        share: Share = WHOLE,
        beside: Beside = ALONE,
        views: Views | None = None,
    ) -> Sheet:
        """`beside`: the other files of a set; `views`: where what the recipient last got is remembered. Raises
        EnvelopeBroken."""
        self._whole(found)
        sheet = Sheet(self.head(found.names))
        rows = Rows(self, found.names, self._leaving(found.names), emission, cache(circle), beside)
        for cells in found.rows:
            row = rows.row(cells)
            if row is not None:
                sheet.take(row)
        sheet.malformed, sheet.hidden, sheet.lost = rows.malformed, rows.hidden, frozenset(rows.lost)
        sheet.waiting = rows.waiting
        share.withstand(sheet.malformed, len(found.rows), emission.faults)
        if views is not None:
            told = Told(self.projection, self.columns, self._leaving(found.names), self.dialect)
            sheet.lines = told.lines(sheet.lines, sheet.owners, emission, views, sheet.hidden)
        if self._sorted:
            sheet.lines.sort(key=lambda line: line[0])
        return sheet

    def _whole(self, found: Table) -> None:
        """The columns without which no row could leave."""
        if not (self._needed | {one.column for one in self.references}) <= set(found.names):
            raise EnvelopeBroken("a column that this file must have is missing")
        if any(place.needed and not place.columns & set(found.names) for place in self.places):
            raise EnvelopeBroken("no column says whom a row is about")

    def plan(self, paths: frozenset[str], reference: date) -> tuple[Column, ...] | None:
        """What is written without these paths; None when a row cannot leave so."""
        key = (paths, reference)
        if key not in self._plans:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            root = without(self.projection.root, paths) if paths else self.projection.root
            self._plans[key] = None if root is None else self._planner.columns(root, reference)
        return self._plans[key]


def _needed(root: Branch, at: str) -> bool:
    """Whether a row must name this person."""
    node = root.fields.get(at) if at else root
    if isinstance(node, Many) and isinstance(node.item, Branch):
        subject = node.item.subject
        if subject is not None and subject.withheld == "record":
            raise DeliveryRefused(f"{at}: who stands in a list is withheld alone")
    return not at or (node is not None and node.required)


def _read(column: Column) -> bool:
    return column.value is not None and column.value.leaf.read
