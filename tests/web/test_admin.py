"""web.admin: whether it runs, whether it can deliver, and what it counted."""

from __future__ import annotations

import httpx2
import pytest

from gateway.web.admin import admin_app

pytestmark = pytest.mark.anyio


async def get(path: str, *, method: str = "GET", **conditions: bool) -> httpx2.Response:
    app = admin_app(lambda: conditions, lambda: b"gateway_answers_total 1.0\n")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://admin") as client:
        return await client.request(method, path)


async def test_healthz_says_that_the_process_runs() -> None:
    response = await get("/healthz", database=False)

    assert (response.status_code, response.text) == (200, "ok\n")


async def test_readyz_everything_holds_is_ready() -> None:
    response = await get("/readyz", database=True, roster=True)

    assert (response.status_code, response.json()) == (200, {"database": True, "roster": True})


async def test_readyz_one_condition_fails_is_not_ready_and_says_which() -> None:
    response = await get("/readyz", database=True, roster=False)

    assert (response.status_code, response.json()) == (503, {"database": True, "roster": False})


async def test_metrics_are_what_was_counted() -> None:
    response = await get("/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert response.text == "gateway_answers_total 1.0\n"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_admin_answers_are_not_stored(path: str) -> None:
    assert (await get(path)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/lvs/students/school", "/oauth/token", "/metrics/x"])
async def test_anything_else_is_not_there(path: str) -> None:
    assert (await get(path)).status_code == 404


async def test_admin_takes_nothing() -> None:
    assert (await get("/healthz", method="POST")).status_code == 405
