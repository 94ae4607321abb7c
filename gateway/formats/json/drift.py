"""Fields that the source sends and the schema does not know (R9): their names, counted per record, never a value.

Leaves out: when to look, and when a name was seen often enough to be shown (`transfer`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from gateway.core.policy.schema import Branch, Leaf, Many, Node, Record
from gateway.core.release.drift import shown

_RECORDS = 64  # looked at in one list: a field that only few records have turns up in another sample


def unknown_fields(body: bytes, record: Record, *, many: bool) -> Mapping[str, int]:
    """Path of every unknown field → in how many records it stood, of some spread over a list. A body that is no JSON
    has none."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    counts: Counter[str] = Counter()
    records = found if many and isinstance(found, list) else [found]
    for one in records[:: len(records) // _RECORDS + 1]:
        counts.update(set(_unknown(one, record.fields, "")))
    return dict(counts)


def _unknown(value: Any, node: Node, prefix: str) -> Iterator[str]:
    if isinstance(node, Leaf):
        return
    if isinstance(node, Many):
        for item in value if isinstance(value, list) else ():
            yield from _unknown(item, node.item, prefix)
    elif isinstance(value, dict):
        yield from _beneath(value, node, prefix)


def _beneath(value: dict[str, Any], branch: Branch, prefix: str) -> Iterator[str]:
    for name, inner in value.items():
        known = branch.fields.get(name)
        if known is None:
            yield f"{prefix}{shown(name)}"
        else:
            yield from _unknown(inner, known, f"{prefix}{name}.")
