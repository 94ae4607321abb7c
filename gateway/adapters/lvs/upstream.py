"""The LVS over HTTP: implements `transfer.ports.Upstream`, and gives the roster sync its reader.

Holds credentials (OAuth2 client credentials, RFC 6749 section 4.4), what an answer must be before anybody looks
into it, and the truth about writes: httpx2's trace tells whether the request was begun, so "not sent" is said only
when nothing was. No URL, header or body stands in an error, and nothing is logged: httpx2 is used as a transport,
below the layer that keeps cookies, follows redirects and logs URLs. Leaves out the connections of reads (`wire`).
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote_plus, urlencode

import httpx2
import msgspec

from gateway.adapters.lvs.wire import Limits, Origin, Reply, Wire, encoded
from gateway.core.gate.decide import Permit
from gateway.formats.xml.message import enveloped
from gateway.transfer.ports import (
    NotSent,
    OutcomeUnknown,
    UpstreamAnswer,
    UpstreamCall,
    UpstreamFailed,
    UpstreamTimeout,
)

_BEGUN = "http11.send_request_headers.started"
_TOKEN = re.compile(r"[!-~]{1,8192}\Z")  # RFC 6749 appendix A.12, without the space that would end the header
_COUNT = re.compile(rb"[0-9]{1,12}\Z")
_TOKEN_BODY_LIMIT = 65_536  # bytes
_TOKEN_LIFE = 300.0  # seconds, when the LVS does not say
_LONGEST_LIFE = 86_400  # seconds, whatever the LVS says
_CHUNK = 65_536  # bytes of a list that is read as it comes
_TOKEN_MARGIN = 30.0  # seconds before its end at which a token is no longer used for a new call


@dataclass(frozen=True, slots=True)
class Client:
    """Who the gateway is to one LVS, and where it gets its token."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """How one LVS is reached; without a client, calls carry no credential. `header`: what stands above every message of
    SOAP, the school's own authorisation."""

    url: str
    client: Client | None = None
    header: bytes = field(default=b"", repr=False)


class _TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str
    expires_in: int | None = None


def system_trust() -> ssl.SSLContext:
    """TLS 1.2 or higher, certificates and host names checked against the system's trust store."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class HttpUpstream:
    """Every LVS of the school by name. Made in the event loop that uses it; `close` when done."""

    def __init__(self, sources: Mapping[str, Source], tls: ssl.SSLContext, limits: Limits) -> None:
        self._links = {name: _Link(source, tls, limits) for name, source in sources.items()}

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        return await self._link(permit, call).read(call.method, _target(call), call.body, action=call.action)

    async def write(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        return await self._link(permit, call).write(call.method, _target(call), call.body or b"", call.action)

    def stream(self, permit: Permit, call: UpstreamCall) -> AsyncGenerator[bytes]:
        """A list of any length, as it comes: bounded in time between two chunks only (transfer.export.Source)."""
        return self._link(permit, call).stream(call.method, _target(call))

    async def fetch(self, source: str, path: str, query: str, limits: Limits) -> UpstreamAnswer:
        """A read on the school's own behalf, for its roster: it delivers to nobody and needs no permit."""
        return await self._links[source].read("GET", f"{path}?{query}", None, limits)

    async def close(self) -> None:
        for link in self._links.values():
            await link.close()

    def _link(self, permit: Permit, call: UpstreamCall) -> _Link:
        if permit.call.source != call.source:
            raise ValueError("the permit is for another source")
        if call.source not in self._links:  # its files come in, and nobody calls it
            raise NotSent
        return self._links[call.source]


def _target(call: UpstreamCall) -> str:
    return f"{call.path}?{call.query}" if call.query else call.path


class _Link:
    """One LVS: its connections and its token."""

    def __init__(self, source: Source, tls: ssl.SSLContext, limits: Limits) -> None:
        self._origin = Origin.of(source.url)
        self._limits = limits
        self._header = source.header
        self._wire = Wire(self._origin, tls, limits)
        # A write goes over a connection of its own: on an idle one, which the LVS may just be closing, its
        # outcome could not be known.
        pool = httpx2.Limits(max_connections=limits.connections, max_keepalive_connections=0)
        self._transport = httpx2.AsyncHTTPTransport(verify=tls, trust_env=False, limits=pool, retries=0)
        self._token = AccessToken(source.client, self._transport, limits) if source.client else NoToken()

    async def close(self) -> None:
        self._wire.close()
        await self._transport.aclose()

    async def read(
        self,
        method: str,
        target: str,
        body: bytes | None,
        limits: Limits | None = None,
        action: str | None = None,
    ) -> UpstreamAnswer:
        token, sent = await self._token.current(), self._sent(body, action)
        reply = await self._wire.ask(method, target, token, sent, limits, action)
        if reply.status == 401 and token:
            token = await self._token.other_than(token)
            reply = await self._wire.ask(method, target, token, sent, limits, action)
        if reply.status == 404:
            return UpstreamAnswer(404, "", b"")
        if reply.status != 200:
            # A part (206) is not the answer, and what the LVS says about its failure is told to nobody.
            raise UpstreamFailed("the LVS did not answer with data")
        return UpstreamAnswer(200, _media_type(reply, action), reply.body, _total(reply))

    def _sent(self, body: bytes | None, action: str | None) -> bytes | None:
        """A message of SOAP gets the school's own header."""
        return body if action is None or body is None else enveloped(body, self._header)

    async def stream(self, method: str, target: str) -> AsyncGenerator[bytes]:
        token = await self._token.current()
        response = await self._begun(method, target, token)
        if response.status_code == 401 and token:
            await response.aclose()
            response = await self._begun(method, target, await self._token.other_than(token))
        try:
            async for chunk in _whole(response):
                yield chunk
        except httpx2.TimeoutException:
            raise UpstreamTimeout("no more came in time") from None
        except httpx2.TransportError:
            raise UpstreamFailed("the connection ended before the answer did") from None
        finally:
            await response.aclose()

    async def _begun(self, method: str, target: str, token: bytes) -> httpx2.Response:
        request = self._request(method, target, token, b"")
        request.extensions["timeout"] = _timeouts(self._limits)
        try:
            return await self._transport.handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            raise NotSent("no connection") from None
        except httpx2.TimeoutException:
            raise UpstreamTimeout("no answer in time") from None
        except httpx2.TransportError:
            raise UpstreamFailed("no usable answer") from None

    async def write(self, method: str, target: str, body: bytes, action: str | None = None) -> UpstreamAnswer:
        body = self._sent(body, action) or b""
        token = await self._write_token(self._token.current)
        reply = await self._send(method, target, token, body, action)
        if reply.status == 401 and token:
            # The LVS did not take the request, for want of a credential: it is not a repetition to send it now.
            refused = token
            token = await self._write_token(lambda: self._token.other_than(refused))
            reply = await self._send(method, target, token, body, action)
        return _written(reply) if action is None else _confirmed(reply)

    async def _write_token(self, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        """Whatever goes wrong with the token, the write itself was not sent."""
        try:
            return await ask()
        except UpstreamFailed:
            raise NotSent("no access to the LVS") from None

    async def _send(self, method: str, target: str, token: bytes, body: bytes, action: str | None) -> Reply:
        request = self._request(method, target, token, body, action)
        return await exchange(self._transport, request, self._limits)

    def _request(
        self, method: str, target: str, token: bytes, body: bytes, action: str | None = None
    ) -> httpx2.Request:
        origin = self._origin
        scheme = "https" if origin.secure else "http"
        headers = {
            "Host": origin.authority,
            "Accept": "application/json" if action is None else "text/xml",
            "Accept-Encoding": "identity",
            "User-Agent": "dataminimalisatie-gateway",
            "Content-Type": "application/json" if action is None else "text/xml; charset=utf-8",
            "Content-Length": str(len(body)),
        } | ({"Authorization": token.decode("ascii")} if token else {})
        headers |= {"SOAPAction": f'"{action}"'} if action is not None else {}
        url = f"{scheme}://{origin.authority}{encoded(origin.prefix + target).decode('ascii')}"
        return httpx2.Request(method, url, headers=headers, content=body)


async def _whole(response: httpx2.Response) -> AsyncGenerator[bytes]:
    """The chunks of an answer that may be looked into, and that tells its own end."""
    headers = tuple((name.lower(), value) for name, value in response.headers.raw)
    reply = Reply(response.status_code, headers, b"")
    if reply.status != 200 or not (reply.all(b"content-length") or reply.all(b"transfer-encoding")):
        raise UpstreamFailed("the LVS did not answer with a whole list")
    _json_media_type(reply)
    async for chunk in response.aiter_raw(_CHUNK):
        yield chunk


def _timeouts(limits: Limits) -> dict[str, float]:
    return {"connect": limits.connect, "pool": limits.connect, "read": limits.first_byte, "write": limits.first_byte}


# -- one exchange through httpx2's transport -------------------------------------------------------------


async def exchange(transport: httpx2.AsyncHTTPTransport, request: httpx2.Request, limits: Limits) -> Reply:
    """Sends and reads the whole answer. Raises NotSent while nothing was sent, OutcomeUnknown after."""
    begun = False

    async def trace(event: str, _info: object) -> None:
        nonlocal begun
        begun = begun or event == _BEGUN

    request.extensions["trace"] = trace
    request.extensions["timeout"] = _timeouts(limits)
    try:
        async with asyncio.timeout(limits.total):
            response = await transport.handle_async_request(request)
            try:
                body = await _bounded(response, limits.body)
            finally:
                await response.aclose()
    except (httpx2.TransportError, TimeoutError):
        if begun:
            raise OutcomeUnknown("no answer came") from None
        raise NotSent("no connection") from None
    headers = tuple((name.lower(), value) for name, value in response.headers.raw)
    return Reply(response.status_code, headers, body)


async def _bounded(response: httpx2.Response, limit: int) -> bytes:
    chunks, size = [], 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > limit:
            raise UpstreamFailed("the body is too large")
        chunks.append(chunk)
    return b"".join(chunks)


# -- what an answer must be ------------------------------------------------------------------------------


def _media_type(reply: Reply, action: str | None) -> str:
    """The media type of an answer that may be looked into, else UpstreamFailed."""
    if action is None:
        return _json_media_type(reply)
    _identity(reply)
    found = [value.split(b";")[0].strip().lower() for value in reply.all(b"content-type")]
    if found not in ([b"text/xml"], [b"application/xml"]):
        raise UpstreamFailed("the answer is not XML")
    return found[0].decode("ascii")


def _json_media_type(reply: Reply) -> str:
    _identity(reply)
    types = reply.all(b"content-type")
    media_type = _json(types[0]) if len(types) == 1 else None
    if media_type is None:
        raise UpstreamFailed("the answer is not JSON")
    return media_type


def _identity(reply: Reply) -> None:
    if any(value.strip().lower() != b"identity" for value in reply.all(b"content-encoding")):
        raise UpstreamFailed("the answer is encoded though identity was asked")


def _total(reply: Reply) -> int | None:
    """What a list says it holds in all; None when it does not say so once and clearly."""
    said = reply.all(b"x-total-count")
    return int(said[0]) if len(said) == 1 and _COUNT.match(said[0]) else None


@lru_cache(maxsize=64)
def _json(content_type: bytes) -> str | None:
    """The media type, when it is one of JSON."""
    media_type = content_type.split(b";")[0].strip().lower()
    suffixed = media_type.startswith(b"application/") and media_type.endswith(b"+json")
    return media_type.decode("ascii", "replace") if suffixed or media_type == b"application/json" else None


def _written(reply: Reply) -> UpstreamAnswer:
    if reply.status == 401 or not (200 <= reply.status < 300 or 400 <= reply.status < 500):
        raise UpstreamFailed("the LVS did not take the write")
    if not reply.body:
        return UpstreamAnswer(reply.status, "", b"")
    try:
        return UpstreamAnswer(reply.status, _json_media_type(reply), reply.body)
    except UpstreamFailed:
        if reply.status < 300:
            raise
        # A refusal is a refusal in any wording, but only a JSON wording is looked into.
        return UpstreamAnswer(reply.status, "", b"")


def _confirmed(reply: Reply) -> UpstreamAnswer:
    """The answer to a message: a confirmation, or a fault, which SOAP 1.1 gives the status 500."""
    if reply.status not in (200, 500):
        raise UpstreamFailed("the LVS did not take the write")
    return UpstreamAnswer(reply.status, _media_type(reply, ""), reply.body)


# -- the token -------------------------------------------------------------------------------------------


class NoToken:
    """A source that asks for no credential."""

    async def current(self) -> bytes:
        return b""

    async def other_than(self, _refused: bytes) -> bytes:
        return b""


class AccessToken:
    """The access token of one source, asked for when needed and kept in memory only."""

    def __init__(self, client: Client, transport: httpx2.AsyncHTTPTransport, limits: Limits) -> None:
        origin = Origin.of(client.token_url)
        scheme = "https" if origin.secure else "http"
        self._url = f"{scheme}://{origin.authority}{origin.prefix}"
        # RFC 6749 section 2.3.1: identifier and secret are form-encoded, then joined for Basic.
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        self._basic = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
        form = {"grant_type": "client_credentials"} | ({"scope": client.scope} if client.scope else {})
        self._form = urlencode(form).encode("ascii")
        self._transport = transport
        self._limits = Limits(limits.connect, limits.first_byte, limits.total, _TOKEN_BODY_LIMIT)
        self._lock = asyncio.Lock()
        self._value = b""
        self._until = 0.0

    async def current(self) -> bytes:
        """The value of the Authorization header."""
        if asyncio.get_running_loop().time() < self._until:
            return self._value
        return await self.other_than(self._value)

    async def other_than(self, refused: bytes) -> bytes:
        """A new token, unless another call has already replaced the refused one."""
        async with self._lock:
            if self._value == refused or asyncio.get_running_loop().time() >= self._until:
                await self._renew()
            return self._value

    async def _renew(self) -> None:
        self._until = 0.0
        asked = asyncio.get_running_loop().time()
        answer = await self._ask()
        life = _TOKEN_LIFE if answer.expires_in is None else float(min(answer.expires_in, _LONGEST_LIFE))
        self._value = b"Bearer " + answer.access_token.encode("ascii")
        self._until = asked + life - min(_TOKEN_MARGIN, life / 2)

    async def _ask(self) -> _TokenAnswer:
        headers = {
            "Authorization": self._basic,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "dataminimalisatie-gateway",
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(self._form)),
        }
        request = httpx2.Request("POST", self._url, headers=headers, content=self._form)
        try:
            reply = await exchange(self._transport, request, self._limits)
        except OutcomeUnknown:
            # A token that was made and lost harms nobody; of the call itself nothing was sent.
            raise NotSent("no token in time") from None
        return _token_answer(reply)


def _token_answer(reply: Reply) -> _TokenAnswer:
    if reply.status != 200:
        raise UpstreamFailed("the LVS gave no token")
    _json_media_type(reply)
    try:
        answer = msgspec.json.decode(reply.body, type=_TokenAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamFailed("the token answer is not as RFC 6749 says") from None
    if answer.token_type.lower() != "bearer" or not _TOKEN.match(answer.access_token):
        raise UpstreamFailed("the token answer is not as RFC 6749 says")
    return answer
