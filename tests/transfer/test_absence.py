"""transfer.flow: who or what cannot be had looks the same whatever the reason, and is never asked for."""

from __future__ import annotations

import pytest

from gateway.core.reasons import Reason
from gateway.transfer.released import Answer, Released
from tests.builders_formats import enrollment_json, pupil, student_json
from tests.simulators.left import left
from tests.simulators.world import NORTH, School, student_asked
from tests.transfer.test_flow import ENROLMENTS, STUDENTS, UNKNOWN, ids, records

pytestmark = pytest.mark.anyio


# -- absence -------------------------------------------------------------------------------------------------------


async def _absences(school: School) -> dict[str, Answer]:
    """Every way in which a pupil who is named cannot be had."""
    pseudonyms = await school.shown()
    foreign = await school.shown("uitgever-zuid")
    school.leaves(2)
    school.enrol(pupil(3, year=5), pupil(4, location="zuid"))
    school.upstream.holds["/students"] = [student_json(school.pupils[5])]
    asked = {
        "unknown": UNKNOWN,
        "no pseudonym at all": "las-5",
        "foreign": foreign[5],
        "left": pseudonyms[2],
        "out of rows": pseudonyms[3],
        "elsewhere": pseudonyms[4],
    }
    return {how: await school.ask("/lvs/students", body=student_asked(one)) for how, one in asked.items()}


async def test_named_pupil_who_cannot_be_had_is_one_and_the_same_absence(school: School) -> None:
    sent = {how: (await left(answer)).but_for_the_transfer for how, answer in (await _absences(school)).items()}

    assert len(set(sent.values())) == 1, sent
    assert sent["unknown"][0] == 404
    assert sent["unknown"][2] == b'{"status":404,"statusMessage":"NOT_AVAILABLE"}'


async def test_named_pupil_who_cannot_be_had_is_never_asked_for(school: School) -> None:
    await _absences(school)

    assert school.upstream.calls == []


async def test_named_pupil_whom_the_source_lacks_is_the_same_absence(school: School) -> None:
    pseudonyms = await school.shown()

    answers = [await school.ask("/lvs/students", body=student_asked(one)) for one in (pseudonyms[3], UNKNOWN)]

    told = [(await left(answer)).but_for_the_transfer for answer in answers]
    assert told[0] == told[1]


async def test_named_pupil_whom_the_source_answers_with_nobody_is_an_empty_list(school: School) -> None:
    pseudonyms = await school.shown()
    school.upstream.holds["/students"] = []

    answer = await school.ask("/lvs/students", body=student_asked(pseudonyms[3]))

    told = (await left(answer)).but_for_the_transfer
    unknown = (await left(await school.ask("/lvs/students", body=student_asked(UNKNOWN)))).but_for_the_transfer
    assert told == unknown


async def test_named_pupil_withheld_after_the_fetch_is_the_same_absence(school: School) -> None:
    pseudonyms = await school.shown()
    school.upstream.holds["/students"] = [student_json(school.pupils[3])]
    school.upstream.meanwhile = lambda: school.leaves(3)

    answer = await school.ask("/lvs/students", body=student_asked(pseudonyms[3]))

    unknown = await school.ask("/lvs/students", body=student_asked(UNKNOWN))
    assert (await left(answer)).but_for_the_transfer == (await left(unknown)).but_for_the_transfer


async def test_absence_is_registered_with_its_reason(school: School) -> None:
    answers = await _absences(school)

    drafts = {draft.id: draft for draft in school.register.drafts}
    told = {how: drafts[answer.receipt.id] for how, answer in answers.items() if isinstance(answer, Released)}
    assert {draft.outcome for draft in told.values()} == {"not-available"}
    assert told["unknown"].reasons == told["foreign"].reasons == (Reason.PSEUDONYM_UNKNOWN,)
    assert told["out of rows"].reasons == (Reason.PUPIL_NOT_IN_SCOPE,)
    assert [one for one, _ in told["left"].withheld] == [school.pupils[2]]


@pytest.mark.parametrize("route", ["enrollments", "groups"])
async def test_thing_in_a_path_that_was_never_issued_is_absent_without_a_call(school: School, route: str) -> None:
    answer = await school.ask(f"/lvs/{route}/school/{UNKNOWN}?{NORTH}")

    assert answer.reason is Reason.NOT_AVAILABLE
    assert school.upstream.calls == []


async def test_thing_of_a_pupil_who_left_is_absent_without_a_call(school: School) -> None:
    mapped = records(await school.ask(ENROLMENTS))[0]["enrollmentId"]
    issue = school.world.issued("uitgever-noord", mapped, "enrolment")
    assert issue is not None
    assert issue.owner is not None
    school.leaves(int.from_bytes(issue.owner, "big"))
    school.upstream.calls.clear()

    answer = await school.ask(f"/lvs/enrollments/school/{mapped}?{NORTH}")

    assert answer.reason is Reason.NOT_AVAILABLE
    assert school.upstream.calls == []


async def test_thing_in_a_list_filter_that_was_never_issued_is_an_empty_list_without_a_call(school: School) -> None:
    answer = await school.ask(f"{STUDENTS}&subjectOfferingId={UNKNOWN}")

    assert records(answer) == []
    assert school.upstream.calls == []
    sent = await left(answer)
    assert sent.header("gateway-reason") is None


async def test_thing_in_a_filter_of_a_named_pupil_that_was_never_issued_is_the_same_absence(school: School) -> None:
    pseudonyms = await school.shown()
    path = f"/lvs/enrollments/school/student?subjectOfferingId={UNKNOWN}"
    answers = [await school.ask(path, body=student_asked(one)) for one in (pseudonyms[3], UNKNOWN)]

    told = [(await left(answer)).but_for_the_transfer for answer in answers]
    assert told[0] == told[1]
    assert told[0][0] == 404
    assert school.upstream.calls == []


async def test_thing_in_a_list_filter_of_another_recipient_is_an_empty_list(school: School) -> None:
    school.upstream.holds["/enrollments/school"] = [
        enrollment_json(1, school.pupils[1], subject="00000000-0000-4000-8000-00000000bbbb")
    ]
    foreign = records(await school.ask(ENROLMENTS, recipient="uitgever-zuid"))[0]["subject"]
    school.upstream.calls.clear()

    answer = await school.ask(f"{STUDENTS}&subjectOfferingId={foreign}")

    assert records(answer) == []
    assert school.upstream.calls == []


async def test_thing_of_another_kind_is_never_found(school: School) -> None:
    mapped = records(await school.ask(ENROLMENTS))[0]["enrollmentId"]

    answer = await school.ask(f"/lvs/groups/school/{mapped}?{NORTH}")

    assert answer.reason is Reason.NOT_AVAILABLE


async def test_old_pseudonym_resolves_during_the_overlap(school: School) -> None:
    old = await school.shown()
    school.rotate(overlap=True)
    school.upstream.holds["/students"] = [student_json(school.pupils[3])]

    answer = await school.ask("/lvs/students", body=student_asked(old[3]))

    assert ids(answer) != [old[3]]
    assert len(records(answer)) == 1


async def test_old_pseudonym_after_compromise_is_unknown(school: School) -> None:
    old = await school.shown()
    school.rotate(overlap=False)

    answer = await school.ask("/lvs/students", body=student_asked(old[3]))

    assert answer.reason is Reason.NOT_AVAILABLE
