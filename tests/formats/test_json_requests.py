"""A body that names one person: read strictly, and built anew in the source's own ids."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.policy.schema import NamedSubject
from gateway.formats.json import BodyRefused, read_named
from tests import builders_formats as build

NAMED = NamedSubject("student", "school", build.position())
SCHOOL = {"organisationIds": [{"organisationId": "01AB00", "organisationIdType": "V_ID"}]}
ASKED = {"userIds": [{"userId": "pseudonym-kanarie", "userIdType": "ASI"}]}
ANNE = build.pupil(1)


def body(**more: Any) -> bytes:
    return json.dumps({"school": SCHOOL, "student": ASKED} | more).encode()


def test_named_body_gives_its_ids_and_its_school() -> None:
    found = read_named(body(), NAMED)

    assert found.ids == (("las-key", "pseudonym-kanarie"),)
    assert found.organisation_ids == (("V_ID", "01AB00"),)
    assert found.organisation_master is None


def test_named_body_gives_the_eck_id_and_the_master_of_the_school() -> None:
    found = read_named(
        body(school={"organisationMasterIdentifier": "104A158"}, student={"userMasterIdentifier": "https://k/1"}), NAMED
    )

    assert found.ids == (("eck-id", "https://k/1"),)
    assert found.organisation_master == "104A158"


def test_upstream_body_holds_the_sources_own_id_and_nothing_of_the_callers() -> None:
    found = read_named(body(), NAMED)

    assert json.loads(found.upstream_body(ANNE)) == {
        "school": SCHOOL,
        "student": {"userIds": [{"userId": "las-1", "userIdType": "ASI"}]},
    }


def test_upstream_body_for_a_source_without_own_key_has_the_eck_id() -> None:
    one = replace(ANNE, ids={"eck-id": "https://k/1"})

    assert json.loads(read_named(body(), NAMED).upstream_body(one))["student"] == {
        "userMasterIdentifier": "https://k/1"
    }


def test_upstream_body_for_somebody_without_any_id_names_nobody() -> None:
    assert json.loads(read_named(body(), NAMED).upstream_body(replace(ANNE, ids={})))["student"] == {}


def test_named_body_of_a_format_without_typed_ids_has_the_master_only() -> None:
    named = replace(NAMED, position=replace(NAMED.position, typed=None))

    found = read_named(body(student={"userMasterIdentifier": "https://k/1"}), named)

    assert found.ids == (("eck-id", "https://k/1"),)
    assert json.loads(found.upstream_body(ANNE))["student"] == {"userMasterIdentifier": ANNE.ids["eck-id"]}


@pytest.mark.parametrize(
    "refused",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        body()[:-1] + b',"extra":1}',
        json.dumps({"student": ASKED}).encode(),
        json.dumps({"school": SCHOOL}).encode(),
        body(student={}),
        body(student={"userIds": []}),
        body(student={"userIds": None}),
        body(student={"userMasterIdentifier": ""}),
        body(student={"userIds": [{"userId": "", "userIdType": "ASI"}]}),
        body(student={"userIds": [*ASKED["userIds"], {"userId": "x", "userIdType": "BSN"}]}),
        body(student=[ASKED]),
        body(student="pseudonym-kanarie"),
        body(student=ASKED | {"name": "kanarie"}),
        body(student={"userIds": [{"userId": 5, "userIdType": "ASI"}]}),
        body(student={"userIds": [{"userId": "x", "userIdType": "BSN"}]}),
        body(student={"userIds": [{"userId": "x", "userIdType": "ASI", "more": 1}]}),
        body(student={"userIds": [{"userId": "x"}]}),
        body(school="01AB00"),
        body(school=SCHOOL | {"name": "kanarie"}),
        body(school={"organisationIds": [{"organisationId": "01AB00"}]}),
        b'{"school":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
)
def test_body_that_does_not_follow_its_schema_is_refused(refused: bytes) -> None:
    with pytest.raises(BodyRefused) as refusal:
        read_named(refused, NAMED)

    assert "kanarie" not in repr(refusal.value)
    assert refusal.value.__context__ is None


def test_named_request_shows_nobody() -> None:
    assert "kanarie" not in repr(read_named(body(), NAMED))
