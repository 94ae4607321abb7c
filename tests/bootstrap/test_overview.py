"""bootstrap.overview and `gateway register pupil`: what the register says about one pupil (R78, N11), and that
somebody looked (R80)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.adapters.pupils.subjects import Subjects
from gateway.adapters.register.chain import append_within
from gateway.bootstrap.overview import pupil_overview, titles
from gateway.bootstrap.pupils import pupil
from gateway.bootstrap.school import Refused, School, clock, open_school, random
from gateway.core.model import Enrolment, Person
from gateway.core.overview import Line, Times
from gateway.core.persons import Actor, PersonRole
from gateway.core.reasons import Reason
from gateway.core.register import Draft
from gateway.transfer.ports import Observation
from gateway.transfer.trail import instant
from tests.commands import invoke
from tests.simulators.persons import somebody, somebody_at
from tests.simulators.stored import last_bodies

FG = somebody("fg", PersonRole.FG)
EDITOR = somebody("redacteur", PersonRole.SCHEMA_EDITOR)


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    """The demo's directory; of two pupils one was in an answer and the other was withheld from it."""
    with open_school(directory) as opened:
        book = Subjects(opened.database, opened.store_keys)
        stay = (Enrolment("noord", 1, date(2026, 8, 1), None),)
        seen = [Observation(Person.PUPIL, {"las-key": number}, stay) for number in ("100001", "100002")]
        book.learn("lvs", {"noord": seen}, clock(), random)
        deliver(opened)
        yield opened


def deliver(school: School) -> None:
    draft = Draft(
        id=school.new_id(clock()),
        kind="transfer",
        moment=instant(clock()),
        actor="uitgever-noord",
        recipient="uitgever-noord",
        outcome="released",
        released=(pupil(school, None, "100001"),),
        withheld=((pupil(school, None, "100002"), (Reason.PUPIL_RESTRICTED,)),),
    )
    with school.database.write() as connection:
        append_within(connection, draft)


def found(school: School, number: str = "100001", actor: Actor = FG, since: date | None = None) -> dict[Line, Times]:
    return pupil_overview(school, actor, None, number, "a parent asks", since)


def kinds(lines: dict[Line, Times]) -> list[str]:
    return [line.what for line in lines]


def test_overview_has_the_transfers_of_this_pupil_and_who_looked(school: School) -> None:
    assert kinds(found(school)) == ["released", "viewed"]
    assert kinds(found(school, "100002")) == ["withheld", "viewed"]


def test_overview_of_the_same_answer_asked_twice_counts_two(school: School) -> None:
    deliver(school)

    assert [times.number for times in found(school).values()] == [2, 1]


def test_overview_since_tomorrow_has_nothing(school: School) -> None:
    assert found(school, since=clock().date() + timedelta(days=2)) == {}


def test_overview_is_itself_registered_with_its_reason(school: School) -> None:
    found(school)
    entry = json.loads(last_bodies(school.database, 1)[0])

    assert (entry["kind"], entry["actor"]) == ("view", "fg")
    assert "reason: a parent asks" in entry["detail"]


@pytest.mark.parametrize("actor", [EDITOR, somebody_at("zuid")])
def test_who_may_not_look_reads_nothing_and_is_registered(school: School, actor: Actor) -> None:
    with pytest.raises(Refused):
        found(school, actor=actor)

    assert json.loads(last_bodies(school.database, 1)[0])["outcome"] == "refused"


def test_number_nobody_has_is_refused(school: School) -> None:
    with pytest.raises(Refused):
        found(school, "999")


def test_recipients_have_their_titles(school: School) -> None:
    assert titles(school)["uitgever-noord"] == "Uitgever Noord B.V."


def test_command_needs_somebody_signed_in(school: School) -> None:
    said = invoke("register", "pupil", "-C", str(school.directory), "--reason", "a parent asks", typed="100001\n")

    assert said.exit_code == 3
    assert "login" in said.output
