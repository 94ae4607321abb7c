"""Reading a long list of the source: a list that is not too long whole, a longer one in stretches of one page.

A stretch begins and ends with records, not with places: whoever comes or goes meanwhile moves nobody into another one
(`seams`). The last ones are kept while an answer is made, however often they are screened; what was passed over before
them is not. How many pages are asked is bounded. Leaves out: what may leave of a stretch (`paged`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain

from gateway.core.policy.schema import Paging
from gateway.core.reasons import Reason
from gateway.formats.json import envelope
from gateway.transfer.anchors import Place
from gateway.transfer.listing import next_page
from gateway.transfer.ports import UpstreamAnswer, UpstreamCall
from gateway.transfer.request import Stop
from gateway.transfer.seams import Moved, Read, Sheet, Walk

WHOLE = 5_000  # records; up to here a list is read whole for every page of it, and its order is one
_MOST_CALLS = 64  # of the source for one answer
_KEPT = 2  # stretches: where a page ends, and the one before
_READINGS = 3  # of a list that moves while it is read
_MARKS = 6  # records by which the end of a stretch is found again

Fetch = Callable[[UpstreamCall], Awaitable[UpstreamAnswer]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records of the source. `place`: where they stand; `next`: where the following ones do, None at the end."""

    body: bytes = field(repr=False)
    place: Place
    next: Place | None

    @property
    def first(self) -> bool:
        return not self.place.at

    @property
    def whole(self) -> bool:
        return self.first and self.next is None


class NotThere(Exception):
    """The source has no such list."""


class Stretches:
    """One list, for one answer. `call`: it, without a page."""

    def __init__(self, call: UpstreamCall, paging: Paging) -> None:
        self._call = call
        self._paging = paging
        self._calls = 0
        self._known: dict[Place, Stretch] = {}

    async def at(self, place: Place, fetch: Fetch) -> Stretch:
        """Raises NotThere, EnvelopeBroken, and Stop when it takes too much."""
        source = Place(place.at, place.size, before=place.before, until=place.until)
        if source not in self._known:

            async def read(at: int) -> Sheet:
                return await self._read(at, fetch)

            whole = source.size in (0, WHOLE)
            self._keep(source, await (self._whole(source, read) if whole else _stretch(source, read)))
        return self._known[source]

    def _keep(self, source: Place, stretch: Stretch) -> None:
        """An offset may pass over every one of a list."""
        if len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        self._known[source] = stretch

    async def _whole(self, place: Place, read: Read) -> Stretch:
        for _ in range(_READINGS):
            with suppress(Moved):
                return await _all(place, read)
        raise Stop(Reason.UPSTREAM_FAILED, "the source says something else each time")

    async def _read(self, at: int, fetch: Fetch) -> Sheet:
        if self._calls >= _MOST_CALLS:
            raise Stop(Reason.UPSTREAM_TIMEOUT)
        self._calls += 1
        call = self._call
        answer = await fetch(replace(call, query=next_page(self._paging, call.query, at)))
        if answer.status == 404:
            raise NotThere
        return Sheet.of(answer.body, self._paging.key, answer.total)


async def _all(place: Place, read: Read) -> Stretch:
    """The list; its first page where it is too long. One that was read whole before is, however long it became. Raises
    Moved."""
    walk, pages, first = Walk(read), list[Sequence[bytes]](), tuple[bytes, ...]()
    while (page := await walk.next()) is not None:
        pages.append(page)
        first = first or tuple(walk.marks[-_MARKS:])
        if not place.size and max(walk.at, walk.total or 0) > WHOLE:
            size = len(pages[0])
            return _ordered(walk, pages[0], Place(0, size, until=first), Place(size, size, before=first))
    await walk.confirm()
    return Stretch(envelope.joined(chain(*pages)), Place(0, WHOLE), None)


async def _stretch(place: Place, read: Read) -> Stretch:
    """From behind the one before up to where it ended when it was first read, or else one page."""
    walk = Walk(read, place.at, place.before, place.size)
    records, marks, end = list[bytes](), list[bytes](), None
    with suppress(Moved):
        for _ in range(_READINGS):
            page = await walk.next() or ()
            records += page
            marks += walk.marks[len(walk.marks) - len(page) :]
            end = _end(marks, place.until)
            if walk.ended or (end is not None and _surely(marks[:end], place.until)):
                break
        if end is not None:
            until = tuple(marks[:end][-_MARKS:])
            following = Place(walk.at - len(records) + end, place.size, before=until or place.before)
            last = walk.ended and end == len(records)
            here = Place(place.at, place.size, before=place.before, until=until)
            return _ordered(walk, records[:end], here, None if last else following)
    raise Stop(Reason.PARAMETER_INVALID, "anchor: begin again at the first page")


def _end(marks: Sequence[bytes], until: tuple[bytes, ...]) -> int | None:
    """Behind the last record of the stretch; of one that is read for the first time, its end."""
    if not until:
        return len(marks)
    return next((at + 1 for at in reversed(range(len(marks))) if marks[at] in until), None)


def _surely(marks: Sequence[bytes], until: tuple[bytes, ...]) -> bool:
    """Whether it ends with its own last record. Where it does not, whoever came meanwhile may have pushed that onto the
    next page, and who is on that page and was told already would be told again."""
    return not until or marks[-1:] == [until[-1]]


def _ordered(walk: Walk, records: Iterable[bytes], place: Place, following: Place | None) -> Stretch:
    """Without an order nobody can say who moved from one stretch to another."""
    if walk.unsure or not walk.order.held:
        raise Stop(Reason.UPSTREAM_FAILED, "a list of the source is in no order, and too long to be read whole")
    return Stretch(envelope.joined(records), place, following)
