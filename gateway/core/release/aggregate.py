"""Which cells of a table of counts may be told, so that no small one can be computed from the others (R45).

A cell under the minimum is suppressed. That alone protects nobody: who knows a total from elsewhere (a school publishes
how many girls a year has) subtracts the cells that are told. The answer tells no totals, and is still protected as if
every total were known: for each suppressed cell other cells are suppressed with it, corners of a block in which counts
can be moved from one corner to the next while every total stays the same (the hypercube method of official statistics).
So of no suppressed cell more than a range can be known. And what is suppressed in one total is together no small group.
A suppressed cell looks as one that does not exist: also that somebody is in it stays unsaid.

Pure. Leaves out: who is counted (`screening`), what must not be counted (`rules_aggregate`), how often an answer is
asked (a later answer over other pupils is another table).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product

Value = str | int | float | bool | None
Key = tuple[Value, ...]
"""The values of one cell, in the order of the table's dimensions."""

MOST_CELLS = 600  # beyond it nearly every cell is small, and nothing is told
MOST_DIMENSIONS = 4


def told(table: Mapping[Key, int], minimum: int) -> dict[Key, int]:
    """The cells that may be told, of those that have anybody."""
    cells = {key: count for key, count in table.items() if count > 0}
    hidden = _Suppression(cells, minimum).hidden() if len(cells) <= MOST_CELLS else frozenset(cells)
    return {key: count for key, count in cells.items() if key not in hidden}


class _Suppression:
    """One table: its cells, and the totals that somebody may know."""

    def __init__(self, cells: Mapping[Key, int], minimum: int) -> None:
        self.cells = cells
        self.minimum = minimum
        dimensions = range(len(next(iter(cells), ())))
        self.subsets = [some for size in dimensions for some in combinations(dimensions, size + 1)]
        self.totals = [group for some in self.subsets for group in _grouped(cells, some) if len(group) > 1]
        self.alone = {
            some: {one for group in _grouped(cells, some) if len(group) == 1 for one in group}
            for some in _all(dimensions)
        }

    def hidden(self) -> frozenset[Key]:
        """All of them where a cell cannot be protected by fewer."""
        hidden = {key for key, count in self.cells.items() if count < self.minimum}
        protected: set[Key] = set()
        while True:
            bare = sorted(hidden - protected, key=self._size)
            if bare:
                block = self._block(bare[0], hidden)
                if block is None:
                    return frozenset(self.cells)
                hidden |= block
                protected |= block
            elif (more := self._too_few(hidden)) is not None:
                hidden.add(more)
            else:
                return frozenset(hidden)

    def _size(self, key: Key) -> tuple[int, str]:
        return self.cells[key], repr(key)

    def _too_few(self, hidden: set[Key]) -> Key | None:
        """The smallest told cell of a total in which too few are suppressed: their sum would be known."""
        for group in self.totals:
            within = sum(self.cells[key] for key in group if key in hidden)
            if 0 < within < self.minimum:
                rest = [key for key in group if key not in hidden]
                if rest:
                    return min(rest, key=self._size)
        return None

    def _block(self, key: Key, hidden: set[Key]) -> frozenset[Key] | None:
        """The block with this corner that costs least; None when there is none."""
        found = [block for some in self.subsets for block in self._blocks(key, some)]
        return min(found, key=lambda block: self._loss(block, hidden), default=None)

    def _loss(self, block: frozenset[Key], hidden: set[Key]) -> tuple[int, int, list[str]]:
        lost = [key for key in block if key not in hidden]
        return sum(self.cells[key] for key in lost), len(block), sorted(map(repr, block))

    def _blocks(self, key: Key, some: Sequence[int]) -> Iterator[frozenset[Key]]:
        """Blocks in these dimensions: every corner holds somebody, and is the only cell of its total over the other
        dimensions, so that no total but its own count changes with it."""
        others = tuple(place for place in range(len(key)) if place not in some)
        alone = self.alone[others]
        for far in self.cells:
            if any(far[place] == key[place] for place in some) or any(far[place] != key[place] for place in others):
                continue
            corners = frozenset(_corners(key, far, some))
            if all(corner in self.cells and corner in alone for corner in corners):
                yield corners


def _all(dimensions: Iterable[int]) -> list[tuple[int, ...]]:
    places = tuple(dimensions)
    return [some for size in range(len(places) + 1) for some in combinations(places, size)]


def _grouped(cells: Iterable[Key], over: Sequence[int]) -> list[list[Key]]:
    """The cells of each total over these dimensions; over none, each cell by itself."""
    groups: dict[Key, list[Key]] = {}
    for key in cells:
        groups.setdefault(tuple(value for place, value in enumerate(key) if place not in over), []).append(key)
    return list(groups.values())


def _corners(near: Key, far: Key, some: Sequence[int]) -> Iterator[Key]:
    for chosen in product((False, True), repeat=len(some)):
        moved = {place for place, other in zip(some, chosen, strict=True) if other}
        yield tuple(far[place] if place in moved else value for place, value in enumerate(near))
