"""transfer.drift: an unknown field is reported once, by its name only, and nothing of it leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.core.reasons import Reason
from gateway.core.register import Draft
from gateway.transfer.ports import RegisterUnavailable
from gateway.transfer.released import Released
from tests.builders_formats import student_json
from tests.simulators.world import NORTH, School, a_school

pytestmark = pytest.mark.anyio

STUDENTS = f"/lvs/students/school?{NORTH}"


@pytest.fixture
def school() -> School:
    return with_field(a_school())


def with_field(school: School, **more: object) -> School:
    """The source sends a field that the schema does not know, for everybody."""
    added = more or {"religion": "remonstrants"}
    school.upstream.holds["/students/school"] = [student_json(one, **added) for one in school.pupils.values()]
    return school


async def ask(school: School) -> bytes:
    answer = await school.ask(STUDENTS)
    await school.drift.settled()
    assert isinstance(answer, Released)
    assert isinstance(answer.body, bytes)
    return answer.body


def findings(school: School) -> list[Draft]:
    return [draft for draft in school.register.drafts if draft.kind == "finding"]


async def test_unknown_field_is_reported_by_its_name(school: School) -> None:
    await ask(school)

    (finding,) = findings(school)
    assert (finding.reasons, finding.detail) == ((Reason.FIELD_UNCLASSIFIED,), ("Student.religion",))
    assert (finding.schema, finding.source, finding.actor) == ("edu-v-students", "lvs", "gateway")


async def test_unknown_field_never_leaves(school: School) -> None:
    body = await ask(school)

    assert b"religion" not in body
    assert b"remonstrants" not in body


async def test_unknown_field_value_stands_nowhere(school: School) -> None:
    await ask(school)

    assert "remonstrants" not in repr(school.register.entries)


async def test_unknown_field_is_reported_once(school: School) -> None:
    for _ in range(45):
        await ask(school)

    assert len(findings(school)) == 1


async def test_unknown_field_of_fewer_than_five_records_is_not_shown() -> None:
    school = a_school()
    school.upstream.holds["/students/school"] = [student_json(school.pupils[1], religion="x")]

    await ask(school)

    assert findings(school) == []


async def test_field_that_comes_later_is_seen_with_its_first_page() -> None:
    school = a_school()
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    await ask(school)
    with_field(school)
    await ask(school)

    assert len(findings(school)) == 1


async def test_field_that_keeps_the_length_is_seen_within_a_hundred_pages() -> None:
    school = a_school()
    school.upstream.holds["/students/school"] = [student_json(one, alias="x" * 20) for one in school.pupils.values()]
    await ask(school)
    with_field(school, faith="x" * 20)
    for _ in range(100):
        await ask(school)

    assert len(findings(school)) == 1


async def test_first_page_of_every_hour_is_looked_at() -> None:
    school = a_school()
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    await ask(school)
    with_field(school)
    school.clock.now += timedelta(hours=1)
    await ask(school)

    assert len(findings(school)) == 1


async def test_known_fields_are_no_finding() -> None:
    school = a_school()
    school.upstream.holds["/students/school"] = [student_json(one, bsn="999912345") for one in school.pupils.values()]

    await ask(school)

    assert findings(school) == []
    assert school.seen.times == {}


async def test_finding_that_the_register_did_not_take_is_reported_with_the_next_page(school: School) -> None:
    school.register.unwritable = True
    await school.ask(STUDENTS)
    await school.drift.settled()
    school.register.unwritable = False
    for _ in range(2):
        await ask(school)

    assert [finding.detail for finding in findings(school)] == [("Student.religion",)]


async def test_finding_that_the_register_did_not_take_is_reported_at_the_stop(school: School) -> None:
    school.register.unwritable = True
    await school.ask(STUDENTS)
    await school.drift.settled()
    school.register.unwritable = False

    await school.drift.settled()

    assert len(findings(school)) == 1


async def test_counts_that_could_not_be_kept_are_taken_from_the_next_page(school: School) -> None:
    school.seen.down = RegisterUnavailable
    await ask(school)
    school.seen.down = None
    await ask(school)

    assert len(findings(school)) == 1


async def test_unwritable_register_does_not_disturb_the_look(school: School) -> None:
    school.register.unwritable = True
    await school.ask(STUDENTS)
    await school.drift.settled()

    assert findings(school) == []
