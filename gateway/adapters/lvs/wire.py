"""HTTP/1.1 to one LVS for reads: a pool of connections around llhttp (httptools), and nothing more.

Holds what a read needs and what a general client does not give together: an explicit TLS context, no proxies,
redirects, cookies or decompression by construction, a bound on every size, a deadline for the first byte and for
the whole answer, and the truth about a failure: whether it came before the request was written (NotSent) or after.
Leaves out credentials and what an answer must be (`upstream`); writes, which go through httpx2 (`upstream`).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools

from gateway.transfer.ports import NotSent, UpstreamFailed, UpstreamTimeout, UpstreamTooLarge

# RFC 9112 section 3.2: a request target is visible ASCII; anything else could end the request line.
_TARGET = re.compile(rb"/[!-~]*\Z")
_HEADERS_LIMIT = 65_536  # bytes of one answer's header fields

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may cost; times in seconds, sizes in bytes."""

    connect: float = 3.0
    first_byte: float = 10.0
    total: float = 30.0
    body: int = 16 * 1024 * 1024
    connections: int = 64
    # An idle connection is closed before usual servers close theirs (5 s and more), so that a request is hardly
    # ever written to a connection that is being closed.
    idle: float = 4.0


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, header fields (names in lower case) and the whole body, as they came."""

    status: int
    headers: tuple[Header, ...] = field(repr=False)
    body: bytes = field(repr=False)

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of an LVS, and the path its routes stand under."""

    secure: bool
    host: str
    port: int
    authority: str
    prefix: str

    @classmethod
    def of(cls, url: str) -> Origin:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the URL of a source starts with http:// or https:// and names a host")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("the URL of a source has no credentials, query or fragment")
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        return cls(secure, parts.hostname, port, parts.netloc, parts.path.rstrip("/"))


def encoded(target: str) -> bytes:
    """The request target as it goes out; ValueError when it is not encoded, without saying what it is."""
    line = target.encode("utf-8", "surrogatepass")
    if not _TARGET.match(line) or b"#" in line:
        raise ValueError("the request target is not encoded")
    return line


def _kind(action: str | None, body: bytes | None) -> list[bytes]:
    """The header fields that say what is asked for and what is sent."""
    media = b"text/xml" if action is not None else b"application/json"
    fields = [b"Accept: " + media + b"\r\n"]
    if action is not None:
        fields.append(b'SOAPAction: "' + action.encode("ascii") + b'"\r\n')
    if body is not None:
        charset = b"; charset=utf-8" if action is not None else b""
        fields.append(b"Content-Type: " + media + charset + b"\r\nContent-Length: %d\r\n" % len(body))
    return fields


class Wire:
    """The connections to one origin."""

    def __init__(self, origin: Origin, tls: ssl.SSLContext, limits: Limits) -> None:
        self.limits = limits
        self._origin = origin
        self._tls = tls if origin.secure else None
        self._idle: deque[_Connection] = deque()
        self._room = asyncio.Semaphore(limits.connections)
        self._head = (
            f"HTTP/1.1\r\nHost: {origin.authority}\r\n"
            "Accept-Encoding: identity\r\nUser-Agent: dataminimalisatie-gateway\r\n"
        ).encode("ascii")

    async def ask(
        self,
        method: str,
        target: str,
        authorization: bytes,
        body: bytes | None = None,
        limits: Limits | None = None,
        action: str | None = None,
    ) -> Reply:
        """One request, one whole answer; `action`: of SOAP, then the body is a message. Raises NotSent, UpstreamTimeout
        or UpstreamFailed."""
        request = self._request(method, target, authorization, body, action)
        limits = limits or self.limits
        await self._enter(limits)
        try:
            connection = self._kept() or await self._connect(limits)
            reply = await connection.ask(request, limits)
            self._keep(connection)
            return reply
        finally:
            self._room.release()

    @property
    def idle(self) -> int:
        """How many connections wait to be used again."""
        return sum(connection.usable(self.limits.idle) for connection in self._idle)

    def close(self) -> None:
        while self._idle:
            self._idle.popleft().close()

    def _request(self, method: str, target: str, authorization: bytes, body: bytes | None, action: str | None) -> bytes:
        line = encoded(self._origin.prefix + target)
        parts = [method.encode("ascii"), b" ", line, b" ", self._head, *_kind(action, body)]
        if authorization:
            parts += [b"Authorization: ", authorization, b"\r\n"]
        return b"".join((*parts, b"\r\n", body or b""))

    async def _enter(self, limits: Limits) -> None:
        """Waits for a free place no longer than for a connection: nothing was sent yet."""
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(limits.connect):
                await self._room.acquire()
        except TimeoutError:
            raise NotSent("no connection came free in time") from None

    def _kept(self) -> _Connection | None:
        """The connection that was used last; the others grow old and go."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable(self.limits.idle):
                return connection
            connection.close()
        return None

    def _keep(self, connection: _Connection) -> None:
        while self._idle and not self._idle[0].usable(self.limits.idle):
            self._idle.popleft().close()
        if connection.usable(self.limits.idle):
            self._idle.append(connection)
        else:
            connection.close()

    async def _connect(self, limits: Limits) -> _Connection:
        loop = asyncio.get_running_loop()
        origin = self._origin
        name = origin.host if self._tls is not None else None
        try:
            async with asyncio.timeout(limits.connect):
                _, connection = await loop.create_connection(
                    lambda: _Connection(loop), origin.host, origin.port, ssl=self._tls, server_hostname=name
                )
        except (OSError, TimeoutError):
            # TimeoutError and TLS errors are OSErrors too; their texts hold names and addresses: none is told.
            raise NotSent("no connection") from None
        return connection


class _Connection(asyncio.Protocol):
    """One connection, one request at a time. The parser's callbacks fill the answer that is awaited."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._alive = False
        self._since = 0.0
        self._until = 0.0
        self._begun = False
        self._body_limit = 0
        self._clear()

    def _clear(self) -> None:
        self._headers: list[Header] = []
        self._header_size = 0
        self._chunks: list[bytes] = []
        self._size = 0

    async def ask(self, request: bytes, limits: Limits) -> Reply:
        transport = self._transport
        assert transport is not None
        self._clear()
        self._begun = False
        self._alive = False
        self._body_limit = limits.body
        self._waiter = self._loop.create_future()
        now = self._loop.time()
        self._until = now + limits.total
        self._timer = self._loop.call_at(min(now + limits.first_byte, self._until), self._late)
        transport.write(request)
        try:
            return await self._waiter
        except BaseException:
            # Cancelled ones too: an answer that comes later would reach the next request.
            transport.abort()
            raise
        finally:
            self._waiter = None
            self._timer.cancel()

    def usable(self, idle: float) -> bool:
        return self._alive and self._loop.time() - self._since < idle

    def close(self) -> None:
        self._alive = False
        if self._transport is not None:
            self._transport.abort()

    def _late(self) -> None:
        self._fail(UpstreamTimeout("no whole answer in time"))

    def _fail(self, error: Exception) -> None:
        self._alive = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    # -- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport by class, only by what they do.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        # An answer whose end is told by the end of the connection may be cut off: it is not an answer.
        self._fail(UpstreamFailed("the connection ended before the answer did"))

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._waiter.done():
            # Nobody asked: what comes now would be taken for the answer to the next question.
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(UpstreamFailed("the answer is not HTTP/1.1"))
        if not self._begun and not self._waiter.done():
            self._begun = True
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(self._until, self._late)

    # -- httptools' callbacks ------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._waiter is None or self._waiter.done():
            # More than one answer came: this connection is out of step and is not used again.
            self._alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_size += len(name) + len(value)
        if self._header_size > _HEADERS_LIMIT:
            self._fail(UpstreamFailed("the header fields are too large"))
        else:
            self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._body_limit:
            self._fail(UpstreamTooLarge("the body is too large"))
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            # RFC 9110 section 15.2: interim answers come before the one that counts.
            self._clear()
            return
        if self._waiter is None or self._waiter.done():
            return
        self._alive = self._parser.should_keep_alive()
        self._since = self._loop.time()
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._waiter.set_result(Reply(status, tuple(self._headers), body))
