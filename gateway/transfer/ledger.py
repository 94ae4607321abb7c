"""The write-back ledger as `writeback` needs it: what is planned before anything is sent, and what came of it (D9).

Leaves out: where it is kept (`adapters.statements`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """What is known of a statement."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not-sent"
    UNKNOWN = "unknown"


class Plan(StrEnum):
    """What to do with it."""

    FORWARD = "forward"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the recipient gave it: its id and its content. `under`: the id by which the source knows it, where
    another recipient has its own of that id there."""

    id: str = field(repr=False)
    content: bytes = field(repr=False)
    under: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Planned:
    """`status`: the source's status for a known outcome (plan RETURN); `under`: as of a statement."""

    plan: Plan
    state: State | None = None
    status: int | None = None
    under: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a statement that was forwarded; `status` as the source gave it."""

    statement: Statement
    state: State
    status: int | None = None


class Ledger(Protocol):
    """Durable, shared by all processes. Methods block for some milliseconds: call them in a thread."""

    def plan(self, source: str, recipient: str, statements: Sequence[Statement], moment: datetime) -> list[Planned]:
        """What to do with each, in order; those to forward are durably pending when this returns. Raises
        RegisterUnavailable: then nothing is sent."""
        ...

    def record(self, source: str, recipient: str, outcomes: Sequence[Outcome], moment: datetime) -> None:
        """Keep what became of them. Raises RegisterUnavailable: then they stay pending, and are sent again when the
        recipient asks again."""
        ...
