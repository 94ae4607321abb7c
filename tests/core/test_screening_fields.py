"""What of a record screening is told: whose fields, which category, what says where somebody is."""

from __future__ import annotations

import pytest

from gateway.core.gate.screening_fields import field_terms
from gateway.core.model import Category, Person, PseudonymMethod, Transform
from tests.builders_policy import A_RECORD, delivery, grant

NAMED = PseudonymMethod.NONE
SLOT = frozenset({"ids.value", "ids.type"})


@pytest.mark.parametrize("transform", [Transform.FIXED, Transform.EMPTY])
def test_field_that_says_nothing_is_not_screened(transform: Transform) -> None:
    assert not field_terms(delivery(grant("medical", transform)), A_RECORD).all


def test_field_of_a_sensitive_class_needs_the_consent_of_its_class() -> None:
    fields = field_terms(delivery(grant("medical"), grant("year")), A_RECORD)

    assert fields.consent == {"medical"}
    assert fields.beyond(frozenset({Category.ORGANISATION})) == {"medical"}


def test_pseudonym_goes_with_whatever_goes() -> None:
    fields = field_terms(delivery(grant("year")), A_RECORD)

    assert fields.all == {"year"}
    assert fields.beyond(frozenset()) == {"year"}


def test_pseudonym_is_reached_by_a_prohibition() -> None:
    assert field_terms(delivery(grant("year")), A_RECORD).of(frozenset({Category.PUPIL_NUMBER})) == SLOT


def test_real_number_is_a_field_as_any_other() -> None:
    assert field_terms(delivery(pseudonym=NAMED), A_RECORD).beyond(frozenset()) == SLOT


def test_fields_of_a_teacher_are_not_the_pupils() -> None:
    one = delivery(grant("year"), grant("teacher.ids.value"), pseudonym=NAMED)

    assert "teacher.ids.value" not in field_terms(one, A_RECORD).all
    assert field_terms(one, A_RECORD, Person.STAFF).all == {"teacher.ids.value"}


@pytest.mark.parametrize("path", ["direct", "contact", "postcode", "national-number"])
def test_record_that_says_who_tells_where(path: str) -> None:
    assert "year" in field_terms(delivery(grant("year"), grant(path)), A_RECORD).located


def test_record_under_a_pseudonym_tells_of_nobody_where_they_are() -> None:
    assert not field_terms(delivery(grant("year"), grant("result"), grant("sex")), A_RECORD).located


def test_record_with_the_real_number_says_who() -> None:
    assert field_terms(delivery(grant("year"), pseudonym=NAMED), A_RECORD).located == {"year"}
