"""A zip of CSV files that refer to each other, minimised together and kept consistent.

Files are taken in the order of the schema, in which a file stands behind those it refers to. A row that needs a row
which stays behind stays behind too (an enrolment of a withheld pupil); a reference that is not needed becomes empty.
Where a file holds only changes (delta), a row it does not hold may be known to the recipient: then nothing follows from
its absence. A group that nobody who leaves refers to stays behind (`referred`). The whole set is one answer: one
emission, one entry, in memory within limits. Leaves out: one file (`minimiser`), the archive (`archive`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from gateway.core.policy.grants import leaves
from gateway.core.policy.schema import Csv, Manifest, Schema
from gateway.core.release.circle import Circle
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import EnvelopeBroken, Minimised
from gateway.core.release.views import Views
from gateway.formats.csv.archive import SetLimits, packed, unpacked
from gateway.formats.csv.circle import circle
from gateway.formats.csv.manifest import Contents, read, rewritten
from gateway.formats.csv.minimiser import CsvMinimiser, Sheet
from gateway.formats.csv.read import Limits, Table, table
from gateway.formats.csv.referred import Referred
from gateway.formats.csv.rows import Beside, Name
from gateway.formats.csv.viewed import tells_ends

_END = ".csv"


@dataclass(slots=True)
class MinimisedSet:
    """The zip that may leave, and what is in it: record → what was minimised."""

    body: bytes = field(repr=False)
    files: dict[str, Minimised]


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

    def __repr__(self) -> str:
        return f"<CsvSet of {len(self._minimisers)} files>"

    @property
    def minimisers(self) -> Mapping[str, CsvMinimiser]:
        """By record, of what leaves."""
        return self._minimisers

    def minimise(self, body: bytes, emission: Emission) -> MinimisedSet:
        """Raises EnvelopeBroken. Synchronous, as each file is (house rule 4)."""
        contents, tables = self._read(body)
        whole: list[Circle] = []

        def everybody() -> Circle:
            if not whole:
                whole.append(circle((self._records[name], found) for name, found in tables.items()))
            return whole[0]

        full = frozenset(name for name in tables if contents.full(name, self._manifest))
        # who refers to whom is known when all were looked at: once as if nothing counted, then in earnest
        first = self._sheets(tables, full, Emission(emission.sight), everybody)
        files = {name: sheet.rows for name, sheet in first.items()}
        nobodys = Referred(self._records, files, full, emission.sight).alone()
        del first, files  # as large as the set
        return self._packed(contents, tables, self._sheets(tables, full, emission, everybody, nobodys))

    def _sheets(
        self,
        tables: Mapping[str, Table],
        full: frozenset[str],
        emission: Emission,
        everybody: Callable[[], Circle],
        nobodys: AbstractSet[Name] | None = None,
    ) -> dict[str, Sheet]:
        """Of each file that leaves. `full`: those that hold everything; `nobodys`: rows that stay behind, once
        that is known."""
        released: dict[str, set[str]] = {}
        sheets: dict[str, Sheet] = {}
        for name, found in tables.items():
            minimiser = self._minimisers.get(name)
            if minimiser is not None:
                beside = Beside(released, self._named[name], nobodys or frozenset())
                views = _views(emission, name, whole=name in full) if minimiser.projection.views else None
                sheets[name] = sheet = minimiser.sheet(found, emission, everybody, beside=beside, views=views)
                (sheet.lines if nobodys is None else sheet.rows).clear()
                if views is not None and emission.views is not None:
                    emission.views.written += views.written
                    emission.views.told += views.told
                if name in full:
                    released |= {f"{name}.{one}": sheet.named.get(one, set()) for one in self._named[name]}
        return sheets

    def _packed(self, contents: Contents, tables: Mapping[str, Table], sheets: Mapping[str, Sheet]) -> MinimisedSet:
        leaving = {name: sheet for name, sheet in sheets.items() if sheet.lines}  # no file is without rows
        ends = {name for name in leaving if tells_ends(self._minimisers[name].projection)}
        told = rewritten(contents, leaving.keys(), self._dialect, self._manifest, ends)
        files = {f"{self._manifest.file}{_END}": told}
        files |= {f"{name}{_END}": sheet.body for name, sheet in leaving.items()}
        found = {
            name: Minimised(one.body, len(one.lines), one.malformed, seen=len(tables[name].rows))
            for name, one in sheets.items()
        }
        return MinimisedSet(packed(files), found)

    def _read(self, body: bytes) -> tuple[Contents, dict[str, Table]]:
        """What the manifest says is there, in the schema's order; also files that do not leave, for who is named in
        them."""
        names = [*self._records, self._manifest.file]
        files = unpacked(body, frozenset(f"{name}{_END}" for name in names), self._limits)
        manifest = files.get(f"{self._manifest.file}{_END}")
        if manifest is None:
            raise EnvelopeBroken("no manifest")
        contents = read(manifest, self._dialect, self._manifest, self._records)
        there = [name for name in self._records if contents.there(name, self._manifest)]
        if not {f"{name}{_END}" for name in there} <= files.keys():
            raise EnvelopeBroken("a file that the manifest names is missing")
        return contents, {name: table(files[f"{name}{_END}"], self._dialect, self._rows) for name in there}


def _views(emission: Emission, name: str, *, whole: bool) -> Views | None:
    """Of one file. `whole`: it holds everything, so that who is not in it may have ended."""
    views = emission.views
    if views is None:
        return None
    return replace(views, shelf=views.shelf._replace(record=name), seen={}, written=[], told=0, whole=whole)


def _referred(schema: Schema) -> dict[str, frozenset[str]]:
    """Of each record, the columns by which rows of other files name it."""
    found: dict[str, set[str]] = {name: set() for name in schema.records}
    for record in schema.records.values():
        for _, leaf in leaves(record.fields):
            if leaf.refers is not None:
                name, _, column = leaf.refers.partition(".")
                found[name].add(column)
    return {name: frozenset(columns) for name, columns in found.items()}
