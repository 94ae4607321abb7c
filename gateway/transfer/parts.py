"""A large answer in parts: before each chunk a durable part entry, at the end a closing entry (house rule 3).

Every part is screened at its own moment, so a change while the answer runs affects the pupils not yet emitted. A
part that may not leave breaks the answer off; without a closing entry the last part counts as delivered. How many
malformed records there may be is counted over the whole answer: an LVS that spreads them over the parts is as broken as
one that does not (house rule 2).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from gateway.core.release.emission import Emission
from gateway.formats.json import Minimised
from gateway.transfer.ports import Receipt


@dataclass(frozen=True, slots=True)
class Piece:
    """Part `number`: a JSON array of the source's records, of which `tolerated` may be malformed. `whole`: there is no
    other, and its entry is that of the transfer; `last`: it ends a list; `seen`: shared by all of them (`views`)."""

    body: bytes = field(repr=False)
    number: int
    tolerated: int
    whole: bool = False
    last: bool = False
    seen: dict[bytes, bool] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A registered part: a JSON array of what leaves, and how many records were malformed. `minimised` and `emission`
    tell the rest of it."""

    receipt: Receipt
    body: bytes = field(repr=False)
    malformed: int = 0
    minimised: Minimised | None = None
    emission: Emission | None = None


Emit = Callable[[Piece], Awaitable[Part]]
"""Minimise one piece and register it."""

Close = Callable[[int], Awaitable[None]]
"""Register that all n parts were handed over."""


@dataclass(slots=True)
class Parts:
    """`pieces` are JSON arrays of the source's records, in its order; `tolerated`: how many more of these records may
    be malformed; `lines`: the parts leave as NDJSON, which has nothing between them."""

    pieces: list[bytes] = field(repr=False)
    tolerated: int
    emit: Emit
    close: Close
    lines: bool = False
    seen: dict[bytes, bool] = field(default_factory=dict, repr=False)

    async def start(self) -> tuple[Receipt, AsyncIterator[bytes]]:
        """Register the first part, so that a refusal can still be told; then the stream that begins with it."""
        first = await self._part(self.pieces[0], 1)
        return first.receipt, self._stream(first.body)

    async def _part(self, body: bytes, number: int) -> Part:
        last = number == len(self.pieces)
        part = await self.emit(Piece(body, number, self.tolerated, last=last, seen=self.seen))
        self.tolerated -= part.malformed
        return part

    async def _stream(self, first: bytes) -> AsyncIterator[bytes]:
        empty = first == b"[]"
        yield first if self.lines else first[:-1]
        for number, piece in enumerate(self.pieces[1:], start=2):
            body = (await self._part(piece, number)).body
            if self.lines:
                yield body
            elif body != b"[]":
                yield body[1:-1] if empty else b"," + body[1:-1]
                empty = False
        await self.close(len(self.pieces))
        if not self.lines:
            yield b"]"
