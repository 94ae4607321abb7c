"""OneRoster 1.2 through the gateway: every endpoint valid against the official description, and nothing beside it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests import official_oneroster
from tests.official import needs_standards
from tests.simulators.left import left
from tests.simulators.oneroster import an_online_school, online, policy
from tests.simulators.world import School

ENDS = "            reason: Een docent mag in de klas meer dan een leerling.\n"
DEMOGRAPHICS = """\
        Demographics:
          sourcedId: {transform: pseudonym, reason: "De gegevens horen bij dezelfde persoon."}
          status: {transform: fixed, value: active, reason: "OneRoster eist een status."}
          dateLastModified: {transform: fixed, value: "2000-01-01T00:00:00Z", reason: "OneRoster eist een moment."}
"""
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
