"""What the measurements conclude from what they see.

Leaves out the measuring itself: `make bench` needs nginx and a machine of its own.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from random import Random

import pytest

from bench import latency, payloads, run, start
from bench.bare import BareFlow
from bench.load import Call, Run
from gateway.transfer.flow import Flow


def test_longer_same_values_is_a_half() -> None:
    assert latency.longer([1, 2, 3], [1, 2, 3]) == pytest.approx(0.5)


def test_longer_all_longer_is_one() -> None:
    assert latency.longer([3, 4], [1, 2]) == pytest.approx(1.0)


def test_report_tells_what_the_goal_leaves_beside_the_server() -> None:
    """The peer needs 0.4 ms and the goal is twice as fast: 0.2 ms, of which relaying takes 0.15."""
    costs = {run.PEER: 0.4, run.GATEWAY: 0.5, run.BARE: 0.3, run.RELAY: 0.15, run.HELLO: 0.05}
    runs = {name: [Run(rate=1.0, median_ms=1.0, p99_ms=1.0, cpu_ms=cost, busy=1.0)] for name, cost in costs.items()}
    case = run.Case("class", 1, 2.0, Call("/"), Call("/"))

    text = run.report([run.Outcome(case, runs)], 1, 1)

    assert "| class | 0.200 | 0.050 | 0.150 | 0.050 | 0.350 |" in text


def test_report_shifted_times_are_told() -> None:
    random = Random(1)
    times = {name: [random.gauss(mean, 0.1) for _ in range(2000)] for name, mean in (("one", 1.0), ("other", 1.02))}

    text, told = latency.report([latency.Measured(times, {(404, b"same")})])

    assert told
    assert "**It does.**" in text


def test_report_equal_times_are_not_told_unless_the_bytes_differ() -> None:
    times = {"one": [1.0, 2.0, 3.0], "other": [1.0, 2.0, 3.0]}

    assert not latency.report([latency.Measured(times, {(404, b"same")})])[1]
    assert latency.report([latency.Measured(times, {(404, b"same"), (404, b"different")})])[1]


@pytest.mark.parametrize(
    ("one", "good"),
    [
        (start.Round(9.0, 4.0, 5.0, 20, 0), True),
        (start.Round(10.5, 4.0, 5.0, 20, 0), False),
        (start.Round(9.0, 4.0, 10.5, 20, 0), False),
        (start.Round(9.0, 4.0, 5.0, 20, 1), False),
    ],
)
def test_start_is_good_when_every_round_is_in_time_and_every_call_as_printed(one: start.Round, *, good: bool) -> None:
    text, told = start.report([one, start.Round(1.0, 4.0, 1.0, 20, 0)], "a machine", "2026-11-22")

    assert told is good
    assert f"{40 - one.wrong} of 40 printed calls" in text


def test_prepared_answers_have_the_sizes_of_the_goals(tmp_path: Path) -> None:
    prepared = payloads.prepare(tmp_path, date(2026, 11, 22))

    assert prepared.class_bytes == pytest.approx(42_000, rel=0.02)
    assert prepared.page_bytes == pytest.approx(1_400_000, rel=0.02)
    assert len(json.loads((tmp_path / "page.json").read_text())) == payloads.PAGE


def test_prepared_answers_are_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "other"):
        payloads.prepare(tmp_path / name, date(2026, 11, 22))

    files = sorted(path.name for path in (tmp_path / "one").iterdir())

    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes() for file in files)


def test_bare_flow_leaves_out_a_step_that_the_flow_has() -> None:
    """A step that got another name would be taken, and the gateway be measured against itself."""
    assert "release" in vars(BareFlow)
    assert callable(Flow.release)
    assert {name for name in vars(BareFlow) if not name.startswith("__")} <= set(dir(Flow))
