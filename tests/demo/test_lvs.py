"""The demo LVS speaks Edu-V as the official API says, tells what reached it, and breaks on request."""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from gateway.demo.control import FAULTS
from gateway.demo.oneroster import BASE
from gateway.demo.records import employee_reference, pupil_reference
from gateway.demo.school import MASTER, Pupil
from tests.official import needs_standards, problems
from tests.servers import CLIENT_ID, CLIENT_SECRET, RunningLvs, demo_lvs

NOORD = {"orgId": "01AB00", "orgIdType": "V_ID"}
ONLY_NOORD = {**NOORD, "filterByOrgId": "true"}
ONLY_ZUID = {"orgId": "01AB01", "orgIdType": "V_ID", "filterByOrgId": "true"}
SCHOOL = {"organisationMasterIdentifier": MASTER}
LISTS = ("/students/school", "/enrollments/school", "/assignments/school", "/groups/school", "/schoolperiods/school")


@pytest.fixture(scope="module")
def serving() -> Iterator[RunningLvs]:
    with demo_lvs() as one:
        yield one


@pytest.fixture
def lvs(serving: RunningLvs) -> RunningLvs:
    serving.reset()
    return serving


@pytest.fixture
def client(lvs: RunningLvs) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=lvs.url, trust_env=False) as client:
        token = client.post("/oauth/token", auth=_auth(), data={"grant_type": "client_credentials"}).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        yield client


def _auth() -> tuple[str, str]:
    return CLIENT_ID, "a+secret+%26+more"  # RFC 6749 section 2.3.1: form-encoded before it is joined


def pupil_at(lvs: RunningLvs, site: str = "noord") -> Pupil:
    return next(
        p
        for p in lvs.lvs.school.pupils
        if not p.left and len(p.stays) == 1 and p.stays[0].site.name == site and p.eck_id
    )


def result_of(pupil: Pupil | None, key: str = "statement-1", score: str = "7") -> dict[str, Any]:
    unknown = {"userIds": [{"userId": "999999", "userIdType": "ASI"}]}
    return {
        "id": key,
        "student": pupil_reference(pupil) if pupil else unknown,
        "results": [{"resultValue": score, "resultType": "Grade0-10", "assessmentId": "toets-1"}],
        "dateCreated": "2026-09-15T10:00:00Z",
        "dateLastModified": "2026-09-15T10:00:00Z",
    }


def message(*statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "message-1",
        "assessmentDateTime": "2026-09-15T09:00:00Z",
        "assessmentDefinition": {"id": "toets-1", "name": "Toets 1"},
        "school": SCHOOL,
        "schoolPeriod": "2026-2027",
        "timestamp": "2026-09-15T10:00:00Z",
        "studentScoresAndResults": list(statements),
    }


# -- credentials -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
def test_api_without_token_is_401_in_edu_v_shape(lvs: RunningLvs, path: str) -> None:
    answer = httpx2.get(lvs.url + path, params=NOORD, trust_env=False)
    assert (answer.status_code, answer.json()) == (401, {"status": 401, "statusMessage": "UNAUTHORIZED"})


def test_results_without_token_is_401_in_its_own_shape(lvs: RunningLvs) -> None:
    answer = httpx2.post(lvs.url + "/results", json=message(), trust_env=False)
    assert (answer.status_code, answer.json()) == (401, [{"status": 401, "statusMessage": "UNAUTHORIZED"}])


def test_token_wrong_secret_is_refused(client: httpx2.Client) -> None:
    answer = client.post("/oauth/token", auth=(CLIENT_ID, "guess"), data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_token_credentials_in_the_form_are_accepted(client: httpx2.Client) -> None:
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    del client.headers["Authorization"]
    assert client.post("/oauth/token", data=form).status_code == 200


def test_token_other_grant_is_refused(client: httpx2.Client) -> None:
    answer = client.post("/oauth/token", auth=_auth(), data={"grant_type": "password"})
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


# -- which organisation ----------------------------------------------------------------------------------


def ids(answer: httpx2.Response, key: str) -> set[str]:
    assert answer.status_code == 200
    return {record[key] for record in answer.json()}


@pytest.mark.parametrize("asked", [NOORD, {**NOORD, "filterByOrgId": "false"}, {"orgMasterId": MASTER}])
def test_list_without_filter_is_of_the_whole_school(client: httpx2.Client, asked: dict[str, str]) -> None:
    both = ids(client.get("/groups/school", params=ONLY_NOORD), "groupId") | ids(
        client.get("/groups/school", params=ONLY_ZUID), "groupId"
    )
    assert ids(client.get("/groups/school", params=asked), "groupId") == both


def test_list_with_filter_is_of_that_location_alone(client: httpx2.Client) -> None:
    noord = client.get("/enrollments/school", params=ONLY_NOORD).json()
    assert {record["location"]["name"] for record in noord} == {"Locatie Noord"}


@pytest.mark.parametrize("kind", ["V_ID", "DD_ID", "AS_ID"])
def test_list_every_kind_of_location_id_means_the_same(lvs: RunningLvs, client: httpx2.Client, kind: str) -> None:
    site = lvs.lvs.school.groups[0].site
    value = dict(site.ids)[kind]
    asked = {"orgId": value, "orgIdType": kind, "filterByOrgId": "true"}
    assert client.get("/groups/school", params=asked).content == client.get("/groups/school", params=ONLY_NOORD).content


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        ({}, 400, "ORGANISATION_MISSING"),
        ({"orgId": "01AB00"}, 400, "ORGANISATION_MISSING"),
        ({"orgId": "99ZZ00", "orgIdType": "V_ID"}, 404, "SCHOOL_NOT_FOUND"),
        ({"orgMasterId": "999Z999"}, 404, "SCHOOL_NOT_FOUND"),
        ({"orgMasterId": MASTER, "filterByOrgId": "true"}, 400, "PARAMETER_COMBINATION"),
        ({**NOORD, "filterByOrgId": "ja"}, 400, "PARAMETER_INVALID"),
    ],
)
def test_list_wrong_organisation_is_told(client: httpx2.Client, asked: dict[str, str], status: int, why: str) -> None:
    answer = client.get("/students/school", params=asked)
    assert (answer.status_code, answer.json()) == (status, {"status": status, "statusMessage": why})


def test_students_of_a_location_include_who_left_and_who_moved_away(lvs: RunningLvs, client: httpx2.Client) -> None:
    """A real LVS keeps them for the year; it is the gateway that must know better."""
    listed = {one["userIds"][0]["userId"] for one in client.get("/students/school", params=ONLY_NOORD).json()}
    gone = {str(p.number) for p in lvs.lvs.school.pupils if p.stays[0].site.name == "noord" and p.stays[0].end}
    assert gone
    assert gone <= listed


# -- filters and single records --------------------------------------------------------------------------


def test_students_of_a_subject_offering_are_its_takers(lvs: RunningLvs, client: httpx2.Client) -> None:
    subject = lvs.lvs.school.subjects["havo", 4, "bi"]
    answer = client.get("/students/school", params={**NOORD, "subjectOfferingId": subject.id})
    takers = {str(p.number) for p in lvs.lvs.school.pupils if (p.level, p.year) == ("havo", 4) and "bi" in p.subjects}
    assert {one["userIds"][0]["userId"] for one in answer.json()} == takers


def test_enrollments_filter_by_type_and_period(client: httpx2.Client) -> None:
    asked = {**NOORD, "enrollmentType": "study", "schoolPeriodId": "2025-2026"}
    found = client.get("/enrollments/school", params=asked).json()
    assert found
    assert {(one["enrollmentType"], one["schoolPeriod"]) for one in found} == {("study", "2025-2026")}


def test_groups_filter_by_type_and_by_offering(lvs: RunningLvs, client: httpx2.Client) -> None:
    subject = lvs.lvs.school.subjects["vwo", 6, "wi"]
    classes = client.get("/groups/school", params={**NOORD, "groupType": "class"}).json()
    taught = client.get("/groups/school", params={**NOORD, "subjectOfferingId": subject.id}).json()
    study = lvs.lvs.school.studies["vmbo"]
    followed = client.get("/groups/school", params={**NOORD, "studyOfferingId": study.id}).json()
    assert {one["groupType"] for one in classes} == {"class"}
    assert {one["groupName"] for one in taught} == {"N6v.wi", "Z6v.wi"}
    assert all(re.match(r"[NZ]\dm", one["groupName"]) for one in followed)


def test_assignments_filter_by_type(client: httpx2.Client) -> None:
    found = client.get("/assignments/school", params={**NOORD, "assignmentType": "coach"}).json()
    assert found
    assert all("student" in one for one in found)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("groups", "groupId"), ("enrollments", "enrollmentId"), ("assignments", "assignmentId"),
        ("schoolperiods", "schoolPeriodId"),
    ],
)  # fmt: skip
def test_single_record_is_found_by_its_id(client: httpx2.Client, kind: str, key: str) -> None:
    one = client.get(f"/{kind}/school", params=NOORD).json()[0]
    assert client.get(f"/{kind}/school/{one[key]}", params=NOORD).json() == one


def test_single_record_that_is_not_there_is_404(client: httpx2.Client) -> None:
    answer = client.get("/groups/school/nothing", params=NOORD)
    assert (answer.status_code, answer.json()) == (404, {"status": 404, "statusMessage": "NOT_FOUND"})


# -- named in a body -------------------------------------------------------------------------------------


def test_student_is_found_by_each_of_the_ids(lvs: RunningLvs, client: httpx2.Client) -> None:
    pupil = pupil_at(lvs)
    reference = pupil_reference(pupil)
    for asked in ({"userMasterIdentifier": pupil.eck_id}, *({"userIds": [one]} for one in reference["userIds"])):
        (found,) = client.post("/students", json={"school": SCHOOL, "student": asked}).json()
        assert found["bsn"] == pupil.bsn


@pytest.mark.parametrize(
    ("student", "status", "why"),
    [
        ({"userIds": [{"userId": "999999", "userIdType": "ASI"}]}, 404, "NOT_FOUND"),
        ({"userIds": []}, 400, "IDENTIFIER_MISSING"),
        ("100001", 400, "IDENTIFIER_MISSING"),
    ],
)
def test_student_that_cannot_be_found_is_told(client: httpx2.Client, student: object, status: int, why: str) -> None:
    answer = client.post("/students", json={"school": SCHOOL, "student": student})
    assert (answer.status_code, answer.json()["statusMessage"]) == (status, why)


def test_student_with_ids_of_two_pupils_is_not_found(lvs: RunningLvs, client: httpx2.Client) -> None:
    one, other = pupil_at(lvs), pupil_at(lvs, "zuid")
    mixed = {"userMasterIdentifier": one.eck_id, "userIds": pupil_reference(other)["userIds"]}
    assert client.post("/students", json={"school": SCHOOL, "student": mixed}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"school":{"organisationIds":[]},"student":{}}'])
def test_body_that_makes_no_sense_is_refused(client: httpx2.Client, body: bytes) -> None:
    assert client.post("/students", content=body).status_code in {400, 404}


def test_enrollments_of_a_student_are_theirs(lvs: RunningLvs, client: httpx2.Client) -> None:
    pupil = pupil_at(lvs)
    asked = {"school": SCHOOL, "student": pupil_reference(pupil)}
    found = client.post("/enrollments/school/student", params={"enrollmentType": "subject"}, json=asked).json()
    assert len(found) == len(pupil.subjects)
    assert all(one["student"] == pupil_reference(pupil) for one in found)


def test_assignments_of_an_employee_are_theirs(lvs: RunningLvs, client: httpx2.Client) -> None:
    _, employee = lvs.lvs.school.groups[0].teachers[0]
    asked = {"school": SCHOOL, "employee": employee_reference(employee)}
    found = client.post("/assignments/school/employee", json=asked).json()
    assert found
    assert all(one["employee"] == employee_reference(employee) for one in found)


def test_assignments_of_an_unknown_employee_is_404(client: httpx2.Client) -> None:
    asked = {"school": SCHOOL, "employee": {"userIds": [{"userId": "nobody", "userIdType": "NEPPI"}]}}
    assert client.post("/assignments/school/employee", json=asked).status_code == 404


# -- results ---------------------------------------------------------------------------------------------


def stored(client: httpx2.Client) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = client.get("/-/results").json()
    return results


def test_result_stands_at_its_pupil(lvs: RunningLvs, client: httpx2.Client) -> None:
    pupil = pupil_at(lvs)
    answer = client.post("/results", json=message(result_of(pupil)))
    assert (answer.status_code, answer.content) == (201, b"")
    assert [(one["id"], one["pupil"]) for one in stored(client)] == [("statement-1", str(pupil.number))]


def test_result_sent_again_stands_once_with_its_latest_state(lvs: RunningLvs, client: httpx2.Client) -> None:
    for score in ("7", "8"):
        client.post("/results", json=message(result_of(pupil_at(lvs), score=score)))
    (one,) = stored(client)
    assert (one["times"], one["statement"]["results"][0]["resultValue"]) == (2, "8")


def test_result_of_unknown_pupil_is_told_per_statement(lvs: RunningLvs, client: httpx2.Client) -> None:
    answer = client.post("/results", json=message(result_of(pupil_at(lvs)), result_of(None, "statement-2")))
    assert answer.status_code == 400
    assert answer.json() == [
        {"id": "statement-1", "status": 201, "statusMessage": "ACCEPTED"},
        {"id": "statement-2", "status": 404, "statusMessage": "STUDENT_NOT_FOUND"},
    ]
    assert [one["id"] for one in stored(client)] == ["statement-1"]


@pytest.mark.parametrize("body", [{}, {"school": SCHOOL, "studentScoresAndResults": {}}, message({"id": 7})])
def test_result_that_makes_no_sense_is_refused_as_a_list(client: httpx2.Client, body: dict[str, Any]) -> None:
    answer = client.post("/results", json=body)
    assert answer.status_code == 400
    assert isinstance(answer.json(), list)
    assert stored(client) == []


@needs_standards
def test_errors_are_valid_against_the_official_schema(client: httpx2.Client) -> None:
    assert problems("students-api.yaml", "StatusResponse", client.get("/students/school").json()) == []
    assert problems("results-api.yaml", "StatusResponse", client.post("/results", json={}).json()) == []


# -- what reached it, and faults -------------------------------------------------------------------------


def test_calls_tell_what_arrived_and_no_credential(client: httpx2.Client) -> None:
    client.get("/groups/school", params=ONLY_NOORD)
    client.post("/students", json={"school": SCHOOL})
    first, second = client.get("/-/calls").json()
    assert first == {
        "method": "GET", "path": "/groups/school", "query": "orgId=01AB00&orgIdType=V_ID&filterByOrgId=true",
        "bytes": 0, "body": None, "fault": None,
    }  # fmt: skip
    assert (second["method"], second["body"]) == ("POST", {"school": SCHOOL})
    assert "Bearer" not in client.get("/-/calls").text


def test_calls_can_be_forgotten(client: httpx2.Client) -> None:
    client.get("/groups/school")
    assert client.delete("/-/calls").status_code == 204
    assert client.get("/-/calls").json() == []


@pytest.mark.parametrize("body", [b"{", b'{"fault":"unheard-of"}', b'{"times":1}'])
def test_fault_that_is_not_known_is_refused(client: httpx2.Client, body: bytes) -> None:
    assert client.put("/-/fault", content=body).status_code == 400
    assert client.get("/groups/school", params=NOORD).status_code == 200


def test_control_other_path_is_404(client: httpx2.Client) -> None:
    assert client.get("/-/secrets").status_code == 404


def broken(client: httpx2.Client, fault: str, path: str = "/groups/school", **more: object) -> httpx2.Response:
    assert client.put("/-/fault", json={"fault": fault, **more}).status_code == 204
    return client.get(path, params=ONLY_NOORD)


def test_fault_spoils_as_many_calls_as_asked(client: httpx2.Client) -> None:
    statuses = [broken(client, "error-data", times=2).status_code]
    statuses += [client.get("/groups/school", params=NOORD).status_code for _ in range(2)]
    assert statuses == [500, 500, 200]


def test_fault_does_not_touch_tokens_and_control(client: httpx2.Client) -> None:
    client.put("/-/fault", json={"fault": "error-data"})
    assert client.post("/oauth/token", auth=_auth(), data={"grant_type": "client_credentials"}).status_code == 200
    assert client.get("/-/calls").status_code == 200


def test_fault_zero_times_is_none(client: httpx2.Client) -> None:
    assert broken(client, "html", times=0).headers["content-type"] == "application/json"


def test_fault_slow_answers_late_if_the_client_waits(client: httpx2.Client) -> None:
    assert broken(client, "slow", seconds=0.05).status_code == 200


def test_fault_slow_gives_up_with_its_client(client: httpx2.Client) -> None:
    client.put("/-/fault", json={"fault": "slow", "seconds": 60})
    with pytest.raises(httpx2.ReadTimeout):
        client.get("/groups/school", params=NOORD, timeout=0.1)
    assert client.get("/-/calls").json()[-1]["fault"] == "slow"


@pytest.mark.parametrize(("fault", "kept"), [("broken-before", 0), ("broken-after", 1)])
def test_fault_broken_hangs_up_before_or_after_handling(
    lvs: RunningLvs, client: httpx2.Client, fault: str, kept: int
) -> None:
    client.put("/-/fault", json={"fault": fault})
    with pytest.raises(httpx2.RemoteProtocolError):
        client.post("/results", json=message(result_of(pupil_at(lvs))))
    assert len(stored(client)) == kept
    assert client.get("/-/calls").json()[-1]["fault"] == fault


def test_fault_html_shows_pupils_on_a_page(lvs: RunningLvs, client: httpx2.Client) -> None:
    answer = broken(client, "html")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert lvs.lvs.school.pupils[0].name.full in answer.text


def test_fault_gzip_encodes_though_identity_was_asked(client: httpx2.Client) -> None:
    client.put("/-/fault", json={"fault": "gzip"})
    with client.stream("GET", "/groups/school", params=NOORD, headers={"Accept-Encoding": "identity"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw).startswith(b"[{")


def test_fault_record_type_spoils_one_active_record(client: httpx2.Client) -> None:
    records = broken(client, "record-type", "/students/school").json()
    wrong = [one for one in records if not isinstance(one["userIds"][0]["userId"], str)]
    assert [one["status"] for one in wrong] == ["active"]


def test_fault_record_type_spoils_the_record_that_was_asked(client: httpx2.Client) -> None:
    records = broken(client, "record-type", "/students/school", at=7).json()
    wrong = [place for place, one in enumerate(records) if not isinstance(one["userIds"][0]["userId"], str)]
    assert wrong == [7]


def test_fault_record_type_spoils_a_nested_reference(client: httpx2.Client) -> None:
    records = broken(client, "record-type").json()
    assert records[0]["students"][0]["userIds"][0]["userId"] == 4711


def test_fault_envelope_type_turns_the_list_into_an_object(client: httpx2.Client) -> None:
    assert list(broken(client, "envelope-type").json()) == ["items"]


def test_fault_new_field_is_in_every_object(client: httpx2.Client) -> None:
    records = broken(client, "new-field", "/students/school").json()
    assert all("religion" in one and "religion" in one["address"] for one in records)
    assert all("religion" in one["userIds"][0] for one in records)


def test_fault_error_data_tells_what_should_not_be_told(lvs: RunningLvs, client: httpx2.Client) -> None:
    answer = broken(client, "error-data", "/students/school")
    assert answer.status_code == 500
    assert pupil_at(lvs).bsn in answer.text


def test_faults_are_those_that_the_tests_name() -> None:
    assert set(FAULTS) == {
        "slow", "broken-before", "broken-after", "html", "gzip", "record-type", "envelope-type", "new-field",
        "error-data", "moves",
    }  # fmt: skip


# -- run alone -------------------------------------------------------------------------------------------


def test_lvs_run_alone_says_where_it_listens() -> None:
    command = [sys.executable, "-m", "gateway.demo.lvs", "--port", "0", "--seed", "3", "--today", "2026-09-15"]
    environment = {**os.environ, "DEMO_LVS_SECRET": "from the environment"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            secret = ("gateway", "from+the+environment")
            form = {"grant_type": "client_credentials"}
            answer = httpx2.post(f"{url}/oauth/token", auth=secret, data=form, trust_env=False)
        finally:
            process.send_signal(signal.SIGTERM)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    assert answer.status_code == 200


def test_program_on_a_port_in_use_says_so_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "gateway.demo.lvs", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert (done.returncode, done.stderr) == (1, "the demo LVS cannot listen on this port\n")


def test_fault_that_moves_a_list_leaves_as_many_in_it(client: httpx2.Client) -> None:
    asked = {"limit": "3", "sort": "sourcedId", "orderBy": "asc"}

    def told() -> tuple[list[str], str]:
        answer = client.get(f"{BASE}/users", params=asked)
        return [one["sourcedId"] for one in answer.json()["users"]], answer.headers["x-total-count"]

    before, count = told()
    broken(client, "moves")
    after, still = told()

    assert (after[:2], still) == (before[1:], count)
