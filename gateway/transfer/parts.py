"""A large answer in parts: before each chunk a durable part entry, at the end a closing entry (house rule 3).

Every part is screened at its own moment, so a change while the answer runs affects the pupils not yet emitted. A
part that may not leave breaks the answer off; without a closing entry the last part counts as delivered. How many
malformed records there may be is counted over the whole answer: an LVS that spreads them over the parts is as broken as
one that does not (house rule 2).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from gateway.core.file_forms import Form, ends
from gateway.core.release.emission import Emission
from gateway.formats.json import Minimised
from gateway.transfer.ports import Receipt


@dataclass(frozen=True, slots=True)
class Piece:
    """Part `number`: a file of the source's records, of which `tolerated` may be malformed. `whole`: there is no
    other, and its entry is that of the transfer; `last`: it ends a list; `seen`: shared by all of them (`views`)."""

    body: bytes = field(repr=False)
    number: int
    tolerated: int
    whole: bool = False
    last: bool = False
    seen: dict[bytes, bool] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A registered part: a file of what leaves, and how many records were malformed. `minimised` and `emission`
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
    """`pieces` are files of the source's records, in its order; `tolerated`: how many more of these records may be
    malformed; `form`: in which they leave, joined to one."""

    pieces: list[bytes] = field(repr=False)
    tolerated: int
    emit: Emit
    close: Close
    form: Form = Form.ARRAY
    seen: dict[bytes, bool] = field(default_factory=dict, repr=False)

    async def start(self) -> tuple[Receipt, AsyncIterator[bytes]]:
        """Register the first part, so that a refusal can still be told; then the stream that begins with it."""
        first = await self._part(self.pieces[0], 1)
        return first.receipt, self._stream(first)

    async def _part(self, body: bytes, number: int) -> Part:
        last = number == len(self.pieces)
        part = await self.emit(Piece(body, number, self.tolerated, last=last, seen=self.seen))
        self.tolerated -= part.malformed
        return part

    async def _stream(self, first: Part) -> AsyncIterator[bytes]:
        before, after = ends(self.form, first.minimised.head if first.minimised is not None else b"")
        inside = slice(len(before), -len(after) or None)
        empty = not first.body[inside]
        yield before + first.body[inside]
        for number, piece in enumerate(self.pieces[1:], start=2):
            found = (await self._part(piece, number)).body[inside]
            if found:
                yield found if empty or self.form is not Form.ARRAY else b"," + found
                empty = False
        await self.close(len(self.pieces))
        if after:
            yield after
