"""The admin API over HTTP: sign in, bring in rows, end, decide, declare, look. `openapi` describes the same.

A person's token in `Authorization: Bearer` and nothing else identifies, so no page of another site can act with it.
Errors are problems (RFC 9457): a row's place and rule, never its value. Bodies are bounded, and read only of who is
signed in. Leaves out: what is done (`desk`), and by whom it may be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import anyio
import anyio.to_thread
import msgspec
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.core.persons import Actor
from gateway.core.release.minimised import BROKEN
from gateway.transfer.ports import RegisterUnavailable
from gateway.web.desk import Declined, Desk, RowsForm
from gateway.web.limits import RateLimit

LARGEST = 32_000_000  # bytes of rows; more comes in by the command line
_SMALL = 100_000  # bytes of any other body
_SECONDS = 120  # for a whole body to arrive
_AT_ONCE = 2  # acts that run at once
_NO_STORE = {"Cache-Control": "no-store"}
_PROBLEM = "application/problem+json"
CSV, JSON, NDJSON = "text/csv", "application/json", "application/x-ndjson"
_FORMS: Mapping[str, RowsForm] = {CSV: "csv", JSON: "json", NDJSON: "ndjson"}

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S")]
_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A small body: strict, and never repeated."""


class SignIn(_Body, frozen=True, forbid_unknown_fields=True):
    """As `gateway login` asks."""

    name: _Short
    password: _Short
    code: _Short

    def __repr__(self) -> str:
        return "<SignIn …>"


class End(_Body, frozen=True, forbid_unknown_fields=True):
    """`informed`: when the parents, or the pupil of 16, were informed; a restriction needs it (R95)."""

    reason: Reason
    informed: date | None = None


class Decision(_Body, frozen=True, forbid_unknown_fields=True):
    """R96."""

    reason: Reason
    rejected: bool


class Declaration(_Body, frozen=True, forbid_unknown_fields=True):
    """Everything of this kind is entered for this location."""

    kind: Literal["restriction", "objection", "court-order", "marker"]
    location: _Short
    reason: Reason


BODIES = (SignIn, End, Decision, Declaration)

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
Acting = Callable[[Request, Actor], Awaitable[Response]]


class FactsApi:
    """The routes of the admin API. `monotonic`: seconds; `report`: told the kind of an error, never its text."""

    def __init__(
        self, desk: Desk, openapi: bytes, monotonic: Callable[[], float], report: Callable[[str], None]
    ) -> None:
        self._desk = desk
        self._openapi = openapi
        self._sign_ins = RateLimit(20, monotonic)
        self._report = report
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    def routes(self) -> list[Route]:
        paths: dict[str, dict[str, Handler]] = {
            "/openapi.json": {"GET": self._describe},
            "/session": {"POST": self._sign_in, "DELETE": self._acting(self._sign_out)},
            "/facts/status": {"GET": self._acting(self._status)},
            "/declarations": {"POST": self._acting(self._declare)},
            "/campaigns": {"POST": self._acting(self._campaign)},
            "/facts/objection/{number:int}/decision": {"POST": self._acting(self._decide)},
        }
        for kind in self._desk.kinds:
            listing, bringing = partial(self._list, kind), partial(self._bring_in, kind)
            paths[f"/facts/{kind}"] = {"GET": self._acting(listing), "POST": self._acting(bringing)}
            paths[f"/facts/{kind}/{{number:int}}/end"] = {"POST": self._acting(partial(self._end, kind))}
        return [self._route(path, handlers) for path, handlers in paths.items()]

    # -- what is common ----------------------------------------------------------------------------------

    def _route(self, path: str, handlers: Mapping[str, Handler]) -> Route:
        """Every way to fail as a problem."""

        async def answer(request: Request) -> Response:
            try:
                # HEAD comes with GET
                return await handlers.get(request.method, handlers.get("GET", _none))(request)
            except Declined as declined:
                return problem(declined)
            except RegisterUnavailable:
                return problem(Declined(503, "the database cannot be read or written now"))
            # the outermost edge: the server would log the text, which may hold a pupil's name (house rule 8)
            except Exception as error:  # noqa: BLE001 - whatever it is becomes a problem without its text
                self._report(type(error).__name__)
                return problem(Declined(500, "an error of the gateway"))

        return Route(path, answer, methods=list(handlers))

    def _acting(self, handler: Acting) -> Handler:
        async def answer(request: Request) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            actor = await self._do(self._desk.actor, token.strip()) if scheme.lower() == "bearer" else None
            if actor is None:
                raise Declined(401, "sign in first: POST /session")
            return await handler(request, actor)

        return answer

    async def _do(self, act: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """In a thread: an import takes a while, and the listener goes on."""
        return await anyio.to_thread.run_sync(partial(act, *arguments, **named), limiter=self._limiter)

    # -- sessions ----------------------------------------------------------------------------------------

    async def _describe(self, _: Request) -> Response:
        return Response(self._openapi, media_type=JSON, headers=_NO_STORE)

    async def _sign_in(self, request: Request) -> Response:
        if not self._sign_ins.allows(request.client.host if request.client else ""):
            raise Declined(429, "too many sign-ins; wait a minute")
        given = await _body(request, SignIn)
        token = await self._do(self._desk.sign_in, given.name, given.password, given.code)
        if token is None:
            raise Declined(401, "name, password or code is wrong, or there were too many tries")
        return _json({"access_token": token, "token_type": "Bearer"})

    async def _sign_out(self, request: Request, actor: Actor) -> Response:
        token = request.headers["authorization"].partition(" ")[2].strip()
        await self._do(self._desk.sign_out, actor, token)
        return Response(status_code=204, headers=_NO_STORE)

    # -- facts -------------------------------------------------------------------------------------------

    async def _bring_in(self, kind: str, request: Request, actor: Actor) -> Response:
        reason = _reason(request)
        form = _FORMS[_media(request, *_FORMS)]
        body = await _read(request, LARGEST)
        return _json(await self._do(self._desk.bring_in, actor, kind, body, form, reason))

    async def _list(self, kind: str, request: Request, actor: Actor) -> Response:
        return _json(await self._do(self._desk.listed, actor, kind, _last(request)))

    async def _end(self, kind: str, request: Request, actor: Actor) -> Response:
        given = await _body(request, End)
        await self._do(self._desk.end, actor, kind, _number(request), given.reason, given.informed)
        return Response(status_code=204, headers=_NO_STORE)

    async def _decide(self, request: Request, actor: Actor) -> Response:
        given = await _body(request, Decision)
        number = _number(request)
        await self._do(self._desk.decide, actor, number, given.reason, rejected=given.rejected)
        return Response(status_code=204, headers=_NO_STORE)

    async def _campaign(self, request: Request, actor: Actor) -> Response:
        reason = _reason(request)
        _media(request, JSON)
        return _json(await self._do(self._desk.open_campaign, actor, await _read(request, _SMALL), reason))

    async def _declare(self, request: Request, actor: Actor) -> Response:
        given = await _body(request, Declaration)
        await self._do(self._desk.declare, actor, given.kind, given.location, given.reason)
        return Response(status_code=204, headers=_NO_STORE)

    async def _status(self, request: Request, actor: Actor) -> Response:
        return _json(await self._do(self._desk.status, actor))


async def _none(_: Request) -> Response:
    raise Declined(405, "this method is not allowed here")


# -- reading and answering -----------------------------------------------------------------------------


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise Declined(413, f"the body is larger than {most} bytes")
    except TimeoutError:
        raise Declined(408, "the body did not arrive in time") from None
    return bytes(body)


async def _body(request: Request, kind: type[T]) -> T:
    _media(request, JSON)
    try:
        return msgspec.json.decode(await _read(request, _SMALL), type=kind)
    except BROKEN:
        raise Declined(400, "the body is not as the API describes it") from None


def _media(request: Request, *accepted: str) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in accepted:
        raise Declined(415, f"send {' or '.join(accepted)}")
    return given


def _reason(request: Request) -> str:
    """Why, in words; in a header, because the body holds rows."""
    reason = request.headers.get("reason", "").strip()
    if not reason or len(reason) > 500 or not reason.isprintable():
        raise Declined(400, "say why in the header Reason, in at most 500 characters")
    return reason


def _number(request: Request) -> int:
    number: int = request.path_params["number"]
    if number >= 1 << 63:  # of no fact: the database counts no further
        raise Declined(404, "no such fact is known")
    return number


def _last(request: Request) -> int:
    unknown = set(request.query_params) - {"last"}
    given = request.query_params.get("last", "100")
    if unknown or not given.isascii() or not given.isdigit() or len(given) > 4 or not 1 <= int(given) <= 1_000:
        raise Declined(400, "the only parameter is last, from 1 to 1000")
    return int(given)


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type=JSON, headers=_NO_STORE)


def problem(declined: Declined) -> Response:
    """RFC 9457, with `problems` by line."""
    body: dict[str, Any] = {"status": declined.status, "title": declined.title}
    if declined.problems:
        body |= {"problems": list(declined.problems), "count": declined.count}
    headers = dict(_NO_STORE)
    if declined.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="gateway admin"'
    if declined.status in (429, 503):
        headers["Retry-After"] = "60"
    return Response(orjson.dumps(body), declined.status, media_type=_PROBLEM, headers=headers)


async def unknown(_: Request, error: Exception) -> Response:
    """What starlette itself refuses, an unknown path or method, in the same form."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    answer = problem(Declined(status, "no such path" if status == 404 else "this method is not allowed here"))
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer
