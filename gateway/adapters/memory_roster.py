"""ports.Roster in memory: every person of one source, read again only where something changed.

Plain ids stand in memory, and nowhere else. Leaves out: where they come from (`adapters.subjects`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.observed import decode_enrolments, decode_groups
from gateway.adapters.store_keys import StoreKeys
from gateway.adapters.subjects import BSN, id_lookup, reference
from gateway.core.model import Enrolment, Person, Subject

_Ids = dict[bytes, list[tuple[str, str]]]
_Presence = dict[bytes, tuple[tuple[Enrolment, ...], frozenset[str]]]


class MemoryRoster:
    """The persons of `source`; fresh when each of `locations` was synchronised less than `stale_after` ago. Used by the
    event loop's thread only."""

    def __init__(
        self,
        database: Database,
        keys: StoreKeys,
        source: str,
        locations: Iterable[str],
        stale_after: timedelta,
    ) -> None:
        self._database = database
        self._keys = keys
        self._source = source
        self._locations = frozenset(locations)
        self._stale_after = stale_after
        self._fresh_until = datetime.min.replace(tzinfo=UTC)
        self._facts = -1
        self._by_id: dict[bytes, Subject] = {}
        self._by_kind: dict[tuple[str, str], Subject] = {}
        self._names: dict[bytes, list[tuple[str, str]]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Subject]:
        return iter(self._by_id.values())

    def find(self, kind: str, value: str) -> Subject | None:
        if kind == BSN:
            value = id_lookup(self._keys, self._source, kind, value).hex()
        return self._by_kind.get((kind, value))

    def digest(self, number: str) -> bytes:
        """How a national number stands in `Subject.numbers`."""
        return id_lookup(self._keys, self._source, BSN, number)

    def by_id(self, internal: bytes) -> Subject | None:
        return self._by_id.get(internal)

    def fresh(self, now: datetime) -> bool:
        """A moment in memory can only be too early: the database is asked when it seems stale."""
        if now < self._fresh_until:
            return True
        rows = self._database.look_up("SELECT location, moment FROM roster_sync WHERE source = ?", (self._source,))
        known = {str(location): datetime.fromisoformat(str(moment)) for location, moment in rows}
        if not known.keys() >= self._locations:
            return False
        self._fresh_until = min((known[name] for name in self._locations), default=now) + self._stale_after
        return now < self._fresh_until

    def follow(self) -> None:
        """Read again whoever changed since the last time: call it when the `facts` counter moved. Raises
        DatabaseUnavailable."""
        version, subject = tables.version, tables.subject
        with self._database.read() as connection:
            current = connection.execute(sa.select(version.c.value).where(version.c.name == "facts")).scalar_one()
            changed = subject.c.changed > self._facts
            rows = connection.execute(sa.select(subject.c.id, subject.c.person, subject.c.reference_key).where(changed))
            persons = rows.all()
            (names, here), presence = self._read_ids(connection), self._read_presence(connection)
        for row in persons:
            self._forget(row.id)
            # who is known here by a national id only, and was never seen here, belongs to another source
            if row.reference_key is not None and (row.id in here or row.id in presence):
                enrolments, groups = presence.get(row.id, ((), frozenset()))
                known = reference(self._keys, row.id, row.reference_key)
                named = names.get(row.id, [])
                ids = {kind: value for kind, value in named if kind != BSN}
                numbers = frozenset(bytes.fromhex(value) for kind, value in named if kind == BSN)
                self._keep(Subject(row.id, Person(row.person), known, ids, enrolments, groups, numbers), named)
        self._facts = current

    def _read_ids(self, connection: sa.Connection) -> tuple[_Ids, set[bytes]]:
        """Of everyone who changed, oldest first: of two ids of one kind the newest stands in `Subject.ids`, and both
        are found. For a BSN stands its keyed hash. And who has an id of this source."""
        ids, subject = tables.subject_id, tables.subject
        statement = (
            sa.select(ids.c.lookup, ids.c.source, ids.c.kind, ids.c.value, ids.c.subject)
            .join(subject)
            .where(subject.c.changed > self._facts, ids.c.source.in_(("", self._source)))
            .order_by(ids.c.changed, ids.c.lookup)
        )
        found: _Ids = defaultdict(list)
        here: set[bytes] = set()
        for row in connection.execute(statement):
            value = row.lookup.hex() if row.kind == BSN else self._keys.open(row.value, row.lookup).decode()
            found[row.subject].append((row.kind, value))
            if row.source == self._source:
                here.add(row.subject)
        return found, here

    def _read_presence(self, connection: sa.Connection) -> _Presence:
        roster, subject = tables.roster, tables.subject
        statement = (
            sa.select(roster.c.subject, roster.c.enrolments, roster.c.groups)
            .join(subject)
            .where(subject.c.changed > self._facts, roster.c.source == self._source)
        )
        found: _Presence = {}
        for row in connection.execute(statement):
            enrolments, groups = found.get(row.subject, ((), frozenset()))
            both = (*enrolments, *decode_enrolments(row.enrolments))
            found[row.subject] = both, groups | decode_groups(row.groups)
        return found

    def _forget(self, internal: bytes) -> None:
        self._by_id.pop(internal, None)
        for name in self._names.pop(internal, ()):
            known = self._by_kind.get(name)
            if known is not None and known.id == internal:
                del self._by_kind[name]

    def _keep(self, subject: Subject, ids: list[tuple[str, str]]) -> None:
        self._by_id[subject.id] = subject
        self._names[subject.id] = ids
        for name in ids:
            self._by_kind[name] = subject
