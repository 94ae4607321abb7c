"""What leaves validates against the official Edu-V files, for the schemas and the recipients as they ship."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.policy.files import load_schema
from gateway.core.model import Enrolment, Person, PseudonymMethod, Subject, Transform
from gateway.core.policy.grants import leaves
from gateway.core.policy.schema import Leaf, Schema
from gateway.core.policy.terms import Grant
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.views import Shelf, Views
from gateway.demo.records import make_records
from gateway.demo.school import School, make_school
from gateway.formats.json import JsonMinimiser
from tests import builders_formats as build
from tests.official import needs_standards, problems
from tests.simulators.register import SimulatedRegister
from tests.simulators.views import SimulatedShelves

ROOT = Path(__file__).resolve().parents[2]
SCHOOL = make_school(1, build.TODAY)
RECORDS = make_records(SCHOOL)


def schema(name: str) -> Schema:
    found = load_schema((ROOT / "schemas" / f"{name}.yaml").read_text("utf-8"), name)
    assert isinstance(found, Schema)
    return found


def everybody(school: School) -> list[Subject]:
    """Every pupil and employee of the made-up school, as a roster would know them."""
    stay = (Enrolment("noord", 1, date(2020, 8, 1), None),)
    found = [
        Subject(
            number.to_bytes(16, "big"),
            Person.PUPIL,
            number.to_bytes(16, "little"),
            {"las-key": str(pupil.number), **({"eck-id": pupil.eck_id} if pupil.eck_id else {})},
            stay,
        )
        for number, pupil in enumerate(school.pupils, 1)
    ]
    references = {tuple(_typed(held.record["employee"])) for held in RECORDS.assignments}
    staff = [
        Subject((9000 + number).to_bytes(16, "big"), Person.STAFF, b"s" * 16, dict(ids), stay)
        for number, ids in enumerate(sorted(references))
    ]
    return [*found, *staff]


def _typed(reference: dict[str, Any]) -> list[tuple[str, str]]:
    kinds = {**build.ID_KINDS, "eckId": "eck-id"}
    return [(kinds[one["userIdType"]], one["userId"]) for one in reference["userIds"]]


def everything(name: str, record: str) -> dict[str, Grant]:
    """Every field that the official file knows, kept; ids as pseudonyms; status and moments of the gateway."""
    return {
        path: Grant(path, "test", _transform(path, leaf))
        for path, leaf in leaves(schema(name).records[record].fields)
        if not path.endswith("userMasterIdentifier")
    }


def _transform(path: str, leaf: Leaf) -> Transform:
    if leaf.view is not None:
        return Transform.VIEW
    return Transform.PSEUDONYM if path.endswith("userIds.userId") else Transform.KEEP


def released(name: str, record: str, grants: dict[str, Grant], sent: list[Any]) -> list[Any]:
    compiled = compile_projection(schema(name).records[record], grants, PseudonymMethod.HMAC)
    sight = build.sight(build.delivery({record: grants}), everybody(SCHOOL))
    shelf = Shelf("lvs", "noord", "test", name, record)
    views = Views(SimulatedShelves(SimulatedRegister()), shelf, "2026-11-22T09:00:00Z", version=1)
    emission = Emission(sight, views if compiled.views else None)
    found = JsonMinimiser(compiled).minimise(json.dumps(sent).encode(), emission, many=True)
    records: list[Any] = json.loads(found.body)
    return records


def sent_of(record: str) -> list[Any]:
    return {
        "Student": list(RECORDS.students.values()),
        "Enrollment": [held.record for held in RECORDS.enrollments],
        "Group": [held.record for held in RECORDS.groups],
        "Assignment": [held.record for held in RECORDS.assignments],
        "SchoolPeriod": list(RECORDS.periods),
    }[record]


CASES = [
    ("edu-v-students", "students-api.yaml", "Student"),
    ("edu-v-association", "association-api.yaml", "Enrollment"),
    ("edu-v-association", "association-api.yaml", "Group"),
    ("edu-v-association", "association-api.yaml", "Assignment"),
    ("edu-v-association", "association-api.yaml", "SchoolPeriod"),
]


@needs_standards
@pytest.mark.standards
@pytest.mark.parametrize(("name", "file", "record"), CASES)
def test_record_with_everything_granted_validates(name: str, file: str, record: str) -> None:
    found = released(name, record, everything(name, record), sent_of(record))

    assert found
    assert [problem for one in found for problem in problems(file, record, one)] == []


@needs_standards
@pytest.mark.standards
def test_student_in_its_smallest_form_validates() -> None:
    found = released("edu-v-students", "Student", build.student_grants(), sent_of("Student"))

    assert len(found) > 100
    assert {frozenset(one) for one in found} == {frozenset(build.student_json(build.pupil(1))) - EXTRAS}
    assert [problem for one in found for problem in problems("students-api.yaml", "Student", one)] == []


EXTRAS = {"userMasterIdentifier", "dateOfBirth", "gender"}


@needs_standards
@pytest.mark.standards
@pytest.mark.parametrize("transform", [Transform.YEAR])
def test_student_with_a_generalised_birth_date_validates(transform: Transform) -> None:
    grants = build.student_grants() | build.changed(transform, "dateOfBirth")

    found = released("edu-v-students", "Student", grants, sent_of("Student"))

    assert {one["dateOfBirth"][4:] for one in found if "dateOfBirth" in one} == {"-01-01"}
    assert [problem for one in found for problem in problems("students-api.yaml", "Student", one)] == []


@pytest.mark.parametrize(("name", "record"), [(name, record) for name, _, record in CASES])
def test_no_id_of_the_source_is_in_what_leaves(name: str, record: str) -> None:
    """The ids of persons and of things that are mapped; periods and organisations keep theirs."""
    found = json.dumps(released(name, record, everything(name, record), sent_of(record)))

    people = [value for one in everybody(SCHOOL) for value in one.ids.values()]
    things = [held.record["groupId"] for held in RECORDS.groups]
    things += [held.record["enrollmentId"] for held in RECORDS.enrollments]
    things += [held.record["assignmentId"] for held in RECORDS.assignments]
    assert {*people, *things}.isdisjoint(found.split('"'))
