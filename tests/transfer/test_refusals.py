"""transfer.refusals: the first of an origin, minute and reason at once, the count when the minute ends."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from gateway.core.reasons import Reason
from gateway.transfer.refusals import Refusals
from gateway.transfer.released import Released, Unregistered
from tests.simulators.world import Clock, WatchedRegister, counting

pytestmark = pytest.mark.anyio

UNKNOWN = Reason.CALLER_UNAUTHENTICATED


class Desk:
    """Refusals with their register and clock."""

    def __init__(self) -> None:
        self.register = WatchedRegister([])
        self.clock = Clock()
        self.refusals = Refusals(self.register, self.clock, counting(), lambda sent: hashlib.sha256(sent).hexdigest())

    def minute_passes(self) -> None:
        self.clock.now += timedelta(minutes=1)

    @property
    def told(self) -> list[tuple[str, str, int | None]]:
        return [(draft.kind, draft.reasons[0].value, draft.count) for draft in self.register.drafts]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_first_refusal_is_registered_at_once(desk: Desk) -> None:
    answer = await desk.refusals.refuse("192.0.2.1", UNKNOWN)

    assert desk.told == [("refusal", "CALLER_UNAUTHENTICATED", None)]
    assert isinstance(answer, Released)
    assert answer.receipt.id == desk.register.drafts[0].id
    assert answer.reason is UNKNOWN


async def test_refusals_in_the_same_minute_are_counted(desk: Desk) -> None:
    for _ in range(5):
        await desk.refusals.refuse("192.0.2.1", UNKNOWN)
    desk.minute_passes()
    await desk.refusals.flush(ended_only=True)

    assert desk.told[1:] == [("refusals", "CALLER_UNAUTHENTICATED", 4)]


async def test_counted_refusal_bears_the_id_of_the_first(desk: Desk) -> None:
    answers = [await desk.refusals.refuse("192.0.2.1", UNKNOWN) for _ in range(2)]

    assert {answer.receipt.id for answer in answers if isinstance(answer, Released)} == {desk.register.drafts[0].id}


async def test_single_refusal_leaves_no_count(desk: Desk) -> None:
    await desk.refusals.refuse("192.0.2.1", UNKNOWN)
    desk.minute_passes()
    await desk.refusals.flush(ended_only=True)

    assert len(desk.told) == 1


async def test_count_of_the_running_minute_waits(desk: Desk) -> None:
    for _ in range(2):
        await desk.refusals.refuse("192.0.2.1", UNKNOWN)
    await desk.refusals.flush(ended_only=True)

    assert len(desk.told) == 1


async def test_flush_before_a_stop_registers_the_running_minute(desk: Desk) -> None:
    for _ in range(3):
        await desk.refusals.refuse("192.0.2.1", UNKNOWN)
    await desk.refusals.flush(ended_only=False)

    assert desk.told[1:] == [("refusals", "CALLER_UNAUTHENTICATED", 2)]


async def test_next_minute_is_registered_at_once_again(desk: Desk) -> None:
    await desk.refusals.refuse("192.0.2.1", UNKNOWN)
    desk.minute_passes()
    await desk.refusals.refuse("192.0.2.1", UNKNOWN)

    assert [kind for kind, _, _ in desk.told] == ["refusal", "refusal"]


async def test_other_origin_or_reason_is_registered_at_once(desk: Desk) -> None:
    await desk.refusals.refuse("192.0.2.1", UNKNOWN)
    await desk.refusals.refuse("192.0.2.2", UNKNOWN)
    await desk.refusals.refuse("192.0.2.1", Reason.RATE_LIMITED)

    assert len(desk.told) == 3


async def test_flood_of_origins_is_counted_as_one(desk: Desk) -> None:
    for number in range(10_005):
        await desk.refusals.refuse(str(number), UNKNOWN)

    assert len(desk.told) == 10_001


async def test_origin_itself_stands_nowhere(desk: Desk) -> None:
    await desk.refusals.refuse("192.0.2.77", UNKNOWN)

    assert "192.0.2.77" not in repr(desk.register.drafts)
    assert "192.0.2.77" not in repr(desk.register.entries)


async def test_unwritable_register_tells_nothing_but_that(desk: Desk) -> None:
    desk.register.unwritable = True

    assert isinstance(await desk.refusals.refuse("192.0.2.1", UNKNOWN), Unregistered)


async def test_refusal_after_an_unwritable_register_is_registered(desk: Desk) -> None:
    desk.register.unwritable = True
    await desk.refusals.refuse("192.0.2.1", UNKNOWN)
    desk.register.unwritable = False
    await desk.refusals.refuse("192.0.2.1", UNKNOWN)

    assert len(desk.told) == 1
