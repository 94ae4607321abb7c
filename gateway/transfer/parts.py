"""A large answer in parts: before each chunk a durable part entry, at the end a closing entry (house rule 3).

Every part is screened at its own moment, so a change while the answer runs affects the pupils not yet emitted. A
part that may not leave breaks the answer off; without a closing entry the last part counts as delivered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from gateway.transfer.ports import Receipt

Emit = Callable[[bytes, int], Awaitable[tuple[Receipt, bytes]]]
"""Minimise one piece and register it as part n: its receipt and a JSON array of what leaves."""

Close = Callable[[int], Awaitable[None]]
"""Register that all n parts were handed over."""


@dataclass(slots=True)
class Parts:
    """`pieces` are JSON arrays of the source's records, in its order."""

    pieces: list[bytes] = field(repr=False)
    emit: Emit
    close: Close

    async def start(self) -> tuple[Receipt, AsyncIterator[bytes]]:
        """Register the first part, so that a refusal can still be told; then the stream that begins with it."""
        receipt, first = await self.emit(self.pieces[0], 1)
        return receipt, self._stream(first)

    async def _stream(self, first: bytes) -> AsyncIterator[bytes]:
        empty = first == b"[]"
        yield first[:-1]
        for number, piece in enumerate(self.pieces[1:], start=2):
            _, body = await self.emit(piece, number)
            if body != b"[]":
                yield body[1:-1] if empty else b"," + body[1:-1]
                empty = False
        await self.close(len(self.pieces))
        yield b"]"
