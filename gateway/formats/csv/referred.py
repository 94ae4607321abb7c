"""Which rows of a set stay behind because nobody in it refers to them: a class of which nobody is in this delivery, and
what only such a class refers to, are none of its business, not even their names (R7, R68).

Groups come first (`members`): there somebody must be behind what refers to them. Then what is only at hand for others
(a book, a scale, a kind of test: rows that need no other) leaves where a row that leaves refers to it, as far as the
set tells that.

Leaves out: rows that stay behind for what is in them, and what needs those (`rows`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from gateway.core.policy.grants import groups, leaves
from gateway.core.policy.schema import Record
from gateway.core.release.sight import Sight
from gateway.formats.csv.plan import references
from gateway.formats.csv.rows import Name, Row, id_of

Files = Mapping[str, Sequence[Row]]


class Referred:
    """Of one set. `files`: what would leave of those that speak of nobody, in the schema's order, if nothing stayed
    behind for this; `said`: id column → what the rows of persons that left refer to there; `telling`: the files of
    those rows; `full`: those that hold everything."""

    def __init__(
        self,
        records: Mapping[str, Record],
        files: Files,
        said: Mapping[str, AbstractSet[str]],
        telling: Collection[str],
        full: AbstractSet[str],
        sight: Sight,
    ) -> None:
        self._records = records
        self._files = files
        self._persons = said
        self._telling = telling
        self._full = full
        self._sight = sight
        self._ids = {name: id_of(records[name]) for name in files}
        self._leaving: dict[str, set[str]] = {}  # id column of a group's file → those in it that leave
        self._behind: dict[str, set[str]] = {}  # id column → what somebody who leaves refers to

    def alone(self) -> frozenset[Name]:
        found = self._groups()
        return frozenset(found | self._things(found))

    def _groups(self) -> set[Name]:
        """The last file first: a file stands behind those it refers to."""
        found: set[Name] = set()
        for name in reversed(list(self._files)):
            record, target = self._records[name], self._ids[name]
            if not target:
                continue
            others = self._referring(target, (one for one in self._files if one != name))
            said = {text for one in others for text in self._said(one, target)} | self._persons.get(target, set())
            self._behind[target] = said
            if record.members is not None:
                here = {self._named(name, row): row for row in self._files[name]}
                self._leaving[target] = kept = _with_parents(said | self._peopled(name, here), here, target)
                found |= {(target, one) for one in here.keys() - kept}
        return found

    def _things(self, alone: AbstractSet[Name]) -> set[Name]:
        """What a file that holds changes only refers to may be known from an earlier one."""
        found: set[Name] = set()
        leaving = self._without(alone)
        for name, target in self._ids.items():
            record = self._records[name]
            if not target or record.members is not None or any(references(record)):
                continue
            others = self._referring(target, [*self._files, *self._telling])
            if others and self._full >= set(others):
                said = {text for rows in leaving.values() for row in rows for to, text in row.refers if to == target}
                here = {self._named(name, row) for row in self._files[name]}
                found |= {(target, one) for one in here - said - self._persons.get(target, set())}
        return found

    def _without(self, alone: AbstractSet[Name]) -> Files:
        """The rows that leave without these, and without what needs those: a file stands behind those it refers to."""
        gone = set(alone)
        found: dict[str, list[Row]] = {}
        for name, rows in self._files.items():
            needs = {one.to for one in references(self._records[name])}
            ids = [(self._ids[name], self._named(name, row)) for row in rows]
            stay = [
                one in gone or any(to in needs for to, _ in row.refers & gone)
                for one, row in zip(ids, rows, strict=True)
            ]
            gone |= {one for one, behind in zip(ids, stay, strict=True) if behind and one[1]}
            found[name] = [row for row, behind in zip(rows, stay, strict=True) if not behind]
        return found

    def _named(self, name: str, row: Row) -> str:
        return row.named.get(self._ids[name].partition(".")[2], "")

    def _referring(self, target: str, names: Iterable[str]) -> list[str]:
        known = self._records
        return [name for name in names if any(leaf.refers == target for _, leaf in leaves(known[name].fields))]

    def _said(self, name: str, target: str) -> Iterator[str]:
        """What the rows of one file refer to, of those that count."""
        needs = frozenset(one.to for one in references(self._records[name])) & self._leaving.keys()
        for row in self._files[name]:
            if self._counts(name, row, needs):
                yield from (text for to, text in row.refers if to == target)

    def _counts(self, name: str, row: Row, needs: frozenset[str]) -> bool:
        """Whether somebody is behind this row: it is a group's that leaves; a person's row refers to it (the test of a
        result), or it needs groups, which all leave (a test of a class)."""
        here = self._named(name, row)
        if self._records[name].members is not None:
            return here in self._leaving.get(self._ids[name], ())
        told = bool(needs) and all(text in self._leaving[to] for to, text in row.refers if to in needs)
        return told or here in self._behind.get(self._ids[name], ())

    def _peopled(self, name: str, here: Mapping[str, Row]) -> set[str]:
        """What the roster tells, where the set does not say who is in a group: rows of persons that refer to it are
        changes alone, or do not leave."""
        record, telling = self._records[name], self._referring(self._ids[name], self._telling)
        if (telling and self._full >= set(telling)) or not groups(record):
            return set()
        return {one for one in here if self._sight.peopled(record, one)}


def _with_parents(known: set[str], here: Mapping[str, Row], target: str) -> set[str]:
    """And what these refer to within their own file."""
    new = set(known)
    while new:
        found = {text for one in new if one in here for to, text in here[one].refers if to == target}
        new = found - known
        known = known | new
    return known
