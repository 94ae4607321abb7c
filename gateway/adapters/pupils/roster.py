"""The roster sync: who is a pupil or an employee at which location, in which groups, as a source itself tells it.

Holds what every dialect shares: one round over the locations, what is not learned, and the reading of a list in pages.
An answer that is not complete is not learned: of a location that fails, the earlier roster stays and grows old
(`FACTS_STALE`). Leaves out what each dialect asks (`dialects`), how persons are kept (`RosterBook`), when the sync runs
(the supervisor), and whether a pupil is in scope (`core.gate.screening`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from types import GenericAlias
from typing import Literal, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from gateway.adapters.lvs.wire import Limits
from gateway.core.policy.terms import Location
from gateway.core.release.minimised import BROKEN, EnvelopeBroken
from gateway.formats.json import envelope
from gateway.transfer.ports import (
    NotSent,
    Observation,
    RosterBook,
    UpstreamAnswer,
    UpstreamFailed,
    UpstreamTimeout,
)
from gateway.transfer.seams import Moved, Read, Sheet, Walk

_AMSTERDAM = ZoneInfo("Europe/Amsterdam")
_READINGS = 3  # of a list that moves while it is read

Failure = Literal["not-reached", "too-late", "unusable", "malformed", "filter-ignored", "doubted"]
Fetch = Callable[[str, str, str, Limits], Awaitable[UpstreamAnswer]]
Ids = frozenset[tuple[str, str]]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RosterSource:
    """One LVS and the locations it holds. `numbers`: the source whose numbers its pupils bear beside its own."""

    name: str
    locations: tuple[Location, ...]
    numbers: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One location, whole: everybody there, and how many could not be told apart."""

    persons: Sequence[Observation] = field(repr=False)
    unclear: int = 0


@dataclass(frozen=True, slots=True)
class Detail:
    """What a source tells of one pupil beside where that is; a birth date as it is written there."""

    ids: Ids = field(repr=False)
    birth: str | None = field(repr=False)
    bsn: str | None = field(repr=False)


class Dialect(Protocol):
    """One way in which a source tells who is where."""

    async def read(self, source: RosterSource, today: date) -> Mapping[str, Seen | Failure]:
        """Every location of this source, by name."""
        ...


class Details(Protocol):
    """One way in which a source tells more of its pupils."""

    async def details(self, source: RosterSource, location: Location, today: date) -> Sequence[Detail]:
        """Of one location, whole. Raises NotSent, UpstreamTimeout, UpstreamFailed, or as the format's parser does."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one location: how many persons were learned, how many could not be told apart."""

    source: str
    location: str
    persons: int = 0
    unclear: int = 0
    failure: Failure | None = None


class RosterSync:
    """Reads every location of every source of one dialect, and learns those that answered whole."""

    def __init__(
        self, dialect: Dialect, book: RosterBook, sources: Sequence[RosterSource], random: Callable[[int], bytes]
    ) -> None:
        self._dialect = dialect
        self._book = book
        self._sources = {source.name: source for source in sources}
        self._random = random

    async def run_source(self, name: str, now: datetime, believed: Collection[str] = ()) -> tuple[Outcome, ...]:
        """One round over the locations of this source. `believed`: where a person says that most pupils left."""
        read = await self._dialect.read(self._sources[name], legal_day(now))
        told = {location: seen.persons for location, seen in read.items() if isinstance(seen, Seen)}
        left_out = self._book.learn(name, told, now, self._random, believed=believed)
        return tuple([_outcome(name, location, seen, left_out.get(location, 0)) for location, seen in read.items()])


def _outcome(source: str, location: str, seen: Seen | Failure, left_out: int | None) -> Outcome:
    if not isinstance(seen, Seen):
        return Outcome(source, location, failure=seen)
    if left_out is None:
        return Outcome(source, location, len(seen.persons), failure="doubted")
    return Outcome(source, location, len(seen.persons) - left_out, seen.unclear + left_out)


def told_apart(persons: Sequence[Observation]) -> Sequence[Observation]:
    """Without those of one answer whose ids were given to several: joined, one pupil's records would leave as the
    other's."""
    marked = [_marked(one) for one in persons]
    several = of_several(marked)
    if not several:
        return persons
    return [one for one, ids in zip(persons, marked, strict=True) if ids not in several]


def of_several(ids: Iterable[Ids]) -> set[Ids]:
    """Those of one answer that share an id and have two of another kind."""
    return {one for together in groups_of_several(ids) for one in together}


def groups_of_several(ids: Iterable[Ids]) -> Iterator[list[Ids]]:
    """The same, by whom they share ids with."""
    for together in connected(list(ids)):
        kinds = [kind for kind, _ in frozenset().union(*together)]
        if len(set(kinds)) < len(kinds):
            yield together


def _marked(one: Observation) -> Ids:
    """An employee's number is no pupil's."""
    return frozenset((f"{one.person}/{kind}", value) for kind, value in one.ids.items())


def connected(references: Iterable[Ids]) -> Iterator[list[Ids]]:
    """Groups references that share an id, directly or through others."""
    bearing: defaultdict[tuple[str, str], list[Ids]] = defaultdict(list)
    for ids in references:
        for one in ids:
            bearing[one].append(ids)
    done: set[Ids] = set()
    for start in references:
        if start in done:
            continue
        together, waiting = [], [start]
        done.add(start)
        while waiting:
            ids = waiting.pop()
            together.append(ids)
            for neighbour in (other for one in ids for other in bearing[one] if other not in done):
                done.add(neighbour)
                waiting.append(neighbour)
        yield together


def legal_day(now: datetime) -> date:
    return now.astimezone(_AMSTERDAM).date()


async def whole(reading: Awaitable[_T]) -> _T | Failure:
    """What was read, or why not all of it was."""
    try:
        return await reading
    except NotSent:
        return "not-reached"
    except UpstreamTimeout:
        return "too-late"
    except UpstreamFailed:
        return "unusable"
    except (*BROKEN, EnvelopeBroken):
        return "malformed"


async def all_pages(page: Read, kind: type[_T]) -> list[_T]:
    """Every record of a list that comes in pages; whoever was passed over in a list that moved meanwhile would count as
    gone. Raises UpstreamFailed."""
    for _ in range(_READINGS):
        with suppress(Moved):
            records = envelope.joined(await _walked(Walk(page)))
            found: list[_T] = msgspec.json.decode(records, type=GenericAlias(list, (kind,)))
            return found
    raise UpstreamFailed("the list moved while it was read")


async def _walked(walk: Walk) -> list[bytes]:
    found: list[bytes] = []
    while (records := await walk.next()) is not None:
        found += records
    await walk.confirm()
    return found


def sheet(answer: UpstreamAnswer, name: str, key: str) -> Sheet:
    """A page of such a list, which stands under `name`. Raises UpstreamFailed."""
    try:
        return Sheet.of(envelope.opened(answer.body, name), key, answer.total)
    except EnvelopeBroken:
        raise UpstreamFailed("the LVS sent another list") from None
