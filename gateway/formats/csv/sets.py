"""A zip of CSV files that refer to each other, minimised together and kept consistent.

A row that needs a row which stays behind stays behind too (an enrolment of a withheld pupil); a reference that is not
needed becomes empty. Where a file holds only changes (delta), a row it does not hold may be known to the recipient:
then nothing follows from its absence, but what refers to a malformed row in it stays behind. A group that nobody who
leaves refers to stays behind (`referred`).

Files of persons are walked once, in the order of the schema, in which a file stands behind those it refers to; then the
others, which are few: before it, to know which of their rows persons may refer to, and after it, to know which somebody
does. So a large set leaves in pieces, each decided and registered at its own moment (`part`), and one that something
needs the whole of is one answer (`minimise`). Leaves out: one file (`minimiser`), the archive (`archive`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from operator import itemgetter

from gateway.core.model import Person
from gateway.core.policy.grants import groups, leaves
from gateway.core.policy.schema import Csv, Manifest, Schema
from gateway.core.release.circle import Circle, is_number
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import WHOLE, EnvelopeBroken, Minimised, Share
from gateway.core.release.views import Views
from gateway.formats.csv.archive import Archive, SetLimits, packed
from gateway.formats.csv.circle import circle
from gateway.formats.csv.manifest import read, rewritten
from gateway.formats.csv.minimiser import CsvMinimiser, Sheet
from gateway.formats.csv.opened import Leg, Opened, columns
from gateway.formats.csv.read import CsvFile, Limits, Table, table, written
from gateway.formats.csv.referred import Referred
from gateway.formats.csv.rows import Beside, Name, Row, id_of
from gateway.formats.csv.viewed import tells_ends

_END = ".csv"

Keyed = tuple[str, bytes]
"""A row, and what orders it among those of all files."""


@dataclass(slots=True)
class MinimisedSet:
    """What may leave: `rows` of all files, each below its head, and of the manifest, as `set_of` takes them; `files`:
    record → what was minimised of it."""

    rows: list[Keyed] = field(repr=False)
    files: dict[str, Minimised]

    @property
    def body(self) -> bytes:
        return b"".join(set_of(self.rows))


class CsvSet:
    """The minimisers of one delivery of one schema, together."""

    def __init__(
        self,
        schema: Schema,
        minimisers: Mapping[str, CsvMinimiser],
        limits: SetLimits | None = None,
        rows: Limits | None = None,
    ) -> None:
        if schema.csv is None or schema.csv.manifest is None:
            raise DeliveryRefused(f"{schema.name}: its files come one by one")
        self._dialect: Csv = schema.csv
        self._manifest: Manifest = schema.csv.manifest
        self._records = schema.records
        self._minimisers = minimisers
        self._limits = limits or SetLimits()
        self._rows = rows or Limits()
        self._named = _referred(schema)
        self._waiting = self._waits() if self._of_pupils() else {}
        self._groups = frozenset(id_of(one) for one in schema.records.values() if not one.subjects)
        self._places = {name: place for place, name in enumerate(schema.records, 1)}
        numbered = any(is_number(leaf) for one in schema.records.values() for _, leaf in leaves(one.fields))
        made = minimisers.values()
        self.whole = numbered or any(one.masks or one.projection.views for one in made)
        """Whether what leaves of a row may depend on all of them: names and numbers of others, who has ended."""

    def __repr__(self) -> str:
        return f"<CsvSet of {len(self._minimisers)} files>"

    @property
    def minimisers(self) -> Mapping[str, CsvMinimiser]:
        """By record, of what leaves."""
        return self._minimisers

    def _of_pupils(self) -> bool:
        told = (one for name in self._minimisers for one in self._records[name].subjects)
        return any(one.person is Person.PUPIL for one in told)

    def _waits(self) -> dict[str, frozenset[str]]:
        """Of files in which employees may stand, the columns that name groups of persons in this delivery."""
        known = {id_of(one) for one in self._records.values() if one.members and groups(one)}
        leaving = {target for target in known if target.partition(".")[0] in self._minimisers}
        found: dict[str, frozenset[str]] = {}
        for name in self._minimisers:
            record = self._records[name]
            if any(Person.STAFF in one.others for one in record.subjects):
                paths = (path for path, leaf in leaves(record.fields) if leaf.refers in leaving)
                found[name] = frozenset(path.partition(".")[0] for path in paths)
        return {name: named for name, named in found.items() if named}

    # -- a set in one ----------------------------------------------------------------------------------------

    def minimise(self, body: bytes, emission: Emission) -> MinimisedSet:
        """Raises EnvelopeBroken. Synchronous, as each file is (house rule 4)."""
        opened = self.opened(body)
        everybody = cache(lambda: circle((self._records[name], self._table(opened, name)) for name in opened.there))
        found: dict[str, Minimised] = {}
        rows: list[Keyed] = []
        seen: dict[str, dict[bytes, bool]] = {name: {} for name in self._minimisers}
        for leg in self.legs(opened):
            name = leg.name
            given = opened.waiting[name] if leg.waiting else self._table(opened, name)
            whole = name in opened.full and (leg.waiting or name not in self._waiting)
            views = _views(emission, name, seen[name], whole=whole) if self._views_of(name) else None
            sheet = self._sheet(opened, leg, given, emission, everybody, views=views)
            if views is not None and emission.views is not None:
                emission.views.written += views.written
                emission.views.told += views.told
            rows += self._keyed(opened, name, sheet)
            opened.take()
            before = found.get(name, Minimised(b"", 0, 0))
            records, malformed = before.records + len(sheet.lines), before.malformed + sheet.malformed
            found[name] = Minimised(b"", records, malformed, seen=before.seen + _looked_at(given, sheet))
        return MinimisedSet(sorted([*self.manifest(opened), *rows], key=itemgetter(0)), found)

    def _views_of(self, name: str) -> bool:
        return self._minimisers[name].projection.views

    # -- a set in pieces -------------------------------------------------------------------------------------

    def opened(self, body: bytes) -> Opened:
        """What the manifest says is there, also files that do not leave, for who is named in them. Raises
        EnvelopeBroken."""
        names = [*self._records, self._manifest.file]
        archive = Archive(body, frozenset(f"{name}{_END}" for name in names), self._limits)
        if f"{self._manifest.file}{_END}" not in archive.names:
            raise EnvelopeBroken("no manifest")
        manifest = archive.read(f"{self._manifest.file}{_END}")
        contents = read(manifest, self._dialect, self._manifest, self._records)
        there = tuple(name for name in self._records if contents.there(name, self._manifest))
        if not {f"{name}{_END}" for name in there} <= archive.names:
            raise EnvelopeBroken("a file that the manifest names is missing")
        full = frozenset(name for name in there if contents.full(name, self._manifest))
        return Opened(archive, contents, there, full, self._named, self._groups)

    def legs(self, opened: Opened) -> list[Leg]:
        """The files that leave: first those of persons, then what waits of them, then those that persons refer to."""
        leaving = [name for name in opened.there if name in self._minimisers]
        persons = [name for name in leaving if self._records[name].subjects]
        waiting = [Leg(name, waiting=True) for name in persons if name in self._waiting]
        return [*map(Leg, persons), *waiting, *(Leg(name) for name in leaving if name not in persons)]

    def reader(self) -> CsvFile:
        """Of one of its files."""
        return CsvFile(self._dialect, self._rows)

    def chunks(self, opened: Opened, leg: Leg) -> Iterator[bytes]:
        """Of one of its files. Raises EnvelopeBroken."""
        if not leg.waiting:
            return opened.archive.chunks(f"{leg.name}{_END}")
        waiting = opened.waiting[leg.name]
        return (f"{written(row, self._dialect.delimiter)}\n".encode() for row in [[*waiting.names], *waiting.rows])

    def check(self, opened: Opened) -> None:
        """Reads everything once, so that it is known to be whole before anything of it leaves. Raises
        EnvelopeBroken."""
        for name in opened.there:
            file = self.reader()
            for chunk in self.chunks(opened, Leg(name)):
                file.texts(chunk)
            file.texts(b"", last=True)

    def part(self, opened: Opened, leg: Leg, text: bytes, emission: Emission, share: Share) -> Minimised:
        """Of some rows of one file, below its header. What leaves counts for what comes later once `opened.take` says
        that it did. Raises EnvelopeBroken."""
        minimiser = self._minimisers[leg.name]
        given = table(text, self._dialect, self._rows)
        sheet = self._sheet(opened, leg, given, emission, lambda: minimiser.circle(given), share)
        body = b"".join(line for _, line in sheet.lines)
        rows, seen = tuple(self._keyed(opened, leg.name, sheet)), _looked_at(given, sheet)
        return Minimised(body, len(sheet.lines), sheet.malformed, rows, head=sheet.head, seen=seen)

    def manifest(self, opened: Opened) -> list[Keyed]:
        """Of what left; before all other files."""
        leaving = {name for name, lines in opened.lines.items() if lines}  # no file is without rows
        ends = {name for name in leaving if name in self._minimisers and tells_ends(self._minimisers[name].projection)}
        told = rewritten(opened.contents, leaving, self._dialect, self._manifest, ends)
        return [(f"{0:03d} {self._manifest.file}", told)]

    # -- one file --------------------------------------------------------------------------------------------

    def _table(self, opened: Opened, name: str) -> Table:
        return table(opened.archive.read(f"{name}{_END}"), self._dialect, self._rows)

    def _sheet(
        self,
        opened: Opened,
        leg: Leg,
        given: Table,
        emission: Emission,
        everybody: Callable[[], Circle],
        share: Share = WHOLE,
        views: Views | None = None,
    ) -> Sheet:
        """What leaves of these rows of it."""
        if opened.nobodys is None:
            self._look_ahead(opened, emission, everybody)
        name, alone = leg.name, opened.alone
        released = opened.released(name)
        if alone is None and (leg.waiting or not self._records[name].subjects):
            alone = self._alone(opened, emission)
        waits = frozenset[str]() if leg.waiting else self._waiting.get(name, frozenset())
        beside = Beside(released, self._named[name], alone or frozenset(), opened.lost, name, waits)
        sheet = self._minimisers[name].sheet(given, emission, everybody, share=share, beside=beside, views=views)
        opened.made(name, given.names, sheet, alone)
        return sheet

    def _look_ahead(self, opened: Opened, emission: Emission, everybody: Callable[[], Circle]) -> None:
        """At the files that speak of nobody, as if nothing stayed behind because nobody refers to it."""
        found: dict[str, list[Row]] = {}
        expected: dict[str, AbstractSet[str]] = {}
        for name, _ in self.legs(opened):
            if not self._records[name].subjects:
                beside = Beside(expected, self._named[name], malformed=opened.lost)
                given, apart = self._table(opened, name), Emission(emission.sight)
                sheet = self._minimisers[name].sheet(given, apart, everybody, beside=beside)
                found[name] = sheet.rows
                opened.lost |= sheet.lost
                if name in opened.full:
                    expected |= columns(name, self._named[name], sheet.named)
        opened.nobodys, opened.expected = found, expected

    def _alone(self, opened: Opened, emission: Emission) -> frozenset[Name]:
        """All files of persons are behind us."""
        telling = [one.name for one in self.legs(opened) if self._records[one.name].subjects and not one.waiting]
        files = opened.nobodys or {}
        return Referred(self._records, files, opened.said, telling, opened.full, emission.sight).alone()

    def _keyed(self, opened: Opened, name: str, sheet: Sheet) -> Iterator[Keyed]:
        """In the order of the schema, whatever that in which they were walked; the head is before the first rows."""
        at = f"{self._places[name]:03d} {name}"
        if sheet.lines and not opened.lines[name]:
            yield at, sheet.head
        yield from ((f"{at} {key}", line) for key, line in sheet.lines)


def set_of(rows: Iterable[Keyed]) -> Iterator[bytes]:
    """The archive of rows of all files, sorted by what orders them."""
    files = groupby(rows, lambda row: row[0].split(" ", 2)[1])
    return packed((f"{name}{_END}", (text for _, text in found)) for name, found in files)


def _looked_at(given: Table, sheet: Sheet) -> int:
    return len(given.rows) - len(sheet.waiting)


def _views(emission: Emission, name: str, seen: dict[bytes, bool], *, whole: bool) -> Views | None:
    """Of one file. `seen`: shared by what is made of it; `whole`: with this it is everything, so that who is not in it
    may have ended."""
    views = emission.views
    if views is None:
        return None
    return replace(views, shelf=views.shelf._replace(record=name), seen=seen, written=[], told=0, whole=whole)


def _referred(schema: Schema) -> dict[str, frozenset[str]]:
    """Of each record, the columns by which rows of other files name it."""
    found: dict[str, set[str]] = {name: set() for name in schema.records}
    for record in schema.records.values():
        for _, leaf in leaves(record.fields):
            if leaf.refers is not None:
                name, _, column = leaf.refers.partition(".")
                found[name].add(column)
    return {name: frozenset(columns) for name, columns in found.items()}
