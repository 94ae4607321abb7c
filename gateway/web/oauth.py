"""`/oauth/token`: the client credentials grant (RFC 6749 section 4.4), Basic or form, opaque tokens.

Standard scopes are accepted and change nothing: what a client may read is in its recipient file, and a scope can
only narrow. Errors are those of RFC 6749 section 5.2. Leaves out: how secrets and tokens are kept
(`adapters.access.callers`).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import parse_qsl, unquote_plus

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.core.reasons import Reason
from gateway.transfer.ports import RegisterUnavailable
from gateway.web.respond import problem

_LONGEST_FORM = 8_192  # bytes
_SECONDS = 10  # for the whole form to arrive
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenIssuer(Protocol):
    """Gives a token to a client that knows its secret."""

    def issue(self, client: str, secret: str) -> tuple[str, int] | None:
        """(token, seconds it lives), or None for an unknown, revoked or wrong one."""
        ...


Refused = Callable[[str], Awaitable[str | None]]
"""Registers a refused attempt of this origin; returns the entry's id, None when the register could not be written."""


def oauth_app(issuer: TokenIssuer, refused: Refused, path: str = "/oauth/token") -> Starlette:
    """The token endpoint as an ASGI application."""

    async def token(request: Request) -> Response:
        origin = request.client.host if request.client else ""
        form = await _form(request)
        credentials = _credentials(request.headers.get("authorization"), form)
        if form is None or credentials is None:
            return _error(400, "invalid_request")
        if form.get("grant_type") != "client_credentials":
            return _error(400, "unsupported_grant_type")
        try:
            issued = issuer.issue(*credentials)
        except RegisterUnavailable:
            return _unavailable()
        if issued is None:
            transfer = await refused(origin)
            return _error(401, "invalid_client", transfer) if transfer else _unavailable()
        answer = {"access_token": issued[0], "token_type": "Bearer", "expires_in": issued[1]}
        return Response(orjson.dumps(answer), media_type="application/json", headers=_NO_STORE)

    return Starlette(routes=[Route(path, token, methods=["POST"])], exception_handlers={405: _not_allowed})


async def _not_allowed(_: Request, __: Exception) -> Response:
    """RFC 9110 section 15.5.6; RFC 6749 section 3.2 knows POST only, and has no error for the rest."""
    status, media, body = problem("problem", Reason.METHOD_NOT_ALLOWED, "POST")
    headers = {**_NO_STORE, "Allow": "POST", "Gateway-Reason": Reason.METHOD_NOT_ALLOWED.value}
    return Response(body, status, media_type=media.decode(), headers=headers)


def _unavailable() -> Response:
    """Nobody can be known and nothing registered now, so nothing else is told (house rule 3)."""
    headers = {**_NO_STORE, "Retry-After": "5", "Gateway-Reason": Reason.REGISTER_UNAVAILABLE.value}
    body = orjson.dumps({"error": "temporarily_unavailable"})
    return Response(body, 503, media_type="application/json", headers=headers)


def _error(status: int, code: str, transfer: str | None = None) -> Response:
    headers = dict(_NO_STORE)
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="gateway"'
    if transfer:
        headers["Gateway-Transfer"] = transfer
    return Response(orjson.dumps({"error": code}), status, media_type="application/json", headers=headers)


async def _form(request: Request) -> dict[str, str] | None:
    """The form's fields, each at most once; None when it is no form or too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    body = b""
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LONGEST_FORM:
                    return None
    except TimeoutError:
        return None
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=16)
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


def _credentials(header: str | None, form: dict[str, str] | None) -> tuple[str, str] | None:
    """Client id and secret from Basic (RFC 6749 section 2.3.1) or from the form; never from both."""
    if form is None:
        return None
    if header is None:
        offered = (form.get("client_id"), form.get("client_secret"))
        return (offered[0], offered[1]) if offered[0] and offered[1] else None
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or "client_secret" in form:
        return None
    try:
        client, colon, secret = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
    except ValueError:  # no base64, or no ASCII before or after
        return None
    return (unquote_plus(client), unquote_plus(secret)) if colon and client else None
