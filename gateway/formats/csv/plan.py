"""A projection beside its schema, compiled to the columns that leave, in the order of the schema.

Made once per set of withheld paths. A cell is a value, or speaks of a person (an object with `#text` alone), or holds
several of either. Leaves out: what a value becomes (`core.release.texts`), the walk over rows (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from gateway.core.model import Transform
from gateway.core.policy import schema
from gateway.core.policy.grants import leaf_at
from gateway.core.policy.schema import Record
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.projection import Branch, Leaf, Many, Node, Slot, Subject, leaves
from gateway.core.release.texts import Read, becomes, reader
from gateway.formats.csv.places import TEXT, Place


@dataclass(frozen=True, slots=True)
class Value:
    """What one cell, or one item in it, becomes: as `leaf` says, or (`slot`) the id of whom it names. `place`: whom an
    item speaks of, who may be withheld alone."""

    leaf: Leaf
    read: Read
    becomes: Callable[[str], str] | None
    slot: Slot | None = None
    place: Place | None = None
    refers: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column that leaves. `value` None: it is empty for everybody. `at`: of whom the cell speaks; "" the row."""

    name: str
    value: Value | None
    many: bool
    required: bool
    at: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A column by which a row needs a row of another file: without that one it does not leave."""

    column: str
    to: str


class Planner:
    """For one kind of record. `most`: signs of one cell."""

    def __init__(self, record: Record, places: dict[str, Place], most: int) -> None:
        self._record = record
        self._places = places
        self._most = most

    def columns(self, root: Branch, reference: date) -> tuple[Column, ...]:
        """Raises DeliveryRefused for what is no cell."""
        named = ((name, node) for name, node in root.fields.items() if leaves(node))
        return tuple(self._column(name, node, reference) for name, node in named)

    def _column(self, name: str, node: Node, reference: date) -> Column:
        if isinstance(node, Branch):
            alone = self._places[name] if node.subject is not None and node.subject.withheld == "item" else None
            value = self._value(self._text(name, node), reference, alone)
            return Column(name, value, many=False, required=node.required, at=name)
        if isinstance(node, Many):
            if node.empty:
                return Column(name, None, many=True, required=False)
            item = self._text(name, node.item) if isinstance(node.item, Branch) else node.item
            place = self._places[name] if isinstance(node.item, Branch) else None
            return Column(name, self._value(item, reference, place), many=True, required=node.required, at=name)
        return Column(name, self._value(node, reference), many=False, required=node.required)

    def _text(self, name: str, branch: Branch) -> Leaf | Slot:
        inner = branch.fields.get(TEXT)
        if branch.subject is None or set(branch.fields) != {TEXT} or not isinstance(inner, Leaf | Slot):
            raise DeliveryRefused(f"{self._record.name}: {name} is no cell")
        return inner

    def _value(self, node: Leaf | Slot, reference: date, place: Place | None = None) -> Value:
        known = leaf_at(self._record.fields, node.path)
        assert known is not None, "a projection names fields of its record"
        read = self._read(known, node.path)
        if isinstance(node, Slot):
            leaf = Leaf(node.path, "string", node.required)
            return Value(leaf, read, None, node, place, known.refers)
        plain = node.read and node.transform not in (Transform.KEEP, Transform.MASK)
        return Value(node, read, becomes(node, reference) if plain else None, None, place, known.refers)

    def _read(self, leaf: schema.Leaf, path: str) -> Read:
        """As in every text format; what is true may be written in capitals, as spreadsheets do."""
        read = reader(leaf, self._most, path)
        return (lambda text: read(text.lower())) if leaf.type == "boolean" else read


def references(record: Record) -> Iterator[Reference]:
    """Required cells that name a row of another file, whether they leave or not."""
    for name, node in record.fields.fields.items():
        inner = node.fields.get(TEXT) if isinstance(node, schema.Branch) else node
        if isinstance(inner, schema.Leaf) and inner.refers is not None and node.required:
            yield Reference(name, inner.refers)


def subjects(root: Branch) -> Iterator[Subject]:
    """Everybody a row speaks of."""
    if root.subject is not None:
        yield root.subject
    for node in root.fields.values():
        inner = node.item if isinstance(node, Many) else node
        if isinstance(inner, Branch) and inner.subject is not None:
            yield inner.subject
