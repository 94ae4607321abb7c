"""What a recipient is told about what changed since it last asked: moments, status, ends (R8, R26, R89, R91, N12).

Of a delivery of Edu-V whose `status` and moments are the gateway's own. Leaves out: where it is kept
(`contracts/test_shelves_contract`), what a client makes of it (`test_clients`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from gateway.core.facts import Birth, Capacity, Objection, Restriction, RestrictionGround, Withdrawal
from gateway.core.model import Enrolment, Subject
from gateway.transfer.compiled import Compiled
from gateway.transfer.steps import Sizes
from tests.builders_formats import pupil, student_json
from tests.policy.shipped import answered
from tests.simulators.asking import ASKING, asking_school, consent, pseudonyms
from tests.simulators.left import left
from tests.simulators.synchronised import pseudonym_of, silent, telling
from tests.simulators.world import NORTH, NOW, SIZES, School, a_school, policy, student_asked

pytestmark = pytest.mark.anyio

STUDENTS = f"/lvs/students/school?{NORTH}"
RECORD = len(orjson.dumps(student_json(pupil(1))))
CONSENTED = (Birth(day=date(2008, 1, 1)), consent(Capacity.PUPIL))
RESTRICTED = Restriction(ground=RestrictionGround.ACCURACY)
LATER = timedelta(hours=1)


def consented(number: int = 3, sizes: Sizes = SIZES) -> School:
    """A school whose pupils consented, and a publisher that is told what changed."""
    school = asking_school(number, sizes, change=telling)
    for known in school.pupils:
        school.record(known, *CONSENTED)
    return school


async def students(school: School, recipient: str = ASKING) -> dict[str, Mapping[str, Any]]:
    """What this recipient is told, an hour after it was last; by pseudonym."""
    school.clock.now += LATER
    answer = await left(await school.ask(STUDENTS, recipient=recipient))
    assert answer.status == 200
    return {pseudonym_of(one): one for one in answer.json()}


def life(record: Mapping[str, Any]) -> tuple[str, str, str]:
    return record["status"], record["dateCreated"], record["dateLastModified"]


def at(hours: int) -> str:
    return (NOW + hours * LATER).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def knows(school: School, number: int, **changed: Any) -> None:
    """The LVS now says this of a pupil."""
    for one in school.upstream.holds["/students/school"]:
        if one["userMasterIdentifier"] == school.pupils[number].ids["eck-id"]:
            one.update(changed)


# -- moments -----------------------------------------------------------------------------------------------------------


async def test_record_that_leaves_for_the_first_time_is_created_and_modified_at_that_call() -> None:
    school = consented()

    told = await students(school)

    assert {life(one) for one in told.values()} == {("active", at(1), at(1))}


async def test_record_that_did_not_change_keeps_its_moments() -> None:
    school = consented()
    before = await students(school)

    assert await students(school) == before
    assert not school.register.drafts[-1].views


async def test_field_that_this_recipient_does_not_get_changes_nothing() -> None:
    school = consented()
    before = await students(school)
    knows(school, 1, givenName="Anders", dateLastModified="2026-11-22T08:00:00Z", email="anders@school.example")

    assert await students(school) == before


async def test_change_that_reaches_the_recipient_moves_its_moment_alone() -> None:
    school = a_school(compiled=with_sex())
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    before = await students(school, "uitgever-noord")
    knows(school, 2, gender="other")

    told = await students(school, "uitgever-noord")

    changed = {key for key, one in told.items() if one != before[key]}
    assert len(changed) == 1
    assert life(told[changed.pop()]) == ("active", at(1), at(2))


async def test_moments_of_two_recipients_of_one_pupil_are_those_of_their_own_calls() -> None:
    text = telling(answered("uitgever-noord"))
    school = a_school(compiled=policy(texts=(("uitgever-noord", text), ("uitgever-zuid", telling(answered(ASKING))))))
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]

    noord = await students(school, "uitgever-noord")
    zuid = await students(school, "uitgever-zuid")

    assert {life(one)[1] for one in noord.values()} == {at(1)}
    assert {life(one)[1] for one in zuid.values()} == {at(2)}


async def test_named_pupil_has_the_moments_of_the_list() -> None:
    school = consented()
    listed = await students(school)
    name = pseudonyms(school)[1]
    school.upstream.holds["/students"] = [student_json(school.pupils[1])]
    school.clock.now += LATER

    named = await left(await school.ask("/lvs/students", recipient=ASKING, body=student_asked(name)))

    assert named.json() == [listed[name]]


# -- ends --------------------------------------------------------------------------------------------------------------


def withdrawn(school: School) -> None:
    school.record(2, *CONSENTED, Withdrawal(moment=NOW))


def gone(school: School) -> None:
    school.leaves(2)


def out_of_rows(school: School) -> None:
    school.enrol(_elsewhere(school.pupils[2]))


def erased(school: School) -> None:
    del school.roster.people[school.pupils[2].id]
    school.enrol()


def new_key(school: School) -> None:
    school.rotate(overlap=False)


@pytest.mark.parametrize("end", [withdrawn, gone, out_of_rows, erased])
async def test_end_is_told_to_who_had_the_pupil_without_the_record_or_a_reason(end: Any) -> None:
    school = consented()
    await students(school)
    name = pseudonyms(school)[2]
    end(school)

    told = (await students(school))[name]

    assert life(told) == ("tobedeleted", at(1), at(2))
    assert {key: one for key, one in told.items() if key not in {"status", "dateCreated", "dateLastModified"}} == {
        "userIds": [{"userId": name, "userIdType": "ASI"}], "givenName": "-", "familyName": "-"
    }  # fmt: skip
    assert school.register.drafts[-1].detail == ("ends told: 1",)


async def test_end_is_told_again_with_the_moment_of_the_first_time() -> None:
    school = consented()
    await students(school)
    withdrawn(school)

    assert await students(school) == await students(school)


async def test_end_of_who_was_never_released_is_not_told() -> None:
    school = consented()
    withdrawn(school)

    assert pseudonyms(school)[2] not in await students(school)


async def test_end_is_told_to_no_other_recipient() -> None:
    text = telling(answered("uitgever-noord"))
    school = a_school(compiled=policy(texts=(("uitgever-noord", text), ("uitgever-zuid", telling(answered(ASKING))))))
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    await students(school, "uitgever-noord")
    gone(school)

    told = await students(school, ASKING)

    assert {one["status"] for one in told.values()} == {"active"}


async def test_consent_that_comes_back_makes_the_record_active_again() -> None:
    school = consented()
    await students(school)
    withdrawn(school)
    await students(school)
    school.record(2, *CONSENTED)

    told = (await students(school))[pseudonyms(school)[2]]

    assert life(told) == ("active", at(1), at(3))


async def test_old_pseudonym_ends_when_the_key_is_another() -> None:
    school = consented()
    before = await students(school)
    new_key(school)

    told = await students(school)

    assert {key: told[key]["status"] for key in before} == dict.fromkeys(before, "tobedeleted")
    assert sum(one["status"] == "active" for one in told.values()) == len(before)


# -- a while -----------------------------------------------------------------------------------------------------------


def restricted(school: School) -> None:
    school.record(2, *CONSENTED, RESTRICTED)


def restricted_and_withdrawn(school: School) -> None:
    school.record(2, *CONSENTED, RESTRICTED, Withdrawal(moment=NOW))


def malformed(school: School) -> None:
    knows(school, 2, givenName=7, userIds=3)


def missing_at_the_source(school: School) -> None:
    here = school.upstream.holds["/students/school"]
    school.upstream.holds["/students/school"] = [
        one for one in here if one["userMasterIdentifier"] != school.pupils[2].ids["eck-id"]
    ]  # fmt: skip


@pytest.mark.parametrize("absence", [restricted, restricted_and_withdrawn, malformed, missing_at_the_source])
async def test_absence_for_a_while_is_no_end(absence: Any) -> None:
    school = consented()
    await students(school)
    absence(school)

    told = await students(school)

    assert pseudonyms(school)[2] not in told
    assert {one["status"] for one in told.values()} <= {"active"}


async def test_objection_is_no_end() -> None:
    text = telling(answered("uitgever-noord"))
    school = a_school(compiled=policy(texts=(("uitgever-noord", text),)))
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    before = await students(school, "uitgever-noord")
    school.record(2, Objection(received=NOW.date()))

    told = await students(school, "uitgever-noord")

    assert len(told) == len(before) - 1
    assert {one["status"] for one in told.values()} == {"active"}


async def test_end_behind_a_restriction_is_told_once_that_is_lifted() -> None:
    school = consented()
    await students(school)
    restricted_and_withdrawn(school)
    await students(school)
    withdrawn(school)

    assert life((await students(school))[pseudonyms(school)[2]]) == ("tobedeleted", at(1), at(3))


# -- where it is told --------------------------------------------------------------------------------------------------


async def test_end_stands_in_no_list_that_asks_for_some_only() -> None:
    school = consented()
    await students(school)
    withdrawn(school)
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]

    some = await left(await school.ask(f"{STUDENTS}&schoolPeriodId=2026", recipient=ASKING))

    assert {one["status"] for one in some.json()} == {"active"}


async def test_end_leaves_once_in_the_last_part_of_a_long_list() -> None:
    school = consented(6, Sizes(100, RECORD + 10, 32))
    await students(school)
    withdrawn(school)

    school.clock.now += LATER
    told = (await left(await school.ask(STUDENTS, recipient=ASKING))).json()

    names = pseudonyms(school)
    assert [pseudonym_of(one) for one in told if one["status"] == "tobedeleted"] == [names[2]]
    assert {pseudonym_of(one) for one in told} == set(names.values())


async def test_nothing_is_remembered_of_an_answer_that_was_not_registered() -> None:
    school = consented()
    school.register.unwritable = True
    await left(await school.ask(STUDENTS, recipient=ASKING))
    school.register.unwritable = False

    told = await students(school)

    assert {life(one)[1] for one in told.values()} == {at(1)}


async def test_delivery_that_fixes_status_and_moments_is_not_remembered() -> None:
    school = asking_school(3, change=silent)
    for known in school.pupils:
        school.record(known, *CONSENTED)
    await left(await school.ask(STUDENTS, recipient=ASKING))

    assert not school.register.views


def _elsewhere(subject: Subject) -> Subject:
    enrolment = Enrolment("zuid", 1, date(2025, 8, 1), None)
    return Subject(subject.id, subject.person, subject.reference, subject.ids, (enrolment,), subject.groups)


def with_sex(change: Callable[[str], str] = str) -> Compiled:
    """A delivery whose records can change: the sex leaves."""
    text = change(telling(answered("uitgever-noord")))
    text = text.replace(
        "          status:\n",
        "          gender:\n            reason: De aanspreekvorm in het materiaal.\n"
        "          language:\n            reason: De taal van het materiaal.\n          status:\n",
        1,
    )
    text = text.replace(
        "categories: [pupil-number, organisation]", "categories: [pupil-number, organisation, sex, nationality]"
    )
    return policy(texts=(("uitgever-noord", text.replace("kind: publisher", "kind: assistant")),))
