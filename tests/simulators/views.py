"""release.views.Shelves in memory, over what a SimulatedRegister was given."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence

from gateway.core.release.views import Match, Remembered, Shelf, View, match
from tests.simulators.register import SimulatedRegister


class SimulatedShelves:
    """Look-up values and digests are hashes."""

    def __init__(self, register: SimulatedRegister) -> None:
        self._register = register

    def match(self, shelf: Shelf, keys: Sequence[str], contents: Sequence[bytes]) -> list[Match]:
        found = []
        for key, content in zip(keys, contents, strict=True):
            lookup = _hash(repr((shelf, key)).encode())
            known = self._register.views.get(lookup)
            found.append(match(lookup, _hash(lookup + content), known.view if known else None))
        return found

    def count(self, shelf: Shelf, places: frozenset[str] | None) -> int:
        return sum(1 for _ in self.others(shelf, places, ()))

    def others(
        self, shelf: Shelf, places: frozenset[str] | None, seen: Collection[bytes]
    ) -> Iterator[tuple[View, Remembered]]:
        for one in list(self._register.views.values()):
            here = one.shelf == shelf and (places is None or one.view.place in places)
            if here and one.view.lookup not in seen:
                yield one.view, one.remembered


def _hash(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()
