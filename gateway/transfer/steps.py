"""What every transfer does, whichever way it goes: begin, try again when the world moved, permit, resolve, refuse.

Leaves out: the order of a read (`flow`) and of a write-back (`writeback`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from gateway.core.model import Caller, Finding
from gateway.core.reasons import Reason
from gateway.core.release.views import Shelves
from gateway.transfer import trail as entries
from gateway.transfer.drift import Drift
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.ledger import Ledger
from gateway.transfer.ports import (
    Endpoints,
    Register,
    RegisterUnavailable,
    Snapshot,
    Upstream,
    VersionsChanged,
    World,
)
from gateway.transfer.released import Answer, Released, Unregistered
from gateway.transfer.remembered import Granted, Remembered
from gateway.transfer.request import Stop
from gateway.transfer.trail import Trail, uuid7

_TRIES = 3  # house rule 4: screened again three times, then 503

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything a transfer touches that is not a value. `clock` gives the aware present, `random` that many bytes."""

    world: World
    register: Register
    upstream: Upstream
    drift: Drift
    ledger: Ledger
    views: Shelves
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    endpoints: Endpoints


@dataclass(frozen=True, slots=True)
class Sizes:
    """`answer_bytes`: an answer of the source up to here is built whole; beyond it leaves in parts made from about
    `part_bytes` of the source's bytes, each with its own entry. A request's body nests at most `depth` deep."""

    answer_bytes: int
    part_bytes: int
    depth: int


class Steps:
    """The steps, as `flow` and `writeback` take them."""

    def __init__(self, outside: Outside, sizes: Sizes, remembered: Remembered) -> None:
        self.outside = outside
        self.sizes = sizes
        self.remembered = remembered

    def begin(self, caller: Caller) -> Trail:
        outside, now = self.outside, self.outside.clock()
        return Trail(uuid7(now, outside.random(10)), now, caller, policy_version=outside.world.policy.version)

    def new_id(self) -> str:
        return uuid7(self.outside.clock(), self.outside.random(10))

    async def steadily(self, attempt: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Try under the snapshot of now; when policy, facts or keys moved before the commit, again."""
        for _ in range(_TRIES):
            try:
                return await attempt(self.outside.world.now())
            except VersionsChanged:
                self.outside.world.refresh()
        raise Stop(Reason.FACTS_CHANGED)

    def granted(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> Granted:
        """Steps 1-8 of the gate, and a roster that can be decided on, also of who seems to have left (R109)."""
        granted = self.informed(trail, inquiry, snapshot)
        asked = inquiry.call.locations
        doubted = granted.roster.doubted & (granted.sight.delivery.locations if asked is None else asked)
        if doubted:
            found = tuple(Finding(Reason.ROSTER_DOUBTED, place) for place in sorted(doubted))
            raise Stop(Reason.ROSTER_DOUBTED, findings=found)
        return granted

    def informed(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> Granted:
        """Steps 1-8 of the gate, and a roster fresh enough to decide on."""
        now = self.outside.clock()
        granted = self.remembered.granted(trail.caller, inquiry.call, snapshot, now)
        if not granted.roster.fresh(now, births=granted.births):
            raise Stop(Reason.FACTS_STALE)
        return granted

    async def refuse(self, trail: Trail, stop: Stop) -> Answer:
        """A refusal is registered before it is told; it has the shape of the format that was called."""
        try:
            receipt = await self.outside.register.append(entries.refusal(trail, stop))
        except RegisterUnavailable:
            return unregistered(trail)
        return Released(receipt, stop.reason, shape=trail.shape, about=stop.about, purpose=trail.caller.purpose)


def unregistered(trail: Trail) -> Unregistered:
    """Nothing could be registered, so nothing is told but that."""
    return Unregistered(trail.id, shape=trail.shape, purpose=trail.caller.purpose)
