"""The recipients' systems to which the gateway itself sends: implements `transfer.ports.Endpoints`.

One request over a connection of its own, with the credential of gateway.yaml and no other header of anybody. It tells
truthfully whether anything was sent, as writes to the LVS do. Leaves out: what is sent and what the answer means
(`transfer.push`).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2

from gateway.adapters.lvs.exchange import exchange
from gateway.adapters.lvs.token import AccessToken, Client, NoToken
from gateway.adapters.lvs.upstream import trust_for
from gateway.adapters.lvs.wire import Limits, Origin, Reply, encoded
from gateway.core.gate.decide import Permit
from gateway.transfer.ports import Message, NotSent, Receipt, UpstreamAnswer, UpstreamFailed

_CHUNK = 256 * 1024
_LONGEST = 3_600.0  # seconds that one file may take
_MEDIA = {
    ".json": "application/json",
    ".ndjson": "application/x-ndjson",
    ".csv": "text/csv; charset=utf-8",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`url`: the whole of it. `certificate`: a PEM file with key and chain, by which the school is known there."""

    url: str
    client: Client | None = None
    certificate: Path | None = field(default=None, repr=False)

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.url, self.client.token_url) if self.client else (self.url,)


class HttpEndpoints:
    """Every endpoint of gateway.yaml by name. Made in the event loop that uses it; `close` when done."""

    def __init__(self, endpoints: Mapping[str, Endpoint], trust: Callable[[], ssl.SSLContext], limits: Limits) -> None:
        self._links = {name: _Link(one, trust_for(one.urls, trust), limits) for name, one in endpoints.items()}
        self._addresses = {name: one.url for name, one in endpoints.items()}

    def address(self, endpoint: str) -> str:
        return self._addresses.get(endpoint, "")

    async def send(self, permit: Permit, receipt: Receipt, message: Message) -> UpstreamAnswer:
        """To nobody but the endpoint of the delivery, and nothing that is not registered."""
        if permit.standing.delivery.endpoint != message.endpoint or not receipt.id:
            raise ValueError("the permit is for another endpoint")
        link = self._links.get(message.endpoint)
        if link is None:
            raise NotSent("no such endpoint in gateway.yaml")
        return await link.send(message)

    async def put(self, permit: Permit, receipt: Receipt, endpoint: str, name: str, path: Path) -> None:
        """A whole file under this name, to an endpoint that the agreement lists (R75); the same once more changes
        nothing (RFC 9110 section 9.2.2). Raises NotSent, OutcomeUnknown or UpstreamFailed."""
        agreement = permit.standing.recipient.agreement
        if agreement is None or endpoint not in agreement.endpoints or not receipt.id:
            raise ValueError("the permit is for another endpoint")
        link = self._links.get(endpoint)
        if link is None:
            raise NotSent("no such endpoint in gateway.yaml")
        await link.put(name, path)

    async def close(self) -> None:
        for link in self._links.values():
            await link.close()


class _Link:
    """One endpoint: its connections and its token."""

    def __init__(self, endpoint: Endpoint, tls: ssl.SSLContext, limits: Limits) -> None:
        if endpoint.certificate is not None:
            tls.load_cert_chain(endpoint.certificate)
        self._origin = Origin.of(endpoint.url)
        self._limits = limits
        # as with writes to the LVS: on an idle connection the outcome could not be known
        pool = httpx2.Limits(max_connections=limits.connections, max_keepalive_connections=0)
        self._transport = httpx2.AsyncHTTPTransport(verify=tls, trust_env=False, limits=pool, retries=0)
        self._token = AccessToken(endpoint.client, self._transport, limits) if endpoint.client else NoToken()

    async def close(self) -> None:
        await self._transport.aclose()

    async def send(self, message: Message) -> UpstreamAnswer:
        try:
            token = await self._token.current()
        except UpstreamFailed:
            raise NotSent("no access to the endpoint") from None
        reply = await exchange(self._transport, self._request(message, token), self._limits)
        if any(value.strip().lower() != b"identity" for value in reply.all(b"content-encoding")):
            raise UpstreamFailed("the answer is encoded though identity was asked")
        return UpstreamAnswer(reply.status, _media(reply), reply.body)

    async def put(self, name: str, path: Path) -> None:
        try:
            token = await self._token.current()
        except UpstreamFailed:
            raise NotSent("no access to the endpoint") from None
        request = _upload(self._origin, name, path, token)
        reply = await exchange(self._transport, request, replace(self._limits, total=_LONGEST))
        if not 200 <= reply.status < 300:
            raise UpstreamFailed("the endpoint did not take the file")

    def _request(self, message: Message, token: bytes) -> httpx2.Request:
        origin = self._origin
        target = f"{origin.prefix or '/'}?{message.query}" if message.query else origin.prefix or "/"
        headers = {
            "Host": origin.authority,
            "Accept": message.media.partition(";")[0],
            "Accept-Encoding": "identity",
            "User-Agent": "dataminimalisatie-gateway",
            "Content-Type": message.media,
            "Content-Length": str(len(message.body)),
        }
        headers |= {"SOAPAction": f'"{message.action}"'} if message.action else {}
        headers |= {"Authorization": token.decode("ascii")} if token else {}
        url = f"{'https' if origin.secure else 'http'}://{origin.authority}{encoded(target).decode('ascii')}"
        return httpx2.Request("POST", url, headers=headers, content=message.body)


def _upload(origin: Origin, name: str, path: Path, token: bytes) -> httpx2.Request:
    headers = {
        "Host": origin.authority,
        "User-Agent": "dataminimalisatie-gateway",
        "Content-Type": _MEDIA.get(Path(name).suffix, "application/octet-stream"),
        "Content-Length": str(path.stat().st_size),
    } | ({"Authorization": token.decode("ascii")} if token else {})
    target = encoded(f"{origin.prefix}/{name}").decode("ascii")
    url = f"{'https' if origin.secure else 'http'}://{origin.authority}{target}"
    return httpx2.Request("PUT", url, headers=headers, content=_chunks(path))


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _media(reply: Reply) -> str:
    types = reply.all(b"content-type")
    return types[0].split(b";")[0].strip().lower().decode("ascii", "replace") if len(types) == 1 else ""
