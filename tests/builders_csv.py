"""A made-up CSV format with one of everything that the minimiser knows, for the tests of formats.

Leaves out: OneRoster (`tests/formats/test_oneroster_csv.py`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gateway.core.model import Category, FieldClass, Person, PseudonymMethod, Subject
from gateway.core.policy.schema import Branch, Csv, KeyIds, Leaf, LeafType, Many, Node, Record, SubjectPosition
from gateway.core.policy.terms import Grant
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Minimised
from gateway.core.release.sight import Sight
from gateway.formats.csv import CsvMinimiser, Limits
from tests import builders_formats as build
from tests.simulators.facts import SimulatedFacts

Rows = list[dict[str, str]]
ROW = KeyIds({"number": "las-key", "bsn": "bsn"}, "number")
CELL = KeyIds({"#text": "las-key"}, "#text")


def leaf(
    kind: LeafType = "string",
    category: Category = Category.ORGANISATION,
    field_class: FieldClass = FieldClass.ORDINARY,
    *,
    required: bool = False,
    form: str | None = None,
) -> Leaf:
    return Leaf(kind, category, field_class, required, format=form)


def pupils() -> Record:
    mentor = leaf(category=Category.STAFF, field_class=FieldClass.THIRD_PERSON)
    fields: dict[str, Node] = {
        "number": leaf(category=Category.PUPIL_NUMBER, field_class=FieldClass.ID),
        "bsn": leaf(category=Category.NATIONAL_NUMBER, field_class=FieldClass.NATIONAL_NUMBER),
        "name": leaf(category=Category.NAME, field_class=FieldClass.DIRECT, required=True),
        "born": leaf(category=Category.BIRTH_DATE, form="date"),
        "year": leaf("integer"),
        "size": leaf("number"),
        "new": leaf("boolean"),
        "sort": replace(leaf(), values=("a", "b")),
        "code": leaf(),
        "group": replace(leaf(), maps="group"),
        "groups": Many(replace(leaf(), maps="group")),
        "subjects": Many(leaf()),
        "mentors": Many(Branch({"#text": mentor})),
        "note": leaf(category=Category.OBSERVATIONS, field_class=FieldClass.FREE_TEXT),
    }
    here = SubjectPosition("", Person.PUPIL, "record", None, None, ROW, (Person.STAFF,))
    others = SubjectPosition("mentors", Person.STAFF, "item", None, None, CELL)
    return Record("pupils", Branch(fields), (here, others))


def places() -> Record:
    """A row about a pupil and, perhaps, the teacher who coaches; with an id of its own."""
    fields: dict[str, Node] = {
        "id": replace(leaf(required=True), maps="enrolment"),
        "pupil": Branch({"#text": leaf(category=Category.PUPIL_NUMBER, field_class=FieldClass.ID)}, required=True),
        "coach": Branch({"#text": leaf(category=Category.STAFF, field_class=FieldClass.THIRD_PERSON)}),
        "year": leaf("integer"),
    }
    pupil = SubjectPosition("pupil", Person.PUPIL, "record", None, None, CELL)
    coach = SubjectPosition("coach", Person.STAFF, "item", None, None, CELL)
    return Record("places", Branch(fields), (pupil, coach), "id")


def subject(number: int, person: Person = Person.PUPIL) -> Subject:
    return replace(build.pupil(number, person=person), ids={"las-key": f"0012{number}"})


ANNE, BEN = subject(1), subject(2)
TEACHER = subject(7, Person.STAFF)
GUARDIAN = subject(8, Person.GUARDIAN)


def grants(*paths: str) -> dict[str, Grant]:
    return build.keep("name", *paths)


def text(names: Iterable[str], *rows: Iterable[str], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue()


def read(body: bytes, *, delimiter: str = ",", encoding: str = "utf-8") -> Rows:
    return list(csv.DictReader(io.StringIO(body.decode(encoding), newline=""), delimiter=delimiter))


@dataclass(slots=True)
class Bench:
    """One delivery of one kind of file."""

    minimiser: CsvMinimiser
    sight: Sight

    def run(self, body: str | bytes, *, many: bool = True) -> tuple[Minimised, Emission]:
        emission = Emission(self.sight)
        raw = body.encode() if isinstance(body, str) else body
        return self.minimiser.minimise(raw, emission, many=many), emission

    def rows(self, body: str | bytes) -> Rows:
        return read(self.run(body)[0].body, delimiter=self.minimiser.dialect.delimiter)


def bench(
    granted: Mapping[str, Grant],
    people: Iterable[Subject] = (ANNE, BEN),
    *,
    method: PseudonymMethod = PseudonymMethod.NONE,
    record: Record | None = None,
    dialect: Csv | None = None,
    facts: SimulatedFacts | None = None,
    limits: Limits | None = None,
    years: frozenset[int] | None = None,
) -> Bench:
    record = record or pupils()
    terms = build.delivery({record.name: granted}, method=method, years=years)
    projection = compile_projection(record, granted, method)
    return Bench(CsvMinimiser(projection, dialect, limits=limits), build.sight(terms, people, facts=facts))
