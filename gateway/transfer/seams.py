"""Walks over a list that its source gives in pages, and changes meanwhile.

An offset counts places, not records: whoever comes or goes moves all who stand behind. So every page is asked from the
last record before it on; where that stands elsewhere by now, it is looked for, and the walk goes on behind it. Nobody
is lost by that, or told twice, as long as records keep the order of their keys. A list that is in no such order is
believed once two readings agree. What is not found again is `Moved`: the walk must begin again, or say so.
Leaves out: asking a page (`stretches`, `export`), what becomes of the records.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from gateway.formats.json import envelope

MARKS = 6  # of the records before a place, by which it is found again
_MOST_PAGES = 100_000
_MOST_MOVES = 8  # looks for one place
_KEYED = re.compile(rb'["0-9-]')  # what begins a key in JSON; a record without one is known by itself


class Moved(Exception):
    """The list is another than it was."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page as the source gives it: records, the key of each as it stands in JSON, and how many there are in the
    whole list, where that is told."""

    records: Sequence[bytes] = field(repr=False)
    keys: Sequence[bytes] = field(repr=False)
    total: int | None = None

    @classmethod
    def of(cls, body: bytes, key: str, total: int | None) -> Sheet:
        """Raises EnvelopeBroken."""
        records = envelope.records(body)
        return cls(records, envelope.keys(records, key), total)


Read = Callable[[int], Awaitable[Sheet]]
"""The page that begins at this place."""


def mark(key: bytes) -> bytes:
    """By which a record is known again, in few bytes."""
    return hashlib.blake2b(key, digest_size=MARKS).digest()


# -- order -----------------------------------------------------------------------------------------------


def _numbers(key: bytes) -> tuple[int, bytes]:
    return len(key), key


def _letters(key: bytes) -> bytes:
    return re.sub(rb"[^0-9a-z]", b"", key.lower())


def _sql_server(key: bytes) -> bytes:
    """The order of a `uniqueidentifier` in SQL Server."""
    try:
        raw = uuid.UUID(key.strip(b'"').decode("ascii")).bytes_le
    except ValueError:
        return b""
    return raw[10:] + raw[8:10] + raw[6:8] + raw[4:6] + raw[:4]


ORDERS: tuple[Callable[[bytes], Any], ...] = (bytes, bytes.lower, _numbers, _letters, _sql_server)
"""What databases make of "in the order of the key"."""


@dataclass(slots=True)
class Order:
    """In which of the orders all records stood so far; `held`: in one at least, and no key twice."""

    _orders: tuple[Callable[[bytes], Any], ...] = ORDERS
    _last: bytes = b""

    @property
    def held(self) -> bool:
        return bool(self._orders)

    def add(self, keys: Iterable[bytes]) -> None:
        line = [*([self._last] if self._last else []), *(key for key in keys if _KEYED.match(key))]
        if line:
            self._orders = tuple(order for order in self._orders if _rises(map(order, line)))
            self._last = line[-1]


def _rises(values: Iterable[Any]) -> bool:
    return all(one < other for one, other in pairwise(values))


# -- the walk --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Walk:
    """`at`: where the next record stands; `marks`: of those before it that are known; `size`: of a page; `total`: as
    the source told last; `unsure`: two pages did not overlap."""

    read: Read
    at: int = 0
    marks: Sequence[bytes] = ()
    size: int = 0
    order: Order = field(default_factory=Order)
    ended: bool = False
    unsure: bool = False
    total: int | None = None
    _pages: int = 0
    _moves: int = 0
    _told: hashlib.blake2b = field(default_factory=hashlib.blake2b)

    async def next(self) -> Sequence[bytes] | None:
        """The records that follow; None at the end. Raises Moved, and what `read` raises."""
        while not self.ended and self._pages < _MOST_PAGES:
            # a source that gives one record at a time has no room for one that is known
            found = await (self._behind() if self.marks and self.size != 1 else self._ahead())
            if found:
                self._pages += 1
                return found
        if not self.ended:
            raise Moved
        return None

    async def confirm(self) -> None:
        """Of a list that was read from its beginning: raise Moved unless it surely is whole."""
        if self._pages > 1 and (self.unsure or not self.order.held):
            again = Walk(self.read)
            while await again.next() is not None:
                pass
            if again._told.digest() != self._told.digest():
                raise Moved

    async def _behind(self) -> Sequence[bytes]:
        """The page that begins with the last record that is known, or what of it stands behind that by now."""
        place = self.at - 1
        sheet = await self.read(place)
        found = self._known(sheet)
        if found is None:  # they moved up
            place = max(0, place - max(1, self.size // 2))
            sheet = await self.read(place)
            found = self._known(sheet)
        if found is None:
            raise Moved
        at, last = found
        if (at, place, last) != (0, self.at - 1, len(self.marks) - 1):
            return self._elsewhere(sheet, place, at, last)
        if len(sheet.records) == 1 and not _complete(sheet, place):  # the end, or there is room for no more
            return await self._ahead()
        return self._taken(sheet, place, 1)

    def _elsewhere(self, sheet: Sheet, place: int, at: int, last: int) -> Sequence[bytes]:
        """Those behind it on the same page, if any; else look there next time. Whoever passed from behind to before
        that place would be seen by nothing but the order."""
        self._moves += 1
        if self._moves > _MOST_MOVES or not self.order.held:
            raise Moved
        begins, latest = (at, place) == (0, self.at - 1), last == len(self.marks) - 1
        if at + 1 < len(sheet.records) and (begins or latest):
            return self._taken(sheet, place, at + 1)
        if begins:  # elsewhere those that were behind it may stand on the next page
            self.marks = self.marks[: last + 1]
        self.at = place + at + 1
        return ()

    async def _ahead(self) -> Sequence[bytes]:
        sheet = await self.read(self.at)
        if self._known(sheet) is not None:
            raise Moved
        self.unsure = self.unsure or bool(self.at and sheet.records)
        return self._taken(sheet, self.at, 0)

    def _known(self, sheet: Sheet) -> tuple[int, int] | None:
        """The last record that is known, and the how-manieth of those that are: who stands behind it is new. Where the
        page begins with it, it is that one, whoever behind bears the same key."""
        if sheet.keys and self.marks and mark(sheet.keys[0]) == self.marks[-1]:
            return 0, len(self.marks) - 1
        known = {one: number for number, one in enumerate(self.marks)}
        for at in reversed(range(len(sheet.keys))):
            number = known.get(mark(sheet.keys[at]))
            if number is not None:
                return at, number
        return None

    def _taken(self, sheet: Sheet, place: int, begin: int) -> Sequence[bytes]:
        new = sheet.keys[begin:]
        self.at, self.total, self._moves = place + len(sheet.records), sheet.total, 0
        self.ended = not new or _complete(sheet, place)
        self.size = max(self.size, len(sheet.records))
        self.order.add(new)
        self.marks = [mark(key) for key in sheet.keys] or self.marks
        for key in new:
            self._told.update(len(key).to_bytes(8, "big") + key)
        return sheet.records[begin:]


def _complete(sheet: Sheet, place: int) -> bool:
    """Whether the list ends with this page. A source may give fewer than were asked, so that only its own count is the
    end."""
    return sheet.total is not None and place + len(sheet.records) >= sheet.total
