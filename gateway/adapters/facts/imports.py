"""A file of rows as facts: all of it becomes valid at once, or nothing of it is written.

The file is read twice. The first time everything is checked and nothing written: the shape, the rules at the door,
whether each pupil and guardian is known. The second time it is staged, in transactions of milliseconds between which
deliveries go on, and made valid by one act. What is known already is not entered again, so a file can be brought in
twice; a pupil's birth and admission replace those before. Memory is that of one chunk.
A guardian is introduced here and nowhere else; who is a pupil only the roster says.
Leaves out: kinds of row (`rows`), staging (`staging`), who may do this (`bootstrap`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, NamedTuple

import msgspec

from gateway.adapters.database import Database
from gateway.adapters.facts.codec import kind_of
from gateway.adapters.facts.look import locations_of
from gateway.adapters.facts.row_files import Flaw, Row, read_rows
from gateway.adapters.facts.row_files import Form as FileForm
from gateway.adapters.facts.row_forms import BSN, GUARDIAN_KEY, Door, FactRow, columns, fit_row
from gateway.adapters.facts.rows import MAKES, REPLACES, ROWS, PupilRow
from gateway.adapters.facts.store import Entered, NotKnown, Staging, UnknownSubject, enter
from gateway.adapters.policy.yaml_text import Problem
from gateway.adapters.pupils.found import known_of, persons_by_id
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.introductions import add_bsns, introduce_guardians
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import AnyFact, Consent
from gateway.core.model import Person

CHUNK = 500  # rows that are looked up together; so many are entered as one act without staging
LISTED = 1_000  # problems that are kept; of the others only their number

Progress = Callable[[str, int], None]
"""Told what is done (`checked`, `staged`) with how many rows so far."""
_Chunk = Sequence[tuple[int, Row | Flaw]]


@dataclass(frozen=True, slots=True, order=True)
class RowProblem(Problem):
    """`row`: which of the file's rows, from 1; several may stand on one line of JSON."""

    row: int = 0


class FileWrong(Exception):
    """Nothing of the file was brought in. `problems`: the first thousand of `count`."""

    def __init__(self, problems: Sequence[Problem], count: int) -> None:
        super().__init__()
        self.problems = problems
        self.count = count


class Changed(Exception):
    """While the file was brought in somebody it names was forgotten, or a fact it replaces was ended: nothing was
    entered. Again will tell."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: its rows, the facts entered, those ended by them, and those that were known already."""

    rows: int
    entered: int
    ended: int
    known: int


class _At(NamedTuple):
    """Where a row stands in the file."""

    line: int
    row: int


@dataclass(slots=True)
class _Problems:
    file: str
    kept: list[RowProblem] = field(default_factory=list)
    count: int = 0

    def add(self, at: _At, message: str, rule: str) -> None:
        self.count += 1
        if len(self.kept) < LISTED:
            self.kept.append(RowProblem(self.file, at.line, message, rule, at.row))

    def wrong(self) -> FileWrong:
        kept = sorted(self.kept, key=_place)
        return FileWrong(kept, self.count)


@dataclass(slots=True)
class _Before:
    """Whom the file named so far, where each pupil stands in it once."""

    pupils: set[bytes] = field(default_factory=set)
    bsns: dict[bytes, bytes] = field(default_factory=dict)


def _place(problem: RowProblem) -> tuple[int, int]:
    return problem.line, problem.row


@dataclass(frozen=True, slots=True)
class _Ready:
    """A row that fits, with the look-up values of whom it names."""

    at: _At
    row: FactRow = field(repr=False)
    source: str
    pupil: bytes = field(repr=False)
    guardian: bytes | None = field(repr=False)
    bsn: bytes | None = field(repr=False)


@dataclass(slots=True)
class _Found:
    """What the database knows about those whom a chunk names."""

    persons: Mapping[bytes, tuple[bytes, Person]]
    places: Mapping[bytes, set[str]]
    facts: Mapping[bytes, list[tuple[int, AnyFact]]]

    def one(self, lookup: bytes | None, person: Person) -> bytes | None:
        found = self.persons.get(lookup) if lookup is not None else None
        return found[0] if found is not None and found[1] is person else None


class Importer:
    """Brings in files of one kind. `locations`: of which the pupils must be; None: anywhere. `file_form`: what the
    sender says the file is; None: its beginning tells."""

    def __init__(
        self,
        database: Database,
        keys: StoreKeys,
        kind: str,
        door: Door,
        random: Callable[[int], bytes],
        locations: frozenset[str] | None = None,
        file_form: FileForm | None = None,
    ) -> None:
        self._file_form = file_form
        self._database = database
        self._keys = keys
        self._form = ROWS[kind]
        self._kinds = MAKES[kind]
        self._introduces = kind == "guardian"
        self._door = door
        self._random = random
        self._locations = locations

    def check(self, file: BinaryIO, name: str, progress: Progress = lambda _, __: None) -> int:
        """How many rows there are; raises FileWrong with everything that is wrong. Writes nothing."""
        problems, before, rows = _Problems(name), _Before(), 0
        for chunk in self._chunks(file):
            ready = self._fitted(chunk, problems)
            found = self._find(ready)
            for one in ready:
                self._hold(one, found, before, problems)
            rows += len(chunk)
            progress("checked", rows)
        if problems.count:
            raise problems.wrong()
        return rows

    def bring_in(
        self, file: BinaryIO, name: str, act: Act, about: Mapping[str, str], progress: Progress = lambda _, __: None
    ) -> Taken:
        """Check, then enter. Raises FileWrong, Changed, ImportRunning and DatabaseUnavailable; nothing is entered
        then."""
        rows = self.check(file, name, progress)
        try:
            if rows <= CHUNK:
                return self._at_once(file, name, act, about)
            return self._staged(file, name, act, about, progress)
        except (NotKnown, UnknownSubject):
            raise Changed from None

    def _at_once(self, file: BinaryIO, name: str, act: Act, about: Mapping[str, str]) -> Taken:
        """A small file waits for no other import."""
        plan = _Plan()
        for chunk in self._chunks(file):
            self._plan(chunk, name, plan)
        if plan.entered or plan.ends:
            enter(self._database, self._keys, act, plan.entered, plan.ends, about)
        return plan.taken()

    def _staged(self, file: BinaryIO, name: str, act: Act, about: Mapping[str, str], progress: Progress) -> Taken:
        plan = _Plan()
        with Staging(self._database, self._keys) as staging:
            for chunk in self._chunks(file):
                self._plan(chunk, name, plan)
                staging.stage(plan.entered, plan.ends)
                plan.staged()
                progress("staged", plan.rows)
            if staging.size:
                staging.flip(act, about)
        return plan.taken()

    def _chunks(self, file: BinaryIO) -> Iterator[_Chunk]:
        rows = enumerate(read_rows(file, columns(self._form), self._file_form), 1)
        while chunk := list(islice(rows, CHUNK)):
            yield chunk

    def _plan(self, chunk: _Chunk, name: str, plan: _Plan) -> None:
        """What this chunk enters and ends. The file, or what is known, may have changed since it was checked."""
        problems = _Problems(name)
        ready = self._fitted(chunk, problems)
        if self._introduces:
            keys_of = {one.guardian: (one.source, one.row.guardian_key or "") for one in ready if one.guardian}
            introduce_guardians(self._database, self._keys, keys_of, self._random)
        found = self._find(ready)
        for one in ready:
            self._hold(one, found, _Before(), problems)
        if problems.count:
            raise problems.wrong()
        bsns = {one.bsn: found.persons[one.pupil][0] for one in ready if one.bsn is not None}
        add_bsns(self._database, bsns)
        for one in ready:
            pupil = found.persons[one.pupil][0]
            guardian = found.one(one.guardian, Person.GUARDIAN)
            plan.row(pupil, one.row.facts(guardian), found.facts.get(pupil, ()))

    # -- one chunk ---------------------------------------------------------------------------------------

    def _fitted(self, chunk: _Chunk, problems: _Problems) -> list[_Ready]:
        ready = []
        for number, one in chunk:
            at = _At(one.line, number)
            if isinstance(one, Flaw):
                problems.add(at, one.message, one.rule)
                continue
            row = fit_row(self._form, one.values, self._door)
            if isinstance(row, FactRow):
                ready.append(self._named(at, row))
            else:
                for message, rule in row:
                    problems.add(at, message, rule)
        return ready

    def _named(self, at: _At, row: FactRow) -> _Ready:
        source = row.source or self._door.sources[0]
        pupil = id_lookup(self._keys, source, row.pupil_id_kind, row.pupil)
        key, bsn = row.guardian_key, row.bsn if isinstance(row, PupilRow) else None
        guardian = id_lookup(self._keys, source, GUARDIAN_KEY, key) if key is not None else None
        return _Ready(at, row, source, pupil, guardian, id_lookup(self._keys, source, BSN, bsn) if bsn else None)

    def _find(self, ready: Sequence[_Ready]) -> _Found:
        lookups = {one for each in ready for one in (each.pupil, each.guardian, each.bsn) if one is not None}
        with self._database.read() as connection:
            persons = persons_by_id(connection, lookups)
            pupils = {persons[one.pupil][0] for one in ready if one.pupil in persons}
            places = locations_of(connection, pupils) if self._locations is not None else {}
            facts = known_of(connection, self._keys, pupils, self._kinds)
        return _Found(persons, places, facts)

    def _hold(self, one: _Ready, found: _Found, before: _Before, problems: _Problems) -> None:
        """Whether everybody is known whom the row names."""
        pupil = found.one(one.pupil, Person.PUPIL)
        if pupil is None or (self._locations is not None and self._locations.isdisjoint(found.places.get(pupil, ()))):
            # the same for a pupil of another location (R68): who is not theirs is nobody to them
            problems.add(one.at, "'pupil': no pupil is known by this id", "R109")
            return
        column = one.row.GUARDIAN
        if one.guardian is not None and not self._introduces and not found.one(one.guardian, Person.GUARDIAN):
            problems.add(one.at, f"'{column}': no guardian is known by this key; import guardians first", "R18")
        if one.bsn is not None:
            owner = found.persons[one.bsn][0] if one.bsn in found.persons else before.bsns.setdefault(one.bsn, pupil)
            if owner != pupil:
                problems.add(one.at, "'bsn' is another pupil's", "R39")
        if REPLACES.issuperset(self._kinds):
            if pupil in before.pupils:
                problems.add(one.at, "this pupil stands in the file before", "form")
            before.pupils.add(pupil)


@dataclass(slots=True)
class _Plan:
    """What is to be entered and ended, counted over all chunks."""

    entered: list[Entered] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    rows: int = 0
    new: int = 0
    ended: int = 0
    known: int = 0

    def row(self, pupil: bytes, facts: Sequence[AnyFact], known: Sequence[tuple[int, AnyFact]]) -> None:
        self.rows += 1
        for fact in facts:
            if any(_bare(one) == fact for _, one in known):
                self.known += 1
                continue
            before = [number for number, one in known if type(one) is type(fact) and kind_of(fact) in REPLACES]
            self.entered.append(Entered(pupil, fact))
            self.ends += before
            self.new, self.ended = self.new + 1, self.ended + len(before)

    def staged(self) -> None:
        self.entered, self.ends = [], []

    def taken(self) -> Taken:
        return Taken(self.rows, self.new, self.ended, self.known)


def _bare(fact: AnyFact) -> AnyFact:
    """As it was entered: without its number, and without the terms that its campaign lends it."""
    if isinstance(fact, Consent) and fact.campaign is not None:
        return msgspec.structs.replace(fact, number=0, terms=None)
    return msgspec.structs.replace(fact, number=0)
