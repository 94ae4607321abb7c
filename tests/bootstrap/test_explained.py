"""bootstrap.explained and its command: why a pupil goes or stays behind, for who may know, now and at a past moment."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import acts, fact_acts
from gateway.bootstrap.explained import Asked, explained
from gateway.bootstrap.school import Refused, School, clock, open_school, random
from gateway.core.model import Enrolment, Person
from gateway.core.persons import Actor, PersonRole
from gateway.transfer.ports import Observation
from tests.commands import invoke
from tests.simulators.persons import somebody, somebody_at
from tests.simulators.stored import last_bodies

OFFICER = somebody("toestemming", PersonRole.CONSENT_OFFICER)
EDITOR = somebody("redacteur", PersonRole.SCHEMA_EDITOR)
ASKED = Asked("toetsaanbieder", "toetsafname", "100001")


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    """The demo's directory with the test provider active; the roster knows a pupil."""
    with open_school(directory) as opened:
        acts.take_over_policy(opened)
        acts.activate(opened, "toetsaanbieder", EDITOR, "a reason")
        book = Subjects(opened.database, opened.store_keys)
        stay = (Enrolment("noord", 1, date(2026, 8, 1), None),)
        book.learn("lvs", {"noord": [Observation(Person.PUPIL, {"las-key": "100001"}, stay)]}, clock(), random)
        yield opened


def lines(school: School, actor: Actor = OFFICER, at: datetime | None = None) -> list[str]:
    return explained(school, actor, replace(ASKED, at=at), "a reason")


def restrict(school: School) -> None:
    fact_acts.bring_in(
        school, OFFICER, "restriction", io.BytesIO(b"pupil,ground\n100001,accuracy\n"), "r.csv", "a reason"
    )


def last_entry(school: School) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(last_bodies(school.database, 1)[0])
    return found


def test_pupil_who_goes_is_explained_and_the_view_is_registered(school: School) -> None:
    found = lines(school)

    assert found[1].startswith("Deze leerling gaat mee")
    assert (last_entry(school)["actor"], last_entry(school)["kind"]) == ("toestemming", "view")


def test_rule_that_speaks_is_named(school: School) -> None:
    restrict(school)

    assert any("[achterwege] stap 12: PUPIL_RESTRICTED" in line for line in lines(school))


def test_past_moment_is_decided_with_what_was_known_then(school: School) -> None:
    before = clock()
    restrict(school)

    assert any("[voldaan] stap 12: PUPIL_RESTRICTED" in line for line in lines(school, at=before))


def test_moment_to_come_is_refused(school: School) -> None:
    with pytest.raises(Refused):
        lines(school, at=clock() + timedelta(days=1))


def test_who_has_no_role_for_it_reads_nothing_and_is_registered(school: School) -> None:
    with pytest.raises(Refused):
        lines(school, EDITOR)

    assert last_entry(school)["outcome"] == "refused"


def test_who_has_the_role_elsewhere_reads_nothing(school: School) -> None:
    with pytest.raises(Refused):
        lines(school, somebody_at("zuid"))


@pytest.mark.parametrize("asked", [replace(ASKED, las_key="999"), replace(ASKED, purpose="anders")])
def test_pupil_or_delivery_that_is_not_there_is_refused(school: School, asked: Asked) -> None:
    with pytest.raises(Refused):
        explained(school, OFFICER, asked, "a reason")


@pytest.mark.parametrize("actor", [EDITOR, somebody_at("zuid")])
def test_number_nobody_has_tells_who_may_not_look_no_more_than_another(school: School, actor: Actor) -> None:
    said = []
    for number in ("100001", "999"):
        with pytest.raises(Refused) as refused:
            explained(school, actor, replace(ASKED, las_key=number), "a reason")
        said.append(refused.value.problems)

    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("more", "message"),
    [(["--at", "gisteren", "--pupil"], "no moment"), (["--at", "2026-10-01"], "add --pupil"), (["--pupil"], "login")],
)
def test_command_says_what_it_lacks(school: School, more: list[str], message: str) -> None:
    said = invoke("explain", "-C", str(school.directory), "--recipient", "r", "--purpose", "p", *more, typed="100001\n")

    assert said.exit_code in (2, 3)
    assert message in said.output
