"""A person reads why a delivery may leave: every rule, every field, in Dutch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.core.gate.decide import Standing
from gateway.core.gate.explain import RULES, School, explain
from gateway.core.model import Finding, Ground, Transform
from gateway.core.policy.grants import leaf_at
from gateway.core.policy.schema import Branch
from gateway.core.policy.terms import Grant, Grondslag, Rows, SchoolPolicy
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

    assert "    year (zoals het is; school, groep en leerjaar): Het materiaal verschilt per leerjaar." in said
    assert any(line.startswith("    ids.value (pseudoniem; leerlingnummer of pseudoniem): ") for line in said)


def test_id_of_a_thing_is_told_to_leave_as_the_recipients_own() -> None:
    said = lines(standing(delivery(grant("group"))))

    assert any(line.startswith("    group (per ontvanger omgezet; school, groep en leerjaar): ") for line in said)


def left_behind(*, granted: dict[str, dict[str, Grant]] | None = None, every_field: bool = False) -> list[str]:
    """What is said of the fields that stay behind."""
    one = GOOD if granted is None else standing(delivery(grants=granted))
    said = explain("uitgever", "oefenen", {KEY: one}, SCHOOL, TODAY, every_field=every_field)
    [at] = [number for number, line in enumerate(said) if line.startswith("    Gaat niet mee: ")]
    return said[at:]


def test_few_fields_that_stay_behind_are_named_by_their_category() -> None:
    said = left_behind()

    assert "      burgerservicenummer of onderwijsnummer: national-number" in said
    assert not any(line.endswith(" year") for line in said)


def test_many_fields_of_one_category_are_counted_until_all_are_asked_for() -> None:
    long = [f"{letter * 30}" for letter in "abc"]
    record = SCHEMAS["pupils"].records["Pupil"]
    leaf = leaf_at(record.fields, "national-number")
    assert leaf is not None
    fields = Branch({**record.fields.fields, **dict.fromkeys(long, leaf)})
    several = replace(SCHEMAS["pupils"], records={"Pupil": replace(record, fields=fields)})
    school = School({**SCHEMAS, "pupils": several}, POLICY, ORGANISATION)

    brief = explain("uitgever", "oefenen", {KEY: GOOD}, school, TODAY)
    whole = explain("uitgever", "oefenen", {KEY: GOOD}, school, TODAY, every_field=True)

    assert "      burgerservicenummer of onderwijsnummer: 4 velden (--fields noemt ze)" in brief
    assert "      burgerservicenummer of onderwijsnummer: 4 velden" in whole
    assert not any(long[0] in line for line in brief)
    assert f"        {long[0]}" in whole


def test_list_that_is_released_empty_is_not_among_what_stays() -> None:
    assert not any(
        " ids.value" in line for line in left_behind(granted={"Pupil": {"ids": grant("ids", Transform.EMPTY)}})
    )


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
    assert not any("Gaat niet mee" in line for line in said)
