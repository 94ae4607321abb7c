"""What a rule about policy works on and what it says: a recipient, one of its deliveries, its granted fields.

Leaves out: the rules (`rules_terms`, `rules_fields`, `rules_shape`) and their order (`rules`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.model import Transform
from gateway.core.policy.grants import leaf_at, node_at
from gateway.core.policy.schema import Leaf, Node, Record, Schema
from gateway.core.policy.terms import Delivery, Grant, Organisation, Recipient
from gateway.core.reasons import Reason

Key = tuple[str, str, str]
"""Recipient, purpose, schema."""


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One rule that a recipient's file breaks. `message` is English and holds no value of the file.

    `where` is the place in the file. Deliveries of the model carry no index, so a delivery is named by its
    purpose and its schema: ("agreement", "storage", 0, "country"), ("deliveries", purpose, "necessity"),
    ("deliveries", purpose, "schemas", schema, record, "userIds.userId", "transform"). `delivery` is its key, or
    None when the problem is the recipient's, hence every delivery's."""

    reason: Reason
    rule: str
    message: str
    where: tuple[str | int, ...]
    delivery: Key | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """One grant with what it names: `node` None when the schema lacks it, `leaf` None when it is no scalar."""

    record: Record
    grant: Grant
    path: str
    node: Node | None
    leaf: Leaf | None

    @property
    def says_nothing(self) -> bool:
        """The same for everybody, or of what the recipient already knows: nothing personal leaves, so no rule of class
        or category applies."""
        return self.grant.transform in (Transform.FIXED, Transform.EMPTY, Transform.VIEW)


@dataclass(frozen=True, slots=True)
class DeliveryTerms:
    """One delivery with what its rules look at. `schema` is None when the school has no such schema;
    `organisation` is None when a template is judged apart from a school."""

    recipient: Recipient
    delivery: Delivery
    schema: Schema | None
    organisation: Organisation | None
    granted: tuple[Granted, ...]

    def problem(self, reason: Reason, rule: str, message: str, *where: str | int) -> PolicyProblem:
        """A problem at a place below this delivery's item in the file."""
        return PolicyProblem(reason, rule, message, ("deliveries", self.delivery.purpose, *where), self.key)

    def field_problem(self, one: Granted, reason: Reason, rule: str, message: str, *where: str) -> PolicyProblem:
        """A problem at a granted field."""
        place = ("schemas", self.delivery.schema, one.record.name, one.path, *where)
        return self.problem(reason, rule, message, *place)

    @property
    def key(self) -> Key:
        return (self.delivery.recipient, self.delivery.purpose, self.delivery.schema)


def delivery_terms(
    recipient: Recipient, delivery: Delivery, schemas: Mapping[str, Schema], organisation: Organisation | None
) -> DeliveryTerms:
    """Look every grant up in the schema, once, for all rules."""
    schema = schemas.get(delivery.schema)
    granted = tuple(
        Granted(record, grant, path, node_at(record.fields, path), leaf_at(record.fields, path))
        for name, grants in delivery.grants.items()
        if schema is not None and (record := schema.records.get(name)) is not None
        for path, grant in grants.items()
    )
    return DeliveryTerms(recipient, delivery, schema, organisation, granted)
