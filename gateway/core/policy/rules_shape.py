"""Rules that keep a released record whole: every grant names a known field, its transform fits, what the format
requires is there, and an id stands only in its slot (R7, R9, R40, N3).

Each rule is one function that yields what it finds wrong. Leaves out: whether the field may leave (`rules_fields`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

from gateway.core.model import Category, FieldClass, PseudonymMethod, Transform
from gateway.core.policy.grants import Slot, leaves, slots
from gateway.core.policy.problems import DeliveryTerms, Granted, PolicyProblem
from gateway.core.policy.schema import Branch, Leaf, Many, Node, Record
from gateway.core.reasons import Reason

_WRONG_ID = Reason.DIRECT_IDENTIFIER_NOT_ALLOWED


def known(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R9: what does not stand in the schema is unclassified and never leaves."""
    delivery = terms.delivery
    if terms.schema is None:
        message = "schemas/ has no file of this name that is in order"
        yield terms.problem(Reason.SCHEMA_NOT_ACTIVE, "R9", message, "schemas", delivery.schema)
        return
    for name in delivery.grants.keys() - terms.schema.records.keys():
        message = "the schema has no such record"
        yield terms.problem(Reason.FIELD_UNCLASSIFIED, "R9", message, "schemas", delivery.schema, name)
    for one in terms.granted:
        if one.node is None and "*" in one.path:
            yield terms.field_problem(one, Reason.NO_NOODZAAK, "R7, R10", "name each field; a wildcard names none")
        elif one.node is None:
            message = "the schema has no such field, so it is not classified"
            yield terms.field_problem(one, Reason.FIELD_UNCLASSIFIED, "R9", message)
        elif one.leaf is None and one.grant.transform is not Transform.EMPTY:
            message = "this is an object; name the fields in it"
            yield terms.field_problem(one, Reason.NO_NOODZAAK, "R7", message)


def transform_fits(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """A transform that cannot read a field, or would break its format, would withhold every record."""
    for one in terms.granted:
        if one.node is None or (one.leaf is None and one.grant.transform is not Transform.EMPTY):
            continue
        if not _fits(one):
            transform = one.grant.transform
            message = f"the transform {transform} does not fit this field: it needs {_NEEDS.get(transform, _TEXT)}"
            yield terms.field_problem(one, Reason.SCHEMA_NOT_ACTIVE, "R7", message, "transform")
        if one.grant.transform is not Transform.FIXED and one.grant.value is not None:
            message = "a value belongs to the transform fixed"
            yield terms.field_problem(one, Reason.SCHEMA_NOT_ACTIVE, "R7", message, "value")


_TEXT = "text without `format` or `values`"
_NEEDS = {
    Transform.EMPTY: "a list",
    Transform.FIXED: "a `value` that the field can have",
    Transform.VIEW: "a field with `view`, of a record that is known by an id",
    Transform.KEEP: "a field without `view`",
    Transform.PSEUDONYM: "an id, of a person or with `maps`",
    Transform.YEAR: "`format: date` or `date-time`",
    Transform.AGE_BAND: "a birth-date with `format: date`",
    Transform.PC4: "a text of the category address",
    Transform.MASK: "a text of the class free-text",
}


def _fits(one: Granted) -> bool:
    transform, leaf = one.grant.transform, one.leaf
    if transform is Transform.EMPTY:
        return isinstance(one.node, Many)
    if leaf is None:
        return False
    if transform is Transform.FIXED:
        return isinstance(one.node, Leaf) and _of_type(leaf, one.grant.value)
    if transform is Transform.VIEW:
        return leaf.view is not None and _knows_itself(one.record)
    if leaf.view is not None:
        return False  # the moments of the LVS would join two recipients (house rule 7)
    if transform is Transform.KEEP:
        return True
    if transform is Transform.PSEUDONYM:
        return leaf.maps is not None or any(one.path in slot.paths for slot in slots(one.record))
    return leaf.maps is None and leaf.type == "string" and not leaf.values and _reads(transform, leaf)


def _knows_itself(record: Record) -> bool:
    """Whether each record has an id of its own, by which the recipient knows it."""
    return record.order is not None or any(not one.at for one in record.subjects)


def _reads(transform: Transform, leaf: Leaf) -> bool:
    if transform is Transform.YEAR:
        return leaf.format in ("date", "date-time")
    if transform is Transform.AGE_BAND:
        return leaf.format == "date" and leaf.category is Category.BIRTH_DATE
    if transform is Transform.PC4:
        return leaf.format is None and leaf.category is Category.ADDRESS
    if transform is Transform.MASK:
        return leaf.format is None and leaf.field_class is FieldClass.FREE_TEXT
    return leaf.format is None


def _of_type(leaf: Leaf, value: object) -> bool:
    """A fixed value is what the format says the field is, so that the record stays valid."""
    if leaf.type == "string":
        return isinstance(value, str) and (not leaf.values or value in leaf.values) and _of_format(leaf.format, value)
    if leaf.type == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (leaf.type == "number" and isinstance(value, float))


def _of_format(wanted: str | None, value: str) -> bool:
    try:
        if wanted == "date":
            return date.fromisoformat(value).isoformat() == value
        if wanted == "date-time":
            return "T" in value and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
    return True


def required_there(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """A released object has every field its format requires. A record without grants is released empty, and one that
    is only counted is not released."""
    if terms.delivery.aggregate is not None:
        return
    for name, grants in terms.delivery.grants.items():
        record = terms.schema.records.get(name) if terms.schema else None
        if record is None or not grants:
            continue
        for path in _missing(record.fields, "", frozenset(grants)):
            message = f"the format requires {path}: grant it, or give it a fixed value"
            where = ("schemas", terms.delivery.schema, name, path)
            yield terms.problem(Reason.SCHEMA_NOT_ACTIVE, "R7", message, *where)


def demanded_there(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """Where the standard demands a part of every record to this kind of recipient, a delivery without it would release
    no record at all."""
    for name, grants in terms.delivery.grants.items():
        record = terms.schema.records.get(name) if terms.schema else None
        if record is None or not grants:
            continue
        for path, leaf in leaves(record.fields):
            flag = leaf.flag
            if flag is None or terms.recipient.kind not in flag.kinds:
                continue
            if not any(one == part or one.startswith(f"{part}.") for one in grants for part in flag.of):
                message = "the standard demands this part for this kind of recipient: grant something of it"
                where = ("schemas", terms.delivery.schema, name, path)
                yield terms.problem(Reason.SCHEMA_NOT_ACTIVE, "R7", message, *where)


def _missing(branch: Branch, prefix: str, granted: frozenset[str]) -> Iterator[str]:
    chosen = {node.choice for name, node in branch.fields.items() if _named(f"{prefix}{name}", granted)} - {None}
    for name, node in branch.fields.items():
        path = f"{prefix}{name}"
        inside = node.item if isinstance(node, Many) else node
        if isinstance(inside, Branch) and any(one.startswith(f"{path}.") for one in granted):
            yield from _missing(inside, f"{path}.", granted)
        elif node.required and path not in granted and node.choice not in chosen and not _fills_itself(node):
            yield path


def _named(path: str, granted: frozenset[str]) -> bool:
    return path in granted or any(one.startswith(f"{path}.") for one in granted)


def _fills_itself(node: Node) -> bool:
    return isinstance(node, Leaf) and (node.filler is not None or node.link is not None)


def linked(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R7: a reference leads only to what this recipient may read."""
    schema = terms.schema
    if schema is None:
        return
    records = {route.path.rpartition("/{")[0]: route.record for route in schema.routes if not route.many}
    for name, grants in terms.delivery.grants.items():
        for path, leaf in leaves(schema.records[name].fields) if name in schema.records else ():
            if leaf.link is None or terms.delivery.grants.get(records.get(leaf.link.path, "")):
                continue
            at = path.rpartition(".")[0]
            if any(one.startswith(f"{at}.") for one in grants):
                message = "this refers to a record that is no part of the delivery"
                where = ("schemas", terms.delivery.schema, name, f"{at}.{leaf.link.beside}")
                yield terms.problem(Reason.SCHEMA_NOT_ACTIVE, "R7", message, *where)


def emptied_once(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """A list is released empty or with fields, not both."""
    for one in terms.granted:
        inner = terms.delivery.grants[one.record.name]
        if one.grant.transform is Transform.EMPTY and any(path.startswith(f"{one.path}.") for path in inner):
            message = "this list is released empty, so no field in it can be granted"
            yield terms.field_problem(one, Reason.SCHEMA_NOT_ACTIVE, "R7", message, "transform")


def ids_in_slots(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R40, N3: in every subject position one kind of number, in its own slot."""
    for record in {one.record.name: one.record for one in terms.granted}.values():
        for slot in slots(record):
            yield from _slot(terms, record, slot)
    if terms.delivery.pseudonym is not PseudonymMethod.NONE:
        yield from _stray_ids(terms)


def _slot(terms: DeliveryTerms, record: Record, slot: Slot) -> Iterator[PolicyProblem]:
    here = {one.path: one for one in terms.granted if one.record is record}
    master, value, kind = (here.get(path or "") for path in (slot.master, slot.value, slot.type))
    match terms.delivery.pseudonym:
        case PseudonymMethod.HMAC:
            if master:
                yield terms.field_problem(master, _WRONG_ID, "N3", "under hmac the slot of the ECK iD stays absent")
            if value and value.grant.transform is not Transform.PSEUDONYM:
                message = "under hmac this slot takes the transform pseudonym"
                yield terms.field_problem(value, _WRONG_ID, "R40", message, "transform")
        case PseudonymMethod.ECK_ID if slot.chain:
            if value and value.grant.transform is not Transform.PSEUDONYM:
                message = "under eck-id this slot takes the transform pseudonym"
                yield terms.field_problem(value, _WRONG_ID, "N3", message, "transform")
        case PseudonymMethod.ECK_ID:
            for one in (value, kind):
                if one and not _own_key(one, slot):
                    yield terms.field_problem(
                        one, _WRONG_ID, "N3", "under eck-id only the slot of the ECK iD is filled"
                    )
            if master and master.grant.transform not in (Transform.KEEP, Transform.PSEUDONYM):
                message = "under eck-id this slot holds the ECK iD"
                yield terms.field_problem(master, _WRONG_ID, "N3", message, "transform")
        case PseudonymMethod.NONE:
            for one in (master, value):
                if one and one.grant.transform is Transform.PSEUDONYM:
                    message = "this delivery has no pseudonyms"
                    yield terms.field_problem(one, _WRONG_ID, "R40", message, "transform")
    whole = value or kind
    if whole and slot.type and not (value and kind and kind.grant.transform is Transform.KEEP):
        message = "an id and its type leave together, the type as it is"
        yield terms.field_problem(whole, Reason.SCHEMA_NOT_ACTIVE, "R7", message)


def _own_key(one: Granted, slot: Slot) -> bool:
    """A key of its own that the format requires is filled with the ECK iD too: it is the same number."""
    fills = one.grant.transform is Transform.PSEUDONYM
    return fills and slot.type is None and one.leaf is not None and one.leaf.required


def _stray_ids(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    for one in terms.granted:
        if one.leaf is None or one.says_nothing or one.leaf.field_class is not FieldClass.ID:
            continue
        if one.leaf.maps is None and not any(one.path in slot.paths for slot in slots(one.record)):
            message = (
                "an id that no subject of the schema has as its own, and without maps, would leave as the LVS has it"
            )
            yield terms.field_problem(one, _WRONG_ID, "R40", message)


SHAPE_RULES: tuple[Callable[[DeliveryTerms], Iterator[PolicyProblem]], ...] = (
    known,
    transform_fits,
    required_there,
    demanded_there,
    emptied_once,
    linked,
    ids_in_slots,
)
