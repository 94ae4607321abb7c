"""Facts from outside: nothing leaves on facts that nobody declared complete, and every worker follows a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.adapters.facts.store import Entered, enter
from gateway.bootstrap.school import open_school
from gateway.core.facts import AnyFact, Restriction, RestrictionGround
from tests.journeys.driving import NORTH, SOUTH, STUDENTS, Demo, truth
from tests.simulators.persons import somebody

pytestmark = pytest.mark.journey

EVERY_WORKER = 12  # calls, each on a connection of its own


@contextmanager
def recorded(demo: Demo, subject: bytes, fact: AnyFact) -> Iterator[None]:
    """While the block runs, the school knows this about a person."""
    with open_school(demo.directory) as school:
        entered = [Entered(subject, fact)]
        numbers = enter(school.database, school.store_keys, school.told(somebody("officer"), "asked"), entered)
        try:
            yield
        finally:
            act = school.told(somebody("officer"), "ended")
            enter(school.database, school.store_keys, act, (), numbers)


def test_facts_that_are_not_declared_stop_their_location_until_they_are(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-noord")
    demo.gateway("facts", "undeclare", "restriction", "--location", "noord", "--reason", "a folder turned up")
    try:
        answers = [vendor.get(STUDENTS, NORTH) for _ in range(EVERY_WORKER)]
        south = vendor.get(STUDENTS, SOUTH)
        told = demo.gateway("check"), demo.gateway("facts", "status")
        entry = demo.entry(answers[0])
    finally:
        demo.gateway("facts", "declare", "restriction", "--location", "noord", "--reason", "entered")

    assert {(one.status_code, one.headers["gateway-reason"]) for one in answers} == {(503, "FACTS_NOT_DECLARED")}
    assert south.status_code == 200
    assert entry["detail"] == ["FACTS_NOT_DECLARED: restriction@noord"]
    assert "restriction at noord, for" in told[0]
    assert any(line.startswith("noord\trestriction\tto declare") for line in told[1].splitlines())
    assert {vendor.get(STUDENTS).status_code for _ in range(EVERY_WORKER)} == {200}


def test_publisher_on_ground_e_works_with_nothing_recorded_but_declarations(demo: Demo) -> None:
    """The birth dates that stand there are the sync's; `tests/transfer` shows that none of them is asked."""
    status = demo.gateway("facts", "status")

    assert "to declare" not in status
    assert demo.vendor("uitgever-noord").get(STUDENTS).status_code == 200


def test_restriction_is_followed_by_every_worker_at_once(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-noord")
    shown = vendor.pseudonyms()
    restricted = shown[0]
    subject = truth(demo.directory, "uitgever-noord").internal[restricted]
    with recorded(demo, subject, Restriction(ground=RestrictionGround.ACCURACY)):
        lists = [vendor.pseudonyms() for _ in range(EVERY_WORKER)]
        alone = vendor.student(restricted)

    assert all(restricted not in listed for listed in lists)
    assert {len(listed) for listed in lists} == {len(shown) - 1}
    assert alone.status_code == 404
    assert all(restricted in vendor.pseudonyms() for _ in range(EVERY_WORKER))
    assert demo.gateway("register", "verify")
