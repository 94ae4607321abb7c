"""web.limits: a burst passes, a flood does not."""

from __future__ import annotations

import pytest

from gateway.core.reasons import Reason
from gateway.transfer.request import Stop
from gateway.web.limits import Concurrency, RateLimit


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rate_limit_burst_of_one_minute_passes_and_the_next_does_not() -> None:
    limit = RateLimit(60, Clock())

    assert [limit.allows("a") for _ in range(61)] == [True] * 60 + [False]


def test_rate_limit_bucket_fills_evenly() -> None:
    clock = Clock()
    limit = RateLimit(60, clock)
    while limit.allows("a"):
        pass
    clock.now = 1.5

    assert [limit.allows("a"), limit.allows("a")] == [True, False]


def test_rate_limit_one_key_leaves_another_alone() -> None:
    limit = RateLimit(1, Clock())
    limit.allows("a")

    assert limit.allows("b")


def test_rate_limit_many_keys_forgets_the_longest_unused() -> None:
    limit = RateLimit(1, Clock(), keys=2)
    for key in ("a", "b", "c"):
        limit.allows(key)

    assert [limit.allows("c"), limit.allows("a")] == [False, True]


def test_concurrency_beyond_the_most_stops() -> None:
    concurrency = Concurrency(1)
    with concurrency.slot("a"), pytest.raises(Stop) as stop, concurrency.slot("a"):
        pass

    assert stop.value.reason is Reason.OVERLOADED


def test_concurrency_slot_is_free_again_after_an_error() -> None:
    concurrency = Concurrency(1)
    with pytest.raises(ValueError, match="x"), concurrency.slot("a"):
        raise ValueError("x")

    with concurrency.slot("a"):
        pass
