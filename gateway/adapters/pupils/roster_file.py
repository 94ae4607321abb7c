"""The roster of a source that is not called: a file that says which pupil is at which location, and since when.

The whole file, or nothing and every problem by line. Leaves out: how persons are kept (`subjects`), an LVS that is
called (`roster`), what else is known of a pupil (`adapters.facts`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Annotated, BinaryIO

from pydantic import BeforeValidator, Field

from gateway.adapters.facts.imports import FileWrong
from gateway.adapters.facts.row_files import Flaw, read_rows
from gateway.adapters.facts.row_files import Row as FileRow
from gateway.adapters.facts.row_forms import LAS_KEY, Day, Door, Number, Row, Slug, Value, Wrong, columns, fit_row
from gateway.adapters.policy.yaml_text import Problem
from gateway.adapters.pupils.subjects import ECK_ID
from gateway.core.model import Enrolment, Person
from gateway.transfer.ports import Observation

_LISTED = 1_000
Seen = Mapping[str, list[Observation]]


def _groups(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


class RosterRow(Row):
    """One pupil's time at one location; `end` is the last day."""

    pupil: Value
    location: Slug
    begin: Day
    end: Day | None = None
    year: Number | None = None
    eck_id: Value | None = None
    groups: Annotated[tuple[Value, ...], Field(max_length=200), BeforeValidator(_groups)] = ()

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        if self.end is not None and self.end < self.begin:
            yield "'end' lies before 'begin'", "form"


def read_roster(file: BinaryIO, name: str, locations: frozenset[str], door: Door) -> Seen:
    """Location → whoever the file says is there; a location of which it names nobody is not in it. Raises FileWrong."""
    problems: list[Problem] = []
    found: defaultdict[str, defaultdict[str, list[RosterRow]]] = defaultdict(lambda: defaultdict(list))
    for line in read_rows(file, columns(RosterRow)):
        wrong, row = _row(line, locations, door)
        problems += [Problem(name, line.line, message, rule) for message, rule in wrong]
        if row is not None:
            found[row.location][row.pupil].append(row)
    if problems:
        raise FileWrong(problems[:_LISTED], len(problems))
    return {place: [_seen(rows) for rows in pupils.values()] for place, pupils in found.items()}


def _row(line: FileRow | Flaw, locations: frozenset[str], door: Door) -> tuple[list[Wrong], RosterRow | None]:
    if isinstance(line, Flaw):
        return [(line.message, line.rule)], None
    fitted = fit_row(RosterRow, line.values, door)
    if isinstance(fitted, list):
        return fitted, None
    if fitted.location not in locations:
        return [("'location' is none of gateway.yaml", "R68")], None
    return [], fitted


def _seen(rows: list[RosterRow]) -> Observation:
    """Several rows of one pupil are several stays."""
    eck_ids = [one.eck_id for one in rows if one.eck_id is not None]
    ids = {LAS_KEY: rows[0].pupil} | ({ECK_ID: eck_ids[-1]} if eck_ids else {})
    stays = tuple(Enrolment(one.location, one.year, one.begin, one.end) for one in rows)
    return Observation(Person.PUPIL, ids, stays, frozenset(group for one in rows for group in one.groups))
