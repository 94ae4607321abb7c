"""Policy as it runs: routes, standings and one minimiser per delivery and record, compiled when policy is taken over.

A request looks things up here and interprets nothing (design: "compiled when policy is loaded"). A delivery that
does not compile takes nobody down with it: it gets the finding SCHEMA_NOT_ACTIVE and releases nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.core.gate.decide import Permit, Standing
from gateway.core.model import Finding
from gateway.core.policy.problems import delivery_terms
from gateway.core.policy.rules_fields import beside_special
from gateway.core.policy.schema import Schema
from gateway.core.reasons import Reason
from gateway.core.release.compiler import DeliveryRefused, compile_projection
from gateway.formats.csv import CsvMinimiser, CsvSet
from gateway.formats.json import JsonInbound, JsonMinimiser
from gateway.formats.xml import Names, XmlInbound, XmlMinimiser
from gateway.transfer.request import Router

Key = tuple[str, str, str]
"""Recipient, purpose, schema."""

Made = JsonMinimiser | JsonInbound | XmlMinimiser | XmlInbound | CsvMinimiser


@dataclass(frozen=True, slots=True)
class Compiled:
    """`standings` by recipient, purpose and schema; `records` by the same and the record's name; `spoken`: the schemas
    of each source; `sets`: what leaves of an archive of files that refer to each other; `pushes`: the routes by which a
    source hands in what goes on to a recipient."""

    router: Router
    schemas: Mapping[str, Schema]
    standings: Mapping[Key, Standing]
    records: Mapping[Key, Mapping[str, Made]]
    spoken: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pushes: Router = field(default_factory=lambda: Router({}))
    sets: Mapping[Key, CsvSet] = field(default_factory=dict)

    def minimiser(self, permit: Permit, record: str) -> JsonMinimiser | None:
        """What leaves of this record in this delivery; None when the record is not part of it, or is no JSON."""
        found = self._found(permit, record)
        return found if isinstance(found, JsonMinimiser) else None

    def xml(self, permit: Permit, record: str) -> XmlMinimiser | None:
        """What leaves of this record in this delivery of XML; None when the record is not part of it."""
        found = self._found(permit, record)
        return found if isinstance(found, XmlMinimiser) else None

    def csv(self, permit: Permit, record: str) -> CsvMinimiser | None:
        """What leaves of this record in this delivery of CSV; None when the record is not part of it."""
        found = self._found(permit, record)
        return found if isinstance(found, CsvMinimiser) else None

    def files(self, permit: Permit) -> CsvSet | None:
        """What leaves of a whole set in this delivery; None where files come one by one."""
        return self.sets.get(_key(permit))

    def inbound(self, permit: Permit, record: str) -> JsonInbound | XmlInbound | None:
        """What may come back as this record in this delivery; None when nothing may."""
        found = self._found(permit, record)
        return found if isinstance(found, JsonInbound | XmlInbound) else None

    def _found(self, permit: Permit, record: str) -> Made | None:
        return self.records.get(_key(permit), {}).get(record)


def _key(permit: Permit) -> Key:
    delivery = permit.standing.delivery
    return delivery.recipient, delivery.purpose, delivery.schema


def compile_policy(
    standings: Mapping[Key, Standing], schemas: Mapping[str, Schema], sources: Mapping[str, Iterable[str]]
) -> Compiled:
    """Compile every delivery for every record it names. `sources`: source → names of the schemas it speaks."""
    offered = {source: [schemas[name] for name in names if name in schemas] for source, names in sources.items()}
    stands: dict[Key, Standing] = {}
    records: dict[Key, dict[str, Made]] = {}
    for key, standing in standings.items():
        try:
            records[key], stands[key] = _records(standing, schemas), standing
        except DeliveryRefused as refused:
            finding = Finding(Reason.SCHEMA_NOT_ACTIVE, str(refused))
            stands[key] = replace(standing, findings=(*standing.findings, finding))
    spoken = {source: frozenset(schema.name for schema in known) for source, known in offered.items()}
    pull, push = (_routed(offered, direction) for direction in ("pull", "push"))
    sets = {key: found for key, made in records.items() if (found := _set(schemas.get(key[2]), made)) is not None}
    return Compiled(Router(pull), schemas, stands, records, spoken, Router(push), sets)


def _set(schema: Schema | None, made: Mapping[str, Made]) -> CsvSet | None:
    """Of a format whose files come in an archive."""
    if schema is None or schema.csv is None or schema.csv.manifest is None:
        return None
    tables = {name: one for name, one in made.items() if isinstance(one, CsvMinimiser)}
    return CsvSet(schema, tables) if tables else None


def _routed(offered: Mapping[str, list[Schema]], direction: str) -> dict[str, list[Schema]]:
    """What is pushed is no recipient's to call."""
    return {name: [one for one in known if one.direction == direction] for name, known in offered.items()}


def _records(standing: Standing, schemas: Mapping[str, Schema]) -> dict[str, Made]:
    delivery = standing.delivery
    schema = schemas.get(delivery.schema)
    if schema is None or delivery.conditions.final_recipients:
        return {}  # a platform gets nothing itself (R55)
    writes = {route.record: (route.write, route.soap) for route in schema.routes if route.write is not None}
    compiled: dict[str, Made] = {}
    for name, grants in delivery.grants.items():
        if name in schema.records:
            special, whole = _special(standing, schemas), delivery.aggregate is None
            record, method = schema.records[name], delivery.pseudonym
            projection = compile_projection(
                record, grants, method, special=special, whole=whole, notices=delivery.notices
            )  # fmt: skip
            write, soap = writes.get(name, (None, None))
            if schema.format == "xml" and write is not None and soap is not None:
                compiled[name] = XmlInbound(projection, write, soap, Names(schema.namespaces))
            elif schema.format == "xml":
                compiled[name] = XmlMinimiser(projection, schema.namespaces, delivery.aggregate)
            elif schema.format == "csv":
                compiled[name] = CsvMinimiser(projection, schema.csv, delivery.aggregate)
            elif write is None:
                compiled[name] = JsonMinimiser(projection, delivery.aggregate)
            else:
                compiled[name] = JsonInbound(projection, write)
    return compiled


def _special(standing: Standing, schemas: Mapping[str, Schema]) -> bool:
    """Whether this recipient gets something of a special category for this purpose, by whichever schema (D8)."""
    same = [one for one in standing.recipient.deliveries if one.purpose == standing.delivery.purpose]
    return any(beside_special(delivery_terms(standing.recipient, one, schemas, None).granted) for one in same)
