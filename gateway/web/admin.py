"""The admin listener: `/healthz` (the process runs), `/readyz` (it can decide and register), `/metrics` (Prometheus);
and the routes of the admin API (`admin_facts`). Served by the supervisor, never on the data plane's port. No pupil
stands in any answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.web.admin_facts import unknown

_NO_STORE = {"Cache-Control": "no-store"}


def admin_app(
    ready: Callable[[], Mapping[str, bool]], metrics: Callable[[], bytes], more: Sequence[Route] = ()
) -> Starlette:
    """`ready`: what must hold before a delivery can succeed, by name. `metrics`: the exposition text.
    `more`: the routes of the admin API."""

    async def healthz(_: Request) -> Response:
        return Response(b"ok\n", media_type="text/plain", headers=_NO_STORE)

    async def readyz(_: Request) -> Response:
        conditions = dict(ready())
        status = 200 if all(conditions.values()) else 503
        return Response(orjson.dumps(conditions), status, media_type="application/json", headers=_NO_STORE)

    async def exposition(_: Request) -> Response:
        return Response(metrics(), media_type="text/plain; version=0.0.4", headers=_NO_STORE)

    routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]
    return Starlette(routes=[*routes, *more], exception_handlers={HTTPException: unknown})
