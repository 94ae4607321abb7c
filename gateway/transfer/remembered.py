"""What stays true as long as versions and day do: what a call is granted, verdicts, pseudonyms. Forgotten as a whole
when they move.

So a request costs look-ups, and nothing outlives the policy, facts or keys it was made under (house rule 4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from gateway.core.days import legal_date
from gateway.core.gate.decide import PUSH, Call, Permit, Refusal, decide
from gateway.core.gate.declared import findings, undeclared
from gateway.core.gate.question import Audience
from gateway.core.gate.screening import uses_age
from gateway.core.model import Caller, Versions
from gateway.core.policy.grants import groups
from gateway.core.policy.terms import Delivery
from gateway.core.reasons import Reason
from gateway.core.release.sight import Issued, Sight
from gateway.formats.json import JsonMinimiser
from gateway.transfer.ports import Roster, Snapshot, World
from gateway.transfer.request import Stop
from gateway.transfer.resolve import Resolver

_MOST = 10_000  # calls of different callers, routes and locations


@dataclass(frozen=True, slots=True)
class Granted:
    """All that follows from a call that may have an answer: the ticket, whom the delivery sees, whether days of birth
    decide, how named ids lead back, and what leaves of the record (None: it is no part of the delivery)."""

    permit: Permit
    sight: Sight
    roster: Roster
    births: bool
    resolver: Resolver
    minimiser: JsonMinimiser | None


class Remembered:
    """For one process; or for one handing over, on the `permit` of this number."""

    def __init__(self, world: World, permit: int | None = None) -> None:
        self._world = world
        self._permit = permit
        self._issued = Issued()
        self._since: tuple[Versions, date] | None = None
        self._granted: dict[tuple[Caller, Call], Granted] = {}
        self._permits: dict[tuple[Caller, Call], Permit] = {}
        self._sights: dict[tuple[str, str, str, str, frozenset[str]], Sight] = {}

    def granted(self, caller: Caller, call: Call, snapshot: Snapshot, now: datetime) -> Granted:
        """Raises Stop with everything that spoke. On an occasion it is made anew: a permit ends at a moment (D4)."""
        today = legal_date(now)
        self._forget_what_moved(snapshot, today)
        granted = self._granted.get((caller, call))
        if granted is None:
            granted = self._grant(self.permit(caller, call, snapshot, today), snapshot, now)
            if len(self._granted) < _MOST and not granted.sight.delivery.conditions.one_off:
                self._granted[caller, call] = granted
        return granted

    def _grant(self, permit: Permit, snapshot: Snapshot, now: datetime) -> Granted:
        call, compiled = permit.call, snapshot.compiled
        roster = snapshot.rosters.get(call.source)
        if roster is None:
            raise Stop(Reason.FACTS_STALE)
        sight = self.sight(permit, snapshot, now)
        records = compiled.schemas[call.schema].records
        kinds = {group.kind: record for record in records.values() for group in groups(record)}
        resolver = Resolver(self._world, sight, roster, records[call.record], kinds)
        births = uses_age(sight.delivery, sight.audience)
        return Granted(permit, sight, roster, births, resolver, compiled.minimiser(permit, call.record))

    def permit(self, caller: Caller, call: Call, snapshot: Snapshot, today: date) -> Permit:
        """Steps 1-8 of the gate, on facts that are declared complete. Raises Stop with everything that spoke."""
        self._forget_what_moved(snapshot, today)
        permit = self._permits.get((caller, call))
        if permit is None:
            permit = self._decide(caller, call, snapshot, today)
            if len(self._permits) < _MOST:
                self._permits[caller, call] = permit
        return permit

    def sight(self, permit: Permit, snapshot: Snapshot, now: datetime) -> Sight:
        """Whom this delivery sees of this source."""
        today = legal_date(now)
        self._forget_what_moved(snapshot, today)
        source, delivery = permit.call.source, _delivery(permit)
        if delivery.conditions.one_off:
            return self._seen(permit, snapshot, today, now)
        key = (source, delivery.recipient, delivery.purpose, delivery.schema, delivery.locations)
        sight = self._sights.get(key)
        if sight is None:
            sight = self._sights[key] = self._seen(permit, snapshot, today, None)
        return sight

    def _seen(self, permit: Permit, snapshot: Snapshot, today: date, now: datetime | None) -> Sight:
        source, standing = permit.call.source, permit.standing
        roster, audience = snapshot.rosters[source], Audience(standing.recipient.kind)
        return Sight(
            _delivery(permit),
            source,
            roster,
            snapshot.facts,
            snapshot.keys,
            today,
            self._issued,
            audience=audience,
            now=now,
            permit=self._permit,
            base=f"{self._world.url}/{source}{snapshot.compiled.schemas[permit.call.schema].base_path}",
            places=self._places(permit, snapshot),
            records=snapshot.compiled.schemas[permit.call.schema].records.values(),
            owners=partial(_owner, self._world, standing.delivery.domain),
        )

    def _places(self, permit: Permit, snapshot: Snapshot) -> frozenset[str]:
        """How this schema names the locations of the delivery."""
        known, kind = self._world.organisation.locations, snapshot.compiled.schemas[permit.call.schema].location_type
        here = [known[name] for name in permit.standing.delivery.locations if name in known]
        return frozenset(value for one in here for type_, value in one.ids if type_ == kind)

    def _forget_what_moved(self, snapshot: Snapshot, today: date) -> None:
        if self._since != (snapshot.versions, today):
            self._since = (snapshot.versions, today)
            self._granted.clear()
            self._permits.clear()
            self._sights.clear()

    def _decide(self, caller: Caller, call: Call, snapshot: Snapshot, today: date) -> Permit:
        world = self._world
        verdict = decide(caller, call, snapshot.compiled.standings, world.policy, world.organisation, today)
        if isinstance(verdict, Refusal):
            raise Stop(verdict.reason, findings=verdict.findings)
        undone = undeclared(verdict.standing.delivery, call.locations, snapshot.facts.declared)
        if undone:
            raise Stop(Reason.FACTS_NOT_DECLARED, findings=findings(undone))
        return verdict


def _owner(world: World, domain: str, thing: str, mapped: str) -> bytes | None:
    issue = world.issued(domain, mapped, thing)
    return issue.owner if issue is not None else None


def _delivery(permit: Permit) -> Delivery:
    """R68, R109: of a message that names a location only who is there may stand in it. (A list that is asked for is of
    whoever the source says is there, and ends whom the delivery no longer sees anywhere.)"""
    delivery, named = permit.standing.delivery, permit.call.locations
    if permit.call.channel != PUSH or named is None:
        return delivery
    return replace(delivery, locations=delivery.locations & named)
