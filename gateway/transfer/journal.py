"""How far an export is, kept so that a later run of the same command goes on where this one was killed.

A part is in the journal in the transaction of its register entry: what is registered is kept, what is kept is
registered. Leaves out: where it is kept (`adapters.exports`), what a run does with it (`export`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

import msgspec

from gateway.core.register import Advance

Rows = Sequence[tuple[str, bytes]]
"""Released records, each with what orders it: a pseudonym or mapped id."""


class Page(msgspec.Struct, frozen=True, array_like=True):
    """What is asked of the source in one answer: a kind of record, at one location."""

    record: str
    location: str


class Done(msgspec.Struct, frozen=True, array_like=True):
    """A part that is registered. `consumed`: records of its page up to here, `prefix`: their digest, `last`: no more
    came. `versions`, `day`: what the verdicts stood on. `released`: internal ids, by the paths withheld of them, each
    with a mark of what else of them is in it (`pages.mark`); `groups`: ids of the source, of groups that are in it
    because somebody is in them; `head`: of a table."""

    number: int
    page: Page
    consumed: int
    prefix: bytes
    last: bool
    versions: tuple[int, int, int]
    day: date
    head: bytes
    released: tuple[tuple[tuple[str, ...], tuple[tuple[bytes, bytes], ...]], ...]
    tally: bytes
    groups: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Done part {self.number}>"


class Handed(msgspec.Struct, frozen=True, array_like=True):
    """What is handed over, as the closing entry says it. `digest`: keyed, of its SHA-256."""

    records: int
    size: int
    digest: str


class Journal(Protocol):
    """Of one job. Synchronous: for a process that does nothing else."""

    def parts(self) -> Iterator[Done]:
        """Those that count, by number."""
        ...

    @property
    def next(self) -> int:
        """The number of the next part; none is given twice."""
        ...

    def advance(self, done: Done, rows: Rows) -> Advance:
        """The rows are on disk, sealed, when this returns; they open once what is given back is committed."""
        ...

    def rows(self, record: str, location: str | None = None) -> Iterator[Rows]:
        """What is released of this kind, at one location or all, part by part. Raises OSError when it is not what was
        kept."""
        ...

    def committed(self) -> None:
        """What was given back last is in the register."""
        ...

    def closing(self, handed: Handed) -> Advance:
        """That all of it is about to be handed over."""
        ...

    def void(self, numbers: Sequence[int]) -> None:
        """These parts count no more, and their rows can be opened by nobody."""
        ...
