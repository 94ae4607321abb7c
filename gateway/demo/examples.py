"""Files that an employee of the demo school took out of the administration, complete with all that may not leave.

One per file format, in `examples/` of the directory, for `gateway filter`. Made when they are not there. Leaves out:
who gets what of them (the recipient files).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson

from gateway.demo.records import Json, make_records
from gateway.demo.school import make_school


@dataclass(frozen=True, slots=True)
class Example:
    """A file, whose name says nothing, and the delivery it can be tried with. `record` is one kind of its schema's."""

    format: str
    name: str
    schema: str
    record: str
    recipient: str
    purpose: str


BUREAU = ("toetsbureau", "papieren-toets")
EXAMPLES = (
    Example("json", "leerlingen.json", "edu-v-students", "Student", *BUREAU),
    Example("ndjson", "inschrijvingen.ndjson", "edu-v-association", "Enrollment", *BUREAU),
)
"""What is added for another format: a row here, and in `_WRITTEN` how it is written."""


def make_examples(directory: Path, seed: int, today: date) -> Path:
    """The folder they are in."""
    folder = directory / "examples"
    folder.mkdir(mode=0o700, exist_ok=True)
    missing = [one for one in EXAMPLES if not (folder / one.name).exists()]
    if missing:
        held = make_records(make_school(seed, today))
        records: dict[str, Iterable[Json]] = {
            "Student": held.students.values(),
            "Enrollment": [one.record for one in held.enrollments],
        }
        for one in missing:
            (folder / one.name).touch(mode=0o600)
            (folder / one.name).write_bytes(_WRITTEN[one.format](records[one.record]))
    return folder


_WRITTEN: dict[str, Callable[[Iterable[Json]], bytes]] = {
    "json": lambda records: orjson.dumps([*records], option=orjson.OPT_INDENT_2),
    "ndjson": lambda records: b"".join(orjson.dumps(one) + b"\n" for one in records),
}
