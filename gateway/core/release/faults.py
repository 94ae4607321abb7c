"""Where a record is not what its schema says: the field, as the schema file names it, and what was expected there.

For the school only: it is a verdict about somebody's record, and the recipient learns of none (house rule 5). Words of
the schema alone, never a value nor a name from outside (house rule 8). Leaves out: what becomes of such a record
(`emission`), finding the field (`formats`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.core.model import FieldClass
from gateway.core.policy import schema
from gateway.core.release import projection
from gateway.core.release.masking import LONGEST

_MOST = 200  # distinct faults that are counted each by itself
_SHOWN = 12  # values that a field may have, named one by one
REQUIRED, OBJECT, LIST, TEXT = "required: true", "fields: an object", "items: a list", "type: string"
ONCE, AN_ID, SOMEBODY = "one, where it has no items", "type: string, as every id", "the id of somebody"
_ALONE = "#text"  # what is written as a value alone, where nothing stands beside it
_EXAMPLES = {"date": ", as 2026-10-05", "date-time": ", as 2026-10-05T09:30:00+02:00"}


class Fault(NamedTuple):
    """`path`: of the schema, "" for the record itself."""

    path: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path or 'the record'}: expected {self.expected}"


ELSEWHERE = Fault("", "what its schema says, in other fields too")
Faults = dict[Fault, int]
"""In how many records each stood."""


def add(faults: Faults, more: Mapping[Fault, int]) -> None:
    """Count these too, within a bound."""
    for fault, times in more.items():
        counted = fault if fault in faults or len(faults) < _MOST else ELSEWHERE
        faults[counted] = faults.get(counted, 0) + times


def told(faults: Mapping[Fault, int], most: int) -> Iterator[str]:
    """In a sentence each, the most frequent first."""
    for fault, times in sorted(faults.items(), key=lambda one: (-one[1], one[0]))[:most]:
        yield f"{fault} ({times} record{'' if times == 1 else 's'})"


def expectation(leaf: schema.Leaf | projection.Leaf) -> str:
    """What this field holds, in the words of its schema."""
    if leaf.values:
        more = ", …" if len(leaf.values) > _SHOWN else ""
        return f"values: {', '.join(leaf.values[:_SHOWN])}{more}"
    if leaf.pattern is not None:
        return f"pattern: {leaf.pattern}"
    if leaf.format is not None:
        return f"format: {leaf.format}{_EXAMPLES.get(leaf.format, '')}"
    if leaf.field_class is FieldClass.FREE_TEXT:
        return f"type: {leaf.type}, of at most {LONGEST} signs"
    return f"type: {leaf.type}"


def readable(leaf: projection.Leaf) -> str:
    """What the transform of this field reads."""
    return f"what `transform: {leaf.transform}` reads"


class Laid:
    """What came of laying a record beside its schema. `faults`: how often each; `seen`: paths at which something stood;
    `unknown`: names that the schema does not have, as the source wrote them."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.seen: set[str] = set()
        self.unknown: set[str] = set()

    def __repr__(self) -> str:
        return f"<Laid, {len(self.faults)} faults>"


class Ruler:
    """How one format measures a value: `misfit` says what was expected of it, None where it fits."""

    def misfit(self, path: str, leaf: schema.Leaf, value: Any) -> str | None:
        raise NotImplementedError

    def lay(self, root: schema.Branch, record: Any, only: frozenset[str] | None = None) -> Laid:
        """`record`: objects, lists and scalars under the names of the schema; `only`: paths that count."""
        found = Laid()
        _Laying(self, found, only).branch(root, record, "")
        return found


class _Laying:
    def __init__(self, ruler: Ruler, found: Laid, only: frozenset[str] | None) -> None:
        self._ruler = ruler
        self._found = found
        self._only = only

    def branch(self, branch: schema.Branch, value: Any, path: str) -> None:
        if set(branch.fields) == {_ALONE} and not isinstance(value, Mapping | list):
            value = {_ALONE: value}
        if not isinstance(value, Mapping):
            self._fault(path, OBJECT)
            return
        prefix = f"{path}." if path else ""
        for name, node in branch.fields.items():
            within = f"{prefix}{name}"
            if self._only is None or within in self._only:
                self._field(node, value.get(name), within, rows=branch.repeats)
        self._found.unknown |= {f"{prefix}{name}" for name in value.keys() - branch.fields.keys()}

    def _field(self, node: schema.Node, value: Any, path: str, *, rows: bool) -> None:
        if value is None or (isinstance(node, schema.Many) and node.filled and value == []):
            if node.required and node.choice is None:
                self._fault(path, REQUIRED)
            return
        self._found.seen.add(path)
        if not isinstance(node, schema.Many):
            if isinstance(value, list) and not rows:
                self._fault(path, ONCE)
            for one in value if isinstance(value, list) else (value,):
                self._item(node, one, path)
        elif isinstance(value, list):
            for item in value:
                self._item(node.item, item, path)
        else:
            self._fault(path, LIST)

    def _item(self, node: schema.Leaf | schema.Branch, value: Any, path: str) -> None:
        if isinstance(node, schema.Branch):
            self.branch(node, value, path)
        else:
            expected = self._ruler.misfit(path, node, value)
            if expected is not None:
                self._fault(path, expected)

    def _fault(self, path: str, expected: str) -> None:
        add(self._found.faults, {Fault(path, expected): 1})
