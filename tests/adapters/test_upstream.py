"""The LVS over real sockets: what an answer must be, what a failure means, and that nothing of it is told."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import logging
import ssl
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.adapters.lvs.token import Client
from gateway.adapters.lvs.upstream import HttpUpstream, Source, system_trust, trust_for
from gateway.adapters.lvs.wire import Limits, Origin
from gateway.core.gate.decide import Permit
from gateway.demo.control import FAULTS, Fault
from gateway.demo.records import pupil_reference
from gateway.demo.school import MASTER
from gateway.formats.xml.soap import Authorisation, authorisation, authorised
from gateway.transfer.ports import (
    NotSent,
    OutcomeUnknown,
    UpstreamAnswer,
    UpstreamCall,
    UpstreamFailed,
    UpstreamTimeout,
)
from tests.servers import CLIENT_ID, CLIENT_SECRET, LOOPS, RunningLvs, Turn, answer, free_port, scripted

pytestmark = pytest.mark.anyio

QUERY = "orgId=01AB00&orgIdType=V_ID&filterByOrgId=true"
GROUPS = UpstreamCall("lvs", "GET", "/groups/school", QUERY)
STUDENTS = UpstreamCall("lvs", "GET", "/students/school", QUERY)
QUICK = Limits(connect=5.0, first_byte=1.0, total=10.0)


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@asynccontextmanager
async def upstream(
    url: str, client: Client | None = None, limits: Limits | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[HttpUpstream]:
    one = HttpUpstream({"lvs": Source(url, client)}, (lambda: tls) if tls else system_trust, limits or Limits())
    try:
        yield one
    finally:
        await one.close()


@pytest.fixture
async def demo(lvs: RunningLvs) -> AsyncIterator[HttpUpstream]:
    async with upstream(lvs.url, known(lvs)) as one:
        yield one


@pytest.fixture
async def hurried(lvs: RunningLvs) -> AsyncIterator[HttpUpstream]:
    """One that does not wait long for an LVS that is slow."""
    async with upstream(lvs.url, known(lvs), QUICK) as one:
        yield one


def known(lvs: RunningLvs, secret: str = CLIENT_SECRET) -> Client:
    return Client(lvs.url + "/oauth/token", CLIENT_ID, secret)


def result(lvs: RunningLvs, user_id: str | None = None) -> UpstreamCall:
    pupil = lvs.lvs.school.pupils[0]
    student = {"userIds": [{"userId": user_id, "userIdType": "ASI"}]} if user_id else pupil_reference(pupil)
    body = {
        "school": {"organisationMasterIdentifier": MASTER},
        "studentScoresAndResults": [{"id": "s", "student": student}],
    }
    return UpstreamCall("lvs", "POST", "/results", "", msgspec.json.encode(body))


# -- a call that goes well -------------------------------------------------------------------------------


async def test_read_is_the_lvs_s_own_bytes(demo: HttpUpstream, permit: Permit, lvs: RunningLvs) -> None:
    read = await demo.read(permit, GROUPS)
    expected = lvs.lvs.answers.groups({"orgId": "01AB00", "orgIdType": "V_ID", "filterByOrgId": "true"})
    assert read == UpstreamAnswer(200, "application/json", expected)


async def test_read_with_a_body_is_posted(demo: HttpUpstream, permit: Permit, lvs: RunningLvs) -> None:
    pupil = lvs.lvs.school.pupils[0]
    body = {"school": {"organisationMasterIdentifier": MASTER}, "student": pupil_reference(pupil)}
    read = await demo.read(permit, UpstreamCall("lvs", "POST", "/students", "", msgspec.json.encode(body)))
    assert msgspec.json.decode(read.body)[0]["bsn"] == pupil.bsn
    assert lvs.lvs.control.calls[-1]["body"] == body


async def test_read_says_what_is_accepted_and_nothing_of_the_caller(permit: Permit) -> None:
    with scripted(Turn([answer()])) as server:
        async with upstream(server.url) as one:
            await one.read(permit, GROUPS)
    assert server.requests == [
        b"GET /groups/school?%s HTTP/1.1\r\nHost: localhost:%d\r\nAccept-Encoding: identity\r\n"
        b"User-Agent: dataminimalisatie-gateway\r\nAccept: application/json\r\n\r\n" % (QUERY.encode(), server.port)
    ]


MESSAGE = UpstreamCall("lvs", "POST", "/uwlr", body=b"<ask/>", action="Haal")
XML = b"HTTP/1.1 %s\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>"


@asynccontextmanager
async def by_message(url: str) -> AsyncIterator[HttpUpstream]:
    header = authorised("secret-of-the-school", "code", "De School")
    one = HttpUpstream({"lvs": Source(url, header=header)}, system_trust, QUICK)
    try:
        yield one
    finally:
        await one.close()


@pytest.mark.parametrize("writes", [False, True])
async def test_message_carries_the_school_s_own_authorisation(permit: Permit, writes: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with scripted(Turn([XML % b"200 OK"])) as server:
        async with by_message(server.url) as one:
            found = await (one.write(permit, MESSAGE) if writes else one.read(permit, MESSAGE))
    assert found == UpstreamAnswer(200, "text/xml", b"<a/>")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b'soapaction: "haal"' in head.lower()
    assert b"content-type: text/xml; charset=utf-8" in head.lower()
    assert authorisation(body) == Authorisation("secret-of-the-school", "code")
    assert b"<soap:Body><ask/></soap:Body>" in body


async def test_fault_is_an_answer_to_a_write_and_none_to_a_read(permit: Permit) -> None:
    with scripted(Turn([XML % b"500 No"]), Turn([XML % b"500 No"])) as server:
        async with by_message(server.url) as one:
            assert (await one.write(permit, MESSAGE)).status == 500
            with pytest.raises(UpstreamFailed):
                await one.read(permit, MESSAGE)


async def test_answer_to_a_message_that_is_no_xml_is_unusable(permit: Permit) -> None:
    with scripted(Turn([answer()])) as server:
        async with by_message(server.url) as one:
            with pytest.raises(UpstreamFailed):
                await one.read(permit, MESSAGE)


async def test_source_that_is_not_called_is_sent_nothing(permit: Permit) -> None:
    one = HttpUpstream({}, system_trust, QUICK)
    with pytest.raises(NotSent):
        await one.read(permit, GROUPS)


async def test_read_of_what_is_not_there_is_a_404_without_body(demo: HttpUpstream, permit: Permit) -> None:
    assert await demo.read(permit, UpstreamCall("lvs", "GET", "/groups/school/nothing", QUERY)) == UpstreamAnswer(
        404, "", b""
    )


async def test_read_path_prefix_of_the_source_comes_first(permit: Permit) -> None:
    with scripted(Turn([answer()])) as server:
        async with upstream(server.url + "/edu-v/v1/") as one:
            await one.read(permit, GROUPS)
    assert server.requests[0].startswith(b"GET /edu-v/v1/groups/school?")


async def test_write_accepted_stands_once(demo: HttpUpstream, permit: Permit, lvs: RunningLvs) -> None:
    written = await demo.write(permit, result(lvs))
    assert written == UpstreamAnswer(201, "", b"")
    assert [one["times"] for one in lvs.lvs.results.values()] == [1]


async def test_write_refused_brings_the_status_per_statement(
    demo: HttpUpstream, permit: Permit, lvs: RunningLvs
) -> None:
    written = await demo.write(permit, result(lvs, "999999"))
    assert written.status == 400
    assert msgspec.json.decode(written.body) == [{"id": "s", "status": 404, "statusMessage": "STUDENT_NOT_FOUND"}]


async def test_write_goes_over_a_connection_of_its_own(permit: Permit) -> None:
    done = answer(status=b"201 Created")
    with scripted(Turn([done, done]), Turn([done, done])) as server:
        async with upstream(server.url) as one:
            for _ in range(2):
                await one.write(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))
        assert server.connections == 2


# -- faults ----------------------------------------------------------------------------------------------

READ_FAULTS = {
    "slow": UpstreamTimeout,
    "broken-before": UpstreamFailed,
    "broken-after": UpstreamFailed,
    "html": UpstreamFailed,
    "gzip": UpstreamFailed,
    "error-data": UpstreamFailed,
}
WRITE_FAULTS = {
    "slow": OutcomeUnknown,
    "broken-before": OutcomeUnknown,
    "broken-after": OutcomeUnknown,
    "html": UpstreamFailed,
    "error-data": UpstreamFailed,
}
PASSED_ON = {"record-type", "envelope-type", "new-field", "moves"}  # what is in an answer is judged elsewhere


def test_faults_each_have_their_meaning() -> None:
    assert READ_FAULTS.keys() | PASSED_ON == set(FAULTS)


@pytest.mark.parametrize(("fault", "error"), READ_FAULTS.items())
async def test_read_fault_is_told_as_what_it_is(
    hurried: HttpUpstream, permit: Permit, lvs: RunningLvs, fault: str, error: type[Exception]
) -> None:
    await hurried.read(permit, GROUPS)
    lvs.lvs.control.fault = Fault(fault)
    with pytest.raises(error):
        await hurried.read(permit, GROUPS)


@pytest.mark.parametrize("fault", sorted(PASSED_ON))
async def test_read_fault_inside_json_is_passed_on(
    demo: HttpUpstream, permit: Permit, lvs: RunningLvs, fault: str
) -> None:
    lvs.lvs.control.fault = Fault(fault)
    assert (await demo.read(permit, GROUPS)).status == 200


@pytest.mark.parametrize("fault", sorted(READ_FAULTS))
async def test_read_after_a_fault_is_in_step(
    hurried: HttpUpstream, permit: Permit, lvs: RunningLvs, fault: str
) -> None:
    lvs.lvs.control.fault = Fault(fault)
    with pytest.raises((UpstreamFailed, UpstreamTimeout)):
        await hurried.read(permit, GROUPS)
    assert b"groupId" in (await hurried.read(permit, GROUPS)).body
    assert b"givenName" in (await hurried.read(permit, STUDENTS)).body


@pytest.mark.parametrize(("fault", "error"), WRITE_FAULTS.items())
async def test_write_fault_is_told_as_what_it_is(
    hurried: HttpUpstream, permit: Permit, lvs: RunningLvs, fault: str, error: type[Exception]
) -> None:
    lvs.lvs.control.fault = Fault(fault)
    with pytest.raises(error):
        await hurried.write(permit, result(lvs))
    assert len(lvs.lvs.control.calls) == 1


async def test_write_outcome_unknown_may_stand_at_the_lvs(demo: HttpUpstream, permit: Permit, lvs: RunningLvs) -> None:
    lvs.lvs.control.fault = Fault("broken-after")
    with pytest.raises(OutcomeUnknown):
        await demo.write(permit, result(lvs))
    assert len(lvs.lvs.results) == 1


@pytest.mark.parametrize("fault", ["html", "gzip"])
async def test_write_refusal_that_is_not_json_keeps_its_status_only(permit: Permit, fault: str) -> None:
    headers = {
        "html": [b"Content-Type: text/html"],
        "gzip": [b"Content-Type: application/json", b"Content-Encoding: gzip"],
    }
    refused = answer(b"Femke", *headers[fault], status=b"400 Bad Request")
    with scripted(Turn([refused])) as server:
        async with upstream(server.url) as one:
            written = await one.write(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))
    assert written == UpstreamAnswer(400, "", b"")


@pytest.mark.parametrize("status", [b"201 Created", b"200 OK"])
async def test_write_success_that_is_not_json_is_no_success(permit: Permit, status: bytes) -> None:
    with scripted(Turn([answer(b"<h1>Inloggen</h1>", b"Content-Type: text/html", status=status)])) as server:
        async with upstream(server.url) as one:
            with pytest.raises(UpstreamFailed):
                await one.write(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))


async def test_write_answer_too_large_is_no_answer(permit: Permit) -> None:
    with scripted(Turn([answer(b"[" + b" " * 100 + b"]", status=b"201 Created")])) as server:
        async with upstream(server.url, limits=Limits(body=64)) as one:
            with pytest.raises(UpstreamFailed):
                await one.write(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 201 Cre", b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{", b"junk\r\n\r\n"]
)
async def test_write_answer_cut_off_leaves_the_outcome_unknown(permit: Permit, said: bytes) -> None:
    with scripted(Turn([said])) as server:
        async with upstream(server.url) as one:
            with pytest.raises(OutcomeUnknown):
                await one.write(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))
        assert len(server.requests) == 1


async def test_write_reset_leaves_the_outcome_unknown(permit: Permit) -> None:
    with scripted(Turn([b""], resets=True)) as server:
        async with upstream(server.url) as one:
            with pytest.raises(OutcomeUnknown):
                await one.write(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))


async def test_write_total_time_counts_from_the_start(permit: Permit) -> None:
    with scripted(Turn([b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{"], holds=True)) as server:
        async with upstream(server.url, limits=Limits(first_byte=60.0, total=0.2)) as one:
            with anyio.fail_after(10), pytest.raises(OutcomeUnknown):
                await one.write(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_nobody_listening_is_not_sent(permit: Permit, kind: str) -> None:
    async with upstream(f"http://127.0.0.1:{free_port()}") as one:
        with pytest.raises(NotSent):
            await getattr(one, kind)(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))


# -- what a read's answer must be ------------------------------------------------------------------------

REFUSED = {
    "redirect": answer(b"", b"Location: /elsewhere", status=b"302 Found"),
    "part": answer(status=b"206 Partial Content"),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "forbidden": answer(status=b"403 Forbidden"),
    "text": answer(b"[]", b"Content-Type: text/plain"),
    "json in name only": answer(b"[]", b"Content-Type: text/json+html"),
    "no type": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "two types": answer(b"[]", b"Content-Type: application/json", b"Content-Type: text/html"),
    "deflate": answer(b"[]", b"Content-Type: application/json", b"Content-Encoding: deflate"),
    "two encodings": answer(b"[]", b"Content-Encoding: identity", b"Content-Encoding: br"),
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED.keys())
async def test_read_answer_that_is_not_plain_json_is_refused(permit: Permit, said: bytes) -> None:
    with scripted(Turn([said])) as server:
        async with upstream(server.url) as one:
            with pytest.raises(UpstreamFailed):
                await one.read(permit, GROUPS)
        assert len(server.requests) == 1


@pytest.mark.parametrize("header", [b"application/json; charset=utf-8", b"Application/JSON", b"application/hal+json"])
async def test_read_json_by_any_of_its_names_is_taken(permit: Permit, header: bytes) -> None:
    said = answer(b"[]", b"Content-Type: " + header, b"Content-Encoding: Identity")
    with scripted(Turn([said])) as server:
        async with upstream(server.url) as one:
            assert (await one.read(permit, GROUPS)).body == b"[]"


async def test_read_cookie_is_not_kept(permit: Permit) -> None:
    with scripted(Turn([answer(b"[]", b"Set-Cookie: session=1; Path=/"), answer()])) as server:
        async with upstream(server.url) as one:
            for _ in range(2):
                await one.read(permit, GROUPS)
    assert b"cookie" not in server.requests[1].lower()


# -- the token -------------------------------------------------------------------------------------------


async def test_token_is_asked_once_for_many_calls(demo: HttpUpstream, permit: Permit, lvs: RunningLvs) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(demo.read, permit, GROUPS)
    assert len(lvs.lvs.credentials.tokens) == 1


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_token_refused_is_renewed_once(demo: HttpUpstream, permit: Permit, lvs: RunningLvs, kind: str) -> None:
    await demo.read(permit, GROUPS)
    lvs.lvs.credentials.tokens.clear()
    lvs.lvs.control.calls.clear()
    done = await (demo.read(permit, GROUPS) if kind == "read" else demo.write(permit, result(lvs)))
    assert done.status in {200, 201}
    assert len(lvs.lvs.control.calls) == 2
    assert len(lvs.lvs.results) == (1 if kind == "write" else 0)


async def test_token_refused_to_many_is_renewed_once_for_all(
    demo: HttpUpstream, permit: Permit, lvs: RunningLvs
) -> None:
    await demo.read(permit, GROUPS)
    lvs.lvs.credentials.tokens.clear()
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(demo.read, permit, GROUPS)
    assert len(lvs.lvs.credentials.tokens) == 1


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_token_refused_twice_is_a_failure(permit: Permit, kind: str) -> None:
    no = answer(status=b"401 Unauthorized")
    token = answer(b'{"access_token":"t","token_type":"bearer"}')
    with (
        scripted(Turn([token]), Turn([token])) as authority,
        scripted(Turn([no, no], holds=True), Turn([no])) as server,
    ):
        client = Client(authority.url + "/token", CLIENT_ID, CLIENT_SECRET)
        async with upstream(server.url, client) as one:
            with pytest.raises(UpstreamFailed):
                await getattr(one, kind)(permit, GROUPS)
        assert len(server.requests) == len(authority.requests) == 2


@pytest.mark.parametrize(("life", "asked"), [(3600, 1), (0, 2)])
async def test_token_is_renewed_before_it_ends(permit: Permit, life: int, asked: int) -> None:
    token = answer(b'{"access_token":"t","token_type":"Bearer","expires_in":%d}' % life)
    with scripted(Turn([token]), Turn([token])) as authority, scripted(Turn([answer(), answer()])) as server:
        client = Client(authority.url + "/token", CLIENT_ID, CLIENT_SECRET)
        async with upstream(server.url, client) as one:
            for _ in range(2):
                await one.read(permit, GROUPS)
        assert len(authority.requests) == asked


async def test_token_request_is_as_rfc_6749_says(permit: Permit) -> None:
    token = answer(b'{"access_token":"the-token","token_type":"Bearer"}')
    with scripted(Turn([token])) as authority, scripted(Turn([answer()])) as server:
        client = Client(authority.url + "/token", "gate way", "a:b&c", scope="eduv.student.basic eduv.association")
        async with upstream(server.url, client) as one:
            await one.read(permit, GROUPS)
    head, _, form = authority.requests[0].partition(b"\r\n\r\n")
    assert b"Basic " + base64.b64encode(b"gate+way:a%3Ab%26c") in head
    assert form == b"grant_type=client_credentials&scope=eduv.student.basic+eduv.association"
    assert b"Authorization: Bearer the-token\r\n" in server.requests[0]


async def test_token_is_asked_with_the_query_of_its_address(permit: Permit) -> None:
    """Somtoday is told there which school asks."""
    token = answer(b'{"access_token":"the-token","token_type":"Bearer"}')
    with scripted(Turn([token])) as authority, scripted(Turn([answer()])) as server:
        client = Client(authority.url + "/oauth2/token?organisation=1349fac3", CLIENT_ID, CLIENT_SECRET)
        async with upstream(server.url, client) as one:
            await one.read(permit, GROUPS)
    assert authority.requests[0].startswith(b"POST /oauth2/token?organisation=1349fac3 HTTP/1.1\r\n")


BAD_TOKENS = {
    "refused": answer(b'{"error":"invalid_client"}', status=b"401 Unauthorized"),
    "page": answer(b"<h1>Inloggen</h1>", b"Content-Type: text/html"),
    "no token": answer(b'{"token_type":"Bearer"}'),
    "other type": answer(b'{"access_token":"t","token_type":"mac"}'),
    "line break": answer(b'{"access_token":"t\\r\\nX-Evil: 1","token_type":"Bearer"}'),
    "empty": answer(b'{"access_token":"","token_type":"Bearer"}'),
    "not json": answer(b"{"),
    "too large": answer(b'{"access_token":"t","token_type":"Bearer"}' + b" " * 70_000),
}


@pytest.mark.parametrize("said", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
async def test_token_that_is_none_fails_the_read_and_sends_no_write(permit: Permit, said: bytes) -> None:
    with scripted(Turn([said]), Turn([said])) as authority, scripted() as server:
        client = Client(authority.url + "/token", CLIENT_ID, CLIENT_SECRET)
        async with upstream(server.url, client) as one:
            with pytest.raises(UpstreamFailed):
                await one.read(permit, GROUPS)
            with pytest.raises(NotSent):
                await one.write(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))
        assert server.requests == []


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_token_server_that_breaks_off_means_not_sent(permit: Permit, kind: str) -> None:
    with scripted(Turn([b""])) as authority, scripted() as server:
        client = Client(authority.url + "/token", CLIENT_ID, CLIENT_SECRET)
        async with upstream(server.url, client) as one:
            with pytest.raises(NotSent):
                await getattr(one, kind)(permit, UpstreamCall("lvs", "POST", "/results", "", b"{}"))
        assert server.requests == []


# -- house rules -----------------------------------------------------------------------------------------


async def test_permit_for_another_source_reads_nothing(permit: Permit) -> None:
    with scripted() as server:
        one = HttpUpstream({"lvs": Source(server.url), "other": Source(server.url)}, system_trust, Limits())
        for call in (one.read, one.write):
            with pytest.raises(ValueError, match="another source"):
                await call(permit, UpstreamCall("other", "GET", "/groups/school"))
        await one.close()
        assert server.requests == []


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_target_that_is_not_encoded_is_not_sent(permit: Permit, kind: str) -> None:
    with scripted() as server:
        async with upstream(server.url) as one:
            for path in ("/results/../a b", "/r\r\nX-Evil: 1", "/café"):
                with pytest.raises(ValueError, match="not encoded"):
                    await getattr(one, kind)(permit, UpstreamCall("lvs", "POST", path, "", b"{}"))
        assert server.connections == 0


@pytest.mark.parametrize("fault", sorted(READ_FAULTS))
async def test_error_tells_nothing_of_call_or_answer(
    hurried: HttpUpstream, permit: Permit, lvs: RunningLvs, fault: str
) -> None:
    for act in (hurried.read(permit, GROUPS), hurried.write(permit, result(lvs))):
        lvs.lvs.control.fault = Fault(fault)
        try:
            await act
        except (NotSent, OutcomeUnknown, UpstreamFailed, UpstreamTimeout) as error:
            told = "".join(traceback.format_exception(error)) + repr(error.args)
            assert not {word for word in ("127.0.0.1", "01AB00", "Bearer ey", _a_name(lvs), "orgId") if word in told}


def _a_name(lvs: RunningLvs) -> str:
    return lvs.lvs.school.pupils[0].name.full


async def test_nothing_is_logged(
    demo: HttpUpstream, permit: Permit, lvs: RunningLvs, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await demo.read(permit, GROUPS)
        await demo.write(permit, result(lvs))
    # The LVS runs in this process too; what its server logs is its own.
    assert [record for record in caplog.records if not record.name.startswith("uvicorn.")] == []


def test_repr_shows_no_secret() -> None:
    assert "hush" not in repr(Source("http://lvs.example", Client("http://lvs.example/token", "gateway", "hush")))


@pytest.mark.parametrize(
    "url",
    [
        "lvs.example",
        "ftp://lvs.example",
        "http://",
        "https://user:pw@lvs.example",
        "https://lvs.example/?a=1",
        "http://x/#a",
    ],
)
def test_origin_of_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the URL of a source"):
        Origin.of(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://lvs.example", Origin(True, "lvs.example", 443, "lvs.example", "")),
        ("http://lvs.example/api/", Origin(False, "lvs.example", 80, "lvs.example", "/api")),
        ("http://[::1]:8090", Origin(False, "::1", 8090, "[::1]:8090", "")),
    ],
)
def test_origin_of_a_url_is_read(url: str, origin: Origin) -> None:
    assert Origin.of(url) == origin


# -- TLS -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate of `localhost`, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path


def tls_server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_tls_of_a_trusted_server_is_used(permit: Permit, certificate: Path, kind: str) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    with scripted(Turn([answer()]), tls=tls_server(certificate)) as server:
        async with upstream(server.url, tls=trust) as one:
            done = await getattr(one, kind)(permit, UpstreamCall("lvs", "POST", "/students", "", b"{}"))
    assert done.status == 200


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_tls_of_an_unknown_server_means_not_sent(permit: Permit, certificate: Path, kind: str) -> None:
    with scripted(Turn([answer()]), tls=tls_server(certificate)) as server:
        async with upstream(server.url) as one:
            with pytest.raises(NotSent):
                await getattr(one, kind)(permit, UpstreamCall("lvs", "POST", "/students", "", b"{}"))
            await anyio.to_thread.run_sync(server.ended.wait)
        assert server.requests == []


def test_system_trust_checks_certificates_and_names() -> None:
    context = system_trust()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("urls", "read"), [(["http://lvs", "https://login/token"], True), (["http://lvs"], False), (["HTTPS://lvs"], True)]
)
def test_trust_of_the_system_is_read_where_something_is_reached_over_tls(urls: list[str], read: bool) -> None:  # noqa: FBT001 - a column of the table
    asked: list[str] = []

    def trust() -> ssl.SSLContext:
        asked.append("read")
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    context = trust_for(urls, trust)

    assert (asked == ["read"], context.verify_mode) == (read, ssl.CERT_REQUIRED)
