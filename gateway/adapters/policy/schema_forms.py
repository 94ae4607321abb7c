"""The form of schemas/NAME.yaml and its translation to `core.policy.schema.Schema`.

Leaves out: what must agree within the file (`schema_faults`), what a recipient may get of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.adapters.policy.csv_forms import CsvForm, csv_of
from gateway.adapters.policy.forms import Form, IdKindName, Key
from gateway.adapters.policy.schema_fields import (
    At,
    FieldName,
    NodeForm,
    Plain,
    nodes_of,
)
from gateway.core.model import Person
from gateway.core.policy.schema import (
    Branch,
    Errors,
    Exported,
    KeyIds,
    LeafType,
    Meant,
    NamedSubject,
    Paging,
    Parameter,
    Record,
    Route,
    Schema,
    Soap,
    SubjectPosition,
    TypedIds,
    WriteBack,
)

DEFAULT = "default"  # in `namespaces`: of names without a prefix


Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
ParameterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_@:.-]*$", max_length=80)]
Template = Annotated[str, StringConstraints(pattern=r"^(/([A-Za-z0-9_.~-]+|\{[A-Za-z]+\}))+/?$")]


class TypedForm(Form):
    """A list of {value, type} ids; `kinds`: type on the wire → kind of id; `own`: the administration's own key."""

    path: At
    value: FieldName
    type: FieldName
    own: Plain
    kinds: dict[Plain, IdKindName]


class KeysForm(Form):
    """Ids that stand each in a field of its own; `kinds`: field → kind of id; `own`: the administration's own key,
    where the format has one."""

    own: FieldName | None = None
    kinds: dict[FieldName, IdKindName]


class IdentityForm(Form):
    """How a reference to a person is written; paths count from the reference."""

    master: At | None = None
    typed: TypedForm | None = None
    keys: KeysForm | None = None


class SubjectForm(Form):
    """A place where a record speaks of a person. `others`: who may stand there too, as the roster tells."""

    at: At
    person: Literal["pupil", "guardian", "staff"]
    others: list[Literal["pupil", "guardian", "staff"]] = Field(default_factory=list)
    withheld: Literal["record", "item"]
    ids: Key


class RecordForm(Form):
    """One kind of record. `places`: paths of ids that name a location; `members`: the id of a group."""

    subjects: list[SubjectForm] = Field(default_factory=list)
    order: At | None = None
    element: FieldName | None = None
    envelope: FieldName | None = None
    since: bool = False
    places: list[At] = Field(default_factory=list)
    members: FieldName | None = None
    fields: dict[FieldName, NodeForm]


class ParameterForm(Form):
    """A parameter; it stands in the path when the path names it, in SOAP in the body, else in the query. `persons` and
    `kind`: whom it can name, and by which kind of id they go up. `export`: what an export writes there."""

    meaning: Meant
    type: LeafType = "string"
    maps: Key | None = None
    values: list[Plain] = Field(default_factory=list)
    required: bool = False
    persons: list[Literal["pupil", "staff"]] = Field(default_factory=list)
    kind: IdKindName | None = None
    export: Exported | None = None


class NamedForm(Form):
    """A request body that names one person."""

    key: FieldName
    organisation_key: FieldName
    person: Literal["pupil", "guardian", "staff"]
    ids: Key


class WriteForm(Form):
    """A request body that brings statements. `unkeyed`: paths that do not count as content (D9)."""

    items: Annotated[At, StringConstraints(min_length=1)]
    id: FieldName
    organisation_key: FieldName | None = None
    unkeyed: list[At] = Field(default_factory=list)


class SoapForm(Form):
    """An operation of SOAP 1.1; `parts`: the fields of the record that belong to its answer. `location`, `schoolkey`:
    which kind of organisation id the codes of the request are."""

    action: Annotated[str, StringConstraints(pattern=r"^[!#-~]{1,200}$")]
    request: FieldName
    answer: FieldName
    element: FieldName | None = None
    parts: list[FieldName] = Field(default_factory=list)
    location: Plain = "V_ID"
    schoolkey: Plain = "SCHOOLKEY"


class RouteForm(Form):
    """`uses`: names of parameter sets; `parameters` adds to them; `answer`: of a push, the record that comes back;
    `action`: its SOAPAction, where it travels in an envelope."""

    method: Literal["GET", "POST", "PUT"]
    path: Template
    record: FieldName
    many: bool
    uses: list[Key] = Field(default_factory=list)
    parameters: dict[ParameterName, ParameterForm] = Field(default_factory=dict)
    named: NamedForm | None = None
    write: WriteForm | None = None
    soap: SoapForm | None = None
    answer: FieldName | None = None
    action: Plain | None = None


class PagingForm(Form):
    """Lists come in pages: the source's parameters for size and place, the records of its largest page, the field by
    which one record is told from another, and parameters that make the order that of this field."""

    limit: FieldName
    offset: FieldName
    most: Annotated[int, Field(ge=1, le=10_000)]
    key: FieldName
    stable: dict[FieldName, Plain] = Field(default_factory=dict)


class SchemaForm(Form):
    """schemas/NAME.yaml: every field of one LVS format, classified, and its routes."""

    schema_name: Key = Field(alias="schema")
    title: Plain
    version: Plain
    format: Literal["json", "xml", "csv"]
    base_path: Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9_.~-]+)*$")]
    direction: Literal["pull", "push"]
    errors: Errors
    location_type: Plain | None = None
    paging: PagingForm | None = None
    namespaces: dict[Prefix, Plain] = Field(default_factory=dict)
    csv: CsvForm | None = None
    identities: dict[Key, IdentityForm] = Field(default_factory=dict)
    parameter_sets: dict[Key, dict[ParameterName, ParameterForm]] = Field(default_factory=dict)
    records: dict[FieldName, RecordForm]
    routes: list[RouteForm]


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
        namespaces={"" if prefix == DEFAULT else prefix: name for prefix, name in form.namespaces.items()},
        csv=csv_of(form.csv) if form.format == "csv" else None,
        location_type=form.location_type,
        paging=_paging(form.paging) if form.paging else None,
    )


def _paging(form: PagingForm) -> Paging:
    return Paging(form.limit, form.offset, form.most, form.key, tuple(form.stable.items()))


def _position(form: SchemaForm, at: str, person: str, withheld: Literal["record", "item"], ids: str) -> SubjectPosition:
    identity = form.identities[ids]
    typed = identity.typed
    return SubjectPosition(
        at,
        Person(person),
        withheld,
        identity.master,
        TypedIds(typed.path, typed.value, typed.type, dict(typed.kinds), typed.own) if typed else None,
        KeyIds(dict(identity.keys.kinds), identity.keys.own or "") if identity.keys else None,
    )


def _record(form: SchemaForm, name: str, record: RecordForm) -> Record:
    subjects = tuple(
        replace(_position(form, s.at, s.person, s.withheld, s.ids), others=tuple(Person(one) for one in s.others))
        for s in record.subjects
    )
    fields = Branch(nodes_of(record.fields))
    names = record.element or "", record.envelope or ""
    return Record(name, fields, subjects, record.order, *names, record.since, tuple(record.places), record.members)


def parameters_of(form: SchemaForm, route: RouteForm) -> Iterator[tuple[str, ParameterForm]]:
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
        tuple(_parameter(route, name, parameter) for name, parameter in parameters_of(form, route)),
        NamedSubject(named.key, named.organisation_key, _position(form, "", named.person, "record", named.ids))
        if named
        else None,
        WriteBack(route.write.items, route.write.id, route.write.organisation_key or "", tuple(route.write.unkeyed))
        if route.write
        else None,
        _soap(route.soap) if route.soap else None,
        route.answer,
        route.action,
    )


def _soap(soap: SoapForm) -> Soap:
    return Soap(
        soap.action,
        soap.request,
        soap.answer,
        soap.element or "",
        tuple(soap.parts),
        soap.location,
        soap.schoolkey,
    )


def _parameter(route: RouteForm, name: str, form: ParameterForm) -> Parameter:
    in_path = f"{{{name}}}" in route.path
    return Parameter(
        name,
        "path" if in_path else "body" if route.soap else "query",
        form.meaning,
        form.type,
        form.maps,
        tuple(form.values),
        form.required or in_path,
        tuple(Person(one) for one in form.persons),
        form.kind,
        form.export,
    )
