"""transfer.flow: the steps in order, nothing fetched after a refusal, nothing released without a receipt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.core.facts import Kind
from gateway.core.model import NOBODIES
from gateway.core.reasons import Reason
from gateway.transfer.ports import NotSent, OutcomeUnknown, UpstreamFailed, UpstreamTimeout
from gateway.transfer.released import Answer, Released, Unregistered
from tests.builders_formats import enrollment_json, group_json, pupil, student_json
from tests.policy.shipped import answered, changed
from tests.simulators.left import left
from tests.simulators.upstream import Broken
from tests.simulators.world import NORTH, SCHOOL, School, a_school, policy, student_asked

pytestmark = pytest.mark.anyio

STUDENTS = f"/lvs/students/school?{NORTH}"
ENROLMENTS = f"/lvs/enrollments/school?{NORTH}"
UNKNOWN = "00000000-0000-8000-8000-000000000000"


def records(answer: Answer) -> list[dict[str, Any]]:
    assert isinstance(answer, Released)
    assert isinstance(answer.body, bytes)
    found: list[dict[str, Any]] = orjson.loads(answer.body)
    return found


def ids(answer: Answer) -> list[str]:
    return [one["userIds"][0]["userId"] for one in records(answer)]


# -- the order of the steps --------------------------------------------------------------------------------------


async def test_list_is_fetched_then_registered_then_released(school: School) -> None:
    answer = await school.ask(STUDENTS)

    assert school.journal == ["fetch GET /students/school", "register transfer released"]
    assert isinstance(answer, Released)
    assert answer.receipt.id == school.register.drafts[-1].id


async def test_list_asks_the_source_for_the_location_alone(school: School) -> None:
    await school.ask(STUDENTS + "&filterByOrgId=false")

    assert school.upstream.calls[0].query == "orgId=01AB00&orgIdType=V_ID&filterByOrgId=true"


async def test_list_entry_names_everybody_who_is_in_it(school: School) -> None:
    answer = await school.ask(STUDENTS)

    draft = school.register.drafts[-1]
    assert set(draft.released) == set(school.pupils.values())
    assert draft.records == len(records(answer)) == 6


async def test_list_leaves_in_the_order_of_pseudonyms(school: School) -> None:
    found = ids(await school.ask(STUDENTS))

    assert found == sorted(found)


async def test_named_pupil_is_asked_by_the_sources_own_id(school: School) -> None:
    pseudonyms = await school.shown()
    school.upstream.holds["/students"] = [student_json(school.pupils[3])]

    answer = await school.ask("/lvs/students", body=student_asked(pseudonyms[3]))

    sent = school.upstream.calls[0].body
    assert orjson.loads(sent or b"")["student"] == {"userIds": [{"userId": "las-3", "userIdType": "ASI"}]}
    assert ids(answer) == [pseudonyms[3]]


async def test_record_in_a_path_is_asked_by_the_sources_own_id(school: School) -> None:
    school.upstream.holds["/enrollments/school"] = [enrollment_json(4, school.pupils[4])]
    (mapped,) = [one["enrollmentId"] for one in records(await school.ask(ENROLMENTS))]
    own = "/enrollments/school/00000000-0000-4000-8000-000000000004"
    school.upstream.holds[own] = enrollment_json(4, school.pupils[4])

    answer = await school.ask(f"/lvs/enrollments/school/{mapped}?{NORTH}")

    assert school.upstream.calls[-1].path == own
    assert (await left(answer)).json()["enrollmentId"] == mapped


async def test_mapped_id_in_a_list_filter_reaches_the_source_as_its_own(school: School) -> None:
    school.upstream.holds["/enrollments/school"] = [
        enrollment_json(1, school.pupils[1], subject="00000000-0000-4000-8000-00000000bbbb")
    ]
    mapped = records(await school.ask(ENROLMENTS))[0]["subject"]

    await school.ask(f"{STUDENTS}&subjectOfferingId={mapped}")

    assert school.upstream.calls[-1].query.endswith("subjectOfferingId=00000000-0000-4000-8000-00000000bbbb")


# -- refused: nothing is fetched -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/lvs/nothing", Reason.ROUTE_UNKNOWN),
        (f"/lvs/assignments/school?{NORTH}", Reason.ROUTE_UNKNOWN),
        (STUDENTS + "&fields=bsn", Reason.PARAMETER_UNKNOWN),
        ("/lvs/students/school", Reason.PARAMETER_MISSING),
        ("/lvs/students/school?orgId=01AB01&orgIdType=V_ID", Reason.LOCATION_OUT_OF_SCOPE),
        ("/lvs/students/school?orgMasterId=104A158", Reason.LOCATION_OUT_OF_SCOPE),
        ("/lvs/students/school?orgId=99ZZ99&orgIdType=V_ID", Reason.LOCATION_OUT_OF_SCOPE),
    ],
)
async def test_refused_call_is_registered_and_not_fetched(school: School, target: str, reason: Reason) -> None:
    answer = await school.ask(target)

    assert answer.reason is reason
    assert school.journal == ["register refusal refused"]
    assert school.register.drafts[0].reasons[0] is reason


async def test_suspended_recipient_is_not_fetched_for(school: School) -> None:
    school.suspends("uitgever-noord")

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.SCHEMA_NOT_ACTIVE
    assert school.upstream.calls == []


async def test_purpose_that_differs_is_refused(school: School) -> None:
    answer = await school.ask(STUDENTS, purpose="toetsafname")

    assert answer.reason is Reason.PURPOSE_MISMATCH
    assert school.upstream.calls == []


async def test_unknown_recipient_gets_nothing(school: School) -> None:
    answer = await school.ask(STUDENTS, recipient="niemand")

    assert answer.reason is Reason.CALLER_NOT_RECIPIENT
    assert school.upstream.calls == []


async def test_stale_roster_refuses_before_anything_is_fetched(school: School) -> None:
    school.roster.stale = True

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.FACTS_STALE
    assert school.journal == ["register refusal refused"]


async def test_location_in_doubt_refuses_before_anything_is_fetched_and_names_it_to_the_school_only(
    school: School,
) -> None:
    school.roster.doubted = frozenset({"noord"})

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.ROSTER_DOUBTED
    assert school.upstream.calls == []
    assert b"noord" not in (await left(answer)).body
    (draft,) = school.register.drafts
    assert draft.detail == ("ROSTER_DOUBTED: noord",)


async def test_location_in_doubt_stops_no_other(school: School) -> None:
    school.roster.doubted = frozenset({"zuid"})

    assert (await school.ask(STUDENTS)).reason is None


async def test_location_in_doubt_refuses_who_names_a_pupil_or_no_location(school: School) -> None:
    school.roster.doubted = frozenset({"noord"})

    answer = await school.ask("/lvs/students", body=student_asked(UNKNOWN))

    assert answer.reason is Reason.ROSTER_DOUBTED


async def test_stale_birth_dates_stop_nobody_whose_age_is_not_asked(school: School) -> None:
    school.roster.births_stale = True

    assert (await school.ask(STUDENTS)).reason is None


async def test_stale_birth_dates_refuse_where_consent_is_the_ground() -> None:
    text = answered("uitgever-noord").replace("ground: e", "ground: a")
    school = a_school(compiled=policy(texts=(("uitgever-noord", text),)))
    school.roster.births_stale = True

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.FACTS_STALE
    assert school.upstream.calls == []


async def test_facts_that_nobody_declared_refuse_before_anything_is_fetched(school: School) -> None:
    school.world.facts.undeclared.add((Kind.RESTRICTION, "noord"))

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.FACTS_NOT_DECLARED
    assert school.journal == ["register refusal refused"]
    assert school.register.drafts[-1].detail == ("FACTS_NOT_DECLARED: restriction@noord",)


async def test_facts_of_a_location_that_is_not_asked_need_not_be_declared(school: School) -> None:
    school.world.facts.undeclared.add((Kind.RESTRICTION, "zuid"))

    answer = await school.ask(STUDENTS)

    assert answer.reason is None


async def test_facts_declared_meanwhile_are_enough(school: School) -> None:
    school.world.facts.undeclared.add((Kind.MARKER, "noord"))
    await school.ask(STUDENTS)
    school.world.facts.undeclared.clear()
    school.enrol()

    assert (await school.ask(STUDENTS)).reason is None


# -- no entry, no delivery -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [STUDENTS, "/lvs/nothing", STUDENTS + f"&subjectOfferingId={UNKNOWN}"])
async def test_unwritable_register_tells_nothing_but_that(school: School, target: str) -> None:
    school.register.unwritable = True

    answer = await school.ask(target)

    assert isinstance(answer, Unregistered)
    sent = await left(answer)
    assert (sent.status, sent.header("gateway-reason")) == (503, "REGISTER_UNAVAILABLE")
    assert "Fatima" not in repr(answer)


async def test_failed_append_issues_what_it_had_with_the_next_answer(school: School) -> None:
    school.register.unwritable = True
    await school.ask(STUDENTS)
    school.register.unwritable = False

    found = ids(await school.ask(STUDENTS))

    assert all(school.world.issued("uitgever-noord", one, "pupil") for one in found)


async def test_second_answer_issues_nothing_again(school: School) -> None:
    await school.ask(STUDENTS)
    await school.ask(STUDENTS)

    assert [len(draft.issued) for draft in school.register.drafts] == [6, 0]


async def test_entry_holds_what_left(school: School) -> None:
    answer = await school.ask(STUDENTS)

    draft = school.register.drafts[-1]
    assert isinstance(answer, Released)
    assert isinstance(answer.body, bytes)
    assert (draft.bytes, draft.digest) == (len(answer.body), school.world.digest(answer.body))
    assert draft.fields[:2] == ("userIds.userId", "userIds.userIdType")
    assert draft.categories == ("pupil-number",)
    assert draft.grondslag is not None
    assert draft.grondslag.startswith("e: ")


# -- decided at emission -------------------------------------------------------------------------------------------


async def test_pupil_who_leaves_while_the_source_answers_is_not_released(school: School) -> None:
    school.upstream.meanwhile = lambda: school.leaves(2)

    answer = await school.ask(STUDENTS)

    assert len(records(answer)) == 5
    assert school.register.drafts[-1].withheld == ((school.pupils[2], (Reason.PUPIL_NOT_IN_SCOPE,)),)


async def test_suspension_while_the_source_answers_refuses(school: School) -> None:
    school.upstream.meanwhile = lambda: school.suspends("uitgever-noord")

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.SCHEMA_NOT_ACTIVE
    assert school.register.drafts[-1].kind == "refusal"


async def test_facts_that_move_before_the_commit_are_screened_again(school: School) -> None:
    school.register.before = lambda _: school.leaves(2)

    answer = await school.ask(STUDENTS)

    assert len(records(answer)) == 5
    assert [draft.kind for draft in school.register.drafts] == ["transfer"]
    assert len(school.upstream.calls) == 1


async def test_key_that_rotates_before_the_commit_gives_new_pseudonyms(school: School) -> None:
    before = ids(await school.ask(STUDENTS))
    school.register.before = lambda _: school.rotate(overlap=True)

    after = ids(await school.ask(STUDENTS))

    assert set(before).isdisjoint(after)
    assert school.register.drafts[-1].key_version == 2


async def test_facts_that_always_move_refuse_after_three_tries(school: School) -> None:
    def moves(_: object) -> None:
        school.leaves(2)
        school.register.before = moves

    school.register.before = moves

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.FACTS_CHANGED
    assert [draft.kind for draft in school.register.tried] == ["transfer"] * 3 + ["refusal"]
    assert [draft.kind for draft in school.register.drafts] == ["refusal"]


# -- what the source says ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (NotSent, Reason.NOT_SENT),
        (UpstreamTimeout, Reason.UPSTREAM_TIMEOUT),
        (UpstreamFailed, Reason.UPSTREAM_FAILED),
        (OutcomeUnknown, Reason.UPSTREAM_FAILED),
    ],
)
async def test_source_that_fails_is_told_as_it_is_and_registered(
    school: School, broken: Broken, reason: Reason
) -> None:
    school.upstream.broken = broken

    answer = await school.ask(STUDENTS)

    assert answer.reason is reason
    assert school.register.drafts[-1].reasons == (reason,)


@pytest.mark.parametrize("said", [b"", b"<html>", b'{"items": []}', b"[1, 2, 3, 4, 5, 6]", b"[" * 5000])
async def test_source_that_says_something_else_is_a_broken_answer(school: School, said: bytes) -> None:
    school.upstream.raw["/students/school"] = said

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.UPSTREAM_FAILED


async def test_list_that_is_not_found_is_a_broken_answer(school: School) -> None:
    del school.upstream.holds["/students/school"]

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.UPSTREAM_FAILED


async def test_list_in_which_nobody_may_be_is_empty(school: School) -> None:
    for number in school.pupils:
        school.leaves(number)

    answer = await school.ask(STUDENTS)

    assert records(answer) == []
    assert school.register.drafts[-1].outcome == "empty"
    assert len(school.register.drafts[-1].withheld) == 6


async def test_malformed_record_is_missing_alone(school: School) -> None:
    school.upstream.holds["/students/school"][1]["userIds"][0]["userId"] = 7

    answer = await school.ask(STUDENTS)

    assert len(records(answer)) == 5
    assert school.register.drafts[-1].malformed == 1


async def test_register_says_where_a_record_is_malformed_and_the_answer_does_not(school: School) -> None:
    school.upstream.holds["/students/school"][1]["userIds"][0]["userId"] = 7

    answer = await school.ask(STUDENTS)

    assert school.register.drafts[-1].detail == (
        "RECORD_MALFORMED: userIds.userId: expected type: string, as every id (1 record)",
    )
    assert "expected" not in str(records(answer))


async def test_register_says_where_an_unusable_answer_is_malformed_and_the_refusal_does_not(school: School) -> None:
    for one in school.upstream.holds["/students/school"]:
        one["userIds"] = 7

    answer = await school.ask(STUDENTS)

    assert isinstance(answer, Released)
    assert (answer.reason, answer.about) == (Reason.UPSTREAM_FAILED, "")
    assert school.register.drafts[-1].detail == ("UPSTREAM_FAILED: userIds: expected items: a list (6 records)",)


async def test_another_pupil_in_an_answer_about_one_refuses(school: School) -> None:
    pseudonyms = await school.shown()
    school.upstream.holds["/students"] = [student_json(school.pupils[3]), student_json(school.pupils[4])]

    answer = await school.ask("/lvs/students", body=student_asked(pseudonyms[3]))

    assert answer.reason is Reason.UPSTREAM_FAILED
    assert school.register.drafts[-1].released == ()


# -- nested ----------------------------------------------------------------------------------------------------------


async def test_group_leaves_without_the_members_who_may_not_be_in_it(school: School) -> None:
    school.leaves(2)
    school.upstream.holds["/groups/school"] = [group_json(1, school.pupils.values())]

    group = records(await school.ask(f"/lvs/groups/school?{NORTH}"))[0]

    assert len(group["students"]) == 5
    assert set(school.register.drafts[-1].released) == {one for n, one in school.pupils.items() if n != 2}


# -- fields ------------------------------------------------------------------------------------------------------------


async def test_empty_field_list_releases_empty_records(school: School) -> None:
    text = changed(answered("uitgever-noord"), *_WITHOUT_STUDENT_FIELDS)
    school.takes_over(policy(texts=(("uitgever-noord", text),)))

    answer = await school.ask(STUDENTS)

    assert answer.reason is not None or set(map(repr, records(answer))) <= {"{}"}


def _student_fields() -> str:
    text = answered("uitgever-noord")
    start = text.index("        Student:\n") + len("        Student:\n")
    return text[start : text.index("      edu-v-association:\n")]


_WITHOUT_STUDENT_FIELDS = ((f"        Student:\n{_student_fields()}", "        Student: {}\n"),)


async def test_pupil_of_two_locations_is_seen_where_the_delivery_is(school: School) -> None:
    moved = replace(pupil(2), enrolments=(*pupil(2, location="zuid").enrolments, *pupil(2).enrolments))
    school.enrol(moved)

    assert len(records(await school.ask(STUDENTS))) == 6


async def test_purpose_of_the_credential_leaves_with_the_data(school: School) -> None:
    answer = await school.ask(STUDENTS)

    assert (await left(answer)).header("purpose") == "toegang-leermiddel"


async def test_body_that_does_not_follow_the_schema_is_refused(school: School) -> None:
    answer = await school.ask("/lvs/students", body={"school": SCHOOL, "student": {}, "extra": 1})

    assert answer.reason is Reason.BODY_INVALID
    assert school.upstream.calls == []


async def test_body_that_names_a_location_outside_the_delivery_is_refused(school: School) -> None:
    pseudonyms = await school.shown()
    elsewhere = {"organisationIds": [{"organisationId": "01AB01", "organisationIdType": "V_ID"}]}

    answer = await school.ask("/lvs/students", body={**student_asked(pseudonyms[1]), "school": elsewhere})

    assert answer.reason is Reason.LOCATION_OUT_OF_SCOPE
    assert school.upstream.calls == []


async def test_unknown_pseudonym_is_registered_as_somebody_like_a_withheld_one(school: School) -> None:
    await school.ask("/lvs/students", body=student_asked(UNKNOWN))

    entry = school.register.drafts[-1]
    assert [reasons for _, reasons in entry.withheld] == [(Reason.PSEUDONYM_UNKNOWN,)]
    assert entry.unresolved == 1
    assert entry.withheld[0][0] in NOBODIES


async def test_pupil_whom_the_source_does_not_have_is_not_registered_as_withheld(school: School) -> None:
    pseudonyms = await school.shown()
    school.upstream.holds.pop("/students", None)

    await school.ask("/lvs/students", body=student_asked(pseudonyms[3]))

    assert (school.register.drafts[-1].outcome, school.register.drafts[-1].withheld) == ("not-available", ())
