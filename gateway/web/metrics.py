"""Counters of answers by recipient and outcome; never a pupil, a path or a value (house rule 8).

Each worker counts in a file of its own number, so that one that was restarted goes on where the dead one stopped; the
supervisor adds the files up for `/metrics`. The directory is prometheus-client's PROMETHEUS_MULTIPROC_DIR.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, generate_latest, multiprocess, values

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def answers_counter(number: int) -> Callable[[str, str], None]:
    """Counts one answer of worker `number`; call once in a process, before any other metric is made."""
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]  # it has no types
    answers = Counter(
        "gateway_answers", "Answers by recipient and outcome.", ["recipient", "outcome"], registry=CollectorRegistry()
    )
    known: dict[tuple[str, str], Counter] = {}

    def count(recipient: str, outcome: str) -> None:
        child = known.get((recipient, outcome))
        if child is None:
            child = known[recipient, outcome] = answers.labels(recipient, outcome)
        child.inc()

    return count


def exposition(directory: Path) -> bytes:
    """What all workers counted, in Prometheus' text format."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call]  # it has no types
    return generate_latest(registry)
