"""The msgspec types of one projection: what is decoded of a record, and nothing else.

Decoding is projecting: a field without a place in these types is skipped by the scanner and never becomes an object
(design, "One projection, three compilers"). Ids of persons are taken as raw text, only to look the person up; they
have no place in what is written. Leaves out: what is written (`walk`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

from gateway.core.model import FieldClass, Transform
from gateway.core.policy.schema import Leaf as SchemaLeaf
from gateway.core.release.masking import LONGEST
from gateway.core.release.projection import Branch, Leaf, Many, Node, Slot
from gateway.core.release.transforms import Unreadable
from gateway.formats.json.ids import ABSENT, array_of, id_names

_UUID = Annotated[str, Meta(pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
_FREE_TEXT = Annotated[str, Meta(max_length=LONGEST)]
FORMATS: Mapping[str, Any] = {
    "date": date,
    "date-time": datetime,  # with its time zone or, as many write it, without
    "uuid": _UUID,
}
MALFORMED = (Unreadable, msgspec.DecodeError, UnicodeDecodeError)
"""What is raised when a record is not what its schema says."""
_TYPES: Mapping[str, Any] = {"integer": int, "number": int | float, "boolean": bool}


@dataclass(frozen=True, slots=True)
class Shape:
    """How one object is decoded. `attributes`: JSON name → attribute of `type`; `whole`: the object only names a
    person and is taken as raw text; `passes`: what is decoded is what leaves, unchanged."""

    branch: Branch
    type: Any
    attributes: Mapping[str, str]
    children: Mapping[str, Shape]
    whole: bool
    passes: bool


def shape(branch: Branch, extra: Mapping[str, Any] | None = None) -> Shape:
    """The shape of an object of the tree. `extra`: JSON names that are decoded beside it, with their types."""
    if names_only(branch):
        return Shape(branch, Raw, {}, {}, whole=True, passes=False)
    children = {name: inner for name, node in branch.fields.items() if (inner := _child(node)) is not None}
    fields = {name: _field(node, children.get(name)) for name, node in branch.fields.items() if _decoded(node)}
    fields |= dict.fromkeys(id_fields(branch), (Raw, ABSENT))
    fields |= {branch.place: (str,)} if branch.place is not None else {}
    fields |= {name: (kind | None, None) for name, kind in (extra or {}).items() if name not in fields}
    attributes = {name: f"a{number}" for number, name in enumerate(fields)}
    plain = branch.subject is None and branch.place is None
    passes = plain and all(_passes(node, children.get(name)) for name, node in branch.fields.items())
    return Shape(branch, _struct(fields, attributes), attributes, children, whole=False, passes=passes)


def id_fields(branch: Branch) -> tuple[str, ...]:
    """The fields of an object that name its person."""
    subject = branch.subject
    return () if subject is None else id_names(subject.master, subject.typed, subject.keys)


def names_only(branch: Branch) -> bool:
    """A reference: beneath the record's root, nothing of it leaves but the person's id."""
    subject = branch.subject
    return subject is not None and bool(subject.at) and all(isinstance(node, Slot) for node in branch.fields.values())


def leaf_type(leaf: Leaf | SchemaLeaf) -> Any:
    """A scalar of its own type only: an object or another type makes the record malformed (house rule 2)."""
    if leaf.type != "string":
        return _TYPES[leaf.type]
    if leaf.values:
        return Literal[leaf.values]
    if leaf.maps is not None:
        return str
    if leaf.pattern is not None and leaf.format not in FORMATS:
        return Annotated[str, Meta(pattern=f"\\A(?:{leaf.pattern})\\Z")]
    if leaf.field_class is FieldClass.FREE_TEXT and leaf.format not in FORMATS:
        return _FREE_TEXT
    return FORMATS.get(leaf.format or "", str)


def _struct(fields: Mapping[str, tuple[Any, ...]], attributes: Mapping[str, str]) -> Any:
    return msgspec.defstruct(
        "Decoded",
        [(attributes[name], *parts) for name, parts in fields.items()],
        rename={attribute: name for name, attribute in attributes.items()},
        kw_only=True,
        omit_defaults=True,
        gc=False,  # trees without cycles: nothing for the collector
    )


def _child(node: Node) -> Shape | None:
    if isinstance(node, Branch):
        return shape(node)
    return shape(node.item) if isinstance(node, Many) and isinstance(node.item, Branch) else None


def _decoded(node: Node) -> bool:
    if isinstance(node, Slot):
        return False
    return node.read if isinstance(node, Leaf) else not (isinstance(node, Many) and node.empty)


def _field(node: Node, child: Shape | None) -> tuple[Any, ...]:
    """Type and default. Null and absent are the same: a format without `nullable` knows no null, and a field withheld
    for one person must look as it looks when the LVS has none (house rule 5)."""
    kind: Any
    if isinstance(node, Many):
        kind = array_of(leaf_type(node.item) if isinstance(node.item, Leaf) else _type(child))
    elif isinstance(node, Leaf):
        kind = leaf_type(node)
    else:
        kind = _type(child)
    if node.required:
        return (kind,)
    return (Raw, ABSENT) if kind is Raw else (kind | None, None)


def _type(child: Shape | None) -> Any:
    assert child is not None
    return child.type


def _passes(node: Node, child: Shape | None) -> bool:
    if isinstance(node, Leaf):
        return node.transform is Transform.KEEP and node.maps is None
    if isinstance(node, Many) and isinstance(node.item, Leaf):
        return node.required and not node.empty and _passes(node.item, None)
    return child is not None and child.passes and (node.required or isinstance(node, Branch))
