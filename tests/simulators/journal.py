"""transfer.journal.Journal in memory: what is kept of an export, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.core.register import Advance
from gateway.transfer.journal import Done, Handed, Rows


class SimulatedJournal:
    """`kept`: what was released, by part; `handed`: what was said to be handed over."""

    def __init__(self) -> None:
        self.next = 1
        self.kept: dict[int, Rows] = {}
        self.handed: Handed | None = None
        self._done: dict[int, Done] = {}
        self._last: tuple[Done, Rows] | None = None

    def parts(self) -> Iterator[Done]:
        return iter([done for _, done in sorted(self._done.items())])

    def advance(self, done: Done, rows: Rows) -> Advance:
        self._last = done, rows
        return Advance("job", done.number, b"")

    def rows(self, record: str, location: str | None = None) -> Iterator[Rows]:
        for number, done in sorted(self._done.items()):
            if done.page.record == record and location in (None, done.page.location):
                yield self.kept[number]

    def committed(self) -> None:
        assert self._last is not None
        done, rows = self._last
        self._done[done.number], self.kept[done.number] = done, rows
        self.next += 1

    def closing(self, handed: Handed) -> Advance:
        self.handed = handed
        return Advance("job", None, b"")

    def void(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            del self._done[number], self.kept[number]
