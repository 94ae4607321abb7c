"""A record that says another birth date than the school recorded is not released on either (R109).

Only a birth date that is read is compared, of the person whose own object holds it. Leaves out: what becomes of the
person (`core.release.sight`).
"""

from __future__ import annotations

from gateway.core.model import Category
from gateway.core.policy.grants import leaf_at
from gateway.core.policy.schema import Record
from gateway.core.release.projection import Branch, Leaf
from gateway.formats.json.shapes import Shape


def differing(record: Record, branch: Branch, shape: Shape, read: str, person: str, *, optional: bool) -> list[str]:
    """Expressions over a decoded object, each true when it says another day than the one recorded of `person`."""
    if shape.whole:
        return []
    fields = [shape.attributes[name] for name, node in branch.fields.items() if _tells(record, node, name, shape)]
    here = f"{person} is not None and " if optional else ""
    return [f"{here}{person}.born and {read}.{one} is not None and {read}.{one} != {person}.born" for one in fields]


def _tells(record: Record, node: object, name: str, shape: Shape) -> bool:
    known = leaf_at(record.fields, node.path) if isinstance(node, Leaf) and name in shape.attributes else None
    return known is not None and known.category is Category.BIRTH_DATE and known.format == "date"
