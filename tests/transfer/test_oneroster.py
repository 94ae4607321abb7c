"""OneRoster 1.2 through the gateway: every endpoint valid against the official description, and nothing beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.adapters.policy.files import load_recipient
from gateway.core.policy.rules import RecipientState, compile_standings
from gateway.core.policy.terms import Recipient
from gateway.demo.oneroster import BASE, school_id
from gateway.demo.school import NOORD, ZUID
from tests import official_oneroster
from tests.official import needs_standards
from tests.policy.shipped import answered, schemas
from tests.simulators.left import left
from tests.simulators.oneroster import ORGANISATION, RECIPIENT, an_online_school, online, policy, small
from tests.simulators.world import School

ENDS = "            reason: Een docent mag in de klas meer dan een leerling.\n"
DEMOGRAPHICS = """\
        Demographics:
          sourcedId: {transform: pseudonym, reason: "De gegevens horen bij dezelfde persoon."}
          status: {transform: fixed, value: active, reason: "OneRoster eist een status."}
          dateLastModified: {transform: fixed, value: "2000-01-01T00:00:00Z", reason: "OneRoster eist een moment."}
"""
UNKNOWN = "00000000-0000-8000-8000-000000000000"
pytestmark = pytest.mark.anyio


@pytest.fixture
def school() -> School:
    return an_online_school()


async def listed(school: School, path: str) -> list[dict[str, Any]]:
    answer = await left(await online(school, f"{path}?limit=10000"))
    assert answer.status == 200, (path, answer.body)
    (records,) = answer.json().values()
    found: list[dict[str, Any]] = records
    return found


async def ids(school: School) -> dict[str, str]:
    """An id of each kind that a path can name, as this recipient knows it; they belong together."""
    (enrolment, *_) = [one for one in await listed(school, "/enrollments") if one["role"] == "teacher"]
    (group,) = [one for one in await listed(school, "/classes") if one["sourcedId"] == enrolment["class"]["sourcedId"]]
    student = (await listed(school, f"/classes/{group['sourcedId']}/students"))[0]["sourcedId"]
    return {
        "classSourcedId": group["sourcedId"], "courseSourcedId": group["course"]["sourcedId"],
        "schoolSourcedId": group["school"]["sourcedId"], "termSourcedId": group["terms"][0]["sourcedId"],
        "studentSourcedId": student, "userSourcedId": student, "teacherSourcedId": enrolment["user"]["sourcedId"],
    }  # fmt: skip


@needs_standards
@pytest.mark.parametrize("path", official_oneroster.endpoints())
async def test_answer_of_every_endpoint_is_what_the_official_description_says(path: str) -> None:
    school = an_online_school(compiled=policy((ENDS, ENDS + DEMOGRAPHICS)))
    known = await ids(school)
    if path.endswith("{sourcedId}"):
        known["sourcedId"] = (await listed(school, f"/{path.split('/')[1]}"))[0]["sourcedId"]

    answer = await left(await online(school, re.sub(r"\{(\w+)\}", lambda found: known[found[1]], path)))

    assert answer.status == 200
    assert official_oneroster.problems(path, 200, answer.json()) == []
    assert all(answer.json().values())


# -- nothing beside it -------------------------------------------------------------------------------------------------

RELEASED = {"title", "name", "type", "role", "roleType", "classType", "courseCode", "schoolYear"}
"""Fields of the source that leave as they are; beside them ids of organisations and periods."""


def canaries(value: Any, name: str = "") -> Iterator[str]:
    """Every text of a record that may not leave: names, numbers, ids, passwords, URLs of the source."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from canaries(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from canaries(inner, name)
    elif name not in RELEASED and len(str(value)) > 6:
        yield str(value)


async def test_nothing_of_the_source_leaves_but_what_was_granted() -> None:
    roster = small(12)
    kept = {one["sourcedId"] for one in [*roster.orgs, *roster.sessions]} | {one["identifier"] for one in roster.orgs}
    # the first day of a year is that of a period too
    public = kept | {one["title"] for one in roster.classes} | {one["startDate"] for one in roster.sessions}
    lists = (roster.users, roster.classes, roster.enrollments, roster.demographics)
    secret = {text for one in lists for text in canaries(one)} - public
    school = an_online_school(roster)

    answers = [
        await left(await online(school, path)) for path in ("/users", "/classes", "/enrollments", "/orgs", "/terms")
    ]

    assert len(secret) > 100
    for answer in answers:
        said = answer.body.decode() + str(answer.headers)
        assert answer.status == 200
        assert not [one for one in secret if one in said]


async def test_every_link_leads_to_this_gateway_and_to_something_that_may_be_read(school: School) -> None:
    hrefs: set[str] = set()
    for path in ("/users", "/classes", "/enrollments", "/courses", "/orgs", "/academicSessions"):
        body = (await left(await online(school, f"{path}?limit=10000"))).body.decode()
        hrefs |= set(re.findall(r'"href":"([^"]*)"', body))

    assert hrefs
    assert {(await left(await online(school, one))).status for one in hrefs} == {200}
    assert all(one.startswith(f"{school.world.url}/lvs{BASE}/") for one in hrefs)


async def test_user_of_another_location_is_nobody(school: School) -> None:
    (one, *_) = await listed(school, "/students")
    school.leaves(next(iter(school.pupils)))
    unknown = await left(await online(school, f"/users/{UNKNOWN}"))
    for number in school.pupils:
        school.leaves(number)

    gone = await left(await online(school, f"/users/{one['sourcedId']}"))

    assert gone.status == 404
    assert gone.but_for_the_transfer == unknown.but_for_the_transfer


@pytest.mark.parametrize("below", ["students", "teachers", "classes", "courses", "enrollments", "terms"])
async def test_school_that_is_none_of_the_delivery_is_not_asked_for_whoever_is_there_too(below: str) -> None:
    roster = small(3)
    for user in roster.users:  # somebody of the delivery who is at another school as well
        user["roles"].append({**user["roles"][0], "roleType": "secondary", "org": {"sourcedId": school_id(ZUID)}})
    school = an_online_school(roster)

    elsewhere = await left(await online(school, f"/schools/{school_id(ZUID)}/{below}"))
    nowhere = await left(await online(school, f"/schools/nowhere/{below}"))

    assert elsewhere.status == 403
    assert elsewhere.but_for_the_transfer == nowhere.but_for_the_transfer
    assert school.upstream.calls == []


@pytest.mark.parametrize(
    "path", ["/classes/{}", "/classes/{}/students", "/classes/{}/teachers", *(
        f"/schools/{school_id(NOORD)}/classes/{{}}/{one}" for one in ("students", "teachers", "enrollments")
    )],
)  # fmt: skip
async def test_class_of_which_everybody_is_withheld_looks_as_one_that_never_was(school: School, path: str) -> None:
    (one, *_) = await listed(school, "/classes")
    for number in school.pupils:
        school.leaves(number)
    school.upstream.calls.clear()

    asked = [await left(await online(school, path.format(id_))) for id_ in (one["sourcedId"], UNKNOWN)]

    assert asked[0].status == 404
    assert asked[0].but_for_the_transfer == asked[1].but_for_the_transfer
    assert school.upstream.calls == []


@needs_standards
async def test_refusal_has_the_shape_of_the_official_description(school: School) -> None:
    for target in ("/users/x", "/users?fields=email", "/demographics", "/users?x=1"):
        answer = await left(await online(school, target))

        assert answer.header("gateway-reason")
        assert official_oneroster.problems("/users", answer.status, answer.json()) == []
        assert answer.json()["imsx_codeMajor"] == "failure"


@needs_standards
@pytest.mark.parametrize("record", ["AcademicSession", "Class", "Course", "Demographics", "Enrollment", "Org", "User"])
def test_schema_has_every_field_of_the_official_description_in_its_order(record: str) -> None:
    official = official_oneroster.properties(f"{record}DType")

    assert list(schemas()["oneroster"].records[record].fields.fields) == list(official)


def test_reference_to_a_record_that_is_no_part_of_the_delivery_cannot_be_granted() -> None:
    text = answered(RECIPIENT)
    without = text[: text.index("        Course:\n")] + text[text.index("        Class:\n") :]

    found = load_recipient(without, f"recipients/{RECIPIENT}.yaml", schemas())

    assert isinstance(found, Recipient)
    (standing,) = compile_standings([RecipientState(found, schemas(), found)], schemas(), ORGANISATION).values()
    assert ("SCHEMA_NOT_ACTIVE", True) in {(one.reason.value, "Class.course" in one.about) for one in standing.findings}
