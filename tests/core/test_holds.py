"""A hold is released for named categories until a day, because of a fact, and no longer than that fact stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.core.facts import (
    NOTHING_KNOWN,
    Exception18,
    Mark,
    Marker,
    Release,
    Restriction,
    RestrictionGround,
    gathered,
)
from gateway.core.gate.holds import Asked, causes, judged, lapsed, weights
from gateway.core.model import Category, Finding
from gateway.core.persons import Deed, Weight, needs_two
from gateway.core.reasons import Reason
from gateway.core.release.classified import WAITS

TODAY = date(2026, 11, 2)
NAME = frozenset({Category.NAME})
HELD = Reason.PUPIL_RESTRICTED
ASKED = Asked("duo", HELD, NAME, TODAY + timedelta(days=10), Exception18.PUBLIC_INTEREST, TODAY, "bekostiging")
TWO = gathered(
    [
        Restriction(number=3, ground=RestrictionGround.ACCURACY),
        Restriction(number=5, ground=RestrictionGround.UNLAWFUL),
    ]
)


def missing(**changes: Any) -> set[str]:
    return {one.about for one in judged(replace(ASKED, **changes), TWO) if isinstance(one, Finding)}


def test_release_names_each_fact_that_caused_the_hold() -> None:
    found = [one for one in judged(ASKED, TWO) if isinstance(one, Release)]

    assert [(one.cause, one.recipient, one.reason, one.categories, one.purpose) for one in found] == [
        (3, "duo", HELD, NAME, "bekostiging"),
        (5, "duo", HELD, NAME, "bekostiging"),
    ]


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"categories": frozenset()}, "categories"),
        ({"until": TODAY - timedelta(days=1)}, "until"),
        ({"exception": None}, "exception"),
    ],
)
def test_release_without_what_it_must_say_is_none(changes: dict[str, Any], about: str) -> None:
    assert missing(**changes) == {about}


def test_release_of_what_nothing_causes_any_more_is_none() -> None:
    (found,) = judged(ASKED, NOTHING_KNOWN)

    assert isinstance(found, Finding)
    assert found.about == "cause"


def test_exception_is_asked_for_a_restriction_only() -> None:
    (found,) = judged(replace(ASKED, reason=Reason.BIRTH_DATE_UNKNOWN, exception=None), NOTHING_KNOWN)

    assert isinstance(found, Release)
    assert found.cause == 0


def test_release_says_nothing_of_what_begins_later() -> None:
    """Whoever released the hold weighed what held it that day."""
    later = TODAY + timedelta(days=1)
    facts = gathered(
        [
            Restriction(number=3, ground=RestrictionGround.ACCURACY),
            Restriction(number=5, ground=RestrictionGround.LEGAL_CLAIM, since=later),
            Restriction(number=7, ground=RestrictionGround.UNLAWFUL, until=TODAY - timedelta(days=1)),
        ]
    )

    assert [one.cause for one in judged(ASKED, facts) if isinstance(one, Release)] == [3]
    assert causes(facts, HELD, later) == (3, 5)


def test_secret_address_is_caused_by_its_own_marker() -> None:
    marks = gathered([Marker(number=1, mark=Mark.CHILD_SAFETY), Marker(number=2, mark=Mark.SECRET_ADDRESS)])

    assert causes(marks, Reason.SECRET_ADDRESS, TODAY) == (2,)
    assert causes(marks, Reason.CHILD_SAFETY, TODAY) == (1,)


@pytest.mark.parametrize(
    ("reason", "categories", "statutory", "found"),
    [
        (HELD, NAME, False, set()),
        (HELD, NAME, True, {Weight.STATUTORY}),
        (Reason.INZAGE_NOT_RECORDED, NAME, True, set()),
        (HELD, NAME | {Category.MEDICAL}, False, {Weight.SPECIAL}),
    ],
)
def test_release_weighs_for_the_law_under_a_restriction_and_for_special_categories(
    reason: Reason,
    categories: frozenset[Category],
    statutory: bool,  # noqa: FBT001 - a column of the table
    found: set[Weight],
) -> None:
    weighs = weights(reason, categories, statutory=statutory)

    assert weighs == found
    assert needs_two(Deed.HOLD_RELEASE, weighs) is bool(found)


def test_release_lapses_after_its_last_day_or_with_its_cause() -> None:
    first, _ = (one for one in judged(ASKED, TWO) if isinstance(one, Release))

    assert not lapsed(first, TWO, ASKED.until)
    assert lapsed(first, TWO, ASKED.until + timedelta(days=1))
    assert lapsed(first, gathered([Restriction(number=5, ground=RestrictionGround.UNLAWFUL)]), TODAY)


@pytest.mark.parametrize("reason", sorted(WAITS))
def test_content_is_released_one_by_one_and_never_by_category(reason: Reason) -> None:
    assert judged(replace(ASKED, reason=reason), NOTHING_KNOWN) == (
        Finding(reason, "one by one: gateway text release"),
    )
