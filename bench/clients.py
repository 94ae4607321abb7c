"""HTTP clients for reads from an LVS: CPU and calls a second of one core; writes CLIENTS.md.

Same upstream, same answers, 32 calls at once; clients alternate, so that what else the machine does weighs on all.
pyreqwest and aiohttp are measured where they are installed: `uv pip install pyreqwest==0.15.1 aiohttp`.
Leaves out whether a client tells the truth about a failure: `docs/decisions` says what was seen.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import os
import platform
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import uvloop

from bench import servers
from bench.payloads import ORGANISATION, prepare
from gateway.adapters.lvs.wire import Limits, Origin, Wire

RESULTS = Path(__file__).parent / "CLIENTS.md"
AT_ONCE = 32
HEADERS = {"Authorization": "Bearer " + "x" * 64, "Accept": "application/json", "Accept-Encoding": "identity"}
Get = Callable[[], Awaitable[int]]


@asynccontextmanager
async def _wire(url: str) -> AsyncIterator[Get]:
    parts = urlsplit(url)
    origin = Origin.of(f"{parts.scheme}://{parts.netloc}")
    target = f"{parts.path}?{parts.query}"
    wire = Wire(origin, ssl.create_default_context(), Limits())

    async def get() -> int:
        return len((await wire.ask("GET", target, HEADERS["Authorization"].encode())).body)

    yield get
    wire.close()


@asynccontextmanager
async def _httpx2(url: str) -> AsyncIterator[Get]:
    limits = httpx2.Limits(max_connections=2 * AT_ONCE, max_keepalive_connections=2 * AT_ONCE)
    async with httpx2.AsyncClient(trust_env=False, limits=limits) as client:

        async def get() -> int:
            return len((await client.get(url, headers=HEADERS)).content)

        yield get


@asynccontextmanager
async def _pyreqwest(url: str) -> AsyncIterator[Get]:
    builder = importlib.import_module("pyreqwest.client").ClientBuilder()
    builder = builder.no_proxy().follow_redirects(False).gzip(False).brotli(False).zstd(False).deflate(False)
    async with builder.timeout(timedelta(seconds=30)).connect_timeout(timedelta(seconds=3)).build() as client:

        async def get() -> int:
            answer = await client.get(url).headers(HEADERS).build().send()
            return len((await answer.bytes()).to_bytes())

        yield get


@asynccontextmanager
async def _aiohttp(url: str) -> AsyncIterator[Get]:
    aiohttp = importlib.import_module("aiohttp")
    jar, connector = aiohttp.DummyCookieJar(), aiohttp.TCPConnector(limit=2 * AT_ONCE)
    async with aiohttp.ClientSession(cookie_jar=jar, auto_decompress=False, connector=connector) as client:

        async def get() -> int:
            async with client.get(url, headers=HEADERS, allow_redirects=False) as answer:
                return len(await answer.read())

        yield get


CLIENTS: dict[str, Callable[[str], AbstractAsyncContextManager[Get]]] = {
    "adapters/wire": _wire,
    "pyreqwest": _pyreqwest,
    "aiohttp": _aiohttp,
    "httpx2": _httpx2,
}


async def _measured(client: str, url: str, seconds: float) -> tuple[float, float, int]:
    """Calls a second, CPU per call in µs, bytes of an answer."""
    async with CLIENTS[client](url) as get:
        size = await get()
        await asyncio.gather(*(get() for _ in range(10 * AT_ONCE)))
        done, cpu, began = 0, time.process_time(), time.perf_counter()

        async def asking() -> None:
            nonlocal done
            while time.perf_counter() - began < seconds:
                await get()
                done += 1

        await asyncio.gather(*(asking() for _ in range(AT_ONCE)))
        took = time.perf_counter() - began
    return done / took, 1e6 * (time.process_time() - cpu) / done, size


def _one(client: str, url: str, seconds: float) -> tuple[float, float, int]:
    """In a process of its own on the tested core."""
    command = [sys.executable, "-m", "bench.clients", "--one", client, "--url", url, "--seconds", str(seconds)]
    pinned = ["taskset", "-c", str(servers.TESTED_CORE), *command]
    rate, cpu, size = subprocess.run(pinned, capture_output=True, text=True, check=True).stdout.split()
    return float(rate), float(cpu), int(size)


def _report(rounds: int, seconds: float) -> str:
    here = [name for name in CLIENTS if "/" in name or importlib.util.find_spec(name)]
    with tempfile.TemporaryDirectory() as directory:
        prepared = prepare(Path(directory) / "answers", date(2026, 9, 15))
        with servers.upstream(Path(directory) / "nginx", prepared.directory) as lvs:
            of_class = f"{lvs.url}/students/school?{ORGANISATION}&subjectOfferingId={prepared.subject}"
            urls = {"one pupil": f"{lvs.url}/one.json", "class of 30": of_class}
            runs: dict[tuple[str, str], list[tuple[float, float, int]]] = {
                (case, name): [] for case in urls for name in here
            }
            for _ in range(rounds):
                for (case, name), several in runs.items():
                    several.append(_one(name, urls[case], seconds))
    rows = [
        f"| {case} ({several[0][2] / 1000:.1f} KB) | {name} | {statistics.median(run[0] for run in several):,.0f} "
        f"| {statistics.median(run[1] for run in several):.0f} |"
        for (case, name), several in runs.items()
    ]
    return _TEXT.format(
        when=datetime.now(UTC).date(), python=platform.python_version(), cores=os.cpu_count(), rounds=rounds,
        seconds=seconds, at_once=AT_ONCE, rows="\n".join(rows),
    )  # fmt: skip


_TEXT = """# Upstream clients

Which HTTP client reads from an LVS at what cost. Measured on {when} with
`python -m bench.clients --rounds {rounds} --seconds {seconds:g}`: Python {python}, uvloop, {cores} cores, the client
on one of them and nginx with prepared answers on the other, {at_once} calls at once, medians of {rounds} rounds.
CPU per call says more than calls a second: the machine had other work.

| answer | client | calls a second | CPU per call (µs) |
| --- | --- | ---: | ---: |
{rows}
"""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run")
    parser.add_argument("--one", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(*uvloop.run(_measured(options.one, options.url, options.seconds)))
        return 0
    RESULTS.write_text(_report(options.rounds, options.seconds))
    print(RESULTS.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
