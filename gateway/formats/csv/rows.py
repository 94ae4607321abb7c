"""The rows of one file, one after the other: seen, screened, and written cell by cell (house rule 2).

A cell that may not leave is empty; where the row needs it, the row goes (`Gone`). What the source wrote otherwise than
the schema says makes the row malformed. Leaves out: the file as a whole (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from gateway.core.model import Category, Person, Subject, Transform
from gateway.core.policy.grants import leaves
from gateway.core.policy.schema import Csv, Record
from gateway.core.reasons import Reason
from gateway.core.release.circle import Circle
from gateway.core.release.emission import Emission
from gateway.core.release.faults import REQUIRED, SOMEBODY
from gateway.core.release.projection import Projection, Slot
from gateway.core.release.sight import ECK_ID, Seen, contradicted
from gateway.core.release.text_guard import Guard
from gateway.core.release.texts import Malformed, written
from gateway.core.release.transforms import reference_day
from gateway.formats.csv.places import Place
from gateway.formats.csv.plan import Column, Reference, Value
from gateway.formats.csv.write import line, plain

Name = tuple[str, str]


class Gone(Exception):
    """A row cannot leave without what may not leave of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that leaves. `key`: by what a file is sorted (house rule 7); `named`: what others refer to it by; `owner`:
    whose it is; `refers`: which rows it names, as far as that leaves or it needs them ("users.sourcedId", the id)."""

    key: str
    line: bytes = field(repr=False)
    named: Mapping[str, str] = field(repr=False)
    owner: Subject | None = field(default=None, repr=False)
    refers: frozenset[Name] = field(default=frozenset(), repr=False)


@dataclass(slots=True)
class _Written:
    """What writing one row did. `people`: who decide about it; `shown`, `gone`: who stand in a cell with others."""

    people: dict[str, Seen]
    guard: Guard
    shown: list[Seen] = field(default_factory=list)
    gone: list[Seen] = field(default_factory=list)
    blocked: dict[tuple[str, Reason], None] = field(default_factory=dict)
    refers: set[Name] = field(default_factory=set)


class Compiled(Protocol):
    """The minimiser, as far as its rows ask it."""

    projection: Projection
    dialect: Csv
    places: tuple[Place, ...]
    references: tuple[Reference, ...]
    lists_people: bool

    def plan(self, paths: frozenset[str], reference: date) -> tuple[Column, ...] | None: ...


@dataclass(frozen=True, slots=True)
class Beside:
    """Of a set of files: what stood in a column ("users.sourcedId") of the rows that leave (`released`), by which
    columns rows of this file are referred to (`named`), and which rows stay behind because nobody refers to them
    (`alone`); `malformed`: rows of which that is known, also where a file does not hold everything; `file`: which of
    the set it is; `groups`: columns that name groups of persons, by which rows of employees wait."""

    released: Mapping[str, AbstractSet[str]] = field(default_factory=dict, repr=False)
    named: frozenset[str] = frozenset()
    alone: AbstractSet[Name] = field(default=frozenset(), repr=False)
    malformed: AbstractSet[Name] = field(default=frozenset(), repr=False)
    file: str = ""
    groups: frozenset[str] = frozenset()


ALONE = Beside()


class Rows:
    """Of one file. `leaving`: its columns."""

    def __init__(
        self,
        compiled: Compiled,
        names: tuple[str, ...],
        leaving: tuple[str, ...],
        emission: Emission,
        circle: Callable[[], Circle],
        beside: Beside = ALONE,
    ) -> None:
        self._compiled = compiled
        self._names = names
        self._leaving = leaving
        self._emission = emission
        self._circle = circle
        self._beside = beside
        self._births = {place.subject.at: _birth(compiled.projection.record, place) for place in compiled.places}
        self._id = id_of(compiled.projection.record)
        self.malformed = 0
        self.lost: set[Name] = set()  # by what others refer to the malformed rows
        self.waiting: list[list[str]] = []  # rows of employees that wait until it is known in which groups pupils are
        self.hidden: list[str] = []  # what orders the rows that stay behind because nobody refers to them

    def row(self, cells: list[str]) -> Row | None:
        """None for one that does not leave, or not yet."""
        people: dict[str, Seen] = {}
        row: Mapping[str, str] = {}
        try:
            row = self._under_names(cells)
            if self._alone(row):
                self.hidden.append(self._key(row, people))
                return None
            self._see(row, people)
            if self._waits(row, people):
                self.waiting.append(cells)
                return None
            return self._row(row, people)
        except Malformed as malformed:
            self.malformed += 1
            path = ".".join(filter(None, (self._beside.file, malformed.fault.path)))
            self._emission.malform(_known(people), (malformed.fault._replace(path=path),))
            self._lose(row)
        except Gone:
            if any((one.to, row[one.column].strip()) in self._beside.malformed for one in self._compiled.references):
                self._lose(row)
            self._emission.withhold(_known(people), Reason.NOT_AVAILABLE)
        return None

    def _under_names(self, cells: list[str]) -> dict[str, str]:
        """In a ragged row no cell is known to stand under its column, so nobody is accused of it."""
        if len(cells) != len(self._names):
            raise Malformed("", "as many cells as the header has columns")
        return dict(zip(self._names, cells, strict=True))

    def _row(self, row: Mapping[str, str], people: dict[str, Seen]) -> Row | None:
        emission, compiled = self._emission, self._compiled
        if any(seen.reasons for seen in people.values()):
            emission.withhold(seen for seen in people.values() if seen.reasons)
            return None
        if not all(self._there(row[one.column], one.to) for one in compiled.references):
            raise Gone
        withheld = frozenset[str]().union(*(seen.withheld for seen in people.values()))
        columns = compiled.plan(withheld, reference_day(emission.sight.today))
        if columns is None:
            raise Gone
        about = tuple(dict.fromkeys(one.subject for one in people.values() if one.subject is not None))
        guard = Guard(emission, about, self._circle, special=compiled.projection.special)
        made = _Written(people, guard)
        cells = self._cells(columns, row, made)
        if cells is None:
            return None
        text = line(cells, compiled.dialect)
        emission.withhold(made.gone)
        if compiled.lists_people and not made.shown:
            return None  # R7, R68: a list of which nobody is in this delivery is none of its business
        emission.release([*people.values(), *made.shown])
        emission.block(about, made.blocked)
        named = self._named(row)
        refers = made.refers | {(one.to, row[one.column].strip()) for one in compiled.references}
        return Row(self._key(row, people), text, named, next(iter(about), None), frozenset(refers))

    def _lose(self, row: Mapping[str, str]) -> None:
        """Nor does what refers to this row leave."""
        record = self._compiled.projection.record.name
        self.lost |= {(f"{record}.{column}", said) for column, said in self._named(row).items() if said}

    def _named(self, row: Mapping[str, str]) -> dict[str, str]:
        """By what others refer to this row."""
        return {name: row.get(name, "").strip() for name in self._beside.named}

    # -- whom a row is about -------------------------------------------------------------------------------

    def _see(self, row: Mapping[str, str], people: dict[str, Seen]) -> None:
        """Everybody who decides about the whole row. A cell that must name somebody and does not names nobody."""
        for place in self._compiled.places:
            said = place.said(row)
            if any(said):
                seen = place.see(said, self._emission.sight)
                people[place.subject.at] = contradicted(seen) if self._contradicts(place, row, seen) else seen
            elif place.needed:
                raise Malformed(next(iter(place.columns), ""), REQUIRED)
        if self._compiled.places and not people:
            raise Malformed("", SOMEBODY)

    def _contradicts(self, place: Place, row: Mapping[str, str], seen: Seen) -> bool:
        """R109: another birth date than the one the school recorded."""
        column = self._births[place.subject.at]
        if column is None or seen.born is None or seen.reasons:
            return False
        said = row.get(column, "").strip()[:10]
        return bool(said) and said != seen.born.isoformat()

    def _key(self, row: Mapping[str, str], people: Mapping[str, Seen]) -> str:
        order = self._compiled.projection.order
        if order is not None:
            return self._emission.sight.thing(order.maps, row.get(order.path, "").strip())
        return next((seen.key for seen in people.values()), "")

    def _there(self, text: str, to: str) -> bool:
        """Whether the row of another file that this id names leaves, as far as that is known here."""
        known, name = self._beside.released.get(to), (to, text.strip())
        behind = name in self._beside.alone or name in self._beside.malformed
        return (known is None or name[1] in known) and not behind

    def _waits(self, row: Mapping[str, str], people: Mapping[str, Seen]) -> bool:
        """A group is not in a delivery of pupils because its teacher is (R8)."""
        staff = (one.subject is not None and one.subject.person is Person.STAFF for one in people.values())
        return any(row.get(name, "").strip() for name in self._beside.groups) and any(staff)

    def _alone(self, row: Mapping[str, str]) -> bool:
        by = self._id.partition(".")[2]
        return bool(by) and (self._id, row.get(by, "").strip()) in self._beside.alone

    # -- cells ---------------------------------------------------------------------------------------------

    def _cells(self, columns: tuple[Column, ...], row: Mapping[str, str], made: _Written) -> list[str] | None:
        """None when what is in a cell keeps the whole row; the school reads why."""
        found: dict[str, str] = {}
        for column in columns:
            text = self._cell(column, row.get(column.name, ""), made)
            if not text and column.required:
                if made.blocked:
                    self._emission.withhold(_known(made.people), *dict.fromkeys(reason for _, reason in made.blocked))
                    return None
                raise Gone if row.get(column.name, "").strip() else Malformed(column.name, REQUIRED)
            found[column.name] = text
        return [found.get(name, "") for name in self._leaving]

    def _cell(self, column: Column, text: str, made: _Written) -> str:
        value = column.value
        if value is None:
            return ""
        if value.leaf.transform is Transform.VIEW:
            return ""  # the gateway's own word comes when the whole file is known
        if value.leaf.transform is Transform.FIXED:
            return self._plain(value, written(value.leaf.value))
        if not column.many and value.place is None:
            return self._plain(value, self._value(value, text, made, made.people.get(column.at)) or "")
        separator = self._compiled.dialect.separator
        said = text.split(separator) if column.many else [text]
        items = [self._item(value, item, made) for item in said]
        kept = [item for item in items if item]
        if value.place is not None or value.leaf.maps is not None:
            kept.sort()  # never in the source's order (house rule 7)
        return self._plain(value, separator.join(kept))

    def _item(self, value: Value, item: str, made: _Written) -> str | None:
        """One of several in a cell; whoever it names goes alone."""
        if value.place is None or not item.strip():
            return self._value(value, item.strip(), made, None)
        seen = value.place.see((item.strip(),), self._emission.sight)
        if seen.reasons or value.leaf.path in seen.withheld:
            made.gone.append(seen)
            return None
        text = self._value(value, item.strip(), made, seen)
        if text:
            made.shown.append(seen)
        return text

    def _value(self, value: Value, text: str, made: _Written, seen: Seen | None) -> str | None:
        said = value.read(text)
        if said is None or (value.refers is not None and not self._there(said, value.refers)):
            return None
        if value.refers is not None and said.strip():
            made.refers.add((value.refers, said.strip()))
        leaf = value.leaf
        if value.slot is not None:
            held = _id(value.slot, seen)
            if held is not None and made.guard.names(held):
                made.blocked[leaf.path, Reason.BSN_NOT_ALLOWED] = None
                return None
            return held
        if leaf.maps is not None:
            return self._emission.mapped(leaf.maps, said.strip(), self._owner(value, made))
        passed = made.guard.passed(leaf, said)
        if isinstance(passed, Reason):
            made.blocked[leaf.path, passed] = None
            return None
        return value.becomes(passed) if value.becomes is not None else passed

    def _owner(self, value: Value, made: _Written) -> bytes | None:
        """Whose the row's own id is."""
        order = self._compiled.projection.order
        if order is None or order.path != value.leaf.path:
            return None
        return next((seen.subject.id for seen in made.people.values() if seen.subject is not None), None)

    def _plain(self, value: Value, text: str) -> str:
        """What people open holds no formula; a number and a day cannot be one."""
        if not self._compiled.dialect.opened or value.leaf.type in ("integer", "number"):
            return text
        return plain(text)


def id_of(record: Record) -> str:
    """Where the id of its rows stands, as others refer to it; "" where a row has none."""
    column = record.members or record.order
    return f"{record.name}.{column}" if column else ""


def _id(slot: Slot, seen: Seen | None) -> str | None:
    """What stands in the slot of a person's id."""
    if seen is None:
        return None
    if slot.form == "master":
        return dict(seen.ids).get(ECK_ID)
    return next((one for kind, one in seen.ids if kind != ECK_ID), None)


def _birth(record: Record, place: Place) -> str | None:
    """The column of this person's birth date: of the row's own person."""
    days = (
        path
        for path, leaf in leaves(record.fields)
        if leaf.category is Category.BIRTH_DATE and leaf.format == "date" and "." not in path
    )
    return next(days, None) if not place.subject.at else None


def _known(people: Mapping[str, Seen]) -> list[Seen]:
    return [seen for seen in people.values() if seen.subject is not None]
