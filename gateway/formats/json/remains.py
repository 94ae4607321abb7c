"""What is told of a record when it ends: its ids, what leaves for everybody, fillers where the format requires more.

Nothing of what the person's record said is in it, so that it may be kept and told after a withdrawal or an erasure.
Leaves out: when it is told (`core.release.views`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.core.model import Transform
from gateway.core.policy.schema import LeafType
from gateway.core.release.projection import Branch, Leaf, Many, Node, Slot
from gateway.core.release.views import Stamp

_FILLERS: Mapping[LeafType, Any] = {"string": "-", "integer": 0, "number": 0, "boolean": False}
_FORMATS: Mapping[str, str] = {
    "date": "2000-01-01",
    "date-time": "2000-01-01T00:00:00Z",
    "uuid": "00000000-0000-8000-8000-000000000000",
}

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def remains_of(root: Branch) -> Callable[[bytes], bytes]:
    """A function of a record as it leaves, without the gateway's own words."""
    return lambda record: _encode(_object(root, _decode(record)))


def _object(branch: Branch, record: Mapping[str, Any]) -> dict[str, Any]:
    kept = ((name, _kept(node, record.get(name))) for name, node in branch.fields.items())
    return {name: value for name, value in kept if value is not None}


def _kept(node: Node, value: Any) -> Any:
    match node:
        case Slot():
            return value
        case Leaf():
            return _leaf(node, value)
        case Many():
            return _items(node, value or []) if node.required else None
        case Branch():
            return _object(node, value or {}) if node.required else None


def _items(many: Many, value: list[Any]) -> list[Any]:
    """None of them; one, without what it said, where the format wants one."""
    if not many.filled or not value:
        return []
    item = many.item
    return [_object(item, value[0]) if isinstance(item, Branch) else _leaf(item, value[0])]


def _leaf(leaf: Leaf, value: Any) -> Any:
    if leaf.transform is Transform.VIEW:
        return None
    if leaf.transform is Transform.FIXED or (leaf.maps is not None and value is not None):
        return value
    if not leaf.required:
        return None
    return leaf.filler or next(iter(leaf.values), None) or _FORMATS.get(leaf.format or "", _FILLERS[leaf.type])


class Words:
    """The gateway's own words for a record, as they stand at its end. `tells_ends`: one of them is its status."""

    def __init__(self, root: Branch) -> None:
        leaves = [(name, node) for name, node in root.fields.items() if isinstance(node, Leaf)]
        self._names = [(name, node.view) for name, node in leaves if node.view is not None]
        self.tells_ends = any(view == "status" for _, view in self._names)
        self._made: dict[Stamp, bytes] = {}

    def write(self, record: bytes, stamp: Stamp) -> bytes:
        """The record with them."""
        made = self._made.get(stamp)
        if made is None:
            made = self._make(stamp)
        return record[:-1] + (made if len(record) > len(b"{}") else made[1:]) if made else record

    def _make(self, stamp: Stamp) -> bytes:
        """With a comma before them, and the brace behind; nothing where none leaves."""
        said = {"created": stamp.first, "modified": stamp.changed, "status": stamp.status}
        words = {name: said[view] for name, view in self._names}
        made = b"," + _encode(words)[1:] if words else b""
        if len(self._made) >= _MOST:
            self._made.clear()
        self._made[stamp] = made
        return made


_MOST = 10_000  # records that changed in one answer share a moment
