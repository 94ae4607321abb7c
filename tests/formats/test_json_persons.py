"""Answers in JSON that name several persons and things: who goes with whom, under which ids, in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from gateway.core.facts import Facts
from gateway.core.model import Category, FieldClass, Person, Subject
from gateway.core.policy.schema import Branch as SchemaBranch
from gateway.core.policy.schema import Leaf, Record
from gateway.core.policy.schema import Many as SchemaMany
from gateway.core.policy.terms import Grant
from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from tests import builders_formats as build
from tests.formats.test_json_minimiser import (
    ANNE,
    BEN,
    CHRIS,
    EVERYBODY,
    FIRST_YEAR,
    JUF,
    encoded,
    minimised,
    pseudonym,
    students,
)
from tests.simulators.facts import SimulatedFacts

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


@pytest.mark.parametrize("item", [True, False])
def test_person_deep_in_a_record_born_on_another_day_than_the_school_recorded_waits(*, item: bool) -> None:
    """R109: the record may be another pupil's."""
    born = build.leaf(Category.BIRTH_DATE, form="date")
    entry = SchemaBranch({**build.id_fields(), "born": born})
    record = Record(
        "Deep",
        SchemaBranch({"rows": SchemaMany(SchemaBranch({"people": SchemaMany(entry)}))}),
        (build.position("rows.people", item=item),),
    )
    grants = {**build.keep("rows.people.born"), **build.own_slot("rows.people")}
    facts = SimulatedFacts({one.id: Facts(birth=date(2012, 3, 4)) for one in (ANNE, BEN)})
    said = {ANNE: "2012-03-04", BEN: "2012-03-05"}
    source = [{"rows": [{"people": [{**build.reference(one), "born": day} for one, day in said.items()]}]}]

    found, emission, _ = minimised(record, grants, source, facts=facts)

    assert [len(row["people"]) for one in found for row in one["rows"]] == ([1] if item else [])
    assert emission.withheld == ((BEN, (Reason.FACTS_CONTRADICTED,)),)
    assert emission.held == ((BEN, Reason.FACTS_CONTRADICTED),)


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


@pytest.mark.parametrize(
    ("granted", "known", "here", "left"),
    [(True, True, True, 1), (True, False, True, 0), (True, True, False, 0), (False, True, True, 0)],
    ids=["leads to somebody", "nobody's yet", "of somebody who is withheld", "its record is not granted"],
)
def test_assignment_leaves_in_a_group_only_where_it_leads_the_recipient_to_one(
    *, granted: bool, known: bool, here: bool, left: int
) -> None:
    teacher = build.pupil(50, person=Person.STAFF, location="noord" if here else "zuid")
    grants = {"Group": build.group_grants()} | ({"Assignment": build.assignment_grants()} if granted else {})
    terms = build.delivery(grants)
    records = [build.group(), build.assignment()]
    mapped = build.sight(terms).thing("assignment", "a-1")
    owners = {mapped: teacher.id} if known else {}
    sight = build.sight(terms, [ANNE, teacher], records=records, owners=owners)
    emission = Emission(sight)

    body = encoded([build.group_json(1, [ANNE], assignments=["a-1", "a-2"])])
    made = build.compiled(build.group(), build.group_grants()).minimise(body, emission, many=True)

    assert [one["assignments"] for one in msgspec.json.decode(made.body)] == [[mapped][:left]]
    assert sum(issue.thing == "assignment" for issue in emission.issued) == left


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
