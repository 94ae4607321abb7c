"""A read about one pupil whom a person of the school names: the same flow, without a recipient's call.

The route and the question to the LVS follow from the delivery. Leaves out: what becomes of the answer, which is handed
over (`handover`) or looked at (`review`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gateway.core.gate.decide import Call
from gateway.core.model import Caller
from gateway.core.policy.schema import Route, Schema
from gateway.core.policy.terms import Delivery
from gateway.core.reasons import Reason
from gateway.formats.json import naming
from gateway.transfer.flow import Flow, Target, aimed_at
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.listing import named_as
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Asked, Match, Stop
from gateway.transfer.resolve import Absent, Resolver
from gateway.transfer.steps import Outside, Sizes


class OnePupil(Flow):
    """For the pupil with this internal id. `permit`: the number of the only permit that counts."""

    def __init__(self, outside: Outside, sizes: Sizes, subject: bytes, permit: int | None = None) -> None:
        super().__init__(outside, sizes, Remembered(outside.world, permit))
        self.subject = subject

    def match(self, source: str, delivery: Delivery, record: str) -> Match:
        """The route that asks for one person by name."""
        schema = self.outside.world.now().compiled.schemas.get(delivery.schema)
        route = named_route(schema, record) if schema else None
        if schema is None or route is None:
            raise Stop(Reason.ROUTE_UNKNOWN)
        return Match(source, schema, route, {})

    def inquiry(self, match: Match, delivery: Delivery, channel: str) -> Inquiry:
        """At the locations of this pupil, which are looked at again with each verdict (`screening`)."""
        organisation = self.outside.world.organisation
        found = self.outside.world.now().rosters[match.source].by_id(self.subject)
        locations = frozenset(one.location for one in found.enrolments) & delivery.locations if found else frozenset()
        named = match.route.named
        assert named is not None, "a route that asks for one person"
        ids = frozenset().union(*(organisation.locations[name].ids for name in locations))
        call = Call(match.source, match.schema.name, match.route.record, None, locations, channel)
        return Inquiry(call, Asked(locations, ()), naming(named, named_as(match.schema, ids)))

    def target(self, resolver: Resolver, match: Match, inquiry: Inquiry) -> Target | Absent:
        """Nobody asks under a pseudonym: the pupil is screened as anybody who is named."""
        whole = aimed_at(resolver, match, replace(inquiry, named=None))
        found = resolver.screened(self.subject)
        if isinstance(whole, Absent) or isinstance(found, Absent) or inquiry.named is None:
            return found if isinstance(found, Absent) else whole
        return Target(replace(whole.call, body=inquiry.named.upstream_body(found)), found)


def caller_for(person: str, delivery: Delivery) -> Caller:
    """Who asks: a person for a recipient. What stands, a recipient fetches itself, and is decided as if it did."""
    kind: Literal["school", "recipient"] = "school" if delivery.conditions.one_off else "recipient"
    return Caller(person, kind, delivery.recipient, delivery.purpose)


def named_route(schema: Schema, record: str) -> Route | None:
    """How this schema is asked for this record of one person."""
    routes = (one for one in schema.routes if one.record == record and one.named is not None and one.write is None)
    return next(routes, None)
