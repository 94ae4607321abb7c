"""Rules about deliveries of counts: what may be counted, and what would give a small count away (R45).

Each rule is one function that yields what it finds wrong. Leaves out: which cells are told (`aggregate`), the rules
that hold for a counted field as for any other (`rules_fields`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.core.model import FieldClass, Person, Transform
from gateway.core.policy.grants import nodes_along
from gateway.core.policy.problems import DeliveryTerms, Granted, PolicyProblem
from gateway.core.policy.rules_fields import classes
from gateway.core.policy.schema import Branch, Many, Record
from gateway.core.policy.terms import Recipient
from gateway.core.reasons import Reason
from gateway.core.release.aggregate import MOST_DIMENSIONS

SMALLEST_CELL = 5

_WRONG = Reason.SCHEMA_NOT_ACTIVE
# What names one person has no place among what says nothing about anybody.
_NAMES_SOMEBODY = frozenset(
    {
        FieldClass.ID,
        FieldClass.DIRECT,
        FieldClass.CONTACT,
        FieldClass.NATIONAL_NUMBER,
        FieldClass.THIRD_PERSON,
        FieldClass.FREE_TEXT,
        FieldClass.DOCUMENT,
        FieldClass.IMAGE,
        FieldClass.CREDENTIAL,
        FieldClass.CONFIDENTIAL,
    },
)


def nobody_is_named(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """Pseudonymous is not anonymous: no id, no pseudonym, no name."""
    for one in terms.granted if terms.delivery.aggregate else ():
        mapped = one.leaf is not None and one.leaf.maps is not None
        if mapped or classes(one) & _NAMES_SOMEBODY or one.grant.transform is Transform.PSEUDONYM:
            message = "a delivery of counts holds no pseudonym, no id and nothing that names a person"
            yield terms.field_problem(one, Reason.DIRECT_IDENTIFIER_NOT_ALLOWED, "R45", message)


def counted_by_what_is_granted(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """Each granted field is counted by, and the other way round; a field in a list has no one value."""
    aggregate = terms.delivery.aggregate
    if aggregate is None:
        return
    granted = {one.path: one for one in terms.granted}
    for one in terms.granted:
        if one.path not in aggregate.by:
            message = "a delivery of counts holds no field that is not counted by (aggregate.by)"
            yield terms.field_problem(one, _WRONG, "R45", message)
        elif _in_list(one) or one.says_nothing:
            yield terms.field_problem(one, _WRONG, "R45", "this field has no one value of its own to count by")
    unknown = [path for path in aggregate.by if path not in granted]
    if unknown or not 0 < len(aggregate.by) <= MOST_DIMENSIONS or len(set(aggregate.by)) < len(aggregate.by):
        message = f"count by one to {MOST_DIMENSIONS} granted fields, each named once"
        yield terms.problem(_WRONG, "R45", message, "aggregate", "by")
    if "count" in aggregate.by:
        yield terms.problem(_WRONG, "R45", "a field of the name count would hide the count", "aggregate", "by")


def large_enough(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """A cell of fewer is somebody."""
    aggregate = terms.delivery.aggregate
    if aggregate is not None and aggregate.minimum < SMALLEST_CELL:
        message = f"a cell has at least {SMALLEST_CELL} pupils"
        yield terms.problem(_WRONG, "R45", message, "aggregate", "minimum")


def one_table(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """One record, about one pupil, of one location: two tables that share pupils give small cells away by their
    difference."""
    delivery = terms.delivery
    if delivery.aggregate is None:
        return
    if len(delivery.locations) != 1:
        yield terms.problem(_WRONG, "R45", "counts are of one location; the rest is their difference", "locations")
    where = ("schemas", delivery.schema)
    if len(delivery.grants) != 1:
        yield terms.problem(_WRONG, "R45", "counts are of one kind of record", *where)
    for record in {one.record.name: one.record for one in terms.granted}.values():
        if not about_one_pupil(record):
            yield terms.problem(_WRONG, "R45", "counts are of records about one pupil each", *where, record.name)


def about_one_pupil(record: Record) -> bool:
    """Whether every record speaks of one pupil and of nobody else."""
    if len(record.subjects) != 1 or record.subjects[0].person is not Person.PUPIL or record.subjects[0].others:
        return False
    at = record.subjects[0].at
    return not at or all(isinstance(node, Branch) and node.required for node in nodes_along(record.fields, at))


def _in_list(one: Granted) -> bool:
    return any(isinstance(node, Many) for node in nodes_along(one.record.fields, one.path))


def counted_once(recipient: Recipient) -> Iterator[PolicyProblem]:
    """Two tables of the same pupils are one that nobody protected."""
    seen: set[str] = set()
    for delivery in recipient.deliveries:
        if delivery.aggregate is None:
            continue
        if seen & delivery.locations:
            message = "this location is counted in another delivery of this recipient"
            where = ("deliveries", delivery.purpose, "aggregate")
            yield PolicyProblem(_WRONG, "R45", message, where, (recipient.name, delivery.purpose, delivery.schema))
        seen |= delivery.locations


AGGREGATE_RULES: tuple[Callable[[DeliveryTerms], Iterator[PolicyProblem]], ...] = (
    nobody_is_named,
    counted_by_what_is_granted,
    large_enough,
    one_table,
)
