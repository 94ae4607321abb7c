"""A permit has every item its occasion asks, no more than its scope, and an end; or there is no permit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gateway.core.facts import (
    Birth,
    Capacity,
    Exception18,
    Facts,
    Objection,
    Occasion,
    Permit,
    Representative,
    Restriction,
    RestrictionGround,
    gathered,
)
from gateway.core.gate.permits import EMERGENCY, Asked, Items, Order, judged, once, weights
from gateway.core.model import Category
from gateway.core.persons import Weight
from gateway.core.policy.terms import Conditions
from gateway.core.reasons import Reason
from tests.builders_policy import DELIVERY

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 2)
NAME = frozenset({Category.NAME})
GOOD: dict[Occasion, Items] = {
    Occasion.POLICE: Items(
        categories=NAME,
        order=Order.IDENTIFYING,
        authority="officier van justitie te Voorbeeldstad",
        issued=date(2026, 11, 1),
        case="26-000123",
        document="ab" * 32,
    ),
    Occasion.BREAK_GLASS: Items(),
    Occasion.SAFETY: Items(categories=NAME | {Category.ADDRESS}),
    Occasion.INVESTIGATION: Items(categories=NAME, reference="IvhO 2026-77"),
    Occasion.REQUEST: Items(
        categories=NAME, requester="pupil", identity="paspoort getoond aan de balie", identified=TODAY
    ),
}
SIXTEEN = gathered([Birth(day=date(2010, 1, 1))])
RESTRICTION = Restriction(ground=RestrictionGround.ACCURACY)


def asked(
    occasion: Occasion, facts: Facts = SIXTEEN, reason: str = "Ongeval op het schoolplein", **items: Any
) -> Asked:
    delivery = replace(DELIVERY, conditions=Conditions(occasion=occasion))
    changed = msgspec.structs.replace(GOOD[occasion], **items)
    return Asked(delivery, changed, reason, facts, NOW, TODAY, timedelta(hours=4))


def refused(one: Asked) -> set[tuple[Reason, str]]:
    found = judged(one)
    assert isinstance(found, tuple)
    return {(finding.reason, finding.about) for finding in found}


@pytest.mark.parametrize("occasion", GOOD)
def test_permit_with_every_item_is_one_for_this_recipient_purpose_and_channel(occasion: Occasion) -> None:
    found = judged(asked(occasion))

    assert isinstance(found, Permit)
    said = (found.occasion, found.recipient, found.purpose, found.channel)
    assert said == (occasion, DELIVERY.recipient, DELIVERY.purpose, DELIVERY.channel)
    assert found.until > NOW


@pytest.mark.parametrize("item", ["order", "authority", "issued", "case", "document"])
def test_police_without_an_item_of_the_order_get_nothing(item: str) -> None:
    lacking: dict[str, Any] = {item: None}
    assert (Reason.NO_VORDERING, item) in refused(asked(Occasion.POLICE, **lacking))


def test_police_with_a_mail_from_the_wijkagent_get_nothing_for_every_item_it_lacks() -> None:
    one = asked(Occasion.POLICE, order=None, authority="x", issued=None, case=None, document=None)

    assert {about for _, about in refused(one)} == {"order", "authority", "issued", "case", "document"}


@pytest.mark.parametrize(
    ("order", "category", "passes"),
    [
        (Order.IDENTIFYING, Category.ADDRESS, True),
        (Order.IDENTIFYING, Category.RESULTS, False),
        (Order.OTHER, Category.RESULTS, True),
        (Order.OTHER, Category.MEDICAL, False),
        (Order.SENSITIVE, Category.MEDICAL, True),
        (Order.SENSITIVE, Category.CRIMINAL, False),
        (Order.SENSITIVE, Category.NATIONAL_NUMBER, False),
    ],
)
def test_order_decides_the_most_that_may_leave(order: Order, category: Category, passes: bool) -> None:  # noqa: FBT001 - a column of the table
    """N30."""
    one = asked(Occasion.POLICE, order=order, categories=frozenset({category}), judge="rc te Voorbeeldstad, 1 november")

    assert isinstance(judged(one), Permit) is passes


def test_sensitive_data_need_the_rechter_commissaris() -> None:
    found = refused(asked(Occasion.POLICE, order=Order.SENSITIVE, categories=frozenset({Category.MEDICAL})))

    assert found == {(Reason.NO_VORDERING, "judge")}


@pytest.mark.parametrize(("item", "value"), [("issued", date(2026, 11, 3)), ("document", "brief van de wijkagent")])
def test_order_of_tomorrow_or_without_a_digest_is_none(item: str, value: object) -> None:
    wrong: dict[str, Any] = {item: value}
    assert refused(asked(Occasion.POLICE, **wrong)) == {(Reason.NO_VORDERING, item)}


def test_emergency_opens_the_smallest_profile_for_at_most_four_hours() -> None:
    found = judged(asked(Occasion.BREAK_GLASS))

    assert isinstance(found, Permit)
    assert (found.categories, found.until) == (EMERGENCY, NOW + timedelta(hours=4))


@pytest.mark.parametrize(
    ("items", "about"),
    [
        ({"until": NOW + timedelta(hours=4, seconds=1)}, "until"),
        ({"until": NOW}, "until"),
        (
            {"categories": NAME | {Category.RESULTS}},
            "categories: in an emergency no more than guardians, medical, name, phone",
        ),
    ],
)
def test_emergency_longer_or_larger_is_not_granted(items: dict[str, Any], about: str) -> None:
    assert refused(asked(Occasion.BREAK_GLASS, **items)) == {(Reason.BREAKGLASS_NOT_GRANTED, about)}


def test_emergency_without_a_reason_in_words_is_not_granted() -> None:
    assert refused(asked(Occasion.BREAK_GLASS, reason="nodig")) == {(Reason.BREAKGLASS_NOT_GRANTED, "reason")}


def test_report_on_a_childs_safety_is_secret_unless_somebody_says_otherwise() -> None:
    quiet, told = judged(asked(Occasion.SAFETY)), judged(asked(Occasion.SAFETY, secret=False))

    assert isinstance(quiet, Permit)
    assert isinstance(told, Permit)
    assert (quiet.secret, told.secret) == (True, False)


def test_investigation_without_the_reference_of_the_inspectie_is_none() -> None:
    assert refused(asked(Occasion.INVESTIGATION, reference=None)) == {(Reason.PERMIT_MISSING, "reference")}


@pytest.mark.parametrize("occasion", sorted(set(GOOD) - {Occasion.BREAK_GLASS}))
def test_restriction_is_passed_under_a_recorded_exception_only(occasion: Occasion) -> None:
    facts = gathered([Birth(day=date(2010, 1, 1)), RESTRICTION])

    assert refused(asked(occasion, facts)) == {(Reason.PUPIL_RESTRICTED, "exception")}
    found = judged(asked(occasion, facts, exception=Exception18.RIGHTS_OF_ANOTHER))
    assert isinstance(found, Permit)
    assert found.exception is Exception18.RIGHTS_OF_ANOTHER


def test_objection_stops_no_permit() -> None:
    facts = gathered([Birth(day=date(2010, 1, 1)), Objection(received=TODAY)])

    assert isinstance(judged(asked(Occasion.SAFETY, facts)), Permit)


MOTHER = Representative(person=b"m" * 16, capacity=Capacity.PARENT)
OTHER_MOTHER = Representative(person=b"m" * 16, capacity=Capacity.PARENT_WITHOUT_GEZAG)
MENTOR = Representative(person=b"c" * 16, capacity=Capacity.MENTOR)


@pytest.mark.parametrize(
    ("born", "who", "requester", "capacity", "passes"),
    [
        (date(2010, 11, 2), None, "pupil", None, True),
        (date(2010, 11, 3), None, "pupil", None, False),
        (date(2009, 1, 1), MOTHER, "representative", Capacity.PARENT, False),
        (date(2012, 1, 1), MOTHER, "representative", Capacity.PARENT, True),
        (date(2012, 1, 1), OTHER_MOTHER, "representative", Capacity.PARENT_WITHOUT_GEZAG, False),
        (date(2012, 1, 1), None, "representative", Capacity.PARENT, False),
        (date(2009, 1, 1), MENTOR, "representative", Capacity.MENTOR, True),
    ],
    ids=["16 today", "16 tomorrow", "mother of 17", "mother of 14", "without gezag", "unknown", "mentor of 17"],
)
def test_request_comes_from_whom_the_age_entitles(
    born: date,
    who: Representative | None,
    requester: str,
    capacity: Capacity | None,
    passes: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """R97, R102, N15."""
    facts = gathered([Birth(day=born), *([who] if who else [])])
    found = judged(asked(Occasion.REQUEST, facts, requester=requester, capacity=capacity))

    if passes:
        assert isinstance(found, Permit)
    else:
        assert isinstance(found, tuple)
        assert [one.reason for one in found] == [Reason.CONSENT_GIVER_NOT_ENTITLED]


@pytest.mark.parametrize(
    ("item", "value"),
    [("identity", None), ("identity", "-"), ("identified", None), ("identified", TODAY + timedelta(days=1))],
    ids=["not said", "says nothing", "no day", "tomorrow"],
)
def test_request_of_somebody_whose_identity_is_not_established_is_none(item: str, value: object) -> None:
    """R87."""
    lacking: dict[str, Any] = {item: value}
    facts = gathered([Birth(day=date(2009, 1, 1))])

    assert refused(asked(Occasion.REQUEST, facts, **lacking)) == {(Reason.PERMIT_MISSING, item)}


def test_request_for_a_pupil_of_unknown_age_waits() -> None:
    assert refused(asked(Occasion.REQUEST, gathered([]))) == {(Reason.BIRTH_DATE_UNKNOWN, "requester")}


def test_request_goes_over_once_and_others_until_they_end() -> None:
    assert [occasion for occasion in GOOD if once(occasion)] == [Occasion.REQUEST]


def test_permit_for_the_police_or_with_special_categories_weighs() -> None:
    police, medical = judged(asked(Occasion.POLICE)), judged(asked(Occasion.BREAK_GLASS))

    assert isinstance(police, Permit)
    assert isinstance(medical, Permit)
    assert weights(police) == {Weight.POLICE}
    assert weights(medical) == {Weight.BREAK_GLASS, Weight.SPECIAL}


def test_items_show_nothing_in_a_repr() -> None:
    assert "123" not in repr(GOOD[Occasion.POLICE])
