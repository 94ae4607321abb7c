"""What a hold is about and when it ends (D2): due dates, what caused it, what a release must say.

Pure. Leaves out: when something is held (`screening`), how a case is kept (`adapters.register.holds`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.core.days import holds
from gateway.core.facts import Dispute, Exception18, Facts, Mark, Marker, Release, Restriction
from gateway.core.gate.permits import SPECIAL_CATEGORIES
from gateway.core.model import Category, Finding
from gateway.core.persons import Weight
from gateway.core.reasons import Reason
from gateway.core.release.classified import WAITS

OTHERWISE = timedelta(weeks=4)


def due(opened: datetime, *, statutory: bool, term: timedelta) -> datetime:
    """Statutory deliveries have the statutory term, others four weeks (D2, R99)."""
    return opened + (term if statutory else OTHERWISE)


_CAUSES: Mapping[Reason, Callable[[Facts], tuple[Restriction | Marker | Dispute, ...]]] = {
    Reason.PUPIL_RESTRICTED: lambda facts: facts.restrictions,
    Reason.CHILD_SAFETY: lambda facts: tuple(one for one in facts.markers if one.mark is Mark.CHILD_SAFETY),
    Reason.SECRET_ADDRESS: lambda facts: tuple(one for one in facts.markers if one.mark is Mark.SECRET_ADDRESS),
    Reason.FIELD_DISPUTED: lambda facts: facts.disputes,
}


def causes(facts: Facts, reason: Reason, today: date) -> tuple[int, ...]:
    """The numbers of the facts that cause it today; (0,) where the lack of one does, as an unknown day of birth. What
    begins later holds anew: nobody weighed it."""
    known = _CAUSES.get(reason)
    return (0,) if known is None else tuple(fact.number for fact in known(facts) if _in_force(fact, today))


def _in_force(fact: Restriction | Marker | Dispute, today: date) -> bool:
    return holds(fact.since, None if isinstance(fact, Dispute) else fact.until, today)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a releaser fills in."""

    recipient: str
    reason: Reason
    categories: frozenset[Category]
    until: date
    exception: Exception18 | None
    today: date
    purpose: str


def judged(asked: Asked, facts: Facts) -> tuple[Release, ...] | tuple[Finding, ...]:
    """One release per fact that caused the hold, so that it lapses with that fact; or what is missing."""
    found = []
    if asked.reason in WAITS:
        found.append(Finding(asked.reason, "one by one: gateway text release"))  # D8
    if not asked.categories:
        found.append(Finding(asked.reason, "categories"))
    if asked.until < asked.today:
        found.append(Finding(asked.reason, "until"))
    if asked.reason is Reason.PUPIL_RESTRICTED and asked.exception is None:
        found.append(Finding(asked.reason, "exception"))  # N13
    numbers = causes(facts, asked.reason, asked.today)
    if not numbers:
        found.append(Finding(asked.reason, "cause"))
    return tuple(found) if found else tuple(_release(asked, number) for number in numbers)


def _release(asked: Asked, cause: int) -> Release:
    return Release(
        recipient=asked.recipient,
        reason=asked.reason,
        categories=asked.categories,
        until=asked.until,
        cause=cause,
        exception=asked.exception,
        purpose=asked.purpose,
    )


def weights(reason: Reason, categories: frozenset[Category], *, statutory: bool) -> frozenset[Weight]:
    """R116: special categories, and what the law asks without consent while the pupil is restricted."""
    found = set()
    if categories & SPECIAL_CATEGORIES:
        found.add(Weight.SPECIAL)
    if statutory and reason is Reason.PUPIL_RESTRICTED:
        found.add(Weight.STATUTORY)
    return frozenset(found)


def lapsed(release: Release, facts: Facts, today: date) -> bool:
    """A release ends on its day, or with the fact that caused the hold."""
    return release.until < today or release.cause not in causes(facts, release.reason, today)
