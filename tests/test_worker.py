"""A worker, in this process: it answers on the socket it was handed until its lifeline is gone, and ends what runs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import worker
from gateway.bootstrap.office import METRICS_DIRECTORY
from tests.simulators.process import as_it_was
from tests.simulators.school import fresh_school

PATIENCE = 60  # seconds; reached only where something is broken
WAITS = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
BODY = b"grant_type=client_credentials"


@pytest.fixture(autouse=True)
def put_back(tmp_path: Path) -> Iterator[None]:
    with as_it_was():
        os.environ[METRICS_DIRECTORY] = str(tmp_path)  # as the supervisor tells it
        yield


@dataclass
class Working:
    """`end`: of its lifeline."""

    port: int
    serving: asyncio.Task[None]
    lifeline: int
    end: int

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()

    async def ended(self) -> None:
        await asyncio.wait_for(self.serving, PATIENCE)

    async def noticed(self) -> None:
        """It saw that its lifeline is gone."""
        for _ in range(1_000_000):
            try:
                os.fstat(self.lifeline)
            except OSError:
                return
            await asyncio.sleep(0)
        pytest.fail("the end of its lifeline was not seen")


@asynccontextmanager
async def working(place: Path) -> AsyncIterator[Working]:
    listening = socket.create_server(("127.0.0.1", 0))
    port, (lifeline, end) = listening.getsockname()[1], os.pipe()
    serving = asyncio.create_task(worker._serve(fresh_school(place), listening, lifeline, 0))
    one = Working(port, serving, lifeline, end)
    try:
        yield one
    finally:
        if not serving.done():
            os.close(one.end)
            await one.ended()


@pytest.mark.anyio
async def test_worker_answers_until_its_lifeline_is_gone(tmp_path: Path) -> None:
    async with working(tmp_path) as one, one.connected() as (reader, writer):
        writer.write(b"GET /lvs/students/school HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await asyncio.wait_for(reader.readline(), PATIENCE)
        os.close(one.end)
        await one.ended()

    assert answer == b"HTTP/1.1 401 Unauthorized\r\n"


@pytest.mark.anyio
async def test_answer_that_runs_is_finished(tmp_path: Path) -> None:
    async with working(tmp_path) as one, one.connected() as (reader, writer):
        writer.write(WAITS + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        goes_on = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        os.close(one.end)
        await one.noticed()
        writer.write(BODY)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        await one.ended()

    assert goes_on.startswith(b"HTTP/1.1 100 ")
    assert answer.endswith(b'{"error":"invalid_request"}')


def test_ctrl_c_is_left_to_the_supervisor(tmp_path: Path) -> None:
    """It reaches the whole group of processes; a worker ends by its lifeline."""
    listening, (lifeline, end) = socket.create_server(("127.0.0.1", 0)), os.pipe()
    os.close(end)

    worker.main([str(fresh_school(tmp_path)), str(listening.detach()), str(lifeline), "0"])

    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert sys.getswitchinterval() == pytest.approx(0.002)
