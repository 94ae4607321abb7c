"""What a transfer asks of the outside world, each with its promise and its errors (no I/O here).

Adapters implement these; tests use simulators that keep the same promises. Nothing else crosses the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

import msgspec

from gateway.core.facts import Facts, Kind
from gateway.core.gate.decide import Permit
from gateway.core.model import Enrolment, KeyVersion, Person, Subject, Versions
from gateway.core.policy.terms import Organisation, SchoolPolicy
from gateway.core.register import Draft, Issue
from gateway.transfer.compiled import Compiled


class RegisterUnavailable(Exception):
    """The entry is not durable: nothing may leave (house rule 3)."""


class VersionsChanged(Exception):
    """Policy, facts or keys moved since the verdict: screen again (house rule 4)."""


class UpstreamFailed(Exception):
    """The LVS answered, but not usably; nothing of what it said may be told."""


class UpstreamTooLarge(UpstreamFailed):
    """Its answer is larger than is read at once."""


class NotSent(Exception):
    """The LVS was not reached; certainly nothing was sent."""


class OutcomeUnknown(Exception):
    """The request was (partly) sent and no answer came: it may have been received."""


class UpstreamTimeout(Exception):
    """A read took longer than allowed."""


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Proof that an entry is durable. Only the register's adapter makes one."""

    id: str
    sequence: int


class Register(Protocol):
    """Append-only, chained, durable."""

    async def append(self, draft: Draft) -> Receipt:
        """Commit the entry (with its roll and its issued pseudonyms). Raises VersionsChanged when
        `draft.versions` is not None and differs from the database's; RegisterUnavailable otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class UpstreamCall:
    """A call to a source: path and query already encoded, relative to the source's URL. `action`: of SOAP; then `body`
    is the element for the body of the message, and the adapter puts the school's own header above it."""

    source: str
    method: str
    path: str
    query: str = field(default="", repr=False)
    body: bytes | None = field(default=None, repr=False)
    action: str | None = None


@dataclass(frozen=True, slots=True)
class UpstreamAnswer:
    """Status and whole body (bounded), identity-encoded JSON (XML for a call with an action) only when `status` is
    2xx, or a message of SOAP that is a fault. `total`: how many records the source says its list has
    (X-Total-Count)."""

    status: int
    media_type: str
    body: bytes = field(repr=False)
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to a recipient's endpoint. `endpoint`: its name in gateway.yaml; `query` is encoded; `action`: the
    SOAPAction, of a message in an envelope."""

    endpoint: str
    media: str
    body: bytes = field(repr=False)
    query: str = field(default="", repr=False)
    action: str | None = None


class Endpoints(Protocol):
    """The recipients' systems, as far as the gateway itself sends there."""

    def address(self, endpoint: str) -> str:
        """Where it is, by its name; empty for one that nobody set up."""
        ...

    async def send(self, permit: Permit, receipt: Receipt, message: Message) -> UpstreamAnswer:
        """Once, never repeated by the adapter; `receipt`: it is registered. Whatever the status, the body is bounded
        and identity-encoded. Raises NotSent or OutcomeUnknown truthfully; NotSent too for an endpoint nobody set up."""
        ...


class Upstream(Protocol):
    """The LVS."""

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        """An idempotent read. Raises NotSent, UpstreamTimeout, UpstreamFailed (also for an encoding other
        than identity, or a body beyond the limit)."""
        ...

    async def write(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        """A write, never repeated by the adapter. Raises NotSent or OutcomeUnknown truthfully."""
        ...


@dataclass(frozen=True, slots=True)
class Observation:
    """One person as one complete roster answer of one location shows them: ids seen together (by kind:
    `eck-id`, `las-key`, `nepri`, …), enrolments at that location and group ids of the LVS."""

    person: Person
    ids: Mapping[str, str] = field(repr=False)
    enrolments: tuple[Enrolment, ...] = ()
    groups: frozenset[str] = frozenset()


class RosterBook(Protocol):
    """Where what the sync saw is kept; `adapters.pupils.subjects.Subjects` is the real one."""

    def learn(
        self,
        source: str,
        told: Mapping[str, Sequence[Observation]],
        moment: datetime,
        random: Callable[[int], bytes],
        *,
        believed: Collection[str] = (),
    ) -> Mapping[str, int | None]:
        """Take over *complete* answers, by location, each in one transaction: ids join persons, the location's
        enrolments and groups are replaced, who is not in it has left it, and it counts as fresh from `moment`. A
        location that failed is not in `told`. Whoever bears an id that somebody else bears too is left out, wherever
        (R109); how many, by location. None: nothing of it was taken over, as it lacks most of the pupils who are
        known there, and the location is in doubt until an answer is; not where a person says that they left
        (`believed`)."""
        ...


class Roster(Protocol):
    """Who is a pupil (or employee) of this source; in memory, synchronous."""

    def find(self, kind: str, value: str) -> Subject | None:
        """The subject that bears this id (kind: `eck-id`, `las-key`, `nepri`, …); None when unknown."""
        ...

    def by_id(self, internal: bytes) -> Subject | None: ...

    def unsure(self, internal: bytes) -> bool:
        """Whether this person might be two (R109): nothing finds them, and nothing of theirs has ended."""
        ...

    @property
    def doubted(self) -> frozenset[str]:
        """Locations of which the last answer is not believed: of whoever is there nothing may leave, and no end be
        told."""
        ...

    def peopled(self, locations: frozenset[str] | None, today: date) -> bool:
        """Whether it knows any pupil who is at one of these locations (None: at any)."""
        ...

    def members(self, group: str) -> Iterable[Subject]:
        """Who is in this group of the source (by the source's own id of it)."""
        ...

    def digest(self, number: str) -> bytes:
        """The keyed digest of a national number of nine digits, as it stands in `Subject.numbers` (D7)."""
        ...

    def fresh(self, now: datetime, *, births: bool = False) -> bool:
        """Whether every location was synchronised less than the source's limit ago (default 72 h); with `births` also
        its pupils' days of birth, where the source tells them."""
        ...


class FactBook(Protocol):
    """What the school recorded about persons, as it is known at one facts version; in memory, synchronous."""

    def about(self, internal: bytes) -> Facts:
        """Everything known about this person now; `core.facts.NOTHING_KNOWN` of one nobody wrote about. Raises
        RegisterUnavailable when it cannot be read."""
        ...

    def declared(self, kind: Kind, location: str) -> bool:
        """Whether a named person declared this kind complete for this location (FACTS_NOT_DECLARED)."""
        ...


class PseudonymKeys(Protocol):
    """The pseudonym keys, by version; raw keys stay inside the adapter and `core.release.pseudonym`."""

    @property
    def current(self) -> KeyVersion: ...

    def domain_key(self, domain: str, version: int) -> bytes:
        """32 bytes, HKDF of the version's key for this domain; cached."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a verdict stands on, at one set of versions; `rosters` by source."""

    versions: Versions
    compiled: Compiled
    keys: PseudonymKeys
    rosters: Mapping[str, Roster]
    facts: FactBook


class World(Protocol):
    """The school as it is now. `url`: under which recipients reach this gateway, without a slash at the end."""

    @property
    def policy(self) -> SchoolPolicy: ...

    @property
    def organisation(self) -> Organisation: ...

    @property
    def url(self) -> str: ...

    def refresh(self) -> None:
        """Read the version numbers (microseconds): once at the start of a request, and whenever they turn out to have
        moved. Raises RegisterUnavailable when the database cannot be read: nothing can be decided then."""
        ...

    def now(self) -> Snapshot:
        """The snapshot at the version numbers as they were read last; reloads only what moved. Raises
        RegisterUnavailable."""
        ...

    def issued(self, domain: str, pseudonym: str, thing: str) -> Issue | None:
        """What this pseudonym stands for, when it was issued in this domain under a key version that still
        resolves; else None. The same work either way."""
        ...

    def sealed(self, context: str, value: bytes) -> bytes:
        """`value`, so that nobody reads it and it opens in this context alone."""
        ...

    def unsealed(self, context: str, sealed: bytes) -> bytes | None: ...

    def anchor(self, context: str, offset: int) -> bytes | None:
        """What the register last took with a draft for this place of this walk (`Draft.anchors`), sealed."""
        ...

    def digest(self, sent: bytes) -> str:
        """The keyed digest by which what was sent can be proved later."""
        ...
