"""OSO dossiers (2019.1) of pupils of the demo school: complete, as an administration exports them, in every profile.

A profile says of each of sixteen categories whether it must be there, may be there or is forbidden; what may be there
is there. Deliberately in it: a BSN, bank accounts, a diagnosis, documents, remarks about people, and the file's own
word that everybody consented; none of that decides what a recipient gets. Leaves out: files and folders (`examples`).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import date, timedelta
from random import Random

from lxml import etree

from gateway.core.days import school_year_begun
from gateway.demo.invented import Invention
from gateway.demo.school import Pupil, School

SPACE = "http://www.edustandaard.nl/oso_gegevensset/2019/dossier"
BRIN = "01AB"
Node = tuple[str, "str | list[Node]"]

_CATEGORIES = (
    "metadata", "ouderinzage", "school", "leerling", "oudersverzorgers", "vve", "schoolloopbaan", "overstapadvies",
    "onderwijsondersteuning", "verzuim", "eindtoetsbo", "toetsresultaten", "handelingsplannen", "cijferlijsten",
    "vombo", "bijlagedocs",
)  # fmt: skip
_WORDS = {"V": "VERPLICHT", "O": "OPTIONEEL", "X": "VERBODEN"}
PROFILES = {
    "BB": "VOVVOOOOOOOOOOOO",
    "POPO": "VVVVVOVVOOOOOOXO",
    "POVO": "VVVVVXVVOOOOOOXO",
    "VOVO": "VVVVVXVVOOOOOOOO",
    "POSWV": "VOVVVOVOVOXOOOXO",
    "VOSWV": "VOVVVXVOVOOOOOOO",
}
"""The profile → for each category in order: V must be there, O may be, X is forbidden."""

_KINDS = {"POSWV": "swv-dossier", "VOSWV": "swv-dossier", "BB": "overdrachtbinnenbrin"}


def dossier(school: School, pupil: Pupil, profile: str) -> bytes:
    """The whole dossier as the administration exports it."""
    held = {name for name, letter in zip(_CATEGORIES, PROFILES[profile], strict=True) if letter != "X"}
    parts: list[Node] = [
        ("metadata", _metadata(school, profile)),
        ("overdrachtsoort", _KINDS.get(profile, "overstapdossier")),
        ("inzage", _inzage(school)),
        ("huidigeschool", [*_school(profile), ("leerling", _pupil(school, pupil, held))]),
    ]
    root = etree.fromstring(f'<dossier xmlns="{SPACE}"/>')
    _fill(root, parts)
    text: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return text


def _fill(above: etree._Element, parts: Iterable[Node]) -> None:
    for name, content in parts:
        made = etree.SubElement(above, f"{{{SPACE}}}{name}")
        if isinstance(content, str):
            made.text = content
        else:
            _fill(made, content)


# -- the sender ----------------------------------------------------------------------------------------


def _metadata(school: School, profile: str) -> list[Node]:
    flags: list[Node] = [
        (f"cat_{name}", _WORDS[letter]) for name, letter in zip(_CATEGORIES, PROFILES[profile], strict=True)
    ]
    return [
        ("deeldossier", "LASLVS"), ("pakketnaam", "Demo LVS"), ("pakketversie", "1"),
        ("datum", school.today.isoformat()), ("standaardversie", "2019.1"), ("validatieversie", "2019.1.1"),
        ("categorie_uitlevering", flags), ("overstap", profile),
    ]  # fmt: skip


def _inzage(school: School) -> list[Node]:
    """What the file says of itself; the gateway goes by what the school recorded."""
    seen = school.today - timedelta(days=3)
    return [
        ("voorlopigdossier", "false"), ("inzage", "true"), ("inzagedatum", seen.isoformat()), ("akkoord", "Nee"),
        ("redennietakkoord", "De samenvatting van het gesprek klopt niet."), ("toestemming", "Ja"),
    ]  # fmt: skip


def _school(profile: str) -> list[Node]:
    return [
        ("naam", "Demoschool"), ("adreslijst", [_address(Invention(Random("school")))]),
        ("communicatielijst", [_reached("telefoon", "werk", "0881234500")]),
        ("brincode", BRIN), ("vestigingscode", "00"), ("aanleverpunt", "1"),
        ("soort", "BO" if profile.startswith("PO") else "VO"), ("naamdirecteur", "Mw. T. Voorbeeld"),
        ("website", "www.voorbeeldschool.example"),
    ]  # fmt: skip


# -- the pupil -----------------------------------------------------------------------------------------


def _pupil(school: School, pupil: Pupil, held: set[str]) -> list[Node]:
    """In the order of the standard; a category that is not held has no part."""
    draw = Invention(Random(f"{school.seed}/dossier/{pupil.number}"))
    parts: list[tuple[str, list[Node]]] = [
        ("leerling", _personal(draw, school, pupil)),
        ("overstapadvies", [("overstapadvies", _advice())]),
        ("vve", _early(pupil)),
        ("schoolloopbaan", [("schoolloopbaanlijst", _career(school, pupil))]),
        ("onderwijsondersteuning", [("onderwijsondersteuning", _support(school, pupil, held))]),
        ("verzuim", [("verzuim", _absence(pupil))]),
        ("eindtoetsbo", [("eindtoets_basisonderwijs", _final_test(pupil))]),
        ("toetsresultaten", [("toetslijst", [_test(school, pupil)])]),
        ("cijferlijsten", [("cijferlijstlijst", [_marks(school, pupil)])]),
        ("bijlagedocs", [("overigdocumentlijst", [_document(pupil, "gespreksverslag", "Gespreksverslag")])]),
        ("oudersverzorgers", [("verzorger", _guardian(draw, pupil, one)) for one in ("vader", "moeder")]),
        ("vombo", [("bevorderd", [("leerjaar", str(pupil.year))])]),
    ]
    return [node for category, nodes in parts if category in held for node in nodes]


def _personal(draw: Invention, school: School, pupil: Pupil) -> list[Node]:
    prefix: list[Node] = [("voorvoegsel", pupil.name.prefix)] if pupil.name.prefix else []
    since = date(school_year_begun(school.today) - pupil.year + 1, 8, 1)
    return [
        ("voornaam", pupil.name.given), ("voorletters-1", f"{pupil.name.given[0]}."), *prefix,
        ("achternaam", pupil.name.family), ("roepnaam", pupil.name.given), ("geboortedatum", pupil.birth.isoformat()),
        ("geslacht", {"male": "1", "female": "2"}.get(pupil.gender, "9")), ("adresgeheim", "false"),
        ("adreslijst", [_address(draw)]),
        ("communicatielijst", [_reached("telefoon", "prive", "0612345678", secret=True)]),
        ("geboorteplaats", "Lage Veld"), ("nationaliteit", "0001"), ("bsn", pupil.bsn),
        ("leerlingid", str(pupil.number)), ("datuminschrijving", since.isoformat()), ("tehuis", "false"),
        ("huisarts", [("achternaam", draw.name("female").family)]),
    ]  # fmt: skip


def _address(draw: Invention) -> Node:
    made = draw.address()
    parts: list[Node] = [
        ("soortadres", "bezoek"), ("straat", str(made["street"])), ("nummer", str(made["houseNumber"])),
        ("postcode", str(made["zipCode"]).replace(" ", "")), ("plaats", str(made["city"])),
    ]  # fmt: skip
    return "adres", parts


def _reached(kind: str, use: str, number: str, *, secret: bool = False) -> Node:
    """A secret number stands here though the standard says to write a neutral one: not every administration does."""
    parts: list[Node] = [
        ("soort", kind), ("aanduiding", use), ("nummer", number), ("geheim", str(secret).lower()),
        ("noodnummer", "false"),
    ]  # fmt: skip
    return "communicatie", parts


def _guardian(draw: Invention, pupil: Pupil, relation: str) -> list[Node]:
    number = draw.random.randrange(10**9)
    return [
        ("voorletters-1", f"{draw.name('female').given[0]}."), ("achternaam", pupil.name.family),
        ("communicatielijst", [_reached("e-mail", "prive", f"{relation}.{pupil.name.family.lower()}@ouders.example")]),
        ("relatietotkind", relation), ("wettigevertegenwoordiger", "true"),
        ("iban", f"NL00DEMO{number:010d}"),
    ]  # fmt: skip


# -- what the school knows -----------------------------------------------------------------------------


def _advice() -> list[Node]:
    return [
        ("advies", "40"), ("argumentatie", "Werkt hard en heeft structuur nodig."), ("contactnodig", "true"),
        ("contactpersoon", "Dhr. P. Begeleider"), ("aandachtspunten", "Is na de scheiding een tijd stil geweest."),
    ]  # fmt: skip


def _early(pupil: Pupil) -> list[Node]:
    begun = pupil.birth + timedelta(days=4 * 365)
    return [
        ("vanpeuterspeelzaal", "true"), ("naampeuterspeelzaal", "De Kikker"),
        ("vroegschools", [("codevroegschoolsprogramma", "9"), ("vroegschoolsdatumingang", begun.isoformat())]),
    ]  # fmt: skip


def _career(school: School, pupil: Pupil) -> list[Node]:
    start = school_year_begun(school.today)
    return [("schoolloopbaan", _year(start - back, pupil.year - back)) for back in range(pupil.year)]


def _year(start: int, year: int) -> list[Node]:
    return [
        ("schooljaar", f"{start}-{start + 1}"), ("groepscode", f"{year}a"), ("groepsnaam", f"klas {year}"),
        ("jaargroep", str(year)), ("begindatum", f"{start}-08-01"), ("einddatum", f"{start + 1}-07-31"),
        ("brincode", BRIN), ("vestigingscode", "00"), ("schoolsoort", "VO"),
    ]  # fmt: skip


def _support(school: School, pupil: Pupil, held: set[str]) -> list[Node]:
    began = (school.today - timedelta(days=90)).isoformat()
    plan: list[Node] = [
        ("startdatum", began), ("isgerichtop", "rekenvaardigheid"),
        _document(pupil, "handelingsplan", "Handelingsplan rekenen"),
    ]  # fmt: skip
    return [
        ("toelichting_onderwijsbehoeften", [_document(pupil, "toelichting", "Toelichting onderwijsbehoeften")]),
        ("diagnose", [("code", "F90.0+"), ("naam", "ADHD"), ("datum", began), ("doorwie", "Dr. A. Onderzoeker")]),
        ("medicijngebruik", "true"),
        *([("handelingsplan", plan)] if "handelingsplannen" in held else []),
        ("opp", [("opp_ingangdatum", began), _document(pupil, "opp", "Ontwikkelingsperspectief")]),
        ("arrangement_pao", [("arrangement_datum", began), ("arrangement_kenmerk", "A-12")]),
    ]  # fmt: skip


def _absence(pupil: Pupil) -> list[Node]:
    return [
        ("dagdelengeoorloofd", "6"), ("dagdelenongeoorloofd", "2"), ("meerdan25percent", "false"),
        ("documentLijst", [_document(pupil, "verzuim", "Hoe vaak de leerling er niet was")]),
    ]  # fmt: skip


def _final_test(pupil: Pupil) -> list[Node]:
    took = date(pupil.birth.year + 12, 4, 18)
    result: list[Node] = [
        ("toetssoort", "0011"), ("toetsniveau", "G"), ("datum_afname", took.isoformat()), ("standaardscore", "535"),
        ("onderdelen", []),
    ]  # fmt: skip
    return [("eindtoetsresultaat", result), ("deelgenomen", "true")]


def _test(school: School, pupil: Pupil) -> Node:
    took = (school.today - timedelta(days=60)).isoformat()
    parts: list[Node] = [
        ("toetsidentificatie", [("eldtoetscode", "DEMO1"), ("toetsnaam", "Begrijpend lezen")]),
        ("afname", [("afnamedatum", took), ("jaargroep", str(pupil.year)),
                    ("afgenomendoor", [("naammedewerker", "Mw. G. Afnemer")])]),
        ("resultaat", [("toetsscore", [("aantalgoed", "36"), ("vaardigheidsscore", "103")])]),
        ("opmerking", "Was die dag niet fit."),
    ]  # fmt: skip
    return "toets", parts


def _marks(school: School, pupil: Pupil) -> Node:
    score: Node = ("score", [("waarde", "6.8")])
    parts: list[Node] = [
        ("cijferlijstTypelijst", [("naam", "rapport"), ("onderdeel", [("naam", "Nederlands"), score]), score]),
        ("afnamedatum", (school.today - timedelta(days=30)).isoformat()), ("jaargroep", str(pupil.year)),
    ]  # fmt: skip
    return "cijferlijst", parts


def _document(pupil: Pupil, name: str, about: str) -> Node:
    """Every pupil's own: nobody has classified it yet."""
    text = f"{about} van {pupil.name.full} ({pupil.number}).\n".encode()
    parts: list[Node] = [
        ("bestandsnaam", f"{name} {pupil.name.full}.txt"), ("omschrijving", about),
        ("bestandsinhoud", b64encode(text).decode("ascii")),
    ]  # fmt: skip
    return "document", parts
