"""The roster of a source that is not called: a file that says which pupil is at which location, and since when.

Rows, or a document of EDEXML. The whole file, or nothing and every problem by line. Leaves out: how persons are kept
(`subjects`), an LVS that is called (`roster`), what else is known of a pupil (`adapters.facts`).
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, BinaryIO

from pydantic import BeforeValidator, Field

from gateway.adapters.facts.imports import FileWrong
from gateway.adapters.facts.row_files import Flaw, read_rows
from gateway.adapters.facts.row_files import Row as FileRow
from gateway.adapters.facts.row_forms import LAS_KEY, Day, Door, Number, Row, Slug, Value, Wrong, columns, fit_row
from gateway.adapters.policy.yaml_text import Problem
from gateway.adapters.pupils.ids import ECK_ID
from gateway.adapters.pupils.roster import told_apart
from gateway.adapters.pupils.uwlr import document_of, school_of
from gateway.core.model import Enrolment, Person
from gateway.core.policy.terms import Location
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.xml.parse import Limits, document
from gateway.transfer.ports import Observation, UpstreamFailed

_LISTED = 1_000
_OPENING = 256  # bytes that tell XML from rows
_LARGEST = 64_000_000  # bytes of a document
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


def read_roster(file: BinaryIO, name: str, locations: Mapping[str, Location], door: Door) -> Seen:
    """Location → whoever the file says is there; a location of which it names nobody is not in it. Raises FileWrong."""
    opening = file.read(_OPENING)
    file.seek(0)
    if opening.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _clear(_document(file.read(_LARGEST + 1), name, locations.values()), name)
    problems: list[Problem] = []
    found: defaultdict[str, defaultdict[str, list[RosterRow]]] = defaultdict(lambda: defaultdict(list))
    for line in read_rows(file, columns(RosterRow)):
        wrong, row = _row(line, locations, door)
        problems += [Problem(name, line.line, message, rule) for message, rule in wrong]
        if row is not None:
            found[row.location][row.pupil].append(row)
    if problems:
        raise FileWrong(problems[:_LISTED], len(problems))
    return _clear({place: [_seen(rows) for rows in pupils.values()] for place, pupils in found.items()}, name)


def _clear(seen: Seen, name: str) -> Seen:
    everybody = [one for persons in seen.values() for one in persons]
    if len(told_apart(everybody)) < len(everybody):
        raise FileWrong([Problem(name, 1, "one ECK iD of several pupils, or several of one", "R109")], 1)
    return seen


def _document(body: bytes, name: str, locations: Iterable[Location]) -> Seen:
    """The location that `school` of a document names."""
    try:
        root = document(body if len(body) <= _LARGEST else b"", Limits(elements=_LARGEST))
        for one in locations:
            with contextlib.suppress(UpstreamFailed):  # another school's
                found = document_of(root, school_of(one), named=True).seen(one.name)
                return {one.name: [*found.persons]} if found.persons else {}
    except EnvelopeBroken:
        raise FileWrong([Problem(name, 1, "no document of EDEXML that can be read whole")], 1) from None
    raise FileWrong(
        [Problem(name, 1, "'school' is no location of gateway.yaml: brincode and dependancecode", "R68")], 1
    )


def _row(line: FileRow | Flaw, locations: Collection[str], door: Door) -> tuple[list[Wrong], RosterRow | None]:
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
