"""How fast XML is minimised, a list and a document, against the bare parser on the same bytes; writes XML.md.

Bare is `lxml.etree.iterparse` on the record's tag, with every record cleared: reading alone, nothing looked at. Ours is
the whole way of a record: parsed with every limit, whom it is about, screened, guarded, built and written; verdicts and
pseudonyms are remembered, as in a running gateway. Rounds alternate, so that a busy machine slows both; the ratio is
taken per round and the median counts, the rates are those of the fastest rounds. Run from the repository's root:
python -m bench.xml [rounds]
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from statistics import median
from time import process_time

from lxml import etree

from gateway.core.model import Category, FieldClass, Person, PseudonymMethod, Subject, Transform
from gateway.core.policy.schema import Branch, KeyIds, Leaf, Many, Node, Record, SubjectPosition
from gateway.core.policy.terms import Grant
from gateway.core.release.circle import Circle
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.masking import Mask
from gateway.core.release.sight import Sight
from gateway.formats.xml import XmlMinimiser
from tests import builders_formats as build
from tests import builders_uwlr as uwlr

SPACE = "urn:example:lvs"
RECORDS = 5_000
PIECE = 65_536
_NOTE = "Afspraken staan in het dossier; volgende week opnieuw bespreken. " * 5
_NOBODY = Circle(Mask(()), frozenset())
TOLD = "naam", "voorvoegsel", "roepnaam", "geboortedatum", "geslacht", "jaargroep"


def leaf(category: Category, field_class: FieldClass, form: str | None = None) -> Leaf:
    return Leaf("string", category, field_class, format=form)


def record() -> Record:
    """A pupil as an administration describes one."""
    name = leaf(Category.NAME, FieldClass.DIRECT)
    address = leaf(Category.ADDRESS, FieldClass.CONTACT)
    guardian = leaf(Category.GUARDIANS, FieldClass.THIRD_PERSON)
    medical = leaf(Category.MEDICAL, FieldClass.MEDICAL)
    fields: dict[str, Node] = {
        "@key": leaf(Category.PUPIL_NUMBER, FieldClass.ID),
        "naam": name,
        "voorvoegsel": name,
        "roepnaam": name,
        "geboortedatum": leaf(Category.BIRTH_DATE, FieldClass.QUASI, "date"),
        "geslacht": replace(leaf(Category.SEX, FieldClass.QUASI), values=("0", "1", "2", "9")),
        "jaargroep": leaf(Category.ORGANISATION, FieldClass.ORDINARY),
        "bsn": leaf(Category.NATIONAL_NUMBER, FieldClass.NATIONAL_NUMBER),
        "adres": Branch(dict.fromkeys(("straat", "nummer", "postcode", "plaats", "land"), address)),
        "email": leaf(Category.SCHOOL_EMAIL, FieldClass.CONTACT),
        "telefoon": leaf(Category.PHONE, FieldClass.CONTACT),
        "ouder": Many(Branch(dict.fromkeys(("naam", "email"), guardian))),
        "notitie": leaf(Category.OBSERVATIONS, FieldClass.FREE_TEXT),
        "gezondheid": Branch({"allergie": Many(medical), "opmerking": medical}),
    }
    here = SubjectPosition("", Person.PUPIL, "record", None, None, KeyIds({"@key": "las-key"}, "@key"))
    return Record("leerling", Branch(fields), (here,), element="leerling", envelope="leerlingen")


def text(number: int, *, wide: bool) -> str:
    """`wide`: with all that is withheld."""
    told = (
        f"<naam>Jansen</naam><voorvoegsel>van</voorvoegsel><roepnaam>Naam{number}</roepnaam>"
        f"<geboortedatum>2015-03-{number % 28 + 1:02d}</geboortedatum><geslacht>1</geslacht><jaargroep>5</jaargroep>"
    )
    rest = (
        f"<bsn>{number:09d}</bsn><adres><straat>Dorpsstraat</straat><nummer>{number}</nummer><postcode>1234AB</postcode>"
        f"<plaats>Ons Dorp</plaats><land>Nederland</land></adres><email>{number}@school.example</email>"
        f"<telefoon>0612345678</telefoon><ouder><naam>A</naam><email>a{number}@thuis.example</email></ouder>"
        f"<ouder><naam>B</naam><email>b{number}@thuis.example</email></ouder><notitie>{_NOTE}</notitie>"
        f"<gezondheid><allergie>noten</allergie><allergie>melk</allergie><opmerking>{_NOTE}</opmerking></gezondheid>"
    )
    inner = (told + rest if wide else told).replace("><", ">\n    <").replace(">\n    </", "></")
    return f'  <leerling key="l{number}">\n    {inner}\n  </leerling>\n'


@dataclass(frozen=True, slots=True)
class Case:
    """One list and the minimiser for it."""

    name: str
    body: bytes
    minimiser: XmlMinimiser
    sight: Sight

    def bare(self) -> None:
        for _, found in etree.iterparse(BytesIO(self.body), tag=f"{{{SPACE}}}leerling"):
            found.clear()

    def ours(self) -> int:
        rows = self.minimiser.rows(self.pieces(), Emission(self.sight), lambda: _NOBODY)
        return sum(row is not None for row in rows)

    def pieces(self) -> Iterator[bytes]:
        return (self.body[at : at + PIECE] for at in range(0, len(self.body), PIECE))


def people(withheld: float) -> list[Subject]:
    """`withheld` of them are in a study year that the delivery does not have."""
    found = (build.pupil(n, year=2 if n % 100 < withheld * 100 else 1) for n in range(1, RECORDS + 1))
    return [replace(one, ids={"las-key": f"l{n}"}) for n, one in enumerate(found, start=1)]


def case(name: str, grants: dict[str, Grant], *, wide: bool, withheld: float = 0.0) -> Case:
    rows = "".join(text(number, wide=wide) for number in range(1, RECORDS + 1))
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<leerlingen xmlns="{SPACE}">\n{rows}</leerlingen>\n'.encode()
    terms = build.delivery({"leerling": grants}, method=PseudonymMethod.HMAC, years=frozenset({1}))
    projection = compile_projection(record(), grants, PseudonymMethod.HMAC)
    return Case(name, body, XmlMinimiser(projection, {"": SPACE}), build.sight(terms, people(withheld)))


def cases() -> list[Case]:
    key = {"@key": Grant("@key", "needed", Transform.PSEUDONYM)}
    told = key | build.keep(*TOLD)
    return [
        case("6 of 27 fields leave", told, wide=True),
        case("the same, 20 % of the pupils withheld", told, wide=True, withheld=0.2),
        case("2 of 27 fields leave", key | build.keep("roepnaam", "jaargroep"), wide=True),
        case("every field leaves", told, wide=False),
    ]


@dataclass(frozen=True, slots=True)
class Document:
    """One document with everybody in it, and the delivery of a shipped template."""

    name: str
    body: bytes
    bench: uwlr.Bench

    def bare(self) -> None:
        for _, found in etree.iterparse(BytesIO(self.body), tag=f"{{{uwlr.SPACE}}}leerling"):
            found.clear()

    def ours(self) -> int:
        return len(self.bench.run(self.body)[1].released)


def pupil(number: int) -> str:
    """As an administration tells of one in UWLR."""
    return (
        f'<leerling key="l{number}"><achternaam>Jansen</achternaam><voorvoegsel>van</voorvoegsel><voornamen>Naam'
        f"{number}</voornamen><voorletters-1>N</voorletters-1><roepnaam>Naam{number}</roepnaam><geboortedatum>2015-03-"
        f"{number % 28 + 1:02d}</geboortedatum><geslacht>1</geslacht><start_ondw_jgr3>2021-08-01</start_ondw_jgr3>"
        f'<jaargroep>5</jaargroep><groep key="g{number // 25}"/><samengestelde_groepen><samengestelde_groep '
        f'key="s{number // 100}"/></samengestelde_groepen><gebruikersnaam>u{number}</gebruikersnaam><emailadres>'
        f"{number}@school.example</emailadres><land>6030</land><bsn_ondwnr-4>{number % 10_000:04d}</bsn_ondwnr-4>"
        "<gewicht>0.00</gewicht><postcodenl>1234AB</postcodenl><instroomdatum>2019-08-01</instroomdatum>"
        "<mutatiedatum>2026-11-01T10:00:00</mutatiedatum></leerling>\n"
    )


def school() -> bytes:
    classes = [f'<groep key="g{n}"><naam>5{n}</naam><jaargroep>5</jaargroep></groep>\n' for n in range(RECORDS // 25)]
    others = [f'<samengestelde_groep key="s{n}"><naam>x</naam></samengestelde_groep>\n' for n in range(RECORDS // 100)]
    return (
        f'<leerlinggegevens xmlns="{uwlr.SPACE}"><school><schooljaar>2024-2025</schooljaar><brincode>01AB</brincode>'
        "<dependancecode>00</dependancecode><aanmaakdatum>2026-11-21T10:00:00</aanmaakdatum><auteur>A</auteur>"
        f"<xsdversie>2.2</xsdversie></school><groepen>{''.join(classes)}{''.join(others)}</groepen><leerlingen>"
        f"{''.join(map(pupil, range(RECORDS)))}</leerlingen></leerlinggegevens>"
    ).encode()


def documents() -> list[Document]:
    body, known = school(), [replace(build.pupil(n + 1), ids={"las-key": f"l{n}"}) for n in range(RECORDS)]
    told = {"uwlr-smalle-set": "document, smalle set", "uwlr-lvs-set": "document, LVS set"}
    return [Document(f"{name} (UWLR)", body, uwlr.bench(one, "uwlr-2-2", known)) for one, name in told.items()]


def measure(one: Case | Document, rounds: int) -> tuple[float, float, float]:
    """Fastest seconds of the bare parser and of the minimiser; the median of their ratios."""
    assert one.ours() > 0
    times = [(_timed(one.bare), _timed(one.ours)) for _ in range(rounds)]
    return min(bare for bare, _ in times), min(ours for _, ours in times), median(bare / ours for bare, ours in times)


def _timed(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    lines = []
    measured: list[Case | Document] = [*cases(), *documents()]
    for one in measured:
        bare, ours, ratio = measure(one, rounds)
        size = len(one.body)
        line = f"| {one.name} | {size // RECORDS:,} | {size / bare / 1e6:.0f} | {size / ours / 1e6:.0f} | {ratio:.2f} |"
        print(line)
        lines.append(line)
    head = _HEAD.format(
        version=".".join(map(str, etree.LXML_VERSION[:3])), python=platform.python_version(), rounds=rounds
    )
    Path(__file__).with_name("XML.md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


_HEAD = """\
# Speed of XML

Written by `python -m bench.xml`, which `make bench` runs: 5,000 pupils, {rounds} alternating rounds on one core in CPU
time, the rates of the fastest rounds and the median of the ratios per round; lxml {version}, Python {python}. Bare is
`lxml.etree.iterparse` on the record's tag with every record cleared. Ours is the minimiser's whole way of a record,
with verdicts and pseudonyms remembered as in a running gateway. The goal is a ratio of 0.6. A document (UWLR)
is read whole, and its items are written as the records of a list are; its 5,000 pupils are in 200 classes.

| what | bytes per record | bare MB/s | ours MB/s | ratio |
| --- | ---: | ---: | ---: | ---: |
"""


if __name__ == "__main__":
    main()
