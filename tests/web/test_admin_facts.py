"""web.admin_facts: what goes wrong behind the desk is told without its text, and stops nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx2
import pytest

from gateway.core.persons import Actor
from gateway.transfer.ports import RegisterUnavailable
from gateway.web.admin import admin_app
from gateway.web.admin_facts import FactsApi
from gateway.web.desk import Json, RowsForm

pytestmark = pytest.mark.anyio

SOMEBODY = Actor("somebody", frozenset(), confidential=True)
SIGNED_IN = {"Authorization": "Bearer token"}


@dataclass
class SimulatedDesk:
    """desk.Desk: everybody is signed in; fails as told."""

    failure: Exception | None = None
    kinds: tuple[str, ...] = ("restriction",)
    schemas: Mapping[str, Json] = field(default_factory=dict)

    def sign_in(self, name: str, password: str, code: str) -> str | None:
        return "token"

    def actor(self, token: str) -> Actor | None:
        return SOMEBODY if token == "token" else None

    def sign_out(self, actor: Actor, token: str) -> None: ...

    def bring_in(self, actor: Actor, kind: str, body: bytes, form: RowsForm, reason: str) -> Json:
        return {"form": form}

    def listed(self, actor: Actor, kind: str, last: int) -> Json:
        if self.failure is not None:
            raise self.failure
        return {"last": last}

    def end(self, actor: Actor, kind: str, number: int, reason: str, informed: date | None) -> None: ...

    def decide(self, actor: Actor, number: int, reason: str, *, rejected: bool) -> None: ...

    def open_campaign(self, actor: Actor, body: bytes, reason: str) -> Json:
        return {}

    def declare(self, actor: Actor, kind: str, location: str, reason: str) -> None: ...

    def status(self, actor: Actor) -> Json:
        return {}


async def get(path: str, failure: Exception | None = None, **asked: Any) -> tuple[httpx2.Response, list[str]]:
    """The answer, and the kinds of error that were reported."""
    reported: list[str] = []
    api = FactsApi(SimulatedDesk(failure), b"{}", lambda: 0.0, reported.append)
    transport = httpx2.ASGITransport(app=admin_app(dict, bytes, api.routes()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://admin") as client:
        return await client.get(path, headers=SIGNED_IN, **asked), reported


async def test_error_nobody_foresaw_is_told_without_its_text() -> None:
    answer, reported = await get("/facts/restriction", KeyError("Kanarie"))

    assert (answer.status_code, reported) == (500, ["KeyError"])
    assert "Kanarie" not in answer.text


async def test_database_that_is_away_is_worth_another_try() -> None:
    answer, reported = await get("/facts/restriction", RegisterUnavailable())

    assert (answer.status_code, reported) == (503, [])
    assert "retry-after" in answer.headers


@pytest.mark.parametrize(
    ("last", "status"), [("1", 200), ("1000", 200), ("0", 400), ("1001", 400), ("x", 400), ("٣", 400)]
)
async def test_list_is_bounded(last: str, status: int) -> None:
    assert (await get("/facts/restriction", params={"last": last}))[0].status_code == status


async def test_unknown_parameter_is_refused() -> None:
    assert (await get("/facts/restriction", params={"pupil": "1"}))[0].status_code == 400


async def test_document_needs_no_session_and_holds_no_secret() -> None:
    answer, _ = await get("/openapi.json")

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
