"""The LVS over HTTP: implements `transfer.ports.Upstream`, and gives the roster sync its reader.

Holds what an answer must be before anybody looks into it, and the truth about writes. No URL, header or body stands in
an error, and nothing is logged: httpx2 is used as a transport, below the layer that keeps cookies, follows redirects
and logs URLs. Leaves out: the connections of reads (`wire`), one exchange (`exchange`), credentials (`token`).
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2

from gateway.adapters.lvs.exchange import exchange, json_media_type, media_type, timeouts
from gateway.adapters.lvs.token import AccessToken, Client, NoToken
from gateway.adapters.lvs.wire import Limits, Origin, Reply, Wire, encoded
from gateway.core.gate.decide import Permit
from gateway.formats.xml.soap import enveloped
from gateway.transfer.ports import (
    NotSent,
    UpstreamAnswer,
    UpstreamCall,
    UpstreamFailed,
    UpstreamTimeout,
)

_COUNT = re.compile(rb"[0-9]{1,12}\Z")
_CHUNK = 65_536  # bytes of a list that is read as it comes


@dataclass(frozen=True, slots=True)
class Source:
    """How one LVS is reached; without a client, calls carry no credential. `header`: what stands above every message of
    SOAP, the school's own authorisation."""

    url: str
    client: Client | None = None
    header: bytes = field(default=b"", repr=False)

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.url, self.client.token_url) if self.client else (self.url,)


def system_trust() -> ssl.SSLContext:
    """TLS 1.2 or higher, certificates and host names checked against the system's trust store."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def trust_for(urls: Iterable[str], trust: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Read only where one of these is reached over TLS: reading it takes longer than most calls. Else nobody is
    trusted."""
    return trust() if any(urlsplit(url).scheme != "http" for url in urls) else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class HttpUpstream:
    """Every LVS of the school by name. Made in the event loop that uses it; `close` when done."""

    def __init__(self, sources: Mapping[str, Source], trust: Callable[[], ssl.SSLContext], limits: Limits) -> None:
        tls = trust_for((url for source in sources.values() for url in source.urls), trust)
        self._links = {name: _Link(source, tls, limits) for name, source in sources.items()}

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        return await self._link(permit, call).read(call.method, _target(call), call.body, action=call.action)

    async def write(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        return await self._link(permit, call).write(call.method, _target(call), call.body or b"", call.action)

    def stream(self, permit: Permit, call: UpstreamCall) -> AsyncGenerator[bytes]:
        """A list of any length, as it comes: bounded in time between two chunks only (transfer.export.Source)."""
        return self._link(permit, call).stream(call.method, _target(call), call.body, call.action)

    async def fetch(self, source: str, path: str, query: str, limits: Limits) -> UpstreamAnswer:
        """A read on the school's own behalf, for its roster: it delivers to nobody and needs no permit."""
        return await self._links[source].read("GET", f"{path}?{query}", None, limits)

    async def message(self, source: str, path: str, action: str, content: bytes, limits: Limits) -> UpstreamAnswer:
        """The same in UWLR: `content` is the element in the message's body."""
        return await self._links[source].read("POST", path, content, limits, action)

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
        return UpstreamAnswer(200, media_type(reply, action), reply.body, _total(reply))

    def _sent(self, body: bytes | None, action: str | None) -> bytes | None:
        """A message of SOAP gets the school's own header."""
        return body if action is None or body is None else enveloped(body, self._header)

    async def stream(
        self, method: str, target: str, body: bytes | None = None, action: str | None = None
    ) -> AsyncGenerator[bytes]:
        token, sent = await self._token.current(), self._sent(body, action) or b""
        response = await self._begun(self._request(method, target, token, sent, action))
        if response.status_code == 401 and token:
            await response.aclose()
            token = await self._token.other_than(token)
            response = await self._begun(self._request(method, target, token, sent, action))
        try:
            async for chunk in _whole(response, action):
                yield chunk
        except httpx2.TimeoutException:
            raise UpstreamTimeout("no more came in time") from None
        except httpx2.TransportError:
            raise UpstreamFailed("the connection ended before the answer did") from None
        finally:
            await response.aclose()

    async def _begun(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions["timeout"] = timeouts(self._limits)
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


async def _whole(response: httpx2.Response, action: str | None) -> AsyncGenerator[bytes]:
    """The chunks of an answer that may be looked into, and that tells its own end."""
    headers = tuple((name.lower(), value) for name, value in response.headers.raw)
    reply = Reply(response.status_code, headers, b"")
    if reply.status != 200 or not (reply.all(b"content-length") or reply.all(b"transfer-encoding")):
        raise UpstreamFailed("the LVS did not answer with a whole list")
    media_type(reply, action)
    async for chunk in response.aiter_raw(_CHUNK):
        yield chunk


# -- what an answer must be ------------------------------------------------------------------------------


def _total(reply: Reply) -> int | None:
    """What a list says it holds in all; None when it does not say so once and clearly."""
    said = reply.all(b"x-total-count")
    return int(said[0]) if len(said) == 1 and _COUNT.match(said[0]) else None


def _written(reply: Reply) -> UpstreamAnswer:
    if reply.status == 401 or not (200 <= reply.status < 300 or 400 <= reply.status < 500):
        raise UpstreamFailed("the LVS did not take the write")
    if not reply.body:
        return UpstreamAnswer(reply.status, "", b"")
    try:
        return UpstreamAnswer(reply.status, json_media_type(reply), reply.body)
    except UpstreamFailed:
        if reply.status < 300:
            raise
        # A refusal is a refusal in any wording, but only a JSON wording is looked into.
        return UpstreamAnswer(reply.status, "", b"")


def _confirmed(reply: Reply) -> UpstreamAnswer:
    """The answer to a message: a confirmation, or a fault, which SOAP 1.1 gives the status 500."""
    if reply.status not in (200, 500):
        raise UpstreamFailed("the LVS did not take the write")
    return UpstreamAnswer(reply.status, media_type(reply, ""), reply.body)
