"""transfer.whole: when an answer of the LVS speaks for everybody, and when it is not believed (R109).

Leaves out: the roster, of which an answer is doubted (`adapters/test_subjects`).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.gate.decide import Call
from gateway.core.model import Person
from gateway.core.policy.terms import Location, Organisation
from gateway.core.reasons import Reason
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.request import Asked, Match, Stop
from gateway.transfer.whole import someone
from tests.builders_formats import enrollment_json, pupil, student_json
from tests.policy.shipped import answered
from tests.simulators.left import left
from tests.simulators.somtoday import NOORD, ORGANISATION, ZUID, SomtodayUpstream, a_somtoday_school, connect
from tests.simulators.synchronised import telling
from tests.simulators.world import NORTH, NOW, School, a_school, policy
from tests.transfer.test_flow import ENROLMENTS, STUDENTS

pytestmark = pytest.mark.anyio


def told_school() -> School:
    """Of six pupils, whose publisher is told what ended."""
    school = a_school(compiled=policy(texts=(("uitgever-noord", telling(answered("uitgever-noord"))),)))
    pupils = school.pupils.values()
    school.upstream.holds["/students/school"] = [student_json(one) for one in pupils]
    school.upstream.holds["/enrollments/school"] = [
        enrollment_json(number, one) for number, one in enumerate(pupils, 1)
    ]
    return school


def everybody_leaves(school: School) -> None:
    for number in school.pupils:
        school.leaves(number)


async def statuses(school: School, path: str = ENROLMENTS) -> list[str]:
    answer = await left(await school.ask(path))
    assert answer.status == 200, answer.body
    return sorted(one["status"] for one in answer.json())


# -- nobody ----------------------------------------------------------------------------------------------


async def test_list_with_nobody_is_refused_where_the_roster_knows_pupils_and_ends_nothing() -> None:
    school = told_school()
    whole = school.upstream.holds["/students/school"]
    await statuses(school, STUDENTS)
    school.upstream.holds["/students/school"] = []

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.UPSTREAM_FAILED
    assert b"nobody" not in (await left(answer)).body
    assert school.register.drafts[-1].detail == ("UPSTREAM_FAILED: nobody is told",)
    school.upstream.holds["/students/school"] = whole
    assert await statuses(school, STUDENTS) == ["active"] * 6


async def test_list_of_others_alone_is_refused_where_the_roster_knows_pupils() -> None:
    """Of another school: empty, it would have a client delete everybody."""
    school = told_school()
    school.upstream.holds["/students/school"] = [student_json(pupil(number)) for number in (71, 72)]

    assert (await school.ask(STUDENTS)).reason is Reason.UPSTREAM_FAILED


async def test_list_of_employees_need_hold_no_pupil() -> None:
    school = told_school()
    schema = school.world.compiled.schemas["edu-v-students"]
    record = schema.records["Student"]
    staff = replace(record, subjects=tuple(replace(one, person=Person.STAFF) for one in record.subjects))
    route = next(one for one in schema.routes if one.many and one.record == "Student")
    inquiry = Inquiry(Call("lvs", schema.name, "Student", None, None), Asked(None, ()))

    of_staff = Match("lvs", replace(schema, records={"Student": staff}), route, {})
    someone(of_staff, inquiry, NOW.date(), school.world.now())
    with pytest.raises(Stop):
        someone(Match("lvs", schema, route, {}), inquiry, NOW.date(), school.world.now())


async def test_list_with_nobody_is_empty_where_the_roster_knows_nobody_either() -> None:
    school = told_school()
    everybody_leaves(school)
    school.upstream.holds["/students/school"] = []

    assert await statuses(school, STUDENTS) == []


async def test_list_of_whom_everybody_is_withheld_is_empty() -> None:
    school = told_school()
    everybody_leaves(school)

    assert await statuses(school, STUDENTS) == []


async def test_pages_with_nobody_are_refused_where_the_roster_knows_pupils() -> None:
    school = a_somtoday_school()
    assert isinstance(school.upstream, SomtodayUpstream)
    school.upstream.empty = True

    assert (await connect(school, "/leerling?amount=5")).reason is Reason.UPSTREAM_FAILED


# -- most ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stay", "ended"), [(3, 3), (2, 0), (1, 0)])
async def test_records_end_unless_more_pupils_are_missing_than_told(stay: int, ended: int) -> None:
    school = told_school()
    assert await statuses(school) == ["active"] * 6
    del school.upstream.holds["/enrollments/school"][stay:]

    assert await statuses(school) == ["active"] * stay + ["tobedeleted"] * ended


async def test_records_of_pupils_who_have_others_now_end_however_many() -> None:
    """A new school year."""
    school = told_school()
    await statuses(school)
    pupils = school.pupils.values()
    school.upstream.holds["/enrollments/school"] = [
        enrollment_json(number, one) for number, one in enumerate(pupils, 101)
    ]

    assert await statuses(school) == ["active"] * 6 + ["tobedeleted"] * 6


# -- one vestiging of several -----------------------------------------------------------------------------


# asked in an order of its own: what a query asks is remembered for as long as a process has one organisation
ONE, OTHER = ("orgIdType=V_ID&orgId=01AB00", "orgIdType=V_ID&orgId=01AB07")


def with_second(organisation: Organisation, kind: str, value: str) -> Organisation:
    """The location noord has another vestiging."""
    noord = organisation.locations["noord"]
    both = Location(noord.name, noord.title, noord.ids | {(kind, value)})
    return replace(organisation, locations={**organisation.locations, "noord": both})


async def test_list_of_one_vestiging_ends_nothing_of_another_of_the_same_location() -> None:
    school = told_school()
    school.world.organisation = with_second(school.world.organisation, "V_ID", "01AB07")
    there = school.upstream.holds["/enrollments/school"]
    school.upstream.holds["/enrollments/school"] = there[4:]
    await statuses(school, ENROLMENTS.replace(NORTH, OTHER))
    school.upstream.holds["/enrollments/school"] = there[:4]

    assert await statuses(school, ENROLMENTS.replace(NORTH, ONE)) == ["active"] * 4


async def test_list_of_one_vestiging_with_nobody_is_empty_where_the_location_has_another() -> None:
    school = told_school()
    school.world.organisation = with_second(school.world.organisation, "V_ID", "01AB07")
    school.upstream.holds["/students/school"] = []

    assert await statuses(school, STUDENTS.replace(NORTH, ONE)) == []


async def test_location_that_is_asked_by_an_id_for_all_of_it_is_whole() -> None:
    school = told_school()
    school.world.organisation = with_second(school.world.organisation, "V_ID", "01AB07")
    by_all = ENROLMENTS.replace(NORTH, "orgId=DD100401&orgIdType=DD_ID")
    await statuses(school, by_all)
    del school.upstream.holds["/enrollments/school"][4:]

    assert await statuses(school, by_all) == ["active"] * 4 + ["tobedeleted"] * 2


async def test_path_that_names_one_vestiging_of_two_is_a_part() -> None:
    school = a_somtoday_school()
    school.world.organisation = with_second(ORGANISATION, "vestiging", ZUID)
    assert isinstance(school.upstream, SomtodayUpstream)
    school.upstream.empty = True

    assert (await connect(school, "/leerling?amount=6", vestiging=NOORD)).reason is None
