"""What the prepared upstream answers: records of a made-up school, as files that nginx serves.

A class of 30 pupils (about 42 KB), a page of 1,000 (about 1.4 MB), one pupil, and the association lists from which
the gateway learns who is a pupil. Made with the demo school's generator, every optional field filled, so that a
record has the 1.4 KB of a full one. The same seed gives the same bytes. Leaves out serving them (`servers`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from gateway.demo.records import make_records
from gateway.demo.school import NOORD, Pupil, School, Stay, make_school

PAGE = 1_000
CLASS = 30
LEVEL, YEAR, CODE = "vwo", 1, "wi"
_RECORD_BYTES = 1_400
_NOTE = "Gesprek gevoerd over de voortgang, afspraken staan in het dossier; volgende week opnieuw bespreken. "
# How every call names the school: one location, and only its pupils.
ORGANISATION = "orgId=01AB00&orgIdType=V_ID&filterByOrgId=true"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Where the files stand, and what a caller of the LVS itself must know; `last`: the las-key of who is in the class
    and not in the class without its last pupil."""

    directory: Path
    subject: str
    las_key: str
    last: str
    eck_id: str
    class_bytes: int
    page_bytes: int


def prepare(directory: Path, today: date) -> Prepared:
    """Write the files; returns what the calls need."""
    school = _school(today)
    records = make_records(school)
    students = [_filled(record) for record in records.students.values()]
    pupils = school.pupils[:CLASS]
    directory.mkdir(parents=True, exist_ok=True)
    sizes = {
        "class.json": _write(directory / "class.json", students[:CLASS]),
        "page.json": _write(directory / "page.json", students),
        "one.json": _write(directory / "one.json", students[:1]),
    }
    _write(directory / "less.json", students[: CLASS - 1])
    _write(directory / "empty.json", [])
    _write(directory / "periods.json", list(records.periods))
    _write(directory / "enrollments.json", [held.record for held in records.enrollments])
    (directory / "token.json").write_text('{"access_token":"bench","token_type":"Bearer","expires_in":86400}')
    first = pupils[0]
    subject = school.subjects[LEVEL, YEAR, CODE].id
    eck_id = first.eck_id or ""
    last = str(pupils[-1].number)
    return Prepared(directory, subject, str(first.number), last, eck_id, sizes["class.json"], sizes["page.json"])


def _school(today: date) -> School:
    """A thousand pupils of one location, year and level: two generated schools put together."""
    school, more = make_school(1, today), make_school(2, today)
    for pupil in more.pupils:
        pupil.number += 100_000
    pupils = [*school.pupils, *more.pupils][:PAGE]
    for pupil in pupils:
        _enrol(pupil, school)
    return replace(school, pupils=pupils, groups=[], coaching=[])


def _enrol(pupil: Pupil, school: School) -> None:
    pupil.stays = (Stay(NOORD, school.year.begin),)
    pupil.level, pupil.year, pupil.subjects = LEVEL, YEAR, frozenset({CODE})
    if pupil.eck_id is None:
        pupil.eck_id = f"https://ketenid.example/{pupil.number:0128d}"


def _filled(record: Json) -> Json:
    """Every optional field, and a note that brings the record to the size of a full one."""
    more = {
        "preferredFirstName": record["givenName"][:3],
        "familyNamePrefix": "van der",
        "alias": f"{record['givenName']} {record['familyName'][0]}.",
        "accessibility": [{"additionalTestingTime": {"fixed-minutes": 30}}],
        "emailPrivate": f"{record['givenName'].lower()}@post.example",
        "medicalNote": "Astma, inhalator bij de conciërge.",
        "note": "",
    }
    full = {**more, **record}
    missing = _RECORD_BYTES - len(_encoded(full))
    full["note"] += (_NOTE * 10)[: max(0, missing)]
    return full


def _encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _write(path: Path, records: list[Json]) -> int:
    return path.write_bytes(_encoded(records))
