"""Statements that come back (results, answers): to the right pupil, once, and with a truthful answer (D9, R15, R42).

Inbound is decided on its own: the caller, the delivery, an allow-list of fields, and a pseudonym that was issued to
this recipient. Consent is not looked at; for whoever is out of scope nothing is written. Statements are decided
singly. What is forwarded is planned in the ledger and registered before it is sent; nothing is kept to be sent later.
Leaves out: reading and building the format (`formats`), where the ledger is kept (`adapters.statements`), what the
source's answer means (`acknowledgement`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.core.gate.decide import Permit
from gateway.core.model import Person, Subject
from gateway.core.reasons import Reason
from gateway.core.register import Draft, altered
from gateway.core.release.statements import BodyRefused, Message, Statement
from gateway.formats.json import JsonInbound
from gateway.formats.xml import XmlInbound
from gateway.transfer import ledger
from gateway.transfer import trail as entries
from gateway.transfer.acknowledgement import Result, acknowledge, confirm, confirmed, understood
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.ledger import Outcome, Plan, Planned, State
from gateway.transfer.messages import operation
from gateway.transfer.ports import NotSent, OutcomeUnknown, Receipt, Snapshot, UpstreamCall, UpstreamFailed
from gateway.transfer.released import Answer, Released
from gateway.transfer.request import Match, Stop, named_locations, upstream_path, upstream_query
from gateway.transfer.resolve import UNKNOWN, Absent, Resolver
from gateway.transfer.steps import Steps
from gateway.transfer.trail import Built, Trail

Inbound = JsonInbound | XmlInbound


@dataclass(frozen=True, slots=True)
class Judged:
    """One statement: whom it is about, or why it goes nowhere. `known`: what an earlier delivery of it came to."""

    statement: Statement
    subject: Subject | Absent | None
    known: Planned | None = None

    @property
    def forwarded(self) -> bool:
        return isinstance(self.subject, Subject) and self.known is not None and self.known.plan is Plan.FORWARD

    @property
    def result(self) -> Result:
        """What the recipient hears of it, but for what is forwarded now."""
        if self.subject is None:
            return Result(self.statement.id, Reason.BODY_INVALID)
        if isinstance(self.subject, Absent) or self.known is None:
            return Result(self.statement.id, Reason.NOT_AVAILABLE)
        refused = self.known.state is State.REFUSED
        return Result(self.statement.id, Reason.STATEMENT_REFUSED if refused else None)


@dataclass(frozen=True, slots=True)
class Registered:
    """What is about to be sent, its entry durable and its statements pending in the ledger."""

    permit: Permit
    receipt: Receipt
    inbound: Inbound
    message: Message
    judged: tuple[Judged, ...]

    def body(self) -> bytes:
        chosen = [(self._named(one), self._own_id(one.subject)) for one in self.judged if one.forwarded]
        return self.inbound.forward(self.message, chosen)

    def _named(self, one: Judged) -> Statement:
        """By the id under which the source knows it."""
        under = one.known.under if one.known is not None else None
        if under is None:
            return one.statement
        return replace(one.statement, fields={**one.statement.fields, self.inbound.write.id: under})

    def _own_id(self, subject: Subject | Absent | None) -> str:
        own = self.inbound.own_id(subject) if isinstance(subject, Subject) else None
        assert own is not None  # judged so: without one it is not forwarded
        return own


class WriteBack(Steps):
    """The steps of one message."""

    async def answer(self, trail: Trail, match: Match, inquiry: Inquiry) -> Answer:
        """The page: permit → read → judge each statement → plan and record → send → keep the outcome → acknowledge."""
        registered = await self.steadily(lambda snapshot: self._register(trail, match, inquiry, snapshot))
        outcomes: dict[str, Outcome] = {}
        failure: Reason | None = None
        if any(one.forwarded for one in registered.judged):
            outcomes, failure = await self._send(match, inquiry, registered)
            await self._keep(trail, match, registered, outcomes, failure)
        purpose = registered.permit.standing.delivery.purpose
        if failure is not None:
            return Released(registered.receipt, failure, shape=trail.shape, purpose=purpose)
        results = [_result(one, outcomes) for one in registered.judged]
        if match.route.soap is not None:
            return confirm(registered.receipt, results, purpose, operation(match, match.route.soap))
        return acknowledge(registered.receipt, results, purpose, trail.shape)

    async def _register(self, trail: Trail, match: Match, inquiry: Inquiry, snapshot: Snapshot) -> Registered:
        inbound = snapshot.compiled.inbound(self.granted(trail, inquiry, snapshot).permit, match.route.record)
        if inbound is None:
            raise Stop(Reason.SCHEMA_NOT_ACTIVE)
        message = _read(inbound, inquiry.body)
        if inbound.write.organisation_key:
            # the school stands in the body, which only the delivery's own field list can read
            inquiry = self._located(inquiry, message)
        granted = self.granted(trail, inquiry, snapshot)
        permit, resolver = granted.permit, replace(granted.resolver, inbound=True)
        judged = [self._judge(resolver, inbound, statement) for statement in message.statements]
        planned = await self._plan(permit, judged)
        draft = _entry(trail, permit, snapshot, inbound, planned)
        return Registered(permit, await self.outside.register.append(draft), inbound, message, planned)

    def _located(self, inquiry: Inquiry, message: Message) -> Inquiry:
        organisation = self.outside.world.organisation
        locations = named_locations(organisation, message.organisation_master, message.organisation_ids)
        return replace(inquiry, call=replace(inquiry.call, locations=locations))

    def _judge(self, resolver: Resolver, inbound: Inbound, statement: Statement) -> Judged:
        if statement.fault is not None:
            return Judged(statement, None)
        found = resolver.person(statement.ids, Person.PUPIL)
        if isinstance(found, Subject) and inbound.own_id(found) is None:
            found = UNKNOWN  # this source has no number of its own for the pupil
        return Judged(statement, found)

    async def _plan(self, permit: Permit, judged: list[Judged]) -> tuple[Judged, ...]:
        """Ask the ledger about what could be forwarded; it is durably pending when this returns."""
        source, recipient = permit.call.source, permit.standing.delivery.recipient
        chosen = [one for one in judged if isinstance(one.subject, Subject)]
        if not chosen:
            return tuple(judged)
        asked = [_in_ledger(one) for one in chosen]
        plans = await asyncio.to_thread(self.outside.ledger.plan, source, recipient, asked, self.outside.clock())
        known = {id(one): plan for one, plan in zip(chosen, plans, strict=True)}
        return tuple(replace(one, known=known.get(id(one))) for one in judged)

    async def _send(
        self, match: Match, inquiry: Inquiry, registered: Registered
    ) -> tuple[dict[str, Outcome], Reason | None]:
        """What became of each statement that was forwarded, by its id; and why the message as a whole failed."""
        call = UpstreamCall(
            match.source,
            match.route.method,
            upstream_path(match, {}),
            upstream_query(inquiry.asked, {}),
            registered.body(),
            match.route.soap.action if match.route.soap is not None else None,
        )
        forwarded = [_in_ledger(one) for one in registered.judged if one.forwarded]
        try:
            answer = await self.outside.upstream.write(registered.permit, call)
        except NotSent:
            return _all(forwarded, State.NOT_SENT), Reason.NOT_SENT
        except OutcomeUnknown:
            return _all(forwarded, State.UNKNOWN), Reason.OUTCOME_UNKNOWN
        except UpstreamFailed:
            return _all(forwarded, State.UNKNOWN), Reason.UPSTREAM_FAILED
        if match.route.soap is None:
            return {one.statement.id: one for one in understood(forwarded, answer)}, None
        state = confirmed(answer, operation(match, match.route.soap))
        return _all(forwarded, state), Reason.UPSTREAM_FAILED if state is State.UNKNOWN else None

    async def _keep(
        self,
        trail: Trail,
        match: Match,
        registered: Registered,
        outcomes: dict[str, Outcome],
        failure: Reason | None,
    ) -> None:
        """The ledger learns the outcome, and the register how the sending ended."""
        source, recipient = match.source, registered.permit.standing.delivery.recipient
        kept = list(outcomes.values())
        await asyncio.to_thread(self.outside.ledger.record, source, recipient, kept, self.outside.clock())
        await self.outside.register.append(_ending(self.begin(trail.caller), trail, kept, failure))


def _read(inbound: Inbound, body: bytes) -> Message:
    try:
        message = inbound.read(body)
    except BodyRefused as refused:
        raise Stop(Reason.BODY_INVALID, str(refused)) from None
    if message.fault is not None:
        raise Stop(Reason.BODY_INVALID, message.fault)
    ids = [one.id for one in message.statements if one.id is not None]
    if len(ids) != len(set(ids)):
        raise Stop(Reason.BODY_INVALID, "two statements have one id")
    return message


def _in_ledger(one: Judged) -> ledger.Statement:
    under = one.known.under if one.known is not None else None
    return ledger.Statement(one.statement.id or "", one.statement.content, under)


def _all(statements: Iterable[ledger.Statement], state: State) -> dict[str, Outcome]:
    return {one.id: Outcome(one, state) for one in statements}


def _result(one: Judged, outcomes: dict[str, Outcome]) -> Result:
    outcome = outcomes.get(one.statement.id or "") if one.forwarded else None
    if outcome is None:
        return one.result
    return Result(one.statement.id, None if outcome.state is State.ACCEPTED else Reason.STATEMENT_REFUSED)


def _entry(trail: Trail, permit: Permit, snapshot: Snapshot, inbound: Inbound, judged: tuple[Judged, ...]) -> Draft:
    absent = [one.subject for one in judged if isinstance(one.subject, Absent)]
    faults = sum(one.subject is None for one in judged)
    known = sum(one.known is not None and one.known.plan is not Plan.FORWARD for one in judged)
    forwarded = [one.subject for one in judged if one.forwarded]
    built = Built(
        released=tuple(dict.fromkeys(one for one in forwarded if isinstance(one, Subject))),
        withheld=tuple((one.subject, one.reasons) for one in absent if one.subject is not None),
        held=tuple((one.subject, reason) for one in absent if one.subject is not None for reason in one.held),
        unresolved=sum(one.subject is None for one in absent),
        malformed=faults,
        records=len(forwarded),
        detail=("direction: to the source", *((f"not forwarded again: {known}",) if known else ())),
    )
    draft = entries.delivery(trail, permit, snapshot.versions, inbound.projection, built)
    return draft if built.records else altered(draft, outcome="not-available" if absent else "empty")


def _ending(own: Trail, trail: Trail, outcomes: list[Outcome], failure: Reason | None) -> Draft:
    counts = [f"{state}: {sum(one.state is state for one in outcomes)}" for state in State]
    draft = entries.closing(own, trail, None)
    return altered(
        draft,
        outcome="failed" if failure else "acknowledged",
        reasons=(failure,) if failure else (),
        detail=tuple(count for count in counts if not count.endswith(": 0")),
    )
