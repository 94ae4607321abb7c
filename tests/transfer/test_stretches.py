"""transfer.stretches: who walks a long list stretch by stretch, in an order of their own within each, meets whoever
stays once, whatever comes and goes between two looks."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.policy.schema import Paging
from gateway.transfer.anchors import Place, Rank
from gateway.transfer.ports import UpstreamAnswer, UpstreamCall
from gateway.transfer.request import Stop
from gateway.transfer.stretches import Stretches

PAGE = 10
PAGING = Paging("limit", "offset", PAGE, "id")
CALL = UpstreamCall("lvs", "GET", "/all")
SIXTY = tuple(range(1_000, 1_600, 10))

Changes = Sequence[int]
"""Between two looks: a key that is there leaves, another one comes, once."""


@dataclass
class LongList:
    there: list[int]

    async def fetch(self, call: UpstreamCall) -> UpstreamAnswer:
        at = int(call.query.partition("offset=")[2])
        page = [{"id": f"{one:06}"} for one in self.there[at : at + PAGE]]
        return UpstreamAnswer(200, "", msgspec.json.encode(page), len(self.there))


def rank(key: int) -> Rank:
    """As pseudonyms do, it says nothing of the source's order."""
    return "", hashlib.sha256(str(key).encode()).hexdigest(), 0


async def told(source: LongList, limit: int, meanwhile: Sequence[Changes]) -> tuple[list[int], set[int]]:
    """Whom the pages tell of, and who was there all the time."""
    found, stay, seen, place = list[int](), set(source.there), set(source.there), Place(0, PAGE)
    for number in range(1_000):
        page, following = await _page(source, limit, place)
        found += page
        if following is None:
            return found, stay
        place = following
        for one in meanwhile[number] if number < len(meanwhile) else ():
            if one in source.there:
                source.there.remove(one)
                stay.discard(one)
            elif one not in seen:
                source.there = sorted([*source.there, one])
                seen.add(one)
    raise AssertionError("the walk does not end")


async def _page(source: LongList, limit: int, place: Place) -> tuple[list[int], Place | None]:
    """As `paged` does."""
    stretches, page = Stretches(CALL, PAGING), list[int]()
    while True:
        stretch = await stretches.at(place, source.fetch)
        here = sorted((int(one["id"]) for one in msgspec.json.decode(stretch.body)), key=rank)
        rest = [one for one in here if place.after is None or rank(one) > place.after]
        chosen = rest[: limit - len(page)]
        page += chosen
        if len(chosen) < len(rest):
            last = rank(chosen[-1]) if chosen else place.after
            return page, msgspec.structs.replace(stretch.place, after=last)
        if stretch.next is None:
            return page, None
        place = stretch.next


@pytest.mark.anyio
async def test_whoever_comes_before_a_stretch_pushes_nobody_of_it_into_the_next() -> None:
    found, stay = await told(LongList([*SIXTY]), 7, [[1], [2], [3], [1_001], [1_002]])

    assert stay <= set(found)
    assert len(found) == len(set(found))


LEAVES_AND_COMES: list[Changes] = [
    [],
    [],
    [1_090, 995],
    [1_080, 996, 997],
    [1_170, 1_180, 1_011, 1_021],
    [1_160, 1_031],
]

MANY_COME: list[Changes] = [
    *([], [], [1_091, 1_092, 1_093], [], [], [], [], [], []),
    *([990, 992, 993, 994], [991, 999, 1_001, 1_211], [995, 996, 997, 998]),
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.integers(990, 1_610), max_size=7), max_size=25), st.sampled_from([3, 7, 10, 13]))
@example(LEAVES_AND_COMES, 3)
@example(MANY_COME, 3)
def test_long_list_in_order_is_told_once_or_the_walk_begins_again(meanwhile: list[Changes], limit: int) -> None:
    try:
        found, stay = asyncio.run(told(LongList([*SIXTY]), limit, meanwhile))
    except Stop:
        return  # its place is not found again

    assert stay <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.anyio
async def test_stretch_begins_behind_what_is_known_where_that_was_pushed_onto_another_page() -> None:
    """The record that was pushed onto the next page and is known is not taken for one that is new."""
    source = LongList([*SIXTY])
    first = await Stretches(CALL, PAGING).at(Place(0, PAGE), source.fetch)
    assert first.next is not None
    source.there = [*range(PAGE), *SIXTY]  # the last record but one that is known ends a page

    second = await Stretches(CALL, PAGING).at(first.next, source.fetch)

    assert int(msgspec.json.decode(second.body)[0]["id"]) == SIXTY[PAGE]


@pytest.mark.anyio
async def test_what_is_passed_over_is_not_kept() -> None:
    source, kept = LongList([*range(1_000, 1_600)]), 10_000

    async def fetch(call: UpstreamCall) -> UpstreamAnswer:
        answer = await source.fetch(call)
        return UpstreamAnswer(200, "", answer.body.replace(b"{", b'{"a":"' + b"x" * kept + b'",'), answer.total)

    stretches, place = Stretches(CALL, PAGING), Place(0, PAGE)
    tracemalloc.start()
    try:
        for _ in range(30):
            following = (await stretches.at(place, fetch)).next
            assert following is not None
            place = following
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert held < 4 * PAGE * kept
