"""Answers of an LVS in JSON: exactly what is granted leaves, of exactly who may be seen, under the recipient's ids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.core.facts import CourtOrder, Facts
from gateway.core.model import Category, FieldClass, Ground, Person, PseudonymMethod, Subject, Transform
from gateway.core.policy.schema import Branch as SchemaBranch
from gateway.core.policy.schema import Leaf, Record
from gateway.core.policy.schema import Many as SchemaMany
from gateway.core.policy.terms import Grant
from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from gateway.core.release.projection import DeliveryRefused
from gateway.formats.json import EnvelopeBroken, Minimised
from tests import builders_formats as build
from tests.simulators.facts import SimulatedFacts

ANNE, BEN, CHRIS = build.pupil(1), build.pupil(2), build.pupil(3, year=2)
JUF = build.pupil(50, person=Person.STAFF)
EVERYBODY = [ANNE, BEN, CHRIS, JUF]
FIRST_YEAR = frozenset({1})


def encoded(records: Any) -> bytes:
    return json.dumps(records).encode()


def minimised(
    record: Record,
    grants: Mapping[str, Grant],
    records: Any,
    *,
    method: PseudonymMethod = PseudonymMethod.HMAC,
    years: frozenset[int] | None = None,
    people: Iterable[Subject] = (),
    facts: SimulatedFacts | None = None,
) -> tuple[Any, Emission, Minimised]:
    one = build.bench(record, grants, list(people) or EVERYBODY, method=method, years=years, facts=facts)
    emission = one.emission()
    found = one.minimiser.minimise(encoded(records), emission, many=isinstance(records, list))
    return (json.loads(found.body) if found.body else None), emission, found


def students(*records: Any, grants: Mapping[str, Grant] | None = None, **terms: Any) -> tuple[Any, Emission, Minimised]:
    return minimised(build.student(), grants or build.student_grants(), list(records), **terms)


def pseudonym(one: Subject) -> str:
    return build.sight(build.delivery({})).pseudonym(one)


# -- what leaves -------------------------------------------------------------------------------------------


def test_student_leaves_with_exactly_the_granted_fields() -> None:
    sent = build.student_json(ANNE, bsn="123456782", email="l1@school.example", health={"allergy": "noten"})

    (found,), _, _ = students(sent)

    assert found == {
        "userIds": [{"userId": pseudonym(ANNE), "userIdType": "ASI"}],
        "givenName": "-",
        "familyName": "-",
        "status": "active",
        "dateCreated": build.MOMENT,
        "dateLastModified": build.MOMENT,
    }


def test_student_without_grants_leaves_as_an_empty_record() -> None:
    """House rule 1: an empty field list releases empty records, never everything."""
    one = build.bench(build.student(), {}, EVERYBODY, years=FIRST_YEAR)
    emission = one.emission()

    sent = encoded([build.student_json(ANNE), build.student_json(CHRIS)])
    found = one.minimiser.minimise(sent, emission, many=True)

    assert found.body == b"[{}]"
    assert emission.released == (ANNE,)


def test_student_under_the_eck_id_has_it_and_no_other_number() -> None:
    grants = build.keep("userMasterIdentifier") | build.fixed(givenName="-", familyName="-") | build.fillers()
    without = build.pupil(4, eck=False)

    found, emission, _ = students(
        build.student_json(ANNE),
        build.student_json(without),
        grants=grants,
        method=PseudonymMethod.ECK_ID,
        people=[ANNE, without],
    )

    assert [one["userMasterIdentifier"] for one in found] == [ANNE.ids["eck-id"]]
    assert "userIds" not in found[0]
    assert emission.withheld == ((without, (Reason.PUPIL_UNRESOLVED,)),)


def test_student_under_a_recorded_deviation_has_the_granted_ids_as_they_are() -> None:
    grants = build.student_grants() | build.keep("userIds.userId")

    (found,), emission, _ = students(
        {**build.student_json(ANNE), **build.reference(ANNE, "las-key", "nepri")},
        grants=grants,
        method=PseudonymMethod.NONE,
    )

    assert {(one["userIdType"], one["userId"]) for one in found["userIds"]} == {("ASI", "las-1"), ("NEPRI", "nepri-1")}
    assert "userMasterIdentifier" not in found
    assert {issue.pseudonym for issue in emission.issued} == {"las-1", "nepri-1"}


def test_student_under_a_recorded_deviation_has_the_eck_id_only_where_only_that_is_granted() -> None:
    grants = build.keep("userMasterIdentifier") | build.fixed(givenName="-", familyName="-") | build.fillers()

    (found,), emission, _ = students(build.student_json(ANNE), grants=grants, method=PseudonymMethod.NONE)

    assert found["userMasterIdentifier"] == ANNE.ids["eck-id"]
    assert "userIds" not in found
    assert {issue.pseudonym for issue in emission.issued} == {ANNE.ids["eck-id"]}


def test_reference_under_a_recorded_deviation_has_both_ids_where_both_are_granted() -> None:
    names = ("userMasterIdentifier", "userIds.userId", "userIds.userIdType")
    grants = {path: one for path, one in build.group_grants().items() if not path.startswith("students.")}
    grants |= build.keep(*(f"students.{name}" for name in names))

    (found,), _, _ = minimised(
        build.group(),
        grants,
        [build.group_json(1, [ANNE, build.pupil(4, eck=False)])],
        method=PseudonymMethod.NONE,
        people=[ANNE, build.pupil(4, eck=False)],
    )

    by_id = {one["userIds"][0]["userId"]: one for one in found["students"]}
    assert by_id == {"las-1": build.reference(ANNE), "las-4": build.reference(build.pupil(4, eck=False))}


def test_student_whose_id_is_not_granted_is_screened_and_leaves_without() -> None:
    grants = {path: one for path, one in build.student_grants().items() if not path.startswith("userIds")}

    found, emission, _ = students(build.student_json(ANNE), build.student_json(CHRIS), grants=grants, years=FIRST_YEAR)

    assert len(found) == 1
    assert "userIds" not in found[0]
    assert emission.issued == ()
    assert emission.released == (ANNE,)


def test_absent_and_null_fields_look_the_same() -> None:
    grants = build.student_grants() | build.keep("language")

    null, _, _ = students(build.student_json(ANNE, language=None), grants=grants)
    absent, _, _ = students(build.student_json(ANNE), grants=grants)

    assert null == absent
    assert "language" not in null[0]


def test_transforms_change_what_leaves() -> None:
    changes = {
        **build.changed(Transform.YEAR, "dateOfBirth"),
        **build.changed(Transform.INITIALS, "givenName"),
        **build.changed(Transform.FIRST_LETTER, "familyName"),
        **build.changed(Transform.REDACT, "email"),
    }

    (found,), _, _ = students(build.student_json(ANNE, email="x@y.example"), grants=build.student_grants() | changes)

    assert found["dateOfBirth"] == "2012-01-01"
    assert found["givenName"] == "F."
    assert found["familyName"] == "D"
    assert not found["email"]


def test_transform_within_an_object_changes_only_its_field() -> None:
    address = ("street", "houseNumber", "city", "country")
    grants = build.student_grants() | build.keep(*(f"address.{name}" for name in address))
    grants |= build.changed(Transform.PC4, "address.zipCode")
    sent = {
        "street": "Dorpsstraat",
        "houseNumber": 1,
        "zipCode": "1234 AB",
        "city": "Ons Dorp",
        "country": "NL",
        "x": 1,
    }

    (found,), _, _ = students(build.student_json(ANNE, address=sent), grants=grants)

    assert found["address"] == {**{name: sent[name] for name in address}, "zipCode": "1234"}


def test_objects_in_arrays_keep_only_granted_leaves() -> None:
    grants = build.student_grants() | build.keep("accessibility.additionalTestingTime.fixed-minutes")
    sent = [{"additionalTestingTime": {"fixed-minutes": 30, "unlimited": "", "why": "dyslexie"}}, {"other": 1}]

    (found,), _, _ = students(build.student_json(ANNE, accessibility=sent), grants=grants)

    assert found["accessibility"] == [{"additionalTestingTime": {"fixed-minutes": 30}}, {}]


def test_empty_array_leaves_empty_whatever_the_lvs_has() -> None:
    grants = build.group_grants() | build.changed(Transform.EMPTY, "assignments")

    (found,), emission, _ = minimised(build.group(), grants, [build.group_json(1, [ANNE])])

    assert found["assignments"] == []
    assert {issue.thing for issue in emission.issued} == {"pupil", "group"}


def test_numbers_keep_their_kind_and_size() -> None:
    fields: dict[str, Any] = {"big": build.leaf(kind="integer"), "real": build.leaf(kind="number")}
    record = Record("Numbers", SchemaBranch(fields))

    one = build.bench(record, build.keep("big", "real"), [])
    found = one.minimiser.minimise(
        b'[{"big":123456789012345678901234567890,"real":1.5},{"real":7}]', one.emission(), many=True
    )

    assert found.body == b'[{"big":123456789012345678901234567890,"real":1.5},{"real":7}]'


def test_text_in_any_script_is_kept() -> None:
    (found,), _, _ = students(
        build.student_json(ANNE, language='Ŋ😀\u0000"\\'), grants=build.student_grants() | build.keep("language")
    )

    assert found["language"] == 'Ŋ😀\u0000"\\'


def test_record_without_persons_leaves_as_it_is() -> None:
    sent = {"schoolPeriodId": "2026-2027", "title": "jaar", "startDate": "2026-08-01", "subSchoolPeriods": ["b", "a"]}
    grants = build.keep("schoolPeriodId", "title", "startDate", "subSchoolPeriods")

    found, _, _ = minimised(build.period(), grants, [sent | {"note": "x"}, sent])

    assert found == [sent, sent]


# -- who leaves --------------------------------------------------------------------------------------------


def test_pupil_outside_the_rows_is_not_in_a_list() -> None:
    found, emission, result = students(build.student_json(ANNE), build.student_json(CHRIS), years=FIRST_YEAR)

    assert len(found) == result.records == 1
    assert emission.withheld == ((CHRIS, (Reason.PUPIL_NOT_IN_SCOPE,)),)


BORN = build.student_grants() | build.changed(Transform.YEAR, "dateOfBirth")


def born(one: Subject, day: date) -> SimulatedFacts:
    return SimulatedFacts({one.id: Facts(birth=day)})


def test_record_with_another_birth_date_than_recorded_is_held() -> None:
    sent = [build.student_json(ANNE), build.student_json(BEN)]

    found, emission, _ = students(*sent, grants=BORN, facts=born(ANNE, date(2012, 3, 5)))

    assert [one["userIds"][0]["userId"] for one in found] == [pseudonym(BEN)]
    assert emission.withheld == ((ANNE, (Reason.FACTS_CONTRADICTED,)),)
    assert emission.held == ((ANNE, Reason.FACTS_CONTRADICTED),)


@pytest.mark.parametrize("said", ["2012-03-04", None])
def test_record_that_says_nothing_else_of_the_birth_date_leaves(said: str | None) -> None:
    sent = build.student_json(ANNE) | {"dateOfBirth": said}

    found, emission, _ = students(sent, grants=BORN, facts=born(ANNE, date(2012, 3, 4)))

    assert len(found) == 1
    assert emission.held == ()


def test_birth_date_withheld_from_this_pupil_is_not_looked_at() -> None:
    order = CourtOrder(categories=frozenset({Category.BIRTH_DATE}))
    facts = SimulatedFacts({ANNE.id: Facts(birth=date(2012, 3, 5), court_orders=(order,))})
    grants = BORN | build.keep("gender")

    (found,), emission, _ = students(build.student_json(ANNE), grants=grants, facts=facts)

    assert found["gender"] == "female"
    assert "dateOfBirth" not in found
    assert emission.held == ()


def test_birth_date_that_does_not_leave_is_not_looked_at() -> None:
    found, _, _ = students(build.student_json(ANNE), facts=born(ANNE, date(2012, 3, 5)))

    assert len(found) == 1


def test_single_record_of_a_withheld_pupil_is_nothing() -> None:
    found, emission, result = minimised(
        build.student(), build.student_grants(), build.student_json(CHRIS), years=FIRST_YEAR
    )

    assert (found, result.records, result.body) == (None, 0, b"")
    assert emission.released == ()


def test_single_record_leaves_as_an_object() -> None:
    found, _, result = minimised(build.student(), build.student_grants(), build.student_json(ANNE))

    assert result.records == 1
    assert found["givenName"] == "-"


def test_record_without_a_known_id_is_withheld() -> None:
    sent = build.student_json(ANNE)

    found, emission, _ = students(
        {**sent, "userIds": [], "userMasterIdentifier": None},
        {**sent, "userIds": [{"userId": "", "userIdType": "ASI"}], "userMasterIdentifier": ""},
        {**sent, "userIds": [{"userId": "las-1", "userIdType": "SOMETHING"}], "userMasterIdentifier": None},
        build.student_json(build.pupil(99)),
    )

    assert found == []
    assert emission.unresolved == 4


def test_record_with_ids_of_two_pupils_is_withheld() -> None:
    mixed = {**build.student_json(ANNE), "userMasterIdentifier": BEN.ids["eck-id"]}

    found, emission, _ = students(mixed)

    assert found == []
    assert emission.unresolved == 1


def test_record_with_the_same_typed_ids_and_another_eck_id_is_looked_at_again() -> None:
    """What is remembered of an id holds for the ids of a record together."""
    good, mixed = build.student_json(ANNE), {**build.student_json(ANNE), "userMasterIdentifier": BEN.ids["eck-id"]}

    found, _, _ = students(good, mixed)

    assert len(found) == 1


def test_record_that_names_its_pupil_by_the_eck_id_only_leaves() -> None:
    sent = {**build.student_json(ANNE), "userIds": None}

    found, _, _ = students(sent)

    assert len(found) == 1


def test_consent_is_missing_for_everybody_on_ground_a() -> None:
    one = build.bench(build.student(), build.student_grants(), EVERYBODY, ground=Ground.CONSENT)
    emission = one.emission()

    found = one.minimiser.minimise(encoded([build.student_json(ANNE)]), emission, many=True)

    assert found.body == b"[]"
    assert emission.withheld == ((ANNE, (Reason.CONSENT_MISSING,)),)


# -- several persons in a record -----------------------------------------------------------------------------


def test_group_leaves_with_its_available_pupils_only() -> None:
    (found,), emission, _ = minimised(
        build.group(),
        build.group_grants(),
        [build.group_json(1, [CHRIS, BEN, ANNE, build.pupil(99)])],
        years=FIRST_YEAR,
    )

    assert [one["userIds"][0]["userId"] for one in found["students"]] == sorted([pseudonym(ANNE), pseudonym(BEN)])
    assert set(emission.released) == {ANNE, BEN}
    assert emission.withheld == ((CHRIS, (Reason.PUPIL_NOT_IN_SCOPE,)),)
    assert emission.unresolved == 1


@pytest.mark.parametrize("pupils", [[CHRIS], []])
def test_group_of_which_nobody_is_in_the_delivery_does_not_leave(pupils: list[Subject]) -> None:
    sent = [build.group_json(1, pupils), build.group_json(2, [ANNE])]

    (found,), _, _ = minimised(build.group(), build.group_grants(), sent, years=FIRST_YEAR)

    assert found["groupName"] == "1v2"


def test_reference_leaves_nothing_but_the_pseudonym() -> None:
    sent = build.group_json(1, [])
    sent["students"] = [{**build.reference(ANNE), "name": "Anne", "userIds": build.reference(ANNE)["userIds"] * 2}]

    (found,), _, _ = minimised(build.group(), build.group_grants(), [sent])

    assert found["students"] == [{"userIds": [{"userId": pseudonym(ANNE), "userIdType": "ASI"}]}]


def test_enrolment_of_a_withheld_pupil_is_withheld() -> None:
    sent = [build.enrollment_json(1, ANNE), build.enrollment_json(2, CHRIS)]

    found, emission, _ = minimised(build.enrollment(), build.enrollment_grants(), sent, years=FIRST_YEAR)

    assert [one["student"]["userIds"][0]["userId"] for one in found] == [pseudonym(ANNE)]
    assert emission.withheld == ((CHRIS, (Reason.PUPIL_NOT_IN_SCOPE,)),)


def test_assignment_without_a_pupil_leaves_with_its_employee() -> None:
    (found,), emission, _ = minimised(build.assignment(), build.assignment_grants(), [build.assignment_json(1, JUF)])

    assert found["employee"]["userIds"][0]["userId"] == pseudonym(JUF)
    assert "student" not in found
    assert emission.released == (JUF,)


def test_assignment_of_a_withheld_pupil_is_withheld_whole() -> None:
    staff = replace(JUF, enrolments=(replace(JUF.enrolments[0], year=1),))

    found, emission, _ = minimised(
        build.assignment(),
        build.assignment_grants(),
        [build.assignment_json(1, staff, CHRIS), build.assignment_json(2, staff, ANNE)],
        years=FIRST_YEAR,
        people=[ANNE, CHRIS, staff],
    )

    assert len(found) == 1
    assert set(emission.released) == {staff, ANNE}
    assert emission.withheld == ((CHRIS, (Reason.PUPIL_NOT_IN_SCOPE,)),)


def test_assignment_of_an_unknown_employee_is_withheld() -> None:
    found, emission, _ = minimised(
        build.assignment(), build.assignment_grants(), [build.assignment_json(1, build.pupil(77, person=Person.STAFF))]
    )

    assert found == []
    assert emission.unresolved == 1


def deep(*, item: bool) -> tuple[Record, dict[str, Grant]]:
    """A record that speaks of persons two levels down, with something else about each."""
    entry = SchemaBranch({**build.id_fields(), "remark": build.leaf()})
    fields: dict[str, Any] = {"title": build.leaf(), "rows": SchemaMany(SchemaBranch({"people": SchemaMany(entry)}))}
    record = Record("Deep", SchemaBranch(fields), (build.position("rows.people", item=item),))
    return record, {**build.keep("title", "rows.people.remark"), **build.own_slot("rows.people")}


def rows(*people: Subject) -> dict[str, Any]:
    found = [{**build.reference(one), "remark": f"r{one.id[-1]}", "secret": "x"} for one in people]
    return {"title": "t", "rows": [{"people": found}]}


def test_persons_deep_in_a_record_go_by_themselves_with_what_is_about_them() -> None:
    record, grants = deep(item=True)

    (found,), emission, _ = minimised(record, grants, [rows(ANNE, CHRIS)], years=FIRST_YEAR)

    entry = {"userIds": [{"userId": pseudonym(ANNE), "userIdType": "ASI"}], "remark": "r1"}
    assert found == {"title": "t", "rows": [{"people": [entry]}]}
    assert set(emission.released) == {ANNE}


def test_persons_deep_in_a_record_take_it_with_them_where_the_schema_says_so() -> None:
    record, grants = deep(item=False)

    found, emission, _ = minimised(record, grants, [rows(BEN, CHRIS), rows(ANNE)], years=FIRST_YEAR)

    assert len(found) == 1
    assert set(emission.released) == {ANNE}
    assert emission.withheld == ((CHRIS, (Reason.PUPIL_NOT_IN_SCOPE,)),)


def test_persons_deep_in_a_record_decide_about_it_also_when_nothing_about_them_leaves() -> None:
    record, _ = deep(item=False)

    found, emission, _ = minimised(record, build.keep("title"), [rows(BEN, CHRIS), rows(ANNE)], years=FIRST_YEAR)

    assert found == [{"title": "t"}]
    assert emission.withheld == ((CHRIS, (Reason.PUPIL_NOT_IN_SCOPE,)),)


def test_item_that_cannot_be_without_its_person_goes_with_them() -> None:
    about = SchemaBranch(build.id_fields(), required=True)
    fields: dict[str, Any] = {"rows": SchemaMany(SchemaBranch({"mark": build.leaf(), "about": about}))}
    record = Record("Marks", SchemaBranch(fields), (build.position("rows.about", item=True),))
    grants = {**build.keep("rows.mark"), **build.own_slot("rows.about")}
    sent = {"rows": [{"mark": "8", "about": build.reference(ANNE)}, {"mark": "4", "about": build.reference(CHRIS)}]}

    (found,), _, _ = minimised(record, grants, [sent], years=FIRST_YEAR)

    assert [one["mark"] for one in found["rows"]] == ["8"]


def test_item_that_goes_with_one_of_its_persons_shows_the_other_neither() -> None:
    pair = SchemaBranch(
        {name: SchemaBranch(build.id_fields(), required=True) for name in ("one", "two")}, required=True
    )
    record = Record(
        "Pairs",
        SchemaBranch({"rows": SchemaMany(SchemaBranch({"pair": pair}))}),
        tuple(build.position(f"rows.pair.{name}", item=True) for name in ("one", "two")),
    )
    grants = build.own_slot("rows.pair.one") | build.own_slot("rows.pair.two")
    sent = {"rows": [{"pair": {"one": build.reference(ANNE), "two": build.reference(CHRIS)}}]}

    (found,), emission, _ = minimised(record, grants, [sent], years=FIRST_YEAR)

    assert found == {}
    assert emission.released == ()


# -- mapped ids and order ------------------------------------------------------------------------------------


def test_ids_of_things_leave_as_the_recipients_own() -> None:
    sent = build.enrollment_json(1, ANNE, subject="00000000-0000-4000-8000-00000000bbbb")

    (found,), emission, _ = minimised(build.enrollment(), build.enrollment_grants(), [sent])

    mapped = {name: found[name] for name in ("enrollmentId", "study", "subject")}
    assert not any(mapped[name] == sent[name] for name in mapped)
    assert {issue.thing: issue.value for issue in emission.issued if issue.value} == {
        "enrolment": sent["enrollmentId"],
        "study-offering": sent["study"],
        "subject-offering": sent["subject"],
    }


def test_ids_of_things_in_arrays_leave_as_the_recipients_own() -> None:
    (found,), emission, _ = minimised(
        build.group(), build.group_grants(), [build.group_json(1, [ANNE], assignments=["a-1", "a-2"])]
    )

    issued = {issue.pseudonym: issue.value for issue in emission.issued if issue.thing == "assignment"}
    assert {issued[one] for one in found["assignments"]} == {"a-1", "a-2"}


def test_persons_with_something_about_them_leave_in_pseudonym_order() -> None:
    people = [build.pupil(number) for number in range(1, 20)]
    record, grants = deep(item=True)

    (found,), _, _ = minimised(record, grants, [rows(*people)], people=people)

    ids = [one["userIds"][0]["userId"] for one in found["rows"][0]["people"]]
    assert len(ids) == len(people)
    assert ids == sorted(ids)


def test_enrolment_id_has_its_pupil_as_owner_and_shared_things_have_none() -> None:
    _, emission, _ = minimised(build.enrollment(), build.enrollment_grants(), [build.enrollment_json(1, ANNE)])

    owners = {issue.thing: issue.owner for issue in emission.issued}
    assert owners == {"pupil": ANNE.id, "enrolment": ANNE.id, "study-offering": None}


def test_assignment_in_a_group_has_no_owner_until_its_own_record_shows_it() -> None:
    teacher = build.pupil(50, person=Person.STAFF)
    in_group, own = build.group_json(1, [ANNE], assignments=["assignment-1"]), build.assignment_json(1, teacher)
    _, first, _ = minimised(build.group(), build.group_grants(), [in_group], people=[ANNE, teacher])
    _, second, _ = minimised(build.assignment(), build.assignment_grants(), [own], people=[ANNE, teacher])

    assert [issue.owner for issue in first.issued if issue.thing == "assignment"] == [None]
    assert [issue.owner for issue in second.issued if issue.thing == "assignment"] == [teacher.id]


def test_assignment_of_a_coach_belongs_to_the_pupil_first() -> None:
    coach = build.pupil(50, person=Person.STAFF)
    body = [build.assignment_json(1, coach, ANNE)]
    _, emission, _ = minimised(build.assignment(), build.assignment_grants(), body, people=[ANNE, coach])

    assert [issue.owner for issue in emission.issued if issue.thing == "assignment"] == [ANNE.id]


def test_mapped_id_stays_the_same_after_its_receipt() -> None:
    one = build.bench(build.group(), build.group_grants(), EVERYBODY)
    body = encoded([build.group_json(1, [ANNE])])
    first = one.emission()
    before = one.minimiser.minimise(body, first, many=True).body
    first.confirm()
    second = one.emission()

    assert one.minimiser.minimise(body, second, many=True).body == before
    assert second.issued == ()


def test_students_leave_in_pseudonym_order() -> None:
    people = [build.pupil(number) for number in range(1, 40)]

    found, _, _ = students(*map(build.student_json, people), people=people)
    turned, _, _ = students(*map(build.student_json, people[::-1]), people=people)

    ids = [one["userIds"][0]["userId"] for one in found]
    assert ids == sorted(ids)
    assert found == turned


@pytest.mark.parametrize("name", ["groupId", "assignments"])
def test_groups_and_their_assignments_leave_in_the_order_of_their_mapped_ids(name: str) -> None:
    sent = [build.group_json(n, [], assignments=[f"a-{m}" for m in range(9)]) for n in range(9)]

    found, _, _ = minimised(build.group(), build.group_grants(), sent)

    lists = [[one["groupId"] for one in found]] if name == "groupId" else [one["assignments"] for one in found]
    assert all(one == sorted(one) for one in lists)


def test_groups_are_ordered_by_their_mapped_id_also_when_it_stays_behind() -> None:
    record = replace(
        build.group(), order="groupId", fields=SchemaBranch({**build.group().fields.fields, "groupId": optional()})
    )
    grants = {path: one for path, one in build.group_grants().items() if path != "groupId"}
    sent = [build.group_json(n, [ANNE]) for n in range(9)]

    found, emission, _ = minimised(record, grants, sent)

    sight = build.sight(build.delivery({}))
    expected = sorted(range(9), key=lambda n: sight.thing("group", f"group-{n}"))
    assert [one["groupName"] for one in found] == [f"1v{n}" for n in expected]
    assert "group" not in {issue.thing for issue in emission.issued}


def optional() -> Leaf:
    return Leaf("string", Category.ORGANISATION, FieldClass.ORDINARY, maps="group")


def test_two_records_of_one_pupil_both_leave() -> None:
    found, emission, _ = students(build.student_json(ANNE), build.student_json(ANNE))

    assert len(found) == 2
    assert emission.released == (ANNE,)


# -- withheld for one person ---------------------------------------------------------------------------------


def pictured() -> tuple[Record, dict[str, Grant]]:
    """D4: an image needs consent whatever the ground, so it is withheld from everybody for whom none is known."""
    fields = dict(build.student().fields.fields)
    fields["picture"] = Leaf("string", Category.IMAGE, FieldClass.IMAGE)
    record = replace(build.student(), fields=SchemaBranch(fields))
    return record, build.student_grants() | build.keep("picture", "gender")


def test_field_withheld_for_a_person_looks_as_absent() -> None:
    record, grants = pictured()

    (found,), emission, _ = minimised(record, grants, [build.student_json(ANNE, picture="aGk=")])
    (without,), _, _ = minimised(record, grants, [build.student_json(ANNE)])

    assert found == without
    assert "picture" not in found
    assert found["gender"] == "female"
    assert emission.released == (ANNE,)


def test_array_without_anything_in_it_looks_as_a_withheld_one() -> None:
    """House rule 5: an LVS that always sends the array shows otherwise for whom it is withheld."""
    grants = build.student_grants() | build.keep(
        "gender", "emailsParents", "accessibility.additionalTestingTime.unlimited"
    )
    forbidden = Facts(court_orders=(CourtOrder(categories=frozenset({Category.SUPPORT, Category.GUARDIANS})),))
    more = {"emailsParents": ["a@b.example"], "accessibility": [{"additionalTestingTime": {"unlimited": "x"}}]}

    (withheld,), _, _ = students(
        build.student_json(ANNE, **more), grants=grants, facts=SimulatedFacts({ANNE.id: forbidden})
    )
    (nothing,), _, _ = students(build.student_json(ANNE, emailsParents=[], accessibility=[]), grants=grants)

    assert withheld == nothing
    assert not {"emailsParents", "accessibility"} & nothing.keys()


def test_required_field_withheld_for_a_person_withholds_the_record() -> None:
    record, grants = pictured()
    fields = dict(record.fields.fields)
    fields["picture"] = Leaf("string", Category.IMAGE, FieldClass.IMAGE, required=True)

    found, emission, _ = minimised(
        replace(record, fields=SchemaBranch(fields)), grants, [build.student_json(ANNE, picture="aGk=")]
    )

    assert found == []
    assert emission.withheld == ((ANNE, (Reason.NOT_AVAILABLE,)),)


def test_field_withheld_for_the_person_of_an_item_withholds_the_item() -> None:
    entry = SchemaBranch({**build.id_fields(), "picture": Leaf("string", Category.IMAGE, FieldClass.IMAGE)})
    record = Record("Class", SchemaBranch({"people": SchemaMany(entry)}), (build.position("people", item=True),))
    grants = build.keep("people.picture") | build.own_slot("people")

    found, emission, _ = minimised(record, grants, [{"people": [{**build.reference(ANNE), "picture": "aGk="}]}])

    assert found == []
    assert emission.released == ()


# -- malformed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"gender": {"value": "female", "bsn": "123456782"}},
        {"gender": ["female"]},
        {"gender": 1},
        {"gender": True},
        {"gender": "a text where a word of a list should stand"},
        {"dateOfBirth": "in maart"},
        {"userIds": "las-2"},
        {"userIds": [{"userId": 2, "userIdType": "ASI"}]},
        {"userIds": [{"userId": "las-2"}]},
        {"userMasterIdentifier": {"x": 1}},
        {"emailsParents": [{"a": 1}]},
        {"emailsParents": [None]},
        {"address": "Dorpsstraat 1"},
        {"address": {"street": "Dorpsstraat"}},
    ],
)
def test_malformed_record_is_withheld_alone(wrong: dict[str, Any]) -> None:
    parts = ("street", "houseNumber", "zipCode", "city", "country")
    grants = build.student_grants() | build.keep("gender", "emailsParents", *(f"address.{part}" for part in parts))
    grants |= build.changed(Transform.YEAR, "dateOfBirth")

    found, emission, result = students(build.student_json(ANNE), build.student_json(BEN) | wrong, grants=grants)

    assert [one["userIds"][0]["userId"] for one in found] == [pseudonym(ANNE)]
    assert (result.malformed, emission.malformed) == (1, 1)
    assert emission.released == (ANNE,)


def test_malformed_record_is_reported_with_its_pupil() -> None:
    grants = build.student_grants() | build.keep("gender")

    _, emission, _ = students(build.student_json(BEN, gender=5), grants=grants)

    assert emission.withheld == ((BEN, (Reason.RECORD_MALFORMED,)),)


def test_malformed_enrolment_is_reported_with_its_pupil() -> None:
    _, emission, _ = minimised(
        build.enrollment(), build.enrollment_grants(), [build.enrollment_json(1, BEN, studyYear="een")]
    )

    assert emission.withheld == ((BEN, (Reason.RECORD_MALFORMED,)),)


def test_malformed_record_about_somebody_and_something_of_theirs_is_counted() -> None:
    about = SchemaBranch({**build.id_fields(), "remark": build.leaf()}, required=True)
    record = Record("Note", SchemaBranch({"about": about, "day": build.leaf()}), (build.position("about"),))
    grants = build.own_slot("about") | build.keep("about.remark", "day")
    right = {"about": {**build.reference(BEN), "remark": "x"}, "day": "ma"}

    found, emission, _ = minimised(record, grants, [right, right | {"day": 5}])

    assert [one["about"]["remark"] for one in found] == ["x"]
    assert emission.malformed == 1


def test_record_that_a_transform_cannot_read_is_withheld_with_its_pupil() -> None:
    grants = build.student_grants() | build.changed(Transform.INITIALS, "familyName")

    found, emission, _ = students(build.student_json(ANNE, familyName="123"), build.student_json(BEN), grants=grants)

    assert len(found) == 1
    assert emission.withheld == ((ANNE, (Reason.RECORD_MALFORMED,)),)
    assert emission.released == (BEN,)


def test_malformed_group_shows_nobody_in_it() -> None:
    grants = build.group_grants() | build.changed(Transform.YEAR, "beginDate")
    record = build.group()
    fields = dict(record.fields.fields)
    fields["beginDate"] = Leaf("string", Category.ORGANISATION, FieldClass.ORDINARY, required=True)

    found, emission, _ = minimised(
        replace(record, fields=SchemaBranch(fields)), grants, [build.group_json(1, [ANNE], beginDate="ooit")]
    )

    assert found == []
    assert emission.released == ()


def test_single_malformed_record_is_nothing() -> None:
    grants = build.student_grants() | build.keep("gender")

    found, emission, _ = minimised(build.student(), grants, build.student_json(ANNE, gender=5))

    assert found is None
    assert emission.malformed == 1


@pytest.mark.parametrize(
    ("wrong", "right", "usable"), [(5, 5, True), (6, 5, False), (11, 1100, True), (12, 1088, False)]
)
def test_answer_with_too_many_malformed_records_is_unusable(wrong: int, right: int, *, usable: bool) -> None:
    grants = build.student_grants() | build.keep("gender")
    sent = [build.student_json(ANNE)] * right + [build.student_json(ANNE, gender=5)] * wrong
    one = build.bench(build.student(), grants, EVERYBODY)

    if usable:
        assert one.minimiser.minimise(encoded(sent), one.emission(), many=True).malformed == wrong
    else:
        with pytest.raises(EnvelopeBroken):
            one.minimiser.minimise(encoded(sent), one.emission(), many=True)


def test_part_may_have_as_many_malformed_records_as_its_answer_has_left() -> None:
    grants = build.student_grants() | build.keep("gender")
    one = build.bench(build.student(), grants, EVERYBODY)
    sent = encoded([build.student_json(ANNE, gender=5)] * 2)

    assert one.minimiser.minimise(sent, one.emission(), many=True, tolerated=2).malformed == 2
    with pytest.raises(EnvelopeBroken):
        one.minimiser.minimise(sent, one.emission(), many=True, tolerated=1)


def test_order_by_an_id_within_an_object_is_refused() -> None:
    inner = SchemaBranch({"id": build.leaf(maps="group")})
    record = Record("Nested", SchemaBranch({"inner": inner}), (), "inner.id")

    with pytest.raises(DeliveryRefused, match="no field of the record itself"):
        build.compiled(record, build.keep("inner.id"))


# -- parts -----------------------------------------------------------------------------------------------------


def test_split_gives_every_record_once_in_order() -> None:
    people = [build.pupil(number) for number in range(1, 20)]
    one = build.bench(build.student(), build.student_grants(), people)
    sent = [build.student_json(each) for each in people]

    split = one.minimiser.split(encoded(sent), 2_000)

    pieces = split.bodies
    assert split.records == len(people)
    assert 3 < len(pieces) < 10
    assert [record for piece in pieces for record in json.loads(piece)] == sent
    assert all(len(piece) < 3_000 for piece in pieces)


def test_split_of_an_empty_list_is_one_empty_piece() -> None:
    one = build.bench(build.student(), build.student_grants(), [])

    assert one.minimiser.split(b" [ ] ", 100).bodies == [b"[]"]


@pytest.mark.parametrize("body", [b"{}", b"", b"[1,", b"null"])
def test_split_of_what_is_no_list_is_refused(body: bytes) -> None:
    one = build.bench(build.student(), build.student_grants(), [])

    with pytest.raises(EnvelopeBroken):
        one.minimiser.split(body, 100)
