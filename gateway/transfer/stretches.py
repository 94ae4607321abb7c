"""Reading a long list of the source: a list that is not too long whole, a longer one in stretches of one page.

Each page is asked once per answer, however often it is screened. How many are asked is bounded. Leaves out: what may
leave of a stretch (`paged`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from gateway.core.policy.schema import Paging
from gateway.core.reasons import Reason
from gateway.formats.json import envelope
from gateway.transfer.anchors import Place
from gateway.transfer.ports import UpstreamAnswer, UpstreamCall
from gateway.transfer.request import Stop

WHOLE = 5_000  # records; up to here a list is read whole for every page of it, and its order is one
_MOST_CALLS = 64  # of the source for one answer

Fetch = Callable[[UpstreamCall], Awaitable[UpstreamAnswer]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records of the source from `at` on; `size` as in `Place`; `next`: where the following one begins, None at the
    end."""

    body: bytes = field(repr=False)
    at: int
    size: int
    next: int | None

    @property
    def whole(self) -> bool:
        return self.at == 0 and self.next is None


@dataclass(frozen=True, slots=True)
class _Page:
    body: bytes = field(repr=False)
    records: int
    last: bool


class NotThere(Exception):
    """The source has no such list."""


class Stretches:
    """One list, for one answer. `call`: it, without a page."""

    def __init__(self, call: UpstreamCall, paging: Paging) -> None:
        self._call = call
        self._paging = paging
        self._pages: dict[int, _Page] = {}

    async def at(self, place: Place, fetch: Fetch) -> Stretch:
        """Raises NotThere, EnvelopeBroken, and Stop when it takes too much."""
        first = await self._page(place.at, fetch)
        pages, end = [first], place.at + first.records
        while not pages[-1].last and end - place.at < (place.size or WHOLE):
            pages.append(await self._page(end, fetch))
            end += pages[-1].records
        if not place.size and not pages[-1].last:  # too long to be read whole
            return Stretch(first.body, place.at, max(first.records, 1), place.at + first.records)
        after = None if pages[-1].last else end
        return Stretch(envelope.joined([one.body for one in pages]), place.at, place.size or WHOLE, after)

    async def _page(self, at: int, fetch: Fetch) -> _Page:
        if at not in self._pages:
            if len(self._pages) >= _MOST_CALLS:
                raise Stop(Reason.UPSTREAM_TIMEOUT)
            self._pages[at] = await self._read(at, fetch)
        return self._pages[at]

    async def _read(self, at: int, fetch: Fetch) -> _Page:
        paging, call = self._paging, self._call
        page = urlencode([(paging.limit, paging.most), (paging.offset, at), *paging.stable])
        query = f"{call.query}&{page}" if call.query else page
        answer = await fetch(UpstreamCall(call.source, call.method, call.path, query))
        if answer.status == 404:
            raise NotThere
        records = envelope.counted(answer.body)
        # a source may give fewer than were asked, so that only nothing, or its own count, is the end
        told = answer.total is not None and at + records >= answer.total
        return _Page(answer.body, records, last=records == 0 or told)
