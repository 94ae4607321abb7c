"""Reads about one pupil from the command line: the data plane's own flow, in this process.

Leaves out: the flow (`transfer.one_pupil`), what becomes of the answers (`handover`, `texts`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from gateway.adapters.lvs.upstream import HttpUpstream, system_trust
from gateway.adapters.register.writer import DatabaseRegister
from gateway.bootstrap.plane import outside_of
from gateway.bootstrap.school import School, upstream_sources, wire_limits
from gateway.core.policy.terms import Delivery
from gateway.transfer.one_pupil import named_route
from gateway.transfer.ports import Snapshot
from gateway.transfer.steps import Outside


@asynccontextmanager
async def outside(school: School) -> AsyncIterator[Outside]:
    """What a transfer touches, closed at the end."""
    register = DatabaseRegister(school.database, school.store_keys)
    upstream = HttpUpstream(upstream_sources(school.settings), system_trust, wire_limits(school.settings))
    try:
        yield outside_of(school, school.world(), register, upstream)
    finally:
        register.close()
        await upstream.close()


def parts(
    school: School, snapshot: Snapshot, subject: bytes, deliveries: list[Delivery]
) -> Iterator[tuple[str, Delivery, str]]:
    """Which record of which delivery is asked of which source: every one that knows the pupil and speaks the schema;
    where none knows them, the first that speaks it, so that the refusal is registered."""
    for delivery in deliveries:
        schema = snapshot.compiled.schemas.get(delivery.schema)
        speaks = [name for name, source in school.settings.sources.items() if delivery.schema in source.schemas]
        knows = [name for name in speaks if snapshot.rosters[name].by_id(subject) is not None]
        for source in knows or speaks[:1]:
            for record in delivery.grants:
                if schema is not None and named_route(schema, record) is not None:
                    yield source, delivery, record
