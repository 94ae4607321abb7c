"""Rate limits per origin and per recipient, and a bound on what runs at once (R107). In memory, per process.

A bucket holds one minute's worth of calls and fills evenly, so that a burst passes and a flood does not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.core.reasons import Reason
from gateway.transfer.request import Stop


class RateLimit:
    """`per_minute` calls for each key; remembers at most `keys` keys, the longest unused is forgotten.
    `clock`: monotonic seconds."""

    def __init__(self, per_minute: int, clock: Callable[[], float], keys: int = 10_000) -> None:
        self._rate = per_minute / 60
        self._size = float(per_minute)
        self._clock = clock
        self._keys = keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """As `allows`; Stop(RATE_LIMITED) when it is empty."""
        if not self.allows(key):
            raise Stop(Reason.RATE_LIMITED)

    def allows(self, key: str) -> bool:
        """Take one call from the bucket of `key`; False when it is empty."""
        now = self._clock()
        level, since = self._buckets.pop(key, (self._size, now))
        level = min(self._size, level + (now - since) * self._rate)
        allowed = level >= 1
        self._buckets[key] = (level - 1 if allowed else level, now)
        if len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        return allowed


class Concurrency:
    """At most `most` calls at once for each key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: dict[str, int] = {}

    @contextmanager
    def slot(self, key: str) -> Iterator[None]:
        """Hold a place; Stop(OVERLOADED) when none is free."""
        running = self._running.get(key, 0)
        if running >= self._most:
            raise Stop(Reason.OVERLOADED)
        self._running[key] = running + 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]
