"""What stays true as long as versions and day do: permits, verdicts, pseudonyms. Forgotten as a whole when they move.

So a request costs look-ups, and nothing outlives the policy, facts or keys it was made under (house rule 4).
"""

from __future__ import annotations

from datetime import date

from gateway.core.decide import Call, Permit, Refusal, decide
from gateway.core.emission import Issued, Sight
from gateway.core.model import Caller, Versions
from gateway.transfer.ports import Snapshot, World
from gateway.transfer.request import Stop

_MOST = 10_000  # calls of different callers, routes and locations


class Remembered:
    """For one process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._issued = Issued()
        self._since: tuple[Versions, date] | None = None
        self._permits: dict[tuple[Caller, Call], Permit] = {}
        self._sights: dict[tuple[str, str, str, str], Sight] = {}

    def permit(self, caller: Caller, call: Call, snapshot: Snapshot, today: date) -> Permit:
        """Steps 1-8 of the gate. Raises Stop with everything that spoke."""
        self._forget_what_moved(snapshot, today)
        permit = self._permits.get((caller, call))
        if permit is None:
            permit = self._decide(caller, call, snapshot, today)
            if len(self._permits) < _MOST:
                self._permits[caller, call] = permit
        return permit

    def sight(self, permit: Permit, snapshot: Snapshot, today: date) -> Sight:
        """Whom this delivery sees of this source."""
        self._forget_what_moved(snapshot, today)
        source, delivery = permit.call.source, permit.standing.delivery
        key = (source, delivery.recipient, delivery.purpose, delivery.schema)
        sight = self._sights.get(key)
        if sight is None:
            sight = Sight(
                delivery, source, snapshot.rosters[source], snapshot.facts, snapshot.keys, today, self._issued
            )
            self._sights[key] = sight
        return sight

    def _forget_what_moved(self, snapshot: Snapshot, today: date) -> None:
        if self._since != (snapshot.versions, today):
            self._since = (snapshot.versions, today)
            self._permits.clear()
            self._sights.clear()

    def _decide(self, caller: Caller, call: Call, snapshot: Snapshot, today: date) -> Permit:
        world = self._world
        verdict = decide(caller, call, snapshot.compiled.standings, world.policy, world.organisation, today)
        if isinstance(verdict, Refusal):
            raise Stop(verdict.reason, findings=verdict.findings)
        return verdict
