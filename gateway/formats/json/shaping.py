"""What a recipient asks to be done with what leaves: only some fields, only some records, in another order.

Done on records as they leave, inside the gateway, so that a question can tell nothing that the answer does not (design,
"Filter and sort"); only over fields that leave as the source has them or as the recipient's own ids. A field that does
not leave is refused as one that nobody has. Leaves out: pages (`transfer.paged`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.core.model import Transform
from gateway.core.release.projection import Branch, Leaf, Many, Node, Projection, Slot, leaves

_FIELD = r"[A-Za-z_][A-Za-z0-9_.]*"
_CLAUSE = re.compile(rf"({_FIELD})(!=|>=|<=|=|>|<|~)'([^']*)'")
_BETWEEN = re.compile(r" +(AND|OR) +")
_MOST_CLAUSES = 8
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
}


class NotAsked(Exception):
    """This cannot be asked. Its text names fields of the schema only."""


@dataclass(frozen=True, slots=True)
class _Clause:
    path: tuple[str, ...]
    sign: str
    value: str

    def holds(self, record: Any) -> bool:
        """Of several values one is enough; of none, or of one that stays behind, nothing is said but `!=`."""
        found = [str(one) for one in _values(record, self.path)]
        if self.sign == "~":
            return any(self.value.casefold() in one.casefold() for one in found)
        test = _TESTS[self.sign]
        every = all if self.sign == "!=" else any
        return every(test(*_alike(one, self.value)) for one in found)


@dataclass(frozen=True, slots=True)
class Filter:
    """As OneRoster writes one: clauses with AND, or with OR."""

    clauses: tuple[_Clause, ...]
    every: bool

    @property
    def paths(self) -> frozenset[str]:
        """The fields it looks at."""
        return frozenset(".".join(clause.path) for clause in self.clauses)

    def holds(self, text: bytes) -> bool:
        """Of a record as it leaves."""
        record = orjson.loads(text)
        return (all if self.every else any)(clause.holds(record) for clause in self.clauses)


def read_filter(text: str, projection: Projection) -> Filter:
    """Raises NotAsked."""
    clauses: list[_Clause] = []
    signs: set[str] = set()
    at = 0
    while len(clauses) < _MOST_CLAUSES and (found := _CLAUSE.match(text, at)) is not None:
        path = _comparable(found[1], projection)
        clauses.append(_Clause(path, found[2], found[3]))
        between = _BETWEEN.match(text, found.end())
        if between is None:
            at = found.end()
            break
        signs.add(between[1])
        at = between.end()
    if not clauses or at != len(text) or len(signs) > 1 or len(clauses) != 1 + len(_BETWEEN.findall(_bare(text))):
        raise NotAsked("a filter is field='value', with AND or OR between")
    return Filter(tuple(clauses), "OR" not in signs)


def read_sort(text: str, projection: Projection) -> Callable[[bytes], str]:
    """What a record as it leaves is sorted by. Raises NotAsked."""
    path = _comparable(text, projection)
    return lambda record: "\0".join(str(one) for one in _values(orjson.loads(record), path))


def read_selection(text: str, projection: Projection) -> frozenset[str]:
    """Fields of the record itself. Raises NotAsked for one that does not leave."""
    names = frozenset(name.strip() for name in text.split(","))
    selectable = [name for name, node in projection.root.fields.items() if leaves(node)]
    if not names <= frozenset(selectable):
        raise NotAsked("these fields can be asked: " + ", ".join(selectable))
    return names


def selected(text: bytes, names: frozenset[str]) -> bytes:
    """Of a record as it leaves, these fields."""
    return orjson.dumps({name: value for name, value in orjson.loads(text).items() if name in names})


def _comparable(path: str, projection: Projection) -> tuple[str, ...]:
    """Raises NotAsked for whatever does not leave as the source has it, as an id of the recipient's own, or as the
    gateway's own word (what changed since)."""
    node: Node | None = projection.root
    steps = tuple(path.split("."))
    for step in steps:
        inside = node.item if isinstance(node, Many) and not node.empty else node
        node = inside.fields.get(step) if isinstance(inside, Branch) else None
    leaf = node.item if isinstance(node, Many) and not node.empty else node
    kept = isinstance(leaf, Leaf) and leaf.transform in (Transform.KEEP, Transform.VIEW)
    if not kept and not (isinstance(leaf, Slot) and leaf.form in ("own", "master")):
        raise NotAsked("no such field can be compared")
    return steps


def _values(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _values(one, path)
    elif path:
        yield from _values(value.get(path[0]), path[1:]) if isinstance(value, dict) else ()
    elif value is not None:
        yield value


def _alike(left: str, right: str) -> tuple[Any, Any]:
    """Moments as moments, however they are written; else text."""
    moments = _moment(left), _moment(right)
    return moments if None not in moments else (left, right)


def _moment(text: str) -> datetime | None:
    if not text[:4].isdigit():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _bare(text: str) -> str:
    """A filter without its values."""
    return re.sub(r"'[^']*'", "''", text)
