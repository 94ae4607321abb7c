"""A worker's data plane, put together: doors, flow, register, upstream. Everything opens when the worker starts.

Leaves out: the process (`worker`) and the steps (`transfer`).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import structlog

from gateway.adapters.access.callers import StoredCallers
from gateway.adapters.endpoints import HttpEndpoints
from gateway.adapters.lvs.field_seen import StoredFieldsSeen
from gateway.adapters.lvs.upstream import HttpUpstream, system_trust
from gateway.adapters.lvs.wire import Limits as WireLimits
from gateway.adapters.register.writer import DatabaseRegister
from gateway.adapters.statements import Statements
from gateway.adapters.views import StoredViews
from gateway.adapters.world import StoredWorld
from gateway.bootstrap.school import (
    School,
    clock,
    endpoints_of,
    monotonic,
    open_school,
    random,
    upstream_sources,
    wire_limits,
)
from gateway.core.reasons import Reason
from gateway.transfer.drift import Drift
from gateway.transfer.ports import Endpoints, Upstream
from gateway.transfer.released import Released
from gateway.transfer.steps import Outside, Sizes
from gateway.transfer.transfers import Transfers
from gateway.web.dataplane import DataPlane, Doors
from gateway.web.limits import Concurrency, RateLimit
from gateway.web.metrics import Answers, answers_counter
from gateway.web.oauth import oauth_app

_FLUSH_EVERY = 2  # seconds; answers are counted then, and refusals registered when their minute has ended


@contextlib.asynccontextmanager
async def data_plane(directory: Path, number: int) -> AsyncIterator[DataPlane]:
    """Worker `number`'s ASGI application; closing it registers what was counted and finishes what is queued."""
    with open_school(directory) as school:
        register = DatabaseRegister(school.database, school.store_keys)
        upstream = HttpUpstream(upstream_sources(school.settings), system_trust, wire_limits(school.settings))
        endpoints = HttpEndpoints(endpoints_of(school.settings), system_trust, wire_limits(school.settings))
        world = school.world()
        world.now()
        # policy, rosters and modules live as long as the process: the collector need not walk them again and again
        gc.freeze()
        transfers, drift = _transfers(school, world, register, upstream, endpoints)
        answers, callers = answers_counter(number), _callers(school)
        flushing = asyncio.create_task(_flush(transfers, answers))
        try:
            yield DataPlane(transfers, _doors(school, callers, answers, number), _oauth(callers, transfers))
        finally:
            flushing.cancel()
            await drift.settled()
            await transfers.flush(ended_only=False)
            answers.write()
            register.close()
            await upstream.close()
            await endpoints.close()


def _transfers(
    school: School, world: StoredWorld, register: DatabaseRegister, upstream: HttpUpstream, endpoints: HttpEndpoints
) -> tuple[Transfers, Drift]:
    outside = outside_of(school, world, register, upstream, endpoints)
    return Transfers(outside, sizes_of(school)), outside.drift


def outside_of(
    school: School,
    world: StoredWorld,
    register: DatabaseRegister,
    upstream: Upstream,
    endpoints: Endpoints | None = None,
) -> Outside:
    """What a transfer touches, with the real clock and randomness; a command of a person pushes nothing."""
    drift = Drift(register, StoredFieldsSeen(school.database, school.store_keys), clock, random)
    statements = Statements(school.database, school.store_keys)
    views = StoredViews(school.database, school.store_keys)
    endpoints = endpoints or HttpEndpoints({}, system_trust, WireLimits())
    return Outside(world, register, upstream, drift, statements, views, clock, random, endpoints)


def sizes_of(school: School) -> Sizes:
    limits = school.settings.limits
    return Sizes(limits.answer_bytes, limits.part_bytes, limits.depth)


def _callers(school: School) -> StoredCallers:
    return StoredCallers(school.database, clock, random, timedelta(seconds=school.settings.limits.token_seconds))


def _doors(school: School, callers: StoredCallers, answers: Answers, number: int) -> Doors:
    limits, log = school.settings.limits, structlog.get_logger()
    return Doors(
        look=school.database.look,
        callers=callers,
        per_origin=RateLimit(limits.rate_per_origin_per_minute, monotonic),
        per_recipient=RateLimit(limits.rate_per_recipient_per_minute, monotonic),
        concurrency=Concurrency(limits.concurrency_per_recipient),
        body_bytes=limits.body_bytes,
        body_seconds=limits.first_byte_seconds,
        upload_bytes=limits.upstream_bytes,
        upload_seconds=limits.total_seconds,
        proxies=school.settings.proxies,
        observe=answers.count,
        report=lambda kind: log.error("internal error", kind=kind, worker=number),
    )


def _oauth(callers: StoredCallers, transfers: Transfers) -> object:
    async def refused(origin: str) -> str | None:
        answer = await transfers.refuse_anonymous(origin, Reason.CALLER_UNAUTHENTICATED)
        return answer.receipt.id if isinstance(answer, Released) else None

    return oauth_app(callers, refused)


async def _flush(transfers: Transfers, answers: Answers) -> None:
    while True:
        await asyncio.sleep(_FLUSH_EVERY)
        answers.write()
        await transfers.flush(ended_only=True)
