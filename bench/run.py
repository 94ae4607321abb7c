"""`make bench`: the gateway against nginx + Lua, in paired rounds on one machine; writes bench/RESULTS.md.

Both do the same field filter and HMAC on the same bodies from the same upstream. The gateway also knows who calls,
decides, screens every pupil and has the entry on disk before it answers; the peer does none of that. Each server has
a core to itself; upstream and wrk share the other. What counts is the ratio in one run, never a number alone.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import gateway_side, servers
from bench.load import Call, Run, load
from bench.payloads import ORGANISATION, Prepared, prepare

RESULTS = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True, slots=True)
class Case:
    """One question, asked of both servers with as many connections; `goal` is the ratio to reach."""

    name: str
    connections: int
    goal: float
    peer: Call
    gateway: Call


@dataclass(frozen=True, slots=True)
class Outcome:
    """The runs of one case, round by round, the peer's beside the gateway's."""

    case: Case
    peer: tuple[Run, ...]
    gateway: tuple[Run, ...]

    def ratio(self) -> float:
        """Median over the rounds of gateway / peer: what disturbs a round disturbs both."""
        return statistics.median(ours.rate / theirs.rate for ours, theirs in zip(self.gateway, self.peer, strict=True))

    def cpu_ratio(self) -> float:
        pairs = zip(self.gateway, self.peer, strict=True)
        return statistics.median(theirs.cpu_ms / ours.cpu_ms for ours, theirs in pairs)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run")
    parser.add_argument("--case", action="append", help="only this case (class, page, one); may be repeated")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    try:
        servers.provide()
        outcomes = measure(options.rounds, options.seconds, options.case)
    except servers.CannotMeasure as reason:
        print(f"bench: not measured: {reason}", file=sys.stderr)
        return 1
    text = report(outcomes, options.rounds, options.seconds)
    options.results.write_text(text)
    print(text)
    return 0


def measure(rounds: int, seconds: float, only: Sequence[str] | None) -> list[Outcome]:
    directory = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
    try:
        prepared = prepare(directory / "answers", datetime.now(UTC).date())
        with ExitStack() as stack:
            lvs = stack.enter_context(servers.upstream(directory / "upstream", prepared.directory))
            peer = stack.enter_context(servers.peer(directory / "peer", lvs))
            gateway = stack.enter_context(gateway_side.gateway(directory / "school", lvs, prepared))
            cases = [case for case in cases_of(prepared, gateway) if not only or case.name in only]
            return [_rounds(case, peer, gateway.server, rounds, seconds, directory) for case in cases]
    finally:
        shutil.rmtree(directory)


def cases_of(prepared: Prepared, gateway: gateway_side.Gateway) -> Iterator[Case]:
    list_of_one = f"&subjectOfferingId={prepared.subject}"
    yield Case("class", 8, 2.0, Call(f"/students/school?{ORGANISATION}{list_of_one}"), gateway.class_call)
    yield Case("page", 2, 3.0, Call(f"/students/school?{ORGANISATION}"), gateway.page_call)
    yield Case("one", 8, 0.4, one_pupil("/students", prepared.las_key, {}), gateway.one_call)


one_pupil = gateway_side.one_pupil


def _rounds(
    case: Case, peer: servers.Server, gateway: servers.Server, rounds: int, seconds: float, directory: Path
) -> Outcome:
    """Warm both, then alternate; who begins alternates too."""
    theirs, ours = [], []
    load(peer, case.peer, case.connections, 1, directory)
    load(gateway, case.gateway, case.connections, 1, directory)
    for number in range(rounds):
        for first in (number % 2 == 0, number % 2 == 1):
            if first:
                theirs.append(load(peer, case.peer, case.connections, seconds, directory))
            else:
                ours.append(load(gateway, case.gateway, case.connections, seconds, directory))
        print(f"{case.name} {number + 1}/{rounds}: {theirs[-1].rate:.0f} {ours[-1].rate:.0f}", file=sys.stderr)
    return Outcome(case, tuple(theirs), tuple(ours))


# -- the report ------------------------------------------------------------------------------------------------

_TITLES = {
    "class": "students of a class (30 pupils, 42 KB)",
    "page": "page of 1,000 pupils (1.4 MB)",
    "one": "one pupil (`POST /students`)",
}


def report(outcomes: Sequence[Outcome], rounds: int, seconds: float) -> str:
    lines = [
        "# Speed against nginx + Lua",
        "",
        "Written by `make bench`. The peer does the same field filter and the same HMAC on the same bodies, without",
        "credentials, decision, screening or register; the gateway does all of it, with the entry on disk before the",
        "answer leaves. Ratios are gateway / peer, paired per round; the median counts. Numbers of another machine, or",
        "of another run, cannot be compared with these.",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {_machine()}; {rounds} rounds of {seconds:g} s per server and case,",
        "each server on one core, upstream (nginx, prepared answers) and wrk on the other.",
        "",
        "| case | connections | nginx + Lua, requests/s | gateway, requests/s | ratio | goal | ratio by CPU |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [_row(outcome) for outcome in outcomes]
    lines += [
        "",
        "| case | server | median ms | p99 ms | CPU ms per request | share of its core |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for outcome in outcomes:
        lines.append(_detail(outcome.case, "nginx + Lua", outcome.peer))
        lines.append(_detail(outcome.case, "gateway", outcome.gateway))
    lines += [
        "",
        "Ratio by CPU: CPU time per request, peer / gateway. A share of its core well under 100 % means that the other",
        "core, the disk or other work on the machine was the bound.",
        "",
    ]
    return "\n".join(lines)


def _row(outcome: Outcome) -> str:
    case = outcome.case
    peer = statistics.median(run.rate for run in outcome.peer)
    gateway = statistics.median(run.rate for run in outcome.gateway)
    return (
        f"| {_TITLES[case.name]} | {case.connections} | {peer:,.0f} | {gateway:,.0f} "
        f"| {outcome.ratio():.2f} | {case.goal:g} | {outcome.cpu_ratio():.2f} |"
    )


def _detail(case: Case, name: str, runs: Sequence[Run]) -> str:
    median, p99, cpu, busy = (
        statistics.median(getattr(run, what) for run in runs) for what in ("median_ms", "p99_ms", "cpu_ms", "busy")
    )
    return f"| {case.name} | {name} | {median:.2f} | {p99:.2f} | {cpu:.3f} | {busy:.0%} |"


def _machine() -> str:
    described = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.split(":", 1)[1].strip() for line in described if line.startswith("model name"))
    return f"{next(models, platform.machine())}, Linux {platform.release()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
