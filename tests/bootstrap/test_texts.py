"""bootstrap.texts: who may look at what waits, that it is registered, and what cannot be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import acts, texts
from gateway.bootstrap.school import Refused, School, clock, open_school, random
from gateway.bootstrap.texts import About, Content
from gateway.core.model import Enrolment, Person
from gateway.core.persons import PersonRole
from gateway.transfer.ports import Observation
from tests.simulators.persons import somebody

RELEASER = somebody("vrijgever", PersonRole.RELEASER)
ABOUT = About("toetsaanbieder", "toetsafname", "100001")


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    """The demo's directory with the test provider active, a pupil, and an LVS that nobody can reach."""
    with open_school(directory) as opened:
        acts.take_over_policy(opened)
        acts.activate(opened, "toetsaanbieder", somebody("redacteur", PersonRole.SCHEMA_EDITOR), "a reason")
        stay = (Enrolment("noord", 1, date(2026, 8, 1), None),)
        book = Subjects(opened.database, opened.store_keys)
        book.learn("lvs", {"noord": [Observation(Person.PUPIL, {"las-key": "100001"}, stay)]}, clock(), random)
        yield opened


def entries(school: School) -> list[tuple[str, str]]:
    return [(one["kind"], one["outcome"]) for one in acts.entries(school, 100, None)]


def test_who_is_no_releaser_learns_nothing_and_the_attempt_is_registered(school: School) -> None:
    with pytest.raises(Refused) as refused:
        texts.waiting(school, somebody("bestuur", PersonRole.BOARD), replace(ABOUT, las_key="unknown"), "kijken")

    assert refused.value.problems == ["this needs the role releaser"]
    assert entries(school)[-1] == ("change", "refused")


def test_look_is_registered_before_anything_is_fetched(school: School) -> None:
    with pytest.raises(Refused):
        texts.waiting(school, RELEASER, ABOUT, "beoordelen")

    assert entries(school)[-1] == ("view", "text.release")
    assert acts.entries(school, 1, None)[0]["released"] == 1


@pytest.mark.parametrize("about", [replace(ABOUT, purpose="iets-anders"), replace(ABOUT, las_key="999999")])
def test_unknown_delivery_or_pupil_is_refused_and_not_repeated(school: School, about: About) -> None:
    with pytest.raises(Refused) as refused:
        texts.waiting(school, RELEASER, about, "beoordelen")

    assert "999999" not in str(refused.value.problems)


def test_what_does_not_wait_is_not_released(school: School) -> None:
    with pytest.raises(Refused):
        texts.release(school, RELEASER, ABOUT, Content(b"d" * 32), "gelezen")

    assert ("change", "content released") not in entries(school)
