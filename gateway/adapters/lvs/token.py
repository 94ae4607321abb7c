"""The gateway's own access token at an LVS or endpoint: OAuth2 client credentials (RFC 6749 section 4.4).

Kept in memory only. Leaves out: what it is used for (`upstream`, `adapters.endpoints`).
"""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

import httpx2
import msgspec

from gateway.adapters.lvs.exchange import exchange, json_media_type
from gateway.adapters.lvs.wire import Limits, Origin, Reply
from gateway.core.release.minimised import BROKEN
from gateway.transfer.ports import NotSent, OutcomeUnknown, UpstreamFailed

_TOKEN = re.compile(r"[!-~]{1,8192}\Z")  # RFC 6749 appendix A.12, without the space that would end the header
_BODY_LIMIT = 65_536  # bytes
_LIFE = 300.0  # seconds, when the LVS does not say
_LONGEST_LIFE = 86_400  # seconds, whatever the LVS says
_MARGIN = 30.0  # seconds before its end at which a token is no longer used for a new call


@dataclass(frozen=True, slots=True)
class Client:
    """Who the gateway is to one LVS, and where it gets its token."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None


class _TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str
    expires_in: int | None = None


class NoToken:
    """A source that asks for no credential."""

    async def current(self) -> bytes:
        return b""

    async def other_than(self, _refused: bytes) -> bytes:
        return b""


class AccessToken:
    """The access token of one source, asked for when needed and kept in memory only."""

    def __init__(self, client: Client, transport: httpx2.AsyncHTTPTransport, limits: Limits) -> None:
        place, _, query = client.token_url.partition("?")
        origin = Origin.of(place)
        scheme = "https" if origin.secure else "http"
        self._url = f"{scheme}://{origin.authority}{origin.prefix}" + (f"?{query}" if query else "")
        # RFC 6749 section 2.3.1: identifier and secret are form-encoded, then joined for Basic.
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        self._basic = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
        form = {"grant_type": "client_credentials"} | ({"scope": client.scope} if client.scope else {})
        self._form = urlencode(form).encode("ascii")
        self._transport = transport
        self._limits = Limits(limits.connect, limits.first_byte, limits.total, _BODY_LIMIT)
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
        life = _LIFE if answer.expires_in is None else float(min(answer.expires_in, _LONGEST_LIFE))
        self._value = b"Bearer " + answer.access_token.encode("ascii")
        self._until = asked + life - min(_MARGIN, life / 2)

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
    json_media_type(reply)
    try:
        answer = msgspec.json.decode(reply.body, type=_TokenAnswer)
    except BROKEN:
        raise UpstreamFailed("the token answer is not as RFC 6749 says") from None
    if answer.token_type.lower() != "bearer" or not _TOKEN.match(answer.access_token):
        raise UpstreamFailed("the token answer is not as RFC 6749 says")
    return answer
