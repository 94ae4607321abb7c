"""transfer.listing: by which of its ids a source knows a location."""

from __future__ import annotations

from gateway.adapters.policy.files import load_schema
from gateway.bootstrap.templates import SHARE
from gateway.core.policy.schema import Schema
from gateway.transfer.listing import list_route, named_as, organisation_query

IDS = frozenset({("OIN", "00000007000012345000"), ("V_ID", "01AB00"), ("OIE_CODE", "01AB")})


def schema() -> Schema:
    found = load_schema((SHARE / "schemas" / "edu-v-students.yaml").read_text("utf-8"), "edu-v-students")
    assert isinstance(found, Schema)
    return found


def test_source_is_named_a_location_by_kinds_of_id_that_its_schema_knows() -> None:
    assert named_as(schema(), IDS) == [("OIE_CODE", "01AB"), ("V_ID", "01AB00")]


def test_list_of_a_location_is_asked_by_its_most_particular_id() -> None:
    route = list_route(schema(), "Student")
    assert route is not None

    assert organisation_query(route, IDS) == b"orgId=01AB00&orgIdType=V_ID"
