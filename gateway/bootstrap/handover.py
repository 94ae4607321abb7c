"""Handing over on a permit from the command line: the data plane's own flow, for one pupil, in this process.

Leaves out: the flow (`transfer.handover`), permits (`permits`), where the answer is written (`cli`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.adapters.register import permits as stored
from gateway.adapters.register.permits import KeptPermit
from gateway.bootstrap.acts import compiled
from gateway.bootstrap.one_pupil import outside, parts
from gateway.bootstrap.permits import find
from gateway.bootstrap.plane import sizes_of
from gateway.bootstrap.pupils import as_registered
from gateway.bootstrap.school import Refused, School, clock
from gateway.core.gate.decide import LACKS
from gateway.core.model import Finding
from gateway.core.persons import Actor, Deed, sentence
from gateway.core.policy.terms import Delivery
from gateway.core.reasons import Reason
from gateway.core.register import Draft
from gateway.transfer.handover import Handing, Handover
from gateway.transfer.released import Released


@dataclass(frozen=True, slots=True)
class Handed:
    """What leaves, as JSON with the purpose and the ids of the entries."""

    text: bytes = field(repr=False)
    transfers: tuple[str, ...]


def deliver(school: School, actor: Actor, name: str, reason: str) -> Handed:
    """Raises Refused with every reason, once it is in the register."""
    act = school.act(actor, Deed.PERMIT_MAKE, reason)
    permit = find(school, actor, name)
    deliveries = [one for one in _deliveries(school, permit) if one.conditions.occasion is permit.occasion]
    if not deliveries:
        raise Refused(["this recipient no longer has a delivery for this purpose"])
    if permit.state(clock()) == "used":
        lacks = Finding(LACKS[permit.occasion], "used before")
        pupils = as_registered(school, permit.subject)
        stored.attempt(
            school.database, act, deliveries[0], pupils[0] if pupils else None, [lacks], secret=permit.secret
        )
        raise Refused([f"{lacks.reason}: {lacks.about}"])
    return asyncio.run(_deliver(school, actor, permit, deliveries, reason))


def _deliveries(school: School, permit: KeptPermit) -> list[Delivery]:
    standings = compiled(school).standings
    return [one.delivery for key, one in standings.items() if key[:2] == (permit.recipient, permit.purpose)]


async def _deliver(school: School, actor: Actor, permit: KeptPermit, deliveries: list[Delivery], reason: str) -> Handed:
    async with outside(school) as opened:
        handover = Handover(opened, sizes_of(school), _handing(school, actor, permit, deliveries[0], reason))
        data: dict[str, Any] = {}
        for source, delivery, record in parts(school, opened.world.now(), permit.subject, deliveries):
            answer = await handover.deliver(source, delivery, record)
            if isinstance(answer, Released) and answer.reason is None and isinstance(answer.body, bytes):
                data.setdefault(delivery.schema, {})[record] = msgspec.Raw(answer.body)
        await opened.drift.settled()
        return _handed(actor, permit, data, handover.entries.appended)


def _handing(school: School, actor: Actor, permit: KeptPermit, delivery: Delivery, reason: str) -> Handing:
    return Handing(
        id=school.new_id(clock()),
        person=actor.name,
        permit=permit.id,
        fact=permit.fact,
        subject=permit.subject,
        occasion=permit.occasion,
        recipient=permit.recipient,
        purpose=permit.purpose,
        channel=delivery.channel,
        secret=permit.secret,
        reason=reason,
    )


def _handed(actor: Actor, permit: KeptPermit, data: dict[str, Any], drafts: list[Draft]) -> Handed:
    if not data:
        raise Refused(_why(actor, drafts) or [str(Reason.REGISTER_UNAVAILABLE)])
    transfers = tuple(draft.id for draft in drafts if draft.outcome == "released")
    told = {"recipient": permit.recipient, "purpose": permit.purpose, "permit": permit.id, "transfers": transfers}
    return Handed(msgspec.json.encode({**told, "data": data}), transfers)


def _why(actor: Actor, drafts: list[Draft]) -> list[str]:
    """Every reason that spoke, about the delivery or the pupil, for this person's eyes."""
    reasons = [reason for draft in drafts for reason in draft.reasons]
    reasons += [reason for draft in drafts for _, said in draft.withheld for reason in said]
    found = dict.fromkeys(reasons) or ([Reason.NOT_AVAILABLE] if drafts else [])
    return [f"{reason}: {sentence(reason, actor.roles)}" for reason in found]
