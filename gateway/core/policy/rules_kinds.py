"""Rules for one kind of recipient: what a purpose, a ground or a field may be because of who receives.

Each rule is one function that yields what it finds wrong, at the line that says who receives or at what does not fit.
Leaves out: terms that every kind has (`rules_terms`), fields (`rules_fields`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gateway.core.model import Category, FieldClass, Ground, RecipientKind, Role
from gateway.core.policy.problems import DeliveryTerms, PolicyProblem
from gateway.core.policy.rules_authorities import AUTHORITY_RULES
from gateway.core.policy.rules_fields import SPECIAL_CLASSES, classes
from gateway.core.reasons import Reason

# R54: what a samenwerkingsverband is for.
SUPPORT_PURPOSES = frozenset({"advies", "ondersteuning", "toelaatbaarheid"})
# R16: whoever the regulation does not name gets data by law, by a contract with the pupil, or on consent. What
# vital interest may be is R13's (`rules_terms`).
_NOT_LISTED = {
    RecipientKind.OTHER: frozenset({Ground.CONSENT, Ground.CONTRACT, Ground.STATUTORY_DUTY, Ground.VITAL_INTEREST}),
    # R30: hulpverlening asks first, unless a law says otherwise.
    RecipientKind.CARE: frozenset({Ground.CONSENT, Ground.STATUTORY_DUTY, Ground.VITAL_INTEREST}),
}
# D7: the official profile for a samenwerkingsverband forbids these; its validator forgets the IBAN. A national number
# is `rules_fields`' own.
_NEVER_SUPPORT = frozenset({Category.FINANCIAL, Category.BIRTH_PLACE, Category.NATIONALITY})
# N24: the Besluit uitwisseling leer- en begeleidingsgegevens is a closed list.
_CLOSED_LIST = frozenset(
    {
        Category.NAME,
        Category.ADDRESS,
        Category.PHONE,
        Category.ORGANISATION,
        Category.BIRTH_DATE,
        Category.SEX,
        Category.PUPIL_NUMBER,
        Category.NATIONAL_NUMBER,
        Category.GUARDIANS,
        Category.RESULTS,
        Category.OBSERVATIONS,
        Category.SUPPORT,
        Category.ATTENDANCE,
    }
)
_ARTICLE = re.compile(r"\bart(?:ikel(?:en)?|\.)\s*\d")
_UNDER_AN_ARTICLE = frozenset({RecipientKind.GOVERNMENT, RecipientKind.LEERPLICHT})
# R62: an audit counts enrolments; how a pupil fares or who helps is none of it.
_CARE = SPECIAL_CLASSES | {FieldClass.SUPPORT, FieldClass.FREE_TEXT, FieldClass.DOCUMENT, FieldClass.RESULT}
# R64: a dispute before a judge or a committee is weighed, not asked about.
_DISPUTE = "geschillen"


def consent_unless_law(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R16, R30. A permit has the ground of its occasion (D4); a dispute is weighed (R5, R64)."""
    delivery, grondslag = terms.delivery, terms.delivery.grondslag
    grounds = _NOT_LISTED.get(terms.recipient.kind)
    if grounds is None or grondslag is None or delivery.conditions.one_off or grondslag.ground in grounds:
        return
    weighed = delivery.weighing is not None and delivery.weighing.aim == _DISPUTE
    if grondslag.ground is not Ground.LEGITIMATE_INTEREST or not weighed:
        message = "this kind of recipient gets data on consent, or on the law that is named"
        yield PolicyProblem(Reason.NO_GRONDSLAG, "R16, R30", message, ("kind",), terms.key)


def article_cited(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R53: a ministry or municipality asks under an article of law, and the file says which."""
    grondslag = terms.delivery.grondslag
    if terms.recipient.kind not in _UNDER_AN_ARTICLE or grondslag is None:
        return
    if not _ARTICLE.search(grondslag.reference.casefold()):
        message = "a government body needs the article of law that it asks under"
        yield terms.problem(Reason.NO_GRONDSLAG, "R53", message, "grondslag", "reference")


def support_only(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R54: a samenwerkingsverband has three purposes, and sees pupils with an open request."""
    if terms.recipient.kind is not RecipientKind.SAMENWERKINGSVERBAND:
        return
    if terms.delivery.purpose not in SUPPORT_PURPOSES:
        message = "a samenwerkingsverband gets data for " + ", ".join(sorted(SUPPORT_PURPOSES)) + " only"
        yield terms.problem(Reason.PURPOSE_MISMATCH, "R54", message, "purpose")
    if not terms.delivery.conditions.open_request:
        message = "a samenwerkingsverband sees pupils with an open request (conditions.open_request)"
        yield terms.problem(Reason.NO_NOODZAAK, "R54", message, "conditions", "open_request")
    for one in terms.granted:
        if one.leaf is not None and not one.says_nothing and one.leaf.category in _NEVER_SUPPORT:
            message = "a samenwerkingsverband gets no account, place of birth or nationality"
            yield terms.field_problem(one, Reason.NO_NOODZAAK, "R54, D7", message)


def next_school(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R57, R58, C4: what the law sends along (ground c) waits for the inzage, and the rest is asked. R109, N25: of
    pupils who go there."""
    delivery, grondslag = terms.delivery, terms.delivery.grondslag
    if terms.recipient.kind is not RecipientKind.SCHOOL or delivery.conditions.one_off or grondslag is None:
        return
    own = grondslag.ground is Ground.PUBLIC_TASK and _own_school(terms)
    if grondslag.ground not in (Ground.CONSENT, Ground.STATUTORY_DUTY) and not own:
        message = "the next school gets the statutory set, or what the family consented to"
        yield PolicyProblem(Reason.NO_GRONDSLAG, "R58", message, ("kind",), terms.key)
    if grondslag.ground is Ground.STATUTORY_DUTY and not delivery.conditions.inzage:
        message = "what goes along under the law waits for the inzage (conditions.inzage)"
        yield terms.problem(Reason.NO_NOODZAAK, "R57", message, "conditions", "inzage")
    if delivery.conditions.destination is None:
        message = "name the school where the pupil must be registered to go (conditions.destination)"
        yield terms.problem(Reason.NO_NOODZAAK, "R109, N25", message, "conditions", "destination")


def _own_school(terms: DeliveryTerms) -> bool:
    """Within one BRIN a pupil goes to no other school (OSO's profile BB). A template apart from a school can be."""
    destination = terms.delivery.conditions.destination
    if destination is None or terms.organisation is None:
        return terms.organisation is None
    ids = (value for place in terms.organisation.locations.values() for _, value in place.ids)
    return any(one.startswith(destination[:4]) for one in ids)


def closed_list(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """N24: what the law sends along is what the law lists; a file cannot add to it."""
    delivery, grondslag = terms.delivery, terms.delivery.grondslag
    if terms.recipient.kind is not RecipientKind.SCHOOL or delivery.conditions.one_off or grondslag is None:
        return
    if grondslag.ground is not Ground.STATUTORY_DUTY:
        return
    for one in terms.granted:
        if one.leaf is not None and not one.says_nothing and one.leaf.category not in _CLOSED_LIST:
            message = f"the closed list of the law has no {one.leaf.category}; more goes on consent only"
            yield terms.field_problem(one, Reason.NO_NOODZAAK, "N24", message)


def passes_on(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R55: a platform works for the school, and passes on to recipients that are named; what goes is what they may
    have."""
    recipient, final = terms.recipient, terms.delivery.conditions.final_recipients
    where = ("conditions", "final_recipients")
    if (recipient.kind is RecipientKind.PLATFORM) != bool(final):
        message = "a platform, and only a platform, names its final recipients (conditions.final_recipients)"
        yield terms.problem(Reason.FINAL_RECIPIENT_MISSING, "R55", message, *where)
    if recipient.kind is not RecipientKind.PLATFORM:
        return
    if recipient.role is not Role.PROCESSOR:
        message = "a platform works on the school's behalf (role: processor)"
        yield PolicyProblem(Reason.AGREEMENT_MISSING, "R55", message, ("role",), terms.key)
    for one in terms.granted:
        message = "a platform gets no field of its own: its final recipients' files say what goes"
        yield terms.field_problem(one, Reason.NO_NOODZAAK, "R55", message)


def audit_only(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R62: the statutory audit, and nothing about care, support or results."""
    grondslag = terms.delivery.grondslag
    if terms.recipient.kind is not RecipientKind.ACCOUNTANT:
        return
    if grondslag is not None and grondslag.ground is not Ground.STATUTORY_DUTY:
        yield terms.problem(Reason.NO_GRONDSLAG, "R62", "an audit rests on the law", "grondslag", "ground")
    for one in terms.granted:
        observed = one.leaf is not None and one.leaf.category is Category.OBSERVATIONS and not one.says_nothing
        if observed or classes(one) & _CARE:
            yield terms.field_problem(one, Reason.NO_NOODZAAK, "R62", "an accountant needs nothing about care")


def core_on_interest(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """N23, C15, a doubt and no problem: whether a school may rest its own task on its own interest is disputed."""
    grondslag, weighing = terms.delivery.grondslag, terms.delivery.weighing
    if grondslag is None or grondslag.ground is not Ground.LEGITIMATE_INTEREST:
        return
    if weighing is None or weighing.aim != _DISPUTE:
        message = "ground f for the school's own task is disputed; consider ground e (public task)"
        yield terms.problem(Reason.NO_BELANGENAFWEGING, "N23", message, "grondslag", "ground")


KIND_RULES: tuple[Callable[[DeliveryTerms], Iterator[PolicyProblem]], ...] = (
    consent_unless_law,
    article_cited,
    *AUTHORITY_RULES,
    support_only,
    next_school,
    closed_list,
    passes_on,
    audit_only,
)

KIND_DOUBTS: tuple[Callable[[DeliveryTerms], Iterator[PolicyProblem]], ...] = (core_on_interest,)
