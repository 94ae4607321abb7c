"""Exactly the allowed keys leave, each record valid; nothing of the LVS; two recipients' answers cannot be joined."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx2
import pytest

from gateway.adapters.policy.files import load_recipient, load_schema
from gateway.core.model import Transform
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Grant, Recipient
from tests.journeys.canaries import Canaries, canaries_of
from tests.journeys.driving import ENROLMENTS, GROUPS, SOUTH, STUDENTS, UNKNOWN, Demo, held, truth
from tests.official import needs_standards, problems

pytestmark = pytest.mark.journey

HMAC = ["uitgever-noord", "uitgever-zuid", "toetsaanbieder"]
PATHS = {"Student": STUDENTS, "Enrollment": ENROLMENTS, "Group": GROUPS}
OFFICIAL = {"Student": "students-api.yaml", "Enrollment": "association-api.yaml", "Group": "association-api.yaml"}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
HELD = [(recipient, record) for recipient in HMAC for record in PATHS]
HELD += [("onderwijsassistent", "Student"), ("onderwijsassistent", "Group")]
HELD += [("distributeur-keten", "Student"), ("distributeur-keten", "Enrollment")]


Answers = Callable[[str, str], httpx2.Response]


@pytest.fixture(scope="module")
def answers(demo: Demo) -> Answers:
    """What a recipient gets at a path, asked once: a list is large, and the same while nothing changes."""
    return cache(lambda recipient, path: demo.vendor(recipient).get(path))


def granted(demo: Demo, recipient: str, record: str) -> dict[str, Grant]:
    """What the recipient's file says."""
    schemas: dict[str, Schema] = {}
    for path in (demo.directory / "schemas").glob("*.yaml"):
        schema = load_schema(path.read_text(encoding="utf-8"), path.name)
        assert isinstance(schema, Schema)
        schemas[schema.name] = schema
    found = load_recipient(demo.file(recipient).read_text(encoding="utf-8"), f"{recipient}.yaml", schemas)
    assert isinstance(found, Recipient)
    return next(dict(one.grants[record]) for one in found.deliveries if record in one.grants)


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The path of every value, and of every empty list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path


def texts(value: Any) -> set[str]:
    """Every text that stands in a value."""
    if isinstance(value, dict):
        return {text for inner in value.values() for text in texts(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in texts(inner)}
    return {value} if isinstance(value, str) else set()


def whole(response: httpx2.Response) -> str:
    """Status line, headers and body."""
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.multi_items())
    return f"{headers}\n\n{response.text}"


# -- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("recipient", "record"), HELD)
def test_exactly_the_allowed_keys_leave(demo: Demo, answers: Answers, recipient: str, record: str) -> None:
    """R7."""
    allowed = set(granted(demo, recipient, record))
    found = {path for one in answers(recipient, PATHS[record]).json() for path in leaves(one)}

    # a list in which nobody may be is there, and empty
    assert {path for path in found if path not in allowed} <= {"students"}
    assert allowed <= found


@pytest.mark.parametrize(("recipient", "record"), HELD)
def test_fixed_fields_say_the_same_of_everybody(demo: Demo, answers: Answers, recipient: str, record: str) -> None:
    grants = granted(demo, recipient, record)
    fixed = {path: grant.value for path, grant in grants.items() if grant.transform is Transform.FIXED}

    for one in answers(recipient, PATHS[record]).json():
        assert {path: one[path] for path in fixed} == fixed


@needs_standards
@pytest.mark.parametrize(("recipient", "record"), HELD)
def test_every_record_is_valid_against_the_official_schema(answers: Answers, recipient: str, record: str) -> None:
    # records that differ in one pseudonym or mapped id only are as valid as each other
    different = {_UUID.sub(UNKNOWN, str(one)): one for one in answers(recipient, PATHS[record]).json()}

    assert different
    assert {found for one in different.values() for found in problems(OFFICIAL[record], record, one)} == set()


# -- nothing of the LVS ----------------------------------------------------------------------------------------------


def test_canaries_are_found_where_they_are(demo: Demo, canaries: Canaries) -> None:
    record = demo.lvs.everything("/students/school")[0]

    assert len(canaries.in_text(str(record))) > 5


@pytest.mark.parametrize("path", list(PATHS.values()))
@pytest.mark.parametrize("recipient", HMAC)
def test_nothing_of_the_lvs_leaves(demo: Demo, answers: Answers, canaries: Canaries, recipient: str, path: str) -> None:
    for response in (answers(recipient, path), demo.vendor(recipient).get(path, SOUTH)):
        assert response.status_code == 200
        assert canaries.in_text(whole(response)) == []


def test_nothing_of_the_lvs_but_the_eck_id_leaves_in_the_chain(answers: Answers, canaries: Canaries) -> None:
    for path in (STUDENTS, ENROLMENTS):
        found = canaries.in_text(whole(answers("distributeur-keten", path)))

        assert found
        assert all(value.startswith("https://ketenid.nl/") for value in found)


def test_nobody_without_an_eck_id_leaves_in_the_chain(answers: Answers) -> None:
    records = answers("distributeur-keten", STUDENTS).json()

    assert all("userMasterIdentifier" in one and "userIds" not in one for one in records)
    assert 0 < len(records) < len(answers("uitgever-zuid", STUDENTS).json())


def test_only_the_years_and_location_of_the_delivery_leave(demo: Demo, answers: Answers) -> None:
    noord, zuid = (
        {one["studyYear"] for one in answers(name, ENROLMENTS).json() if "studyYear" in one}
        for name in ("uitgever-noord", "uitgever-zuid")
    )

    assert (noord, zuid) == ({1, 2}, {1, 2, 3, 4, 5, 6})
    assert demo.vendor("onderwijsassistent").get(GROUPS, SOUTH).headers["gateway-reason"] == "LOCATION_OUT_OF_SCOPE"


def test_nothing_of_the_lvs_stands_in_what_the_processes_said(demo: Demo, canaries: Canaries) -> None:
    """R82."""
    demo.vendor("uitgever-noord").student("a pupil's name")

    assert canaries.in_text(demo.stderr) == []


def test_nothing_of_the_lvs_stands_in_the_register(demo: Demo, canaries: Canaries) -> None:
    shown = demo.gateway("register", "show", "--last", "100000")

    assert canaries.in_text(shown) == []


def test_no_pupil_stands_readable_in_the_database(demo: Demo) -> None:
    """R43."""
    stored = b"".join(path.read_bytes() for path in demo.directory.glob("gateway.db*"))

    found = canaries_of(demo.lvs, "/students/school").in_text(stored.decode("latin-1"))
    assert [value for value in found if len(value) > 5] == []  # shorter ones stand in random bytes by chance


# -- two recipients --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", list(PATHS))
def test_two_publishers_share_no_id(answers: Answers, record: str) -> None:
    """R40."""
    noord, zuid = (texts(answers(name, PATHS[record]).json()) for name in ("uitgever-noord", "uitgever-zuid"))

    shared = noord & zuid
    allowed = {"ASI", "-", "active", "2000-01-01", "2000-01-01T00:00:00Z", "study", "subject", "class", "lesson-group"}
    names = {one["groupName"] for one in answers("uitgever-zuid", GROUPS).json()}
    periods = {one["schoolPeriod"] for one in answers("uitgever-zuid", ENROLMENTS).json()}
    assert shared <= allowed | names | periods


def test_two_publishers_order_links_nobody(demo: Demo) -> None:
    ordered = [
        [numbers[one] for one in demo.vendor(name).pseudonyms()]
        for name, numbers in (
            (name, truth(demo.directory, name).number) for name in ("uitgever-zuid", "toetsaanbieder")
        )
    ]

    assert sorted(ordered[0]) == sorted(ordered[1])
    assert _same_place(*ordered) < 10


def test_order_does_not_follow_the_lvs(demo: Demo) -> None:
    numbers = truth(demo.directory, "uitgever-zuid").number
    left = [numbers[one] for one in demo.vendor("uitgever-zuid").pseudonyms()]
    alphabet = [
        next(one["userId"] for one in student["userIds"] if one["userIdType"] == "ASI")
        for student in demo.lvs.everything("/students/school")
    ]

    assert _same_place(left, [number for number in alphabet if number in left]) < 10


def _same_place(one: list[str], other: list[str]) -> int:
    """By chance one stands in the same place; ten or more come in less than one of a million orders."""
    return sum(first == second for first, second in zip(one, other, strict=True))


def test_members_of_a_group_stand_in_the_order_of_their_pseudonyms(answers: Answers) -> None:
    for group in answers("uitgever-zuid", GROUPS).json():
        members = [one["userIds"][0]["userId"] for one in group["students"]]

        assert members == sorted(members)


def test_group_enrolment_and_student_agree_on_a_pseudonym(answers: Answers) -> None:
    listed, enrolments, groups = (answers("uitgever-zuid", path).json() for path in (STUDENTS, ENROLMENTS, GROUPS))
    students = {one["userIds"][0]["userId"] for one in held(listed)}
    enrolled = {one["student"]["userIds"][0]["userId"] for one in held(enrolments)}
    grouped = {one["userIds"][0]["userId"] for group in groups for one in group["students"]}

    assert enrolled == students
    assert grouped <= students
