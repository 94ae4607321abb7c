"""A person reads why a delivery may leave: every rule, every field, in Dutch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.core.gate.decide import Standing
from gateway.core.gate.explain import RULES, School, explain
from gateway.core.model import Finding, Ground, Transform
from gateway.core.policy.terms import Grondslag, Rows, SchoolPolicy
from gateway.core.reasons import Reason
from tests.builders_policy import (
    AGREEMENT,
    DELIVERY,
    KEY,
    ORGANISATION,
    POLICY,
    SCHEMAS,
    TODAY,
    delivery,
    grant,
    standing,
)

SCHOOL = School(SCHEMAS, POLICY, ORGANISATION)
GOOD = standing(delivery(grant("year", reason="Het materiaal verschilt per leerjaar.")))


def lines(one: Standing = GOOD, school: School = SCHOOL) -> list[str]:
    return explain("uitgever", "oefenen", {KEY: one}, school, TODAY)


def test_delivery_without_fault_says_that_it_may_leave_and_that_every_rule_passed() -> None:
    said = lines()

    assert said[0].endswith(": mag")
    assert sum(line.startswith("  [voldaan]") for line in said) == len(RULES)
    assert not any("[niet voldaan]" in line for line in said)


@pytest.mark.parametrize("reason", RULES, ids=str)
def test_rule_that_speaks_is_told_with_its_number_article_and_sentence(reason: Reason) -> None:
    said = "\n".join(lines(replace(GOOD, findings=(Finding(reason, "plaats"),))))
    meaning = reason.meaning

    if reason in (Reason.POLICY_NOT_IN_FORCE, Reason.POLICY_NO_INSTEMMING):
        said = said.replace("bevinding", "niet voldaan")
    line = (
        f"[niet voldaan] stap {meaning.step}: {reason} ({meaning.rule}; {meaning.article}): {meaning.school} (plaats)"
    )
    assert line in said
    assert f"[voldaan] stap {meaning.step}: {reason} " not in said


def test_expired_agreement_is_the_answer() -> None:
    said = lines(standing(DELIVERY, agreement=replace(AGREEMENT, until=TODAY - timedelta(days=1))))

    assert said[0].endswith(": mag niet: AGREEMENT_EXPIRED")


def test_policy_that_does_not_stop_a_duty_is_a_finding() -> None:
    one = standing(delivery(grondslag=Grondslag(Ground.STATUTORY_DUTY, "WRO artikel 12")))
    said = lines(one, School(SCHEMAS, SchoolPolicy("2", TODAY, None), ORGANISATION))

    assert said[0].endswith(": mag")
    assert any(line.startswith("  [bevinding] stap 4: POLICY_NO_INSTEMMING") for line in said)


def test_field_is_told_with_its_transform_category_and_reason() -> None:
    said = lines()

    assert "    year (zoals het is, organisation): Het materiaal verschilt per leerjaar." in said
    assert any(line.startswith("    ids.value (pseudoniem, pupil-number): ") for line in said)


def test_id_of_a_thing_is_told_to_leave_as_the_recipients_own() -> None:
    said = lines(standing(delivery(grant("group"))))

    assert any(line.startswith("    group (per ontvanger omgezet, organisation): ") for line in said)


def test_field_that_does_not_leave_is_named() -> None:
    (last,) = [line for line in lines() if "gaat niet mee" in line]

    assert "national-number" in last
    assert "year" not in last.split(": ")[1].split(", ")


def test_list_that_is_released_empty_is_not_among_what_stays() -> None:
    granted = {"Pupil": {"ids": grant("ids", Transform.EMPTY)}}
    (last,) = [line for line in lines(standing(delivery(grants=granted))) if "gaat niet mee" in line]

    assert " ids.value" not in last


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (Rows(), "alle ingeschreven leerlingen"),
        (Rows(frozenset({2, 10, 1})), "leerjaar 1, 2, 10"),
        (Rows(frozenset(), frozenset({"1a"})), "leerjaar geen en 1 groep(en)"),
    ],
)
def test_rows_are_told(rows: Rows, said: str) -> None:
    assert any(f"leerlingen: {said} ·" in line for line in lines(standing(delivery(rows=rows))))


def test_consent_is_told_to_matter_under_ground_a_only() -> None:
    consent = standing(delivery(grondslag=Grondslag(Ground.CONSENT, "formulier 2026")))

    assert "  Toestemming: niet van toepassing (R3)" in lines()
    assert any("van wie haar op de dag zelf mag geven" in line for line in lines(consent))


def test_unknown_recipient_and_purpose_are_told() -> None:
    assert "PURPOSE_UNKNOWN" in explain("uitgever", "else", {KEY: GOOD}, SCHOOL, TODAY)[0]
    assert "RECIPIENT_UNKNOWN" in explain("ander", "oefenen", {KEY: GOOD}, SCHOOL, TODAY)[0]


def test_delivery_without_ground_or_schema_is_explained_too() -> None:
    bare = standing(delivery(grondslag=None))
    said = explain("uitgever", "oefenen", {KEY: bare}, School({}, POLICY, ORGANISATION), TODAY)

    assert not any(line.startswith("  Grondslag") for line in said)
    assert not any("gaat niet mee" in line for line in said)
