"""Rules for one kind of recipient, where the place of the problem or a combination matters.

Leaves out: one case per rule that passes and one that does not (tests/vectors/2-8-soorten.yaml).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gateway.core.facts import Occasion
from gateway.core.model import Ground, RecipientKind, Transform
from gateway.core.policy.rules import doubts, problems
from gateway.core.policy.rules_kinds import SUPPORT_PURPOSES
from gateway.core.policy.terms import Conditions, Grondslag, Profiling, Recipient
from tests.builders_policy import DPIA, ORGANISATION, SCHEMAS, TODAY, WEIGHING, delivery, grant, recipient

INTEREST = Grondslag(Ground.LEGITIMATE_INTEREST, "Belangenafweging 2026-2")
LAW = Grondslag(Ground.STATUTORY_DUTY, "WPO artikel 171")
CONSENT = Grondslag(Ground.CONSENT, "Formulier 2026")
DISPUTE = replace(WEIGHING, aim="geschillen")


def rules(one: Recipient) -> set[str]:
    return {problem.rule for problem in problems(one, SCHEMAS, ORGANISATION, TODAY)}


@pytest.mark.parametrize("kind", [RecipientKind.OTHER, RecipientKind.CARE])
@pytest.mark.parametrize("ground", list(Ground))
def test_unlisted_kind_gets_data_on_consent_contract_or_law(kind: RecipientKind, ground: Ground) -> None:
    """R16, R30: a contract is with the pupil, and care has none."""
    one = recipient(delivery(grondslag=Grondslag(ground, "WPO artikel 8"), weighing=WEIGHING), kind=kind)

    open_to_all = {Ground.CONSENT, Ground.STATUTORY_DUTY, Ground.VITAL_INTEREST}
    allowed = open_to_all | ({Ground.CONTRACT} if kind is RecipientKind.OTHER else set())
    assert ("R16, R30" in rules(one)) == (ground not in allowed)


def test_unlisted_kind_is_told_at_its_kind() -> None:
    one = recipient(delivery(), kind=RecipientKind.OTHER)

    (problem,) = problems(one, SCHEMAS, ORGANISATION, TODAY)

    assert problem.where == ("kind",)
    assert problem.delivery == ("uitgever", "oefenen", "pupils")


def test_dispute_is_weighed_on_ground_f_only() -> None:
    """R64: naming a dispute does not open the school's own task."""
    assert rules(recipient(delivery(grondslag=INTEREST, weighing=DISPUTE), kind=RecipientKind.OTHER)) == set()
    assert rules(recipient(delivery(weighing=DISPUTE), kind=RecipientKind.OTHER)) == {"R16, R30"}


def test_permit_has_the_ground_of_its_occasion() -> None:
    """D4, N31: Veilig Thuis gets a report on the school's task."""
    one = recipient(delivery(conditions=Conditions(occasion=Occasion.SAFETY)), kind=RecipientKind.CARE)

    assert rules(one) == set()


@pytest.mark.parametrize("reference", ["WPO artikel 178a", "Awb art. 5:17", "Artikelen 3 en 4 WOT"])
def test_government_with_an_article_of_law_is_accepted(reference: str) -> None:
    one = recipient(delivery(grondslag=Grondslag(Ground.STATUTORY_DUTY, reference)), kind=RecipientKind.GOVERNMENT)

    assert rules(one) == set()


@pytest.mark.parametrize("reference", ["De onderwijswet van 2020", "Een artikel in de wet", "Smart 5"])
def test_government_without_an_article_of_law_is_refused(reference: str) -> None:
    """R53."""
    one = recipient(delivery(grondslag=Grondslag(Ground.STATUTORY_DUTY, reference)), kind=RecipientKind.GOVERNMENT)

    assert rules(one) == {"R53"}


@pytest.mark.parametrize("purpose", sorted(SUPPORT_PURPOSES))
def test_samenwerkingsverband_has_three_purposes(purpose: str) -> None:
    """R54."""
    one = delivery(purpose=purpose, conditions=Conditions(open_request=True))

    assert rules(recipient(one, kind=RecipientKind.SAMENWERKINGSVERBAND)) == set()


def test_next_school_gets_what_is_asked_without_waiting_for_the_inzage() -> None:
    """R57, R58."""
    conditions = Conditions(destination="11AA")
    consent, law = (delivery(grondslag=one, conditions=conditions) for one in (CONSENT, LAW))

    assert rules(recipient(consent, kind=RecipientKind.SCHOOL)) == set()
    assert rules(recipient(law, kind=RecipientKind.SCHOOL)) == {"R57"}


@pytest.mark.parametrize("ground", [Ground.CONTRACT, Ground.PUBLIC_TASK, Ground.LEGITIMATE_INTEREST])
def test_next_school_on_another_ground_is_refused(ground: Ground) -> None:
    """R58."""
    terms = {"weighing": WEIGHING, "conditions": Conditions(destination="11AA", inzage=True)}
    one = delivery(grondslag=Grondslag(ground, "WPO artikel 42"), **terms)

    assert rules(recipient(one, kind=RecipientKind.SCHOOL)) == {"R58"}


def test_request_to_send_to_a_school_needs_no_destination() -> None:
    """R97: the permit says for whom."""
    one = delivery(conditions=Conditions(occasion=Occasion.REQUEST))

    assert rules(recipient(one, kind=RecipientKind.SCHOOL)) == set()


@pytest.mark.parametrize("path", ["support", "medical", "special", "absence-reason", "psychological-report", "result"])
def test_accountant_gets_nothing_about_care(path: str) -> None:
    """R62."""
    terms = {"grondslag": replace(LAW, article9="UAVG artikel 30 lid 2"), "dpia": DPIA}

    assert rules(recipient(delivery(grant(path), **terms), kind=RecipientKind.ACCOUNTANT)) == {"R62"}


def test_accountant_may_get_a_field_that_says_the_same_of_everybody() -> None:
    blank = grant("free-text", Transform.FIXED, value="-")

    assert rules(recipient(delivery(blank, grondslag=LAW), kind=RecipientKind.ACCOUNTANT)) == set()


def test_profiling_with_consent_needs_no_word_about_its_effect() -> None:
    """R98: consent, or no effect."""
    effect = Profiling(date(2026, 8, 20), "De docent kijkt elke uitslag na.")

    assert rules(recipient(delivery(profiling=effect, dpia=DPIA, grondslag=CONSENT))) == set()
    assert rules(recipient(delivery(profiling=effect, dpia=DPIA))) == {"R98"}


def test_doubt_about_interest_for_the_schools_own_task_is_no_problem() -> None:
    """N23."""
    one = recipient(delivery(grondslag=INTEREST, weighing=WEIGHING))

    assert rules(one) == set()
    assert [doubt.rule for doubt in doubts(one, SCHEMAS)] == ["N23"]


@pytest.mark.parametrize(
    "terms", [{}, {"grondslag": INTEREST, "weighing": DISPUTE}], ids=["public task", "interest in a dispute"]
)
def test_other_ground_raises_no_doubt(terms: dict[str, object]) -> None:
    assert doubts(recipient(delivery(**terms)), SCHEMAS) == []
