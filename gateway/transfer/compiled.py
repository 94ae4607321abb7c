"""Policy as it runs: routes, standings and one minimiser per delivery and record, compiled when policy is taken over.

A request looks things up here and interprets nothing (design: "compiled when policy is loaded"). A delivery that
does not compile takes nobody down with it: it gets the finding SCHEMA_NOT_ACTIVE and releases nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.core.decide import Permit, Standing
from gateway.core.model import Schema
from gateway.core.projection import compile_projection
from gateway.formats.json import JsonMinimiser
from gateway.transfer.request import Router

Key = tuple[str, str, str]
"""Recipient, purpose, schema."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """`standings` by recipient, purpose and schema; `minimisers` by the same and the record's name."""

    router: Router
    schemas: Mapping[str, Schema]
    standings: Mapping[Key, Standing]
    minimisers: Mapping[Key, Mapping[str, JsonMinimiser]]

    def minimiser(self, permit: Permit, record: str) -> JsonMinimiser | None:
        """The minimiser of this delivery for this record; None when the record is not part of it."""
        delivery = permit.standing.delivery
        return self.minimisers.get((delivery.recipient, delivery.purpose, delivery.schema), {}).get(record)


def compile_policy(
    standings: Mapping[Key, Standing], schemas: Mapping[str, Schema], sources: Mapping[str, Iterable[str]]
) -> Compiled:
    """Compile every delivery for every record it names. `sources`: source → names of the schemas it speaks."""
    offered = {source: [schemas[name] for name in names if name in schemas] for source, names in sources.items()}
    minimisers = {key: _minimisers(standing, schemas) for key, standing in standings.items()}
    return Compiled(Router(offered), schemas, standings, minimisers)


def _minimisers(standing: Standing, schemas: Mapping[str, Schema]) -> dict[str, JsonMinimiser]:
    delivery = standing.delivery
    schema = schemas.get(delivery.schema)
    if schema is None:
        return {}
    records = {name: schema.records[name] for name in delivery.grants if name in schema.records}
    return {
        name: JsonMinimiser(compile_projection(record, delivery.grants[name], delivery.pseudonym))
        for name, record in records.items()
    }
