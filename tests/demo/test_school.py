"""The made-up school: what must be in it for the gateway to be tried on, and that it is nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import msgspec
import pytest

from gateway.core.days import school_year_begun
from gateway.demo.invented import passes_eleven_test
from gateway.demo.records import Json, Records, make_records
from gateway.demo.school import LEFT, MOVED, School, make_school
from tests.official import needs_standards, problems

TODAY = date(2026, 9, 15)
EXTENSIONS = {"bsn", "medicalNote", "note", "photoUrl", "supportNote", "remark"}


@pytest.fixture(scope="module")
def school() -> School:
    return make_school(1, TODAY)


@pytest.fixture(scope="module")
def records(school: School) -> Records:
    return make_records(school)


def every(records: Records) -> Iterator[tuple[str, str, Json]]:
    association = "association-api.yaml"
    yield from (("students-api.yaml", "Student", record) for record in records.students.values())
    yield from ((association, "SchoolPeriod", record) for record in records.periods)
    yield from ((association, "Enrollment", held.record) for held in records.enrollments)
    yield from ((association, "Assignment", held.record) for held in records.assignments)
    yield from ((association, "Group", held.record) for held in records.groups)


def test_school_same_seed_and_day_is_the_same_school(records: Records) -> None:
    again = make_records(make_school(1, TODAY))
    assert [one for *_, one in every(again)] == [one for *_, one in every(records)]


def test_school_other_seed_shares_no_pupil(school: School) -> None:
    other = make_school(2, TODAY)
    assert not {pupil.nepri for pupil in school.pupils} & {pupil.nepri for pupil in other.pupils}


def test_school_later_day_of_the_year_keeps_its_pupils(school: School) -> None:
    later = make_school(1, date(2027, 5, 3))
    assert [(p.number, p.eck_id, p.name) for p in later.pupils] == [(p.number, p.eck_id, p.name) for p in school.pupils]


@pytest.mark.parametrize(("day", "year"), [(date(2026, 7, 31), 2025), (date(2026, 8, 1), 2026)])
def test_school_year_begins_on_the_first_of_august(day: date, year: int) -> None:
    assert school_year_begun(day) == year
    assert make_school(1, day).year.id == f"{year}-{year + 1}"


def test_school_has_about_six_hundred_pupils_at_two_locations(school: School) -> None:
    assert 550 < len(school.pupils) < 650
    here = [pupil.stays[-1].site.name for pupil in school.pupils]
    assert here.count("noord") > 250
    assert here.count("zuid") > 250


def test_school_some_pupils_moved_and_some_left(school: School) -> None:
    moved = [pupil for pupil in school.pupils if len(pupil.stays) == 2]
    assert len(moved) == MOVED
    assert all(
        first.end == second.begin and first.site is not second.site for first, second in (p.stays for p in moved)
    )
    assert sum(pupil.left for pupil in school.pupils) == LEFT


def test_school_who_left_or_moved_away_is_in_no_group_there(school: School) -> None:
    for group in school.groups:
        assert all(pupil.stays[-1].site is group.site and not pupil.left for pupil in group.pupils)


def test_school_few_pupils_have_no_eck_id(school: School) -> None:
    without = sum(pupil.eck_id is None for pupil in school.pupils)
    assert 1 <= without <= 30
    held = [pupil.eck_id for pupil in school.pupils if pupil.eck_id is not None]
    assert all(re.fullmatch(r"https://ketenid\.nl/demo/[0-9a-f]{128}", eck_id) for eck_id in held)


def test_school_numbers_are_unique_and_bsns_belong_to_nobody(school: School) -> None:
    bsns = {pupil.bsn for pupil in school.pupils}
    assert len(bsns) == len({pupil.number for pupil in school.pupils}) == len(school.pupils)
    assert all(bsn.startswith("9999") and passes_eleven_test(bsn) for bsn in bsns)


def test_school_lists_pupils_by_name_and_groups_by_name(records: Records) -> None:
    names = [(record["familyName"], record["givenName"]) for record in records.students.values()]
    groups = [held.record["groupName"] for held in records.groups]
    assert all(first <= second for first, second in pairwise(names))
    assert groups == sorted(groups)


def test_school_notes_name_other_pupils(school: School, records: Records) -> None:
    names = {pupil.name.full for pupil in school.pupils}
    notes = [record["note"] for record in records.students.values() if record.get("note", "").startswith("Ruzie")]
    assert len(notes) > 50
    assert all(any(name in note for name in names) for note in notes)


def test_some_records_hold_a_bsn_where_it_does_not_belong(records: Records) -> None:
    held = list(records.students.values())
    assert [one for one in held if one["bsn"] in one.get("note", "")]
    assert [one for one in held if one["bsn"] == one.get("alias")]


def test_school_every_extension_occurs(records: Records) -> None:
    assert {key for *_, record in every(records) for key in record} >= EXTENSIONS


def test_school_ids_of_records_are_unique(records: Records) -> None:
    for things, key in ((records.enrollments, "enrollmentId"), (records.assignments, "assignmentId")):
        assert len({held.record[key] for held in things}) == len(things)


def test_school_every_reference_is_to_something(records: Records) -> None:
    assignments = {held.record["assignmentId"] for held in records.assignments}
    periods = {period["schoolPeriodId"] for period in records.periods}
    groups = {held.record["groupId"] for held in records.groups}
    assert all(set(held.record["assignments"]) <= assignments for held in records.groups)
    assert all(one["schoolPeriod"] in periods for *_, one in every(records) if "schoolPeriod" in one)
    assert all(held.record.get("group", next(iter(groups))) in groups for held in records.assignments)


@needs_standards
def test_school_every_record_is_valid_against_the_official_schema(records: Records) -> None:
    wrong = [problem for file, name, record in every(records) for problem in problems(file, name, _as_sent(record))]
    assert wrong == []


@needs_standards
def test_official_validator_finds_a_wrong_record(records: Records) -> None:
    student = next(iter(records.students.values()))
    assert problems("students-api.yaml", "Student", {**student, "gender": "f", "dateOfBirth": "gisteren"})
    assert problems("students-api.yaml", "Student", {key: student[key] for key in student if key != "status"})


def _as_sent(record: Json) -> object:
    return msgspec.json.decode(msgspec.json.encode(record))
