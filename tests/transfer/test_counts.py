"""transfer.flow: counts instead of records (R45)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.reasons import Reason
from gateway.transfer.steps import Sizes
from tests.builders_formats import pupil, student_json
from tests.policy.shipped import answered
from tests.simulators.world import SIZES, School, a_school, policy, student_asked
from tests.transfer.test_flow import STUDENTS, UNKNOWN, records

pytestmark = pytest.mark.anyio


# -- counts instead of records (R45) -----------------------------------------------------------------------------------

_COUNTED = """\
    pseudonym: hmac
    aggregate: {by: [gender]}
    channel: api
    absence: De uitgever ziet alleen aantallen.
    schemas:
      edu-v-students:
        Student:
          gender: {reason: Het materiaal wordt ingekocht voor jongens en meisjes.}
"""


def counting_school(girls: int, boys: int, sizes: Sizes = SIZES) -> School:
    """Uitgever Noord, as a researcher, gets counts by gender."""
    text = answered("uitgever-noord").replace("[pupil-number, organisation]", "[pupil-number, organisation, sex]")
    text = text[: text.index("    pseudonym: hmac\n")].replace("kind: publisher", "kind: research") + _COUNTED
    people = [pupil(number) for number in range(1, girls + boys + 1)]
    school = a_school(compiled=policy(texts=(("uitgever-noord", text),)), pupils=people, sizes=sizes)
    genders = ["female"] * girls + ["male"] * boys
    held = [student_json(one, gender=gender) for one, gender in zip(people, genders, strict=True)]
    school.upstream.holds["/students/school"] = held
    return school


async def test_counts_leave_and_the_register_knows_of_whom() -> None:
    school = counting_school(7, 5)

    assert records(await school.ask(STUDENTS)) == [{"gender": "female", "count": 7}, {"gender": "male", "count": 5}]
    assert set(school.register.drafts[-1].released) == set(school.pupils.values())


async def test_small_count_stays_behind_with_the_one_that_gives_it_away() -> None:
    school = counting_school(7, 3)

    assert records(await school.ask(STUDENTS)) == []
    assert {reasons for _, reasons in school.register.drafts[-1].withheld} == {(Reason.SMALL_CELL,)}


async def test_counts_of_a_part_are_refused_before_anything_is_fetched() -> None:
    school = counting_school(7, 5)

    answer = await school.ask(f"{STUDENTS}&schoolPeriodId=2026-2027")

    assert answer.reason is Reason.PARAMETER_UNKNOWN
    assert school.upstream.calls == []


async def test_one_pupil_cannot_be_counted() -> None:
    school = counting_school(7, 5)

    answer = await school.ask("/lvs/students", body=student_asked(UNKNOWN))

    assert answer.reason is Reason.ROUTE_UNKNOWN
    assert school.upstream.calls == []


async def test_counts_are_of_the_whole_answer_however_large() -> None:
    school = counting_school(7, 5, sizes=replace(SIZES, answer_bytes=10, part_bytes=10))

    assert [one["count"] for one in records(await school.ask(STUDENTS))] == [7, 5]
