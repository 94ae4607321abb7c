"""web.respond: the one exit. Its statuses, headers and error shapes; nothing of a source, no reason about a pupil."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from lxml import etree

from gateway.core.reasons import Reason
from gateway.transfer.ports import Receipt
from gateway.transfer.released import Released, Unregistered
from gateway.web.respond import BrokenOff, leave, problem
from tests.official import needs_standards, problems
from tests.simulators.left import Wire, left

pytestmark = pytest.mark.anyio

RECEIPT = Receipt("01a20297-4dc0-7000-8000-000000000001", 7)
ALLOWED = {
    b"content-type", b"content-length", b"cache-control", b"gateway-transfer", b"gateway-reason", b"purpose",
    b"www-authenticate", b"retry-after", b"allow",
}  # fmt: skip


def refused(reason: Reason, shape: str = "edu-v", about: str = "") -> Released:
    return Released(RECEIPT, reason, shape=shape, about=about)


# -- shapes --------------------------------------------------------------------------------------------------------


async def test_edu_v_error_is_a_status_response() -> None:
    sent = await left(refused(Reason.LOCATION_OUT_OF_SCOPE))

    assert sent.json() == {
        "status": 403,
        "statusMessage": "LOCATION_OUT_OF_SCOPE: The organisation asked for is outside this delivery.",
    }
    assert sent.header("content-type") == "application/json"


async def test_edu_v_results_error_is_a_list_of_them() -> None:
    (one,) = (await left(refused(Reason.BODY_INVALID, "edu-v-list"))).json()

    assert one["status"] == 400


@needs_standards
async def test_edu_v_error_follows_the_official_description() -> None:
    sent = await left(refused(Reason.NOT_AVAILABLE))

    assert problems("students-api.yaml", "StatusResponse", sent.json()) == []


async def test_error_of_no_format_is_a_problem() -> None:
    sent = await left(refused(Reason.ROUTE_UNKNOWN, "problem"))

    assert sent.header("content-type") == "application/problem+json"
    assert sent.json() == {"status": 404, "title": "ROUTE_UNKNOWN", "detail": "Unknown path."}


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("shape", ["problem", "edu-v", "edu-v-list"])
async def test_reason_that_is_not_told_is_one_word_outside(reason: Reason, shape: str) -> None:
    sent = await left(refused(reason, shape, "a declared name"))

    told = sent.header("gateway-reason")
    assert told == (reason.value if reason.meaning.told else "NOT_AVAILABLE")
    if not reason.meaning.told:
        plain = await left(refused(Reason.NOT_AVAILABLE, shape))
        assert sent.but_for_the_transfer == plain.but_for_the_transfer


def test_about_is_told_with_a_reason_that_is_told() -> None:
    _, _, body = problem("problem", Reason.PARAMETER_UNKNOWN, "declared: orgId")

    assert b"(declared: orgId)" in body


def test_sentence_for_the_school_is_told_to_its_own_system_only() -> None:
    for reason in Reason:
        body = problem("problem", reason)[2].decode()
        assert reason.meaning.school not in body
        assert reason.outward.meaning.school in problem("problem", reason, school=True)[2].decode()


@pytest.mark.parametrize("reason", list(Reason))
async def test_fault_says_word_and_sentence_and_of_a_pupil_nothing_more(reason: Reason) -> None:
    sent = await left(Released(RECEIPT, reason, shape="soap", about="a declared name", school=True))
    told = etree.fromstring(sent.body).find("{*}Body/{*}Fault")

    assert told is not None
    outward = reason.outward
    code = "Client" if outward.meaning.status < 500 else "Server"
    assert told.findtext("faultcode") == f"soap:{code}"
    assert told.findtext("faultstring") == f"{outward.value}: {outward.meaning.school}"
    assert sent.header("gateway-reason") == outward.value
    assert (b"declared" in sent.body) == reason.meaning.told


# -- headers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(Reason))
async def test_every_answer_has_allowed_headers_only(reason: Reason) -> None:
    sent = await left(refused(reason, about="x"))

    assert {name for name, _ in sent.headers} <= ALLOWED
    assert sent.header("cache-control") == "no-store"
    assert sent.header("gateway-transfer") == RECEIPT.id
    assert sent.header("content-length") == str(len(sent.body))


@pytest.mark.parametrize("reason", [Reason.RATE_LIMITED, Reason.FACTS_STALE, Reason.OVERLOADED, Reason.NOT_SENT])
async def test_answer_that_may_be_asked_again_says_when(reason: Reason) -> None:
    assert (await left(refused(reason))).header("retry-after") == "5"


@pytest.mark.parametrize("reason", [Reason.OUTCOME_UNKNOWN, Reason.UPSTREAM_FAILED, Reason.NOT_AVAILABLE])
async def test_answer_that_should_not_be_asked_again_does_not_say_when(reason: Reason) -> None:
    assert (await left(refused(reason))).header("retry-after") is None


async def test_answer_to_nobody_says_how_to_authenticate() -> None:
    sent = await left(refused(Reason.CALLER_UNAUTHENTICATED, "problem"))

    assert sent.header("www-authenticate") == 'Bearer realm="gateway"'


async def test_method_that_is_not_allowed_names_those_that_are() -> None:
    assert (await left(refused(Reason.METHOD_NOT_ALLOWED, "problem", "GET, POST"))).header("allow") == "GET, POST"


async def test_data_leave_with_their_purpose_and_without_a_reason() -> None:
    sent = await left(Released(RECEIPT, body=b"[]", purpose="oefenen"))

    assert (sent.status, sent.body) == (200, b"[]")
    assert (sent.header("purpose"), sent.header("gateway-reason")) == ("oefenen", None)


async def test_body_of_its_own_leaves_with_its_status_and_reason() -> None:
    answer = Released(RECEIPT, Reason.NOT_AVAILABLE, status=400, body=b'[{"status":404}]')
    sent = await left(answer)

    assert (sent.status, sent.body, sent.header("gateway-reason")) == (400, b'[{"status":404}]', "NOT_AVAILABLE")


async def test_unregistered_says_only_that_and_when_to_come_back() -> None:
    sent = await left(Unregistered("01a2", shape="edu-v"))

    assert (sent.status, sent.header("retry-after"), sent.header("gateway-transfer")) == (503, "5", "01a2")
    assert sent.json()["statusMessage"].startswith("REGISTER_UNAVAILABLE")


# -- streams -------------------------------------------------------------------------------------------------------


async def _parts(*parts: bytes, fails: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if fails is not None:
        raise fails


async def test_stream_has_no_length_and_ends_once() -> None:
    wire = Wire()
    await leave(Released(RECEIPT, body=_parts(b"[1", b"]")), wire)

    assert wire.left.header("content-length") is None
    assert [message.get("more_body", False) for message in wire.messages[1:]] == [True, True, False]


async def test_stream_that_fails_has_no_end_and_no_text() -> None:
    wire = Wire()

    with pytest.raises(BrokenOff) as broken:
        await leave(Released(RECEIPT, body=_parts(b"[1", fails=ValueError("Fatima"))), wire)

    assert str(broken.value) == "ValueError"
    assert all(message["more_body"] for message in wire.messages[1:])


def test_released_shows_nothing_of_its_body() -> None:
    answer: Any = Released(RECEIPT, body=b"a-pseudonym")

    assert "a-pseudonym" not in repr(answer)
