"""A read for one pupil on a one-off permit, by a person of the school (D4): the same flow, without a recipient's call.

The person names the permit; the route, the question to the LVS and the terms follow from the delivery. The permit must
be in the facts, and not have ended, at every verdict, the last one included (house rule 4); what leaves once is marked
as used in the transaction of its entry. Leaves out: making a permit (`core.permits`), what becomes of the answer
(`bootstrap.handover`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.core.decide import LACKS, Call
from gateway.core.facts import Occasion
from gateway.core.model import Caller, Finding
from gateway.core.persons import SECRET_DETAIL
from gateway.core.reasons import Reason
from gateway.core.register import Draft, Spent, altered
from gateway.core.schema import Route, Schema
from gateway.core.terms import Delivery
from gateway.formats.json import naming
from gateway.transfer.flow import Flow, Target, aimed_at
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.ports import Receipt, Register, RegisterUnavailable, Snapshot
from gateway.transfer.released import Answer
from gateway.transfer.remembered import Granted, Remembered
from gateway.transfer.request import Asked, Match, Stop
from gateway.transfer.resolve import Absent, Resolver
from gateway.transfer.steps import Outside, Sizes, unregistered
from gateway.transfer.trail import Trail


@dataclass(frozen=True, slots=True)
class Handing:
    """One handing over: by whom, on which permit (its name and the number of its fact), of which pupil, to whom."""

    id: str
    person: str
    permit: str
    fact: int
    subject: bytes = field(repr=False)
    occasion: Occasion
    recipient: str
    purpose: str
    channel: str
    secret: bool
    reason: str = ""

    def said(self) -> list[str]:
        """What every entry tells of it."""
        reason = [f"reason: {self.reason}"] if self.reason else []
        return [*reason, f"permit: {self.permit}", *([SECRET_DETAIL] if self.secret else [])]


@dataclass(slots=True)
class PersonsRegister:
    """ports.Register: every entry names the person and the permit; what was appended is kept for that person."""

    register: Register
    handing: Handing
    appended: list[Draft] = field(default_factory=list)

    async def append(self, draft: Draft) -> Receipt:
        handing = self.handing
        leaves = draft.kind in {"transfer", "part"} and draft.outcome == "released"
        draft = altered(
            draft,
            actor=handing.person,
            secret=handing.secret,
            spends=Spent(handing.permit, handing.id) if leaves else None,
            detail=(*draft.detail, *handing.said()),
        )
        receipt = await self.register.append(draft)
        self.appended.append(draft)
        return receipt


class Handover(Flow):
    """One per handing over."""

    def __init__(self, outside: Outside, sizes: Sizes, handing: Handing) -> None:
        self.entries = PersonsRegister(outside.register, handing)
        super().__init__(replace(outside, register=self.entries), sizes, Remembered(outside.world, handing.fact))
        self.handing = handing

    async def deliver(self, source: str, delivery: Delivery, record: str) -> Answer:
        """This record of this delivery, from this source. Every refusal is registered before it is told."""
        handing = self.handing
        caller = Caller(handing.person, "school", handing.recipient, handing.purpose)
        trail = self.begin(caller)
        try:
            match = self._match(source, delivery, record)
            trail = replace(trail, match=match)
            return await self.read(trail, match, self._inquiry(match, delivery))
        except Stop as stop:
            return await self.refuse(trail, stop)
        except RegisterUnavailable:
            return unregistered(trail)

    def _match(self, source: str, delivery: Delivery, record: str) -> Match:
        """The route that asks for one person by name."""
        schema = self.outside.world.now().compiled.schemas.get(delivery.schema)
        route = named_route(schema, record) if schema else None
        if schema is None or route is None:
            raise Stop(Reason.ROUTE_UNKNOWN)
        return Match(source, schema, route, {})

    def _inquiry(self, match: Match, delivery: Delivery) -> Inquiry:
        """At the locations of this pupil, which are looked at again with each verdict (`screening`)."""
        organisation = self.outside.world.organisation
        found = self.outside.world.now().rosters[match.source].by_id(self.handing.subject)
        locations = frozenset(one.location for one in found.enrolments) & delivery.locations if found else frozenset()
        named = match.route.named
        assert named is not None, "a route that asks for one person"
        pairs = sorted(pair for name in sorted(locations) for pair in organisation.locations[name].ids)
        call = Call(match.source, match.schema.name, match.route.record, None, locations, self.handing.channel)
        return Inquiry(call, Asked(locations, ()), naming(named, pairs))

    def granted(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> Granted:
        """The gate's, and the permit of the person: there, not ended, not yet over."""
        granted = super().granted(trail, inquiry, snapshot)
        now = self.outside.clock()
        known = snapshot.facts.about(self.handing.subject).permits
        if not any(one.number == self.handing.fact and now < one.until for one in known):
            reason = LACKS[self.handing.occasion]
            raise Stop(reason, findings=(Finding(reason, "permit"),))
        return granted

    def target(self, resolver: Resolver, match: Match, inquiry: Inquiry) -> Target | Absent:
        """Nobody asks under a pseudonym: the pupil is the permit's, screened as anybody who is named."""
        whole = aimed_at(resolver, match, replace(inquiry, named=None))
        found = resolver.screened(self.handing.subject)
        if isinstance(whole, Absent) or isinstance(found, Absent) or inquiry.named is None:
            return found if isinstance(found, Absent) else whole
        return Target(replace(whole.call, body=inquiry.named.upstream_body(found)), found)


def named_route(schema: Schema, record: str) -> Route | None:
    """How this schema is asked for this record of one person."""
    routes = (one for one in schema.routes if one.record == record and one.named is not None and one.write is None)
    return next(routes, None)
