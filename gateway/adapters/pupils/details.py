"""Pupils' birth dates from the source, as facts; and their BSN as keyed hash, where the source sends it (D7).

A day that differs ends the fact before and enters the new one, by the actor `lvs-sync`; a day that the LVS does not
tell changes nothing. Who is a pupil the roster says: a record of nobody, or of several, is counted and left. A location
that did not answer whole keeps what it had and grows old (`FACTS_STALE`).
Leaves out: what is asked (`students`, `somtoday`, `uwlr`), when it runs (`bootstrap.office`), how old is too old
(`memory`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from gateway.adapters.database import Database
from gateway.adapters.facts.batches import chunks
from gateway.adapters.facts.row_forms import BSN, is_bsn
from gateway.adapters.facts.store import Entered, NotKnown, UnknownSubject, enter
from gateway.adapters.pupils.doubt import doubt, id_place, in_doubt, kinds_of, known_as_one
from gateway.adapters.pupils.found import known_of, persons_by_id
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.introductions import add_bsns, disown_bsns, others_now
from gateway.adapters.pupils.roster import Detail, Details, Failure, Outcome, RosterSource, legal_day, of_several, whole
from gateway.adapters.pupils.subjects import synchronised_now
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import Birth, Kind
from gateway.core.model import Person

ACTOR = "lvs-sync"
_TOGETHER = 500  # facts entered by one act


def part(source: str) -> str:
    """How `roster_sync` names what is read here: no source is called so."""
    return f"{source}/pupils"


@dataclass(slots=True)
class _Told:
    """What the LVS tells of one pupil; more than one day or number is none."""

    births: set[date] = field(default_factory=set)
    bsns: set[str] = field(default_factory=set)


_Moved = tuple[bytes, date, list[int]]  # a pupil, the day, the facts that told another


@dataclass(slots=True)
class _Sure:
    """Of one location, by pupil; how many records say nothing that can be used; whose day was not known so."""

    told: dict[bytes, _Told]
    unclear: int
    moved: Collection[bytes] = ()


class _Whose:
    """Who has these ids."""

    def __init__(self, connection: sa.Connection, source: str, lookups: Collection[bytes]) -> None:
        self._source = source
        self._known = persons_by_id(connection, lookups)
        self._has = kinds_of(connection, {who for who, _ in self._known.values()})
        self._doubtful = in_doubt(connection)

    def one(self, ids: Mapping[bytes, str]) -> tuple[bytes, Person] | None:
        """Nobody who is in doubt, and nobody who has another value of one of these: by the rest it is somebody else."""
        found = {self._known[one] for one in ids if one in self._known}
        if len(found) != 1:
            return None
        (person,) = found
        new = {id_place(self._source, kind) for one, kind in ids.items() if one not in self._known}
        return None if person[0] in self._doubtful or new & self._has[person[0]] else person


class PupilSync:
    """Reads the pupils of every location of a source."""

    def __init__(
        self,
        database: Database,
        keys: StoreKeys,
        sources: Iterable[tuple[RosterSource, Details]],
        new_id: Callable[[datetime], str],
    ) -> None:
        self._database = database
        self._keys = keys
        self._sources = {source.name: (source, telling) for source, telling in sources}
        self._new_id = new_id

    async def run_source(self, name: str, now: datetime) -> tuple[Outcome, ...]:
        """One round over the locations of this source; of one that tells no pupils nothing. Raises
        DatabaseUnavailable."""
        if name not in self._sources:
            return ()
        source, telling = self._sources[name]
        read = {one.name: await whole(telling.details(source, one, legal_day(now))) for one in source.locations}
        found = {at: one if isinstance(one, str) else self._sorted(name, one) for at, one in read.items()}
        sure = [one for one in found.values() if not isinstance(one, str)]
        for one in sure:
            self._doubt(name, one, now)
        self._add_bsns(name, [one.told for one in sure])
        return tuple([self._outcome(name, at, one, now) for at, one in found.items()])

    def _doubt(self, source: str, sure: _Sure, now: datetime) -> None:
        """Who was born on another day and has another national id is another pupil, to whom the LVS gave a number that
        it had used before: what was recorded under it is not theirs."""
        with self._database.read() as connection:
            moved = self._moved(connection, sure.told)
            born = {pupil for pupil, _, before in moved if before}
            bsns = {pupil: id_lookup(self._keys, source, BSN, one) for pupil in born for one in sure.told[pupil].bsns}
            others = others_now(connection, born, bsns) - known_as_one(connection)
        doubt(self._database, source, others, now)
        sure.told = {pupil: one for pupil, one in sure.told.items() if pupil not in others}
        sure.moved = {pupil for pupil, *_ in moved} - others
        sure.unclear += len(others)

    def _outcome(self, source: str, location: str, read: _Sure | Failure, now: datetime) -> Outcome:
        if isinstance(read, str):
            return Outcome(part(source), location, failure=read)
        try:
            self._enter(source, {pupil: read.told[pupil] for pupil in read.moved}, now)
        except (NotKnown, UnknownSubject):  # a person forgot a pupil, or ended a fact, meanwhile: the next round tells
            return Outcome(part(source), location, failure="unusable")
        synchronised_now(self._database, part(source), location, now)
        return Outcome(part(source), location, len(read.told), read.unclear)

    def _sorted(self, source: str, details: Iterable[Detail]) -> _Sure:
        """By pupil, as the roster knows them; how many records say nothing that can be used."""
        lookups = [(one, {id_lookup(self._keys, source, *known): known[0] for known in one.ids}) for one in details]
        with self._database.read() as connection:
            whose = _Whose(connection, source, {one for _, theirs in lookups for one in theirs})
        told, unclear, several = defaultdict[bytes, _Told](_Told), 0, of_several(one.ids for one, _ in lookups)
        for detail, theirs in lookups:
            found, birth = whose.one(theirs), _day(detail.birth)
            if found is None or (detail.birth and birth is None) or detail.ids in several:
                unclear += 1
                continue
            pupil, person = found
            if person is Person.PUPIL:
                told[pupil].births |= {birth} if birth else set()
                told[pupil].bsns |= {detail.bsn} if detail.bsn and is_bsn(detail.bsn) else set()
        return _Sure(told, unclear + sum(len(one.births) > 1 for one in told.values()))

    def _enter(self, source: str, told: Mapping[bytes, _Told], now: datetime) -> None:
        with self._database.read() as connection:
            moved = self._moved(connection, told)  # again: another location may have told the same
        for some in chunks(moved, _TOGETHER):
            act = Act(self._new_id(now), ACTOR, f"what {source} says", now)
            ends = [number for _, _, before in some for number in before]
            enter(self._database, self._keys, act, [Entered(pupil, Birth(day=day)) for pupil, day, _ in some], ends)

    def _moved(self, connection: sa.Connection, told: Mapping[bytes, _Told]) -> list[_Moved]:
        born = {pupil: min(one.births) for pupil, one in told.items() if len(one.births) == 1}
        known = known_of(connection, self._keys, born, (Kind.BIRTH,))
        return [
            (pupil, day, [number for number, _ in known.get(pupil, ())])
            for pupil, day in born.items()
            if not _same(known.get(pupil, ()), day)
        ]

    def _add_bsns(self, source: str, told: Iterable[Mapping[bytes, _Told]]) -> None:
        """A number of two, wherever they are, is nobody's."""
        owners = defaultdict[bytes, set[bytes]](set)
        for pupil, one in ((pupil, one) for here in told for pupil, one in here.items() if len(one.bsns) == 1):
            owners[id_lookup(self._keys, source, BSN, min(one.bsns))].add(pupil)
        sole = {lookup: min(pupils) if len(pupils) == 1 else None for lookup, pupils in owners.items()}
        disown_bsns(self._database, sole)
        add_bsns(self._database, {lookup: pupil for lookup, pupil in sole.items() if pupil is not None})


def _same(known: Collection[tuple[int, object]], day: date) -> bool:
    return any(isinstance(fact, Birth) and fact.day == day for _, fact in known)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
