"""transfer.inquiry: a request is read by its route, strictly; what is not declared stops."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.reasons import Reason
from gateway.transfer.inquiry import Inquiry, inquire
from gateway.transfer.request import Request, Stop
from tests.simulators.world import NORTH, ORGANISATION, SCHOOL, a_request, policy, student_asked

pytestmark = pytest.mark.anyio

LIST = f"/lvs/students/school?{NORTH}"


async def inquired(target: str, *, body: Any = None, **headers: str) -> Inquiry:
    return await read(a_request(target, body=body, **headers))


async def read(request: Request) -> Inquiry:
    match = policy().router.match(request.raw_path, request.method)
    return await inquire(match, request, ORGANISATION, depth=8)


async def refused(target: str, *, body: Any = None, **headers: str) -> Stop:
    with pytest.raises(Stop) as stop:
        await inquired(target, body=body, **headers)
    return stop.value


async def test_list_names_source_schema_record_and_locations() -> None:
    call = (await inquired(LIST)).call

    assert (call.source, call.schema, call.record) == ("lvs", "edu-v-students", "Student")
    assert (call.locations, call.purpose) == (frozenset({"noord"}), None)


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "text/html, application/*;q=0.5", "APPLICATION/JSON; charset=utf-8"]
)
async def test_accept_that_allows_json_is_accepted(accept: str) -> None:
    assert (await inquired(LIST, accept=accept)).named is None


@pytest.mark.parametrize("accept", ["text/html", "", "application/xml, application/json;q=0", "application/json;q=0.0"])
async def test_accept_that_does_not_allow_json_is_refused(accept: str) -> None:
    assert (await refused(LIST, accept=accept)).reason is Reason.NOT_ACCEPTABLE


async def test_named_pupil_is_read_from_the_body() -> None:
    inquiry = await inquired("/lvs/students", body=student_asked("p-1"))

    assert inquiry.named is not None
    assert inquiry.named.ids == (("las-key", "p-1"),)
    assert inquiry.call.locations == frozenset({"noord"})


async def test_body_of_a_list_is_not_read() -> None:
    async def read_it() -> bytes:
        raise AssertionError("the body of a GET was read")

    request = a_request(LIST)
    inquiry = await read(Request("GET", request.raw_path, request.query, request.headers, request.origin, read_it))

    assert inquiry.body == b""


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "application/json"},
        {"content_type": "Application/JSON; charset=UTF-8"},
        {"content_type": 'application/json;charset="utf-8"'},
        {"content_encoding": "identity"},
    ],
)
async def test_body_of_json_in_utf8_is_read(headers: dict[str, str]) -> None:
    inquiry = await inquired("/lvs/students", body=student_asked("p-1"), **headers)

    assert inquiry.named is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "application/json; charset=latin-1"},
        {"content_type": "text/plain"},
        {"content_type": "application/json, text/plain"},
        {"content_type": ""},
        {"content_encoding": "gzip"},
    ],
)
async def test_body_of_anything_else_is_refused(headers: dict[str, str]) -> None:
    stop = await refused("/lvs/students", body=student_asked("p-1"), **headers)

    assert stop.reason is Reason.MEDIA_TYPE_UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        {"school": SCHOOL},
        {"student": {"userIds": [{"userId": "p-1", "userIdType": "ASI"}]}},
        {"school": SCHOOL, "student": {}},
        {"school": SCHOOL, "student": {"userIds": []}},
        {"school": SCHOOL, "student": {"userIds": [{"userId": 4711, "userIdType": "ASI"}]}},
        {"school": SCHOOL, "student": {"userIds": [{"userId": "p-1", "userIdType": "ASI"}]}, "fields": "*"},
    ],
)
async def test_body_that_does_not_follow_its_schema_is_refused_without_a_word_of_it(body: Any) -> None:
    stop = await refused("/lvs/students", body=body)

    assert stop.reason is Reason.BODY_INVALID
    assert "p-1" not in stop.about
    assert "4711" not in stop.about


async def test_body_that_names_no_location_of_the_school_names_none() -> None:
    body = {
        **student_asked("p-1"),
        "school": {"organisationIds": [{"organisationId": "X", "organisationIdType": "V_ID"}]},
    }

    assert (await inquired("/lvs/students", body=body)).call.locations == frozenset()


async def test_body_that_names_a_known_and_an_unknown_location_names_none() -> None:
    pairs = [*SCHOOL["organisationIds"], {"organisationId": "X", "organisationIdType": "V_ID"}]
    body = {**student_asked("p-1"), "school": {"organisationIds": pairs}}

    assert (await inquired("/lvs/students", body=body)).call.locations == frozenset()


async def test_body_without_a_school_id_names_none() -> None:
    inquiry = await inquired("/lvs/students", body={**student_asked("p-1"), "school": {}})

    assert inquiry.call.locations == frozenset()


async def test_purpose_header_is_what_is_named() -> None:
    assert (await inquired(LIST, purpose=" toegang-leermiddel ")).call.purpose == "toegang-leermiddel"


async def test_purpose_that_is_no_text_is_nobodys() -> None:
    request = a_request(LIST)
    headers = {**request.headers, b"purpose": b"\xff"}
    inquiry = await read(Request("GET", request.raw_path, request.query, headers, request.origin, request.body))

    assert inquiry.call.purpose == "\ufffd"


async def test_inquiry_shows_nobody_in_its_repr() -> None:
    inquiry = await inquired("/lvs/students", body=student_asked("a-pseudonym"))

    assert "a-pseudonym" not in repr(inquiry)


async def test_body_that_nests_deeper_than_the_bound_is_refused() -> None:
    deep: Any = {}
    for _ in range(10):
        deep = {"a": deep}

    stop = await refused("/lvs/students", body=deep)

    assert (stop.reason, stop.about) == (Reason.BODY_INVALID, "the body nests too deep")
