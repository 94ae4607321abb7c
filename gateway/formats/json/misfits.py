"""Where a malformed record of JSON is not what its schema says: looked up once it is known to be malformed.

The walk and the decoder only tell that something is wrong, at full speed; here the record is laid beside its schema, as
far as it was to be read. Leaves out: what becomes of it (`minimiser`), the measuring itself (`core.release.faults`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.model import Transform
from gateway.core.policy import schema
from gateway.core.policy.grants import slot_of
from gateway.core.release.faults import AN_ID, REQUIRED, Fault, Ruler, expectation, readable
from gateway.core.release.minimised import BROKEN
from gateway.core.release.projection import Branch, Leaf, Many, Projection, subjects
from gateway.core.release.transforms import Change, Unreadable, change
from gateway.formats.json.shapes import leaf_type

_UNKNOWN = Fault("", "what its schema says")


class JsonRuler(Ruler):
    """A value is what the decoder of its type reads, and its transform."""

    def __init__(self, record: schema.Record, changes: Mapping[str, tuple[Leaf, Change]] | None = None) -> None:
        self._ids = ids_of(record.subjects)
        self._changes = changes or {}

    def misfit(self, path: str, leaf: schema.Leaf, value: Any) -> str | None:
        """See Ruler."""
        if path in self._ids:
            return None if isinstance(value, str) else AN_ID
        try:
            read = msgspec.convert(value, leaf_type(leaf))
        except (msgspec.ValidationError, UnicodeError, RecursionError):
            return expectation(leaf)
        if path not in self._changes:
            return None
        made, how = self._changes[path]
        try:
            how(read)
        except Unreadable:
            return readable(made)
        return None


class Misfits:
    """Compiled with the minimiser."""

    def __init__(self, projection: Projection) -> None:
        self._record = projection.record
        self._leaves = {leaf.path: leaf for leaf in _read(projection.root)}
        here = {subject.at for subject in subjects(projection.root)}
        self._ids = ids_of([one for one in projection.record.subjects if one.at in here])
        read = {*self._leaves, *self._ids, *projection.record.places}
        self._only = frozenset(".".join(path.split(".")[:n]) for path in read for n in range(1, path.count(".") + 2))

    def __repr__(self) -> str:
        return f"<Misfits of {len(self._leaves)} fields>"

    def of(self, record: Any, reference: date) -> Iterable[Fault]:
        """`record`: as it came, or decoded."""
        ruler = JsonRuler(self._record, self._changes(reference))
        found = ruler.lay(self._record.fields, _plain(record), self._only).faults
        # who is not named is nobody the roster knows, and not malformed
        return [one for one in found if one.path not in self._ids or one.expected != REQUIRED] or (_UNKNOWN,)

    def _changes(self, reference: date) -> dict[str, tuple[Leaf, Change]]:
        found: dict[str, tuple[Leaf, Change]] = {}
        for path, leaf in self._leaves.items():
            how = change(leaf.transform, leaf.format, reference) if leaf.transform not in _UNREAD else None
            if how is not None:
                found[path] = leaf, how
        return found


def ids_of(positions: Iterable[schema.SubjectPosition]) -> frozenset[str]:
    """Every path at which an id of a person stands."""
    found: set[str] = set()
    for one in positions:
        at = f"{one.at}." if one.at else ""
        found |= {f"{at}{name}" for name in (one.keys.kinds if one.keys else ())} | slot_of(one).paths
    return frozenset(found)


def _plain(record: Any) -> Any:
    """As objects, lists and scalars; None where that cannot be."""
    try:
        return msgspec.json.decode(record if isinstance(record, Raw) else msgspec.json.encode(record))
    except (*BROKEN, ValueError):
        return None


def _read(branch: Branch) -> Iterator[Leaf]:
    for node in branch.fields.values():
        item = node.item if isinstance(node, Many) else node
        if isinstance(item, Branch):
            yield from _read(item)
        elif isinstance(item, Leaf) and item.read and not (isinstance(node, Many) and node.empty):
            yield item


_UNREAD = (Transform.KEEP, Transform.PSEUDONYM, Transform.MASK)
