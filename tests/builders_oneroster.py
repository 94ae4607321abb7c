"""A small school as a set of OneRoster CSV files, and the shipped delivery of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter

from gateway.adapters.policy.files import load_schema
from gateway.core.model import Person, PseudonymMethod, Subject, Transform
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Grant
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Share
from gateway.core.release.sight import Sight
from gateway.formats.csv import CsvMinimiser, CsvSet, MinimisedSet, SetLimits, set_of
from tests import builders_csv as csv
from tests import builders_formats as build
from tests.policy.shipped import schema_text
from tests.simulators.facts import SimulatedFacts

Grants = Mapping[str, Mapping[str, Grant]]
Rows = csv.Rows
MANIFEST = {"manifest.version": "1.0", "oneroster.version": "1.2", "source.systemName": "LVS"}


@cache
def schema() -> Schema:
    loaded = load_schema(schema_text("oneroster-csv"), "schemas/oneroster-csv.yaml")
    assert isinstance(loaded, Schema), loaded
    return loaded


def grants() -> dict[str, dict[str, Grant]]:
    slot = Transform.PSEUDONYM
    return {
        "orgs": build.keep("sourcedId", "name", "type"),
        "classes": build.keep("sourcedId", "title", "schoolSourcedId"),
        "users": {
            **build.changed(slot, "sourcedId"),
            **build.fixed(enabledUser=True, givenName="-", familyName="-"),
        },
        "enrollments": {
            **build.keep("sourcedId", "classSourcedId", "schoolSourcedId", "role"),
            **build.changed(slot, "userSourcedId.#text"),
        },
    }


def files(**changed: Rows) -> dict[str, Rows]:
    """`changed`: files with other rows."""
    found: dict[str, Rows] = {
        "orgs": [{"sourcedId": "o1", "name": "Noord", "type": "school"}],
        "classes": [{"sourcedId": f"c{n}", "title": f"1v{n}", "schoolSourcedId": "o1"} for n in (1, 2)],
        "users": [user(n) for n in (1, 2)],
        "enrollments": [enrolment(1, 1), enrolment(2, 2), enrolment(3, 1, 2)],
    }
    return {**found, **changed}


def user(number: int, **more: str) -> dict[str, str]:
    names = {"givenName": f"Voornaam{number}", "familyName": f"Achternaam{number}", "password": "geheim"}
    return {"sourcedId": f"0012{number}", "enabledUser": "true", **names, **more}


def enrolment(number: int, who: int, group: int = 1) -> dict[str, str]:
    found = {"classSourcedId": f"c{group}", "schoolSourcedId": "o1", "userSourcedId": f"0012{who}"}
    return {"sourcedId": f"e{number}", **found, "role": "student"}


def table(rows: Rows) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return csv.text(names, *([row.get(name, "") for name in names] for row in rows)).encode()


def manifest(modes: Mapping[str, str], said: Mapping[str, str] | None = None) -> bytes:
    told = {**(MANIFEST if said is None else said), **{f"file.{name}": mode for name, mode in modes.items()}}
    return csv.text(("propertyName", "value"), *told.items()).encode()


def archive(entries: Mapping[str, bytes], *, packed: bool = True) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as made:
        for name, text in entries.items():
            made.writestr(name, text)
    return out.getvalue()


def zipped(tables: Mapping[str, Rows], modes: Mapping[str, str] | None = None, **more: bytes) -> bytes:
    """`modes`: of files that are not there in full; `more`: other entries, `_` for the dot in their names."""
    how = {**dict.fromkeys(tables, "bulk"), "results": "absent", **(modes or {})}
    entries = {"manifest.csv": manifest(how), **{f"{name}.csv": table(rows) for name, rows in tables.items()}}
    return archive({**entries, **{name.replace("_", "."): text for name, text in more.items()}})


def entries(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as made:
        return {name: made.read(name) for name in made.namelist()}


def unzipped(body: bytes) -> dict[str, Rows]:
    with zipfile.ZipFile(io.BytesIO(body)) as made:
        return {one.removesuffix(".csv"): csv.read(made.read(one)) for one in made.namelist()}


PUPILS = [csv.subject(1), csv.subject(2)]
TEACHER = csv.subject(7, Person.STAFF)


@dataclass(slots=True)
class Bench:
    """One delivery of a set."""

    files: CsvSet
    sight: Sight
    emission: Emission = field(init=False)

    def run(self, body: bytes) -> MinimisedSet:
        self.emission = Emission(self.sight)
        return self.files.minimise(body, self.emission)

    def left(self, body: bytes) -> dict[str, Rows]:
        return unzipped(self.run(body).body)

    def left_in_pieces(self, body: bytes, size: int) -> dict[str, Rows]:
        """In pieces of so many rows, each an answer of its own."""
        opened, rows = self.files.opened(body), list[tuple[str, bytes]]()
        for leg in self.files.legs(opened):
            file = self.files.reader()
            given = file.feed(b"".join(self.files.chunks(opened, leg))) + file.close()
            for at in range(0, max(1, len(given)), size):
                piece, share = file.piece(given[at : at + size]), Share(tolerated=len(given))
                rows += self.files.part(opened, leg, piece, Emission(self.sight), share).rows
                opened.take()
        rows += self.files.manifest(opened)
        return unzipped(b"".join(set_of(sorted(rows, key=itemgetter(0)))))


def _sight(granted: Grants, people: Iterable[Subject], facts: SimulatedFacts | None) -> Sight:
    return build.sight(build.delivery(granted), people, facts=facts, records=schema().records.values())


def bench(
    granted: Grants | None = None,
    people: Iterable[Subject] = (*PUPILS, TEACHER),
    *,
    facts: SimulatedFacts | None = None,
    limits: SetLimits | None = None,
) -> Bench:
    found, known = granted or grants(), schema()
    made = {
        name: CsvMinimiser(compile_projection(known.records[name], paths, PseudonymMethod.HMAC), known.csv)
        for name, paths in found.items()
    }
    return Bench(CsvSet(known, made, limits), _sight(found, people, facts))
