"""Refusals of callers nobody knows: the first of an origin, minute and reason at once, the count when the minute ends.

So a flood of anonymous calls cannot fill the register, and none goes unseen (R81, R85). An origin is registered as
a short keyed digest: enough to see that it is the same one, not an address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.core.reasons import Reason
from gateway.core.register import Draft, EntryKind
from gateway.transfer.ports import Receipt, Register, RegisterUnavailable
from gateway.transfer.released import Answer, Released, Unregistered
from gateway.transfer.trail import instant, uuid7

_MOST_KEYS = 10_000  # distinct origins and reasons remembered in one minute; the rest are counted as one


@dataclass(slots=True)
class _Tally:
    """What one origin was refused in this minute, after the first."""

    receipt: Receipt
    more: int = 0


class Refusals:
    """`digest` is keyed: it turns an origin into what the register may hold."""

    def __init__(
        self,
        register: Register,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        digest: Callable[[bytes], str],
    ) -> None:
        self._register = register
        self._clock = clock
        self._random = random
        self._digest = digest
        self._minute = 0
        self._tallies: dict[tuple[str, Reason], _Tally] = {}

    async def refuse(self, origin: str, reason: Reason) -> Answer:
        """Register at once, or count; an answer that tells the reason either way."""
        try:
            await self.flush(ended_only=True)
            return Released(await self._receipt(origin, reason), reason)
        except RegisterUnavailable:
            return Unregistered(self._new_id(self._clock()))

    async def flush(self, *, ended_only: bool) -> None:
        """Register the counts; with `ended_only` not those of the minute that is running."""
        minute = int(self._clock().timestamp() // 60)
        if ended_only and minute == self._minute:
            return
        ended, self._tallies, self._minute = self._tallies, {}, minute
        for (origin, reason), tally in ended.items():
            if tally.more:
                await self._register.append(self._draft(origin, reason, "refusals", tally.more))

    async def _receipt(self, origin: str, reason: Reason) -> Receipt:
        if (origin, reason) not in self._tallies and len(self._tallies) >= _MOST_KEYS:
            origin = "others"
        tally = self._tallies.get((origin, reason))
        if tally is not None:
            tally.more += 1
            return tally.receipt
        receipt = await self._register.append(self._draft(origin, reason, "refusal", None))
        self._tallies.setdefault((origin, reason), _Tally(receipt))
        return receipt

    def _draft(self, origin: str, reason: Reason, kind: EntryKind, count: int | None) -> Draft:
        moment = self._clock()
        return Draft(
            id=self._new_id(moment),
            kind=kind,
            moment=instant(moment),
            actor=f"origin:{self._digest(origin.encode())[:12]}",
            reasons=(reason,),
            count=count,
        )

    def _new_id(self, moment: datetime) -> str:
        return uuid7(moment, self._random(10))
