"""What is fuzzed: each minimiser with a delivery of which no text leaves as the source wrote it, and the doors.

Only numbers, days, words of a list and pseudonyms leave, so that a canary that stands in the input, wherever a mutation
puts it, is nowhere in what leaves; of a dossier, whose texts the delivery is about, they are set aside (`texts`).
Leaves out: making the inputs (`fuzz.mutated`, `fuzz.guided`), whole calls (`doors`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import orjson

from bench import xml as pupils
from fuzz.doors import doors
from fuzz.target import CANARY, Target
from fuzz.texts import bare, free
from gateway.adapters.policy.files import load_recipient
from gateway.core.model import PseudonymMethod, Transform
from gateway.core.policy.schema import Csv
from gateway.core.policy.terms import Conditions, Grant, Recipient
from gateway.core.release.circle import Circle
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.masking import Mask
from gateway.core.release.sight import Sight
from gateway.demo.dossiers import dossier
from gateway.demo.examples import applicant
from gateway.demo.school import make_school
from gateway.formats.csv import CsvFile, CsvMinimiser
from gateway.formats.json import JsonFile
from gateway.formats.xml import XmlListFile, XmlMinimiser
from tests import builders_csv as csv
from tests import builders_formats as build
from tests import builders_oneroster as oneroster
from tests.policy.shipped import answered, schemas

_SLOT = Grant("@key", "needed", Transform.PSEUDONYM)
_PEOPLE = [replace(build.pupil(n), ids={"las-key": f"l{n}"}) for n in (1, 2)]
_ROWS = [csv.subject(n) for n in (1, 2)]
_NOBODY = Circle(Mask(()), frozenset())


@cache
def targets() -> dict[str, Target]:
    """By name."""
    made = (_json(), _document(), _list(), _dossier(), _table(), _set(), _whole_set(), *doors())
    return {one.name: one for one in made}


def _json() -> Target:
    bench = build.bench(build.student(), build.student_grants(), [build.pupil(1), build.pupil(2)])
    students = [build.student_json(build.pupil(n), note=CANARY, address={"street": CANARY}) for n in (1, 2, 3)]

    def run(body: bytes) -> bytes:
        file = JsonFile(100_000)
        records = [*file.feed(body), *file.close()]
        return bench.minimiser.minimise(file.piece(records), bench.emission(), many=True).body

    lines = b"\n".join(map(orjson.dumps, students))
    return Target("json", run, (orjson.dumps(students), orjson.dumps(students[0]), lines))


def _xml() -> tuple[XmlMinimiser, Sight]:
    grants = {"@key": _SLOT, **build.keep("geboortedatum", "geslacht")}
    projection = compile_projection(pupils.record(), grants, PseudonymMethod.HMAC)
    sight = build.sight(build.delivery({"leerling": grants}), _PEOPLE)
    return XmlMinimiser(projection, {"": pupils.SPACE}), sight


def _pupil(number: int) -> str:
    return pupils.text(number, wide=True).replace("Dorpsstraat", CANARY).replace("Jansen", f"{CANARY} &amp; zn")


def _document() -> Target:
    minimiser, sight = _xml()
    one = _pupil(1).strip().replace("<leerling ", f'<leerling xmlns="{pupils.SPACE}" ')
    declared = f'<?xml version="1.0" encoding="iso-8859-1"?><!-- {CANARY} -->{one}'.encode()

    def run(body: bytes) -> bytes:
        return minimiser.minimise(body, Emission(sight), many=False).body

    return Target("xml document", run, (one.encode(), declared))


def _list() -> Target:
    minimiser, sight = _xml()
    whole = f'<leerlingen xmlns="{pupils.SPACE}">{_pupil(1)}{_pupil(2)}<ander>{CANARY}</ander>{_pupil(3)}</leerlingen>'
    prefixed = whole.replace("<", "<a:").replace("<a:/", "</a:").replace("xmlns=", "xmlns:a=")
    tag = f"{{{pupils.SPACE}}}"

    def run(body: bytes) -> bytes:
        file = XmlListFile(f"{tag}leerlingen", f"{tag}leerling", 100_000)
        records = [one for at in range(0, len(body), 97) for one in file.feed(body[at : at + 97])]
        piece = file.piece([*records, *file.close()])
        whole = minimiser.minimise(piece, Emission(sight), many=True).body
        rows = minimiser.rows([body], Emission(sight), lambda: _NOBODY)
        return whole + b"".join(row.body for row in rows if row is not None)

    return Target("xml list", run, (whole.encode(), prefixed.encode()))


def _dossier() -> Target:
    """OSO by the shipped schema and template; what is in it of texts and documents is the delivery's."""
    found = load_recipient(answered("samenwerkingsverband"), "samenwerkingsverband.yaml", schemas())
    assert isinstance(found, Recipient)
    delivery = next(one for one in found.deliveries if one.purpose == "toelaatbaarheid")
    record, spaces = schemas()["oso-2019"].records["dossier"], schemas()["oso-2019"].namespaces
    minimiser = XmlMinimiser(compile_projection(record, delivery.grants["dossier"], delivery.pseudonym), spaces)
    school = make_school(1, date(2026, 11, 22))
    pupil = applicant(school)
    known = replace(build.pupil(1), ids={"las-key": str(pupil.number)})
    sight = build.sight(replace(delivery, conditions=Conditions()), [known])
    whole = dossier(school, pupil, "VOSWV")
    salted = whole.replace(b"</dossier>", f"<ander>{CANARY}</ander><!-- {CANARY} --></dossier>".encode())
    names = free("samenwerkingsverband", "oso-2019", "toelaatbaarheid")

    def run(body: bytes) -> bytes:
        left = minimiser.minimise(body, Emission(sight), many=False).body
        return bare(left, names) if left else b""

    return Target("oso dossier", run, (salted,), len(whole))


def _table() -> Target:
    granted = {**build.changed(Transform.PSEUDONYM, "number"), **build.keep("born", "year", "size", "new", "sort")}
    granted |= build.fixed(name="-")
    dialect = Csv()
    minimiser = CsvMinimiser(compile_projection(csv.pupils(), granted, PseudonymMethod.HMAC), dialect)
    sight = build.sight(build.delivery({"pupils": granted}), _ROWS)
    rows = [
        {"number": f"0012{n}", "name": CANARY, "born": "2015-03-01", "year": "3", "sort": "a", "note": f'{CANARY},"x'}
        for n in (1, 2, 9)
    ]
    names = list(rows[0])
    whole = csv.text(names, *([row[name] for name in names] for row in rows))

    def run(body: bytes) -> bytes:
        file = CsvFile(dialect)
        piece = file.piece([*file.feed(body), *file.close()])
        return minimiser.minimise(piece, Emission(sight), many=True).body

    return Target("csv", run, (whole.encode(), whole.encode("utf-8-sig"), whole.replace("Anne", "é").encode("cp1252")))


def _set() -> Target:
    users = {**build.changed(Transform.PSEUDONYM, "sourcedId"), **build.fixed(enabledUser=True, givenName="-")}
    bench = oneroster.bench({"users": {**users, **build.fixed(familyName="-")}})
    tables = oneroster.files(users=[{**oneroster.user(n), "familyName": CANARY, CANARY: "x"} for n in (1, 2)])

    def run(body: bytes) -> bytes:
        made = bench.run(body).body
        return made + b"".join(str(rows).encode() for rows in oneroster.unzipped(made).values())

    return Target("csv set", run, (oneroster.zipped(tables), oneroster.zipped(tables, extra_csv=CANARY.encode())))


def _whole_set() -> Target:
    """Files that refer to each other, and to persons."""
    bench = oneroster.bench(
        {
            "orgs": {**build.keep("sourcedId", "type"), **build.fixed(name="-")},
            "classes": {**build.keep("sourcedId", "schoolSourcedId"), **build.fixed(title="-")},
            "users": {
                **build.changed(Transform.PSEUDONYM, "sourcedId"),
                **build.fixed(enabledUser=True, givenName="-", familyName="-"),
            },
            "enrollments": {
                **build.keep("sourcedId", "classSourcedId", "schoolSourcedId", "role"),
                **build.changed(Transform.PSEUDONYM, "userSourcedId.#text"),
            },
        }
    )
    tables = oneroster.files(users=[{**oneroster.user(n), "familyName": CANARY, CANARY: "x"} for n in (1, 2)])
    tables["classes"] = [{**one, "title": CANARY} for one in tables["classes"]]

    def run(body: bytes) -> bytes:
        made = bench.run(body).body
        return made + b"".join(str(rows).encode() for rows in oneroster.unzipped(made).values())

    plain = oneroster.zipped(tables)
    stored = oneroster.archive(oneroster.entries(plain), packed=False)
    return Target("csv sets that refer", run, (plain, stored))
