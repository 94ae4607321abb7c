"""What `gateway demo` prints works as printed, with either kind of credential, and its admin port says so."""

from __future__ import annotations

from pathlib import Path

import httpx2
import orjson
import pytest

from tests.builders_push import valid, within
from tests.journeys.driving import NORTH, STUDENTS, Demo, http

pytestmark = pytest.mark.journey

RECIPIENTS = [
    "distributeur-keten",
    "doorstroomtoets",
    "dyslexiebureau",
    "leeromgeving-online",
    "ocw",
    "oefenprogramma",
    "onderwijsassistent",
    "toetsaanbieder",
    "uitgever-noord",
    "uitgever-zuid",
    "uwlr-lvs-set",
    "uwlr-smalle-set",
]


def token(demo: Demo, recipient: str, *, basic: bool) -> httpx2.Response:
    told = demo.vendor(recipient).told
    form = {"grant_type": "client_credentials", "scope": "eduv.students.read"}
    with http(demo.told["gateway"]) as client:
        if basic:
            return client.post(told["token_url"], data=form, auth=(told["client_id"], told["client_secret"]))
        return client.post(told["token_url"], data=form | {k: told[k] for k in ("client_id", "client_secret")})


def test_demo_prints_a_client_for_every_recipient(demo: Demo) -> None:
    assert sorted(client["recipient"] for client in demo.told["clients"]) == RECIPIENTS
    assert all(client["calls"] for client in demo.told["clients"])


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_printed_calls_work_as_printed(demo: Demo, recipient: str) -> None:
    for call in demo.vendor(recipient).told["calls"]:
        with http(demo.told["gateway"]) as client:
            body = call["body"].encode() if isinstance(call["body"], str) else orjson.dumps(call["body"])
            sent = body if call["body"] else None
            response = client.request(call["method"], call["path"], headers=call["headers"], content=sent)

        assert response.status_code == call["status"], (call["path"], response.headers.get("gateway-reason"))


def pushed(demo: Demo, told: dict[str, str]) -> httpx2.Response:
    key = {"Gateway-Key": demo.told["school_system"]["api_key"], "Content-Type": told["content_type"]}
    with http(demo.told["gateway"], **key) as client:
        return client.post(told["url"], content=Path(told["path"]).read_bytes())


def test_printed_pushes_reach_their_recipients_as_small_as_they_may(demo: Demo) -> None:
    duo, provider = demo.told["school_system"]["pushes"]
    with http(demo.told["lvs"]) as lvs:
        lvs.delete("/-/calls")
        answers = [pushed(demo, one) for one in (duo, provider)]
        register, listed = (one["body"] for one in lvs.get("/-/calls").json() if "/ontvangers/" in one["path"])

    assert [(one.status_code, one.headers["purpose"]) for one in answers] == [
        (200, "inschrijving"),
        (202, "doorstroomtoets"),
    ]
    assert valid(within(register.encode()))
    assert b"ontvangstBevestiging>J<" in answers[0].content
    assert {one["achternaam"] for one in listed["deelnemers"]} == {"-"}
    assert not {"bsn", "voorvoegsel"} & {name for one in listed["deelnemers"] for name in one}


def test_push_whose_recipient_breaks_off_is_of_unknown_outcome_and_not_sent_again(demo: Demo) -> None:
    duo, _ = demo.told["school_system"]["pushes"]
    with http(demo.told["lvs"]) as lvs:
        lvs.delete("/-/calls")
        lvs.put("/-/fault", json={"fault": "broken-after"})
        answer = pushed(demo, duo)
        reached = [one for one in lvs.get("/-/calls").json() if "/ontvangers/" in one["path"]]

    assert (answer.status_code, answer.headers["gateway-reason"]) == (500, "OUTCOME_UNKNOWN")  # a SOAP fault
    assert len(reached) == 1


def test_first_printed_call_is_the_students_of_a_subject_offering(demo: Demo) -> None:
    for recipient in ("uitgever-noord", "uitgever-zuid", "toetsaanbieder", "distributeur-keten"):
        first = demo.vendor(recipient).told["calls"][0]

        assert first["path"].startswith(f"{STUDENTS}?")
        assert "subjectOfferingId=" in first["path"]


@pytest.mark.parametrize("basic", [True, False], ids=["basic", "form"])
def test_token_of_client_credentials_reads(demo: Demo, *, basic: bool) -> None:
    issued = token(demo, "uitgever-noord", basic=basic)
    bearer = {"Authorization": f"Bearer {issued.json()['access_token']}"}
    with http(demo.told["gateway"], **bearer) as client:
        response = client.get(STUDENTS, params=NORTH)

    assert (issued.status_code, response.status_code) == (200, 200)
    assert issued.headers["cache-control"] == "no-store"


def test_wrong_secret_gets_no_token(demo: Demo) -> None:
    told = demo.vendor("uitgever-noord").told
    form = {"grant_type": "client_credentials", "client_id": told["client_id"], "client_secret": "another"}
    with http(demo.told["gateway"]) as client:
        response = client.post("/oauth/token", data=form)

    assert (response.status_code, response.json()) == (401, {"error": "invalid_client"})


def test_school_credential_reads_nothing(demo: Demo) -> None:
    made = orjson.loads(demo.gateway("client", "new", "--school", "--by", "directeur"))
    with http(demo.told["gateway"], **{"Gateway-Key": made["api_key"]}) as client:
        response = client.get(STUDENTS, params=NORTH)

    assert (response.status_code, response.headers["gateway-reason"]) == (403, "CALLER_NOT_RECIPIENT")


def test_purpose_that_differs_from_the_credentials_is_refused(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-noord")

    assert vendor.get(STUDENTS, Purpose="toegang-leermiddel").status_code == 200
    assert vendor.get(STUDENTS, Purpose="reclame").headers["gateway-reason"] == "PURPOSE_FORBIDDEN"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE"])
def test_other_methods_are_not_allowed(demo: Demo, method: str) -> None:
    response = demo.vendor("uitgever-noord").call(method, STUDENTS, query=NORTH)

    assert (response.status_code, response.headers["allow"]) == (405, "GET")


def test_admin_is_healthy_ready_and_counts(demo: Demo) -> None:
    demo.vendor("uitgever-noord").get(STUDENTS)
    with http(demo.told["admin"]) as admin:
        healthy, ready, metrics = (admin.get(path) for path in ("/healthz", "/readyz", "/metrics"))

    assert (healthy.status_code, ready.json()["database"], ready.json()["roster lvs"]) == (200, True, True)
    assert 'gateway_answers_total{outcome="released",recipient="uitgever-noord"}' in metrics.text


def test_data_are_not_on_the_admin_port(demo: Demo) -> None:
    with http(demo.told["admin"], **{"Gateway-Key": demo.vendor("uitgever-noord").told["api_key"]}) as admin:
        assert admin.get(STUDENTS, params=NORTH).status_code == 404
