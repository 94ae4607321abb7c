"""The outermost ASGI callable of the data plane: one door in, one exit out (house rule 6).

Routes on the raw path (`scope["path"]` is decoded, so %2F would move), limits before anything else, reads a body only
after the caller is known, and turns every exception into a registered problem without its text (house rule 8).
Leaves out: the steps of a transfer (`transfer.flow`), credentials (`identify`), the token endpoint (`oauth`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, Protocol

from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.formats.xml.soap import HEADER_BYTES
from gateway.transfer.ports import RegisterUnavailable
from gateway.transfer.push import is_push
from gateway.transfer.released import Answer
from gateway.transfer.request import Request, Stop
from gateway.transfer.upload import is_upload
from gateway.web.identify import Callers, identify, identify_message, offers
from gateway.web.limits import Concurrency, RateLimit
from gateway.web.respond import BrokenOff, Send, leave

Scope = MutableMapping[str, Any]
Receive = Callable[[], Any]
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


class Transfers(Protocol):
    """`transfer.flow.Flow`, as the data plane sees it."""

    async def answer(self, caller: Caller, request: Request) -> Answer: ...

    async def refuse_anonymous(self, origin: str, reason: Reason) -> Answer:
        """Register (aggregated) what an unknown caller was refused."""
        ...

    async def refuse(self, caller: Caller, stop: Stop) -> Answer:
        """Register and answer a refusal that came before the flow."""
        ...

    def unavailable(self) -> Answer:
        """Nothing can be registered, hence nothing be said but that."""
        ...


@dataclass(frozen=True, slots=True)
class Doors:
    """What stands before the flow. `look` reads what changed since the last request, for all that follows. `observe`
    is told recipient (or "-") and outcome of every answer, `report` the kind of an error of our own, never its text."""

    look: Callable[[], None]
    callers: Callers
    per_origin: RateLimit
    per_recipient: RateLimit
    concurrency: Concurrency
    body_bytes: int
    body_seconds: float
    upload_bytes: int
    upload_seconds: float
    proxies: Networks
    observe: Callable[[str, str], None]
    report: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Way:
    """Back to who called. Whoever calls by a message of SOAP is answered by one, also before its route is known; who
    hands in records to be made smaller is not."""

    send: Send
    scope: Scope

    async def leave(self, answer: Answer) -> None:
        by_fault = answer.shape == "problem" and self._calls_by_message()
        await leave(replace(answer, shape="soap") if by_fault else answer, self.send)

    def _calls_by_message(self) -> bool:
        return _is_message(_combined(self.scope["headers"])) and not is_upload(self.scope["raw_path"])


class DataPlane:
    """ASGI application; `oauth` is Starlette's."""

    def __init__(self, transfers: Transfers, doors: Doors, oauth: Any) -> None:
        self._transfers = transfers
        self._doors = doors
        self._oauth = oauth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._enter(scope, receive, send)
        except RegisterUnavailable:
            # nobody can be known without the database, so nothing was read and nothing can be registered
            await _Way(send, scope).leave(self._transfers.unavailable())

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._doors.look()
        origin = _origin(scope)
        headers = _combined(scope["headers"])
        way = _Way(send, scope)
        if not self._doors.per_origin.allows(origin):
            await self._anonymous(way, origin, Reason.RATE_LIMITED)
        elif not self._secure(scope, headers):
            await self._anonymous(way, origin, Reason.INSECURE_TRANSPORT)
        elif scope["raw_path"] == b"/oauth/token":
            await self._oauth(scope, receive, send)
        elif _is_message(headers) and not offers(headers) and not _hands_in(scope["raw_path"]):
            await self._by_message(scope, headers, receive, way)
        else:
            caller = identify(headers, self._doors.callers)
            if caller is None:
                await self._anonymous(way, origin, Reason.CALLER_UNAUTHENTICATED)
            else:
                await self._known(caller, scope, headers, receive, way)

    async def _by_message(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, way: _Way) -> None:
        """Who sends a message of SOAP stands in its first bytes; no more of it is read before that is known."""
        opening = await _opening(receive, self._doors.body_seconds)
        caller = identify_message(opening.read, self._doors.callers)
        if caller is None:
            await self._anonymous(way, _origin(scope), Reason.CALLER_UNAUTHENTICATED)
        else:
            await self._known(caller, scope, headers, opening.receive, way)

    async def _known(
        self, caller: Caller, scope: Scope, headers: dict[bytes, bytes], receive: Receive, way: _Way
    ) -> None:
        key = caller.recipient or caller.credential
        try:
            self._doors.per_recipient.take(key)
            with self._doors.concurrency.slot(key):
                request = _request(scope, headers, receive, self._doors)
                # sent within the slot: an answer that leaves slowly is still one that runs
                await self._leave(caller, await self._answer(caller, request), way)
        except Stop as stop:
            await self._leave(caller, await self._transfers.refuse(caller, stop), way)

    async def _answer(self, caller: Caller, request: Request) -> Answer:
        try:
            return await self._transfers.answer(caller, request)
        # the outermost edge: whatever went wrong, the caller gets a registered problem and nobody gets its text,
        # which may hold a pupil's name (house rule 8)
        except Exception as error:  # noqa: BLE001 - whatever it is becomes a registered problem
            self._doors.report(type(error).__name__)
            return await self._transfers.refuse(caller, Stop(Reason.INTERNAL))

    async def _leave(self, caller: Caller, answer: Answer, way: _Way) -> None:
        self._doors.observe(caller.recipient or "-", answer.reason.value if answer.reason else "released")
        try:
            await way.leave(answer)
        except BrokenOff as broken:
            self._doors.report(f"broken off: {broken}")
            raise

    async def _anonymous(self, way: _Way, origin: str, reason: Reason) -> None:
        self._doors.observe("-", reason.value)
        await way.leave(await self._transfers.refuse_anonymous(origin, reason))

    def _secure(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        """TLS, or loopback, or a named proxy that says it ended TLS (R107)."""
        if scope["scheme"] == "https":
            return True
        trust = _trust(_origin(scope), self._doors.proxies)
        if trust == "proxy":
            return headers.get(b"x-forwarded-proto", b"").strip().lower() == b"https"
        return trust == "loopback"


@lru_cache(maxsize=1024)
def _trust(origin: str, proxies: Networks) -> Literal["proxy", "loopback", "none"]:
    try:
        client = ipaddress.ip_address(origin)
    except ValueError:
        return "none"
    if any(client in network for network in proxies):
        return "proxy"
    return "loopback" if client.is_loopback else "none"


def _request(scope: Scope, headers: dict[bytes, bytes], receive: Receive, doors: Doors) -> Request:
    return Request(
        method=scope["method"],
        raw_path=scope["raw_path"],
        query=scope["query_string"],
        headers=headers,
        origin=_origin(scope),
        body=_body(receive, headers, *_bounds(scope["raw_path"], doors)),
    )


def _combined(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """A field that comes twice becomes one list (RFC 9110 section 5.2), which no credential or purpose of ours is."""
    combined: dict[bytes, bytes] = {}
    for name, value in headers:
        combined[name] = combined[name] + b", " + value if name in combined else value
    return combined


def _origin(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _is_message(headers: dict[bytes, bytes]) -> bool:
    """SOAP 1.1 section 6."""
    return headers.get(b"content-type", b"").lower().partition(b";")[0].strip() == b"text/xml"


def _hands_in(raw_path: bytes) -> bool:
    """Whether a school's own system brings records here. No key of such a system stands in a message."""
    return is_upload(raw_path) or is_push(raw_path)


@dataclass(slots=True)
class _Opening:
    """The first bytes of a body, and the whole of it as if nothing had been read."""

    read: bytes
    more: bool
    rest: Receive

    async def receive(self) -> Any:
        if not self.read:
            return await self.rest()
        message = {"type": "http.request", "body": self.read, "more_body": self.more}
        self.read = b""
        return message


async def _opening(receive: Receive, seconds: float) -> _Opening:
    """As many bytes as may tell who sends it; what does not come in time tells nothing."""
    found = _Opening(b"", more=True, rest=receive)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while found.more and len(found.read) < HEADER_BYTES:
                message = await receive()
                found.read += message.get("body", b"")
                found.more = message["type"] == "http.request" and message.get("more_body", False)
    return found


def _bounds(raw_path: bytes, doors: Doors) -> tuple[int, float]:
    """Bytes and seconds. Records that a school hands in are as large as an answer of its source."""
    if _hands_in(raw_path):
        return doors.upload_bytes, doors.upload_seconds
    return doors.body_bytes, doors.body_seconds


def _body(receive: Receive, headers: dict[bytes, bytes], most: int, seconds: float) -> Callable[[], Awaitable[bytes]]:
    """A reader of the request body, bounded in size and time; nothing is read before it is called."""

    async def read() -> bytes:
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > most:
            raise Stop(Reason.BODY_TOO_LARGE)
        try:
            async with asyncio.timeout(seconds):
                return await _collect(receive, most)
        except TimeoutError:
            raise Stop(Reason.BODY_INVALID, "the body did not arrive in time") from None

    return read


async def _collect(receive: Receive, most: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Stop(Reason.BODY_INVALID, "the body ended early")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise Stop(Reason.BODY_TOO_LARGE)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
