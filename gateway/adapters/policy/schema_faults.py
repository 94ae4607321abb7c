"""What must agree within one file of schemas/: a subject position that bears its ids, a parameter that is in the path.

Leaves out: the shape of the file (`schema_forms`), its fields one by one (`schema_fields`), what a recipient may get.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.adapters.policy.csv_forms import TEXT, csv_faults
from gateway.adapters.policy.schema_fields import (
    BranchForm,
    Fault,
    LeafForm,
    ManyForm,
    NodeForm,
    node_faults,
    nodes_of,
)
from gateway.adapters.policy.schema_forms import (
    IdentityForm,
    ParameterForm,
    RecordForm,
    RouteForm,
    SchemaForm,
    SoapForm,
    parameters_of,
)
from gateway.adapters.policy.schema_persons import person_faults, placed_leaves
from gateway.core.policy.grants import leaf_at, leaves, node_at
from gateway.core.policy.schema import Branch, Leaf, Many, Node


def faults(form: SchemaForm) -> Iterator[Fault]:
    """(where, message, rule) of everything in the file that does not agree with the rest of it."""
    for name, identity in form.identities.items():
        for key, ids in (("typed", identity.typed), ("keys", identity.keys)):
            if ids and ids.own is not None and ids.own not in ids.kinds:
                yield ("identities", name, key, "own"), "'own' must be one of the kinds", "form"
        if identity.keys is not None and identity.typed is not None:
            yield ("identities", name, "keys"), "'keys' and 'typed' do not go together", "form"
    for name, record in form.records.items():
        yield from _record_faults(form, name, record)
        if form.format == "xml" and record.element is None:
            yield ("records", name), "'element' is missing: what one record, or the root of its file, is called", "form"
        if form.format == "xml":
            yield from _prefix_faults(form, ("records", name, "fields"), record.fields)
    if form.format == "csv":
        roots = {name: Branch(nodes_of(record.fields)) for name, record in form.records.items()}
        yield from csv_faults(roots, {name for name, record in form.records.items() if record.subjects})
    elif form.csv is not None:
        yield ("csv",), "'csv' belongs to CSV", "form"
    seen: set[tuple[str, ...]] = set()
    for index, route in enumerate(form.routes):
        told = route.record if _told_apart(form) else route.soap.action if route.soap else ""
        place = (route.method, route.path, told)
        if place in seen:
            yield ("routes", index), "this method and path stand in an earlier route", "form"
        seen.add(place)
        yield from _route_faults(form, index, route)


def _told_apart(form: SchemaForm) -> bool:
    """Documents that are pushed to one path are told apart by their element."""
    return form.direction == "push" and form.format == "xml"


def _record_faults(form: SchemaForm, name: str, record: RecordForm) -> Iterator[Fault]:
    where = ("records", name)
    root = Branch(nodes_of(record.fields))
    yield from node_faults((*where, "fields"), record.fields, root, "")
    ordering = node_at(root, record.order) if record.order is not None else None
    if record.order is not None and not isinstance(ordering, Leaf):
        yield (*where, "order"), "'order' must be the path of a value", "form"
    if isinstance(ordering, Leaf) and ordering.maps is None and form.format == "xml":
        yield (*where, "order"), "'order' must be the path of a mapped id", "form"
    if record.members is not None and not isinstance(root.fields.get(record.members), Leaf):
        yield (*where, "members"), "'members' must be a field of the record itself", "form"
    for index, path in enumerate(record.places):
        if not isinstance(node_at(root, path), Leaf) or form.location_type is None:
            yield (*where, "places", index), "'places' are paths of ids of the 'location_type'", "form"
    for index, subject in enumerate(record.subjects):
        place = (*where, "subjects", index)
        if subject.ids not in form.identities:
            yield (*place, "ids"), "'ids' must be one of the identities", "form"
        elif not _bears(root, subject.at, form.identities[subject.ids]):
            yield (*place, "at"), "at 'at' stands no object with the fields that 'ids' names", "form"
        elif form.format == "json" and any(
            _is_number(one) for one in _ids(root, subject.at, form.identities[subject.ids])
        ):
            yield (*place, "ids"), "in JSON an id of a person is of type string: a pseudonym is no number", "form"
    alone = {f"{one.at}.{TEXT}" for one in record.subjects if _stands_alone(root, one.at)}
    if form.format == "json" and any(path.endswith(TEXT) and path not in alone for path, _ in leaves(root)):
        yield (*where, "fields"), f"in JSON '{TEXT}' is the id of a person, with no other field beside it", "form"
    yield from _reference_faults(form, where, record, root)
    if form.format != "xml" and any(leaf.claim is not None for _, leaf in leaves(root)):
        yield (*where, "fields"), "'claim' belongs to XML", "form"
    if not record.subjects and any(leaf.field_class.value == "id" for _, leaf in leaves(root)):
        yield where, "a record with an id of a person must say whose it is in 'subjects'", "R46"
    else:
        yield from person_faults(where, record, root)


def _reference_faults(
    form: SchemaForm, where: tuple[str | int, ...], record: RecordForm, root: Branch
) -> Iterator[Fault]:
    """What refers to nothing would never leave. (In a set of files: `csv_forms`.)"""
    for place, path, leaf in placed_leaves((*where, "fields"), record.fields, ""):
        if leaf.refers is None or form.format == "csv":
            continue
        if form.format == "json":
            yield (*place, "refers"), "'refers' belongs to XML and CSV", "form"
        elif leaf.refers == path or leaf_at(root, leaf.refers) is None:
            yield (*place, "refers"), "'refers' must be the path of another value of this record", "form"


def _prefix_faults(form: SchemaForm, where: tuple[str | int, ...], fields: Mapping[str, NodeForm]) -> Iterator[Fault]:
    """A name of a namespace that nobody told is in no document: its field would never be found."""
    for name, node in fields.items():
        prefix, colon, _ = name.removeprefix("@").partition(":")
        if colon and prefix not in form.namespaces:
            yield (*where, name), "this prefix is none of the 'namespaces'", "form"
        if isinstance(node, BranchForm):
            yield from _prefix_faults(form, (*where, name, "fields"), node.fields)
        elif isinstance(node, ManyForm) and not isinstance(node.items, LeafForm):
            yield from _prefix_faults(form, (*where, name, "items"), node.items)


def _stands_alone(root: Branch, at: str) -> bool:
    node = node_at(root, at) if at else root
    inner = node.item if isinstance(node, Many) else node
    return isinstance(inner, Branch) and set(inner.fields) == {TEXT}


def _is_number(node: Node | None) -> bool:
    return isinstance(node, Leaf) and node.type != "string"


def _bears(root: Branch, at: str, identity: IdentityForm) -> bool:
    found = list(_ids(root, at, identity))
    return bool(found) and all(isinstance(one, Leaf) for one in found)


def _ids(root: Branch, at: str, identity: IdentityForm) -> Iterator[Node | None]:
    """What stands where an object at this path must have its ids."""
    node = node_at(root, at) if at else root
    inner = node.item if isinstance(node, Many) else node
    paths = [identity.master] if identity.master else []
    if identity.keys:
        paths += list(identity.keys.kinds)
    if identity.typed:
        paths += [f"{identity.typed.path}.{leaf}" for leaf in (identity.typed.value, identity.typed.type)]
    return (node_at(inner, path) if isinstance(inner, Branch) else None for path in paths)


def _route_faults(form: SchemaForm, index: int, route: RouteForm) -> Iterator[Fault]:
    where = ("routes", index)
    if route.record not in form.records:
        yield (*where, "record"), "'record' must be one of the records", "form"
    for name in route.uses:
        if name not in form.parameter_sets:
            yield (*where, "uses"), "'uses' must name parameter sets of this file", "form"
    parameters = dict(parameters_of(form, route))
    for step in route.path.split("/"):
        if step.startswith("{") and step[1:-1] not in parameters:
            yield (*where, "path"), "a parameter of the path is not declared", "form"
    for name, parameter in parameters.items():
        place = (*where, "parameters", name) if name in route.parameters else where
        yield from _parameter_faults(place, parameter)
    if route.soap:
        yield from _soap_faults(form, (*where, "soap"), route, route.soap)
    elif form.errors == "soap" and route.action is None:
        yield where, "every route of a schema that answers by SOAP faults has 'soap', or as a push 'action'", "form"
    if route.named and route.named.ids not in form.identities:
        yield (*where, "named", "ids"), "'ids' must be one of the identities", "form"
    if form.location_type is None and any(one.meaning == "organisation-place" for one in parameters.values()):
        yield where, "a path that names a location needs 'location_type', the type of such an id", "R68"
    by_query = any(one.meaning == "organisation-oin" and one.required for one in parameters.values())
    if route.write and (route.write.organisation_key is None) != (by_query and form.format == "json"):
        message = "what comes back names its school once: by organisation_key, or in JSON by a required parameter"
        yield (*where, "write"), message, "R68"
    yield from _push_faults(form, where, route)


def _parameter_faults(where: tuple[str | int, ...], parameter: ParameterForm) -> Iterator[Fault]:
    if (parameter.meaning == "thing") != (parameter.maps is not None):
        yield where, "a parameter has 'maps' when, and only when, its meaning is thing", "form"
    if (parameter.meaning == "person") != bool(parameter.persons and parameter.kind):
        yield where, "a parameter has 'persons' and 'kind' when, and only when, its meaning is person", "form"


def _soap_faults(form: SchemaForm, where: tuple[str | int, ...], route: RouteForm, soap: SoapForm) -> Iterator[Fault]:
    if form.format != "xml" or form.errors != "soap" or route.method != "POST":
        yield where, "'soap' belongs to a POST of a schema in XML whose errors are soap", "form"
    if (soap.element is None) == (route.write is None):
        yield (
            (*where, "element"),
            "an operation that reads says what its record is called, one that writes does not",
            "form",
        )
    record = form.records.get(route.record)
    if record and any(part not in record.fields for part in soap.parts):
        yield (*where, "parts"), "'parts' must name fields of the record", "form"


def _push_faults(form: SchemaForm, where: tuple[str | int, ...], route: RouteForm) -> Iterator[Fault]:
    if (form.direction == "push") != (route.answer is not None):
        yield (*where, "answer"), "a route has 'answer' when, and only when, the direction is push", "form"
    if route.answer is not None and (route.answer not in form.records or form.records[route.answer].subjects):
        # nobody's pseudonym leads back through an answer, so no answer speaks of anybody (house rule 7)
        yield (*where, "answer"), "'answer' must be one of the records, and speak of nobody", "form"
    if route.action is not None and not _told_apart(form):
        yield (*where, "action"), "'action' belongs to a push of XML", "form"
    if form.direction == "push" and (route.method != "POST" or route.many or route.named or route.write):
        yield where, "a push is one record in a POST", "form"
