"""The LVS goes wrong in every way it can: a clear 502, 503 or 504, and not one byte of what it said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.canaries import Canaries
from tests.journeys.driving import ENROLMENTS, GROUPS, STUDENTS, Demo, until

pytestmark = pytest.mark.journey

BROKEN = {
    "slow": (504, "UPSTREAM_TIMEOUT"),
    "broken-before": (502, "UPSTREAM_FAILED"),
    "broken-after": (502, "UPSTREAM_FAILED"),
    "html": (502, "UPSTREAM_FAILED"),
    "gzip": (502, "UPSTREAM_FAILED"),
    "envelope-type": (502, "UPSTREAM_FAILED"),
    "error-data": (502, "UPSTREAM_FAILED"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_fault_is_told_as_it_is_without_a_byte_of_the_lvs(demo: Demo, canaries: Canaries, fault: str) -> None:
    """R107."""
    demo.lvs.fault(fault, 5)
    response = demo.vendor("uitgever-noord").get(STUDENTS)
    demo.lvs.works()

    assert (response.status_code, response.headers["gateway-reason"]) == BROKEN[fault]
    assert canaries.in_text(f"{response.headers} {response.text}") == []
    assert "set-cookie" not in response.headers
    assert canaries.in_text(demo.stderr) == []


def test_fault_is_registered_and_nobody_is_in_it(demo: Demo) -> None:
    demo.lvs.fault("error-data", 5)
    response = demo.vendor("uitgever-noord").get(STUDENTS)
    demo.lvs.works()

    entry = demo.entry(response)
    assert (entry["kind"], entry["reasons"]) == ("refusal", ["UPSTREAM_FAILED"])
    assert "released" not in entry


def test_fault_that_passes_leaves_nothing_behind(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-noord")
    before = vendor.records(STUDENTS)
    for fault in ("html", "gzip", "broken-after"):
        demo.lvs.fault(fault, 1)
        vendor.get(STUDENTS)
    demo.lvs.works()

    assert vendor.records(STUDENTS) == before


@pytest.mark.parametrize("path", [STUDENTS, ENROLMENTS])
def test_record_of_a_wrong_type_is_missing_alone(demo: Demo, path: str) -> None:
    vendor = demo.vendor("uitgever-zuid")
    before = vendor.records(path)
    demo.lvs.fault("record-type", 1)
    response = vendor.get(path)

    (missing,) = {key_of(one) for one in before} - {key_of(one) for one in response.json()}
    assert [one for one in before if key_of(one) != missing] == response.json()
    assert demo.entry(response)["malformed"] == 1


def key_of(record: dict[str, Any]) -> str:
    return str(record.get("enrollmentId") or record["userIds"][0]["userId"])


def test_new_field_never_leaves_and_is_reported_once(demo: Demo) -> None:
    """R9."""
    vendor = demo.vendor("uitgever-zuid")
    demo.lvs.fault("new-field", 1_000)
    said = [vendor.get(path).text for path in (*[STUDENTS] * 45, ENROLMENTS, GROUPS)]
    until(lambda: "Student\treligion\t" in reported(demo))
    demo.lvs.works()

    assert not [text for text in said if "religion" in text or "remonstrants" in text]
    lines = reported(demo).splitlines()
    assert len(lines) == len(set(lines))
    assert "edu-v-students\tStudent\treligion\tFIELD_UNCLASSIFIED" in lines
    findings = [detail for entry in demo.entries() if entry["kind"] == "finding" for detail in entry["detail"]]
    assert findings.count("Student.religion") == 1


def reported(demo: Demo) -> str:
    return demo.gateway("report", "fields")
