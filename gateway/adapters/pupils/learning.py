"""What is learned of one location in one transaction: persons, their ids, and where they are.

Ids seen together are one person. Leaves out: who might be two (`doubt`), when it is done (`subjects`, `linking`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import bump, tables
from gateway.adapters.facts.batches import chunks
from gateway.adapters.pupils.ids import BSN, Sighting, scope
from gateway.adapters.pupils.observed import (
    decode_enrolments,
    encode_enrolments,
    encode_groups,
    encode_observation,
    merged,
)
from gateway.adapters.pupils.sealed_groups import SealedGroups
from gateway.adapters.store_keys import StoreKeys
from gateway.adapters.tasks import end_task, open_task
from gateway.core.days import holds, legal_date
from gateway.core.model import Enrolment, Person
from gateway.transfer.trail import instant

CLASH = "ids-of-several"
"""An employee brings the ids of this pupil, or one record those of several: whose that record is nobody knows."""
_CHUNK = 400  # ids searched for in one statement


@dataclass(slots=True)
class Learning:
    """What is learned in one transaction: collected first, written at the end in few statements. `unsure`: who might be
    two, of whom it stays known where they were: whoever is settled would else seem to have left."""

    connection: sa.Connection
    keys: StoreKeys
    source: str
    location: str
    moment: datetime
    random: Callable[[int], bytes]
    unsure: set[bytes] = field(default_factory=set)
    known: dict[bytes, bytes] = field(default_factory=dict)
    persons: dict[bytes, Person] = field(default_factory=dict)
    present: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    changed: set[bytes] = field(default_factory=set)
    new_subjects: list[dict[str, Any]] = field(default_factory=list)
    new_ids: list[dict[str, Any]] = field(default_factory=list)
    groups: SealedGroups = field(init=False)

    def __post_init__(self) -> None:
        self.groups = SealedGroups(self.keys, self.source)

    def learn(self, sightings: Sequence[Sighting], *, waits: bool) -> None:
        self.find_known([lookup for seen in sightings for lookup in seen.lookups if lookup not in self.known])
        clashing = set[bytes]()
        for seen in sightings:
            subjects = {self.known[lookup] for lookup in seen.lookups if lookup in self.known}
            person = seen.observation.person
            if len(subjects) > 1 or any(self.persons[subject] is not person for subject in subjects):
                # not merged, and nobody's until a person has looked (R109); whose each id was stays
                clashing |= subjects
            elif not subjects and waits and person is Person.PUPIL:
                self._wait(seen)
            else:
                self.take(next(iter(subjects), None) or self.new_subject(person), seen)
        if waits:
            self._end_waiting()
        self._tell_clashes(clashing)

    def _tell_clashes(self, clashing: Collection[bytes]) -> None:
        """A task about each whose ids another brings, as long as the LVS says so."""
        table, place = tables.task, f",{self.source},{self.location}"
        mine = sa.and_(table.c.kind == CLASH, table.c.done.is_(None))
        known = set(self.connection.execute(sa.select(table.c.about).where(mine)).scalars())
        told = {f"{who.hex()}{place}" for who in clashing}
        for about in sorted(told - known):
            open_task(self.connection, CLASH, [about], self.moment)
        for about in sorted(one for one in known - told if one.endswith(place)):
            end_task(self.connection, CLASH, [about], self.moment)

    def find_known(self, lookups: Sequence[bytes]) -> None:
        ids, subject = tables.subject_id, tables.subject
        for at in range(0, len(lookups), _CHUNK):
            wanted = ids.c.lookup.in_(lookups[at : at + _CHUNK])
            found = sa.select(ids.c.lookup, subject.c.id, subject.c.person).join(subject).where(wanted)
            for row in self.connection.execute(found):
                self.known[row.lookup] = row.id
                self.persons[row.id] = Person(row.person)

    def new_subject(self, person: Person) -> bytes:
        internal = self.random(16)
        sealed = self.keys.seal(self.random(32), internal)
        self.new_subjects.append({"id": internal, "person": person.value, "reference_key": sealed})
        self.persons[internal] = person
        self.changed.add(internal)
        return internal

    def take(self, subject: bytes, seen: Sighting) -> None:
        """This observation is about `subject`: ids that are new become its own, and it is present here."""
        for lookup, kind in seen.lookups.items():
            if lookup not in self.known:
                self.known[lookup] = subject
                self.changed.add(subject)
                sealed = b"" if kind == BSN else self.keys.seal(seen.observation.ids[kind].encode(), lookup)
                place = {"lookup": lookup, "source": scope(self.source, kind), "kind": kind.partition("@")[0]}
                self.new_ids.append({**place, "value": sealed, "subject": subject})
        presence = encode_enrolments(seen.observation.enrolments), encode_groups(seen.observation.groups)
        # an LVS may know one person by two numbers: both records together are its presence
        before = self.present.get(subject)
        self.present[subject] = merged(before, presence) if before else presence

    def _wait(self, seen: Sighting) -> None:
        table, lookup = tables.pending_link, min(seen.lookups)
        if self.connection.execute(sa.select(table.c.number).where(table.c.lookup == lookup)).first() is None:
            sealed = self.keys.seal(encode_observation(seen.observation), lookup)
            place = {"lookup": lookup, "source": self.source, "location": self.location}
            values = {**place, "observation": sealed, "moment": instant(self.moment)}
            self.connection.execute(sa.insert(table).values(values))

    def _end_waiting(self) -> None:
        """An id that became known in another way (the ECK iD, in another source) waits for nobody."""
        table = tables.pending_link
        waiting = self.connection.execute(sa.select(table.c.lookup).where(table.c.source == self.source)).scalars()
        known = [lookup for lookup in waiting if lookup in self.known]
        self.connection.execute(sa.delete(table).where(table.c.lookup.in_(known)))

    def lacks_most(self, told: Mapping[str, Sequence[Sighting]]) -> bool:
        """Whether of the pupils who are known here today more are missing from the answers, by location, than are in
        them (R109). Who is told to have left, by a last day, or to be at another location is not missing."""
        table, subject = tables.roster, tables.subject
        pupils = sa.select(table.c.subject, table.c.enrolments).join(subject)
        rows = self.connection.execute(pupils.where(self._here(), subject.c.person == Person.PUPIL.value))
        known = [row for row in rows if row.subject not in self.unsure]
        named = self._named(told[self.location]) if known else set()
        if all(row.subject in named for row in known):
            return False
        today = legal_date(self.moment)
        here = {row.subject for row in known if _is_here(decode_enrolments(row.enrolments), today)}
        missing = here - named
        if 2 * len(missing) > len(here):  # elsewhere is looked only then: it is everybody
            missing -= {who for seen in told.values() for who in self._named(seen)}
        return 2 * len(missing) > len(here)

    def _named(self, seen: Iterable[Sighting]) -> set[bytes]:
        """Everybody, also who might be two."""
        lookups = [lookup for one in seen for lookup in one.lookups]
        self.find_known([lookup for lookup in lookups if lookup not in self.known])
        return {self.known[lookup] for lookup in lookups if lookup in self.known}

    def _here(self) -> sa.ColumnElement[bool]:
        return sa.and_(tables.roster.c.source == self.source, tables.roster.c.location == self.location)

    def replace_roster(self, awaited: Container[bytes] = ()) -> set[bytes]:
        """The location as it is now: who is no longer present has left it. Who bears an id that is `awaited` at another
        location stays until that is learned, and is returned: between the two they would be nowhere."""
        table, here = tables.roster, self._here()
        rows = self.connection.execute(sa.select(table).where(here))
        stored = {row.subject: (row.enrolments, row.groups) for row in rows}
        now = {who: (e, self.groups.seal(self.location, g)) for who, (e, g) in self.present.items()}
        moving = self._bearing(stored.keys() - now.keys() - self.unsure, awaited)
        still = self.unsure | moving
        moved = [who for who in (stored.keys() | now.keys()) - still if stored.get(who) != now.get(who)]
        self.changed.update(moved)
        self.leave([who for who in sorted(moved) if who in stored])
        self.present = {who: self.present[who] for who in sorted(moved) if who in self.present}
        return moving

    def _bearing(self, people: Collection[bytes], lookups: Container[bytes]) -> set[bytes]:
        ids, found = tables.subject_id, set[bytes]()
        for some in chunks(sorted(people)):
            rows = self.connection.execute(sa.select(ids.c.subject, ids.c.lookup).where(ids.c.subject.in_(some)))
            found |= {row.subject for row in rows if row.lookup in lookups}
        return found

    def leave(self, people: Collection[bytes]) -> None:
        """They have left this location."""
        table, gone = tables.roster, [{"who": who} for who in people]
        if gone:
            theirs = table.c.subject == sa.bindparam("who")
            self.connection.execute(sa.delete(table).where(self._here(), theirs), gone)
            self.changed.update(people)

    def merge_roster(self, subject: bytes) -> None:
        """For one person: what was seen now comes beside what is known of this location."""
        table = tables.roster
        here = sa.and_(self._here(), table.c.subject == subject)
        row = self.connection.execute(
            sa.delete(table).where(here).returning(table.c.enrolments, table.c.groups)
        ).first()
        if row is not None:
            known = row.enrolments, self.groups.open(self.location, row.groups)
            self.present[subject] = merged(known, self.present[subject])
        self.changed.add(subject)

    def finish(self) -> None:
        """Write what was collected; the counter moves when anything changed."""
        if not self.changed:
            return
        facts = bump(self.connection, "facts")
        self._insert(tables.subject, [{**values, "changed": facts} for values in self.new_subjects])
        self._insert(tables.subject_id, [{**values, "changed": facts} for values in self.new_ids])
        place = {"source": self.source, "location": self.location}
        present = [
            {**place, "subject": who, "enrolments": e, "groups": self.groups.seal(self.location, g)}
            for who, (e, g) in self.present.items()
        ]
        self._insert(tables.roster, present)
        mark_changed(self.connection, self.changed, facts)

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.connection.execute(sa.insert(table), rows)


def _is_here(stays: Iterable[Enrolment], today: date) -> bool:
    return any(holds(one.begin, one.end, today) for one in stays)


def mark_changed(connection: sa.Connection, subjects: Iterable[bytes], facts: int) -> None:
    """Rosters in memory read these again."""
    table = tables.subject
    statement = sa.update(table).where(table.c.id == sa.bindparam("who")).values(changed=facts)
    connection.execute(statement, [{"who": who} for who in sorted(subjects)])
