"""What a one-off permit must say before it is one (D4): required items, scope and end, per occasion.

Pure. `judged` runs every rule and collects every reason, as `decide` does; what comes out is a fact (`facts.Permit`) or
what was found. Leaves out: who may make one (`persons`), whether it fits a call (`decide`, `screening`), how it is kept
(`adapters.register.permits`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from gateway.core.days import holds, reached
from gateway.core.facts import Capacity, Exception18, Facts, Occasion, Permit, Restriction
from gateway.core.gate.decide import LACKS
from gateway.core.model import Category, Finding
from gateway.core.persons import Weight
from gateway.core.policy.terms import Delivery
from gateway.core.policy.words import hollow
from gateway.core.reasons import Reason, rank


class Order(StrEnum):
    """N30: what the police or the public prosecutor demands under. The numbers change with the new Sv."""

    IDENTIFYING = "126nc"
    OTHER = "126nd"
    SENSITIVE = "126nf"


# Art. 126nc(2) Sv: name, address, birth and sex, and administrative features.
IDENTIFYING = frozenset(
    {Category.NAME, Category.ADDRESS, Category.BIRTH_DATE, Category.SEX, Category.PUPIL_NUMBER, Category.ORGANISATION}
)
# Art. 126nd(2) with 126nf Sv: beliefs, race, politics, health, sexual life; here also what points at them.
SENSITIVE = frozenset(
    {Category.SPECIAL, Category.MEDICAL, Category.PSYCHOLOGICAL_REPORT, Category.ABSENCE_REASON}
    | {Category.SUPPORT, Category.NATIONALITY, Category.BIRTH_PLACE}
)
# R37, R64, D7: whatever an order says, no delivery has these.
_NEVER = frozenset({Category.CRIMINAL, Category.CONFIDENTIAL, Category.CREDENTIALS, Category.NATIONAL_NUMBER})
_REACH: Mapping[Order, frozenset[Category]] = {
    Order.IDENTIFYING: IDENTIFYING,
    Order.OTHER: frozenset(Category) - SENSITIVE - _NEVER,
    Order.SENSITIVE: frozenset(Category) - _NEVER,
}
# R13: the smallest emergency profile.
EMERGENCY = frozenset({Category.NAME, Category.GUARDIANS, Category.PHONE, Category.MEDICAL})
SPECIAL_CATEGORIES = frozenset(
    {Category.SPECIAL, Category.MEDICAL, Category.PSYCHOLOGICAL_REPORT, Category.ABSENCE_REASON}
)

# How long a permit of each occasion lasts when nobody says so, and at most.
_LASTS: Mapping[Occasion, timedelta] = {
    Occasion.POLICE: timedelta(days=7),
    Occasion.SAFETY: timedelta(days=7),
    Occasion.INVESTIGATION: timedelta(days=28),
    Occasion.REQUEST: timedelta(days=28),
}
_LONGEST = timedelta(days=90)


class Items(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a person fills in. `exception`: why a restriction is passed (N13); `secret`: nothing shows it to others than
    releaser and FG; `document`: SHA-256 of the order, which stays in the school's archive."""

    categories: frozenset[Category] = frozenset()
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    exception: Exception18 | None = None
    secret: bool | None = None
    # police
    order: Order | None = None
    authority: str | None = None
    issued: date | None = None
    case: str | None = None
    document: str | None = None
    judge: str | None = None
    # investigation
    reference: str | None = None
    # request
    requester: Literal["pupil", "representative"] | None = None
    capacity: Capacity | None = None
    identity: str | None = None
    identified: date | None = None

    def __repr__(self) -> str:
        return "<Items …>"


ITEMS: Mapping[Occasion, tuple[str, ...]] = {
    Occasion.POLICE: ("order", "authority", "issued", "case", "document"),
    Occasion.BREAK_GLASS: (),
    Occasion.SAFETY: (),
    Occasion.INVESTIGATION: ("reference",),
    Occasion.REQUEST: ("requester", "identity", "identified"),
}
"""What must be there beside pupil, recipient, categories and reason."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything the rules look at. `now` is aware, `today` the date in Europe/Amsterdam; `emergency`: how long
    break-glass may last."""

    delivery: Delivery
    items: Items
    reason: str
    facts: Facts
    now: datetime
    today: date
    emergency: timedelta

    @property
    def occasion(self) -> Occasion:
        return self.delivery.conditions.occasion

    @property
    def categories(self) -> frozenset[Category]:
        return self.items.categories or (EMERGENCY if self.occasion is Occasion.BREAK_GLASS else frozenset())

    @property
    def until(self) -> datetime:
        return self.items.until or self.now + _LASTS.get(self.occasion, self.emergency)

    @property
    def exception(self) -> Exception18 | None:
        """R13: in an emergency nobody looks for a word of art. 18(2) first."""
        default = Exception18.PUBLIC_INTEREST if self.occasion is Occasion.BREAK_GLASS else None
        return self.items.exception or default

    @property
    def secret(self) -> bool:
        """N31, R100: a report on a child's safety is secret unless a person says otherwise; others when one does."""
        return self.occasion is Occasion.SAFETY if self.items.secret is None else self.items.secret


def judged(asked: Asked) -> Permit | tuple[Finding, ...]:
    """The permit, or every reason why there is none, in gate order."""
    findings = [finding for rule in _RULES for finding in rule(asked)]
    if findings or asked.occasion not in LACKS:
        return tuple(sorted(findings, key=lambda finding: rank(finding.reason)))
    return Permit(
        occasion=asked.occasion,
        recipient=asked.delivery.recipient,
        purpose=asked.delivery.purpose,
        categories=asked.categories,
        channel=asked.delivery.channel,
        until=asked.until,
        exception=asked.exception,
        secret=asked.secret,
    )


def weights(permit: Permit) -> frozenset[Weight]:
    """R116: what makes this permit weigh more than one person may carry."""
    found = {
        Weight.POLICE: permit.occasion is Occasion.POLICE,
        Weight.BREAK_GLASS: permit.occasion is Occasion.BREAK_GLASS,
        Weight.SPECIAL: bool(permit.categories & SPECIAL_CATEGORIES),
    }
    return frozenset(weight for weight, weighs in found.items() if weighs)


def once(occasion: Occasion) -> bool:
    """R97: at request data go over once; the others as often as the occasion needs until it ends."""
    return occasion is Occasion.REQUEST


def reviewed_by_fg(occasion: Occasion) -> bool:
    """R13, R116: works at once, and is judged afterwards."""
    return occasion is Occasion.BREAK_GLASS


# -- the rules -------------------------------------------------------------------------------------------


def _lacks(asked: Asked, about: str) -> Finding:
    return Finding(LACKS[asked.occasion], about)


def _complete(asked: Asked) -> Iterator[Finding]:
    """R56, R48, R97: what is not written down was not given. R13: a reason in words."""
    for name in ITEMS.get(asked.occasion, ()):
        value = getattr(asked.items, name)
        if value is None or (isinstance(value, str) and hollow(value)):
            yield _lacks(asked, name)
    if hollow(asked.reason):
        yield _lacks(asked, "reason")


def _scope(asked: Asked) -> Iterator[Finding]:
    """Which data, by name; never more than the delivery has, so that nobody believes it was given."""
    if not asked.categories or asked.categories & _NEVER:
        yield _lacks(asked, "categories")


def _order(asked: Asked) -> Iterator[Finding]:
    """N30: the type of order decides the most that may leave; sensitive data need the rechter-commissaris."""
    items = asked.items
    if asked.occasion is not Occasion.POLICE or items.order is None:
        return
    if not asked.categories <= _REACH[items.order]:
        yield _lacks(asked, "categories beyond the order")
    if items.order is Order.SENSITIVE and hollow(items.judge):
        yield _lacks(asked, "judge")
    if items.issued is not None and items.issued > asked.today:
        yield _lacks(asked, "issued")
    if items.document is not None and not _is_digest(items.document):
        yield _lacks(asked, "document")


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text.casefold())


def _emergency(asked: Asked) -> Iterator[Finding]:
    """R13: the smallest profile."""
    if asked.occasion is Occasion.BREAK_GLASS and not asked.categories <= EMERGENCY:
        yield _lacks(asked, f"categories: in an emergency no more than {', '.join(sorted(EMERGENCY))}")


def _end(asked: Asked) -> Iterator[Finding]:
    """Every permit ends; break-glass within hours."""
    longest = asked.emergency if asked.occasion is Occasion.BREAK_GLASS else _LONGEST
    if asked.until <= asked.now or asked.until > asked.now + longest:
        yield _lacks(asked, "until")


def _restricted(asked: Asked) -> Iterator[Finding]:
    """N13: a restriction is passed under a recorded exception of art. 18(2), never silently."""
    if asked.exception is None and any(_touches(one, asked) for one in asked.facts.restrictions):
        yield Finding(Reason.PUPIL_RESTRICTED, "exception")


def _touches(one: Restriction, asked: Asked) -> bool:
    whole = one.categories is None or bool(one.categories & asked.categories)
    return whole and holds(one.since, one.until, asked.today)


def _entitled(asked: Asked) -> Iterator[Finding]:
    """R97, N15, R102, D5: until 16 a representative with gezag asks, from 16 the pupil; a curator or mentor at any age.
    R87: the identity was established by today."""
    items = asked.items
    if asked.occasion is not Occasion.REQUEST:
        return
    if items.identified is not None and items.identified > asked.today:
        yield _lacks(asked, "identified")
    if asked.facts.birth is None:
        yield Finding(Reason.BIRTH_DATE_UNKNOWN, "requester")
    elif items.requester is not None and not _may_ask(asked, asked.facts.birth):
        yield Finding(Reason.CONSENT_GIVER_NOT_ENTITLED, "requester")


_OF_MINORS = frozenset({Capacity.PARENT, Capacity.VOOGD})
_OF_ANY_AGE = frozenset({Capacity.CURATOR, Capacity.MENTOR})
_OWN_RIGHTS = 16


def _may_ask(asked: Asked, birth: date) -> bool:
    items, own = asked.items, reached(birth, _OWN_RIGHTS, asked.today)
    if items.requester == "pupil":
        return own
    allowed = _OF_ANY_AGE if own else _OF_ANY_AGE | _OF_MINORS
    return items.capacity in allowed and any(
        one.capacity is items.capacity and holds(one.since, one.until, asked.today)
        for one in asked.facts.representatives
    )


_RULES: tuple[Callable[[Asked], Iterator[Finding]], ...] = (
    _complete,
    _scope,
    _order,
    _emergency,
    _end,
    _restricted,
    _entitled,
)
