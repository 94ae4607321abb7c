"""Rules for DUO, the leerplichtambtenaar and the Inspectie, where the category, the place or the channel matters.

Leaves out: one case per rule that passes and one that does not (tests/vectors/2-8-soorten.yaml).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.facts import Occasion
from gateway.core.model import Category, FieldClass, Ground, PseudonymMethod, RecipientKind
from gateway.core.policy.rules import problems
from gateway.core.policy.schema import Branch, Leaf, Record
from gateway.core.policy.terms import Conditions, Delivery, Grant, Grondslag, Location, Organisation, Recipient
from tests.builders_policy import AGREEMENT, ORGANISATION, SCHEMAS, TODAY, delivery, recipient

LAW = Grondslag(Ground.STATUTORY_DUTY, "WRO artikel 12", article9="UAVG 30", national_number="WRO artikel 12")
CASE = Conditions(occasion=Occasion.INVESTIGATION)
# R51, N27 and R52, N29: what each list is, by what is not on it.
NOT_AT_DUO = {
    *("phone", "private-email", "school-email", "guardians", "medical", "observations", "absence-reason", "timetable"),
    *("financial", "image", "staff", "special", "criminal", "psychological-report", "confidential", "credentials"),
}
NOT_FOR_TRUANCY = {*NOT_AT_DUO - {"phone", "guardians"}, "national-number", "results", "support"}


def by_category(category: Category) -> tuple[Delivery, dict[str, Any]]:
    """A delivery of one ordinary field of this category, and the schemas it is in."""
    leaf = Leaf("string", category, FieldClass.ORDINARY)
    schema = replace(SCHEMAS["pupils"], records={"One": Record("One", Branch({"veld": leaf}))}, routes=())
    grants = {"One": {"veld": Grant("veld", "De wet noemt het.")}}
    one = delivery(grants=grants, grondslag=LAW, pseudonym=PseudonymMethod.NONE, deviation="De wet noemt de naam.")
    return one, {"pupils": schema}


def rules(one: Recipient, schemas: Any = SCHEMAS, organisation: Organisation = ORGANISATION) -> set[str]:
    return {problem.rule for problem in problems(one, schemas, organisation, TODAY)}


@pytest.mark.parametrize("category", list(Category))
def test_register_has_a_closed_list(category: Category) -> None:
    one, schemas = by_category(category)

    assert ("R51, N27" in rules(recipient(one, kind=RecipientKind.DUO), schemas)) == (category in NOT_AT_DUO)


@pytest.mark.parametrize("category", list(Category))
def test_leerplichtambtenaar_has_a_closed_list(category: Category) -> None:
    one, schemas = by_category(category)
    known = rules(recipient(replace(one, conditions=CASE), kind=RecipientKind.LEERPLICHT), schemas)

    assert ("R52, N29" in known) == (category in NOT_FOR_TRUANCY)


@pytest.mark.parametrize("kind", [RecipientKind.DUO, RecipientKind.LEERPLICHT])
@pytest.mark.parametrize("ground", [Ground.CONTRACT, Ground.PUBLIC_TASK, Ground.LEGITIMATE_INTEREST])
def test_body_of_the_law_gets_nothing_on_another_ground(kind: RecipientKind, ground: Ground) -> None:
    one, schemas = by_category(Category.NAME)
    one = replace(one, grondslag=replace(LAW, ground=ground), conditions=CASE)

    assert {"R51", "R52"} & rules(recipient(one, kind=kind), schemas)


@pytest.mark.parametrize("occasion", list(Occasion))
def test_leerplichtambtenaar_gets_data_in_a_case_only(occasion: Occasion) -> None:
    one, schemas = by_category(Category.NAME)
    known = rules(
        recipient(replace(one, conditions=Conditions(occasion=occasion)), kind=RecipientKind.LEERPLICHT), schemas
    )

    assert ("R52, N29" in known) == (occasion is not Occasion.INVESTIGATION)


@pytest.mark.parametrize(
    ("channel", "conditions", "allowed"),
    [
        ("internet-schooldossier", Conditions(), True),
        ("kwalidata", Conditions(), True),
        ("api", Conditions(), False),
        ("beveiligde-mail", Conditions(), False),
        ("beveiligde-mail", CASE, True),
        ("usb-stick", CASE, False),
    ],
)
def test_inspectie_receives_by_its_own_channels(channel: str, conditions: Conditions, allowed: bool) -> None:  # noqa: FBT001 - a table
    one = recipient(delivery(channel=channel, conditions=conditions, grondslag=LAW), kind=RecipientKind.INSPECTIE)

    assert ("R50" in rules(one)) != allowed


def test_state_exams_are_told_of_the_locations_that_have_them_only() -> None:
    one, schemas = by_category(Category.NAME)
    duo = recipient(replace(one, purpose="staatsexamen"), kind=RecipientKind.DUO)
    with_exams = {name: Location(name, name, frozenset(), state_exams=True) for name in ORGANISATION.locations}

    assert "R51" in rules(duo, schemas)
    assert "R51" not in rules(duo, schemas, Organisation(frozenset(), with_exams))


def test_agreement_lists_where_the_gateway_sends() -> None:
    """R75, R50: a push has an endpoint that the agreement lists, and nothing else has one."""
    agreed = replace(AGREEMENT, endpoints=("duo",))
    push = replace(SCHEMAS["pupils"], direction="push")

    def found(channel: str, endpoint: str | None, **schemas: Any) -> set[str]:
        one = recipient(delivery(channel=channel, endpoint=endpoint), agreement=agreed)
        return rules(one, schemas or {"pupils": push}) & {"R50", "R75"}

    assert found("push", "duo") == set()
    assert found("push", None) == {"R75"}
    assert found("push", "elders") == {"R75"}
    assert found("push", "duo", pupils=SCHEMAS["pupils"]) == {"R50"}
