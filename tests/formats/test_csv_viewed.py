"""A zip of OneRoster files as changes: moments and status of what this recipient got, and rows that ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import anyio
import pytest

from gateway.core.facts import Restriction, RestrictionGround, gathered
from gateway.core.model import Subject, Transform
from gateway.core.policy.terms import Grant
from gateway.core.release.emission import Emission
from gateway.core.release.views import Shelf, Views
from tests import builders_formats as build
from tests import builders_oneroster as one
from tests.simulators.drafts import a_draft
from tests.simulators.facts import SimulatedFacts
from tests.simulators.register import SimulatedRegister
from tests.simulators.views import SimulatedShelves

SHELF = Shelf("lvs", "les", "klassen", "oneroster-csv", "set")
FIRST, SECOND = one.PUPILS
RESTRICTED = gathered([Restriction(ground=RestrictionGround.ACCURACY)])


def granted() -> dict[str, dict[str, Grant]]:
    told = build.changed(Transform.VIEW, "status", "dateLastModified")
    return {name: {**paths, **told} for name, paths in one.grants().items()}


class Year:
    """One recipient's files, one after the other; each is registered as it leaves."""

    def __init__(self) -> None:
        self.register = SimulatedRegister()
        self.month = 0

    def file(
        self,
        people: Sequence[Subject] = one.PUPILS,
        rows: Mapping[str, one.Rows] | None = None,
        facts: SimulatedFacts | None = None,
        modes: Mapping[str, str] | None = None,
    ) -> dict[str, one.Rows]:
        self.month += 1
        bench = one.bench(granted(), people, facts=facts)
        views = Views(SimulatedShelves(self.register), SHELF, f"2026-{self.month:02}-01T00:00:00.000Z", 1)
        made = bench.files.minimise(one.zipped(rows or one.files(), modes), Emission(bench.sight, views))
        anyio.run(self.register.append, a_draft(self.month, versions=None, views=tuple(views.written)))
        return one.unzipped(made.body)


def lives(rows: one.Rows) -> dict[str, tuple[str, str]]:
    return {row["sourcedId"]: (row["status"], row["dateLastModified"][5:7]) for row in rows}


def told(left: dict[str, one.Rows]) -> dict[str, str]:
    return {row["propertyName"]: row["value"] for row in left["manifest"]}


def test_file_that_tells_status_is_one_of_changes_and_holds_everybody() -> None:
    year = Year()

    first, second = year.file(), year.file()

    assert {told(first)[f"file.{name}"] for name in ("users", "enrollments")} == {"delta"}
    assert set(lives(first["users"]).values()) == {("active", "01")}
    assert {name: lives(second[name]) for name in ("users", "enrollments")} == {
        name: lives(first[name]) for name in ("users", "enrollments")
    }


def test_pupil_who_left_ends_with_what_is_theirs_and_nothing_of_it_is_told() -> None:
    year = Year()
    before = year.file()
    gone = replace(SECOND, enrolments=())

    after = year.file((FIRST, gone))

    ended = {name: [row for row in after[name] if row["status"] == "tobedeleted"] for name in ("users", "enrollments")}
    assert [len(rows) for rows in ended.values()] == [1, 1]
    (user,) = ended["users"]
    assert user["dateLastModified"][5:7] == "02"
    assert (user["givenName"], user["enabledUser"]) == ("-", "true")
    assert ended["enrollments"][0]["userSourcedId"] == user["sourcedId"]
    assert lives(before["users"]).keys() == lives(after["users"]).keys()


def test_what_is_a_teachers_has_not_ended_because_it_is_looked_at_later() -> None:
    year, people = Year(), (*one.PUPILS, one.TEACHER)
    users = [*one.files()["users"], one.user(7)]
    rows = one.files(users=users, enrollments=[*one.files()["enrollments"], one.enrolment(4, 7)])
    before, again = year.file(people, rows), year.file(people, rows)

    fewer = year.file(people, {**rows, "enrollments": one.files()["enrollments"]})

    assert len(lives(before["enrollments"])) == 4
    assert lives(again["enrollments"]) == lives(before["enrollments"])
    assert sorted(status for status, _ in lives(fewer["enrollments"]).values()) == ["active"] * 3 + ["tobedeleted"]


def test_restricted_pupil_is_absent_without_an_end() -> None:
    year = Year()
    year.file()

    after = year.file(facts=SimulatedFacts({SECOND.id: RESTRICTED}))

    assert {status for status, _ in lives(after["users"]).values()} == {"active"}
    assert len(after["users"]) == 1


def test_class_of_who_is_restricted_is_absent_without_an_end() -> None:
    year, rows = Year(), one.files(enrollments=[one.enrolment(1, 1), one.enrolment(2, 2, 2)])
    before = year.file(rows=rows)

    after = year.file(rows=rows, facts=SimulatedFacts({SECOND.id: RESTRICTED}))
    again = year.file(rows=rows)

    assert [len(left["classes"]) for left in (before, after, again)] == [2, 1, 2]
    assert {status for status, _ in lives(after["classes"]).values()} == {"active"}
    assert lives(again["classes"]) == lives(before["classes"])


def test_row_that_changed_has_the_moment_of_its_file() -> None:
    year = Year()
    year.file()
    rows = one.files(classes=[{"sourcedId": "c1", "title": "anders", "schoolSourcedId": "o1"},
                              {"sourcedId": "c2", "title": "1v2", "schoolSourcedId": "o1"}])  # fmt: skip

    after = year.file(rows=rows)

    assert sorted(moment for _, moment in lives(after["classes"]).values()) == ["01", "02"]


@pytest.mark.parametrize(("mode", "status"), [("bulk", {"active", "tobedeleted"}), ("delta", {"active"})])
def test_thing_that_the_source_no_longer_has_ends_in_a_file_that_holds_everything(mode: str, status: set[str]) -> None:
    year = Year()
    year.file()
    rows = one.files(enrollments=[one.enrolment(1, 1), one.enrolment(2, 2)])

    after = year.file(rows=rows, modes={"enrollments": mode})

    assert {found for found, _ in lives(after["enrollments"]).values()} == status
