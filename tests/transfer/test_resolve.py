"""transfer.resolve: only what was issued to this recipient leads back, and a person is screened on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gateway.core.gate.decide import Call, Permit, decide
from gateway.core.gate.question import Audience
from gateway.core.model import Person, Subject
from gateway.core.policy.grants import groups
from gateway.core.policy.schema import Parameter
from gateway.core.reasons import Reason
from gateway.core.register import Issue
from gateway.core.release.sight import Sight
from gateway.transfer.resolve import UNKNOWN, Absent, Resolver
from tests.builders_formats import pupil
from tests.policy.shipped import schemas
from tests.simulators.world import School, a_school, caller

TODAY = date(2026, 11, 22)


@pytest.fixture
def school() -> School:
    return a_school()


def resolver(school: School, record: str = "Student", schema: str = "edu-v-students") -> Resolver:
    call = Call("lvs", schema, record, None, frozenset({"noord"}))
    world, snapshot = school.world, school.world.now()
    permit = decide(
        caller("uitgever-noord"), call, snapshot.compiled.standings, world.policy, world.organisation, TODAY
    )
    assert isinstance(permit, Permit)
    delivery, audience = permit.standing.delivery, Audience(permit.standing.recipient.kind)
    sight = Sight(delivery, "lvs", school.roster, snapshot.facts, snapshot.keys, TODAY, audience=audience)
    records = schemas()[schema].records
    kinds = {group.kind: one for one in records.values() for group in groups(one)}
    return Resolver(world, sight, school.roster, records[record], kinds)


def issue(
    school: School,
    mapped: str,
    *,
    thing: str = "pupil",
    owner: Subject | None = None,
    value: str | None = None,
    source: str | None = None,
    domain: str = "uitgever-noord",
) -> None:
    made = Issue(domain, 1, mapped, thing, source, value, owner.id if owner else None)
    school.register.issued[domain, thing, mapped] = made


# -- persons -----------------------------------------------------------------------------------------------------


def test_person_by_an_issued_pseudonym_is_found(school: School) -> None:
    issue(school, "p-1", owner=school.pupils[1])

    assert resolver(school).person([("las-key", "p-1")], Person.PUPIL) is school.pupils[1]


def test_person_by_a_pseudonym_of_another_domain_is_unknown(school: School) -> None:
    issue(school, "p-1", owner=school.pupils[1], domain="uitgever-zuid")

    assert resolver(school).person([("las-key", "p-1")], Person.PUPIL) == UNKNOWN


def test_person_by_the_sources_own_id_is_unknown(school: School) -> None:
    assert resolver(school).person([("las-key", "las-1")], Person.PUPIL) == UNKNOWN


def test_person_by_ids_of_two_persons_is_unknown(school: School) -> None:
    issue(school, "p-1", owner=school.pupils[1])
    issue(school, "p-2", owner=school.pupils[2])

    assert resolver(school).person([("las-key", "p-1"), ("nepri", "p-2")], Person.PUPIL) == UNKNOWN


def test_person_by_one_issued_and_one_unknown_id_is_unknown(school: School) -> None:
    issue(school, "p-1", owner=school.pupils[1])

    assert resolver(school).person([("las-key", "p-1"), ("nepri", "x")], Person.PUPIL) == UNKNOWN


def test_person_of_another_kind_is_unknown(school: School) -> None:
    issue(school, "p-1", owner=school.pupils[1])

    assert resolver(school).person([("las-key", "p-1")], Person.STAFF) == UNKNOWN


def test_person_without_any_id_is_unknown(school: School) -> None:
    assert resolver(school).person([], Person.PUPIL) == UNKNOWN


def test_person_who_may_not_be_seen_is_absent_with_the_reason(school: School) -> None:
    school.enrol(pupil(1, year=6))
    issue(school, "p-1", owner=school.pupils[1])

    found = resolver(school).person([("las-key", "p-1")], Person.PUPIL)

    assert found == Absent((Reason.PUPIL_NOT_IN_SCOPE,), school.pupils[1])


def test_person_who_is_gone_from_the_roster_is_absent(school: School) -> None:
    issue(school, "p-1", owner=school.pupils[1])
    del school.roster.people[school.pupils[1].id]

    assert resolver(school).person([("las-key", "p-1")], Person.PUPIL) == Absent((Reason.PUPIL_NOT_IN_SCOPE,))


def test_person_by_a_key_that_no_longer_resolves_is_unknown(school: School) -> None:
    issue(school, "p-1", owner=school.pupils[1])
    school.world.resolving = {2}

    assert resolver(school).person([("las-key", "p-1")], Person.PUPIL) == UNKNOWN


# -- things --------------------------------------------------------------------------------------------------------


def test_thing_that_was_issued_is_the_sources_own_id(school: School) -> None:
    issue(school, "g-1", thing="group", source="lvs", value="group-1")

    assert resolver(school).thing("group", "g-1") == "group-1"


def test_group_of_which_everybody_is_withheld_is_absent(school: School) -> None:
    issue(school, "g-1", thing="group", source="lvs", value="group-1")
    school.enrol(replace(school.pupils[1], groups=frozenset({"group-1"})))
    before = resolver(school, "Group", "edu-v-association").thing("group", "g-1")

    school.leaves(1)
    after = resolver(school, "Group", "edu-v-association").thing("group", "g-1")

    assert before == "group-1"
    assert after == Absent((Reason.PUPIL_NOT_IN_SCOPE,))


def test_thing_of_another_source_is_unknown(school: School) -> None:
    issue(school, "g-1", thing="group", source="other", value="group-1")

    assert resolver(school).thing("group", "g-1") == UNKNOWN


def test_thing_of_another_kind_is_unknown(school: School) -> None:
    issue(school, "g-1", thing="group", source="lvs", value="group-1")

    assert resolver(school).thing("enrolment", "g-1") == UNKNOWN


def test_thing_named_by_a_persons_pseudonym_is_unknown(school: School) -> None:
    issue(school, "p-1", owner=school.pupils[1])

    assert resolver(school).thing("pupil", "p-1") == UNKNOWN


def test_thing_of_a_person_who_may_not_be_seen_is_absent(school: School) -> None:
    school.leaves(1)
    issue(school, "e-1", thing="enrolment", source="lvs", value="1", owner=school.pupils[1])

    found = resolver(school, "Enrollment", "edu-v-association").thing("enrolment", "e-1")

    assert found == Absent((Reason.PUPIL_NOT_IN_SCOPE,), school.pupils[1])


def test_thing_of_persons_whose_owner_nobody_knows_is_unknown(school: School) -> None:
    """An assignment that stood in a group: it leads back once its own record showed whose it is."""
    issue(school, "a-1", thing="assignment", source="lvs", value="1")

    enrolments = resolver(school, "Enrollment", "edu-v-association")
    assignments = replace(enrolments, record=schemas()["edu-v-association"].records["Assignment"])

    assert assignments.thing("assignment", "a-1") == UNKNOWN
    assert enrolments.thing("assignment", "a-1") == "1"


def test_unknown_thing_in_a_query_of_a_list_is_marked_as_listed(school: School) -> None:
    parameter = next(
        parameter
        for route in schemas()["edu-v-students"].routes
        for parameter in route.parameters
        if parameter.name == "subjectOfferingId"
    )

    found = resolver(school).things([(parameter, "x")], many=True)

    assert found == Absent((Reason.PSEUDONYM_UNKNOWN,), None, listed=True)


def test_unknown_thing_in_a_path_is_not_listed(school: School) -> None:
    parameter = next(
        parameter
        for route in schemas()["edu-v-association"].routes
        for parameter in route.parameters
        if parameter.place == "path" and parameter.maps == "group"
    )

    found = resolver(school, "Group", "edu-v-association").things([(parameter, "x")], many=False)

    assert found == Absent((Reason.PSEUDONYM_UNKNOWN,), None, listed=False)


def test_unknown_thing_in_the_path_of_a_list_is_not_listed(school: School) -> None:
    parameter = Parameter("id", "path", "thing", maps="group")

    found = resolver(school, "Group", "edu-v-association").things([(parameter, "x")], many=True)

    assert found == Absent((Reason.PSEUDONYM_UNKNOWN,), None, listed=False)


def test_absence_shows_nobody_in_its_repr(school: School) -> None:
    assert "las-1" not in repr(Absent((Reason.PUPIL_NOT_IN_SCOPE,), school.pupils[1]))
