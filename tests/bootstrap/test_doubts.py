"""What a person at school sees of pupils who share an id, and does about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import doubts, session
from gateway.bootstrap.school import Refused, School, clock, open_school, random
from gateway.core.model import Enrolment, Person
from gateway.core.persons import Held, PersonRole
from gateway.transfer.ports import Observation
from tests.commands import invoke
from tests.simulators.persons import somebody, somebody_at

HERE = (Enrolment("noord", 2, date(2020, 8, 1), None),)
NUMBERS = ("100001", "100002")


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    """100001 is known by an ECK iD that 100002 has now too."""
    first, second = (Observation(Person.PUPIL, {"las-key": one, "eck-id": "e"}, HERE) for one in NUMBERS)
    with open_school(directory) as school:
        book = Subjects(school.database, school.store_keys)
        for told in ([first], [first, second]):
            book.learn("lvs", {"noord": told, "zuid": []}, clock(), random)
        yield school


def known(school: School) -> list[bool]:
    roster = school.world().now().rosters["lvs"]
    return [roster.find("las-key", one) is not None for one in NUMBERS]


def test_pupil_in_doubt_is_listed_by_number_for_who_may_look_everywhere(school: School) -> None:
    [one] = doubts.listed(school, somebody())

    assert (one.source, one.numbers) == ("lvs", NUMBERS[:1])
    assert known(school) == [False, False]
    assert "100001" not in repr(one)


def test_whose_location_it_is_nobody_knows_so_an_officer_of_one_sees_none(school: School) -> None:
    assert doubts.listed(school, somebody_at("noord")) == []


def test_who_links_no_pupils_settles_no_doubt(school: School) -> None:
    with pytest.raises(Refused):
        doubts.settle(school, somebody("a person", PersonRole.ADMINISTRATOR), 1, "100001", "a reason", one=True)


def test_doubt_that_there_is_not_is_refused(school: School) -> None:
    with pytest.raises(Refused):
        doubts.settle(school, somebody(), 99, "100001", "a reason", one=True)


def test_command_line_lists_and_settles(school: School) -> None:
    session.add_first_person(school, "a", [Held(PersonRole.CONSENT_OFFICER)], session.new_credentials())
    session.accept_statement(school, somebody("a"))
    session.keep_session(school, "a", school.sign_in_rules())
    environment = {"GATEWAY_SESSION": str(session.session_file(school.directory))}
    where = ("-C", str(school.directory))
    [one] = doubts.listed(school, somebody())

    listed = invoke("pupil", "doubtful", *where, environment=environment)
    settling = ("pupil", "settle", str(one.number), "--one", "--reason", "twice", *where)
    settled = invoke(*settling, typed="100002\n", environment=environment)

    assert (listed.exit_code, settled.exit_code) == (0, 0)
    assert "\t100001\tshares an id\t" in listed.stdout
    assert known(school) == [True, True]
    assert doubts.listed(school, somebody()) == []
