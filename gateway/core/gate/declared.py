"""What somebody must have declared complete before a delivery may go: no rule stands on facts that nobody entered.

Absence of a restriction, an objection, a court order or a marker says nothing until a named person says that all of
them are entered for the location (FACTS_NOT_DECLARED). Leaves out: who declared what (`adapters.facts.declarations`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.core.facts import DECLARED, Kind
from gateway.core.gate.screening import facts_used
from gateway.core.model import Finding
from gateway.core.policy.terms import Delivery
from gateway.core.reasons import Reason

Open = tuple[Kind, str]
"""A kind and a location of which nobody declared it."""


def undeclared(
    delivery: Delivery, locations: Iterable[str] | None, declared: Callable[[Kind, str], bool]
) -> tuple[Open, ...]:
    """Of what this delivery's rules ask, at `locations` (None: at all of its own)."""
    places = sorted(delivery.locations if locations is None else locations)
    kinds = [kind for kind in DECLARED if kind in facts_used(delivery)]
    return tuple((kind, place) for place in places for kind in kinds if not declared(kind, place))


def findings(undone: Iterable[Open]) -> tuple[Finding, ...]:
    """For the school: each kind with its location."""
    return tuple(Finding(Reason.FACTS_NOT_DECLARED, f"{kind}@{place}") for kind, place in undone)
