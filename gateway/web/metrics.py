"""Counters of answers by recipient and outcome; never a pupil, a path or a value (house rule 8).

Each worker counts in a file of its own number, so that one that was restarted goes on where the dead one stopped; the
supervisor adds the files up for `/metrics`. The directory is prometheus-client's PROMETHEUS_MULTIPROC_DIR.
"""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, generate_latest, multiprocess, values

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Answers:
    """Counts in memory, and writes down now and then: a file is too slow for every answer."""

    def __init__(self, written: Counter) -> None:
        self._written = written
        self._counted: dict[tuple[str, str], int] = {}

    def count(self, recipient: str, outcome: str) -> None:
        key = recipient, outcome
        self._counted[key] = self._counted.get(key, 0) + 1

    def write(self) -> None:
        """Add what was counted since the last time."""
        counted, self._counted = self._counted, {}
        for (recipient, outcome), times in counted.items():
            self._written.labels(recipient, outcome).inc(times)


def answers_counter(number: int) -> Answers:
    """The count of worker `number`; call once in a process, before any other metric is made."""
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]  # it has no types
    answers = Counter(
        "gateway_answers", "Answers by recipient and outcome.", ["recipient", "outcome"], registry=CollectorRegistry()
    )
    return Answers(answers)


def exposition(directory: Path) -> bytes:
    """What all workers counted, in Prometheus' text format."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call]  # it has no types
    return generate_latest(registry)
