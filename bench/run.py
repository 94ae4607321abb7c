"""`make bench`: the gateway against nginx + Lua, in paired rounds on one machine; writes bench/RESULTS.md.

Both do the same field filter and HMAC on the same bodies from the same upstream. The gateway also knows who calls,
decides, screens every pupil and has the entry on disk before it answers; the peer does none of that. Each server has
a core to itself; upstream and wrk share the other. What counts is the ratio in one run, never a number alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import gateway_side, servers
from bench.load import Call, Run, load
from bench.payloads import ORGANISATION, Prepared, prepare

RESULTS = Path(__file__).parent / "RESULTS.md"


PEER, GATEWAY, BARE = "nginx + Lua", "gateway", "without decision and register"
HELLO, RELAY = "uvicorn alone", "uvicorn, relaying"


@dataclass(frozen=True, slots=True)
class Case:
    """One question, asked of every server with as many connections; `goal` is the ratio to reach."""

    name: str
    connections: int
    goal: float
    peer: Call
    gateway: Call


@dataclass(frozen=True, slots=True)
class Outcome:
    """The runs of one case by server, round by round."""

    case: Case
    runs: Mapping[str, Sequence[Run]]

    def ratio(self) -> float:
        """Median over the rounds of gateway / peer: what disturbs a round disturbs both."""
        return self._paired(GATEWAY, PEER, lambda ours, theirs: ours.rate / theirs.rate)

    def cpu_ratio(self) -> float:
        return self._paired(GATEWAY, PEER, lambda ours, theirs: theirs.cpu_ms / ours.cpu_ms)

    def overhead(self) -> float:
        """CPU per request, with / without decision, screening and register."""
        return self._paired(GATEWAY, BARE, lambda whole, bare: whole.cpu_ms / bare.cpu_ms)

    def middle(self, server: str, what: Callable[[Run], float]) -> float:
        return statistics.median(what(run) for run in self.runs[server])

    def _paired(self, one: str, other: str, ratio: Callable[[Run, Run], float]) -> float:
        return statistics.median(ratio(*pair) for pair in zip(self.runs[one], self.runs[other], strict=True))


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
            bare = stack.enter_context(gateway_side.bare(directory / "school"))
            hello = stack.enter_context(servers.floor("hello"))
            relay = stack.enter_context(servers.floor("relay", lvs.url))
            tested = {PEER: peer, GATEWAY: gateway.server, BARE: bare, RELAY: relay, HELLO: hello}
            cases = [case for case in cases_of(prepared, gateway) if not only or case.name in only]
            return [_rounds(case, tested, rounds, seconds, directory) for case in cases]
    finally:
        shutil.rmtree(directory)


def cases_of(prepared: Prepared, gateway: gateway_side.Gateway) -> Iterator[Case]:
    list_of_one = f"&subjectOfferingId={prepared.subject}"
    one = gateway_side.one_pupil("/students", prepared.las_key, {})
    yield Case("class", 32, 2.0, Call(f"/students/school?{ORGANISATION}{list_of_one}"), gateway.class_call)
    yield Case("page", 4, 3.0, Call(f"/students/school?{ORGANISATION}"), gateway.page_call)
    yield Case("one", 32, 0.4, one, gateway.one_call)


def _rounds(case: Case, tested: Mapping[str, servers.Server], rounds: int, seconds: float, directory: Path) -> Outcome:
    """Warm everyone, then take turns; who begins moves on with every round."""
    runs: dict[str, list[Run]] = {name: [] for name in tested}
    names = list(tested)
    for number in range(-1, rounds):
        for step in range(len(names)):
            name = names[(number + step) % len(names)]
            call = case.gateway if name in (GATEWAY, BARE) else case.peer
            run = load(tested[name], call, case.connections, seconds if number >= 0 else 1, directory)
            if number >= 0:
                runs[name].append(run)
        told = ", ".join(f"{name} {taken[-1].rate:.0f}/s" for name, taken in runs.items() if taken)
        print(f"{case.name} {number + 1}/{rounds}: {told}", file=sys.stderr)
    return Outcome(case, runs)


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
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}; {rounds} rounds of {seconds:g} s per server and case,",
        "each server on one core, upstream (nginx, prepared answers) and wrk on the other. Processes of others and of",
        f"this that ran or waited in the last five minutes: {os.getloadavg()[1]:.1f}, on {os.cpu_count()} cores.",
        "",
        "| case | connections | nginx + Lua, req/s | gateway, req/s | ratio | goal | ratio by CPU | overhead |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *map(_row, outcomes),
        "",
        "Ratio by CPU: CPU time per request, peer / gateway. Overhead: CPU time per request of the gateway / the same",
        "process without decision, screening and register (`bench/bare.py`); the goal is at most 1.3.",
        "",
        "What the goal leaves, in ms of CPU per request: the peer's own divided by the goal, less what a server costs",
        "that only relays the LVS's bytes over the gateway's connections (`bench/floor.py`). In the rest must fit:",
        "credentials, decision, decoding, screening, pseudonyms, encoding and the entry on disk.",
        "",
        "| case | peer / goal | uvicorn alone | uvicorn, relaying | left for all the rest | gateway spends on it |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *map(_left, outcomes),
        "",
        "| case | server | median ms | p99 ms | CPU ms per request | share of its core |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        *(_detail(outcome, name) for outcome in outcomes for name in outcome.runs),
        "",
        "A share of its core well under 100 % means that the other core, the disk or other work on the machine was the",
        "bound.",
        "",
    ]
    return "\n".join(lines)


def _row(outcome: Outcome) -> str:
    case = outcome.case
    peer, gateway = (outcome.middle(name, lambda run: run.rate) for name in (PEER, GATEWAY))
    return (
        f"| {_TITLES[case.name]} | {case.connections} | {peer:,.0f} | {gateway:,.0f} | {outcome.ratio():.2f} "
        f"| {case.goal:g} | {outcome.cpu_ratio():.2f} | {outcome.overhead():.2f} |"
    )


def _left(outcome: Outcome) -> str:
    case = outcome.case
    peer, gateway, relay, hello = (
        outcome.middle(name, lambda run: run.cpu_ms) for name in (PEER, GATEWAY, RELAY, HELLO)
    )
    allowed = peer / case.goal
    return (
        f"| {case.name} | {allowed:.3f} | {hello:.3f} | {relay:.3f} | {allowed - relay:.3f} | {gateway - relay:.3f} |"
    )


def _detail(outcome: Outcome, name: str) -> str:
    median, p99 = outcome.middle(name, lambda run: run.median_ms), outcome.middle(name, lambda run: run.p99_ms)
    cpu, busy = outcome.middle(name, lambda run: run.cpu_ms), outcome.middle(name, lambda run: run.busy)
    return f"| {outcome.case.name} | {name} | {median:.2f} | {p99:.2f} | {cpu:.3f} | {busy:.0%} |"


def machine() -> str:
    described = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.split(":", 1)[1].strip() for line in described if line.startswith("model name"))
    return f"{next(models, platform.machine())}, Linux {platform.release()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
