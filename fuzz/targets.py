"""What is fuzzed: each minimiser with a delivery of which no text leaves as the source wrote it.

Only numbers, days, words of a list and pseudonyms leave, so that a canary that stands in the input, wherever a mutation
puts it, is nowhere in what leaves. `judge` raises for anything but a refusal or such an answer. Leaves out: making the
inputs (`fuzz.mutated`, `fuzz.guided`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import orjson

from bench import xml as pupils
from gateway.core.model import PseudonymMethod, Transform
from gateway.core.policy.schema import Csv
from gateway.core.policy.terms import Grant
from gateway.core.release.circle import Circle
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.masking import Mask
from gateway.core.release.minimised import EnvelopeBroken
from gateway.core.release.sight import Sight
from gateway.formats.csv import CsvFile, CsvMinimiser
from gateway.formats.json import JsonFile
from gateway.formats.xml import XmlListFile, XmlMinimiser
from tests import builders_csv as csv
from tests import builders_formats as build
from tests import builders_oneroster as oneroster

CANARY = "kanarie7f3a"
_LARGEST = 10  # times larger than the input an answer of these deliveries is at most, beside what it always has
_ALWAYS = 4_096
_SLOT = Grant("@key", "needed", Transform.PSEUDONYM)
_PEOPLE = [replace(build.pupil(n), ids={"las-key": f"l{n}"}) for n in (1, 2)]
_ROWS = [csv.subject(n) for n in (1, 2)]
_NOBODY = Circle(Mask(()), frozenset())


class Leaked(Exception):
    """What may not leave did. Holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Target:
    """`run`: what leaves of an input; `seeds`: inputs that are as they should be, and hold the canary."""

    name: str
    run: Callable[[bytes], bytes] = field(repr=False)
    seeds: tuple[bytes, ...] = field(repr=False)

    def judge(self, body: bytes) -> None:
        """Raises whatever the minimiser raises beside its own refusal."""
        try:
            left = self.run(body)
        except EnvelopeBroken as broken:
            if CANARY in repr((broken, broken.__cause__, broken.__context__)):
                raise Leaked("a refusal tells a word of the input") from None
            return
        if CANARY.encode() in left:
            raise Leaked("the canary left")
        if len(left) > _LARGEST * len(body) + _ALWAYS:
            raise Leaked("the answer outgrew its source")


@cache
def targets() -> dict[str, Target]:
    """By name."""
    made = (_json(), _document(), _list(), _table(), _set())
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
