"""Rules about the fields of a delivery: one change on a good recipient, and exactly what is found wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.model import Category, FieldClass, Person, RecipientKind, Transform
from gateway.core.policy.problems import delivery_terms
from gateway.core.policy.rules import problems, standing_problems
from gateway.core.policy.rules_fields import beside_special
from gateway.core.policy.schema import Branch, Route, WriteBack
from gateway.core.policy.terms import (
    Conditions,
)
from gateway.core.reasons import Reason
from tests.builders_policy import (
    A_RECORD,
    AGREEMENT,
    DPIA,
    ORGANISATION,
    RECIPIENT,
    SCHEMA,
    SCHEMAS,
    TODAY,
    delivery,
    grant,
    recipient,
    text,
)
from tests.core.test_policy import ARTICLE9, LAW, REAL_IDS, found, named

# -- fields -------------------------------------------------------------------------------------------

REFUSED_BESIDE_A_PSEUDONYM = {
    "direct": {Reason.DIRECT_IDENTIFIER_NOT_ALLOWED},
    "contact": {Reason.DIRECT_IDENTIFIER_NOT_ALLOWED},
    "support": {Reason.SPECIAL_CATEGORY_NO_ART9},
    "medical": {Reason.SPECIAL_CATEGORY_NO_ART9, Reason.DPIA_MISSING},
    "psychological-report": {Reason.SPECIAL_CATEGORY_NO_ART9, Reason.DPIA_MISSING},
    "special": {Reason.SPECIAL_CATEGORY_NO_ART9, Reason.DPIA_MISSING},
    "criminal": {Reason.CRIMINAL_DATA},
    "national-number": {Reason.BSN_NOT_ALLOWED},
    "absence-reason": {Reason.SPECIAL_CATEGORY_NO_ART9},
    "financial": {Reason.NO_NOODZAAK},
    "third-person": {Reason.THIRD_PERSON_DATA},
    "free-text": {Reason.FREE_TEXT_BLOCKED},
    "document": {Reason.DOCUMENT_NOT_CLASSIFIED},
    "image": set(),
    "credential": {Reason.FIELD_CONFIDENTIAL},
    "confidential": {Reason.FIELD_CONFIDENTIAL},
    "id": {Reason.DIRECT_IDENTIFIER_NOT_ALLOWED},
    "born": {Reason.DIRECT_IDENTIFIER_NOT_ALLOWED},
    "postcode": {Reason.DIRECT_IDENTIFIER_NOT_ALLOWED},
    "quasi": set(),
    "ordinary": set(),
    "result": set(),
    "group": set(),
    "tags": set(),
}


@pytest.mark.parametrize(("path", "expected"), REFUSED_BESIDE_A_PSEUDONYM.items())
def test_field_beside_a_pseudonym_is_judged_by_its_class(path: str, expected: set[Reason]) -> None:
    assert found(recipient(delivery(grant(path)))) == expected


@pytest.mark.parametrize("path", [kind.value for kind in FieldClass])
def test_field_that_is_fixed_is_exempt_from_class_and_category(path: str) -> None:
    one = recipient(
        delivery(grant(path, Transform.FIXED, value="-")), agreement=replace(AGREEMENT, categories=PUPIL_NUMBER)
    )

    assert found(one) == set()


PUPIL_NUMBER = frozenset({Category.PUPIL_NUMBER})


def test_field_that_is_fixed_still_needs_a_reason() -> None:
    one = recipient(delivery(grant("direct", Transform.FIXED, value="-", reason="")))

    assert found(one) == {Reason.NO_NOODZAAK}


def test_field_outside_the_agreement_is_refused() -> None:
    one = recipient(delivery(grant("year")), agreement=replace(AGREEMENT, categories=PUPIL_NUMBER))

    assert found(one) == {Reason.FIELD_NOT_IN_AGREEMENT}


@pytest.mark.parametrize("kind", list(RecipientKind))
@pytest.mark.parametrize("basis", [None, "WRO artikel 12 lid 2"])
def test_national_number_leaves_to_duo_and_a_school_with_a_basis_only(kind: RecipientKind, basis: str | None) -> None:
    one = named("national-number", kind=kind, grondslag=replace(LAW, national_number=basis))

    allowed = basis is not None and kind in (RecipientKind.DUO, RecipientKind.SCHOOL)

    assert (Reason.BSN_NOT_ALLOWED not in found(one)) == allowed


def test_national_number_beside_a_pseudonym_is_refused_also_to_duo() -> None:
    one = recipient(delivery(grant("national-number"), grondslag=LAW), kind=RecipientKind.DUO)

    assert found(one) == {Reason.BSN_NOT_ALLOWED}


@pytest.mark.parametrize("path", ["special", "medical", "psychological-report"])
def test_special_field_with_article_9_and_dpia_is_accepted_and_only_then(path: str) -> None:
    assert found(named(path, grondslag=ARTICLE9, dpia=DPIA)) == set()
    assert found(named(path, grondslag=ARTICLE9)) == {Reason.DPIA_MISSING}
    assert found(named(path, dpia=DPIA)) == {Reason.SPECIAL_CATEGORY_NO_ART9}


@pytest.mark.parametrize("path", ["support", "absence-reason"])
def test_support_and_absence_reason_need_article_9(path: str) -> None:
    assert found(recipient(delivery(grant(path), grondslag=ARTICLE9))) == set()


@pytest.mark.parametrize("kind", [RecipientKind.SAMENWERKINGSVERBAND, RecipientKind.SCHOOL])
def test_support_to_those_who_give_it_needs_no_article_9(kind: RecipientKind) -> None:
    conditions = Conditions(open_request=True, inzage=True, destination="11AA")
    terms = {"purpose": "advies", "grondslag": LAW, "conditions": conditions}

    assert found(named("support", kind=kind, **terms)) == set()


@pytest.mark.parametrize("path", ["criminal", "credential", "confidential"])
def test_field_that_never_leaves_is_refused_under_every_term(path: str) -> None:
    one = named(path, grondslag=replace(LAW, article9="UAVG 30"), dpia=DPIA)

    assert found(one) == {next(iter(REFUSED_BESIDE_A_PSEUDONYM[path]))}


def test_name_with_a_recorded_deviation_is_accepted() -> None:
    assert found(named("direct")) == set()


@pytest.mark.parametrize("kind", [RecipientKind.PUBLISHER, RecipientKind.DISTRIBUTOR, RecipientKind.RESEARCH])
@pytest.mark.parametrize("path", ["direct", "contact"])
def test_name_to_a_nameless_kind_is_refused_also_with_a_deviation(kind: RecipientKind, path: str) -> None:
    assert found(named(path, kind=kind)) == {Reason.DIRECT_IDENTIFIER_NOT_ALLOWED}


def test_names_with_contact_details_of_a_group_are_a_class_list() -> None:
    assert found(named("direct", "contact")) == {Reason.CLASS_LIST_BLOCKED}
    assert found(named("direct", "contact", class_list="Besluit 2026-7, tot 1-2-2027")) == set()
    assert found(named("direct", "contact", grondslag=LAW)) == set()


def test_names_with_contact_details_of_one_pupil_are_no_class_list() -> None:
    single = {"pupils": replace(SCHEMA, routes=(Route("GET", "/pupils/{id}", "Pupil", many=False),))}

    assert problems(named("direct", "contact"), single, ORGANISATION, TODAY) == []


def test_free_text_by_name_is_accepted_masked_or_empty() -> None:
    for transform in (Transform.MASK, Transform.REDACT):
        masked = {"Pupil": REAL_IDS["Pupil"] | {"free-text": grant("free-text", transform)}}
        assert found(named(grants=masked)) == set()
    assert found(named("free-text")) == {Reason.FREE_TEXT_BLOCKED}


def test_document_by_name_is_accepted_whole() -> None:
    redacted = {"Pupil": REAL_IDS["Pupil"] | {"document": grant("document", Transform.REDACT)}}

    assert found(named("document")) == set()
    assert found(named(grants=redacted)) == {Reason.DOCUMENT_NOT_CLASSIFIED}


def test_document_does_not_come_in() -> None:
    written = Route("POST", "/pupils", "Pupil", many=False, write=WriteBack("items", "id", "school"))
    inbound = {"pupils": replace(SCHEMA, routes=(*SCHEMA.routes, written))}

    (problem,) = problems(named("document"), inbound, ORGANISATION, TODAY)
    assert (problem.reason, problem.rule) == (Reason.DOCUMENT_NOT_CLASSIFIED, "D8")


def test_only_free_text_can_be_masked() -> None:
    assert found(recipient(delivery(grant("ordinary", Transform.MASK)))) == {Reason.SCHEMA_NOT_ACTIVE}


def test_masked_text_beside_something_special_is_judged_text_by_text() -> None:
    special = delivery_terms(RECIPIENT, delivery(grant("medical")), SCHEMAS, None).granted
    plain = delivery_terms(RECIPIENT, delivery(grant("ordinary")), SCHEMAS, None).granted

    assert beside_special(special)
    assert not beside_special(plain)


def test_third_person_by_name_is_for_family_kinds() -> None:
    assert found(named("third-person")) == set()
    assert found(named("third-person", kind=RecipientKind.ASSISTANT)) == {Reason.THIRD_PERSON_DATA}


def test_third_person_beside_a_pseudonym_is_refused_to_family_kinds_too() -> None:
    one = recipient(delivery(grant("third-person")), kind=RecipientKind.GOVERNMENT)

    assert found(one) == {Reason.THIRD_PERSON_DATA}


def test_guardian_has_no_pseudonym_as_an_employee_has() -> None:
    pupils, teacher = A_RECORD.subjects
    record = replace(A_RECORD, subjects=(pupils, replace(teacher, person=Person.GUARDIAN)))
    one = recipient(delivery(grant("teacher.ids.value", Transform.PSEUDONYM), grant("teacher.ids.type")))

    reasons = {
        problem.reason
        for problem in standing_problems(one, {"pupils": replace(SCHEMA, records={"Pupil": record})}, ORGANISATION)
    }

    assert reasons == {Reason.THIRD_PERSON_DATA}


def test_list_of_another_record_makes_no_class_list() -> None:
    schema = replace(SCHEMA, routes=(Route("GET", "/others", "Other", many=True),))

    assert problems(named("direct", "contact"), {"pupils": schema}, ORGANISATION, TODAY) == []


def test_financial_field_leaves_on_a_duty_only() -> None:
    assert found(named("financial", grondslag=LAW)) == set()
    assert found(named("financial")) == {Reason.NO_NOODZAAK}


@pytest.mark.parametrize(
    ("path", "transform"), [("born", Transform.YEAR), ("born", Transform.AGE_BAND), ("postcode", Transform.PC4)]
)
def test_quasi_identifier_beside_a_pseudonym_leaves_generalised(path: str, transform: Transform) -> None:
    assert found(recipient(delivery(grant(path, transform)))) == set()


def test_quasi_identifier_by_name_leaves_as_it_is() -> None:
    assert found(named("born")) == set()


@pytest.mark.parametrize("kind", [RecipientKind.PUBLISHER, RecipientKind.DISTRIBUTOR])
def test_learning_material_gets_the_limited_set_only(kind: RecipientKind) -> None:
    assert found(recipient(delivery(grant("year"), grant("result")), kind=kind)) == set()
    assert found(recipient(delivery(grant("quasi")), kind=kind)) == {Reason.NO_NOODZAAK}


def test_field_whose_schema_calls_it_ordinary_is_judged_by_its_category() -> None:
    root = Branch({**A_RECORD.fields.fields, "bsn": text(Category.NATIONAL_NUMBER, FieldClass.ORDINARY)})
    schemas = {"pupils": replace(SCHEMA, records={"Pupil": replace(A_RECORD, fields=root)})}

    reasons = {one.reason for one in standing_problems(recipient(delivery(grant("bsn"))), schemas, ORGANISATION)}

    assert reasons == {Reason.BSN_NOT_ALLOWED}


EMPTY_REASONS = ["", " ", "-", "handig", "Handig voor planning", "gemak", "wellicht later nodig", "etc.", "*"]
EMPTY_REASONS += ["naam, adres, enzovoort", "overige", "n.v.t.", "nodig", "just in case", "it is convenient"]


@pytest.mark.parametrize("reason", EMPTY_REASONS)
def test_reason_that_says_nothing_is_refused(reason: str) -> None:
    assert found(recipient(delivery(grant("year", reason=reason)))) == {Reason.NO_NOODZAAK}


def test_every_field_class_is_judged_by_some_rule_or_ordinary() -> None:
    judged = {FieldClass(path) for path, reasons in REFUSED_BESIDE_A_PSEUDONYM.items() if reasons and path in FREE}

    per_pupil = {FieldClass.IMAGE}  # R34: consent decides, in screening
    assert set(FieldClass) - judged == {FieldClass.QUASI, FieldClass.ORDINARY, FieldClass.RESULT} | per_pupil


FREE = {kind.value for kind in FieldClass}
