"""Files that an employee of the demo school took out of the administration, complete with all that may not leave.

One per file format, in `examples/` of the directory, for `gateway filter`, and the facts that let something of each
leave. Made when they are not there. Leaves out: who gets what of them (recipient files), entering the facts (`cli`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import orjson

from gateway.demo.directory import NEXT_SCHOOL
from gateway.demo.dossiers import dossier
from gateway.demo.grades import grade_list
from gateway.demo.pushes import enrolment, oins, participants
from gateway.demo.records import Json, Records, make_records
from gateway.demo.school import NOORD, Pupil, School, make_school
from gateway.demo.sets import class_set
from gateway.demo.somtoday import Somtoday
from gateway.demo.uwlr import Documents

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """A file, whose name says nothing, and the delivery it can be tried with. `record` is one kind of its schema's,
    empty for a set of files; `made`: how it is written."""

    format: str
    name: str
    schema: str
    record: str
    recipient: str
    purpose: str
    made: Callable[[School, Records], bytes] = field(repr=False)


def _array(records: Iterable[Json]) -> bytes:
    return orjson.dumps([*records], option=orjson.OPT_INDENT_2)


def _lines(records: Iterable[Json]) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in records)


def _students(held: Records) -> Iterable[Json]:
    return held.students.values()


PLATFORM = ("edexml-smalle-set", "methodetoetsen-bestand")
PARTS = ("groepen", "leerlingen", "leerkrachten")
BUREAU = ("toetsbureau", "papieren-toets")
EXAMPLES = (
    Example(
        "json", "leerlingen.json", "edu-v-students", "Student", *BUREAU,
        lambda _, held: _array(_students(held)),
    ),
    Example(
        "ndjson", "inschrijvingen.ndjson", "edu-v-association", "Enrollment", *BUREAU,
        lambda _, held: _lines(one.record for one in held.enrollments),
    ),
    Example(
        "json", "leerlingen-somtoday.json", "somtoday", "Leerling", "oefenprogramma", "oefenen-klaarzetten",
        lambda school, _: _array(Somtoday(school).records("leerlingen", NOORD)),
    ),
    Example(
        "zip", "klassen.zip", "oneroster-csv", "", "digitale-leeromgeving", "klassen-inrichten", class_set,
    ),
    Example(
        "csv", "cijfers.csv", "cijferlijst-csv", "cijferlijst", "ouders", "voortgang",
        lambda school, _: grade_list(applicant(school)),
    ),
    Example(
        "xml", "aanvraag.xml", "oso-2019", "dossier", "samenwerkingsverband", "toelaatbaarheid",
        lambda school, _: dossier(school, applicant(school), "VOSWV"),
    ),
    Example(
        "xml", "overstap.xml", "oso-2019", "dossier", "school-vovo", "overstap",
        lambda school, _: dossier(school, applicant(school), "VOVO"),
    ),
    Example(
        "xml", "inschrijving.xml", "duo-inschrijving-vo", "inschrijving", "duo", "inschrijving",
        lambda school, _: enrolment(school),
    ),
    Example(
        "xml", "edex.xml", "edexml-2-1", "EDEX", *PLATFORM,
        lambda school, held: Documents(school, held).edexml(NOORD),
    ),
    Example(
        "xml", "uwlr.xml", "uwlr-2-2", "leerlinggegevens", *PLATFORM,
        lambda school, held: Documents(school, held).uwlr(NOORD, "leerlinggegevens", PARTS) or b"",
    ),
    Example(
        "json", "deelnemers.json", "eindtoets", "Deelnemerslijst", "doorstroomtoets", "doorstroomtoets",
        lambda school, _: participants(school),
    ),
)  # fmt: skip
"""What is added for another format: a row here, and where nothing would leave without them its facts below."""


PUSHES = {"duo": "/inschrijving-vo", "doorstroomtoets": "/registreren?edu-to={}&edu-from={}"}
"""Those whose example can also be pushed: recipient → path beneath the purpose."""


def push_target(one: Example) -> str | None:
    """Path and query at the gateway, of an example that can be pushed."""
    path = PUSHES.get(one.recipient)
    return f"/lvs/push/{one.recipient}/{one.purpose}{path.format(*oins(NOORD))}" if path else None


def make_examples(directory: Path, seed: int, today: date) -> Path:
    """The folder they are in."""
    folder = directory / "examples"
    folder.mkdir(mode=0o700, exist_ok=True)
    missing = [one for one in EXAMPLES if not (folder / one.name).exists()]
    if missing:
        school = make_school(seed, today)
        held = make_records(school)
        for one in missing:
            (folder / one.name).touch(mode=0o600)
            (folder / one.name).write_bytes(one.made(school, held))
    return folder


# -- what must be known for something of them to leave -------------------------------------------------


def applicant(school: School) -> Pupil:
    """Whose dossiers they are: in the second year, so not yet 16, and at one location all year."""
    return next(one for one in school.pupils if one.year == 2 and not one.left and len(one.stays) == 1)


def example_facts(school: School) -> Iterable[tuple[str, list[Row]]]:
    """Kind of file → its rows (docs/facts.md), in the order in which they can be brought in: an open request at the
    samenwerkingsverband (R54); a school to go to, the inzage and the parents' consent (R57, R58, R109)."""
    pupil = {"pupil": str(applicant(school).number)}
    began = (school.today - timedelta(days=14)).isoformat()
    parent = {"guardian": f"{pupil['pupil']}-a", "capacity": "parent", "extract": began}
    yield "guardian", [{**pupil, **parent}]
    yield "support-request", [{**pupil, "recipient": "samenwerkingsverband", "since": began}]
    yield "pupil", [{**pupil, "destination": NEXT_SCHOOL, "since": began}]
    yield "inzage", [{**pupil, "day": began, "recipient": "school-vovo", "remark": "Graag bellen voor de overstap."}]
    yield "consent", [{**pupil, **_consent(school, parent["guardian"], began)}]


def _consent(school: School, giver: str, day: str) -> Row:
    return {
        "giver": giver, "capacity": "parent", "extract": day, "answer": "yes", "given": f"{day}T09:30",
        "recipients": "school-vovo", "purpose": "overstap",
        "categories": "birth-date guardians name national-number observations organisation results sex support address",
        "text": "overstapformulier 2026", "form": "written", "evidence": "formulier in het dossier",
        "until": (school.today + timedelta(days=300)).isoformat(),
    }  # fmt: skip
