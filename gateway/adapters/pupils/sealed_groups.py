"""How the LVS's ids of groups stand in the roster: sealed, as every id there (house rule 8).

One text for one meaning at one location: classmates have the same, so that it is opened once, and a synchronisation
sees that nothing moved. Leaves out: what stands in it (`observed`).
"""

from __future__ import annotations

from functools import lru_cache

from gateway.adapters.store_keys import StoreKeys

_REMEMBERED = 4_096  # texts
_OPEN = "["  # how a text begins that was written before they were sealed


class SealedGroups:
    """Of one source."""

    def __init__(self, keys: StoreKeys, source: str) -> None:
        self._keys = keys
        self._source = source
        self.seal = lru_cache(_REMEMBERED)(self._seal)
        self.open = lru_cache(_REMEMBERED)(self._opened)

    def __repr__(self) -> str:
        return "<SealedGroups>"

    def _seal(self, location: str, text: str) -> str:
        return self._keys.seal(text.encode(), self._row(location)).hex()

    def _opened(self, location: str, stored: str) -> str:
        if stored.startswith(_OPEN):
            return stored
        return self._keys.open(bytes.fromhex(stored), self._row(location)).decode()

    def _row(self, location: str) -> bytes:
        return f"roster/{self._source}/{location}".encode()
