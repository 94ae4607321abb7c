"""One exchange through httpx2's transport, and the kind of answer that may be looked into.

httpx2's trace tells whether the request was begun, so that "not sent" is said only when nothing was. No URL, header or
body stands in an error. Leaves out: whom is asked and with which credential (`upstream`, `token`).
"""

from __future__ import annotations

import asyncio
from functools import lru_cache

import httpx2

from gateway.adapters.lvs.wire import Limits, Reply
from gateway.transfer.ports import NotSent, OutcomeUnknown, UpstreamFailed

_BEGUN = "http11.send_request_headers.started"


def timeouts(limits: Limits) -> dict[str, float]:
    """As httpx2 takes them, in seconds."""
    return {"connect": limits.connect, "pool": limits.connect, "read": limits.first_byte, "write": limits.first_byte}


async def exchange(transport: httpx2.AsyncHTTPTransport, request: httpx2.Request, limits: Limits) -> Reply:
    """Sends and reads the whole answer. Raises NotSent while nothing was sent, OutcomeUnknown after."""
    begun = False

    async def trace(event: str, _info: object) -> None:
        nonlocal begun
        begun = begun or event == _BEGUN

    request.extensions["trace"] = trace
    request.extensions["timeout"] = timeouts(limits)
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


def media_type(reply: Reply, action: str | None) -> str:
    """The media type of an answer that may be looked into, else UpstreamFailed."""
    if action is None:
        return json_media_type(reply)
    _identity(reply)
    found = [value.split(b";")[0].strip().lower() for value in reply.all(b"content-type")]
    if found not in ([b"text/xml"], [b"application/xml"]):
        raise UpstreamFailed("the answer is not XML")
    return found[0].decode("ascii")


def json_media_type(reply: Reply) -> str:
    """The media type, of JSON, of an answer in no encoding; else UpstreamFailed."""
    _identity(reply)
    types = reply.all(b"content-type")
    media_type = _json(types[0]) if len(types) == 1 else None
    if media_type is None:
        raise UpstreamFailed("the answer is not JSON")
    return media_type


def _identity(reply: Reply) -> None:
    if any(value.strip().lower() != b"identity" for value in reply.all(b"content-encoding")):
        raise UpstreamFailed("the answer is encoded though identity was asked")


@lru_cache(maxsize=64)
def _json(content_type: bytes) -> str | None:
    """The media type, when it is one of JSON."""
    media_type = content_type.split(b";")[0].strip().lower()
    suffixed = media_type.startswith(b"application/") and media_type.endswith(b"+json")
    return media_type.decode("ascii", "replace") if suffixed or media_type == b"application/json" else None
