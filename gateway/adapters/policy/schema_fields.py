"""The form of the fields in schemas/NAME.yaml: values, objects and lists, and their translation to values of core.

Leaves out: records, routes and who they are about (`schema_forms`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from gateway.adapters.policy.forms import UNANSWERED, CategoryName, ClassName, Form, Key, KindName, Mended
from gateway.core.policy.grants import node_at
from gateway.core.policy.schema import Branch, Claim, Flag, Hidden, Leaf, LeafType, Link, Many, Node, Recorded, Told

# A key that is missing from a leaf leaves the field unclassified, and that never goes out (R9).
RULES = {"class": "R9", "category": "R9"}

Fault = tuple[tuple[str | int, ...], str, str]

FieldName = Annotated[str, StringConstraints(pattern=r"^(#text|[A-Za-z_@][A-Za-z0-9_@:-]*)$", max_length=80)]
Plain = Annotated[str, StringConstraints(min_length=1, max_length=500), Mended(UNANSWERED)]
At = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_@][A-Za-z0-9_@:-]*(\.[A-Za-z_@][A-Za-z0-9_@:-]*)*)?$")]
Within = Annotated[str, StringConstraints(pattern=r"^/?[A-Za-z_@][A-Za-z0-9_@:-]*(\.[A-Za-z_@][A-Za-z0-9_@:-]*)*$")]


Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*(\.@?[A-Za-z_][A-Za-z0-9_-]*)+$")]


class HiddenForm(Form):
    """When one of the booleans `by` is true (a path from the enclosing object, or after a "/" from the record), the
    field stays behind, or leaves with a neutral value: `value`, or that of `values` for what stands in `kind`."""

    by: list[Within] = Field(min_length=1)
    value: Plain | None = None
    kind: At | None = None
    values: dict[Plain, Plain] = Field(default_factory=dict)


class FlagForm(Form):
    """This value says whether the parts `of` the record are there, in the words of the standard. `kinds`: of recipients
    to whom the standard always demands them."""

    of: list[At] = Field(min_length=1)
    absent: Plain
    demanded: Plain
    closed: list[Plain] = Field(default_factory=list)
    kinds: list[KindName] = Field(default_factory=list)


class ClaimForm(Form):
    """What the record says here only the school's facts decide. `granted`: the word that leaves where they say yes;
    `denied`: words for no, which hold a record where they say yes; `nothing`: the word that leaves where nothing was
    recorded. In XML only."""

    of: Recorded
    granted: Plain | None = None
    denied: list[Plain] = Field(default_factory=list)
    nothing: Plain | None = None


LinkPath = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9_.~-]+)+/\{[A-Za-z_][A-Za-z0-9_]*\}$")]


Format = Literal["date", "date-time", "uuid"]


class LeafForm(Form):
    """One value. `link`: a URL that the gateway makes, as /users/{sourcedId}: a path of this source, and what leaves in
    the field beside it; what the source wrote is never read."""

    type: LeafType
    field_class: ClassName = Field(alias="class")
    category: CategoryName
    required: bool = False
    maps: Key | None = None
    format: Format | None = None
    values: list[Plain] = Field(default_factory=list)
    pattern: Plain | None = None
    filler: Plain | None = None
    choice: Key | None = None
    several: bool = False
    hidden: HiddenForm | None = None
    flag: FlagForm | None = None
    refers: Reference | None = None
    view: Told | None = None
    claim: ClaimForm | None = None
    link: LinkPath | None = None


class BranchForm(Form):
    """An object."""

    fields: dict[FieldName, NodeForm]
    required: bool = False
    choice: Key | None = None
    hidden: HiddenForm | None = None
    repeats: bool = False


class ManyForm(Form):
    """A list, of values or of objects (then `items` names their fields). `filled`: it is never empty."""

    items: ItemForm
    required: bool = False
    choice: Key | None = None
    hidden: HiddenForm | None = None
    filled: bool = False


# Names of the alternatives; with brackets, because pydantic puts them in an error's place, where a key could stand.
_TAGS = {"type": "(value)", "fields": "(object)", "items": "(list)"}


def _node_kind(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    return next((tag for key, tag in _TAGS.items() if key in value), None)


def _item_kind(value: Any) -> str:
    """A field of an object may itself be called `type`; then a mapping stands behind it."""
    return "(value)" if isinstance(value, Mapping) and isinstance(value.get("type"), str) else "(object)"


NodeForm = Annotated[
    Annotated[LeafForm, Tag("(value)")] | Annotated[BranchForm, Tag("(object)")] | Annotated[ManyForm, Tag("(list)")],
    Discriminator(_node_kind),
]
ItemForm = Annotated[
    Annotated[LeafForm, Tag("(value)")] | Annotated[dict[FieldName, NodeForm], Tag("(object)")],
    Discriminator(_item_kind),
]


def node_of(node: LeafForm | BranchForm | ManyForm) -> Node:
    if isinstance(node, LeafForm):
        return _leaf(node)
    hidden = _hidden(node.hidden)
    if isinstance(node, BranchForm):
        return Branch(nodes_of(node.fields), node.required, node.choice, hidden, node.repeats)
    if isinstance(node.items, LeafForm):
        return Many(_leaf(node.items), node.required, node.choice, hidden, node.filled)
    return Many(Branch(nodes_of(node.items)), node.required, node.choice, hidden, node.filled)


def nodes_of(fields: Mapping[str, NodeForm]) -> dict[str, Node]:
    return {name: node_of(child) for name, child in fields.items()}


def _leaf(leaf: LeafForm) -> Leaf:
    return Leaf(
        leaf.type,
        leaf.category,
        leaf.field_class,
        leaf.required,
        leaf.maps,
        leaf.format,
        tuple(leaf.values),
        leaf.pattern,
        leaf.filler,
        leaf.choice,
        _hidden(leaf.hidden),
        _flag(leaf.flag),
        leaf.refers,
        leaf.several,
        leaf.view,
        _claim(leaf.claim),
        _link(leaf.link),
    )


def _link(template: str | None) -> Link | None:
    if template is None:
        return None
    path, _, beside = template.rpartition("/")
    return Link(path, beside[1:-1])


def _hidden(hidden: HiddenForm | None) -> Hidden | None:
    return None if hidden is None else Hidden(tuple(hidden.by), hidden.value, hidden.kind, dict(hidden.values))


def _claim(claim: ClaimForm | None) -> Claim | None:
    return None if claim is None else Claim(claim.of, claim.granted or "", tuple(claim.denied), claim.nothing or "")


def _flag(flag: FlagForm | None) -> Flag | None:
    if flag is None:
        return None
    return Flag(tuple(flag.of), flag.absent, flag.demanded, tuple(flag.closed), frozenset(flag.kinds))


def node_faults(
    where: tuple[str | int, ...], fields: Mapping[str, NodeForm], root: Branch, prefix: str
) -> Iterator[Fault]:
    """What a field says about other fields is about fields that are there."""
    for name, node in fields.items():
        place, path = (*where, name), f"{prefix}{name}"
        for by in node.hidden.by if node.hidden else ():
            at = by.removeprefix("/") if by.startswith("/") else f"{prefix}{by}"
            leaf = node_at(root, at)
            if not isinstance(leaf, Leaf) or leaf.type != "boolean":
                yield (*place, "hidden", "by"), "'by' must name boolean fields", "form"
        if isinstance(node, BranchForm):
            yield from node_faults((*place, "fields"), node.fields, root, f"{path}.")
        elif isinstance(node, ManyForm) and not isinstance(node.items, LeafForm):
            yield from node_faults((*place, "items"), node.items, root, f"{path}.")
        elif isinstance(node, LeafForm):
            yield from _leaf_faults(place, node, root)
            link = _link(node.link)
            if link is not None and (link.beside == name or link.beside not in fields):
                yield (*place, "link"), "'link' must name a field beside it", "form"


def _leaf_faults(place: tuple[str | int, ...], leaf: LeafForm, root: Branch) -> Iterator[Fault]:
    if leaf.flag and any(node_at(root, path) is None for path in leaf.flag.of):
        yield (*place, "flag", "of"), "'of' must name fields of this record", "form"
    if leaf.pattern is not None and not _compiles(leaf.pattern):
        yield (*place, "pattern"), "'pattern' is no regular expression", "form"
    if leaf.filler is not None and leaf.values and leaf.filler not in leaf.values:
        yield (*place, "filler"), "'filler' must be one of the values", "form"


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
