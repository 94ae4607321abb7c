"""What may leave is what is both activated and in the file (design, "Directory of a school").

Fields, rows, locations and agreement categories must be in both; of two end dates the earlier counts; any other
difference refuses that delivery until it is activated. Leaves out: what is wrong with either side (`rules`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from gateway.core.policy.grants import nodes_along
from gateway.core.policy.problems import Key
from gateway.core.policy.schema import Leaf, Many, Node, Record, Schema
from gateway.core.policy.terms import Agreement, Delivery, Grant, Recipient, Rows

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The recipient as it may receive now, and per delivery what differs (names of terms, no values): a delivery
    with a difference releases nothing (SCHEMA_NOT_ACTIVE)."""

    recipient: Recipient
    differences: Mapping[Key, tuple[str, ...]]


def narrow(
    active: Recipient,
    file: Recipient | None,
    active_schemas: Mapping[str, Schema],
    file_schemas: Mapping[str, Schema],
) -> Narrowed:
    """`file` is None when it is missing or invalid: then every delivery differs."""
    if file is None:
        return Narrowed(active, {key_of(one): ("file",) for one in active.deliveries})
    common = tuple(_recipient_differences(active, file))
    found = {key_of(one): one for one in file.deliveries}
    deliveries: list[Delivery] = []
    differences: dict[Key, tuple[str, ...]] = {}
    for one in active.deliveries:
        key = key_of(one)
        narrowed, differs = _delivery(one, found.get(key), active_schemas, file_schemas)
        deliveries.append(narrowed)
        if common or differs:
            differences[key] = (*common, *differs)
    agreement = _agreement(active.agreement, file.agreement)
    return Narrowed(replace(active, agreement=agreement, deliveries=tuple(deliveries)), differences)


def key_of(delivery: Delivery) -> Key:
    return (delivery.recipient, delivery.purpose, delivery.schema)


def _recipient_differences(active: Recipient, file: Recipient) -> Iterator[str]:
    for name in ("name", "title", "kind", "role", "contact", "oin", "group"):
        if getattr(active, name) != getattr(file, name):
            yield name
    if _without_limits(active.agreement) != _without_limits(file.agreement):
        yield "agreement"


def _without_limits(agreement: Agreement | None) -> Agreement | None:
    """What must be the same on both sides."""
    return replace(agreement, categories=frozenset(), until=date.max) if agreement else None


def _agreement(active: Agreement | None, file: Agreement | None) -> Agreement | None:
    if active is None or file is None:
        return active
    return replace(active, categories=active.categories & file.categories, until=min(active.until, file.until))


def _delivery(
    active: Delivery,
    file: Delivery | None,
    active_schemas: Mapping[str, Schema],
    file_schemas: Mapping[str, Schema],
) -> tuple[Delivery, tuple[str, ...]]:
    if file is None:
        return active, ("file",)
    before, after = active_schemas.get(active.schema), file_schemas.get(active.schema)
    differs = [*_delivery_differences(active, file), *_schema_differences(active, before, after)]
    narrowed = replace(
        _ending(active, file),
        locations=active.locations & file.locations,
        rows=_rows(active.rows, file.rows),
        grants=_grants(active, file, before, after) if before and after else {},
    )
    return narrowed, tuple(differs)


def _ending(active: Delivery, file: Delivery) -> Delivery:
    """Of two end dates the earlier counts."""
    authorisation, dpia = active.authorisation, active.dpia
    if authorisation and file.authorisation:
        authorisation = replace(authorisation, until=min(authorisation.until, file.authorisation.until))
    if dpia and file.dpia:
        dpia = replace(dpia, review=min(dpia.review, file.dpia.review))
    return replace(active, until=min(active.until, file.until), authorisation=authorisation, dpia=dpia)


def _delivery_differences(active: Delivery, file: Delivery) -> Iterator[str]:
    """Every term but those that narrow; a field in both must have the same reason, transform and value."""
    for name in _SAME_TERMS:
        if getattr(active, name) != getattr(file, name):
            yield name
    left, right = active.authorisation, file.authorisation
    if (left and replace(left, until=date.max)) != (right and replace(right, until=date.max)):
        yield "authorisation"
    before, after = active.dpia, file.dpia
    if (before and replace(before, review=date.max)) != (after and replace(after, review=date.max)):
        yield "dpia"
    for record, path in _in_both(active.grants, file.grants):
        if active.grants[record][path] != file.grants[record][path]:
            yield f"{record}.{path}"


_SAME_TERMS = (
    "grondslag",
    "necessity",
    "pseudonym",
    "domain",
    "channel",
    "absence",
    "weighing",
    "profiling",
    "deviation",
    "class_list",
    "eck_login",
    "conditions",
    "aggregate",
    "notices",
    "endpoint",
)


def _in_both(
    active: Mapping[str, Mapping[str, Grant]], file: Mapping[str, Mapping[str, Grant]]
) -> Iterator[tuple[str, str]]:
    for record, grants in active.items():
        for path in grants:
            if path in file.get(record, {}):
                yield record, path


def _rows(active: Rows, file: Rows) -> Rows:
    return Rows(_both(active.years, file.years), _both(active.groups, file.groups))


def _both(left: frozenset[T] | None, right: frozenset[T] | None) -> frozenset[T] | None:
    """None is no limit on that side."""
    if left is None or right is None:
        return right if left is None else left
    return left & right


def _grants(active: Delivery, file: Delivery, before: Schema, after: Schema) -> dict[str, dict[str, Grant]]:
    """A record in both stays, be it empty; a field stays when both grant it and both schemas mean the same by it."""
    kept: dict[str, dict[str, Grant]] = {name: {} for name in active.grants if name in file.grants}
    for name, path in _in_both(active.grants, file.grants):
        left, right = before.records.get(name), after.records.get(name)
        if left and right and _meaning(left, path) == _meaning(right, path):
            kept[name][path] = active.grants[name][path]
    return kept


def _meaning(record: Record, path: str) -> list[object]:
    """The nodes on the way, without their other children."""
    return [_alone(node) for node in nodes_along(record.fields, path)]


def _alone(node: Node) -> object:
    if isinstance(node, Leaf):
        return node
    if isinstance(node, Many):
        return (Many, node.required, node.filled, _alone(node.item))
    return (type(node), node.required)


_SAME_RECORD = ("subjects", "order", "places", "members", "element", "envelope")


def _schema_differences(delivery: Delivery, before: Schema | None, after: Schema | None) -> Iterator[str]:
    """A new field or a new text is no difference; another route or another person in a record is."""
    if before is None or after is None:
        yield "schema"
        return
    for name in ("format", "base_path", "direction", "errors", "routes", "paging", "location_type"):
        if getattr(before, name) != getattr(after, name):
            yield f"schema {name}"
    for name in delivery.grants:
        left, right = before.records.get(name), after.records.get(name)
        if left and right and any(getattr(left, one) != getattr(right, one) for one in _SAME_RECORD):
            yield f"schema {name}"
