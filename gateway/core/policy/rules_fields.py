"""Rules about the fields a delivery grants: steps 5, 6 and 15-18 of the gate order, seen before any record.

Each rule is one function that yields what it finds wrong. Where a class and a category of one field say different
things, the stricter counts. Leaves out: the terms (`rules_terms`), ids and transforms (`rules_shape`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from gateway.core.facts import Occasion
from gateway.core.model import Category, FieldClass, Ground, Person, PseudonymMethod, RecipientKind, Transform
from gateway.core.policy.grants import slots
from gateway.core.policy.problems import DeliveryTerms, Granted, PolicyProblem
from gateway.core.policy.words import hollow, vague
from gateway.core.reasons import Reason

# A category that only one class can have: a schema cannot call it ordinary (R9).
_CLASS_OF: Mapping[Category, FieldClass] = {
    Category.MEDICAL: FieldClass.MEDICAL,
    Category.ABSENCE_REASON: FieldClass.ABSENCE_REASON,
    Category.FINANCIAL: FieldClass.FINANCIAL,
    Category.IMAGE: FieldClass.IMAGE,
    Category.NATIONAL_NUMBER: FieldClass.NATIONAL_NUMBER,
    Category.SPECIAL: FieldClass.SPECIAL,
    Category.CRIMINAL: FieldClass.CRIMINAL,
    Category.PSYCHOLOGICAL_REPORT: FieldClass.PSYCHOLOGICAL_REPORT,
    Category.CONFIDENTIAL: FieldClass.CONFIDENTIAL,
    Category.CREDENTIALS: FieldClass.CREDENTIAL,
    Category.GUARDIANS: FieldClass.THIRD_PERSON,
    Category.PHONE: FieldClass.CONTACT,
    Category.PRIVATE_EMAIL: FieldClass.CONTACT,
}

_NEVER: Mapping[FieldClass, tuple[Reason, str]] = {
    FieldClass.CRIMINAL: (Reason.CRIMINAL_DATA, "R37"),
    FieldClass.CONFIDENTIAL: (Reason.FIELD_CONFIDENTIAL, "R64"),
    FieldClass.CREDENTIAL: (Reason.FIELD_CONFIDENTIAL, "R64"),
}
SPECIAL_CLASSES = frozenset(
    {FieldClass.SPECIAL, FieldClass.MEDICAL, FieldClass.PSYCHOLOGICAL_REPORT, FieldClass.ABSENCE_REASON},
)
_NAMING = frozenset({FieldClass.DIRECT, FieldClass.CONTACT})
# R35, N33: support needs are part of these bodies' statutory set; anybody else needs the basis of art. 9 for them.
_SUPPORTERS = frozenset({RecipientKind.SAMENWERKINGSVERBAND, RecipientKind.SCHOOL})
# D7, N1, R51: a national number goes to these, with the law that says so, and to nobody else, not even with consent.
_NATIONAL = frozenset({RecipientKind.DUO, RecipientKind.SCHOOL})
# R46: who may need a parent or teacher beside the pupil.
_FAMILY_KINDS = frozenset(
    {
        RecipientKind.SAMENWERKINGSVERBAND,
        RecipientKind.SCHOOL,
        RecipientKind.DUO,
        RecipientKind.GOVERNMENT,
        RecipientKind.INSPECTIE,
        RecipientKind.LEERPLICHT,
        RecipientKind.CARE,
        RecipientKind.PARENT,
    },
)
# R44, R63: these never get a name, also not with a recorded deviation.
_NAMELESS = frozenset({RecipientKind.PUBLISHER, RecipientKind.DISTRIBUTOR, RecipientKind.RESEARCH})
# R44: what recognises a pupil in learning material; results travel per purpose (table 5.1).
_LIMITED_SET = frozenset({FieldClass.ID, FieldClass.ORDINARY, FieldClass.RESULT})
_MATERIAL_KINDS = frozenset({RecipientKind.PUBLISHER, RecipientKind.DISTRIBUTOR})
# N5: as they are, these pick one pupil out of a group.
_PICKS_OUT = frozenset({Category.BIRTH_DATE, Category.ADDRESS, Category.BIRTH_PLACE})


def classes(one: Granted) -> frozenset[FieldClass]:
    """What a granted field is, by its class and by its category; nothing when nothing personal leaves."""
    if one.leaf is None or one.says_nothing:
        return frozenset()
    also = _CLASS_OF.get(one.leaf.category)
    return frozenset({one.leaf.field_class, also} if also else {one.leaf.field_class})


def reason_given(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R4, R10: also for what is fixed, so that a reader sees why it is there."""
    for one in terms.granted:
        if vague(one.grant.reason):
            message = "say why the recipient needs this field; 'handig' is no reason"
            yield terms.field_problem(one, Reason.NO_NOODZAAK, "R4", message, "reason")


def within_agreement(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R10, R60: the agreement's list is exhaustive. N36: a result is a field as any other."""
    agreement = terms.recipient.agreement
    if agreement is None:
        return
    for one in terms.granted:
        if one.leaf and not one.says_nothing and one.leaf.category not in agreement.categories:
            message = f"the agreement does not cover the category {one.leaf.category}"
            yield terms.field_problem(one, Reason.FIELD_NOT_IN_AGREEMENT, "R10", message)


def never_leaves(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R37, R64: no basis in a file can open these."""
    for one in terms.granted:
        for found in sorted(classes(one) & _NEVER.keys()):
            reason, rule = _NEVER[found]
            yield terms.field_problem(one, reason, rule, f"a field of class {found} leaves in no delivery")


def special_with_basis(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R36, N9: two keys, art. 6 and art. 9. R35: support needs are next to health."""
    grondslag = terms.delivery.grondslag
    if grondslag and not hollow(grondslag.article9):
        return
    for one in terms.granted:
        kinds = classes(one)
        support = FieldClass.SUPPORT in kinds and terms.recipient.kind not in _SUPPORTERS
        if kinds & SPECIAL_CLASSES or support:
            message = "a special category needs a basis in article 9 (article9)"
            yield terms.field_problem(one, Reason.SPECIAL_CATEGORY_NO_ART9, "R36, N9", message)


def national_number(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R39, N1, D7."""
    grondslag = terms.delivery.grondslag
    basis = grondslag is not None and not hollow(grondslag.national_number)
    if basis and terms.recipient.kind in _NATIONAL and terms.delivery.pseudonym is PseudonymMethod.NONE:
        return
    for one in terms.granted:
        if FieldClass.NATIONAL_NUMBER in classes(one):
            message = "a national number leaves to DUO or a receiving school only, with its basis (national_number)"
            yield terms.field_problem(one, Reason.BSN_NOT_ALLOWED, "R39, N1", message)


def named_only_by_deviation(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R40, R44, R61, R63: beside a pseudonym a name or an address undoes it."""
    pseudonymous = terms.delivery.pseudonym is not PseudonymMethod.NONE
    nameless = terms.recipient.kind in _NAMELESS
    for one in terms.granted:
        if classes(one) & _NAMING and (pseudonymous or nameless):
            rule = "R40" if pseudonymous else "R44, R63"
            message = "a direct identifier or contact detail needs pseudonym: none with a recorded deviation"
            if nameless:
                message = "this kind of recipient gets no names and no contact details"
            yield terms.field_problem(one, Reason.DIRECT_IDENTIFIER_NOT_ALLOWED, rule, message)


def quasi_generalised(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """N5: under a pseudonym a full birth date or postcode picks one pupil out."""
    if terms.delivery.pseudonym is PseudonymMethod.NONE:
        return
    for one in terms.granted:
        kept = one.grant.transform is Transform.KEEP
        if one.leaf and kept and one.leaf.category in _PICKS_OUT and not classes(one) & _NAMING:
            message = "generalise this field: under a pseudonym it picks one pupil out"
            yield terms.field_problem(one, Reason.DIRECT_IDENTIFIER_NOT_ALLOWED, "N5", message, "transform")


def limited_set(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R44: for learning material only what recognises the pupil and the group."""
    if terms.recipient.kind not in _MATERIAL_KINDS:
        return
    for one in terms.granted:
        if not classes(one) <= _LIMITED_SET | _NAMING | _NEVER.keys() | SPECIAL_CLASSES | _HAS_OWN_RULE:
            message = "access to learning material needs no more than pseudonym, school, group and year"
            yield terms.field_problem(one, Reason.NO_NOODZAAK, "R44", message)


_HAS_OWN_RULE = frozenset(
    {
        FieldClass.NATIONAL_NUMBER,
        FieldClass.THIRD_PERSON,
        FieldClass.FREE_TEXT,
        FieldClass.FINANCIAL,
        FieldClass.IMAGE,  # R34: each pupil's consent
    },
)


def class_list(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R17: names with contact details of a group. A statutory duty is no class list; the law wrote it. A permit is for
    one pupil."""
    grondslag = terms.delivery.grondslag
    statutory = grondslag is not None and grondslag.ground is Ground.STATUTORY_DUTY
    if statutory or terms.delivery.conditions.one_off or not hollow(terms.delivery.class_list):
        return
    for record in terms.delivery.grants:
        here = [one for one in terms.granted if one.record.name == record]
        names = any(FieldClass.DIRECT in classes(one) for one in here)
        contacts = [one for one in here if FieldClass.CONTACT in classes(one)]
        if names and contacts and _many(terms, record):
            message = "names with contact details of a group need a school decision (class_list)"
            yield terms.field_problem(contacts[0], Reason.CLASS_LIST_BLOCKED, "R17", message)


def _many(terms: DeliveryTerms, record: str) -> bool:
    return any(route.many and route.record == record for route in (terms.schema.routes if terms.schema else ()))


def free_text(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """N5: never beside a pseudonym. R88, D8: masked, or empty; what is beside a special category waits, text by text,
    for a person who releases it (`formats`). What comes in tells the school, and is not masked."""
    pseudonymous = terms.delivery.pseudonym is not PseudonymMethod.NONE
    comes_in = _coming_in(terms)
    for one in terms.granted:
        if FieldClass.FREE_TEXT not in classes(one):
            continue
        if pseudonymous:
            message = "free text does not leave beside a pseudonym"
            yield terms.field_problem(one, Reason.FREE_TEXT_BLOCKED, "R38, N5", message)
        elif one.grant.transform not in _MASKING and one.record.name not in comes_in:
            message = "free text leaves without the names and numbers in it (transform: mask), or not at all"
            yield terms.field_problem(one, Reason.FREE_TEXT_BLOCKED, "R88, D8", message, "transform")


_MASKING = frozenset({Transform.MASK, Transform.REDACT})


def documents(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """D8, R38, N5: whole and never beside a pseudonym; one by one, when a person released it (`formats`). Nobody looks
    inside what comes in."""
    pseudonymous = terms.delivery.pseudonym is not PseudonymMethod.NONE
    for one in terms.granted:
        if FieldClass.DOCUMENT not in classes(one):
            continue
        if pseudonymous:
            message = "a document does not leave beside a pseudonym"
            yield terms.field_problem(one, Reason.DOCUMENT_NOT_CLASSIFIED, "R38, N5", message)
        elif one.grant.transform is not Transform.KEEP:
            message = "a document leaves whole, as a person released it, or not at all"
            yield terms.field_problem(one, Reason.DOCUMENT_NOT_CLASSIFIED, "D8", message, "transform")
        elif one.record.name in _coming_in(terms):
            message = "a document does not come in"
            yield terms.field_problem(one, Reason.DOCUMENT_NOT_CLASSIFIED, "D8", message)


def _coming_in(terms: DeliveryTerms) -> frozenset[str]:
    """Records that a recipient sends to the school: statements, and what it answers to a push."""
    routes = terms.schema.routes if terms.schema else ()
    return frozenset(one for route in routes for one in (route.write and route.record, route.answer) if one)


def beside_special(granted: Iterable[Granted]) -> bool:
    """Whether something of a special category is granted: beside it a masked text waits for a person (D8)."""
    return any(classes(one) & (SPECIAL_CLASSES | {FieldClass.SUPPORT}) for one in granted)


def third_persons(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R46, R120, D13: parents and others are off, but for bodies that deal with the family by name."""
    pseudonymous = terms.delivery.pseudonym is not PseudonymMethod.NONE
    for one in terms.granted:
        other = FieldClass.THIRD_PERSON in classes(one) and not _staff_slot(one)
        if other and (pseudonymous or terms.recipient.kind not in _FAMILY_KINDS):
            message = "data of another person than the pupil do not leave in this delivery"
            yield terms.field_problem(one, Reason.THIRD_PERSON_DATA, "R46", message)


def _staff_slot(one: Granted) -> bool:
    """A teacher's pseudonym stands in the teacher's own slot; R40 judges it as it judges a pupil's."""
    return any(slot.person is Person.STAFF and one.path in slot.paths for slot in slots(one.record))


def financial(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R62: no external schema needs them but the statutory audit."""
    grondslag = terms.delivery.grondslag
    if grondslag and grondslag.ground is Ground.STATUTORY_DUTY:
        return
    for one in terms.granted:
        if FieldClass.FINANCIAL in classes(one):
            message = "financial data leave on a statutory duty only"
            yield terms.field_problem(one, Reason.NO_NOODZAAK, "R62", message)


# R13: name, how the guardians are reached, the relevant medical condition.
_EMERGENCY_PROFILE = frozenset({Category.NAME, Category.GUARDIANS, Category.PHONE, Category.MEDICAL})


def emergency_profile(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R13: in an emergency the smallest profile leaves, whatever else a file would like."""
    if terms.delivery.conditions.occasion is not Occasion.BREAK_GLASS:
        return
    for one in terms.granted:
        if one.leaf and not one.says_nothing and one.leaf.category not in _EMERGENCY_PROFILE:
            message = "in an emergency only name, contact of the guardians and medical condition leave"
            yield terms.field_problem(one, Reason.NO_NOODZAAK, "R13", message)


FIELD_RULES: tuple[Callable[[DeliveryTerms], Iterator[PolicyProblem]], ...] = (
    reason_given,
    within_agreement,
    never_leaves,
    special_with_basis,
    national_number,
    named_only_by_deviation,
    quasi_generalised,
    limited_set,
    class_list,
    free_text,
    documents,
    third_persons,
    financial,
    emergency_profile,
)
