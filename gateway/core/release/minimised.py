"""What every minimiser promises, whatever its format: what may leave of an answer, or that the answer is unusable.

Leaves out: how a format gets there (`formats`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from gateway.core.release.circle import Circle
from gateway.core.release.faults import Faults

BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading JSON from outside raises: of no text and too deep a nest the decoder says it otherwise."""


class EnvelopeBroken(Exception):
    """The source sent something else than its schema says. Holds no word of it. `faults`: where its records are not
    what the schema says, if that is why; for the school only."""

    def __init__(self, why: str, faults: Faults | None = None) -> None:
        super().__init__(why)
        self.faults: Faults = faults if faults is not None else Faults()


class TooLarge(EnvelopeBroken):
    """It may be what its schema says, and is more than is read at once."""


@dataclass(slots=True)
class Minimised:
    """What may leave, once it is registered. `body` is empty when a single record is withheld. `rows`: of a part of a
    file, its records one by one, each with what orders them; `documents`: how many were dropped of what leaves;
    `head`: what stands above the rows of a table; `seen`: how many records the source sent, where one file holds
    several kinds."""

    body: bytes = field(repr=False)
    records: int
    malformed: int
    rows: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    documents: int = 0
    head: bytes = b""
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """Of what is handed in, what is known of the whole that it may be a piece of. `tolerated`: how many of its records
    may be malformed, where that is not by its own number; `circle`: gives the names and numbers in the whole; `apart`:
    the records are wanted one by one too, by who sorts more of them."""

    tolerated: int | None = None
    circle: Callable[[], Circle] | None = field(default=None, repr=False)
    apart: bool = False

    def withstand(self, malformed: int, records: int, faults: Faults) -> None:
        """Raises EnvelopeBroken where more of so many records are malformed than may be (house rule 2)."""
        if malformed > (tolerable(records) if self.tolerated is None else self.tolerated):
            raise EnvelopeBroken("too many malformed records", faults)


WHOLE = Share()


def tolerable(records: int) -> int:
    """How many of so many records may be malformed before the whole answer is unusable (house rule 2)."""
    return max(5, records // 100)
