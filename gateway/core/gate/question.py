"""What a rule about one person may look at, and what it can say.

Leaves out: the rules themselves (`scope`, `prohibitions`, `consent`, `audience`) and their order (`screening`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from gateway.core.days import holds
from gateway.core.facts import Facts, Permit, Release
from gateway.core.gate.screening_fields import FieldTerms
from gateway.core.model import Category, Ground, RecipientKind, Subject
from gateway.core.policy.terms import Delivery
from gateway.core.reasons import Reason


@dataclass(frozen=True, slots=True)
class Audience:
    """Who receives, as far as rules about a person ask: the kind of recipient and, for one parent, who that is (the
    guardian's internal id). A parent who is not named gets what any parent may get."""

    kind: RecipientKind
    guardian: bytes | None = None

    def __repr__(self) -> str:
        return f"<Audience {self.kind}>"

    @property
    def parent(self) -> bool:
        return self.kind is RecipientKind.PARENT


class Said(NamedTuple):
    """One rule spoke: about these paths, or (None) the whole person. `held`: a person at school decides (D2)."""

    reason: Reason
    paths: frozenset[str] | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """May this person be in this answer, and with which of `fields`? `today` is the date in Europe/Amsterdam, `now`
    the aware moment; without one no permit holds. `permit`: the number of the one that is handed over."""

    delivery: Delivery
    subject: Subject
    facts: Facts
    today: date
    now: datetime | None
    fields: FieldTerms
    audience: Audience
    permit: int | None = None

    @property
    def ground(self) -> Ground | None:
        return self.delivery.grondslag.ground if self.delivery.grondslag else None

    @property
    def statutory(self) -> bool:
        return self.ground is Ground.STATUTORY_DUTY

    @property
    def one_off(self) -> bool:
        """D4: no standing delivery but an occasion, which takes a permit."""
        return self.delivery.conditions.one_off

    def meant(self, recipient: str | None, purpose: str | None) -> bool:
        """Whether a fact about this recipient and purpose (None: any) is about this delivery."""
        return recipient in (None, self.delivery.recipient) and purpose in (None, self.delivery.purpose)

    def reached(self, categories: frozenset[Category] | None) -> frozenset[str] | None:
        """The paths that a prohibition of these categories reaches; None is the whole person."""
        return None if categories is None else self.fields.of(categories)

    def permits(self) -> tuple[Permit, ...]:
        """The one-off permits that hold now for this occasion, recipient, purpose and channel (D4). What is handed over
        on one of them goes by that one alone: its entry names no other, and another may be secret."""
        return tuple(one for one in self.facts.permits if self._permitted(one))

    def _permitted(self, one: Permit) -> bool:
        if self.permit not in (None, one.number):
            return False
        delivery = self.delivery
        asked = (delivery.conditions.occasion, delivery.recipient, delivery.purpose, delivery.channel)
        named = (one.occasion, one.recipient, one.purpose, one.channel)
        return named == asked and self.now is not None and self.now < one.until

    def releases(self, reason: Reason, cause: int) -> tuple[Release, ...]:
        """D2: the releases of a hold that still hold; one lapses with the fact that caused it."""
        return tuple(
            one
            for one in self.facts.releases
            if self.meant(one.recipient, one.purpose)
            and one.reason is reason
            and one.cause == cause
            and holds(None, one.until, self.today)
        )


def together(permissions: tuple[Permit | Release, ...]) -> frozenset[Category]:
    """The categories that any of these permits."""
    return frozenset().union(*(one.categories for one in permissions))
