"""What a record says of itself that only the school's facts decide: the inzage, whether the parents agreed, their
remark, the consent.

A record that denies what the school recorded is held, as a person must look (R109); one that claims what nobody
recorded gains nothing by it: it does not even leave. What leaves in such a field is what the school recorded, or that
nothing was (R57, N26). Pure. Leaves out: whether a delivery waits for it (`gate.occasion`, `gate.consent`).
"""

from __future__ import annotations

from datetime import date

from gateway.core.facts import Facts
from gateway.core.gate.occasion import recorded_inzage
from gateway.core.model import Ground
from gateway.core.policy.schema import Claim
from gateway.core.policy.terms import Delivery


def recorded(claim: Claim, facts: Facts, delivery: Delivery, today: date) -> str | None:
    """What the school recorded, as it leaves, of somebody who is available to this delivery; None: nothing."""
    inzage = recorded_inzage(facts, delivery, today)
    match claim.of:
        case "inzage":
            return claim.granted if inzage is not None else None
        case "inzage-day":
            return inzage.day.isoformat() if inzage is not None else None
        case "inzage-remark":
            return inzage.remark if inzage is not None else None
        case "inzage-agreement":
            agreed = inzage.agreed if inzage is not None else None
            return None if agreed is None else claim.granted if agreed else next(iter(claim.denied), None)
        case "consent":  # without it nobody is available where it is the ground
            return claim.granted if delivery.grondslag and delivery.grondslag.ground is Ground.CONSENT else None


def denied(claim: Claim, text: str, facts: Facts, delivery: Delivery, today: date) -> bool:
    """Whether the record says no where the school recorded yes."""
    return text.strip() in claim.denied and recorded(claim, facts, delivery, today) == claim.granted
