"""transfer.seams: a list that changes between two pages of it loses nobody who stays and tells nobody twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.transfer.seams import Moved, Order, Sheet, Walk

pytestmark = pytest.mark.anyio

Change = tuple[Literal["leaves", "comes", "moves"], int, int]
"""What, where in the list (modulo its length), and to what."""


@dataclass
class MovingList:
    """A source of which `changes[n]` happen once n + 1 pages were asked. `ordered`: who comes stands in the order of
    the keys, and nobody moves; `most`: records of a page; `counts`: whether it says how many there are."""

    there: list[int]
    changes: Sequence[Sequence[Change]] = ()
    most: int = 5
    ordered: bool = True
    counts: bool = True
    asked: list[int] = field(default_factory=list)
    stay: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.stay = set(self.there)

    async def read(self, at: int) -> Sheet:
        page = self.there[at : at + self.most]
        total = len(self.there) if self.counts else None
        for change in self.changes[len(self.asked)] if len(self.asked) < len(self.changes) else ():
            self._change(*change)
        self.asked.append(at)
        return Sheet([str(one).encode() for one in page], [f'"{one:06}"'.encode() for one in page], total)

    def _change(self, what: str, where: int, value: int) -> None:
        if what == "comes" and value not in self.there:
            self.there.insert(where % (len(self.there) + 1), value)
        elif what != "comes" and self.there:
            one = self.there.pop(where % len(self.there))
            if what == "moves" and not self.ordered:
                self.there.insert(value % (len(self.there) + 1), one)
            else:
                self.stay.discard(one)
        if self.ordered:
            self.there.sort()


async def told(source: MovingList) -> list[int]:
    walk, found = Walk(source.read), list[int]()
    while (page := await walk.next()) is not None:
        found += map(int, page)
    await walk.confirm()
    return found


TWENTY = list(range(10, 210, 10))
FIRST_LEAVES: Change = ("leaves", 0, 0)
ONE_COMES_FIRST: Change = ("comes", 0, 5)


@pytest.mark.parametrize("counts", [True, False], ids=["total told", "no total"])
@pytest.mark.parametrize("most", [1, 2, 5, 20, 50])
async def test_list_that_stays_as_it_is_is_told_once(most: int, counts: bool) -> None:  # noqa: FBT001 - a case
    assert await told(MovingList(TWENTY.copy(), most=most, counts=counts)) == TWENTY


async def test_list_that_stays_as_it_is_costs_no_page_more_than_it_has() -> None:
    source = MovingList(TWENTY.copy(), most=10)

    await told(source)

    assert source.asked == [0, 9, 18]


@pytest.mark.parametrize(
    "changes",
    [
        [[FIRST_LEAVES, ONE_COMES_FIRST]],
        [[FIRST_LEAVES]],
        [[ONE_COMES_FIRST]],
        [[("leaves", 4, 0)]],
        [[("leaves", 4, 0), ONE_COMES_FIRST]],
        [[("leaves", 0, 0), ("leaves", 0, 0)], [ONE_COMES_FIRST]],
    ],
    ids=["one for another", "first leaves", "one comes", "seam leaves", "seam for another", "again and again"],
)
@pytest.mark.parametrize("counts", [True, False], ids=["total told", "no total"])
async def test_whoever_stays_is_told_once_whoever_comes_or_goes_before(
    changes: list[list[Change]],
    counts: bool,  # noqa: FBT001 - a case
) -> None:
    source = MovingList(TWENTY.copy(), changes, counts=counts)

    found = await told(source)

    assert source.stay <= set(found)
    assert len(found) == len(set(found))


_CHANGES = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["leaves", "comes"]), st.integers(0, 60), st.integers(0, 300)), max_size=3
    ),
    max_size=12,
)  # fmt: skip


@given(_CHANGES, st.integers(1, 8), st.booleans())
@example([[FIRST_LEAVES, ONE_COMES_FIRST]], 5, True)
def test_list_in_order_is_told_whole_or_not_at_all(changes: list[list[Change]], most: int, counts: bool) -> None:  # noqa: FBT001 - drawn
    source = MovingList(TWENTY.copy(), changes, most, counts=counts)
    try:
        found = asyncio.run(told(source))
    except Moved:
        return
    assert source.stay <= set(found)
    assert len(found) == len(set(found))


@given(
    st.permutations(TWENTY),
    st.integers(1, 8),
    st.booleans(),
    st.integers(0, 6),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from(["moves", "leaves"]),
)
def test_list_in_no_order_is_told_whole_or_not_at_all(
    there: list[int],
    most: int,
    counts: bool,  # noqa: FBT001 - drawn
    when: int,
    where: int,
    to: int,
    besides: Literal["moves", "leaves"],
) -> None:
    """Somebody passes from behind to before the place where the walk is, and another makes room."""
    changes: list[list[Change]] = [*([] for _ in range(when)), [("moves", where, to), (besides, to, where)]]
    source = MovingList(there.copy(), changes, most, ordered=False, counts=counts)
    try:
        found = asyncio.run(told(source))
    except Moved:
        return
    assert source.stay <= set(found)
    assert len(found) == len(set(found))


async def test_swap_that_moves_no_seam_is_found_where_there_is_no_order() -> None:
    there = [30, 10, 50, 20, 40, 60]
    source = MovingList(there, [[("moves", 5, 0), ("leaves", 1, 0)]], most=3, ordered=False)

    with pytest.raises(Moved):
        await told(source)


async def test_source_that_gives_one_page_for_ever_is_left() -> None:
    asked = 0

    async def read(_at: int) -> Sheet:
        nonlocal asked
        asked += 1
        return Sheet([b"1", b"2"], [b'"1"', b'"2"'])

    with pytest.raises(Moved):
        await told_by(Walk(read))
    assert asked < 20


async def told_by(walk: Walk) -> None:
    while await walk.next() is not None:
        pass


@pytest.mark.parametrize(
    "keys",
    [
        [b'"a-1"', b'"ab"', b'"b"'],
        [b'"B"', b'"a"'],
        [b'"a"', b'"B"', b'"c"'],
        [b"9", b"10", b"200"],
        [b'"ab"', b'"a-c"', b'"ad"'],
        [b'"ff000000-0000-0000-0001-000000000000"', b'"01000000-0000-0000-0002-000000000000"'],
    ],
    ids=["bytes", "capitals first", "no capitals", "numbers", "without signs", "SQL Server"],
)  # fmt: skip
def test_order_of_a_database_is_known(keys: list[bytes]) -> None:
    order = Order()
    for key in keys:
        order.add([key])

    assert order.held


@pytest.mark.parametrize("keys", [[b'"b"', b'"a"', b'"c"'], [b'"a"', b'"a"']], ids=["no order", "a key twice"])
def test_what_is_in_no_order_is_known_too(keys: list[bytes]) -> None:
    order = Order()

    order.add(keys)

    assert not order.held


def test_record_without_a_key_says_nothing_of_the_order() -> None:
    order = Order()

    order.add([b'"a"', b'{"x":1}', b'"b"'])

    assert order.held


def test_record_is_known_by_its_key_whatever_else_of_it_changes() -> None:
    before, after = (Sheet.of(body, "id", None) for body in (b'[{"id": "a", "x": 1}]', b'[{"x":2,"id":"a"}]'))

    assert before.keys == after.keys == [b'"a"']
    assert Sheet.of(b'[{"x": 1}, 7]', "id", None).keys == [b'{"x": 1}', b"7"]


async def test_list_that_moves_with_every_call_is_walked() -> None:
    """One goes from the front and one comes at the end each time."""
    always: list[list[Change]] = [[FIRST_LEAVES, ("comes", 0, 1_000 + number)] for number in range(12)]
    source = MovingList(TWENTY.copy(), always, most=8)

    found = await told(source)

    assert source.stay <= set(found)
    assert len(found) == len(set(found))


KEYS = st.sampled_from([b'{"id":null', b'{"id":""', b"{", b'{"id":"a"', b'{"id":"b"'])


@given(st.lists(KEYS, max_size=15), st.integers(2, 6), st.booleans())
@example([b'{"id":"a"', b'{"id":null', b'{"id":"b"', b'{"id":null', b"{"], 2, True)
def test_list_in_which_several_bear_one_key_or_none_is_told_whole(
    begun: list[bytes],
    most: int,
    counts: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whoever stood between two of them was passed over."""
    there = [one + (b"," if len(one) > 1 else b"") + b'"n":%d}' % number for number, one in enumerate(begun)]

    async def read(at: int) -> Sheet:
        body = b"[" + b",".join(there[at : at + most]) + b"]"
        return Sheet.of(body, "id", len(there) if counts else None)

    assert asyncio.run(_records(Walk(read))) == there


async def _records(walk: Walk) -> list[bytes]:
    found = list[bytes]()
    while (page := await walk.next()) is not None:
        found += page
    await walk.confirm()
    return found
