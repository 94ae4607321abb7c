"""A read for one pupil on a one-off permit, by a person of the school (D4).

The person names the permit, and that one alone counts. It must be in the facts, and not have ended, at every verdict,
the last one included (house rule 4); what leaves once is marked as used in the transaction of its entry. Leaves out:
the read (`one_pupil`), making a permit (`core.gate.permits`), what becomes of the answer (`bootstrap.handover`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.core.facts import Occasion
from gateway.core.gate.decide import LACKS
from gateway.core.model import Caller, Finding
from gateway.core.persons import SECRET_DETAIL
from gateway.core.policy.terms import Delivery
from gateway.core.register import Draft, Spent, altered
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.one_pupil import OnePupil
from gateway.transfer.ports import Receipt, Register, RegisterUnavailable, Snapshot
from gateway.transfer.released import Answer
from gateway.transfer.remembered import Granted
from gateway.transfer.request import Stop
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


class Handover(OnePupil):
    """One per handing over."""

    def __init__(self, outside: Outside, sizes: Sizes, handing: Handing) -> None:
        self.entries = PersonsRegister(outside.register, handing)
        super().__init__(replace(outside, register=self.entries), sizes, handing.subject, handing.fact)
        self.handing = handing

    async def deliver(self, source: str, delivery: Delivery, record: str) -> Answer:
        """This record of this delivery, from this source. Every refusal is registered before it is told."""
        handing = self.handing
        caller = Caller(handing.person, "school", handing.recipient, handing.purpose)
        trail = self.begin(caller)
        try:
            match = self.match(source, delivery, record)
            trail = replace(trail, match=match)
            return await self.read(trail, match, self.inquiry(match, delivery, handing.channel))
        except Stop as stop:
            return await self.refuse(trail, stop)
        except RegisterUnavailable:
            return unregistered(trail)

    def granted(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> Granted:
        """The gate's, and the permit of the person: there, not ended, not yet over."""
        granted = super().granted(trail, inquiry, snapshot)
        now = self.outside.clock()
        known = snapshot.facts.about(self.handing.subject).permits
        if not any(one.number == self.handing.fact and now < one.until for one in known):
            reason = LACKS[self.handing.occasion]
            raise Stop(reason, findings=(Finding(reason, "permit"),))
        return granted
