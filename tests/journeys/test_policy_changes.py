"""A change of policy works on what leaves next, in every worker, for that recipient alone; the register has it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest

from tests.journeys.driving import (
    ENROLMENTS,
    GROUPS,
    NORTH,
    STUDENTS,
    UNKNOWN,
    Demo,
    Vendor,
    replace_text,
    same_but_for_the_transfer,
    until,
    without,
)

pytestmark = pytest.mark.journey

EVERY_WORKER = 12  # connections; that one of two workers gets none of them happens once in two thousand times


def signed(text: str) -> date:
    """The demo's agreements were signed thirty days before the demo was made."""
    found = re.search(r"signed: (\S+)", text)
    assert found is not None
    return date.fromisoformat(found.group(1).strip("\"'"))


def ended_yesterday(text: str) -> str:
    yesterday = signed(text) + timedelta(days=29)
    return re.sub(r"(agreement:.*?\n  until: )\S+", rf"\g<1>{yesterday}", text, count=1, flags=re.DOTALL)


def reason(vendor: Vendor, path: str = STUDENTS) -> str | None:
    return vendor.get(path).headers.get("gateway-reason")


def every_worker(vendor: Vendor, path: str = STUDENTS) -> set[str | None]:
    return {reason(vendor, path) for _ in range(EVERY_WORKER)}


def test_agreement_that_ended_yesterday_refuses_until_it_is_renewed(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-zuid")
    with demo.edited("uitgever-zuid", ended_yesterday):
        until(lambda: reason(vendor) == "AGREEMENT_EXPIRED")
        response = vendor.get(STUDENTS)

        assert response.status_code == 403
        entry = demo.entry(response)
        assert (entry["kind"], entry["recipient"], entry["reasons"][0]) == (
            "refusal",
            "uitgever-zuid",
            "AGREEMENT_EXPIRED",
        )
    demo.gateway("recipient", "activate", "uitgever-zuid", "--by", "directeur", "--reason", "verlengd")

    assert every_worker(vendor) == {None}


def test_field_taken_from_one_file_is_gone_while_another_is_broken(demo: Demo) -> None:
    noord, zuid, toets = (demo.vendor(name) for name in ("uitgever-noord", "uitgever-zuid", "toetsaanbieder"))
    before = toets.records(ENROLMENTS)
    with demo.edited("uitgever-zuid", lambda text: text + "\n  - broken: [\n"):
        until(lambda: reason(zuid) == "SCHEMA_NOT_ACTIVE")
        with demo.edited("uitgever-noord", without("studyYear")):
            until(lambda: not has(noord, "studyYear"), seconds=5)

            assert not any(has(noord, "studyYear") for _ in range(EVERY_WORKER))
            assert every_worker(zuid) == {"SCHEMA_NOT_ACTIVE"}
            assert toets.records(ENROLMENTS) == before


def has(vendor: Vendor, field: str) -> bool:
    return any(field in one for one in vendor.records(ENROLMENTS))


def test_field_added_to_the_file_waits_for_its_activation(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-noord")

    def added(text: str) -> str:
        more = "          studyPublicId:\n            reason: Het materiaal verschilt per opleiding.\n"
        return text.replace("        Enrollment:\n", f"        Enrollment:\n{more}", 1)

    with demo.edited("uitgever-noord", added):
        zuid = demo.vendor("uitgever-zuid")
        with demo.edited("uitgever-zuid", without("studyYear")):
            until(lambda: not has(zuid, "studyYear"))  # by now both files were taken over

            assert vendor.records(ENROLMENTS)
            assert not has(vendor, "studyPublicId")


def test_file_that_is_gone_gives_its_recipient_nothing(demo: Demo) -> None:
    path = demo.file("uitgever-noord")
    text = path.read_text(encoding="utf-8")
    path.unlink()
    try:
        until(lambda: reason(demo.vendor("uitgever-noord")) == "SCHEMA_NOT_ACTIVE")

        assert reason(demo.vendor("uitgever-zuid")) is None
    finally:
        replace_text(path, text)
        until(lambda: reason(demo.vendor("uitgever-noord")) is None)


def test_suspension_works_on_the_next_request_in_every_worker(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-zuid")
    demo.gateway("recipient", "suspend", "uitgever-zuid", "--by", "directeur", "--reason", "incident")
    try:
        assert every_worker(vendor) == {"SCHEMA_NOT_ACTIVE"}
        assert reason(demo.vendor("uitgever-noord")) is None
    finally:
        demo.activate("uitgever-zuid")

    assert every_worker(vendor) == {None}
    acts = [entry for entry in demo.entries() if entry["kind"] == "change"]
    assert [act["actor"] for act in acts[-2:]] == ["demo", "directeur"]
    assert "on behalf of: directeur" in acts[-2]["detail"]


def test_suspension_needs_no_valid_file(demo: Demo) -> None:
    with demo.edited("uitgever-zuid", lambda text: "broken: [\n" + text):
        demo.gateway("recipient", "suspend", "uitgever-zuid", "--by", "directeur", "--reason", "incident")
        refused = demo.gateway(
            "recipient", "activate", "uitgever-zuid", "--by", "directeur", "--reason", "opgelost", code=3
        )
        assert "uitgever-zuid.yaml" in refused
        replace_text(demo.file("uitgever-zuid"), demo.file("uitgever-zuid").read_text()[len("broken: [\n") :])
        demo.activate("uitgever-zuid")


def test_revoked_credential_is_unknown_on_the_next_request_in_every_worker(demo: Demo) -> None:
    vendor = demo.new_client("uitgever-noord")
    assert reason(vendor) is None

    demo.gateway("client", "revoke", str(vendor.told["client_id"]), "--by", "directeur")

    assert every_worker(vendor) == {"CALLER_UNAUTHENTICATED"}
    assert reason(demo.vendor("uitgever-noord")) is None


# -- who is named --------------------------------------------------------------------------------------------------


def test_named_pupil_who_cannot_be_had_is_the_same_bytes_and_no_call(demo: Demo) -> None:
    """R25, D3."""
    noord, zuid = demo.vendor("uitgever-noord"), demo.vendor("uitgever-zuid")
    enrolments = noord.records(ENROLMENTS)
    now = max(one["schoolPeriod"] for one in enrolments)
    studies = [one for one in enrolments if one["schoolPeriod"] == now and "studyYear" in one]
    years = {one["studyYear"]: one["student"]["userIds"][0]["userId"] for one in studies}
    foreign = zuid.pseudonyms()[0]
    assert noord.student(years[2]).status_code == 200

    with demo.edited("uitgever-noord", lambda text: text.replace("years: [1, 2]", "years: [1]")):
        until(lambda: noord.student(years[2]).status_code == 404)
        calls = len(demo.lvs.calls())
        answers = [noord.student(one) for one in (years[2], foreign, UNKNOWN, "no pseudonym")]

        assert same_but_for_the_transfer(*answers)
        assert answers[0].json() == {"status": 404, "statusMessage": "NOT_AVAILABLE"}
        assert len(demo.lvs.calls()) == calls
        assert noord.student(years[1]).status_code == 200


@pytest.mark.parametrize(("path", "key"), [(ENROLMENTS, "enrollmentId"), (GROUPS, "groupId")])
def test_thing_in_a_path_is_found_by_the_recipients_own_id_alone(demo: Demo, path: str, key: str) -> None:
    noord, zuid = demo.vendor("uitgever-noord"), demo.vendor("uitgever-zuid")
    record, foreign = noord.records(path)[0], zuid.records(path)[0][key]
    own = next(iter(demo.lvs.everything(path.removeprefix("/lvs"))))[key]
    calls = demo.lvs.calls()
    absent = [noord.get(f"{path}/{one}") for one in (foreign, own, UNKNOWN)]

    assert noord.get(f"{path}/{record[key]}").json() == record
    assert same_but_for_the_transfer(*absent)
    assert absent[0].json() == {"status": 404, "statusMessage": "NOT_AVAILABLE"}
    assert len(demo.lvs.calls()) == len(calls) + 1


def test_unknown_offering_in_a_filter_is_an_empty_list_and_no_call(demo: Demo) -> None:
    calls = len(demo.lvs.calls())
    foreign = next(one["subject"] for one in demo.vendor("uitgever-zuid").records(ENROLMENTS) if "subject" in one)
    made = len(demo.lvs.calls()) - calls
    for offering in (UNKNOWN, foreign):
        response = demo.vendor("uitgever-noord").get(STUDENTS, {**NORTH, "subjectOfferingId": offering})

        assert (response.status_code, response.json()) == (200, [])
        assert "gateway-reason" not in response.headers
    assert len(demo.lvs.calls()) == calls + made


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({**NORTH, "fields": "bsn"}, "PARAMETER_UNKNOWN"),
        ({**NORTH, "sort": "familyName"}, "PARAMETER_UNKNOWN"),
        ({}, "PARAMETER_MISSING"),
        ({"orgId": "01AB00"}, "PARAMETER_MISSING"),
        ({"orgId": "01AB00", "orgIdType": "NONSENSE"}, "PARAMETER_INVALID"),
    ],
)
def test_parameter_that_is_not_as_declared_is_refused_without_a_call(
    demo: Demo, query: dict[str, str], reason: str
) -> None:
    asked = len(_vendors_calls(demo))
    response = demo.vendor("uitgever-noord").get(STUDENTS, query)

    assert (response.status_code, response.headers["gateway-reason"]) == (400, reason)
    assert "bsn" not in response.text
    assert len(_vendors_calls(demo)) == asked


def _vendors_calls(demo: Demo) -> list[dict[str, Any]]:
    """Those for students: the roster's own rounds ask for enrolments, groups and assignments meanwhile."""
    return [one for one in demo.lvs.calls() if one["path"] == "/students/school"]
