"""transfer.remembered: nothing outlives the policy, the facts, the keys or the day it was decided under."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.core.days import legal_date
from gateway.core.facts import Occasion
from gateway.core.gate.decide import Call, Permit
from gateway.core.model import Caller, RecipientKind
from gateway.core.policy.terms import Conditions
from gateway.core.reasons import Reason
from gateway.core.release.sight import Sight
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Stop
from tests.builders_formats import enrollment_json, pupil, student_json
from tests.policy.shipped import answered
from tests.simulators.world import NORTH, NOW, School, a_school, caller, policy

pytestmark = pytest.mark.anyio

CALL = Call("lvs", "edu-v-students", "Student", None, frozenset({"noord"}))
TODAY = legal_date(NOW)
PARENT = RecipientKind.PARENT
STUDENTS = f"/lvs/students/school?{NORTH}"


@pytest.fixture
def school() -> School:
    return a_school()


def permit(remembered: Remembered, school: School, recipient: str = "uitgever-noord", call: Call = CALL) -> Permit:
    return remembered.permit(caller(recipient), call, school.world.now(), TODAY)


def sight(remembered: Remembered, school: School, recipient: str = "uitgever-noord") -> Sight:
    return remembered.sight(permit(remembered, school, recipient), school.world.now(), NOW)


def test_permit_same_call_same_versions_is_decided_once(school: School) -> None:
    remembered = Remembered(school.world)

    assert permit(remembered, school) is permit(remembered, school)


def test_permit_of_another_caller_is_another(school: School) -> None:
    remembered = Remembered(school.world)

    other = permit(remembered, school, "uitgever-zuid")

    assert permit(remembered, school).caller != other.caller


def test_permit_of_other_locations_is_decided_anew(school: School) -> None:
    remembered = Remembered(school.world)
    permit(remembered, school)

    with pytest.raises(Stop) as stop:
        permit(remembered, school, call=Call("lvs", "edu-v-students", "Student", None, frozenset({"zuid"})))

    assert stop.value.reason is Reason.LOCATION_OUT_OF_SCOPE


def test_permit_policy_moved_is_decided_anew(school: School) -> None:
    remembered = Remembered(school.world)
    permit(remembered, school)
    school.suspends("uitgever-noord")

    with pytest.raises(Stop) as stop:
        permit(remembered, school)

    assert stop.value.reason is Reason.SCHEMA_NOT_ACTIVE


def test_refusal_is_not_remembered(school: School) -> None:
    remembered = Remembered(school.world)
    active = school.world.compiled
    school.suspends("uitgever-noord")
    with pytest.raises(Stop):
        permit(remembered, school)
    school.takes_over(active)

    permit(remembered, school)


def test_sight_facts_moved_is_another(school: School) -> None:
    remembered = Remembered(school.world)
    before = sight(remembered, school)
    school.leaves(1)

    assert sight(remembered, school) is not before


def on_an_occasion(one: Permit) -> Permit:
    """The same delivery, if it took a permit."""
    delivery = replace(one.standing.delivery, conditions=Conditions(occasion=Occasion.POLICE))
    return replace(one, standing=replace(one.standing, delivery=delivery))


def test_sight_on_an_occasion_is_made_anew_at_each_moment(school: School) -> None:
    remembered = Remembered(school.world)
    one, snapshot = on_an_occasion(permit(remembered, school)), school.world.now()

    before = remembered.sight(one, snapshot, NOW)
    after = remembered.sight(one, snapshot, NOW + timedelta(seconds=1))

    assert (before.now, after.now) == (NOW, NOW + timedelta(seconds=1))


def test_what_is_granted_on_an_occasion_is_made_anew_at_each_moment() -> None:
    name, purpose = "veilig-thuis", "melding-kindveiligheid"
    school = a_school(compiled=policy(texts=((name, answered(name)),)))
    delivery = school.world.compiled.standings[name, purpose, "edu-v-students"].delivery
    call = Call("lvs", "edu-v-students", "Student", None, frozenset({"noord"}), delivery.channel)
    remembered, by = Remembered(school.world), Caller("j.jansen", "school", name, purpose)

    before = remembered.granted(by, call, school.world.now(), NOW)
    after = remembered.granted(by, call, school.world.now(), NOW + timedelta(seconds=1))

    assert (before.sight.now, after.sight.now) == (NOW, NOW + timedelta(seconds=1))


def test_sight_that_stands_is_the_same_all_day(school: School) -> None:
    remembered = Remembered(school.world)
    one, snapshot = permit(remembered, school), school.world.now()

    assert remembered.sight(one, snapshot, NOW) is remembered.sight(one, snapshot, NOW + timedelta(seconds=1))


def test_sight_is_of_the_kind_of_recipient(school: School) -> None:
    remembered = Remembered(school.world)
    one = permit(remembered, school)
    parent = replace(one, standing=replace(one.standing, recipient=replace(one.standing.recipient, kind=PARENT)))

    assert remembered.sight(parent, school.world.now(), NOW).audience.parent


def test_sight_keys_moved_has_other_pseudonyms(school: School) -> None:
    remembered = Remembered(school.world)
    before = sight(remembered, school).pseudonym(school.pupils[1])
    school.rotate(overlap=True)

    assert sight(remembered, school).pseudonym(school.pupils[1]) != before


def test_sight_of_another_recipient_is_another(school: School) -> None:
    remembered = Remembered(school.world)

    assert sight(remembered, school).pseudonym(school.pupils[1]) != sight(
        remembered, school, "uitgever-zuid"
    ).pseudonym(school.pupils[1])


async def test_delivery_on_its_last_day_is_made(school: School) -> None:
    school.upstream.holds["/students/school"] = [student_json(pupil(1))]
    school.clock.now = datetime(2027, 7, 31, 21, 59, tzinfo=UTC)

    assert (await school.ask(STUDENTS)).reason is None


async def test_delivery_after_its_last_day_in_amsterdam_is_refused(school: School) -> None:
    school.upstream.holds["/students/school"] = [student_json(pupil(1))]
    await school.ask(STUDENTS)
    school.clock.now = datetime(2027, 7, 31, 22, 0, tzinfo=UTC)

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.SCHEMA_EXPIRED
    assert Reason.AGREEMENT_EXPIRED in school.register.drafts[-1].reasons


async def test_pupil_whose_last_day_passes_is_withheld_the_next_day(school: School) -> None:
    one = school.pupils[1]
    school.enrol(replace(one, enrolments=(replace(one.enrolments[0], end=date(2026, 11, 22)),)))
    school.upstream.holds["/students/school"] = [student_json(one)]
    await school.ask(STUDENTS)
    school.clock.now = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)

    await school.ask(STUDENTS)

    assert [len(draft.released) for draft in school.register.drafts] == [1, 0]


# -- where the id of a thing leads -------------------------------------------------------------------------


async def test_id_of_somebodys_thing_leads_there_once_it_was_issued_as_theirs(school: School) -> None:
    school.upstream.holds["/enrollments/school"] = [enrollment_json(1, school.pupils[1])]
    call = Call("lvs", "edu-v-association", "Enrollment", None, frozenset({"noord"}))
    value = school.upstream.holds["/enrollments/school"][0]["enrollmentId"]

    def leads() -> bool:
        remembered = Remembered(school.world)
        found = remembered.permit(caller("uitgever-noord"), call, school.world.now(), TODAY)
        return remembered.sight(found, school.world.now(), NOW).leads("enrolment", value)

    assert not leads()
    assert (await school.ask(f"/lvs/enrollments/school?{NORTH}")).reason is None
    assert leads()
    school.leaves(1)
    assert not leads()
