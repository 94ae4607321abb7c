"""ports.Upstream in memory: answers from given records, counts calls, and can be broken on purpose.

upstream = SimulatedUpstream(journal)
upstream.holds["/students/school"] = [record, …]    # what this path answers, whatever the query
upstream.broken = NotSent                           # every call raises it; nothing is answered
upstream.meanwhile = lambda: school.suspend()       # happens once, while a call is under way
upstream.calls                                      # what reached it
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gateway.core.gate.decide import Permit
from gateway.transfer.ports import (
    NotSent,
    OutcomeUnknown,
    UpstreamAnswer,
    UpstreamCall,
    UpstreamFailed,
    UpstreamTimeout,
)

Broken = type[NotSent] | type[UpstreamTimeout] | type[UpstreamFailed] | type[OutcomeUnknown]
_JSON = "application/json"


class SimulatedUpstream:
    """One LVS. What it does not hold is 404; a write is taken unless `writes` says something else."""

    def __init__(self, journal: list[str]) -> None:
        self.holds: dict[str, Any] = {}
        self.raw: dict[str, bytes] = {}
        self.writes: Callable[[UpstreamCall], UpstreamAnswer] = _taken
        self.broken: Broken | None = None
        self.meanwhile: Callable[[], None] | None = None
        self.calls: list[UpstreamCall] = []
        self._journal = journal

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        """A truthful error, or the whole body."""
        self._take(permit, call, "fetch")
        if self.broken is not None:
            raise self.broken
        body = self.raw.get(call.path)
        if body is None and call.path not in self.holds:
            return UpstreamAnswer(404, "", b"")
        return UpstreamAnswer(200, _JSON, msgspec.json.encode(self.holds[call.path]) if body is None else body)

    async def write(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        """Never repeated; of a write nobody hears a time-out."""
        self._take(permit, call, "write")
        if self.broken is not None:
            raise self.broken
        return self.writes(call)

    def _take(self, permit: Permit, call: UpstreamCall, verb: str) -> None:
        if permit.call.source != call.source:
            raise ValueError("the permit is for another source")
        self._journal.append(f"{verb} {call.method} {call.path}")
        if self.broken is not NotSent:
            self.calls.append(call)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()


def _taken(_: UpstreamCall) -> UpstreamAnswer:
    return UpstreamAnswer(201, "", b"")
