"""One set of files as it was handed in, and what left of it so far: what rows that come later are judged by.

Of rows of persons, however many there are, ids alone: of those that left, as far as others refer to them, and what
they refer to. Rows of nobody and of employees that wait, which are few, are held whole. Leaves out: what leaves of a
file (`sets`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.formats.csv.archive import Archive
from gateway.formats.csv.manifest import Contents
from gateway.formats.csv.minimiser import Sheet
from gateway.formats.csv.read import Table
from gateway.formats.csv.rows import Name, Row

Released = Mapping[str, AbstractSet[str]]
"""What stood in a column ("users.sourcedId") of the rows that leave."""


class Leg(NamedTuple):
    """A file of the walk, or (`waiting`) what waits of it."""

    name: str
    waiting: bool = False


@dataclass(slots=True)
class _Piece:
    """A sheet that is not yet known to leave."""

    name: str
    names: tuple[str, ...]
    sheet: Sheet
    alone: frozenset[Name] | None


@dataclass(slots=True, eq=False)
class Opened:
    """`there`: the files in it, in the schema's order; `full`: those that hold everything; `named`: of each, the
    columns by which others refer to its rows; `groups`: id columns of files that speak of nobody. `nobodys`: the rows
    of those, as if nothing stayed behind because nobody refers to it, once that was looked at; `alone`: which do,
    once that is known; `lost`: by what others refer to malformed rows; `lines`: how many left of each; `waiting`: rows
    of employees, below the names of their columns, that are looked at when that is known."""

    archive: Archive
    contents: Contents
    there: tuple[str, ...]
    full: frozenset[str]
    named: Mapping[str, frozenset[str]]
    groups: frozenset[str]
    nobodys: Mapping[str, Sequence[Row]] | None = field(default=None, repr=False)
    expected: Released = field(default_factory=dict, repr=False)
    alone: frozenset[Name] | None = field(default=None, repr=False)
    lost: set[Name] = field(default_factory=set, repr=False)
    said: dict[str, set[str]] = field(default_factory=dict, repr=False)
    lines: Counter[str] = field(default_factory=Counter)
    waiting: dict[str, Table] = field(default_factory=dict, repr=False)
    _released: dict[str, AbstractSet[str]] = field(default_factory=dict, repr=False)
    _file: str = ""
    _left: dict[str, set[str]] = field(default_factory=dict, repr=False)
    _piece: _Piece | None = field(default=None, repr=False)

    def released(self, name: str) -> Released:
        """When a row of this file is judged. Of a file that is not complete nothing follows; of one that comes later
        (its rows speak of nobody) what is expected of it, until rows of its like are judged themselves."""
        if name != self._file:
            if self._file in self.full:
                for one, texts in columns(self._file, self.named[self._file], self._left).items():
                    self._released[one] = self._released.get(one, frozenset()) | texts
            self._file, self._left = name, {}
        return self._released if self.nobodys is None or name in self.nobodys else {**self.expected, **self._released}

    def made(self, name: str, names: tuple[str, ...], sheet: Sheet, alone: frozenset[Name] | None) -> None:
        """A piece of this file, which has columns of these names: it counts once it is taken."""
        self._piece = _Piece(name, names, sheet, alone)

    def take(self) -> None:
        """The piece that was made last leaves."""
        piece = self._piece
        assert piece is not None
        self._piece = None
        self.alone = piece.alone
        self.lost |= piece.sheet.lost
        self.lines[piece.name] += len(piece.sheet.lines)
        self.waiting.setdefault(piece.name, Table(piece.names, [])).rows.extend(piece.sheet.waiting)
        for column, texts in piece.sheet.named.items():
            self._left.setdefault(column, set()).update(texts)
        for to, text in piece.sheet.said:
            if to in self.groups:
                self.said.setdefault(to, set()).add(text)


def columns(name: str, named: AbstractSet[str], left: Released) -> Released:
    """Of a whole file, by its name."""
    return {f"{name}.{one}": left.get(one, frozenset()) for one in named}
