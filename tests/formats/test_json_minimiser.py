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
from gateway.formats.json import Minimised
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
