"""web.dataplane: raw ASGI calls. Limits first, credentials next, the body last; exceptions are registered problems."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, MutableMapping
from typing import Any

import orjson
import pytest

from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.formats.xml.soap import HEADER_BYTES, faultcode
from gateway.transfer.ports import Receipt, RegisterUnavailable
from gateway.transfer.released import Answer, Released
from gateway.transfer.request import Request, Stop
from gateway.transfer.transfers import Transfers
from gateway.web.dataplane import DataPlane, Doors
from gateway.web.limits import Concurrency, RateLimit
from gateway.web.respond import BrokenOff
from tests.builders_formats import student_json
from tests.builders_uwlr import asking, authorisation, message
from tests.simulators.left import Left, Wire
from tests.simulators.world import NORTH, School, a_school, caller, student_asked

pytestmark = pytest.mark.anyio

STUDENTS = "/lvs/students/school"
KEY = (b"gateway-key", b"key of noord")
PUSH = "/lvs/push/duo/inschrijving/inschrijving-vo"
XML = (b"content-type", b"text/xml; charset=utf-8")


class SimulatedCallers:
    """Knows one key and one token; counts who asks. `down`: the database cannot be read."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False

    def by_token(self, token: str) -> Caller | None:
        return self._known(token == "token of noord")

    def by_api_key(self, key: str) -> Caller | None:
        return self._known(key == "key of noord")

    def _known(self, known: bool) -> Caller | None:  # noqa: FBT001 - two callers, above
        self.asked += 1
        if self.down:
            raise RegisterUnavailable
        return caller("uitgever-noord") if known else None


class TokenEndpoint:
    """Takes the place of `/oauth/token`."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"token"})


class Inner:
    """Transfers whose `answer` is something else; refusals are the school's."""

    def __init__(self, answer: Callable[[], Answer]) -> None:
        self.inner: Transfers
        self._answer = answer

    async def answer(self, caller: Caller, request: Request) -> Answer:
        return self._answer()

    async def refuse(self, caller: Caller, stop: Stop) -> Answer:
        return await self.inner.refuse(caller, stop)

    async def refuse_anonymous(self, origin: str, reason: Reason) -> Answer:
        return await self.inner.refuse_anonymous(origin, reason)

    def unavailable(self) -> Answer:
        return self.inner.unavailable()


class Plane:
    """The data plane before a simulated school."""

    def __init__(self, transfers: Inner | None = None, **limits: Any) -> None:
        self.school: School = a_school()
        if transfers is not None:
            transfers.inner = self.school.transfers
        self.school.upstream.holds["/students/school"] = [student_json(one) for one in self.school.pupils.values()]
        self.callers = SimulatedCallers()
        self.observed: list[tuple[str, str]] = []
        self.reported: list[str] = []
        self.bytes_read = 0
        doors = Doors(
            look=self.school.world.refresh,
            callers=self.callers,
            per_origin=RateLimit(limits.get("per_origin", 1000), lambda: 0.0),
            per_recipient=RateLimit(limits.get("per_recipient", 1000), lambda: 0.0),
            concurrency=Concurrency(limits.get("concurrency", 10)),
            body_bytes=limits.get("body_bytes", 10_000),
            body_seconds=limits.get("body_seconds", 5.0),
            upload_bytes=limits.get("upload_bytes", 1_000),
            upload_seconds=limits.get("body_seconds", 5.0),
            proxies=(ipaddress.ip_network("198.51.100.0/24"),),
            observe=lambda recipient, outcome: self.observed.append((recipient, outcome)),
            report=self.reported.append,
        )
        self.app = DataPlane(transfers or self.school.transfers, doors, TokenEndpoint())

    async def call(
        self,
        path: str = STUDENTS,
        *headers: tuple[bytes, bytes],
        query: str = NORTH,
        method: str = "GET",
        body: list[bytes] | None = None,
        client: tuple[str, int] | None = ("127.0.0.1", 50_000),
        scheme: str = "http",
    ) -> Left:
        wire = Wire()
        await self.app(scope_of(method, path, query, headers or (KEY,), client, scheme), self.receiving(body), wire)
        return wire.left

    def receiving(self, body: list[bytes] | None) -> Any:
        """The body chunk by chunk; None ends it by a hang-up."""
        chunks = [b""] if body is None else body
        messages: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
            for number, chunk in enumerate(chunks, start=1)
        ]

        async def receive() -> MutableMapping[str, Any]:
            message = messages.pop(0) if messages else {"type": "http.disconnect"}
            self.bytes_read += len(message.get("body", b""))
            return message

        return receive


def scope_of(
    method: str, path: str, query: str, headers: Any, client: tuple[str, int] | None, scheme: str
) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "path": "what is decoded is not looked at",
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": list(headers),
        "client": client,
    }


@pytest.fixture
def plane() -> Plane:
    return Plane()


JSON = (b"content-type", b"application/json")
ASKED = orjson.dumps(student_asked("00000000-0000-8000-8000-000000000000"))


async def post(plane: Plane, *headers: tuple[bytes, bytes], body: list[bytes] | None = None) -> Left:
    return await plane.call("/lvs/students", KEY, *(headers or (JSON,)), query="", method="POST", body=body)


# -- a call that is answered -------------------------------------------------------------------------------------


async def test_call_with_a_key_is_answered(plane: Plane) -> None:
    left = await plane.call()

    assert (left.status, len(left.json())) == (200, 6)
    assert plane.observed == [("uitgever-noord", "released")]


async def test_call_with_a_token_is_answered(plane: Plane) -> None:
    assert (await plane.call(STUDENTS, (b"authorization", b"Bearer token of noord"))).status == 200


async def test_answer_has_only_the_allowed_headers(plane: Plane) -> None:
    left = await plane.call()

    names = {name for name, _ in left.headers}
    assert names == {b"content-type", b"content-length", b"cache-control", b"gateway-transfer", b"purpose"}
    assert left.header("cache-control") == "no-store"


async def test_conditional_and_range_headers_change_nothing(plane: Plane) -> None:
    ignored = ((b"if-none-match", b"*"), (b"range", b"bytes=0-10"), (b"if-modified-since", b"x"), (b"expect", b"x"))

    assert (await plane.call(STUDENTS, KEY, *ignored)).but_for_the_transfer == (await plane.call()).but_for_the_transfer


async def test_token_path_is_the_token_endpoints(plane: Plane) -> None:
    assert (await plane.call("/oauth/token")).body == b"token"


@pytest.mark.parametrize("path", ["/oauth%2Ftoken", "/oauth/token/", "/oauth/%74oken"])
async def test_path_that_only_decodes_to_the_token_path_is_not(plane: Plane, path: str) -> None:
    assert (await plane.call(path)).status == 404


async def test_encoded_slash_stays_in_its_segment(plane: Plane) -> None:
    left = await plane.call("/lvs/groups/school%2Fx")

    assert left.header("gateway-reason") == "ROUTE_UNKNOWN"


# -- limits come first -------------------------------------------------------------------------------------------


async def test_origin_beyond_its_rate_is_refused_before_anybody_looks_who_it_is() -> None:
    plane = Plane(per_origin=1)
    await plane.call()
    left = await plane.call()

    assert (left.status, left.header("retry-after")) == (429, "5")
    assert plane.callers.asked == 1


async def test_origin_beyond_its_rate_cannot_ask_for_tokens() -> None:
    plane = Plane(per_origin=1)
    await plane.call()

    assert (await plane.call("/oauth/token")).status == 429


async def test_recipient_beyond_its_rate_is_refused_and_registered() -> None:
    plane = Plane(per_recipient=1)
    await plane.call()
    left = await plane.call()

    assert left.header("gateway-reason") == "RATE_LIMITED"
    assert plane.school.register.drafts[-1].recipient == "uitgever-noord"
    assert len(plane.school.upstream.calls) == 1


async def test_recipient_beyond_its_concurrency_is_told_to_come_back() -> None:
    plane = Plane(concurrency=1)
    inner: list[Left] = []

    class Sending(Wire):
        async def __call__(self, message: MutableMapping[str, Any]) -> None:
            if not self.messages:
                inner.append(await plane.call())
            await super().__call__(message)

    wire = Sending()
    client = ("127.0.0.1", 1)
    await plane.app(scope_of("GET", STUDENTS, NORTH, (KEY,), client, "http"), plane.receiving(None), wire)

    assert (inner[0].status, inner[0].header("gateway-reason")) == (503, "OVERLOADED")
    assert inner[0].header("retry-after") == "5"
    assert (await plane.call()).status == 200


# -- transport -----------------------------------------------------------------------------------------------------

HTTPS = (b"x-forwarded-proto", b"https")


@pytest.mark.parametrize(
    ("client", "scheme", "headers"),
    [
        (("127.0.0.1", 1), "http", ()),
        (("::1", 1), "http", ()),
        (("192.0.2.1", 1), "https", ()),
        (("198.51.100.7", 1), "http", (HTTPS,)),
    ],
)
async def test_secure_transport_is_accepted(
    plane: Plane, client: tuple[str, int], scheme: str, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    assert (await plane.call(STUDENTS, KEY, *headers, client=client, scheme=scheme)).status == 200


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        (("192.0.2.1", 1), ()),
        (("192.0.2.1", 1), (HTTPS,)),
        (("198.51.100.7", 1), ()),
        (("198.51.100.7", 1), ((b"x-forwarded-proto", b"http"),)),
        (("198.51.100.7", 1), (HTTPS, (b"x-forwarded-proto", b"http"))),
        (("not an address", 1), ()),
        (None, ()),
    ],
)
async def test_insecure_transport_is_refused_before_anybody_looks_who_it_is(
    plane: Plane, client: tuple[str, int] | None, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    """R107."""
    left = await plane.call(STUDENTS, KEY, *headers, client=client)

    assert (left.status, left.header("gateway-reason")) == (403, "INSECURE_TRANSPORT")
    assert plane.callers.asked == 0


async def test_insecure_transport_gets_no_token(plane: Plane) -> None:
    assert (await plane.call("/oauth/token", client=("192.0.2.1", 1))).status == 403


# -- who calls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        ((b"accept", b"*/*"),),
        ((b"gateway-key", b"another key"),),
        ((b"authorization", b"Bearer another token"),),
        (KEY, KEY),
        (KEY, (b"authorization", b"Bearer token of noord")),
        ((b"authorization", b"Bearer token of noord"), (b"authorization", b"Bearer token of noord")),
    ],
)
async def test_unknown_or_doubled_credential_is_nobody(plane: Plane, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    left = await plane.call(STUDENTS, *headers)

    assert (left.status, left.header("www-authenticate")) == (401, 'Bearer realm="gateway"')
    assert left.json()["title"] == "CALLER_UNAUTHENTICATED"
    assert plane.school.upstream.calls == []
    assert plane.school.register.drafts[-1].reasons == (Reason.CALLER_UNAUTHENTICATED,)


async def test_nobody_learns_which_routes_exist(plane: Plane) -> None:
    nobody = (b"accept", b"*/*")
    known = await plane.call(STUDENTS, nobody)
    unknown = await plane.call("/nothing/at/all", nobody)

    assert known.but_for_the_transfer == unknown.but_for_the_transfer


async def test_purpose_that_comes_twice_is_not_the_credentials(plane: Plane) -> None:
    purpose = (b"purpose", b"toegang-leermiddel")

    assert (await plane.call(STUDENTS, KEY, purpose)).status == 200
    assert (await plane.call(STUDENTS, KEY, purpose, purpose)).header("gateway-reason") == "PURPOSE_MISMATCH"


async def test_unreadable_credentials_say_that_nothing_can_be_registered(plane: Plane) -> None:
    plane.callers.down = True
    left = await plane.call()

    assert (left.status, left.header("gateway-reason")) == (503, "REGISTER_UNAVAILABLE")


async def test_unwritable_register_answers_503_to_nobody_too(plane: Plane) -> None:
    plane.school.register.unwritable = True

    assert (await plane.call(STUDENTS, (b"accept", b"*/*"))).status == 503


# -- methods -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get"])
async def test_method_that_a_path_lacks_is_not_allowed(plane: Plane, method: str) -> None:
    left = await plane.call(method=method)

    assert (left.status, left.header("gateway-reason")) == (405, "METHOD_NOT_ALLOWED")
    assert left.header("allow") == "GET"
    assert plane.school.upstream.calls == []


# -- the body ------------------------------------------------------------------------------------------------------


async def test_body_of_a_known_caller_is_read(plane: Plane) -> None:
    assert (await post(plane, body=[ASKED[:10], ASKED[10:]])).json() == {
        "status": 404,
        "statusMessage": "NOT_AVAILABLE",
    }


async def test_body_of_nobody_is_not_read(plane: Plane) -> None:
    nobody = (b"gateway-key", b"x")
    await plane.call("/lvs/students", nobody, JSON, query="", method="POST", body=[b"x" * 100])

    assert plane.bytes_read == 0


async def test_body_of_a_wrong_media_type_is_not_read(plane: Plane) -> None:
    left = await post(plane, (b"content-type", b"text/xml"), body=[b"x" * 100])

    assert left.status == 415
    assert plane.bytes_read == 0


@pytest.mark.parametrize("media", [b"application/json", b"text/xml", b"application/zip"])
@pytest.mark.parametrize("query", ["", "recipient=toetsbureau&purpose=papieren-toets&schema=edu-v-students"])
async def test_records_that_a_recipient_hands_in_are_refused_without_a_byte_being_read(
    plane: Plane, media: bytes, query: str
) -> None:
    left = await plane.call("/lvs/filter", KEY, (b"content-type", media), query=query, method="POST", body=[b"x"] * 9)

    assert (left.status, left.header("gateway-reason")) == (403, "CALLER_NOT_RECIPIENT")
    assert plane.bytes_read == 0


async def test_message_that_a_recipient_wants_pushed_is_refused_without_a_byte_being_read(plane: Plane) -> None:
    left = await plane.call(PUSH, KEY, XML, query="", method="POST", body=[b"x"] * 9)

    assert (left.status, left.header("gateway-reason")) == (500, "CALLER_NOT_RECIPIENT")
    assert faultcode(left.body) == "Client"
    assert plane.bytes_read == 0


async def test_message_to_be_pushed_of_nobody_we_know_is_refused_by_a_fault_unread(plane: Plane) -> None:
    left = await plane.call(PUSH, XML, query="", method="POST", body=[by_key()])

    assert (left.status, faultcode(left.body)) == (401, "Client")
    assert plane.bytes_read == 0


async def test_nobody_hands_in_records_with_a_key_in_the_message(plane: Plane) -> None:
    body = [b"<autorisatiesleutel>anything</autorisatiesleutel>"]
    left = await plane.call("/lvs/filter", (b"content-type", b"text/xml"), query="", method="POST", body=body)

    assert left.status == 401
    assert plane.bytes_read == 0


@pytest.mark.parametrize("length", [b"10001", b"-1", b"1e3", b"", b"5, 5"])
async def test_body_with_too_large_or_no_length_at_all_is_not_read(plane: Plane, length: bytes) -> None:
    left = await post(plane, JSON, (b"content-length", length), body=[b"x" * 100])

    assert left.status == 413
    assert plane.bytes_read == 0


async def test_body_that_outgrows_the_bound_is_not_read_to_its_end(plane: Plane) -> None:
    left = await post(plane, body=[b"x" * 4_000] * 100)

    assert (left.status, left.header("gateway-reason")) == (413, "BODY_TOO_LARGE")
    assert plane.bytes_read == 12_000


async def test_body_that_lies_about_its_length_is_bounded_too(plane: Plane) -> None:
    assert (await post(plane, JSON, (b"content-length", b"3"), body=[b"x" * 4_000] * 100)).status == 413


async def test_body_that_ends_early_is_invalid(plane: Plane) -> None:
    left = await post(plane, body=[])

    assert left.header("gateway-reason") == "BODY_INVALID"
    assert b"the body ended early" in left.body


async def test_body_that_never_comes_is_given_up() -> None:
    plane, wire = Plane(body_seconds=0.001), Wire()

    async def never() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("it came")

    scope = scope_of("POST", "/lvs/students", "", (KEY, JSON), ("127.0.0.1", 1), "http")
    await plane.app(scope, never, wire)

    assert wire.left.header("gateway-reason") == "BODY_INVALID"


# -- exceptions ----------------------------------------------------------------------------------------------------


def _raises() -> Answer:
    """With a pupil's name in its text, as a library might."""
    raise ValueError("cannot read record of Fatima de Vries")


def _begins() -> Answer:
    """And then may not go on."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"[1"
        raise Stop(Reason.SCHEMA_NOT_ACTIVE)

    return Released(Receipt("id", 1), body=parts())


async def test_exception_becomes_a_registered_problem_without_its_text() -> None:
    plane = Plane(Inner(_raises))
    left = await plane.call()

    assert (left.status, left.json()["title"]) == (500, "INTERNAL")
    assert b"Fatima" not in left.body
    assert plane.school.register.drafts[-1].reasons == (Reason.INTERNAL,)


async def test_exception_is_reported_by_its_kind_alone() -> None:
    plane = Plane(Inner(_raises))
    await plane.call()

    assert plane.reported == ["ValueError"]


async def test_answer_that_may_not_go_on_is_broken_off_without_an_end() -> None:
    plane, wire = Plane(Inner(_begins)), Wire()
    scope = scope_of("GET", STUDENTS, NORTH, (KEY,), ("127.0.0.1", 1), "http")

    with pytest.raises(BrokenOff):
        await plane.app(scope, plane.receiving(None), wire)

    assert [message["type"] for message in wire.messages] == ["http.response.start", "http.response.body"]
    assert wire.messages[-1]["more_body"] is True
    assert plane.reported == ["broken off: Stop"]


async def test_observations_name_recipients_and_outcomes_only(plane: Plane) -> None:
    await plane.call()
    await plane.call("/lvs/groups/school/a-pseudonym")
    await plane.call(STUDENTS, (b"accept", b"*/*"))

    assert plane.observed == [
        ("uitgever-noord", "released"),
        ("uitgever-noord", "NOT_AVAILABLE"),
        ("-", "CALLER_UNAUTHENTICATED"),
    ]


# -- messages of SOAP ---------------------------------------------------------------------------------------

SOAP = (XML, (b"soapaction", b'"HaalLeerlinggegevens"'))
UWLR = "/lvs/uwlr/leerlinggegevens"


def by_key(key: str = "key of noord", code: str = "client of uitgever-noord", **changes: str) -> bytes:
    return asking(header=authorisation(key, code) + changes.get("beside", ""))


async def send(plane: Plane, body: bytes, *headers: tuple[bytes, bytes]) -> Left:
    chunks = [body[at : at + 100] for at in range(0, len(body), 100)]
    return await plane.call(UWLR, *(headers or SOAP), query="", method="POST", body=chunks)


async def test_key_in_a_message_identifies_its_sender() -> None:
    """Whoever is known hears what a known caller hears: this delivery has no such schema."""
    left = await send(Plane(), by_key())

    assert left.header("gateway-reason") == "ROUTE_UNKNOWN"
    assert left.header("content-type") == "text/xml; charset=utf-8"


@pytest.mark.parametrize(
    "body",
    [
        by_key("another key"),
        by_key(code="another client"),
        by_key(beside=authorisation("key of noord", "client of uitgever-noord")),
        by_key().replace(b"<klantcode>", b"<code>").replace(b"</klantcode>", b"</code>"),
        asking(),
        asking(header="<x xmlns='urn:x'>" + "y" * 20_000 + "</x>" + authorisation("key of noord", "c")),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + by_key(),
        message(authorisation("key of noord", "client of uitgever-noord")),
        b"{}",
        b"",
    ],
)
async def test_message_that_does_not_say_who_sends_it_is_refused_by_a_fault(body: bytes) -> None:
    plane = Plane()
    left = await send(plane, body)

    assert (left.status, left.header("gateway-reason")) == (401, "CALLER_UNAUTHENTICATED")
    assert faultcode(left.body) == "Client"
    assert plane.bytes_read <= HEADER_BYTES + 100
    assert b"key of noord" not in left.body


async def test_two_credentials_in_headers_and_message_are_not_weighed() -> None:
    """What stands in the headers counts; the message is not looked at."""
    left = await send(Plane(), by_key(), *SOAP, (b"gateway-key", b"wrong"))
    assert left.status == 401


async def test_fault_about_a_message_leaves_with_500() -> None:
    """SOAP 1.1 section 6.2."""
    left = await send(Plane(), by_key().replace(b"2026-2027", b"2026-2027<b/>"))

    assert (left.status, faultcode(left.body)) == (500, "Client")
    assert left.header("gateway-reason") == "BODY_INVALID"
