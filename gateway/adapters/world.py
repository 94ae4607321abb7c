"""ports.World: the school as the database says it is now. Reads four counters, and again only what moved.

Used by the event loop's thread. A snapshot is made of what was read after its counters, so it is never older than it
says; whether it is still true is compared once more when the register commits (house rule 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.adapters.database import Database
from gateway.adapters.facts.memory import MemoryFacts
from gateway.adapters.keys import KeyMaterial, KeyRing, load_keys
from gateway.adapters.policy.compiler import compile_state
from gateway.adapters.policy.store import read_policy
from gateway.adapters.pupils.details import part
from gateway.adapters.pupils.issued import IssuedPseudonyms
from gateway.adapters.pupils.memory import MemoryRoster
from gateway.adapters.pupils.stored import StoredRoster
from gateway.adapters.register.anchors import find_anchor
from gateway.adapters.store_keys import StoreKeys
from gateway.core.model import Versions
from gateway.core.policy.terms import Organisation, SchoolPolicy
from gateway.core.register import Issue
from gateway.transfer.compiled import Compiled
from gateway.transfer.ports import Snapshot

_FEW, _MANY = 500, 10_000_000  # persons whose facts are remembered


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What gateway.yaml says of the school. `sources`: source → schemas; `births`: those that tell when pupils were
    born; `stale_after` by source; `url`: under which recipients reach this gateway."""

    policy: SchoolPolicy
    organisation: Organisation
    sources: Mapping[str, tuple[str, ...]]
    births: frozenset[str]
    stale_after: Mapping[str, timedelta]
    url: str


class StoredWorld:
    """`read_material` reads the key text again after a rotation. `lean`: for who asks about everybody once."""

    def __init__(
        self,
        database: Database,
        keys: StoreKeys,
        surroundings: Surroundings,
        read_material: Callable[[], KeyMaterial],
        clock: Callable[[], datetime],
        *,
        lean: bool = False,
    ) -> None:
        self.policy = surroundings.policy
        self.organisation = surroundings.organisation
        self.url = surroundings.url
        self._sources = surroundings.sources
        self._births = surroundings.births
        self._database = database
        self._keys = keys
        self._read_material = read_material
        self._clock = clock
        self._issued = IssuedPseudonyms(database, keys)
        kind = StoredRoster if lean else MemoryRoster
        self._rosters = {
            source: kind(database, keys, source, frozenset(self.organisation.locations), limit, self._births_of(source))
            for source, limit in surroundings.stale_after.items()
        }
        self._facts = MemoryFacts(database, keys, _FEW if lean else _MANY)
        self._snapshot: Snapshot | None = None

    def _births_of(self, source: str) -> str | None:
        """Where it says when this source last told the days of birth; None when it tells none."""
        return part(source) if source in self._births else None

    def refresh(self) -> None:
        self._database.versioned()

    def now(self) -> Snapshot:
        versions = self._database.latest().versions
        snapshot = self._snapshot
        if snapshot is None or (snapshot.versions is not versions and snapshot.versions != versions):
            snapshot = self._snapshot = self._follow(versions, snapshot)
        return snapshot

    def issued(self, domain: str, pseudonym: str, thing: str) -> Issue | None:
        ring = (self._snapshot or self.now()).keys
        assert isinstance(ring, KeyRing)
        return self._issued.find(domain, pseudonym, thing, ring.resolving(self._clock()))

    def digest(self, sent: bytes) -> str:
        return self._keys.digest(sent)

    def sealed(self, context: str, value: bytes) -> bytes:
        return self._keys.seal(value, b"anchor\0" + context.encode())

    def unsealed(self, context: str, sealed: bytes) -> bytes | None:
        try:
            return self._keys.open(sealed, b"anchor\0" + context.encode())
        except ValueError:
            return None

    def anchor(self, context: str, offset: int) -> bytes | None:
        return find_anchor(self._database, self._keys, context, offset)

    def _follow(self, versions: Versions, before: Snapshot | None) -> Snapshot:
        moved = before.versions if before else Versions(-1, -1, -1)
        if versions.facts != moved.facts:
            for roster in self._rosters.values():
                roster.follow()
            self._facts.follow()
        return Snapshot(
            versions,
            before.compiled if before and versions.policy == moved.policy else self._compiled(),
            before.keys if before and versions.keys == moved.keys else self._key_ring(),
            self._rosters,
            self._facts,
        )

    def _compiled(self) -> Compiled:
        return compile_state(read_policy(self._database), self.organisation, self._sources)

    def _key_ring(self) -> KeyRing:
        return load_keys(self._database, self._read_material(), self._clock())
