"""May this person be in this answer, and with which fields? Steps 9-18 of the gate order (requirements 0.4).

Pure. Screened from the roster and the facts at the moment of emission (house rule 4): every rule runs, all reasons are
collected, in gate order. A record of which nothing would leave but the pseudonym is withheld whole. Leaves out:
delivery-level rules (`decide`), the rules themselves (`scope`, `prohibitions`, `occasion`, `audience`), field
projection (`projection`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime

from gateway.core.facts import NOTHING_KNOWN, Facts, Kind, Occasion
from gateway.core.gate import occasion
from gateway.core.gate.audience import consents
from gateway.core.gate.prohibitions import (
    OBJECTED,
    child_safety,
    court_orders,
    disputes,
    objections,
    restrictions,
    secret_address,
)
from gateway.core.gate.question import Audience, Question, Said
from gateway.core.gate.scope import retention, scope
from gateway.core.gate.screening_fields import FieldTerms
from gateway.core.model import Ground, RecipientKind, Subject, Verdict
from gateway.core.policy.terms import Conditions, Delivery
from gateway.core.reasons import Reason, rank

ANYBODY = Audience(RecipientKind.OTHER)

_RULES: tuple[Callable[[Question], Iterator[Said]], ...] = (
    occasion.permit,
    scope,
    retention,
    court_orders,
    child_safety,
    secret_address,
    restrictions,
    objections,
    occasion.inzage,
    consents,
    disputes,
)

_UNRESOLVED = Verdict((Reason.PUPIL_UNRESOLVED,))
_AVAILABLE = Verdict()
_UNCONDITIONAL = Conditions()


def screen(
    delivery: Delivery,
    subject: Subject | None,
    facts: Facts,
    today: date,
    fields: FieldTerms,
    *,
    audience: Audience = ANYBODY,
    now: datetime | None = None,
    permit: int | None = None,
) -> Verdict:
    """`today` is the date in Europe/Amsterdam, `now` the aware moment (without one no permit holds). `permit`: the
    number of the only one that counts (None: any). `fields` belongs to the record at hand and the kind of person; it is
    no option, so that nobody forgets what needs consent."""
    if subject is None:
        return _UNRESOLVED
    question = Question(delivery, subject, facts, today, now, fields, audience, permit)
    if _nothing_to_ask(question) and not any(scope(question)):
        return _AVAILABLE  # whoever is in scope is enrolled today, so no retention runs
    return _verdict(fields, (said for rule in _RULES for said in rule(question)))


def screen_inbound(
    delivery: Delivery, subject: Subject | None, facts: Facts, today: date, fields: FieldTerms
) -> Verdict:
    """D9: what comes back about this person. Consent is not looked at; for who is out of scope or restricted nothing is
    written or kept, and the school gets a task."""
    if subject is None:
        return _UNRESOLVED
    question = Question(delivery, subject, facts, today, None, fields, ANYBODY)
    spoke = {said.reason for rule in (scope, restrictions) for said in rule(question)}
    reasons = tuple(sorted(spoke, key=rank))
    return Verdict(reasons, held=reasons)


def facts_used(delivery: Delivery) -> frozenset[Kind]:
    """Of the kinds that must be declared complete (`facts.DECLARED`), those that this delivery's rules ask. Break-glass
    obeys what is known and waits for no declaration (R13)."""
    if delivery.conditions.occasion is Occasion.BREAK_GLASS:
        return frozenset()
    ground = delivery.grondslag.ground if delivery.grondslag else None
    always = {Kind.RESTRICTION, Kind.COURT_ORDER, Kind.MARKER}
    objected = ground in OBJECTED and not delivery.conditions.one_off
    return frozenset(always | {Kind.OBJECTION} if objected else always)


def uses_age(delivery: Delivery, audience: Audience) -> bool:
    """Whether the day of birth decides about everybody in this delivery: who gives consent (R27), what a parent gets
    (R31, R32). On ground e nobody's age needs to be known."""
    consented = delivery.grondslag is not None and delivery.grondslag.ground is Ground.CONSENT
    return (consented or audience.parent) and not delivery.conditions.one_off


def _nothing_to_ask(question: Question) -> bool:
    """Nothing is known, and nothing needs to be."""
    return (
        question.facts is NOTHING_KNOWN
        and question.ground not in (None, Ground.CONSENT)
        and not question.fields.consent
        and not question.audience.parent
        and question.delivery.conditions == _UNCONDITIONAL
    )


def _verdict(fields: FieldTerms, spoken: Iterable[Said]) -> Verdict:
    reasons: set[Reason] = set()
    held: set[Reason] = set()
    withheld: dict[tuple[str, Reason], None] = {}
    for said in spoken:
        if said.paths is None:
            reasons.add(said.reason)
        else:
            withheld |= dict.fromkeys((path, said.reason) for path in said.paths)
        if said.held:
            held.add(said.reason)
    paths = frozenset(path for path, _ in withheld)
    if fields.all and fields.all <= paths:
        reasons |= {reason for _, reason in withheld}
    why = tuple(sorted(withheld, key=lambda one: (rank(one[1]), one[0])))
    return Verdict(tuple(sorted(reasons, key=rank)), paths, why, tuple(sorted(held, key=rank)))
