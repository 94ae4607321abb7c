"""The same process without decision, screening and register: what these cost is measured against it.

`python -m bench.bare DIRECTORY PORT` serves the students of a measurement's directory as a worker does: the same
server, credentials, routing, ids and reads of the source. But the answer is only decoded into the fields of the
delivery, given a remembered HMAC, and encoded; nobody is screened, nothing sorted, nothing registered.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sys
import uuid
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path

import msgspec
import uvicorn
import uvloop

from gateway.adapters.access.callers import StoredCallers
from gateway.adapters.endpoints import HttpEndpoints
from gateway.adapters.lvs.field_seen import StoredFieldsSeen
from gateway.adapters.lvs.upstream import HttpUpstream, system_trust
from gateway.adapters.lvs.wire import Limits as WireLimits
from gateway.adapters.statements import Statements
from gateway.adapters.views import StoredViews
from gateway.bootstrap.school import School, clock, monotonic, open_school, random, upstream_sources, wire_limits
from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.core.register import Draft
from gateway.transfer.drift import Drift
from gateway.transfer.flow import Flow, Target
from gateway.transfer.inquiry import Inquiry, inquire
from gateway.transfer.ports import Receipt, Snapshot, UpstreamAnswer
from gateway.transfer.released import Answer, Released, Unregistered
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Match, Request, Stop
from gateway.transfer.steps import Outside, Sizes
from gateway.transfer.trail import Trail
from gateway.web.dataplane import DataPlane, Doors
from gateway.web.limits import Concurrency, RateLimit

RECEIPT = Receipt("00000000-0000-7000-8000-000000000000", 0)
KEY = b"k" * 32
MANY = 1_000_000_000
DEPTH = 32


class Id(msgspec.Struct, rename="camel", gc=False):
    """One typed id."""

    user_id: str
    user_id_type: str


class Student(msgspec.Struct, rename="camel", gc=False):
    """What is read of a record."""

    user_ids: list[Id]


class Bare(msgspec.Struct, rename="camel", gc=False):
    """What is written of it."""

    user_ids: tuple[Id]
    given_name: str = "-"
    family_name: str = "-"
    status: str = "active"
    date_created: str = "2000-01-01T00:00:00Z"
    date_last_modified: str = "2000-01-01T00:00:00Z"


_decode = msgspec.json.Decoder(list[Student]).decode
_encode = msgspec.json.Encoder().encode


@cache
def pseudonym(key: str) -> str:
    """Remembered, as the gateway remembers."""
    return str(uuid.UUID(bytes=hmac.digest(KEY, key.encode(), hashlib.sha256)[:16], version=4))


def students(body: bytes) -> bytes:
    """Decode, map, encode; no record is looked at twice."""
    found = []
    for student in _decode(body):
        own = next(one.user_id for one in student.user_ids if one.user_id_type == "ASI")
        found.append(Bare((Id(pseudonym(own), "ASI"),)))
    return _encode(found)


class NoRegister:
    """Keeps no promise: every draft is at once as good as durable."""

    async def append(self, draft: Draft) -> Receipt:
        return RECEIPT


class BareFlow(Flow):
    """The way of a read, with the last steps left out."""

    async def release(
        self, trail: Trail, match: Match, inquiry: Inquiry, target: Target, fetched: UpstreamAnswer, snapshot: Snapshot
    ) -> Released:
        return Released(RECEIPT, body=students(fetched.body), purpose="bench")


class BareTransfers:
    """What the data plane calls; a request that is not as the measurement asks ends it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._flow = BareFlow(outside, Sizes(MANY, MANY, DEPTH), Remembered(outside.world))

    async def answer(self, caller: Caller, request: Request) -> Answer:
        match = self._outside.world.now().compiled.router.match(request.raw_path, request.method)
        inquiry = await inquire(match, request, self._outside.world.organisation, depth=DEPTH)
        return await self._flow.read(self._flow.begin(caller), match, inquiry)

    async def refuse_anonymous(self, origin: str, reason: Reason) -> Answer:
        return Released(RECEIPT, reason)

    async def refuse(self, caller: Caller, stop: Stop) -> Answer:
        return Released(RECEIPT, stop.reason)

    def unavailable(self) -> Answer:
        return Unregistered(RECEIPT.id)


async def serve(directory: Path, port: int) -> None:
    """Until a signal."""
    with ExitStack() as stack:
        school = stack.enter_context(open_school(directory))
        app = _app(school)
        config = uvicorn.Config(
            app, port=port, http="httptools", ws="none", lifespan="off", access_log=False, log_config=None,
            server_header=False,
        )  # fmt: skip
        await uvicorn.Server(config).serve()


def _app(school: School) -> DataPlane:
    register = NoRegister()
    upstream = HttpUpstream(upstream_sources(school.settings), system_trust, wire_limits(school.settings))
    drift = Drift(register, StoredFieldsSeen(school.database, school.store_keys), clock, random)
    statements = Statements(school.database, school.store_keys)
    world = school.world()
    views = StoredViews(school.database, school.store_keys)
    endpoints = HttpEndpoints({}, system_trust, WireLimits())
    outside = Outside(world, register, upstream, drift, statements, views, clock, random, endpoints)
    doors = Doors(
        look=school.database.look,
        callers=StoredCallers(school.database, clock, random, timedelta(hours=1)),
        per_origin=RateLimit(MANY, monotonic),
        per_recipient=RateLimit(MANY, monotonic),
        concurrency=Concurrency(MANY),
        body_bytes=MANY,
        body_seconds=10,
        upload_bytes=64_000_000,
        upload_seconds=10,
        proxies=(),
        observe=lambda *_: None,
        report=lambda kind: print(kind, file=sys.stderr),
    )
    return DataPlane(BareTransfers(outside), doors, None)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
