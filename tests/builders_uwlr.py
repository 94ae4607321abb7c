"""The official UWLR and EDEXML files for tests, and a delivery of each shipped template without policy around it.

Leaves out: the live side (`tests/transfer/test_messages.py`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.adapters.policy.files import load_recipient
from gateway.core.model import Person, Subject
from gateway.core.policy.terms import Recipient
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Minimised
from gateway.core.release.sight import Sight
from gateway.formats.xml import XmlMinimiser
from tests import builders_formats as build
from tests.policy.shipped import answered, schemas
from tests.simulators.facts import SimulatedFacts

SPACE = "http://www.edustandaard.nl/leerresultaten/2/leerlinggegevens"
LR = "http://www.edustandaard.nl/leerresultaten/2/leerresultaten"
# Of the profile Smalle set, as the standard's own page lists it; attributes too.
SMALL = frozenset(
    {
        "school", "schooljaar", "peildatum", "brincode", "dependancecode", "schoolkey", "aanmaakdatum", "auteur",
        "xsdversie", "groepen", "groep", "samengestelde_groep", "naam", "leerlingen", "leerling", "achternaam",
        "voorvoegsel", "roepnaam", "geboortedatum", "jaargroep", "samengestelde_groepen", "leerkrachten",
        "leerkracht", "emailadres", "key", "eckid",
    }
)  # fmt: skip
LVS = SMALL | {"voorletters-1", "geslacht", "start_ondw_jgr3", "bsn_ondwnr-4"}


def _folder(name: str) -> Path:
    return Path(os.environ["STANDARDS_DIR"]) / name


def sample() -> bytes:
    """The official example of EDEXML 2.1."""
    return (_folder("edexml-2.1") / "EDEXML.Voorbeeld.2.1.xml").read_bytes()


def moved(body: bytes) -> bytes:
    """The same content as UWLR: another root, in its namespace, without the additions and the one role that only EDEXML
    has."""
    root = etree.fromstring(body.replace(b"<rol>TAL</rol>", b"<rol>LRK</rol>"))
    for one in list(root.iter("toevoegingen")):
        above = one.getparent()
        assert above is not None
        above.remove(one)
    prefixes: Any = {None: SPACE}
    made = etree.Element(f"{{{SPACE}}}leerlinggegevens", nsmap=prefixes)
    for one in root.iter(etree.Element):
        one.tag = f"{{{SPACE}}}{one.tag}"
    made.extend(list(root))
    return etree.tostring(made)


@cache
def _xsd(folder: str, file: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_folder(folder) / file))


def wrong(body: bytes, file: str = "UWLR_Leerlinggegevens_v2p2.xsd", folder: str = "uwlr-2.2/Schemas") -> list[str]:
    """What the official XSD finds wrong; a live school year is none of it."""
    schema = _xsd(folder, file)
    root = etree.fromstring(body)
    for one in root.iter("{*}schooljaar"):
        one.text = "2024-2025"
    schema.validate(root)
    log: Any = schema.error_log
    return [str(error.message) for error in log]


def edexml_wrong(body: bytes) -> list[str]:
    return wrong(body, "EDEXML.structuur.xsd", "edexml-2.1")


def people() -> list[Subject]:
    """Everybody in the official example."""
    pupils = [replace(build.pupil(n), ids={"las-key": key}) for n, key in ((1, "00001"), (2, "00002"), (3, "12345"))]
    staff = [
        replace(build.pupil(n), person=Person.STAFF, ids={"neppi": key})
        for n, key in ((11, "LK1"), (12, "LK2"), (13, "LK3"))
    ]
    return [*pupils, *staff]


@dataclass(slots=True)
class Bench:
    """One template's delivery of one schema."""

    minimiser: XmlMinimiser
    sight: Sight

    def run(self, body: bytes) -> tuple[Minimised, Emission]:
        emission = Emission(self.sight)
        return self.minimiser.minimise(body, emission, many=False), emission


def bench(
    template: str,
    schema: str,
    known: Iterable[Subject] | None = None,
    facts: SimulatedFacts | None = None,
    text: str | None = None,
) -> Bench:
    recipient = load_recipient(text or answered(template), f"{template}.yaml", schemas())
    assert isinstance(recipient, Recipient), recipient
    (delivery,) = [one for one in recipient.deliveries if one.schema == schema]
    ((name, grants),) = delivery.grants.items()
    record = schemas()[schema].records[name]
    projection = compile_projection(record, grants, delivery.pseudonym)
    terms = replace(build.delivery({name: grants}, method=delivery.pseudonym), purpose=delivery.purpose)
    sight = build.sight(terms, people() if known is None else known, facts=facts)
    return Bench(XmlMinimiser(projection, schemas()[schema].namespaces), sight)


def names_in(body: bytes) -> set[str]:
    """Every element and attribute, without namespace."""
    root = etree.fromstring(body)
    attributes = {etree.QName(str(name)).localname for one in root.iter() for name in one.attrib}
    return {etree.QName(one).localname for one in root.iter()} - {etree.QName(root).localname} | attributes


def keys_in(body: bytes, path: str) -> list[str]:
    """The keys of the elements at this path, by local names."""
    steps = "/".join(f"{{*}}{step}" for step in path.split("/"))
    return [str(one.get("key")) for one in etree.fromstring(body).iterfind(steps) if one.get("key")]


def class_of(word: str) -> bytes:
    """A class of two of `people`, made in Python, with this word wherever no profile lets text through."""
    pupils = "".join(
        f'<leerling key="{key}"><achternaam>{word}</achternaam><roepnaam>{word}</roepnaam>'
        f"<geboortedatum>2015-03-01</geboortedatum><geslacht>2</geslacht><jaargroep>5</jaargroep>"
        f'<emailadres>{word}@example.org</emailadres><groep key="G1"/></leerling>'
        for key in ("00001", "00002")
    )
    return (
        f'<leerlinggegevens xmlns="{SPACE}"><school><schooljaar>2024-2025</schooljaar><brincode>01AB</brincode>'
        f"<dependancecode>00</dependancecode><aanmaakdatum>2026-11-21T10:00:00</aanmaakdatum><auteur>{word}</auteur>"
        '<xsdversie>2.2</xsdversie></school><groepen><groep key="G1"><naam>5a</naam><jaargroep>5</jaargroep></groep>'
        f"</groepen><leerlingen>{pupils}</leerlingen></leerlinggegevens>"
    ).encode()


# -- messages ------------------------------------------------------------------------------------------------

HAAL = "HaalLeerlinggegevens"
STRUCTURE = f"{SPACE}/structuur_verzoek"
PUPILS_OF = f"{SPACE}/leerlingen_verzoek"
TEACHERS_OF = f"{SPACE}/leerkrachten_verzoek"
OPERATIONS = {
    HAAL: ("leerlinggegevens", "leerlinggegevens"),
    STRUCTURE: ("structuur", "leerlinggegevens-structuur"),
    PUPILS_OF: ("leerlingen", "leerlinggegevens-leerlingen"),
    TEACHERS_OF: ("leerkrachten", "leerlinggegevens-leerkrachten"),
}
"""SOAPAction → what request and answer are called by, and the element in the answer."""


def message(content: str, header: str = "") -> bytes:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">{head}<s:Body>{content}</s:Body></s:Envelope>'
    ).encode()


def authorisation(key: str, code: str) -> str:
    space = "http://www.edustandaard.nl/leerresultaten/2/autorisatie"
    return (
        f'<autorisatie xmlns="{space}"><autorisatiesleutel>{key}</autorisatiesleutel><klantcode>{code}</klantcode>'
        "<klantnaam>Uitgeverij</klantnaam></autorisatie>"
    )


def asking(action: str = HAAL, more: str = "", *, brin: str = "01AB", header: str = "") -> bytes:
    """A request of this operation; `more` stands behind what every request has."""
    name, _ = OPERATIONS[action]
    return message(
        f'<{name}_verzoek xmlns="{SPACE}"><schooljaar>2026-2027</schooljaar><brincode>{brin}</brincode>'
        f"<dependancecode>00</dependancecode><xsdversie>2.2</xsdversie>{more}</{name}_verzoek>",
        header,
    )


def groups(*keys: str) -> str:
    named = "".join(f'<groep key="{key}"/>' for key in keys)
    return f"<groepen>{named}</groepen>"


def answering(content: bytes | None, action: str = HAAL) -> bytes:
    """What the LVS answers with this leerlinggegevens; None: it has nothing."""
    name, element = OPERATIONS[action]
    inner = "<geengegevens/>"
    if content is not None:
        root = etree.fromstring(content)
        parts = {
            STRUCTURE: ("school", "vestigingen", "groepen"),
            PUPILS_OF: ("school", "leerlingen"),
            TEACHERS_OF: ("school", "leerkrachten"),
        }.get(action)
        for one in list(root):
            if parts is not None and etree.QName(one).localname not in parts:
                root.remove(one)
        root.tag = f"{{{SPACE}}}{element}"
        inner = etree.tostring(root).decode()
    return message(f'<{name}_antwoord xmlns="{SPACE}">{inner}</{name}_antwoord>')


def content_of(body: bytes) -> etree._Element:
    """The element in the body of a message."""
    return etree.fromstring(body)[-1][0]


def answered_with(body: bytes) -> bytes:
    """What stands in the answer of a message."""
    return etree.tostring(content_of(body)[0])


# -- results -------------------------------------------------------------------------------------------------

BRENG = "BrengLeerresultaten"
TEST = "<toets><toetscode>T1</toetscode><toetsnaam>Rekenen</toetsnaam></toets>"


def result(key: str, score: str = "<score>7</score>", more: str = "") -> str:
    said = f"<afnamedatum>2026-11-20</afnamedatum><toetscode>T1</toetscode>{score}{more}"
    return f'<resultaat key="{key}">{said}</resultaat>'


def taken(pupil: str, *results: str, more: str = "") -> str:
    return (
        f"<toetsafname><leerlingid>{pupil}</leerlingid>{more}<resultaten>{''.join(results)}</resultaten></toetsafname>"
    )


def bringing(*taken_by: str, header: str = "", tests: str = TEST, more: str = "") -> bytes:
    """A message of results."""
    return message(
        f'<leerresultaten_verzoek xmlns="{LR}"><school><schooljaar>2026-2027</schooljaar><brincode>01AB</brincode>'
        f"<dependancecode>00</dependancecode><aanmaakdatum>2026-11-21T10:00:00</aanmaakdatum>{more}"
        f"<xsdversie>2.2</xsdversie></school><toetsafnames>{''.join(taken_by)}</toetsafnames><toetsen>{tests}</toetsen>"
        "</leerresultaten_verzoek>",
        header,
    )


def results_wrong(body: bytes) -> list[str]:
    return wrong(body, "UWLR_Leerresultaten_v2p2.xsd")
