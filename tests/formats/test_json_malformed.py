"""Answers in JSON of which something is not as the schema says, and answers in parts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.model import Category, FieldClass, Transform
from gateway.core.policy.schema import Branch as SchemaBranch
from gateway.core.policy.schema import Leaf, Record
from gateway.core.reasons import Reason
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.masking import LONGEST
from gateway.core.release.minimised import Share
from gateway.formats.json import EnvelopeBroken
from tests import builders_formats as build
from tests.formats.test_json_minimiser import ANNE, BEN, EVERYBODY, encoded, minimised, pseudonym, students

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

    assert one.minimiser.minimise(sent, one.emission(), many=True, share=Share(2)).malformed == 2
    with pytest.raises(EnvelopeBroken):
        one.minimiser.minimise(sent, one.emission(), many=True, share=Share(1))


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


@pytest.mark.parametrize("transform", [Transform.KEEP, Transform.MASK])
def test_free_text_of_a_length_that_nobody_reads_makes_its_record_malformed(transform: Transform) -> None:
    note = replace(build.leaf(), field_class=FieldClass.FREE_TEXT)
    record = Record("Note", SchemaBranch({**build.id_fields(), "note": note}), (build.position(),))
    grants = build.own_slot("") | build.changed(transform, "note")
    sent = [{**build.reference(one), "note": "x" * length} for one, length in ((ANNE, LONGEST), (BEN, LONGEST + 1))]

    found, emission, _ = minimised(record, grants, sent)

    assert [len(one["note"]) for one in found] == [LONGEST]
    assert dict(emission.withheld) == {BEN: (Reason.RECORD_MALFORMED,)}
    assert [(fault.path, fault.expected) for fault in emission.faults] == [
        ("note", f"type: string, of at most {LONGEST} signs")
    ]
