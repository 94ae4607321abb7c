"""Does the time of an answer tell why a pupil is not available, or that somebody is missing? Writes bench/LATENCY.md.

Each in random order over one connection: a pupil who is restricted, another recipient's pseudonym, one that never
existed; a pupil outside the rows of the delivery beside the same two; and a class with one restricted pupil beside the
same class without that pupil. For each pair the chance that a call of the one takes longer than a call of the other:
0.5 when time tells nothing. Leaves out speed (`run`).
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from bench import gateway_side, servers
from bench.load import Call
from bench.payloads import ORGANISATION, prepare

RESULTS = Path(__file__).parent / "LATENCY.md"
OTHER = "uitgever-zuid"
SEPARABLE = 0.02
"""How far from 0.5 counts as told; with 10,000 calls each, chance alone stays within 0.01 (2.5 standard errors)."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a pupil is not available, and calls that ask for one."""

    name: str
    calls: tuple[Call, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds by cause; and the different answers there were, without the transfer's id."""

    times: Mapping[str, list[float]]
    answers: set[tuple[int, bytes]] = field(repr=False)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000, help="of each cause")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    directory = Path(tempfile.mkdtemp(prefix="gateway-latency-"))
    try:
        servers.provide()
        found = measure(directory, options.calls)
    except servers.CannotMeasure as reason:
        print(f"latency: not measured: {reason}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(directory)
    text, told = report(found)
    options.results.write_text(text)
    print(text)
    return 1 if told else 0


def measure(directory: Path, calls: int) -> list[Measured]:
    """Every group of causes that must not be told apart."""
    prepared = prepare(directory / "answers", datetime.now(UTC).date())
    with ExitStack() as stack:
        lvs = stack.enter_context(servers.upstream(directory / "upstream", prepared.directory))
        school, admin = directory / "school", servers.free_port()
        gateway_side.lay_out(school, [gateway_side.RECIPIENT, OTHER], lvs.url, admin)
        gateway_side.run(school, "key", "new")
        gateway_side.sign_in(school)
        ours, theirs = (gateway_side.join(school, name) for name in (gateway_side.RECIPIENT, OTHER))
        server = stack.enter_context(gateway_side.serving(school, admin))
        shown, foreign = _pseudonyms(server, ours), _pseudonyms(server, theirs)
        never = [str(_random_pseudonym(Random(number))) for number in range(len(shown))]
        strangers = [_cause("another recipient's", foreign, ours), _cause("never existed", never, ours)]
        classes = _classes(server, ours)
        refused = _restrict(school, server, prepared.last, classes)
        found = [_timed(server, [_cause("restricted", refused, ours), *strangers], calls)]
        found.append(_timed(server, classes, calls))
        _narrow(school, server, _named(shown[0], ours))
        return [*found, _timed(server, [_cause("outside the rows", shown, ours), *strangers], calls)]


def _cause(name: str, pseudonyms: Sequence[str], headers: dict[str, str]) -> Cause:
    return Cause(name, tuple(_named(one, headers) for one in pseudonyms))


def _classes(server: servers.Server, headers: dict[str, str]) -> list[Cause]:
    """A class, and the same class without its last pupil: asked in as many characters."""
    _, enrolments = gateway_side.ask(server, Call(f"/lvs/enrollments/school?{ORGANISATION}", headers=headers))
    subject = next(record["subject"] for record in json.loads(enrolments) if "subject" in record)
    page = f"/lvs/students/school?{ORGANISATION}&subjectOfferingId={subject}&schoolPeriodId="
    named = {"class of 30, one restricted": "full", "class of 29": "less"}
    return [Cause(name, (Call(page + period, headers=headers),)) for name, period in named.items()]


def _restrict(school: Path, server: servers.Server, las_key: str, classes: Sequence[Cause]) -> list[str]:
    """The pseudonym of this pupil, who is restricted from now on; somebody of the class."""
    whole, less = (one.calls[0] for one in classes)
    before = _pseudonyms(server, call=whole)
    row = f"pupil,ground\n{las_key},accuracy\n"
    (school / "restriction.csv").write_text(row)
    gateway_side.run(school, "restriction", "import", "restriction.csv", *gateway_side.WHY)
    after = _pseudonyms(server, call=whole)
    gone = [one for one in before if one not in after]
    if len(gone) != 1 or after != _pseudonyms(server, call=less):
        raise servers.CannotMeasure(f"{len(gone)} pupils left the class instead of one")
    return gone


def _named(pseudonym: str, headers: dict[str, str]) -> Call:
    return gateway_side.one_pupil("/lvs/students", pseudonym, headers)


def _pseudonyms(server: servers.Server, headers: dict[str, str] | None = None, call: Call | None = None) -> list[str]:
    """Of the list that is called for; of all pupils otherwise."""
    status, body = gateway_side.ask(server, call or Call(f"/lvs/students/school?{ORGANISATION}", headers=headers or {}))
    if status != 200:
        raise servers.CannotMeasure(f"the list of pupils was answered with {status}")
    return [record["userIds"][0]["userId"] for record in json.loads(body)]


def _random_pseudonym(random: Random) -> uuid.UUID:
    bits = random.getrandbits(128)
    return uuid.UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62)


def _narrow(school: Path, server: servers.Server, call: Call) -> None:
    """Take the pupils' year out of the delivery, and wait until that works."""
    path = school / "recipients" / f"{gateway_side.RECIPIENT}.yaml"
    text, changed = re.subn(r"years: \[.*\]", "years: [2]", path.read_text())
    if changed != 1:
        raise servers.CannotMeasure("the recipient file has no rows to narrow")
    path.write_text(text)
    deadline = time.monotonic() + 10
    while gateway_side.ask(server, call)[0] != 404:
        if time.monotonic() > deadline:
            raise servers.CannotMeasure("the narrowed rows did not work within ten seconds")
        time.sleep(0.1)


def _timed(server: servers.Server, causes: Sequence[Cause], calls: int) -> Measured:
    order = [cause for cause in causes for _ in range(calls)]
    random = Random(1)
    random.shuffle(order)
    times: dict[str, list[float]] = {cause.name: [] for cause in causes}
    answers = set()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    for number, cause in enumerate([*order[:1000], *order]):
        call = random.choice(cause.calls)
        began = time.perf_counter_ns()
        connection.request(call.method, call.path, call.body, call.headers)
        answer = connection.getresponse()
        body = answer.read()
        took = (time.perf_counter_ns() - began) / 1e6
        answers.add((answer.status, _without_transfer(answer.getheaders(), body)))
        if number >= 1000:  # the first thousand warm everything up
            times[cause.name].append(took)
    connection.close()
    return Measured(times, answers)


def _without_transfer(headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    kept = [f"{name}: {value}" for name, value in headers if name.lower() not in {"gateway-transfer", "date"}]
    return "\n".join(sorted(kept)).encode() + b"\n" + body


# -- the report ------------------------------------------------------------------------------------------------


def longer(left: Sequence[float], right: Sequence[float]) -> float:
    """The chance that one of `left` is longer than one of `right`, ties counting half (Mann-Whitney)."""
    marked = sorted([(value, 0) for value in left] + [(value, 1) for value in right])
    ranks = 0.0
    at = 0
    for _, tied in itertools.groupby(marked, key=lambda pair: pair[0]):
        sides = [side for _, side in tied]
        ranks += sides.count(0) * (at + (len(sides) + 1) / 2)
        at += len(sides)
    return (ranks - len(left) * (len(left) + 1) / 2) / (len(left) * len(right))


def report(found: Sequence[Measured]) -> tuple[str, bool]:
    told = [
        one
        for one in found
        if len(one.answers) != 1 or any(abs(chance - 0.5) > SEPARABLE for chance in _chances(one).values())
    ]
    calls = min(len(times) for one in found for times in one.times.values())
    return "\n".join([*_head(calls, told=bool(told)), *(line for one in found for line in _lines(one)), ""]), bool(told)


def _chances(one: Measured) -> dict[tuple[str, str], float]:
    return {
        (left, right): longer(one.times[left], one.times[right]) for left, right in itertools.combinations(one.times, 2)
    }


def _head(calls: int, *, told: bool) -> Iterator[str]:
    yield "# Does time tell why a pupil is not available, or that somebody is missing?"
    yield ""
    yield "Written by `make bench` (`python -m bench.latency`). " + ("**It does.**" if told else "It does not.")
    yield f"{calls:,} calls of each cause, {datetime.now(UTC):%Y-%m-%d}, in random order over one connection."
    yield f"0.5 when time tells nothing; further than {SEPARABLE} from it counts as told."


def _lines(one: Measured) -> Iterator[str]:
    yield ""
    yield "| cause | median ms | p95 ms | p99 ms |"
    yield "| --- | ---: | ---: | ---: |"
    for name, values in one.times.items():
        cuts = statistics.quantiles(values, n=100)
        yield f"| {name} | {statistics.median(values):.3f} | {cuts[94]:.3f} | {cuts[98]:.3f} |"
    yield ""
    yield "| the first takes longer than the second | chance |"
    yield "| --- | ---: |"
    for (left, right), chance in _chances(one).items():
        yield f"| {left} / {right} | {chance:.3f} |"
    yield ""
    yield f"Different answers apart from the transfer's id and the date: {len(one.answers)}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
