"""What is in a value that may not leave: a national number, a text with names, what nobody released (D7, D8, R88)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.facts import Document, Facts
from gateway.core.model import Category, FieldClass, PseudonymMethod, Subject, Transform
from gateway.core.policy.schema import Branch, Leaf, LeafType, Many, Node, Record
from gateway.core.policy.terms import Grant
from gateway.core.reasons import Reason
from gateway.core.release.classified import of_document, of_text
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Share
from gateway.formats.json import JsonMinimiser
from tests import builders_formats as build
from tests.numbers import bsns
from tests.simulators.facts import SimulatedFacts

BSN, OTHERS = "123456782", "111222333"


def leaf(field_class: FieldClass, category: Category, kind: LeafType = "string", *, required: bool = False) -> Leaf:
    return Leaf(kind, category, field_class, required)


def record(**more: Node) -> Record:
    fields: dict[str, Node] = {
        **build.id_fields(),
        "givenName": leaf(FieldClass.DIRECT, Category.NAME),
        "familyName": leaf(FieldClass.DIRECT, Category.NAME),
        "familyNamePrefix": leaf(FieldClass.DIRECT, Category.NAME),
        "emailsParents": Many(leaf(FieldClass.THIRD_PERSON, Category.GUARDIANS)),
        "bsn": leaf(FieldClass.NATIONAL_NUMBER, Category.NATIONAL_NUMBER),
        "code": leaf(FieldClass.ORDINARY, Category.ORGANISATION),
        "number": leaf(FieldClass.ORDINARY, Category.ORGANISATION, "integer"),
        "tags": Many(leaf(FieldClass.ORDINARY, Category.ORGANISATION)),
        "inner": Branch({"code": leaf(FieldClass.ORDINARY, Category.ORGANISATION)}),
        "notes": Many(Branch({"text": leaf(FieldClass.FREE_TEXT, Category.OBSERVATIONS)})),
        "note": leaf(FieldClass.FREE_TEXT, Category.OBSERVATIONS),
        **more,
    }
    return Record("Student", Branch(fields), (build.position(),))


KEPT = build.keep("code", "number", "tags", "inner.code")
MASKED = build.changed(Transform.MASK, "note", "notes.text")


class Answered:
    """One answer of the source, minimised."""

    def __init__(
        self,
        *records: dict[str, Any],
        grants: dict[str, Grant] | None = None,
        of: Record | None = None,
        people: tuple[Subject, ...] = (),
        special: bool = False,
        facts: SimulatedFacts | None = None,
        elsewhere: tuple[Subject, ...] = (),
    ) -> None:
        shape = of or record()
        granted = {**build.own_slot(), **(KEPT | MASKED if grants is None else grants)}
        projection = compile_projection(shape, granted, PseudonymMethod.HMAC, special=special)
        self.people = people or tuple(build.pupil(number) for number in range(1, len(records) + 1))
        terms = build.delivery({shape.name: granted})
        self.emission = Emission(build.sight(terms, (*self.people, *elsewhere), facts=facts))
        body = [{**build.reference(one), **more} for one, more in zip(self.people, records, strict=True)]
        self.minimised = JsonMinimiser(projection).minimise(json.dumps(body).encode(), self.emission, many=True)
        self._order = sorted(self.people, key=self.emission.pseudonym)

    def __getitem__(self, place: int) -> dict[str, Any]:
        """What left of the record at this place."""
        here = [one for one in self._order if one in self.emission.released]
        found: dict[str, Any] = json.loads(self.minimised.body)[here.index(self.people[place])]
        return {name: value for name, value in found.items() if name != "userIds"}

    @property
    def blocked(self) -> list[tuple[int, str, Reason]]:
        return [(self.people.index(who), *one) for who, fields in self.emission.partial for one in fields]


# -- national numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [BSN, "1234.56.782", " 123456782", "nr 123456782"])
def test_own_bsn_in_a_field_looks_as_absent_and_is_reported(written: str) -> None:
    answered = Answered({"bsn": BSN, "code": written, "number": 7})

    assert answered[0] == {"number": 7}
    assert answered.blocked == [(0, "code", Reason.BSN_NOT_ALLOWED)]


def test_own_bsn_as_a_number_without_its_zero_is_blocked() -> None:
    answered = Answered({"bsn": "012345672", "number": 12345672})

    assert answered[0] == {}
    assert answered.blocked == [(0, "number", Reason.BSN_NOT_ALLOWED)]


def test_own_bsn_in_an_array_or_an_object_blocks_that_field_alone() -> None:
    answered = Answered({"bsn": BSN, "tags": ["a", BSN], "inner": {"code": BSN}, "code": "x"})

    assert answered[0] == {"code": "x"}
    assert answered.blocked == [(0, "tags", Reason.BSN_NOT_ALLOWED), (0, "inner.code", Reason.BSN_NOT_ALLOWED)]


def test_bsn_of_another_pupil_of_the_answer_is_blocked() -> None:
    answered = Answered({"bsn": BSN, "code": OTHERS}, {"bsn": OTHERS, "code": "x"})

    assert answered[0] == {}
    assert answered[1] == {"code": "x"}


def test_number_that_passes_the_11_proef_and_is_nobodys_stays_outside_free_text() -> None:
    answered = Answered({"bsn": BSN, "code": OTHERS, "number": 111222333})

    assert answered[0] == {"code": OTHERS, "number": 111222333}
    assert answered.blocked == []


def test_bsn_that_the_gateway_knows_by_its_digest_only_is_blocked() -> None:
    known = replace(build.pupil(1), numbers=frozenset({build.Roster().digest(BSN)}))
    answered = Answered({"code": BSN}, people=(known,))

    assert answered[0] == {}
    assert answered.blocked == [(0, "code", Reason.BSN_NOT_ALLOWED)]


def test_bsn_of_a_pupil_who_is_not_in_this_part_of_a_list_is_blocked() -> None:
    other = replace(build.pupil(9), numbers=frozenset({build.Roster().digest(OTHERS)}))
    answered = Answered({"code": f"nr {OTHERS}", "number": int(OTHERS)}, elsewhere=(other,))

    assert answered[0] == {}
    assert answered.blocked == [(0, "code", Reason.BSN_NOT_ALLOWED), (0, "number", Reason.BSN_NOT_ALLOWED)]


def test_granted_national_number_is_the_laws_to_release() -> None:
    answered = Answered({"bsn": BSN, "code": BSN}, grants=build.keep("bsn", "code"))

    assert answered[0] == {"bsn": BSN}


def test_bsn_in_a_required_field_withholds_the_record() -> None:
    required = record(code=leaf(FieldClass.ORDINARY, Category.ORGANISATION, required=True))
    answered = Answered({"bsn": BSN, "code": BSN}, {"bsn": OTHERS, "code": "x"}, of=required, grants=build.keep("code"))

    assert answered.minimised.records == 1
    assert answered[1] == {"code": "x"}
    assert dict(answered.emission.withheld) == {answered.people[0]: (Reason.BSN_NOT_ALLOWED,)}


def held(*records: tuple[Subject, dict[str, Any]], shape: Record, grants: dict[str, Grant]) -> Any:
    """The answer of a delivery on the source's own ids, and what was withheld."""
    method = PseudonymMethod.NONE
    projection = compile_projection(shape, grants, method)
    sight = build.sight(build.delivery({shape.name: grants}, method=method), [one for one, _ in records])
    emission = Emission(sight)
    body = json.dumps([more for _, more in records]).encode()
    return json.loads(JsonMinimiser(projection).minimise(body, emission, many=True).body), emission


def numbered(number: int, bsn: str) -> Subject:
    one = build.pupil(number)
    return replace(one, ids={**one.ids, "las-key": bsn})


def test_id_of_the_source_that_is_the_bsn_stays_behind() -> None:
    one, other = numbered(1, BSN), numbered(2, "20123456")
    grants = build.keep("userIds.userId", "userIds.userIdType", "code")
    records = [(who, {**build.reference(who), "bsn": BSN, "code": who.ids["nepri"]}) for who in (one, other)]

    found, emission = held(*records, shape=record(), grants=grants)

    assert sorted(json.dumps(each) for each in found) == sorted(
        [
            json.dumps({"code": "nepri-1"}),
            json.dumps({"userIds": [{"userId": "20123456", "userIdType": "ASI"}], "code": "nepri-2"}),
        ]
    )
    assert emission.partial == ((one, (("userIds", Reason.BSN_NOT_ALLOWED),)),)


def test_reference_by_bsn_withholds_the_record_that_needs_it() -> None:
    one = replace(numbered(1, BSN), numbers=frozenset({build.Roster().digest(BSN)}))
    grants = build.keep("enrollmentId", "student.userIds.userId", "student.userIds.userIdType", "enrollmentType")
    grants |= build.keep("schoolPeriod", "beginDate") | build.fillers()

    found, emission = held((one, build.enrollment_json(1, one)), shape=build.enrollment(), grants=grants)

    assert found == []
    assert dict(emission.withheld) == {one: (Reason.BSN_NOT_ALLOWED,)}


def test_list_that_nothing_sorts_keeps_its_order_with_a_judged_record_in_it() -> None:
    fields: dict[str, Node] = {"code": leaf(FieldClass.ORDINARY, Category.ORGANISATION)}
    bench = build.bench(Record("Period", Branch(fields)), build.keep("code"), [])

    found = bench.minimiser.minimise(b'[{"code":"a"},{"code":"111222333"},{"code":"c"}]', bench.emission(), many=True)

    assert json.loads(found.body) == [{"code": "a"}, {"code": "111222333"}, {"code": "c"}]


@given(bsns, st.sampled_from(["code", "inner", "tags", "note"]), st.sampled_from(["", ".", " "]))
def test_no_bsn_of_the_record_survives_in_any_field(number: str, place: str, sign: str) -> None:
    written = sign.join((number[:4], number[4:6], number[6:]))
    values = {"code": written, "inner": {"code": written}, "tags": [written], "note": f"Nummer {written}."}
    answered = Answered({"bsn": number, place: values[place]})

    assert answered[0] == {}
    assert [reason for _, _, reason in answered.blocked] == [Reason.BSN_NOT_ALLOWED]


# -- masked text -------------------------------------------------------------------------------------------


def test_names_of_the_whole_answer_are_masked_in_each_text() -> None:
    first = {"givenName": "Fatima", "familyName": "Berg", "familyNamePrefix": "van der", "note": "Zoë sloeg Fatima."}
    other = {
        "givenName": "Zoë",
        "emailsParents": ["karin.visser@thuis.example"],
        "notes": [{"text": "Visser belde F."}],
    }
    answered = Answered(first, other)

    assert answered[0] == {"note": "[naam] sloeg [naam]."}
    assert answered[1] == {"notes": [{"text": "[naam] belde F."}]}


def test_bsn_in_free_text_blocks_the_text_and_is_reported() -> None:
    answered = Answered({"note": f"Zijn nummer is {OTHERS}.", "code": "x"})

    assert answered[0] == {"code": "x"}
    assert answered.blocked == [(0, "note", Reason.BSN_NOT_ALLOWED)]


def test_number_in_free_text_that_is_no_bsn_is_masked() -> None:
    assert Answered({"note": "Bel 06-12345678."})[0] == {"note": "Bel [nummer]."}


def test_record_that_was_judged_and_is_whole_is_not_reported() -> None:
    answered = Answered({"note": "Een goede dag."})

    assert answered[0] == {"note": "Een goede dag."}
    assert answered.emission.partial == ()


def test_empty_text_leaves_empty() -> None:
    assert Answered({"note": ""})[0] == {"note": ""}


def test_text_beside_a_special_category_waits_for_a_person_who_releases_it() -> None:
    answered = Answered({"givenName": "Fatima", "note": "Fatima huilde."}, special=True)

    assert answered[0] == {}
    assert answered.blocked == [(0, "note", Reason.FREE_TEXT_BLOCKED)]
    assert answered.emission.held == ((answered.people[0], Reason.FREE_TEXT_BLOCKED),)


def test_text_that_waits_is_there_for_who_looks_and_shown_in_no_repr() -> None:
    (one,) = Answered({"givenName": "Fatima", "note": "Fatima huilde."}, special=True).emission.waiting

    assert (one.path, one.shown, one.digest) == ("note", "[naam] huilde.", of_text("Fatima huilde."))
    assert "huilde" not in repr(one)


def test_record_that_needs_a_text_nobody_released_is_held_whole() -> None:
    required = record(note=leaf(FieldClass.FREE_TEXT, Category.OBSERVATIONS, required=True))
    answered = Answered({"note": "Stil."}, of=required, special=True)

    assert answered.minimised.records == 0
    assert answered.emission.held == ((answered.people[0], Reason.FREE_TEXT_BLOCKED),)


def test_field_with_a_number_is_no_case_for_a_person() -> None:
    assert Answered({"bsn": BSN, "code": BSN}).emission.held == ()


def released(digest: bytes, **more: Any) -> SimulatedFacts:
    """To pupil 1."""
    terms: dict[str, Any] = {"purpose": "toegang", "field_class": FieldClass.FREE_TEXT, "digest": digest}
    facts = SimulatedFacts()
    facts.people[build.pupil(1).id] = Facts(documents=(Document(**(terms | more)),))
    return facts


def test_released_text_leaves_masked() -> None:
    facts = released(of_text("Fatima huilde."), recipient="uitgever")
    answered = Answered({"givenName": "Fatima", "note": "Fatima huilde."}, special=True, facts=facts)

    assert answered[0] == {"note": "[naam] huilde."}
    assert (answered.blocked, answered.emission.held, answered.emission.waiting) == ([], (), [])


def test_text_released_of_one_pupil_leaves_among_others_with_their_names_masked_too() -> None:
    facts = released(of_text("fatima sloeg zoë."))
    records = [{"givenName": "Fatima", "note": "fatima sloeg zoë."}, {"givenName": "Zoë"}]

    assert Answered(records[0], special=True, facts=facts)[0] == {"note": "[naam] sloeg zoë."}
    assert Answered(*records, special=True, facts=facts)[0] == {"note": "[naam] sloeg [naam]."}


@pytest.mark.parametrize(
    "other", [{"purpose": "iets-anders"}, {"recipient": "ander"}, {"field_class": FieldClass.DOCUMENT}]
)
def test_release_for_something_else_releases_nothing(other: dict[str, Any]) -> None:
    facts = released(of_text("Fatima huilde."), **other)

    assert Answered({"givenName": "Fatima", "note": "Fatima huilde."}, special=True, facts=facts)[0] == {}


def test_text_of_another_pupil_is_not_released_with_it() -> None:
    answered = Answered({}, {"note": "Stil."}, special=True, facts=released(of_text("Stil.")))

    assert answered[1] == {}


def test_text_about_nobody_is_released_by_nobody() -> None:
    granted = build.changed(Transform.MASK, "note")
    shape = Record("Period", Branch({"note": leaf(FieldClass.FREE_TEXT, Category.OBSERVATIONS)}))
    minimiser = JsonMinimiser(compile_projection(shape, granted, PseudonymMethod.HMAC, special=True))
    emission = Emission(build.sight(build.delivery({"Period": granted}), []))

    assert json.loads(minimiser.minimise(b'[{"note":"Stil."}]', emission, many=True).body) == [{}]


def test_text_that_changed_after_its_release_waits_again() -> None:
    facts = released(of_text("Fatima huilde."))

    assert Answered({"givenName": "Fatima", "note": "Fatima huilde hard."}, special=True, facts=facts)[0] == {}


# -- documents ---------------------------------------------------------------------------------------------

FILE = "JVBERi0="
WITH_DOCUMENT = record(
    okr=Leaf("string", Category.OBSERVATIONS, FieldClass.DOCUMENT, format="base64"),
    plan=leaf(FieldClass.DOCUMENT, Category.OBSERVATIONS),
)
DOCUMENTS = build.keep("okr", "plan", "code")


def with_document(facts: SimulatedFacts | None = None, **fields: Any) -> Answered:
    return Answered({"code": "x", **fields}, of=WITH_DOCUMENT, grants=DOCUMENTS, facts=facts)


@pytest.mark.parametrize("path", ["okr", "plan"])
def test_document_that_nobody_classified_stays_behind_and_is_a_case(path: str) -> None:
    answered = with_document(None, **{path: FILE})

    assert answered[0] == {"code": "x"}
    assert answered.blocked == [(0, path, Reason.DOCUMENT_NOT_CLASSIFIED)]
    assert answered.emission.held == ((answered.people[0], Reason.DOCUMENT_NOT_CLASSIFIED),)
    (one,) = answered.emission.waiting
    assert one.shown == ""


def test_document_leaves_once_a_person_classified_its_content() -> None:
    digest = of_document(FILE, "base64")
    assert digest is not None
    facts = released(digest, field_class=FieldClass.DOCUMENT)

    assert with_document(facts, okr=FILE)[0] == {"code": "x", "okr": FILE}
    assert with_document(facts, okr="JVBERi0x")[0] == {"code": "x"}


def test_document_is_not_released_as_a_text() -> None:
    digest = of_document(FILE, "base64")
    assert digest is not None

    assert with_document(released(digest), okr=FILE)[0] == {"code": "x"}


def test_document_that_cannot_be_read_waits_for_nobody_and_stays_behind() -> None:
    answered = with_document(okr="geen base64!")

    assert answered[0] == {"code": "x"}
    assert answered.emission.waiting == []


def test_empty_document_leaves_empty() -> None:
    assert with_document(okr="")[0] == {"code": "x", "okr": ""}


def test_pieces_of_a_long_list_are_masked_with_the_names_of_the_whole() -> None:
    granted = {**build.own_slot(), **MASKED}
    minimiser = JsonMinimiser(compile_projection(record(), granted, PseudonymMethod.HMAC))
    people = [build.pupil(1), build.pupil(2)]
    emission = Emission(build.sight(build.delivery({"Student": granted}), people))
    body = json.dumps(
        [{**build.reference(people[0]), "givenName": "Zoë"}, {**build.reference(people[1]), "note": "Zoe lachte."}]
    ).encode()

    pieces = minimiser.split(body, 1)
    last = minimiser.minimise(pieces.bodies[1], emission, many=True, share=Share(circle=pieces.circle))

    assert json.loads(last.body)[0]["note"] == "[naam] lachte."


def test_bsn_that_stands_in_another_piece_of_a_long_list_is_blocked() -> None:
    granted = {**build.own_slot(), **KEPT}
    minimiser = JsonMinimiser(compile_projection(record(), granted, PseudonymMethod.HMAC))
    people = [build.pupil(1), build.pupil(2)]
    emission = Emission(build.sight(build.delivery({"Student": granted}), people))
    records = [{**build.reference(people[0]), "code": OTHERS}, {**build.reference(people[1]), "bsn": OTHERS}]

    pieces = minimiser.split(json.dumps(records).encode(), 1)
    first = minimiser.minimise(pieces.bodies[0], emission, many=True, share=Share(circle=pieces.circle))

    assert "code" not in json.loads(first.body)[0]
    assert emission.partial == ((people[0], (("code", Reason.BSN_NOT_ALLOWED),)),)
