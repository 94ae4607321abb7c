"""ports.Roster in memory: every person of one source, read again only where something changed.

Plain ids stand in memory, and nowhere else. Leaves out: where they come from (`adapters.pupils.subjects`).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.pupils.doubt import in_doubt
from gateway.adapters.pupils.ids import BSN, id_lookup, reference
from gateway.adapters.pupils.observed import decode_enrolments, decode_groups
from gateway.adapters.pupils.sealed_groups import SealedGroups
from gateway.adapters.pupils.vanished import doubted
from gateway.adapters.store_keys import StoreKeys
from gateway.core.days import holds
from gateway.core.model import Enrolment, Person, Subject

_TOGETHER = 2_000  # persons read in one go

_PUPILS = (
    "SELECT roster.location, enrolments FROM roster JOIN subject ON subject.id = roster.subject "
    "WHERE roster.source = ? AND subject.person = ?"
)
_NEVER = datetime.min.replace(tzinfo=UTC)
_Ids = dict[bytes, list[tuple[str, str]]]
_Presence = dict[bytes, tuple[tuple[Enrolment, ...], frozenset[str]]]


class MemoryRoster:
    """The persons of `source`, as they are at `locations`; fresh when each of these was synchronised less than
    `stale_after` ago. Used by the event loop's thread only."""

    def __init__(
        self,
        database: Database,
        keys: StoreKeys,
        source: str,
        locations: Iterable[str],
        stale_after: timedelta,
        births: str | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._source = source
        self._locations = frozenset(locations)
        self._stale_after = stale_after
        self._births = births
        self._fresh_until: dict[str, datetime] = {}
        self._facts = -1
        self.doubted: frozenset[str] = frozenset()
        self._unsure: frozenset[bytes] = frozenset()
        self._by_id: dict[bytes, Subject] = {}
        self._by_kind: dict[str, dict[str, Subject]] = {}
        self._others: dict[bytes, list[tuple[str, str]]] = {}  # by which one is found beside `Subject.ids`
        self._groups_of = SealedGroups(keys, source)
        self._by_group: dict[str, set[bytes]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Subject]:
        return iter(self._by_id.values())

    def find(self, kind: str, value: str) -> Subject | None:
        if kind == BSN:
            value = id_lookup(self._keys, self._source, kind, value).hex()
        known = self._by_kind.get(kind)
        return known.get(value) if known is not None else None

    def peopled(self, locations: frozenset[str] | None, today: date) -> bool:
        """Raises DatabaseUnavailable."""
        rows = self._database.look_up(_PUPILS, (self._source, Person.PUPIL.value))
        return any(
            holds(one.begin, one.end, today)
            for location, text in rows
            if location in (self._locations if locations is None else locations)
            for one in decode_enrolments(text)
        )

    def digest(self, number: str) -> bytes:
        """How a national number stands in `Subject.numbers`."""
        return id_lookup(self._keys, self._source, BSN, number)

    def by_id(self, internal: bytes) -> Subject | None:
        return self._by_id.get(internal)

    def unsure(self, internal: bytes) -> bool:
        return internal in self._unsure

    def members(self, group: str) -> Iterator[Subject]:
        return (self._by_id[internal] for internal in self._by_group.get(group, ()))

    def fresh(self, now: datetime, *, births: bool = False) -> bool:
        """A moment in memory can only be too early: the database is asked when it seems stale."""
        parts = (self._source, self._births) if births and self._births else (self._source,)
        return all(now < self._fresh_until.get(part, _NEVER) or self._read_again(part, now) for part in parts)

    def _read_again(self, part: str, now: datetime) -> bool:
        rows = self._database.look_up("SELECT location, moment FROM roster_sync WHERE source = ?", (part,))
        known = {str(location): datetime.fromisoformat(str(moment)) for location, moment in rows}
        if not known.keys() >= self._locations:
            return False
        until = min((known[name] for name in self._locations), default=now) + self._stale_after
        self._fresh_until[part] = until
        return now < until

    def follow(self) -> None:
        """Read again whoever changed since the last time: call it when the `facts` counter moved. Raises
        DatabaseUnavailable."""
        version, subject = tables.version, tables.subject
        with self._database.read() as connection:
            current = connection.execute(sa.select(version.c.value).where(version.c.name == "facts")).scalar_one()
            self._unsure = in_doubt(connection)
            moved = subject.c.changed > self._facts
            changed = sorted(connection.execute(sa.select(subject.c.id).where(moved)).scalars())
            if 0 < len(changed) <= _TOGETHER:
                self._read(connection, moved)
            else:  # in parts, so that reading everybody takes no more memory than everybody
                for at in range(0, len(changed), _TOGETHER):
                    some = changed[at : at + _TOGETHER]
                    self._read(connection, subject.c.id.between(some[0], some[-1]))
        self._facts = current
        self.doubted = doubted(self._database, self._source)

    def _read(self, connection: sa.Connection, some: sa.ColumnElement[bool]) -> None:
        subject = tables.subject
        (names, here), presence = self._read_ids(connection, some), self._read_presence(connection, some)
        for row in connection.execute(sa.select(subject.c.id, subject.c.person, subject.c.reference_key).where(some)):
            self._forget(row.id)
            # who is known here by a national id only, and was never seen here, belongs to another source
            if row.reference_key is not None and not self.unsure(row.id) and (row.id in here or row.id in presence):
                enrolments, groups = presence.get(row.id, ((), frozenset()))
                known = reference(self._keys, row.id, row.reference_key)
                named = names.get(row.id, [])
                ids = {kind: value for kind, value in named if kind != BSN}
                numbers = frozenset(bytes.fromhex(value) for kind, value in named if kind == BSN)
                self._keep(Subject(row.id, Person(row.person), known, ids, enrolments, groups, numbers), named)

    def _read_ids(self, connection: sa.Connection, some: sa.ColumnElement[bool]) -> tuple[_Ids, set[bytes]]:
        """Oldest first: of two ids of one kind the newest stands in `Subject.ids`, and both are found. For a BSN stands
        its keyed hash. And who has an id of this source."""
        ids, subject = tables.subject_id, tables.subject
        statement = (
            sa.select(ids.c.lookup, ids.c.source, ids.c.kind, ids.c.value, ids.c.subject)
            .join(subject)
            .where(some, ids.c.source.in_(("", self._source)))
            .order_by(ids.c.changed, ids.c.lookup)
        )
        found: _Ids = defaultdict(list)
        here: set[bytes] = set()
        for row in connection.execute(statement):
            value = row.lookup.hex() if row.kind == BSN else self._keys.open(row.value, row.lookup).decode()
            found[row.subject].append((sys.intern(row.kind), value))
            if row.source == self._source:
                here.add(row.subject)
        return found, here

    def _read_presence(self, connection: sa.Connection, some: sa.ColumnElement[bool]) -> _Presence:
        roster, subject = tables.roster, tables.subject
        statement = (
            sa.select(roster.c.subject, roster.c.location, roster.c.enrolments, roster.c.groups)
            .join(subject)
            .where(some, roster.c.source == self._source, roster.c.location.in_(self._locations))
        )
        found: _Presence = {}
        for row in connection.execute(statement):
            groups = decode_groups(self._groups_of.open(row.location, row.groups))
            here, before = (decode_enrolments(row.enrolments), groups), found.get(row.subject)
            found[row.subject] = here if before is None else ((*before[0], *here[0]), before[1] | here[1])
        return found

    def _forget(self, internal: bytes) -> None:
        before = self._by_id.pop(internal, None)
        if before is None:
            return
        for group in before.groups:
            self._by_group[group].discard(internal)
        for kind, value in (*before.ids.items(), *self._others.pop(internal, ())):
            known = self._by_kind[kind].get(value)
            if known is not None and known.id == internal:
                del self._by_kind[kind][value]

    def _keep(self, subject: Subject, named: list[tuple[str, str]]) -> None:
        self._by_id[subject.id] = subject
        for group in subject.groups:
            self._by_group[group].add(subject.id)
        others = [(kind, value) for kind, value in named if subject.ids.get(kind) != value]
        if others:
            self._others[subject.id] = others
        for kind, value in named:
            self._by_kind.setdefault(kind, {})[value] = subject
