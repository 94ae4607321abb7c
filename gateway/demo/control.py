"""What reached the demo LVS, and faults on request: the routes under `/-/`, in front of its API.

`PUT /-/fault` {"fault": …, "times": n} spoils the next n API calls (not `/-/` and not the token route);
`slow` takes "seconds" too, `record-type` takes "at" (which record, else the first active one); after `moves` the first
of OneRoster's lists is gone, and another stands at the end. `GET` and `DELETE /-/calls` show and forget what arrived,
`GET /-/results` what is stored. A credential is never shown.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.core.release.minimised import BROKEN
from gateway.demo.server import HANG_UP

FAULTS = (
    "slow", "broken-before", "broken-after", "html", "gzip", "record-type", "envelope-type", "new-field", "error-data",
    "moves",
)  # fmt: skip


_KEY = re.compile(r"(?<=<autorisatiesleutel>)[^<]*")


class Fault(msgspec.Struct, frozen=True):
    """What goes wrong, how many more times."""

    fault: str
    times: int = 1
    seconds: float = 60.0
    at: int | None = None


@dataclass(slots=True)
class Answer:
    """A whole answer, so that a fault can spoil it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = field(repr=False)


@dataclass(slots=True)
class Control:
    """The outermost application: records, spoils, and passes on."""

    app: ASGIApp
    results: Mapping[str, dict[str, Any]]
    names: list[str]
    moves: Callable[[], None] = lambda: None
    calls: list[dict[str, Any]] = field(default_factory=list)
    fault: Fault | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read(receive)
        if scope["path"].startswith("/-/"):
            await self._controlled(scope, body)(scope, receive, send)
        elif scope["path"] == "/oauth/token":
            await self.app(scope, _replay(body, receive), send)
        else:
            await self._api(scope, body, receive, send)

    async def _api(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        fault = self._next_fault()
        self.calls.append(_call(scope, body, fault))
        if fault is None:
            await self.app(scope, _replay(body, receive), send)
            return
        if fault.fault == "slow" and await _gone(receive, fault.seconds):
            return
        if fault.fault == "broken-before":
            await _hang_up(scope, receive)
            return
        answer = await self._inner(scope, body, receive)
        if fault.fault == "broken-after":
            await _hang_up(scope, receive)
            return
        if fault.fault == "moves":
            self.moves()
        await _send(spoil(answer, fault, self.names), send)

    def _next_fault(self) -> Fault | None:
        fault = self.fault
        if fault is not None:
            left = fault.times - 1
            self.fault = msgspec.structs.replace(fault, times=left) if left > 0 else None
        return fault

    async def _inner(self, scope: Scope, body: bytes, receive: Receive) -> Answer:
        answer, chunks = Answer(500, [], b""), []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            else:
                chunks.append(message.get("body", b""))

        await self.app(scope, _replay(body, receive), keep)
        answer.body = b"".join(chunks)
        return answer

    def _controlled(self, scope: Scope, body: bytes) -> Response:
        match scope["method"], scope["path"]:
            case "GET", "/-/calls":
                return _json(200, self.calls)
            case "DELETE", "/-/calls":
                self.calls.clear()
                return Response(status_code=204)
            case "GET", "/-/results":
                return _json(200, list(self.results.values()))
            case "PUT", "/-/fault":
                return self._set(body)
            case _:
                return _json(404, {"status": 404, "statusMessage": "NOT_FOUND"})

    def _set(self, body: bytes) -> Response:
        try:
            fault = msgspec.json.decode(body, type=Fault)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _json(400, {"status": 400, "statusMessage": "BODY_MALFORMED"})
        if fault.fault not in FAULTS:
            return _json(400, {"status": 400, "statusMessage": "FAULT_UNKNOWN"})
        self.fault = fault if fault.times > 0 else None
        return Response(status_code=204)


# -- faults, pure --------------------------------------------------------------------------------------


def spoil(answer: Answer, fault: Fault, names: list[str]) -> Answer:
    """The answer with the fault in it."""
    match fault.fault:
        case "html":
            page = "<!doctype html><title>Inloggen</title><ul>" + "".join(f"<li>{name}</li>" for name in names)
            return Answer(200, [(b"content-type", b"text/html; charset=utf-8")], page.encode())
        case "gzip":
            headers = [*answer.headers, (b"content-encoding", b"gzip")]
            return Answer(answer.status, headers, gzip.compress(answer.body, 1))
        case "error-data":
            told = {"error": "cannot write record", "record": _decoded(answer.body), "names": names}
            return Answer(500, [(b"content-type", b"application/json")], msgspec.json.encode(told))
        case "record-type" | "envelope-type" | "new-field":
            return Answer(answer.status, answer.headers, msgspec.json.encode(_changed(_decoded(answer.body), fault)))
        case _:
            return answer


def _changed(value: object, fault: Fault) -> object:
    if fault.fault == "envelope-type":
        return {"items": value} if isinstance(value, list) else [value]
    if fault.fault == "new-field":
        return _with_religion(value)
    records = value if isinstance(value, list) else [value]
    _mistype(records[fault.at] if fault.at is not None else _first_active(records))
    return value


def _first_active(records: list[Any]) -> object:
    return next((one for one in records if isinstance(one, dict) and one.get("status") == "active"), None)


def _mistype(record: object) -> bool:
    """Turns the first `userId` below into a number, as an LVS does that forgets that an id is a text."""
    if isinstance(record, dict):
        if isinstance(record.get("userId"), str):
            record["userId"] = 4_711
            return True
        return any(_mistype(value) for value in record.values())
    return isinstance(record, list) and any(_mistype(item) for item in record)


def _with_religion(value: object) -> object:
    """A special category of personal data (art. 9 AVG) in every object, at every depth."""
    if isinstance(value, list):
        return [_with_religion(item) for item in value]
    if isinstance(value, dict):
        return {**{key: _with_religion(item) for key, item in value.items()}, "religion": "remonstrants"}
    return value


def _decoded(body: bytes) -> Any:
    """What is no JSON (a message of SOAP) as one text: spoiled, it is no message any more."""
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return body.decode("utf-8", "replace")


# -- ASGI ----------------------------------------------------------------------------------------------


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive that says the body once more, and after it what really comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _gone(receive: Receive, seconds: float) -> bool:
    """Waits; True as soon as the client has hung up."""
    try:
        async with asyncio.timeout(seconds):
            await _until_disconnect(receive)
    except TimeoutError:
        return False
    return True


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Closes the connection, and returns when the server knows, so that it sends nothing for us."""
    scope["extensions"][HANG_UP]["now"]()
    await _until_disconnect(receive)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(answer: Answer, send: Send) -> None:
    kept: Iterable[tuple[bytes, bytes]] = (pair for pair in answer.headers if pair[0] != b"content-length")
    headers = [*kept, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _call(scope: Scope, body: bytes, fault: Fault | None) -> dict[str, Any]:
    return {
        "method": scope["method"],
        "path": scope["raw_path"].decode("ascii"),
        "query": scope["query_string"].decode("ascii"),
        "bytes": len(body),
        "body": _shown(body),
        "fault": None if fault is None else fault.fault,
    }


def _shown(body: bytes) -> object:
    """JSON as it is, markup as a text, without the key of who sends it."""
    try:
        return _KEY.sub("…", body.decode()) if body.startswith(b"<") else _decoded(body)
    except BROKEN:
        return None


def _json(status: int, value: object) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
