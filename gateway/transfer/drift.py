"""Schema drift: a field the source sends and the schema does not know is reported once (R9, FIELD_UNCLASSIFIED).

Nothing of such a field ever leaves, sampled or not: only what is allowed is decoded. Seen on samples, after the
answer: of a route in each hour the first page, one in a hundred, and the first pages of a length that did not come
before, as a new field makes every answer longer. A name is shown only if it looks like an identifier and stood in five
records (house rule 8).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.core.policy.schema import Csv, Schema
from gateway.core.reasons import Reason
from gateway.core.register import Draft
from gateway.formats import csv, json, xml
from gateway.transfer.ports import Register, RegisterUnavailable
from gateway.transfer.request import Match
from gateway.transfer.trail import instant, uuid7

_EVERY = 100  # pages of one route; a field is seen at the latest after this many
_LENGTHS = 64  # different lengths that are looked at in one hour; a route with more is left to the sample


def unknown_in(schema: Schema, record: str, body: bytes, *, many: bool) -> Mapping[str, int]:
    """The fields of this body that the schema does not know, by the format it is written in. `many`: an array of
    records; in XML the schema says whether it is a list."""
    known = schema.records[record]
    if schema.format == "xml":
        return xml.unknown_fields(body, known, schema.namespaces, many=bool(known.envelope))
    if schema.format == "csv":
        return csv.unknown_columns(body, known, schema.csv or Csv())
    return json.unknown_fields(body, known, many=many)


class FieldsSeen(Protocol):
    """How often an unknown field was seen, over all processes."""

    def note(self, schema: str, record: str, counts: Mapping[str, int]) -> list[str]:
        """Add to the counts; the names that now reached five and were never reported before. Raises
        RegisterUnavailable: then nothing was added."""
        ...


@dataclass(slots=True)
class _Pages:
    """The pages of one route in this hour."""

    count: int = 0
    lengths: set[int] = field(default_factory=set)

    def sampled(self, length: int) -> bool:
        """Whether this page, of so many bytes, is one to look at."""
        self.count += 1
        new = length not in self.lengths and len(self.lengths) < _LENGTHS
        if new:
            self.lengths.add(length)
        return new or self.count % _EVERY == 0


class Drift:
    """Looks at samples in the background; one look at a time."""

    def __init__(
        self,
        register: Register,
        seen: FieldsSeen,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
    ) -> None:
        self._register = register
        self._seen = seen
        self._clock = clock
        self._random = random
        self._hour = 0
        self._pages: dict[tuple[str, str], _Pages] = {}
        self._running: asyncio.Task[None] | None = None
        self._due: list[tuple[Match, str]] = []

    def look(self, match: Match, body: bytes) -> None:
        """Look at this answer of the source if it is one of the sample; returns at once."""
        hour = int(self._clock().timestamp() // 3600)
        if hour != self._hour:
            self._hour = hour
            self._pages.clear()
        pages = self._pages.setdefault((match.source, match.route.path), _Pages())
        if pages.sampled(len(body)) and (self._running is None or self._running.done()):
            self._running = asyncio.get_running_loop().create_task(self._examine(match, body))

    async def settled(self) -> None:
        """Wait for the look that is running, if any, and try once more what could not be reported (graceful stop)."""
        if self._running is not None:
            await asyncio.wait([self._running])
        with contextlib.suppress(RegisterUnavailable):
            await self._report()

    async def _examine(self, match: Match, body: bytes) -> None:
        try:
            counts = unknown_in(match.schema, match.route.record, body, many=match.route.many)
            if counts:
                names = self._seen.note(match.schema.name, match.route.record, counts)
                self._due += [(match, name) for name in names]
            await self._report()
        except RegisterUnavailable:
            self._pages.clear()  # looked at, and reported, again with the next page

    async def _report(self) -> None:
        """What is due; what the register does not take stays due, as nobody is told of a name twice."""
        while self._due:
            match, name = self._due[0]
            await self._register.append(self._finding(match, name))
            self._due.pop(0)

    def _finding(self, match: Match, name: str) -> Draft:
        moment = self._clock()
        return Draft(
            id=uuid7(moment, self._random(10)),
            kind="finding",
            moment=instant(moment),
            actor="gateway",
            source=match.source,
            schema=match.schema.name,
            route=f"{match.route.method} {match.route.path}",
            outcome="reported",
            reasons=(Reason.FIELD_UNCLASSIFIED,),
            detail=(f"{match.route.record}.{name}",),
        )
