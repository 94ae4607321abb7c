"""A school in memory: ports.World with register, upstream, ledger and clock beside it, and the door of `transfer`.

school = a_school()                          # the shipped schemas and templates, pupils 1-6 in year 1 at noord
school.upstream.holds["/students/school"] = [student_json(school.pupils[1])]
answer = await school.ask("/lvs/students/school?orgId=01AB00&orgIdType=V_ID")
school.register.drafts, school.upstream.calls, school.journal      # what happened, and in which order

Changes move the version numbers as the database does: `school.enrol(…)`, `school.takes_over(…)`, `school.rotate()`.
`school.register.before` runs once before an append: what the world does between the verdict and the commit.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import orjson

from gateway.adapters.policy.files import load_recipient
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import AnyFact, gathered
from gateway.core.model import Caller, KeyVersion, Person, Subject, Versions
from gateway.core.policy.rules import RecipientState, compile_standings
from gateway.core.policy.terms import Location, Organisation, Recipient, SchoolPolicy
from gateway.core.register import Draft, Issue
from gateway.core.release import pseudonym
from gateway.transfer.compiled import Compiled, compile_policy
from gateway.transfer.drift import Drift
from gateway.transfer.ledger import Outcome, Plan, Planned, State, Statement
from gateway.transfer.ports import Receipt, Snapshot
from gateway.transfer.released import Answer
from gateway.transfer.request import OIN, Request
from gateway.transfer.steps import Outside, Sizes
from gateway.transfer.transfers import Transfers
from tests.builders_formats import KEY, Keys, pupil, student_json
from tests.policy.shipped import answered, schemas
from tests.simulators.endpoints import SimulatedEndpoints
from tests.simulators.facts import SimulatedFacts
from tests.simulators.register import SimulatedRegister
from tests.simulators.upstream import SimulatedUpstream
from tests.simulators.views import SimulatedShelves

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
POLICY = SchoolPolicy("1.0", date(2024, 10, 1), date(2024, 9, 17))
ORGANISATION = Organisation(
    frozenset({"104A158"}),
    {
        "noord": Location(
            "noord",
            "Noord",
            frozenset(
                {
                    ("V_ID", "01AB00"),
                    ("DD_ID", "DD100401"),
                    (OIN, "0000000700001AB00000"),
                    (OIN, "0000000700001AB00530"),
                }
            ),
        ),
        "zuid": Location(
            "zuid", "Zuid", frozenset({("V_ID", "01AB01"), (OIN, "0000000700001AB01000"), ("DD_ID", "DD100402")})
        ),
    },
)
NORTH = "orgId=01AB00&orgIdType=V_ID"
SCHOOL = {"organisationIds": [{"organisationId": "DD100401", "organisationIdType": "DD_ID"}]}
PURPOSES = {
    "uitgever-noord": "toegang-leermiddel",
    "uitgever-zuid": "toegang-leermiddel",
    "toetsaanbieder": "toetsafname",
}
STORE = StoreKeys(KEY)
SIZES = Sizes(16_000_000, 4_000_000, 32)


class WatchedRegister(SimulatedRegister):
    """Writes what it appends into the journal. `before` is called once, with the draft that is about to be appended."""

    def __init__(self, journal: list[str]) -> None:
        super().__init__()
        self.before: Callable[[Draft], None] | None = None
        self.tried: list[Draft] = []
        self._journal = journal

    async def append(self, draft: Draft) -> Receipt:
        before, self.before = self.before, None
        if before is not None:
            before(draft)
        self.tried.append(draft)
        receipt = await super().append(draft)
        self._journal.append(f"register {draft.kind} {draft.outcome}")
        return receipt


@dataclass(slots=True)
class SimulatedRoster:
    """ports.Roster: whoever was put into it, fresh until told otherwise."""

    people: dict[bytes, Subject] = field(default_factory=dict)
    stale: bool = False
    births_stale: bool = False
    doubted: frozenset[str] = frozenset()
    doubtful: set[bytes] = field(default_factory=set)

    def digest(self, number: str) -> bytes:
        return hashlib.sha256(number.encode()).digest()

    def find(self, kind: str, value: str) -> Subject | None:
        digest = self.digest(value) if kind == "bsn" else None
        return next((one for one in self._sure() if one.ids.get(kind) == value or digest in one.numbers), None)

    def _sure(self) -> Iterator[Subject]:
        return (one for one in self.people.values() if one.id not in self.doubtful)

    def by_id(self, internal: bytes) -> Subject | None:
        return None if internal in self.doubtful else self.people.get(internal)

    def unsure(self, internal: bytes) -> bool:
        return internal in self.doubtful

    def peopled(self, locations: frozenset[str] | None, today: date) -> bool:
        stays = [stay for one in self.people.values() if one.person is Person.PUPIL for stay in one.enrolments]
        return any((locations is None or one.location in locations) and one.end is None for one in stays)

    def members(self, group: str) -> list[Subject]:
        return [one for one in self._sure() if group in one.groups]

    def fresh(self, now: datetime, *, births: bool = False) -> bool:
        return not (self.stale or (births and self.births_stale))


class SimulatedWorld:
    """ports.World: the versions are the register's, as both stand in one database."""

    def __init__(self, register: SimulatedRegister, compiled: Compiled, roster: SimulatedRoster) -> None:
        self.policy = POLICY
        self.organisation = ORGANISATION
        self.url = "https://gateway.example"
        self.compiled = compiled
        self.roster = roster
        self.facts = SimulatedFacts()
        self.keys = Keys()
        self.resolving = {1}
        self._register = register

    def refresh(self) -> None:
        """Nothing to read: `now` is always what the register would compare with."""

    def now(self) -> Snapshot:
        return Snapshot(self._register.versions, self.compiled, self.keys, {"lvs": self.roster}, self.facts)

    def issued(self, domain: str, pseudonym: str, thing: str) -> Issue | None:
        found = self._register.issued.get((domain, thing, pseudonym))
        return found if found is not None and found.key_version in self.resolving else None

    def sealed(self, context: str, value: bytes) -> bytes:
        return STORE.seal(value, context.encode())

    def unsealed(self, context: str, sealed: bytes) -> bytes | None:
        try:
            return STORE.open(sealed, context.encode())
        except ValueError:
            return None

    def anchor(self, context: str, offset: int) -> bytes | None:
        return self._register.anchors.get((context, offset))

    def digest(self, sent: bytes) -> str:
        return hashlib.blake2b(sent, key=KEY, digest_size=32).hexdigest()


@dataclass(slots=True)
class SimulatedFieldsSeen:
    """drift.FieldsSeen: reported once, at five. `down`: what it raises."""

    down: type[Exception] | None = None
    times: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def note(self, schema: str, record: str, counts: Mapping[str, int]) -> list[str]:
        if self.down is not None:
            raise self.down
        due = []
        for name, times in sorted(counts.items()):
            before = self.times.get((schema, record, name), 0)
            self.times[schema, record, name] = before + times
            if before < 5 <= before + times:
                due.append(name)
        return due


class SimulatedLedger:
    """ledger.Ledger in a dictionary. `down`: what both methods raise."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[str, bytes, State, int | None]] = {}
        self.down: type[Exception] | None = None

    def plan(self, source: str, recipient: str, statements: Sequence[Statement], moment: datetime) -> list[Planned]:
        self._works()
        plans = {one.id: self._plan(source, recipient, one) for one in statements}
        for one in statements:
            planned = plans[one.id]
            if planned.plan is Plan.FORWARD:
                self.rows[source, planned.under or one.id] = (recipient, one.content, State.PENDING, None)
        return [plans[one.id] for one in statements]

    def record(self, source: str, recipient: str, outcomes: Sequence[Outcome], moment: datetime) -> None:
        self._works()
        for one in outcomes:
            key = (source, one.statement.under or one.statement.id)
            if self.rows[key][:2] == (recipient, one.statement.content):
                self.rows[key] = (recipient, one.statement.content, one.state, one.status)

    def _plan(self, source: str, recipient: str, one: Statement) -> Planned:
        row = self.rows.get((source, one.id))
        under = f"{one.id} of {recipient}" if row is not None and row[0] != recipient else None
        row = row if under is None else self.rows.get((source, under))
        if row is None:
            return Planned(Plan.FORWARD, under=under)
        _, content, state, status = row
        if content == one.content and state in (State.ACCEPTED, State.REFUSED):
            return Planned(Plan.RETURN, state, status, under)
        return Planned(Plan.FORWARD, state, under=under)

    def _works(self) -> None:
        if self.down is not None:
            raise self.down


@dataclass(slots=True)
class Clock:
    """The present, when told."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


class School:
    """Everything `transfer` touches, and its door."""

    def __init__(
        self,
        compiled: Compiled,
        pupils: Iterable[Subject],
        sizes: Sizes,
        lvs: Callable[[list[str]], SimulatedUpstream] = SimulatedUpstream,
    ) -> None:
        self.journal: list[str] = []
        self.clock = Clock()
        self.register = WatchedRegister(self.journal)
        self.upstream = lvs(self.journal)
        self.endpoints = SimulatedEndpoints(self.journal)
        self.roster = SimulatedRoster({one.id: one for one in pupils})
        self.world = SimulatedWorld(self.register, compiled, self.roster)
        self.ledger = SimulatedLedger()
        self.seen = SimulatedFieldsSeen()
        self.drift = Drift(self.register, self.seen, self.clock, counting())
        self.outside = Outside(
            self.world,
            self.register,
            self.upstream,
            self.drift,
            self.ledger,
            SimulatedShelves(self.register),
            self.clock,
            counting(),
            self.endpoints,
        )
        self.transfers = Transfers(self.outside, sizes)

    @property
    def pupils(self) -> dict[int, Subject]:
        """By their number."""
        return {int.from_bytes(internal, "big"): one for internal, one in self.roster.people.items()}

    # -- what a caller does ----------------------------------------------------------------------------------

    async def ask(self, target: str, *, recipient: str = "uitgever-noord", body: Any = None, **headers: str) -> Answer:
        """GET, or with a body POST, as this recipient."""
        return await self.transfers.answer(caller(recipient), a_request(target, body=body, **headers))

    async def shown(self, recipient: str = "uitgever-noord") -> dict[int, str]:
        """The pseudonyms of everybody, issued to this recipient by one list that it asked for."""
        self.upstream.holds["/students/school"] = [student_json(one) for one in self.pupils.values()]
        await self.ask(f"/lvs/students/school?{NORTH}", recipient=recipient)
        self.journal.clear()
        self.upstream.calls.clear()
        keys = self.world.keys
        key = keys.domain_key(recipient, keys.current.number)
        return {number: pseudonym.person(key, one.id, one.person) for number, one in self.pupils.items()}

    # -- what happens at the school ----------------------------------------------------------------------------

    def enrol(self, *subjects: Subject) -> None:
        """Put these into the roster in place of whom they are; the facts move."""
        self.roster.people |= {one.id: one for one in subjects}
        self._moved(facts=1)

    def record(self, number: int, *facts: AnyFact) -> None:
        """The school records these about a pupil, in place of what it knew; the facts move."""
        self.world.facts.people[self.pupils[number].id] = gathered(facts)
        self._moved(facts=1)

    def leaves(self, number: int) -> None:
        """The roster no longer has this pupil at any location."""
        self.enrol(replace(self.pupils[number], enrolments=()))

    def takes_over(self, compiled: Compiled) -> None:
        self.world.compiled = compiled
        self._moved(policy=1)

    def suspends(self, name: str) -> None:
        self.takes_over(policy(suspended=frozenset({name})))

    def rotate(self, *, overlap: bool) -> None:
        number = self.world.keys.current.number + 1
        self.world.keys = Keys(KeyVersion(number, self.clock()))
        self.world.resolving = {*self.world.resolving, number} if overlap else {number}
        self._moved(keys=1)

    def _moved(self, policy: int = 0, facts: int = 0, keys: int = 0) -> None:
        versions = self.register.versions
        self.register.versions = Versions(versions.policy + policy, versions.facts + facts, versions.keys + keys)


def a_school(
    *, compiled: Compiled | None = None, pupils: Iterable[Subject] | None = None, sizes: Sizes = SIZES
) -> School:
    """Pupils 1-6 are in year 1 at noord, unless others are given."""
    return School(compiled or policy(), [pupil(n) for n in range(1, 7)] if pupils is None else pupils, sizes)


@cache
def policy(*, suspended: frozenset[str] = frozenset(), texts: tuple[tuple[str, str], ...] = ()) -> Compiled:
    """The shipped templates, answered, all activated; `texts` replaces files by (name, text)."""
    files = {name: answered(name) for name in PURPOSES} | dict(texts)
    states = [_state(loaded(name, text), name in suspended) for name, text in files.items()]
    return compile_policy(
        compile_standings(states, schemas(), ORGANISATION), schemas(), {"lvs": sorted(schemas())}
    )  # fmt: skip


def loaded(name: str, text: str) -> Recipient:
    found = load_recipient(text, f"recipients/{name}.yaml", schemas())
    assert isinstance(found, Recipient), found
    return found


def _state(recipient: Recipient, suspended: bool) -> RecipientState:  # noqa: FBT001 - one caller, above
    return RecipientState(
        active=None if suspended else recipient, active_schemas=schemas(), file=recipient, suspended=suspended
    )


def student_asked(pseudonym: str) -> dict[str, Any]:
    """The body of `POST /students` for this pseudonym."""
    return {"school": SCHOOL, "student": {"userIds": [{"userId": pseudonym, "userIdType": "ASI"}]}}


def caller(recipient: str) -> Caller:
    return Caller(f"client of {recipient}", "recipient", recipient, PURPOSES.get(recipient))


def a_request(target: str, *, method: str | None = None, body: Any = None, **headers: str) -> Request:
    """`headers`: a name's underscores stand for hyphens. A body makes it a POST of JSON."""
    path, _, query = target.partition("?")
    encoded = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
    given = {} if body is None else {b"content-type": b"application/json"}
    given |= {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}

    async def read() -> bytes:
        return encoded

    chosen = method or ("GET" if body is None else "POST")
    return Request(chosen, path.encode(), query.encode(), given, "127.0.0.1", read)


def counting() -> Callable[[int], bytes]:
    """Randomness that differs every time and is the same in every run."""
    numbers = itertools.count(1)
    return lambda size: next(numbers).to_bytes(size, "big")
