"""The form of schemas/NAME.yaml and its translation to `core.model.Schema`.

Holds the shape and what must agree within one file (a subject position that exists, a parameter that is in the path).
Leaves out: what a recipient may get of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from gateway.adapters.forms import UNANSWERED, CategoryName, ClassName, Form, Key, Mended
from gateway.core.grants import leaves, node_at
from gateway.core.model import Person
from gateway.core.schema import (
    Branch,
    Leaf,
    LeafType,
    Many,
    Meant,
    NamedSubject,
    Node,
    Parameter,
    Record,
    Route,
    Schema,
    SubjectPosition,
    TypedIds,
    WriteBack,
)

# A key that is missing from a leaf leaves the field unclassified, and that never goes out (R9).
RULES = {"class": "R9", "category": "R9"}

FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_@][A-Za-z0-9_@:-]*$", max_length=80)]
Plain = Annotated[str, StringConstraints(min_length=1, max_length=500), Mended(UNANSWERED)]
At = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_@][A-Za-z0-9_@:-]*(\.[A-Za-z_@][A-Za-z0-9_@:-]*)*)?$")]
Template = Annotated[str, StringConstraints(pattern=r"^(/([A-Za-z0-9_.~-]+|\{[A-Za-z]+\}))+$")]


class LeafForm(Form):
    """One value."""

    type: LeafType
    field_class: ClassName = Field(alias="class")
    category: CategoryName
    required: bool = False
    maps: Key | None = None
    format: Plain | None = None
    values: list[Plain] = Field(default_factory=list)


class BranchForm(Form):
    """An object."""

    fields: dict[FieldName, NodeForm]
    required: bool = False


class ManyForm(Form):
    """A list, of values or of objects (then `items` names their fields)."""

    items: ItemForm
    required: bool = False


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


class TypedForm(Form):
    """A list of {value, type} ids; `kinds`: type on the wire → kind of id; `own`: the administration's own key."""

    path: At
    value: FieldName
    type: FieldName
    own: Plain
    kinds: dict[Plain, Key]


class IdentityForm(Form):
    """How a reference to a person is written; paths count from the reference."""

    master: At | None = None
    typed: TypedForm | None = None


class SubjectForm(Form):
    """A place where a record speaks of a person."""

    at: At
    person: Literal["pupil", "guardian", "staff"]
    withheld: Literal["record", "item"]
    ids: Key


class RecordForm(Form):
    """One kind of record."""

    subjects: list[SubjectForm] = Field(default_factory=list)
    order: At | None = None
    fields: dict[FieldName, NodeForm]


class ParameterForm(Form):
    """A parameter; it stands in the path when the path names it, else in the query."""

    meaning: Meant
    type: LeafType = "string"
    maps: Key | None = None
    values: list[Plain] = Field(default_factory=list)
    required: bool = False


class NamedForm(Form):
    """A request body that names one person."""

    key: FieldName
    organisation_key: FieldName
    person: Literal["pupil", "guardian", "staff"]
    ids: Key


class WriteForm(Form):
    """A request body that brings statements. `unkeyed`: paths that do not count as content (D9)."""

    items: FieldName
    id: FieldName
    organisation_key: FieldName
    unkeyed: list[At] = Field(default_factory=list)


class RouteForm(Form):
    """`uses`: names of parameter sets; `parameters` adds to them."""

    method: Literal["GET", "POST", "PUT"]
    path: Template
    record: FieldName
    many: bool
    uses: list[Key] = Field(default_factory=list)
    parameters: dict[FieldName, ParameterForm] = Field(default_factory=dict)
    named: NamedForm | None = None
    write: WriteForm | None = None


class SchemaForm(Form):
    """schemas/NAME.yaml: every field of one LVS format, classified, and its routes."""

    schema_name: Key = Field(alias="schema")
    title: Plain
    version: Plain
    format: Literal["json", "xml", "csv"]
    base_path: Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9_.~-]+)*$")]
    direction: Literal["pull", "push"]
    errors: Literal["problem", "edu-v", "edu-v-list"]
    identities: dict[Key, IdentityForm] = Field(default_factory=dict)
    parameter_sets: dict[Key, dict[FieldName, ParameterForm]] = Field(default_factory=dict)
    records: dict[FieldName, RecordForm]
    routes: list[RouteForm]


Fault = tuple[tuple[str | int, ...], str, str]


def build(form: SchemaForm, text_hash: str) -> Schema:
    """The form as the rest of the gateway speaks of it; only for a form without `faults`."""
    return Schema(
        name=form.schema_name,
        title=form.title,
        version=form.version,
        format=form.format,
        base_path=form.base_path,
        direction=form.direction,
        errors=form.errors,
        routes=tuple(_route(form, route) for route in form.routes),
        records={name: _record(form, name, record) for name, record in form.records.items()},
        text_hash=text_hash,
    )


def _node(node: LeafForm | BranchForm | ManyForm) -> Node:
    if isinstance(node, LeafForm):
        return _leaf(node)
    if isinstance(node, BranchForm):
        return Branch({name: _node(child) for name, child in node.fields.items()}, node.required)
    if isinstance(node.items, LeafForm):
        return Many(_leaf(node.items), node.required)
    return Many(Branch({name: _node(child) for name, child in node.items.items()}), node.required)


def _leaf(leaf: LeafForm) -> Leaf:
    return Leaf(leaf.type, leaf.category, leaf.field_class, leaf.required, leaf.maps, leaf.format, tuple(leaf.values))


def _position(form: SchemaForm, at: str, person: str, withheld: Literal["record", "item"], ids: str) -> SubjectPosition:
    identity = form.identities[ids]
    typed = identity.typed
    return SubjectPosition(
        at,
        Person(person),
        withheld,
        identity.master,
        TypedIds(typed.path, typed.value, typed.type, dict(typed.kinds), typed.own) if typed else None,
    )


def _record(form: SchemaForm, name: str, record: RecordForm) -> Record:
    subjects = tuple(_position(form, s.at, s.person, s.withheld, s.ids) for s in record.subjects)
    return Record(name, Branch({key: _node(node) for key, node in record.fields.items()}), subjects, record.order)


def _parameters(form: SchemaForm, route: RouteForm) -> Iterator[tuple[str, ParameterForm]]:
    for name in route.uses:
        yield from form.parameter_sets.get(name, {}).items()
    yield from route.parameters.items()


def _route(form: SchemaForm, route: RouteForm) -> Route:
    named = route.named
    return Route(
        route.method,
        route.path,
        route.record,
        route.many,
        tuple(_parameter(route, name, parameter) for name, parameter in _parameters(form, route)),
        NamedSubject(named.key, named.organisation_key, _position(form, "", named.person, "record", named.ids))
        if named
        else None,
        WriteBack(route.write.items, route.write.id, route.write.organisation_key, tuple(route.write.unkeyed))
        if route.write
        else None,
    )


def _parameter(route: RouteForm, name: str, form: ParameterForm) -> Parameter:
    in_path = f"{{{name}}}" in route.path
    return Parameter(
        name,
        "path" if in_path else "query",
        form.meaning,
        form.type,
        form.maps,
        tuple(form.values),
        form.required or in_path,
    )


# -- what must agree within the file -------------------------------------------------------------------


def faults(form: SchemaForm) -> Iterator[Fault]:
    """(where, message, rule) of everything in the file that does not agree with the rest of it."""
    for name, identity in form.identities.items():
        if identity.typed and identity.typed.own not in identity.typed.kinds:
            yield ("identities", name, "typed", "own"), "'own' must be one of the kinds", "form"
    for name, record in form.records.items():
        yield from _record_faults(form, name, record)
    seen: set[tuple[str, str]] = set()
    for index, route in enumerate(form.routes):
        if (route.method, route.path) in seen:
            yield ("routes", index), "this method and path stand in an earlier route", "form"
        seen.add((route.method, route.path))
        yield from _route_faults(form, index, route)


def _record_faults(form: SchemaForm, name: str, record: RecordForm) -> Iterator[Fault]:
    where = ("records", name)
    root = Branch({key: _node(node) for key, node in record.fields.items()})
    if record.order is not None and not isinstance(node_at(root, record.order), Leaf):
        yield (*where, "order"), "'order' must be the path of a value", "form"
    for index, subject in enumerate(record.subjects):
        place = (*where, "subjects", index)
        if subject.ids not in form.identities:
            yield (*place, "ids"), "'ids' must be one of the identities", "form"
        elif not _bears(root, subject.at, form.identities[subject.ids]):
            yield (*place, "at"), "no object with these ids stands at 'at'", "form"
    if not record.subjects and any(leaf.field_class.value == "id" for _, leaf in leaves(root)):
        yield where, "a record with an id of a person must say whose it is in 'subjects'", "R46"


def _bears(root: Branch, at: str, identity: IdentityForm) -> bool:
    node = node_at(root, at) if at else root
    inner = node.item if isinstance(node, Many) else node
    if not isinstance(inner, Branch):
        return False
    paths = [identity.master] if identity.master else []
    if identity.typed:
        paths += [f"{identity.typed.path}.{leaf}" for leaf in (identity.typed.value, identity.typed.type)]
    return bool(paths) and all(isinstance(node_at(inner, path), Leaf) for path in paths)


def _route_faults(form: SchemaForm, index: int, route: RouteForm) -> Iterator[Fault]:
    where = ("routes", index)
    if route.record not in form.records:
        yield (*where, "record"), "'record' must be one of the records", "form"
    for name in route.uses:
        if name not in form.parameter_sets:
            yield (*where, "uses"), "'uses' must name parameter sets of this file", "form"
    parameters = dict(_parameters(form, route))
    for step in route.path.split("/"):
        if step.startswith("{") and step[1:-1] not in parameters:
            yield (*where, "path"), "a parameter of the path is not declared", "form"
    for name, parameter in parameters.items():
        if (parameter.meaning == "thing") != (parameter.maps is not None):
            place = (*where, "parameters", name) if name in route.parameters else where
            yield place, "a parameter has 'maps' when, and only when, its meaning is thing", "form"
    if route.named and route.named.ids not in form.identities:
        yield (*where, "named", "ids"), "'ids' must be one of the identities", "form"
