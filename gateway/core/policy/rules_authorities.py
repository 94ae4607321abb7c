"""Rules for the bodies that ask under the law: DUO, the leerplichtambtenaar, the Inspectie.

What the law has them receive is a closed list; a file can narrow it and never add to it. Each rule is one function that
yields what it finds wrong. Leaves out: the article they ask under, other kinds of recipient (`rules_kinds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.core.facts import Occasion
from gateway.core.model import Category, FieldClass, Ground, RecipientKind
from gateway.core.policy.problems import DeliveryTerms, PolicyProblem
from gateway.core.policy.rules_fields import SPECIAL_CLASSES, classes
from gateway.core.reasons import Reason

# R51, N27: what the register onderwijsdeelnemers holds. N28: absence, and never why.
_REGISTER = frozenset(
    {
        Category.NATIONAL_NUMBER,
        Category.PUPIL_NUMBER,
        Category.NAME,
        Category.ADDRESS,
        Category.BIRTH_DATE,
        Category.BIRTH_PLACE,
        Category.NATIONALITY,
        Category.SEX,
        Category.ORGANISATION,
        Category.SUPPORT,
        Category.RESULTS,
        Category.ATTENDANCE,
    }
)
# R52, N29: who the pupil is and how the family is reached, the enrolment, the absence; the national number goes by DUO.
_TRUANCY = frozenset(
    {
        Category.NAME,
        Category.ADDRESS,
        Category.PHONE,
        Category.BIRTH_DATE,
        Category.BIRTH_PLACE,
        Category.NATIONALITY,
        Category.SEX,
        Category.PUPIL_NUMBER,
        Category.GUARDIANS,
        Category.ORGANISATION,
        Category.ATTENDANCE,
    }
)
# R50: how the Inspectie receives; the last on an express request only, which the permit of an investigation records.
_INSPECTION_CHANNELS = frozenset({"internet-schooldossier", "kwalidata"})
_ON_REQUEST = "beveiligde-mail"
STATE_EXAMS = "staatsexamen"
# R48: not in the ordinary supervision.
_INVESTIGATED = SPECIAL_CLASSES | {FieldClass.SUPPORT, FieldClass.FREE_TEXT, FieldClass.DOCUMENT}


def register_only(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R51, N27, N28: on the statutory duty, and what the register holds."""
    if terms.recipient.kind is RecipientKind.DUO:
        yield from _on_the_duty(terms, "R51")
        yield from _beyond(terms, _REGISTER, "R51, N27", "the register of DUO")


def state_exams_here(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R51: at the locations concerned only."""
    delivery, organisation = terms.delivery, terms.organisation
    if terms.recipient.kind is not RecipientKind.DUO or delivery.purpose != STATE_EXAMS or organisation is None:
        return
    known = [organisation.locations[name] for name in delivery.locations if name in organisation.locations]
    if not all(one.state_exams for one in known):
        message = "no state exams are taken at this location (state_exams in gateway.yaml)"
        yield terms.problem(Reason.LOCATION_OUT_OF_SCOPE, "R51", message, "locations")


def truancy_only(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R52, N29: per pupil and case, which takes a permit; nobody browses the administration."""
    if terms.recipient.kind is not RecipientKind.LEERPLICHT:
        return
    yield from _on_the_duty(terms, "R52")
    yield from _beyond(terms, _TRUANCY, "R52, N29", "the closed list for a leerplichtambtenaar")
    if terms.delivery.conditions.occasion is not Occasion.INVESTIGATION:
        message = "a leerplichtambtenaar gets data per pupil and case (conditions.occasion: investigation)"
        yield terms.problem(Reason.PERMIT_MISSING, "R52, N29", message, "conditions", "occasion")


def inspection_profile(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R48: what is sensitive waits for a specific investigation, with its reference and a release per pupil."""
    if terms.recipient.kind is not RecipientKind.INSPECTIE or terms.delivery.conditions.one_off:
        return
    for one in terms.granted:
        if classes(one) & _INVESTIGATED:
            message = "ordinary supervision needs nothing sensitive; a specific investigation takes a permit"
            yield terms.field_problem(one, Reason.PERMIT_MISSING, "R48", message)


def inspection_channel(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R50."""
    if terms.recipient.kind is not RecipientKind.INSPECTIE or terms.delivery.channel in _INSPECTION_CHANNELS:
        return
    if not (terms.delivery.channel == _ON_REQUEST and terms.delivery.conditions.one_off):
        message = "the Inspectie receives by " + " or ".join(sorted(_INSPECTION_CHANNELS))
        yield terms.problem(Reason.CHANNEL_NOT_ALLOWED, "R50", message, "channel")


def _on_the_duty(terms: DeliveryTerms, rule: str) -> Iterator[PolicyProblem]:
    grondslag = terms.delivery.grondslag
    if grondslag is not None and grondslag.ground not in (Ground.STATUTORY_DUTY, Ground.CONSENT):  # consent: N7
        message = "this body asks under a statutory duty (ground c)"
        yield terms.problem(Reason.NO_GRONDSLAG, rule, message, "grondslag", "ground")


def _beyond(terms: DeliveryTerms, closed: frozenset[Category], rule: str, what: str) -> Iterator[PolicyProblem]:
    for one in terms.granted:
        if one.leaf is not None and not one.says_nothing and one.leaf.category not in closed:
            yield terms.field_problem(one, Reason.NO_NOODZAAK, rule, f"{what} has no {one.leaf.category}")


AUTHORITY_RULES: tuple[Callable[[DeliveryTerms], Iterator[PolicyProblem]], ...] = (
    register_only,
    state_exams_here,
    truancy_only,
    inspection_profile,
    inspection_channel,
)
