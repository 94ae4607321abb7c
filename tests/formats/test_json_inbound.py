"""Results that come back: taken statement by statement, through an allow-list, no person's id in any text (D9, R15)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.policy.files import load_schema
from gateway.core.model import PseudonymMethod, Transform
from gateway.core.policy.grants import leaves
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Grant
from gateway.core.release.compiler import DeliveryRefused, compile_projection
from gateway.core.release.statements import contains
from gateway.formats.json import BodyRefused, JsonInbound, Message
from gateway.formats.json.inbound import _fault
from tests import builders_formats as build
from tests.official import needs_standards, problems

TEXT = (Path(__file__).resolve().parents[2] / "schemas/edu-v-results.yaml").read_text("utf-8")
RECORD = "AssessmentScoresAndResults"
OFF = ("employees", "additionalInfo", "reviewUrl", "userMasterIdentifier")
MOMENT = "2026-11-01T10:00:00Z"
PSEUDONYM = "7d75e540-0413-8ee0-a8d5-bd20c2e3e919"


def schema() -> Schema:
    found = load_schema(TEXT, "edu-v-results")
    assert isinstance(found, Schema)
    return found


SCHEMA = schema()
WRITE = next(route.write for route in SCHEMA.routes if route.write is not None)


def granted() -> dict[str, Grant]:
    paths = [path for path, _ in leaves(SCHEMA.records[RECORD].fields) if not any(off in path for off in OFF)]
    own = {"studentScoresAndResults.student.userIds.userId": Transform.PSEUDONYM}
    return {path: Grant(path, "test", own.get(path, Transform.KEEP)) for path in paths}


def inbound(grants: Mapping[str, Grant] | None = None) -> JsonInbound:
    return JsonInbound(compile_projection(SCHEMA.records[RECORD], grants or granted(), PseudonymMethod.HMAC), WRITE)


def statement(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"s{number}",
        "student": {"userIds": [{"userId": f"pseudonym-{number}", "userIdType": "ASI"}]},
        "results": [{"resultValue": "8", "resultType": "OVG", "assessmentId": "rekenen"}],
        "dateCreated": MOMENT,
        "dateLastModified": MOMENT,
        **more,
    }


def message(*statements: Any, **more: Any) -> bytes:
    header = {
        "id": "m1",
        "assessmentDateTime": MOMENT,
        "assessmentDefinition": {"id": "rekenen", "name": "Rekentoets"},
        "school": {"organisationIds": [{"organisationId": "X1", "organisationIdType": "DD_ID"}]},
        "schoolPeriod": "2026-2027",
        "timestamp": MOMENT,
    }
    return json.dumps(header | {"studentScoresAndResults": list(statements)} | more).encode()


def forwarded(read: Message, *own: str) -> Any:
    return json.loads(inbound().forward(read, list(zip(read.statements, own, strict=True))))


def test_message_gives_its_school_and_its_statements() -> None:
    read = inbound().read(message(statement(1), statement(2)))

    assert read.organisation_ids == (("DD_ID", "X1"),)
    assert [(one.id, one.ids, one.fault) for one in read.statements] == [
        ("s1", (("las-key", "pseudonym-1"),), None),
        ("s2", (("las-key", "pseudonym-2"),), None),
    ]


def test_forwarded_message_has_the_sources_id_in_place_of_the_pseudonym_and_nothing_else_changed() -> None:
    read = inbound().read(message(statement(1)))

    sent = json.loads(message(statement(1, student={"userIds": [{"userId": "las-1", "userIdType": "ASI"}]})))
    assert forwarded(read, "las-1") == sent


def test_forwarded_message_holds_only_the_statements_chosen() -> None:
    one = inbound()
    read = one.read(message(statement(1), statement(2)))

    body = json.loads(one.forward(read, [(read.statements[1], "las-2")]))

    assert [each["id"] for each in body["studentScoresAndResults"]] == ["s2"]


def test_fields_that_are_not_granted_do_not_reach_the_administration() -> None:
    free = {"additionalInfo": "kanarie", "reviewUrl": "https://kanarie", "unknown": "kanarie"}
    employees = [{"userIds": [{"userId": "kanarie", "userIdType": "ASI"}]}]
    read = inbound().read(message(statement(1, **free), **free, employees=employees))

    assert "kanarie" not in json.dumps(forwarded(read, "las-1"))


def test_own_id_is_the_sources_key_or_nothing() -> None:
    assert inbound().own_id(build.pupil(1)) == "las-1"
    assert inbound().own_id(replace(build.pupil(1), ids={"eck-id": "e"})) is None


@needs_standards
@pytest.mark.standards
def test_forwarded_message_validates() -> None:
    read = inbound().read(message(statement(1), statement(2)))

    assert problems("results-api.yaml", RECORD, forwarded(read, "las-1", "las-2")) == []


# -- content ----------------------------------------------------------------------------------------------


def content(*statements: Any, **more: Any) -> bytes:
    return inbound().read(message(*(statements or (statement(1),)), **more)).statements[0].content


def test_content_of_a_message_sent_again_is_the_same() -> None:
    again = content(id="m2", timestamp="2026-11-02T10:00:00Z")

    assert again == content()


def test_content_does_not_depend_on_the_order_of_keys_or_on_fields_not_taken() -> None:
    turned = dict(reversed(list(statement(1).items()))) | {"unknown": 1}

    assert content(turned) == content()


@pytest.mark.parametrize(
    "changed",
    [
        {"results": [{"resultValue": "9", "resultType": "OVG", "assessmentId": "rekenen"}]},
        {"student": {"userIds": [{"userId": "pseudonym-2", "userIdType": "ASI"}]}},
        {"status": "Final"},
        {"dateLastModified": "2026-11-03T10:00:00Z"},
    ],
)
def test_content_of_a_changed_statement_differs(changed: dict[str, Any]) -> None:
    assert content(statement(1) | changed) != content()


def test_content_under_another_test_differs() -> None:
    assert content(assessmentDefinition={"id": "taal", "name": "Taaltoets"}) != content()


# -- statements that cannot be taken -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"student": None},
        {"student": "pseudonym-1"},
        {"student": {"userIds": [{"userId": 1, "userIdType": "ASI"}]}},
        {"results": "8"},
        {"results": [{"resultValue": 8, "resultType": "OVG", "assessmentId": "x"}]},
        {"results": [{"resultValue": "8", "resultType": "SOMETHING", "assessmentId": "x"}]},
        {"status": {"bsn": 1}},
        {"dateCreated": "gisteren"},
        {"missing": "yes"},
    ],
)
def test_statement_that_does_not_follow_its_schema_is_refused_alone(wrong: dict[str, Any]) -> None:
    read = inbound().read(message(statement(1) | wrong, statement(2)))

    assert [(one.id, one.fault is None) for one in read.statements] == [("s1", False), ("s2", True)]


def test_statement_without_a_readable_id_has_none() -> None:
    read = inbound().read(message({**statement(1), "id": 5}, "text", statement(1) | {"id": ""}))

    assert [(one.id, one.fault is None) for one in read.statements] == [(None, False)] * 3


def test_statement_with_ids_of_unknown_types_names_nobody() -> None:
    ids = [{"userId": "x", "userIdType": "SOMETHING"}]

    (read,) = inbound().read(message(statement(1, student={"userIds": ids}))).statements

    assert (read.ids, read.fault) == ((), None)


@pytest.mark.parametrize(
    "text", [PSEUDONYM, f"zie {PSEUDONYM.upper()}", "https://ketenid.nl/201703/" + "ab" * 64, "111222333"]
)
@pytest.mark.parametrize("where", ["statement", "header"])
def test_text_that_names_a_person_is_a_fault(text: str, where: str) -> None:
    results = [{"resultValue": text, "resultType": "OVG", "assessmentId": "x"}]
    body = message(statement(1, results=results)) if where == "statement" else message(statement(1), toolName=text)

    read = inbound().read(body)

    fault = read.statements[0].fault if where == "statement" else read.fault
    assert fault is not None
    assert text not in fault
    with pytest.raises(ValueError, match="fault"):
        inbound().forward(read, [(read.statements[0], "las-1")])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (PSEUDONYM, "pseudonym"),
        (PSEUDONYM.replace("-", ""), "pseudonym"),
        ("00000000-0000-4000-8000-000000000001", None),
        ("https://ketenid.nl/201703/abc", "ECK iD"),
        ("ab" * 64, "ECK iD"),
        ("111222333", "BSN"),
        ("bsn:111222333.", "BSN"),
        ("1112.22.333", "BSN"),
        ("111 222 333", "BSN"),
        ("111222334", None),
        ("1112223330", None),
        ("000000000", None),
        ("2026-11-22", None),
        ("een gewone zin over sommen", None),
    ],
)
def test_contains_finds_what_may_not_stand_in_text(text: str, what: str | None) -> None:
    assert contains(text) == what


def test_contains_takes_no_more_time_than_the_text_is_long() -> None:
    """One body of a recipient could otherwise hold a worker for a quarter of an hour: red, this test does not end."""
    assert contains("http://" + "ketenid" * 140_000) is None
    assert contains("http://" + "ketenid" * 140_000 + "/") == "ECK iD"
    assert contains("http://" * 140_000) is None


@pytest.mark.parametrize("path", ["id", "results.assessmentId", "scores.scoreScaleIds"])
def test_number_that_could_be_a_bsn_is_no_fault_in_an_id(path: str) -> None:
    assert _fault([(path, "111222333")]) is None


def test_number_that_could_be_a_bsn_is_a_fault_in_a_value() -> None:
    assert _fault([("results.resultValue", "111222333")]) == "results.resultValue holds a BSN"


# -- messages that cannot be taken ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        message(school=None),
        message(school={"organisationIds": [{"organisationId": 1}]}),
        message(assessmentDefinition="kanarie"),
        message(assessmentDateTime="kanarie"),
        message(studentScoresAndResults="kanarie"),
        message(studentScoresAndResults=None),
        b"[" * 50_000,
    ],
)
def test_message_that_does_not_follow_its_schema_is_refused(body: bytes) -> None:
    with pytest.raises(BodyRefused) as refusal:
        inbound().read(body)

    assert "kanarie" not in repr(refusal.value)
    assert refusal.value.__context__ is None


def test_repr_of_a_message_shows_nothing_of_it() -> None:
    read = inbound().read(message(statement(1)))

    assert "pseudonym-1" not in repr(read)
    assert "s1" not in repr(read)


@pytest.mark.parametrize(
    ("path", "transform"),
    [
        ("toolName", Transform.FIXED),
        ("assessmentDefinition.version", Transform.FIXED),
        ("studentScoresAndResults.additionalInfo", Transform.REDACT),
        ("studentScoresAndResults.scores.scoreValue", Transform.FIXED),
        ("scoreScaleDefinitions", Transform.EMPTY),
    ],
)
def test_inbound_with_a_transform_is_refused(path: str, transform: Transform) -> None:
    value = "x" if transform is Transform.FIXED else None
    others = {known: one for known, one in granted().items() if not known.startswith(f"{path}.")}

    with pytest.raises(DeliveryRefused, match=path):
        inbound(others | {path: Grant(path, "test", transform, value)})


def test_inbound_that_would_take_staff_ids_is_refused() -> None:
    with pytest.raises(DeliveryRefused):
        inbound(granted() | build.own_slot("employees"))


def named_by(*paths: str) -> dict[str, Grant]:
    others = {path: one for path, one in granted().items() if ".student." not in path}
    return others | build.keep(*(f"studentScoresAndResults.student.{path}" for path in paths))


def test_inbound_without_a_pupils_pseudonym_is_refused() -> None:
    with pytest.raises(DeliveryRefused):
        inbound(named_by())


def test_inbound_by_the_sources_own_ids_is_refused() -> None:
    """What came out under a recorded deviation is no pseudonym: it leads nowhere back."""
    grants = named_by("userIds.userId", "userIds.userIdType")

    with pytest.raises(DeliveryRefused, match="pseudonym or ECK iD only"):
        JsonInbound(compile_projection(SCHEMA.records[RECORD], grants, PseudonymMethod.NONE), WRITE)


def test_inbound_by_the_eck_id_reads_it_and_forwards_the_sources_own() -> None:
    projection = compile_projection(SCHEMA.records[RECORD], named_by("userMasterIdentifier"), PseudonymMethod.ECK_ID)
    one = JsonInbound(projection, WRITE)

    read = one.read(message(statement(1, student={"userMasterIdentifier": "https://ketenid.example/1"})))

    assert read.statements[0].ids == (("eck-id", "https://ketenid.example/1"),)
    (sent,) = json.loads(one.forward(read, [(read.statements[0], "las-1")]))["studentScoresAndResults"]
    assert sent["student"] == {"userIds": [{"userId": "las-1", "userIdType": "ASI"}]}


def test_number_that_could_be_a_bsn_is_a_fault_too() -> None:
    parts = [{"id": "p", "name": "deel", "index": 111222333}]

    read = inbound().read(message(statement(1), assessmentDefinition={"id": "a", "name": "b", "parts": parts}))

    assert read.fault == "assessmentDefinition.parts.index holds a BSN"
