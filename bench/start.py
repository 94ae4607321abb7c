"""How long until `make demo` is ready, and does each printed call work as printed? Writes bench/START.md.

A round starts `gateway demo` in a directory that is not there, waits for the line that says that it is ready, makes
each printed call, stops it, and starts it once more in the directory as it was left. Time is that of the process, after
installation. Leaves out speed (`run`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from bench import run, servers

RESULTS = Path(__file__).parent / "START.md"
GOAL = 10.0  # seconds
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds until ready in a new directory and in the one left, and the CPU time of the first; calls printed, and
    those not answered as printed."""

    new: float
    cpu: float
    again: float
    calls: int
    wrong: int


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    try:
        rounds = [measure() for _ in range(options.rounds)]
    except servers.CannotMeasure as reason:
        print(f"start: not measured: {reason}", file=sys.stderr)
        return 1
    cores, busy = os.cpu_count() or 1, os.getloadavg()[1]
    machine = f"{run.machine()}, {cores} cores of which others and this kept {busy:.1f} busy"
    text, good = report(rounds, machine, datetime.now(UTC).date().isoformat())
    options.results.write_text(text)
    print(text)
    return 0 if good else 1


def measure() -> Round:
    directory = Path(tempfile.mkdtemp(prefix="gateway-start-"))
    try:
        with _demo(directory / "school") as (new, cpu, told):
            calls = [call for client in told["clients"] for call in client["calls"]]
            wrong = sum(_asked(told["gateway"], call) != call["status"] for call in calls)
        with _demo(directory / "school") as (again, _, _):
            return Round(new, cpu, again, len(calls), wrong)
    finally:
        shutil.rmtree(directory)


@contextmanager
def _demo(directory: Path) -> Iterator[tuple[float, float, dict[str, Any]]]:
    """A running demo: after how many seconds, and seconds of CPU time, it was ready, and what it printed."""
    command = [str(Path(sys.executable).with_name("gateway")), "demo", "--json", "--directory", str(directory)]
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            took = time.perf_counter() - began
            if not line:
                raise servers.CannotMeasure("`gateway demo` ended before it was ready; start it by hand to see why")
            yield took, servers.Server("demo", "", process).cpu_seconds(), json.loads(line)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE)


def _asked(gateway: str, call: dict[str, Any]) -> int:
    """The status of one printed call, made as it stands there."""
    with httpx2.Client(base_url=gateway, timeout=30, trust_env=False) as http:
        body = call["body"]
        sent = {"content": body.encode()} if isinstance(body, str) else {"json": body}  # a message of SOAP is text
        return http.request(call["method"], call["path"], headers=call["headers"], **sent).status_code


def report(rounds: Sequence[Round], machine: str, day: str) -> tuple[str, bool]:
    """The text, and whether every start was within the goal and every call was answered as printed."""
    good = all(max(one.new, one.again) <= GOAL and one.wrong == 0 for one in rounds)
    middle = statistics.median(one.new for one in rounds)
    calls, wrong = sum(one.calls for one in rounds), sum(one.wrong for one in rounds)
    lines = [
        "# How long until the demo is ready?",
        "",
        f"Written by `make bench` (`python -m bench.start`), {day}. {machine}.",
        f"A new school is ready after {middle:.1f} s (median; the goal is {GOAL:g} s after installation), and",
        f"{calls - wrong} of {calls} printed calls were answered as printed.",
        "",
        "CPU time tells more than the clock where other work keeps the machine busy.",
        "",
        "| round | new directory, s | CPU time of it, s | the directory as it was left, s | calls as printed |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {number} | {one.new:.2f} | {one.cpu:.2f} | {one.again:.2f} | {one.calls - one.wrong} of {one.calls} |"
            for number, one in enumerate(rounds, start=1)
        ),
        "",
    ]
    return "\n".join(lines), good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
