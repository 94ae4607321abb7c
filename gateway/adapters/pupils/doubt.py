"""Who might be two: records that lead to one person, and have two values of what one person has once (R109).

One of them is not whom the shared id stands for, and nobody can tell which. So all of them are withheld and a task is
open, until the LVS gives each an id of their own, or a person says who is who (`settling`). Who is listed with ended
enrolments only is gone; a new number beside theirs is that of a pupil who was enrolled again.
Leaves out: that nobody finds whom a task is about (`memory`, `stored`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from gateway.adapters.database import Database, bump, tables
from gateway.adapters.facts.batches import chunks
from gateway.adapters.pupils.found import persons_by_id
from gateway.adapters.pupils.ids import Sighting, scope
from gateway.adapters.pupils.learning import mark_changed
from gateway.adapters.pupils.observed import decode_enrolments
from gateway.adapters.pupils.roster import Ids, groups_of_several
from gateway.adapters.tasks import end_task, open_task
from gateway.core.days import legal_date
from gateway.core.model import Enrolment, Person

SHARED = "id-of-several"
MIXED = "several-in-one"
"""This person is known by the numbers of two: only a person at school can tell them apart."""
ONE = "known-as-one"
"""A person looked: all that this one is known by is one person's."""
_WHO = "who"
_ID = "#"  # begins what a task is about where nobody is known yet: the keyed hash of an id
Told = Mapping[str, Sequence[Sighting]]


def in_doubt(connection: sa.Connection) -> frozenset[bytes]:
    """Whom nobody finds for now."""
    return frozenset(filter(None, (known_by(who) for who, _ in _open(connection))))


def known_by(name: str) -> bytes | None:
    """The internal id of whom a task is about."""
    return None if name.startswith(_ID) else bytes.fromhex(name)


def sure(database: Database, source: str, told: Told, moment: datetime, places: Collection[str] | None = None) -> Told:
    """What may be learned of `told`. Opens tasks about the rest, and ends those that the LVS settled. `places`: the
    locations that there are (None: all that were read). Raises DatabaseUnavailable."""
    today, here = legal_date(moment), [seen for sightings in told.values() for seen in sightings]
    with database.read() as connection:  # long, and mostly nothing comes of it: it takes no turn from deliveries
        known, before = _Known(connection, source, told, places), _open(connection)
        current = {known.marks(seen) for seen in here if _there(seen.observation.enrolments, today)}
        doubtful = list(groups_of_several({*current, *known.elsewhere(today)}))
        found = {name: kind for group in doubtful for name, kind in known.named(group)}
        ended = known.ended(before, here) - found.keys()
    _renew(database, source, {who: kind for who, kind in found.items() if (who, source) not in before}, ended, moment)
    left = {*found, *(who for who, at in before if at != source or who not in ended)}
    if not left:
        return told
    marks = {one for group in doubtful for one in group}
    return {
        location: [one for one in sightings if known.marks(one) not in marks and not known.names(one) & left]
        for location, sightings in told.items()
    }


def _renew(database: Database, source: str, found: Mapping[str, str], ended: Collection[str], moment: datetime) -> None:
    if not found and not ended:
        return
    with database.write() as connection:
        for who, kind in found.items():
            open_task(connection, kind, [who, source], moment)
        for who in ended:
            end_task(connection, SHARED, [who, source], moment)
        moved = {one for who in {*found, *ended} if (one := known_by(who)) is not None}
        if moved:
            mark_changed(connection, moved, bump(connection, "facts"))


def doubt(database: Database, source: str, people: Collection[bytes], moment: datetime) -> None:
    """They are known by the ids of two; only a person can say whose is what."""
    with database.read() as connection:
        before = _open(connection)
    new = {who.hex(): MIXED for who in people if (who.hex(), source) not in before}
    _renew(database, source, new, (), moment)


def known_as_one(connection: sa.Connection) -> frozenset[bytes]:
    """Of whom a person said so."""
    task = tables.task
    return frozenset(
        map(bytes.fromhex, connection.execute(sa.select(task.c.about).where(task.c.kind == ONE)).scalars())
    )


def _there(stays: Collection[Enrolment], today: date) -> bool:
    return not stays or any(one.end is None or one.end >= today for one in stays)


def _open(connection: sa.Connection) -> dict[tuple[str, str], str]:
    """(who or which id, source) → kind of the task."""
    table = tables.task
    mine = sa.and_(table.c.kind.in_((SHARED, MIXED)), table.c.done.is_(None))
    rows = connection.execute(sa.select(table.c.about, table.c.kind).where(mine)).all()
    return {(row.about.partition(",")[0], row.about.partition(",")[2]): row.kind for row in rows}


@dataclass(slots=True)
class _Known:
    """What is known of the ids in `told`. `places`: the locations that there are; `whole`: it is of every one that was
    read."""

    connection: sa.Connection = field(repr=False)
    source: str
    told: Told = field(repr=False)
    places: Collection[str] | None = None
    whole: bool = field(init=False)
    _owners: Mapping[bytes, tuple[bytes, Person]] = field(init=False, repr=False)
    _one: frozenset[bytes] = field(init=False, repr=False)
    _changed: Sequence[Sighting] = field(init=False, repr=False)
    _kinds: dict[bytes, set[tuple[str, str]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        lookups = {one for sightings in self.told.values() for seen in sightings for one in seen.lookups}
        self._owners = persons_by_id(self.connection, lookups)
        self._one = known_as_one(self.connection)
        self.whole = not self._others()
        here = (seen for sightings in self.told.values() for seen in sightings)
        self._changed = [seen for seen in here if self._new(seen)]
        self._kinds = kinds_of(self.connection, {who for seen in self._changed for who in self.people(seen)})

    def _others(self) -> set[str]:
        """The locations of which nothing is told now."""
        sync = tables.roster_sync
        read = self.connection.execute(sa.select(sync.c.location).where(sync.c.source == self.source)).scalars()
        return {one for one in read if self.places is None or one in self.places} - self.told.keys()

    def people(self, seen: Sighting) -> set[bytes]:
        """Whom these ids name."""
        found = (self._owners.get(lookup) for lookup in seen.lookups)
        return {one[0] for one in found if one is not None and one[1] is seen.observation.person}

    def names(self, seen: Sighting) -> set[str]:
        return {who.hex() for who in self.people(seen)}

    def marks(self, seen: Sighting) -> Ids:
        """What tells persons apart; an employee's number is no pupil's."""
        ids = ((f"{seen.observation.person}/{kind}", self._value(lookup)) for lookup, kind in seen.lookups.items())
        return frozenset({*ids, *((_WHO, who.hex()) for who in self.people(seen))})

    def _value(self, lookup: bytes) -> str:
        owner, _ = self._owners.get(lookup, (b"", None))
        return owner.hex() if owner in self._one else lookup.hex()

    def _new(self, seen: Sighting) -> set[str]:
        return {kind for lookup, kind in seen.lookups.items() if lookup not in self._owners}

    def _other(self, seen: Sighting, who: bytes) -> set[str]:
        """The kinds of which this brings another value than the person has."""
        has = self._kinds.get(who, ())
        return {kind for kind in self._new(seen) if id_place(self.source, kind) in has}

    def elsewhere(self, today: date) -> Iterator[Ids]:
        """Those who got another value of something, and are at a location of which nothing is told now."""
        others = [
            (seen.observation.person, who, self._other(seen, who))
            for seen in self._changed
            for who in self.people(seen)
        ]
        present = self._present({who for _, who, kinds in others if kinds}, today)
        for person, who, kinds in others:
            if kinds and who in present:
                yield frozenset({(_WHO, who.hex()), *((f"{person}/{kind}", "") for kind in kinds)})

    def _present(self, people: Collection[bytes], today: date) -> set[bytes]:
        table, found = tables.roster, set[bytes]()
        beside = sa.and_(table.c.source == self.source, table.c.location.in_(self._others()))
        for some in chunks(sorted(people)):
            rows = self.connection.execute(sa.select(table).where(beside, table.c.subject.in_(some)))
            found |= {row.subject for row in rows if _there(decode_enrolments(row.enrolments), today)}
        return found

    def named(self, group: Iterable[Ids]) -> Iterator[tuple[str, str]]:
        """Whom a task is to be about, and of which kind; an id where it names nobody yet."""
        marks = frozenset[tuple[str, str]]().union(*group)
        people = {value for kind, value in marks if kind == _WHO}
        owned = Counter((kind, self._owners[one][0].hex()) for kind, one in self._known(marks))
        for who in people:
            yield who, MIXED if any(count > 1 and owner == who for (_, owner), count in owned.items()) else SHARED
        if not people:
            yield _ID + min(value for _, value in marks), SHARED

    def _known(self, marks: Ids) -> Iterator[tuple[str, bytes]]:
        for kind, value in marks:
            if kind != _WHO and bytes.fromhex(value) in self._owners:
                yield kind, bytes.fromhex(value)

    def ended(self, before: Mapping[tuple[str, str], str], here: Sequence[Sighting]) -> set[str]:
        """Which doubts are settled unless they are raised again: of who is now seen as they were known."""
        shared = {who for (who, source), kind in before.items() if source == self.source and kind == SHARED}
        if not self.whole or not shared:
            return set()
        seen = {who for one in here for who in self.names(one)}
        against = {who.hex() for one in self._changed for who in self.people(one) if self._other(one, who)}
        return {who for who in shared if who.startswith(_ID) or who in seen - against}


def id_place(source: str, kind: str) -> tuple[str, str]:
    return scope(source, kind), kind.partition("@")[0]


def kinds_of(connection: sa.Connection, people: Collection[bytes]) -> dict[bytes, set[tuple[str, str]]]:
    """Which ids each of these has, as `id_place`."""
    table, found = tables.subject_id, dict[bytes, set[tuple[str, str]]]()
    for some in chunks(sorted(people)):
        query = sa.select(table.c.subject, table.c.source, table.c.kind).where(table.c.subject.in_(some))
        for row in connection.execute(query):
            found.setdefault(row.subject, set()).add((row.source, row.kind))
    return found
