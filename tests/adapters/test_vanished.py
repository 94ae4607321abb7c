"""Answers of the roster that lack most pupils of a location: not believed, and the location is in doubt (R109)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from gateway.core.model import Enrolment, Person
from gateway.transfer.ports import Observation
from tests.adapters.test_subjects import BOTH, RANDOM, School, found, school, seen
from tests.simulators.drafts import NOW

__all__ = ["school"]


def pupils(*numbers: int, until: date | None = None) -> list[Observation]:
    stay = Enrolment("noord", 1, date(2026, 8, 1), until)
    return [seen({"las-key": str(number)}, stay) for number in numbers]


def here(school: School) -> set[int]:
    return {int(one.ids["las-key"]) for one in school.lvs if one.enrolments}


@pytest.mark.parametrize("told", [(), (1,), (1, 2, 7, 8, 9)], ids=["nobody", "fewer than half", "others"])
def test_answer_that_lacks_most_pupils_changes_nothing_and_leaves_the_location_in_doubt(
    school: School, told: tuple[int, ...]
) -> None:
    school.learn(*pupils(1, 2, 3, 4, 5))

    assert not school.learn(*pupils(*told))

    assert here(school) == {1, 2, 3, 4, 5}
    assert school.lvs.doubted == {"noord"}
    assert school.new.doubted == frozenset()
    assert school.tasks() == ["roster-doubted"]


def test_answer_that_lacks_half_of_the_pupils_is_learned(school: School) -> None:
    school.learn(*pupils(1, 2, 3, 4))
    school.learn(*pupils(1, 2))

    assert here(school) == {1, 2}
    assert school.lvs.doubted == frozenset()


def test_pupils_whose_last_day_was_told_are_not_missing(school: School) -> None:
    school.learn(*pupils(1), *pupils(2, 3, 4, until=date(2026, 7, 31)))
    school.learn(*pupils(1))

    assert school.lvs.doubted == frozenset()


def test_pupils_of_whom_a_last_day_is_told_are_not_missing(school: School) -> None:
    school.learn(*pupils(1, 2, 3))
    school.learn(*pupils(1, 2, 3, until=date(2026, 8, 31)))

    assert school.lvs.doubted == frozenset()


def test_pupils_who_are_told_at_another_location_are_not_missing(school: School) -> None:
    school.learn(*pupils(1, 2, 3))
    moved = [seen({"las-key": str(one)}, Enrolment("zuid", 1, date(2026, 8, 1), None)) for one in (1, 2, 3)]
    left_out = school.book.learn("lvs", {"noord": (), "zuid": moved}, NOW, RANDOM)

    assert left_out == {"noord": 0, "zuid": 0}


def test_employees_who_are_missing_leave_nothing_in_doubt(school: School) -> None:
    staff = [seen({"las-key": f"m{number}"}, person=Person.STAFF) for number in range(3)]
    school.learn(*pupils(1), *staff)
    school.learn(*pupils(1))

    assert school.lvs.doubted == frozenset()


def test_doubt_moves_the_facts_once_and_its_end_again(school: School) -> None:
    school.learn(*pupils(1, 2, 3))
    before = school.facts()
    for _ in range(2):
        assert not school.learn()
    doubted = school.facts()
    school.learn(*pupils(1, 2, 3))

    assert (doubted, school.facts()) == (before + 1, before + 2)


@BOTH
def test_doubt_ends_with_an_answer_that_holds_them_again(school: School) -> None:
    school.learn(*pupils(1, 2, 3))
    assert not school.learn()
    school.learn(*pupils(1, 2, 3))

    assert school.lvs.doubted == frozenset()


@BOTH
def test_doubt_ends_where_a_person_says_that_they_left(school: School) -> None:
    school.learn(*pupils(1, 2, 3))
    assert not school.learn()
    school.learn(*pupils(3), believed=True)

    assert school.lvs.doubted == frozenset()
    assert found(school.lvs, "las-key", "1").enrolments == ()


def test_doubt_about_a_location_makes_no_other_stale(school: School) -> None:
    school.learn(*pupils(1, 2, 3))
    school.learn(location="zuid")
    later = NOW + timedelta(hours=71)
    school.book.learn("lvs", {"zuid": (), "noord": ()}, later, RANDOM)

    assert school.lvs.fresh(NOW + timedelta(hours=100))


def test_pupils_who_might_be_two_are_not_missing(school: School) -> None:
    """They are withheld for that, and hide nobody's end."""
    school.learn(seen({"las-key": "1"}), seen({"las-key": "2"}))

    assert school.learn(seen({"las-key": "1", "eck-id": "e"}), seen({"las-key": "2", "eck-id": "e"}))
    assert school.lvs.doubted == frozenset()


@BOTH
def test_location_that_is_no_more_holds_nobody(school: School) -> None:
    """Who stood there when it was taken out of gateway.yaml would never have left."""
    school.learn(*pupils(1), location="gone")

    assert found(school.lvs, "las-key", "1").enrolments == ()
    assert not school.lvs.peopled(None, NOW.date())


def test_roster_knows_where_pupils_are_today(school: School) -> None:
    school.learn(*pupils(1), *pupils(2, until=date(2026, 9, 1)))
    school.learn(seen({"las-key": "m"}, person=Person.STAFF), location="zuid")

    today = NOW.date()
    assert school.lvs.peopled(frozenset({"noord"}), today)
    assert school.lvs.peopled(None, today)
    assert not school.lvs.peopled(frozenset({"zuid"}), today)
    assert not school.lvs.peopled(frozenset({"noord"}), date(2026, 7, 1))
