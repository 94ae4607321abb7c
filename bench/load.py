"""One run of wrk against one server, and what it says.

Leaves out which server and which call: that is `run`.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bench.servers import OTHER_CORE, CannotMeasure, Server

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True, slots=True)
class Call:
    """What every request of a run asks."""

    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Run:
    """Requests a second, latencies in ms, and CPU of the server per request in ms."""

    rate: float
    median_ms: float
    p99_ms: float
    cpu_ms: float
    busy: float
    """Share of the core that the server used; well under 1 means that something else was the bound."""


def load(server: Server, call: Call, connections: int, seconds: float, directory: Path) -> Run:
    """Run wrk on the other core; any answer but 2xx ends the measurement."""
    script = directory / "call.lua"
    script.write_text(_script(call))
    command = [
        "taskset", "-c", str(OTHER_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s",
        "--latency", "-s", str(script), server.url + call.path,
    ]  # fmt: skip
    before = server.cpu_seconds()
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return _read(server, done, server.cpu_seconds() - before)


def _read(server: Server, text: str, cpu: float) -> Run:
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", text)
    if bad:
        raise CannotMeasure(f"{server.name}: {bad[0]}")
    counted = re.search(r"(\d+) requests in ([\d.]+)(\w+),", text)
    if not counted:
        raise CannotMeasure(f"{server.name}: wrk said nothing that is understood")
    requests, elapsed = int(counted[1]), float(counted[2]) * _UNITS[counted[3]] / 1e3
    return Run(
        rate=requests / elapsed,
        median_ms=_latency(text, "50%"),
        p99_ms=_latency(text, "99%"),
        cpu_ms=cpu * 1e3 / requests,
        busy=cpu / elapsed,
    )


def _latency(text: str, share: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(\w+)", text)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _script(call: Call) -> str:
    lines = [f"wrk.method = {json.dumps(call.method)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in call.headers.items()]
    if call.body is not None:
        lines.append(f"wrk.body = {json.dumps(call.body)}")
    return "\n".join(lines) + "\n"
