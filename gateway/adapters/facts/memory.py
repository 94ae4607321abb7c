"""ports.FactBook in memory: per person the encoded facts, decoded when asked; read when first asked for.

A person is read when a delivery asks, and again when something about them changed, so that neither a start nor an
import of a hundred thousand pupils stops a worker. What is read may be newer than the snapshot it is used under; then
the versions differ when the register commits, and everybody is screened again (house rule 4).
`PastFacts` is the same as it was known at a moment. Leaves out: how facts are stored (`store`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.facts.batches import campaign_rows
from gateway.adapters.facts.codec import NONE, body_of, campaigns_of, facts_of, joined
from gateway.adapters.facts.declarations import declarations, declared_within
from gateway.adapters.facts.store import known
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import NOTHING_KNOWN, ConsentTerms, Facts, Kind

_MANY = 5_000  # facts; beyond it reading who is concerned takes longer than reading everybody again when asked


class MemoryFacts:
    """Everything known now; used by the event loop's thread only. `most`: persons who are remembered."""

    def __init__(self, database: Database, keys: StoreKeys, most: int = 10_000_000) -> None:
        self._database = database
        self._keys = keys
        self._most = most
        self._version = -1
        self._people: dict[bytes, bytes] = {}
        self._campaigns: Mapping[int, ConsentTerms] = {}
        self._declared: frozenset[tuple[Kind, str]] = frozenset()

    def __repr__(self) -> str:
        return "<MemoryFacts …>"

    def about(self, internal: bytes) -> Facts:
        """See the port. Raises DatabaseUnavailable."""
        whole = self._people.get(internal)
        if whole is None:
            if len(self._people) >= self._most:
                self._people.clear()
            whole = self._people[internal] = self._read(internal)
        return NOTHING_KNOWN if whole is NONE else facts_of(whole, self._campaigns)

    def declared(self, kind: Kind, location: str) -> bool:
        return (kind, location) in self._declared

    def _read(self, internal: bytes) -> bytes:
        rows = self._database.look_up(_KNOWN, (internal,))
        return joined([body_of(self._keys, internal, kind, body, sealed) for kind, body, sealed in rows])

    def follow(self) -> None:
        """Forget whoever changed since the last time: call it when the `facts` counter moved. Raises
        DatabaseUnavailable."""
        version, batch = tables.version, tables.batch
        with self._database.read() as connection:
            current = connection.execute(sa.select(version.c.value).where(version.c.name == "facts")).scalar_one()
            new = sa.select(batch.c.size).where(batch.c.version > self._version)
            started = self._version >= 0
            sizes = list(connection.execute(new).scalars()) if started else []
            if sum(sizes) > _MANY:
                self._people = {}
            elif started:
                self._forget(connection)
            if not started or 0 in sizes:  # no facts: a campaign or a declaration
                self._campaigns = campaigns_of(campaign_rows(connection))
                self._declared = frozenset((one.kind, one.location) for one in declared_within(connection))
        self._version = current

    def _forget(self, connection: sa.Connection) -> None:
        for (internal,) in connection.exec_driver_sql(_CHANGED, (self._version,) * 3):
            self._people.pop(internal, None)


class PastFacts:
    """ports.FactBook as it was known at `moment`, read from the database each time."""

    def __init__(self, database: Database, keys: StoreKeys, moment: datetime) -> None:
        self._database = database
        self._keys = keys
        self._moment = moment
        self._declared = frozenset((one.kind, one.location) for one in declarations(database, moment))

    def about(self, internal: bytes) -> Facts:
        return known(self._database, self._keys, internal, self._moment)

    def declared(self, kind: Kind, location: str) -> bool:
        return (kind, location) in self._declared


# As `batches.known_facts`, for one person: raw, because it is on the path of an answer.
_KNOWN = (
    "SELECT fact.kind, fact.body, fact.sealed FROM fact JOIN batch ON batch.number = fact.batch "
    "WHERE fact.subject = ? AND batch.version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM fact_end "
    "JOIN batch AS ending ON ending.number = fact_end.batch "
    "WHERE fact_end.fact = fact.number AND ending.version IS NOT NULL) ORDER BY fact.number"
)
# Whoever a batch is about; and whoever the roster changed, among them who was forgotten and left no fact to find.
# (Sub-selects, so that no plan walks through all ends that there ever were.)
_CHANGED = (
    "SELECT subject FROM fact WHERE batch IN (SELECT number FROM batch WHERE version > ?) UNION "
    "SELECT subject FROM fact WHERE number IN (SELECT fact FROM fact_end WHERE batch IN "
    "(SELECT number FROM batch WHERE version > ?)) UNION SELECT id FROM subject WHERE changed > ?"
)
