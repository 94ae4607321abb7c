"""Has somebody who may, consented to this delivery, and to which categories (R18-R30, D5, N8, N38)?

Validity (valid now, giver entitled now) is judged apart from content (which categories). From 16 an answer of the
parents waits for the pupil's own (R28, R58). An answer counts for what its terms name: this recipient, this purpose,
these categories. Several consents add up. When none is valid the nearest miss is told: of one consent the defect that
is farthest from valid, of several consents the one that came nearest, in the order of `_NEAREST`. Pure. Leaves out:
which deliveries and fields need consent (`screening`, `audience`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from gateway.core.days import holds, legal_date, reached
from gateway.core.facts import Answer, Capacity, Consent, Facts, Form
from gateway.core.gate.question import Question
from gateway.core.model import Category, Person
from gateway.core.reasons import Reason

DECIDES = 16  # R27: from this birthday the pupil decides
ADULT = 18

# R29, D5: who speaks for a pupil under 16, and for an adult who cannot.
LEGAL = frozenset({Capacity.PARENT, Capacity.VOOGD})
IN_PLACE_OF_AN_ADULT = frozenset({Capacity.CURATOR, Capacity.MENTOR})
_EVERYTHING = frozenset(Category)

# From nearly valid to nothing at all.
_NEAREST = (
    Reason.BIRTH_DATE_UNKNOWN,
    Reason.CONSENT_GIVER_NOT_ENTITLED,
    Reason.CONSENT_WITHDRAWN,
    Reason.CONSENT_EXPIRED,
    Reason.CONSENT_NO_PROOF,
    Reason.CONSENT_NOT_WRITTEN,
    Reason.CONSENT_REFUSED,
    Reason.CONSENT_WRONG_RECIPIENT,
    Reason.CONSENT_WRONG_PURPOSE,
    Reason.CONSENT_MISSING,
)


@dataclass(frozen=True, slots=True)
class Heard:
    """`categories`: consented to and not refused; `refused`: a "no" stands; `reason`: why nothing is consented to.
    `held`: two who may both decide disagree, so a person at school must ask (N38)."""

    categories: frozenset[Category] = frozenset()
    refused: frozenset[Category] = frozenset()
    reason: Reason | None = None
    held: bool = False


def heard(question: Question) -> Heard:
    """All answers about this delivery, weighed on the day of emission."""
    if question.subject.person is not Person.PUPIL:
        return Heard(reason=Reason.CONSENT_MISSING)
    consents = question.facts.consents
    valid = [one for one in consents if one.answer is Answer.YES and not any(_defects(question, one))]
    refusals = [one for one in consents if one.answer is Answer.NO and _concerns(question, one)]
    given: set[Category] = set()
    refused: set[Category] = set()
    disputed: set[Category] = set()
    for one in valid:
        against = [no for no in refusals if _outweighs(question, no, one)]
        given |= _named([one]) - _named(against)
        refused |= _named([one]) & _named(against)
        disputed |= _named([one]) & _named(no for no in against if _giver(no) != _giver(one))
    if given:
        return Heard(frozenset(given), frozenset(refused - given), None, bool(disputed - given))
    reason = Reason.CONSENT_REFUSED if refused else _nearest(question)
    return Heard(frozenset(), frozenset(refused), reason, bool(disputed) or reason is Reason.BIRTH_DATE_UNKNOWN)


def _named(answers: Iterable[Consent]) -> frozenset[Category]:
    """The categories these answers name together; a "no" without terms is a "no" to everything."""
    return frozenset().union(*(one.terms.categories if one.terms else _EVERYTHING for one in answers))


def _concerns(question: Question, one: Consent) -> bool:
    terms, delivery = one.terms, question.delivery
    return terms is None or (delivery.recipient in terms.recipients and delivery.purpose == terms.purpose)


# -- refusals ------------------------------------------------------------------------------------------------------


def _outweighs(question: Question, no: Consent, yes: Consent) -> bool:
    """The last answer of one giver counts. Of two who may both decide, one "no" is enough, whenever it was given (N38).
    A pupil's later "no" counts at any age (D5). A court decides in place of those who refuse."""
    if _giver(no) == _giver(yes):
        return no.given >= yes.given
    if yes.capacity is Capacity.COURT:
        return False
    return _entitled(question, no) is True or (no.capacity is Capacity.PUPIL and no.given >= yes.given)


def _giver(one: Consent) -> tuple[bool, bytes | Capacity | None]:
    if one.capacity in (Capacity.PUPIL, Capacity.COURT):
        return True, one.capacity
    return False, one.giver


# -- validity ------------------------------------------------------------------------------------------------------


def _nearest(question: Question) -> Reason:
    """Why the consent that came nearest is not valid."""
    misses = [max(_misses(question, one), key=_NEAREST.index) for one in question.facts.consents]
    return min(misses, key=_NEAREST.index, default=Reason.CONSENT_MISSING)


def _misses(question: Question, one: Consent) -> Iterator[Reason]:
    if one.answer is Answer.NO and _concerns(question, one):
        yield Reason.CONSENT_REFUSED
    elif one.answer is Answer.YES:
        yield from _defects(question, one)
    else:
        yield Reason.CONSENT_MISSING  # R21: asked and not answered, or a "no" to something else


def _defects(question: Question, one: Consent) -> Iterator[Reason]:
    """Everything that keeps this "yes" from being a valid consent to this delivery, today."""
    yield from _of_another_delivery(question, one)
    yield from _of_form(question, one)
    if any(
        question.meant(other.recipient, other.purpose) and other.moment >= one.given
        for other in question.facts.withdrawals
    ):
        yield Reason.CONSENT_WITHDRAWN  # R26, D5: by whom does not matter
    entitled = _entitled(question, one)
    if entitled is None:
        yield Reason.BIRTH_DATE_UNKNOWN  # R27
    elif not entitled:
        yield Reason.CONSENT_GIVER_NOT_ENTITLED
    elif one.capacity is not Capacity.PUPIL and not _shown(question, one):
        yield Reason.CONSENT_NO_PROOF


def _of_another_delivery(question: Question, one: Consent) -> Iterator[Reason]:
    """R24: this recipient and this purpose."""
    if one.terms is None:
        return
    recipient = question.delivery.recipient in one.terms.recipients
    purpose = question.delivery.purpose == one.terms.purpose
    if not recipient and not purpose:
        yield Reason.CONSENT_MISSING
    elif not recipient:
        yield Reason.CONSENT_WRONG_RECIPIENT
    elif not purpose:
        yield Reason.CONSENT_WRONG_PURPOSE


def _of_form(question: Question, one: Consent) -> Iterator[Reason]:
    """R18-R20, R22: given before now, in writing, with proof, and not run out."""
    terms = one.terms
    if legal_date(one.given) > question.today:
        yield Reason.CONSENT_MISSING
    if terms is None or not terms.evidence:
        yield Reason.CONSENT_NO_PROOF
    if terms is not None and terms.form is Form.ORAL:
        yield Reason.CONSENT_NOT_WRITTEN
    if terms is not None and not holds(None, terms.until, question.today):
        yield Reason.CONSENT_EXPIRED


def _shown(question: Question, one: Consent) -> bool:
    """D6, R22: a document says in which capacity the giver speaks; a court's decision is that document."""
    return (
        one.capacity is Capacity.COURT
        or one.extract is not None
        or any(other.extract for other in question.facts.representatives if other.person == one.giver)
    )


# -- who may decide --------------------------------------------------------------------------------------------------


def _entitled(question: Question, one: Consent) -> bool | None:
    """R27-R29, UAVG 5: entitled today, and when the answer was given (a consent of somebody who might not give it was
    none). None: the birth date decides, and is unknown."""
    if one.capacity is Capacity.COURT:
        return True
    facts = question.facts
    if facts.birth is None:
        return None
    days = (question.today, legal_date(one.given))
    if one.capacity is Capacity.PUPIL:
        own = one.giver in (None, question.subject.id)
        return own and all(_decides_alone(facts, facts.birth, day) for day in days)
    places = IN_PLACE_OF_AN_ADULT if reached(facts.birth, ADULT, question.today) else LEGAL
    if reached(facts.birth, DECIDES, question.today) and places is LEGAL:
        return False
    return one.capacity in places and all(one.giver in speakers(facts, places, day) for day in days)


def _decides_alone(facts: Facts, birth: date, day: date) -> bool:
    """From 16; not where somebody was appointed to decide for an adult."""
    return reached(birth, DECIDES, day) and not (
        reached(birth, ADULT, day) and speakers(facts, IN_PLACE_OF_AN_ADULT, day)
    )


def speakers(facts: Facts, capacities: frozenset[Capacity], day: date) -> frozenset[bytes]:
    """Who has one of these capacities that day."""
    return frozenset(
        one.person for one in facts.representatives if one.capacity in capacities and holds(one.since, one.until, day)
    )
