"""Where a record is malformed: the school hears which field of its schema, and what was expected there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import FieldClass, Person, Transform
from gateway.core.policy.schema import Branch, KeyIds, Node, Record, SubjectPosition
from gateway.core.release.emission import Emission
from gateway.core.release.faults import AN_ID, ELSEWHERE, ONCE, REQUIRED, Fault, Faults, add
from gateway.core.release.minimised import EnvelopeBroken
from tests import builders_csv as csv
from tests import builders_formats as build
from tests import builders_xml as xml
from tests.formats.test_csv_minimiser import ANNE as ROW
from tests.formats.test_csv_minimiser import NAMES
from tests.formats.test_json_minimiser import ANNE, BEN, students

DATE, TEXT = "format: date, as 2026-10-05", "type: string"
GRANTS = (
    build.student_grants()
    | build.keep("gender", "emailsParents")
    | build.keep(*(f"address.{part}" for part in ("street", "houseNumber", "zipCode", "city", "country")))
    | build.changed(Transform.YEAR, "dateOfBirth")
    | build.changed(Transform.INITIALS, "familyName")
)


def faults_of(wrong: dict[str, Any]) -> Faults:
    _, emission, result = students(build.student_json(ANNE), build.student_json(BEN) | wrong, grants=GRANTS)
    assert result.malformed == 1
    return emission.faults


# -- JSON ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "path", "expected"),
    [
        ({"gender": 1}, "gender", "values: "),
        ({"gender": {"value": "female"}}, "gender", "values: "),
        ({"dateOfBirth": "in maart"}, "dateOfBirth", DATE),
        ({"familyName": "123"}, "familyName", "what `transform: initials` reads"),
        ({"userIds": "las-2"}, "userIds", "items: a list"),
        ({"userIds": [{"userId": 2, "userIdType": "ASI"}]}, "userIds.userId", AN_ID),
        ({"userMasterIdentifier": {"x": 1}}, "userMasterIdentifier", AN_ID),
        ({"emailsParents": [{"a": 1}]}, "emailsParents", TEXT),
        ({"address": "Dorpsstraat 1"}, "address", "fields: an object"),
        ({"address": {"street": 5}}, "address.street", TEXT),
    ],
)
def test_malformed_json_tells_the_field_of_its_schema(wrong: dict[str, Any], path: str, expected: str) -> None:
    assert [one for one in faults_of(wrong) if one.path == path and one.expected.startswith(expected)]


def test_every_field_of_a_malformed_record_is_told() -> None:
    assert {one.path for one in faults_of({"gender": 1, "dateOfBirth": "x"})} == {"gender", "dateOfBirth"}


def test_required_field_that_is_not_there_is_told_as_such() -> None:
    fields: dict[str, Node] = {"person": Branch(build.id_fields(), required=True), "day": build.leaf(required=True)}
    record = Record("Note", Branch(fields), (build.position("person"),))
    bench = build.bench(record, build.own_slot("person") | build.keep("day"), [ANNE])
    emission = bench.emission()

    bench.minimiser.minimise(
        b'[{"person": {"userIds": [{"userId": "las-1", "userIdType": "ASI"}]}}]', emission, many=True
    )

    assert emission.faults == {Fault("day", REQUIRED): 1}


@pytest.mark.parametrize(("said", "malformed"), [("A1", 0), ("A12", 1), ("xA1", 1), ("A1\n", 1)])
def test_pattern_of_a_json_schema_fits_the_whole_text(said: str, malformed: int) -> None:
    fields: dict[str, Node] = {"code": replace(build.leaf(), pattern="[A-Z][0-9]")}
    bench = build.bench(Record("Note", Branch(fields)), build.keep("code"), [ANNE])
    emission = bench.emission()

    bench.minimiser.minimise(json.dumps([{"code": said}]).encode(), emission, many=True)

    assert emission.faults == ({Fault("code", "pattern: [A-Z][0-9]"): 1} if malformed else {})


@pytest.mark.parametrize(
    ("said", "malformed"),
    [("2026-10-05T09:30:00", 0), ("2026-10-05T09:30:00+02:00", 0), ("2026-10-05T09:30:00Z", 0), ("5 oktober", 1)],
)
def test_moment_of_json_may_lack_its_time_zone(said: str, malformed: int) -> None:
    record = Record("Note", Branch({"at": build.leaf(form="date-time")}))
    bench = build.bench(record, build.keep("at"), [ANNE])
    emission = bench.emission()

    bench.minimiser.minimise(json.dumps([{"at": said}]).encode(), emission, many=True)

    assert emission.malformed == malformed


def test_id_that_is_not_there_is_no_fault_of_the_record() -> None:
    own = build.leaf(required=True)
    fields: dict[str, Node] = {"nr": replace(own, field_class=FieldClass.ID), "year": build.leaf(kind="integer")}
    here = SubjectPosition("", Person.PUPIL, "record", None, None, KeyIds({"nr": "las-key"}, "nr"))
    grants = build.changed(Transform.PSEUDONYM, "nr") | build.keep("year")
    bench = build.bench(Record("Note", Branch(fields), (here,)), grants, [ANNE])
    emission = bench.emission()

    bench.minimiser.minimise(b'[{"year": "x"}]', emission, many=True)

    assert emission.faults == {Fault("year", "type: integer"): 1}


def test_field_that_is_not_granted_is_not_looked_at() -> None:
    _, emission, _ = students(build.student_json(BEN, gender=5, initials=7), grants=GRANTS)

    assert {one.path for one in emission.faults} == {"gender"}


def test_records_with_the_same_fault_are_counted() -> None:
    _, emission, _ = students(*(build.student_json(BEN, dateOfBirth="x") for _ in range(3)), grants=GRANTS)

    assert emission.faults == {Fault("dateOfBirth", DATE): 3}


def test_unusable_json_answer_says_where_its_records_are_malformed() -> None:
    with pytest.raises(EnvelopeBroken) as broken:
        students(*(build.student_json(BEN, gender=5) for _ in range(9)), grants=GRANTS)

    assert [(one.path, times) for one, times in broken.value.faults.items()] == [("gender", 9)]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.just("canary-8831"), lambda one: (
    st.lists(one, max_size=3) | st.dictionaries(st.just("canary-key"), one)
)), st.sampled_from(sorted(build.student_json(BEN))))  # fmt: skip
def test_no_value_or_key_of_the_source_stands_in_a_fault(value: Any, name: str) -> None:
    _, emission, _ = students(build.student_json(BEN) | {name: value}, grants=GRANTS)

    assert "canary" not in str(emission.faults)


# -- XML and CSV -----------------------------------------------------------------------------------------------


def xml_faults(inner: str, *paths: str, **parts: str) -> Faults:
    bench = xml.bench(xml.grants(*paths))
    return bench.run(xml.text(inner, **parts))[1].faults


def test_malformed_xml_tells_the_field_of_its_schema() -> None:
    assert xml_faults("<year>three</year>", "year") == {Fault("year", "type: integer"): 1}


def test_element_in_a_value_of_xml_is_told_with_its_field() -> None:
    assert xml_faults("<year><a/></year>", "year") == {Fault("year", "type: string, with no element in it"): 1}


def test_element_of_xml_that_stands_twice_is_told_with_its_field() -> None:
    assert xml_faults("<year>3</year><year>4</year>", "year") == {Fault("year", ONCE): 1}


def csv_faults(*cells: str) -> tuple[Faults, Emission]:
    out, emission = csv.bench(csv.grants("born", "year")).run(csv.text(NAMES, ROW, cells))
    assert out.malformed == 1
    return emission.faults, emission


def test_malformed_row_tells_its_column() -> None:
    faults, _ = csv_faults("00122", "Ben", "in maart", "vier", "1")

    assert [one.path for one in faults] in (["born"], ["year"])


def test_ragged_row_is_told_as_such() -> None:
    faults, _ = csv_faults("00122", "Ben")

    assert faults == {Fault("", "as many cells as the header has columns"): 1}


def test_csv_file_of_which_too_much_is_malformed_says_where() -> None:
    rows = [("00122", "Ben", "in maart", "4", "1")] * 9

    with pytest.raises(EnvelopeBroken) as broken:
        csv.bench(csv.grants("born")).run(csv.text(NAMES, *rows))

    assert broken.value.faults == {Fault("born", DATE): 9}


# -- bounds --------------------------------------------------------------------------------------------------


def test_distinct_faults_are_held_within_a_bound() -> None:
    faults = Faults()

    for number in range(1_000):
        add(faults, {Fault(f"f{number}", "text"): 1})

    assert len(faults) < 300
    assert (sum(faults.values()), faults[ELSEWHERE] > 0) == (1_000, True)
