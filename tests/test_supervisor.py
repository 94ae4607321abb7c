"""The supervisor over workers of a few lines: started as they need it, replaced when they die, stopped together.

Leaves out what a worker does (`test_worker`) and the whole of both (`journeys`).
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.adapters.exports.journal import Content
from gateway.bootstrap.export_jobs import jobs_of
from gateway.bootstrap.office import METRICS_DIRECTORY
from gateway.bootstrap.school import open_school
from gateway.supervisor import Addresses, Supervisor
from tests.simulators.process import as_it_was
from tests.simulators.school import fresh_school

pytestmark = pytest.mark.anyio

WORKER = f"""
import os, sys
told, dies, directory, listening, lifeline, number = sys.argv[1:]
def say(*words):
    with open(told, "w") as file:
        print(*words, sep="|", file=file)
os.fstat(int(listening))
say("begun", number, directory, os.environ["GATEWAY_URL"], os.path.isdir(os.environ["{METRICS_DIRECTORY}"]))
if not os.path.exists(dies + number):
    open(dies + number, "w").close()
    sys.exit(1)
os.read(int(lifeline), 1)
say("ended", number)
"""
"""Dies once where its file is not there; else it lives as long as its lifeline."""

PATIENCE = 60  # seconds; reached only where something is broken


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    with as_it_was():
        yield


@dataclass
class Running:
    """A supervisor at work, and what its workers say of themselves."""

    supervisor: Supervisor
    serving: asyncio.Task[None]
    told: asyncio.StreamReader
    announced: list[Addresses]

    async def line(self) -> list[str]:
        return (await asyncio.wait_for(self.told.readline(), PATIENCE)).decode().strip().split("|")

    async def ended(self) -> None:
        await asyncio.wait_for(self.serving, PATIENCE)


@asynccontextmanager
async def supervising(place: Path, *, workers: int = 1, dies: bool = False) -> AsyncIterator[Running]:
    told, mark = place / "told", place / "died"
    os.mkfifo(told)
    for number in range(0 if dies else workers):
        (place / f"died{number}").touch()
    end = os.fdopen(os.open(told, os.O_RDWR | os.O_NONBLOCK), "rb", 0)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), end)
    program = (sys.executable, "-S", "-c", WORKER, str(told), str(mark))
    announced: list[Addresses] = []
    supervisor = Supervisor(_on_free_ports(fresh_school(place)), workers, program)
    one = Running(supervisor, asyncio.create_task(supervisor.run(announced.append)), reader, announced)
    try:
        yield one
    finally:
        supervisor.stop()
        await one.ended()
        pipe.close()


def _on_free_ports(directory: Path) -> Path:
    settings = directory / "gateway.yaml"
    settings.write_text(re.sub(r":808[01]\b", ":0", settings.read_text()))
    return directory


async def test_workers_begin_with_their_number_the_socket_and_where_recipients_reach_it(
    tmp_path: Path,
) -> None:
    async with supervising(tmp_path, workers=2) as one:
        begun = [await one.line(), await one.line()]

    assert sorted(words[:2] for words in begun) == [["begun", "0"], ["begun", "1"]]
    assert {words[2] for words in begun} == {str(one.supervisor.directory)}
    assert all(words[3].startswith("http://127.0.0.1:") for words in begun)
    assert not any(words[3].endswith(":0") for words in begun)
    assert {words[4] for words in begun} == {"True"}


async def test_worker_that_dies_is_replaced_by_one_of_its_number(
    tmp_path: Path,
) -> None:
    async with supervising(tmp_path, dies=True) as one:
        first, second = await one.line(), await one.line()

    assert first == second


async def test_stop_ends_the_workers_by_their_lifeline_and_replaces_none(
    tmp_path: Path,
) -> None:
    async with supervising(tmp_path, workers=2) as one:
        await one.line()
        await one.line()
        one.supervisor.stop()
        await one.ended()
        ended = [await one.line(), await one.line()]
        one.told.feed_data(b"nobody\n")

        assert sorted(ended) == [["ended", "0"], ["ended", "1"]]
        assert await one.line() == ["nobody"]


async def test_export_that_was_killed_a_day_ago_ends_where_a_school_serves(
    tmp_path: Path,
) -> None:
    content = Content(
        person="j", source="lvs", schema="s", recipient="r", purpose="p", records=("Student",), form="json", target="t"
    )
    async with supervising(tmp_path) as one:
        with open_school(one.supervisor.directory) as school:  # before it runs
            jobs_of(school).begin("old", content, "2020-01-01T00:00:00.000000Z")
        await one.line()

    with open_school(one.supervisor.directory) as school:
        assert jobs_of(school).open() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    async with supervising(tmp_path) as one:
        await one.line()
        os.kill(os.getpid(), number)
        await one.ended()

        assert await one.line() == ["ended", "0"]


async def test_nothing_is_announced_while_no_delivery_can_succeed(
    tmp_path: Path,
) -> None:
    """No roster was ever read."""
    async with supervising(tmp_path) as one:
        await one.line()

    assert one.announced == []
