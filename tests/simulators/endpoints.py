"""ports.Endpoints in memory: the system of every recipient, which takes what it is sent unless told otherwise.

school.endpoints.answers = lambda message: UpstreamAnswer(200, "text/xml", b"…")
school.endpoints.broken = OutcomeUnknown      # every message raises it
school.endpoints.sent                         # what reached them
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.gate.decide import Permit
from gateway.transfer.ports import Message, NotSent, OutcomeUnknown, Receipt, UpstreamAnswer, UpstreamFailed

Broken = type[NotSent] | type[OutcomeUnknown] | type[UpstreamFailed]


class SimulatedEndpoints:
    """`journal` gets a line for each message."""

    def __init__(self, journal: list[str]) -> None:
        self.answers: Callable[[Message], UpstreamAnswer] = _taken
        self.broken: Broken | None = None
        self.sent: list[Message] = []
        self._journal = journal

    def address(self, endpoint: str) -> str:
        return f"https://{endpoint}.example/ws"

    async def send(self, permit: Permit, receipt: Receipt, message: Message) -> UpstreamAnswer:
        """A truthful error, or the whole answer."""
        assert permit.standing.delivery.endpoint == message.endpoint
        assert receipt.id
        self._journal.append(f"send {message.endpoint}")
        if self.broken is not NotSent:
            self.sent.append(message)
        if self.broken is not None:
            raise self.broken
        return self.answers(message)


def _taken(_: Message) -> UpstreamAnswer:
    return UpstreamAnswer(202, "", b"")
