"""The demo LVS: Edu-V Students, Association and Results at their official paths, over a made-up school; and the same
school as Somtoday Connect (`somtoday`).

Speaks OAuth2 client credentials with opaque tokens and answers errors as Edu-V's StatusResponse (Results: an
array). What reached it and faults on request stand in `control`. `python -m gateway.demo.lvs` runs it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import hmac
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs, unquote_plus
from zoneinfo import ZoneInfo

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.core.release.minimised import BROKEN
from gateway.demo.answers import Answers, Unanswerable, knows_school
from gateway.demo.control import Control
from gateway.demo.oneroster import make_roster
from gateway.demo.oneroster_api import OneRoster, status_info
from gateway.demo.receivers import receivers
from gateway.demo.records import Records, make_records
from gateway.demo.school import School, make_school
from gateway.demo.server import serve
from gateway.demo.somtoday import Somtoday
from gateway.demo.uwlr import Documents
from gateway.demo.uwlr_service import UwlrService

JSON = "application/json"
Handler = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Credentials:
    """The one client that this LVS knows, and the tokens it has given out."""

    client_id: str
    client_secret: str = field(repr=False)
    random: Callable[[int], bytes]
    lifetime: int = 3600  # seconds
    clock: Callable[[], float] = time.monotonic
    tokens: dict[str, float] = field(default_factory=dict, repr=False)

    def issue(self) -> str:
        token = self.random(32).hex()
        self.tokens[token] = self.clock() + self.lifetime
        return token

    def knows(self, client_id: str, client_secret: str) -> bool:
        same = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        return hmac.compare_digest(client_secret.encode(), self.client_secret.encode()) and same

    def accepts(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self.tokens.get(token, 0.0) > self.clock()


@dataclass(slots=True)
class DemoLvs:
    """The LVS of one made-up school. `app` is what a server serves."""

    school: School
    credentials: Credentials
    answers: Answers = field(init=False)
    results: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)
    app: ASGIApp = field(init=False)
    control: Control = field(init=False)

    def __post_init__(self) -> None:
        records = make_records(self.school)
        self.answers = Answers(records)
        token = Route("/oauth/token", self._token, methods=["POST"])
        oneroster = OneRoster(lambda: make_roster(self.school))
        roster = oneroster.routes(self._demanding)
        api = Starlette(routes=[token, *self._routes(), *roster, *self._uwlr(records), *receivers()])
        names = [pupil.name.full for pupil in self.school.pupils[:30]]
        self.control = Control(api, self.results, names, oneroster.move)
        self.app = self.control

    def _uwlr(self, records: Records) -> list[Route]:
        numbers = {str(pupil.number) for pupil in self.school.pupils}
        documents = Documents(self.school, records)
        service = UwlrService(documents, self.credentials.client_secret, numbers.__contains__, self.results)
        return service.routes()

    def _routes(self) -> list[Route]:
        a = self.answers
        lists: dict[str, Callable[[Mapping[str, str]], bytes]] = {
            "/students/school": a.students,
            "/schoolperiods/school": a.periods,
            "/enrollments/school": a.enrollments,
            "/assignments/school": a.assignments,
            "/groups/school": a.groups,
        }
        named: dict[str, Callable[[object, Mapping[str, str]], bytes]] = {
            "/students": lambda body, _: a.student(body),
            "/enrollments/school/student": a.enrollments_of,
            "/assignments/school/employee": a.assignments_of,
        }
        ones = ("schoolperiods", "enrollments", "assignments", "groups")
        return [
            *(Route(path, self._listing(find), methods=["GET"]) for path, find in lists.items()),
            *(Route(path, self._search(find), methods=["POST"]) for path, find in named.items()),
            *(Route(f"/{kind}/school/{{id}}", self._single(kind), methods=["GET"]) for kind in ones),
            Route("/results", self._guarded(self._results, listed=True), methods=["POST"]),
            Route("/leerlingresultaat", self._guarded(self._test_result), methods=["POST"]),
            *Somtoday(self.school).routes(self._looking),
        ]

    def _looking(self, find: Callable[[Request], Response]) -> Handler:
        async def answer(request: Request) -> Response:
            return find(request)

        return self._guarded(answer)

    def _listing(self, find: Callable[[Mapping[str, str]], bytes]) -> Handler:
        async def answer(request: Request) -> Response:
            return Response(find(request.query_params), media_type=JSON)

        return self._guarded(answer)

    def _single(self, kind: str) -> Handler:
        async def answer(request: Request) -> Response:
            found = self.answers.one(kind, request.path_params["id"], request.query_params)
            return Response(found, media_type=JSON)

        return self._guarded(answer)

    def _search(self, find: Callable[[object, Mapping[str, str]], bytes]) -> Handler:
        async def answer(request: Request) -> Response:
            return Response(find(await _body(request), request.query_params), media_type=JSON)

        return self._guarded(answer)

    def _guarded(self, handler: Handler, *, listed: bool = False) -> Handler:
        """Demands the token, and answers what cannot be answered in Edu-V's shape."""

        async def answer(request: Request) -> Response:
            if not self.credentials.accepts(request.headers.get("authorization", "")):
                return _status(401, "UNAUTHORIZED", listed=listed)
            try:
                return await handler(request)
            except Unanswerable as refused:
                return _status(refused.status, refused.message, listed=listed)

        return answer

    def _demanding(self, handler: Callable[[Request], Response]) -> Handler:
        async def answer(request: Request) -> Response:
            if not self.credentials.accepts(request.headers.get("authorization", "")):
                return status_info(401, "unauthorisedrequest")
            return handler(request)

        return answer

    async def _token(self, request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode("latin-1")).items()}
        client = _basic(request.headers.get("authorization", "")) or (
            form.get("client_id", ""), form.get("client_secret", "")
        )  # fmt: skip
        if not self.credentials.knows(*client):
            return _json(401, {"error": "invalid_client"})
        if form.get("grant_type") != "client_credentials":
            return _json(400, {"error": "unsupported_grant_type"})
        token = self.credentials.issue()
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.credentials.lifetime}
        return _json(200, answer)

    async def _results(self, request: Request) -> Response:
        """The latest state of every statement; those about an unknown pupil are refused one by one."""
        body = await _body(request)
        if not isinstance(body, dict) or not isinstance(body.get("studentScoresAndResults", []), list):
            raise Unanswerable(400, "BODY_MALFORMED")
        if not knows_school(body.get("school")):
            raise Unanswerable(400, "SCHOOL_NOT_FOUND")
        told = [self._statement(statement) for statement in body.get("studentScoresAndResults", [])]
        if all(one["status"] == 201 for one in told):
            return Response(status_code=201)
        return _json(400, told)

    async def _test_result(self, request: Request) -> Response:
        """Eindtoetsketen: of one pupil, by this system's own key."""
        body = await _body(request)
        try:
            told: Any = body["resultatenscores"]  # type: ignore[index]  # whatever it is
            named = [{"userId": one["onderwijsdeelnemerID"], "userIdType": "ASI"} for one in told["deelnemerref"]]
            taken = self._statement({**told, "student": {"userIds": named}})["status"] == 201
        except (KeyError, TypeError):
            taken = False
        melding = "Het leerlingresultaat is ontvangen." if taken else "De inhoud van het bericht is ongeldig."
        return _json(202 if taken else 422, {"melding": melding})

    def _statement(self, statement: object) -> dict[str, Any]:
        if not isinstance(statement, dict) or not isinstance(statement.get("id"), str):
            return {"status": 400, "statusMessage": "BODY_MALFORMED"}
        pupil = self.answers.pupil(statement.get("student"))
        if pupil is None:
            return {"id": statement["id"], "status": 404, "statusMessage": "STUDENT_NOT_FOUND"}
        times = self.results.get(statement["id"], {}).get("times", 0) + 1
        self.results[statement["id"]] = {
            "id": statement["id"], "pupil": str(pupil.number), "times": times, "statement": statement
        }  # fmt: skip
        return {"id": statement["id"], "status": 201, "statusMessage": "ACCEPTED"}


async def _body(request: Request) -> object:
    try:
        return msgspec.json.decode(await request.body())
    except BROKEN:
        raise Unanswerable(400, "BODY_MALFORMED") from None


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    # RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
    return unquote_plus(name), unquote_plus(secret)


def _json(status: int, value: object) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type=JSON)


def _status(status: int, message: str, *, listed: bool) -> Response:
    one = {"status": status, "statusMessage": message}
    return _json(status, [one] if listed else one)


def make_lvs(seed: int, today: date, client_id: str, client_secret: str, random: Callable[[int], bytes]) -> DemoLvs:
    """The LVS of the school of this seed on this day, with one client."""
    return DemoLvs(make_school(seed, today), Credentials(client_id, client_secret, random))


def main() -> None:
    """Serve until stopped; says the address on one line once ready."""
    parser = argparse.ArgumentParser(prog="python -m gateway.demo.lvs", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--client-id", default="gateway")
    parser.add_argument("--today", type=date.fromisoformat, help="by default today")
    parser.add_argument("--lifeline", type=int, help="a pipe's end: stop when the other end is closed")
    given = parser.parse_args()
    if given.lifeline is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; whoever started us stops us
    # Run alone, this is a program's outermost edge: the clock and randomness are made here.
    today = given.today or datetime.now(ZoneInfo("Europe/Amsterdam")).date()  # noqa: TID251 - a process of its own
    # The secret comes from the environment: arguments are visible to everyone on the machine.
    secret = os.environ.get("DEMO_LVS_SECRET", "demo")
    lvs = make_lvs(given.seed, today, given.client_id, secret, os.urandom)  # noqa: TID251 - see above
    try:
        asyncio.run(serve(lvs.app, given.port, _say, given.lifeline))
    except OSError:  # what a person must know, whoever started us says too
        sys.exit("the demo LVS cannot listen on this port")


def _say(port: int) -> None:
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
