"""A list of records as counts of pupils, for a delivery that tells nothing about anybody (R45).

Leaves out: which counts may be told (`core.release.aggregate`), what may be counted (`core.policy.rules_aggregate`),
who is counted: what the walk would have released.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.core.policy.terms import Aggregate
from gateway.core.release.aggregate import Key, told
from gateway.core.release.sight import Seen


@dataclass(frozen=True, slots=True)
class Counted:
    """`cells`: what leaves; `told`: who is counted in one of them; `hidden`: who is in none."""

    cells: list[dict[str, Any]] = field(repr=False)
    told: tuple[Seen, ...]
    hidden: tuple[Seen, ...]


def counted(rows: Iterable[Any], shown: Iterable[Seen], aggregate: Aggregate) -> Counted:
    """`shown`: of each row the pupil it is about. A pupil counts once in a cell, however many records say it."""
    paths = [path.split(".") for path in aggregate.by]
    cells: dict[Key, dict[bytes, Seen]] = {}
    for row, seen in zip(rows, shown, strict=True):
        if seen.subject is not None:
            plain = msgspec.to_builtins(row)
            cells.setdefault(tuple(_at(plain, path) for path in paths), {})[seen.subject.id] = seen
    found = told({key: len(people) for key, people in cells.items()}, aggregate.minimum)
    here = {internal: seen for key in found for internal, seen in cells[key].items()}
    rest = {internal: seen for key in cells for internal, seen in cells[key].items() if internal not in here}
    listed = [{**dict(zip(aggregate.by, key, strict=True)), "count": count} for key, count in found.items()]
    return Counted(sorted(listed, key=msgspec.json.encode), tuple(here.values()), tuple(rest.values()))


def _at(value: Any, path: list[str]) -> Any:
    """What stands there; None where it, or what it stands in, is absent."""
    for name in path:
        if value is None:
            return None
        value = value.get(name)
    return value
