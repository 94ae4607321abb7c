"""The official OSO dossiers through the minimiser: what leaves is valid, and no more than the opt-out twin holds."""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.adapters.policy.files import load_recipient
from gateway.core.facts import Document, Facts, Inzage
from gateway.core.model import FieldClass, PseudonymMethod
from gateway.core.policy.grants import leaves
from gateway.core.policy.rules import problems
from gateway.core.policy.schema import Leaf, Record
from gateway.core.policy.terms import Grant, Location, Organisation, Recipient
from gateway.core.reasons import Reason
from gateway.core.release.compiler import DeliveryRefused, compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Minimised
from gateway.demo.dossiers import PROFILES, dossier
from gateway.demo.school import make_school
from gateway.formats.xml import XmlMinimiser
from tests import builders_formats as build
from tests.policy.shipped import TODAY, answered, schemas, template
from tests.simulators.facts import SimulatedFacts

pytestmark = pytest.mark.skipif(
    "STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the folder of the official files"
)

SPACE = "{http://www.edustandaard.nl/oso_gegevensset/2019/dossier}"
POSWV, POPO = "Voorbeelddossier_PaO_POSWV", "Voorbeelddossier_OV_POPO"
PUPIL = replace(build.pupil(1), ids={"las-key": "LN094837"})
HERE = "huidigeschool.leerling"
FLAGS = "metadata.categorie_uitlevering"
# What no file may name for these: blocked by rules, not by the format (tests/policy).
NEVER_SWV = ("bsn", "onderwijsnummer", "geboorteplaats", "nationaliteit", "iban", "banknummer")


@cache
def official(name: str) -> bytes:
    return (Path(os.environ["STANDARDS_DIR"]) / "oso" / f"{name}.xml").read_bytes()


@cache
def xsd() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(Path(os.environ["STANDARDS_DIR"]) / "oso" / "OSO_gegevensset.xsd"))


@cache
def record() -> Record:
    return schemas()["oso-2019"].records["dossier"]


@cache
def fields() -> dict[str, Leaf]:
    return dict(leaves(record().fields))


@cache
def parts() -> dict[str, tuple[str, ...]]:
    """Flag of a category → the fields in that part of the dossier."""
    found = {path: leaf.flag.of for path, leaf in fields().items() if leaf.flag is not None}
    return {
        flag.rsplit(".", 1)[-1]: tuple(path for path in fields() if any(f"{path}.".startswith(f"{one}.") for one in of))
        for flag, of in found.items()
    }


ALWAYS = ("cat_metadata", "cat_school", "cat_leerling")
CHOSEN = st.frozensets(
    st.sampled_from(
        [
            "cat_ouderinzage",
            "cat_oudersverzorgers",
            "cat_vve",
            "cat_schoolloopbaan",
            "cat_overstapadvies",
            "cat_onderwijsondersteuning",
            "cat_verzuim",
            "cat_eindtoetsbo",
            "cat_toetsresultaten",
            "cat_handelingsplannen",
            "cat_cijferlijsten",
            "cat_vombo",
            "cat_bijlagedocs",
        ]
    )
)


def granted(categories: Iterable[str], without: tuple[str, ...] = ()) -> dict[str, Grant]:
    flags = [path for path in fields() if path.startswith(FLAGS)]
    paths = [path for one in (*ALWAYS, *categories) for path in parts()[one]]
    kept = [path for path in (*flags, "overdrachtsoort", *paths) if not set(path.split(".")) & set(without)]
    return build.keep(*kept)


def minimiser(grants: dict[str, Grant]) -> XmlMinimiser:
    projection = compile_projection(record(), grants, PseudonymMethod.NONE)
    return XmlMinimiser(projection, schemas()["oso-2019"].namespaces)


def run(body: bytes, grants: dict[str, Grant], facts: SimulatedFacts | None = None) -> tuple[Minimised, Emission]:
    terms = build.delivery({"dossier": grants}, method=PseudonymMethod.NONE)
    emission = Emission(build.sight(terms, [PUPIL], facts=facts))
    return minimiser(grants).minimise(body, emission, many=False), emission


def paths_of(body: bytes) -> set[str]:
    """The path of every element with a text, and of every attribute."""
    found: set[str] = set()

    def walk(element: etree._Element, above: str) -> None:
        here = f"{above}/{etree.QName(element).localname}"
        found.update(f"{here}/@{name}" for name in map(str, element.attrib))
        if not len(element):
            found.add(here)
        for child in element:
            walk(child, here)

    walk(etree.fromstring(body), "")
    return found


def said(body: bytes) -> dict[str, str]:
    root = etree.fromstring(body)
    return {etree.QName(one).localname: one.text or "" for one in root.iterfind(f".//{SPACE}categorie_uitlevering/*")}


def demanded(name: str) -> list[str]:
    return [flag for flag, word in said(official(f"{name}_full")).items() if word == "VERPLICHT" and flag not in ALWAYS]


def assert_valid(body: bytes) -> None:
    xsd().assertValid(etree.fromstring(body))


@pytest.mark.parametrize("name", [POSWV, POPO])
def test_opted_out_dossier_is_valid_and_holds_no_more_than_the_official_twin(name: str) -> None:
    without = NEVER_SWV if name == POSWV else ()
    found, _ = run(official(f"{name}_full"), granted(demanded(name), without))
    assert_valid(found.body)
    assert paths_of(found.body) <= paths_of(official(f"{name}_opt_out"))
    assert said(found.body) == said(official(f"{name}_opt_out"))


def test_samenwerkingsverband_gets_no_number_and_no_account() -> None:
    found, _ = run(official(f"{POSWV}_full"), granted(demanded(POSWV), NEVER_SWV))
    text = found.body.decode()
    assert not any(f"<{name}" in text for name in NEVER_SWV)
    assert "RABO" not in text


@pytest.mark.parametrize("name", [POSWV, POPO])
def test_everything_granted_keeps_everything_but_unclassified_documents_and_what_needs_consent(name: str) -> None:
    facts = SimulatedFacts({PUPIL.id: Facts(inzagen=(Inzage(day=date(2026, 11, 2), remark="Te veel."),))})
    found, emission = run(official(f"{name}_full"), build.keep(*fields()), facts)
    assert_valid(found.body)
    lost = paths_of(official(f"{name}_full")) - paths_of(found.body)
    assert all(
        "/document/" in path
        or "/huisarts/" in path
        or "/diagnose/" in path
        or path.endswith(("medicijngebruik", "inzage/toestemming"))
        for path in lost
    )
    assert {reason for _, fields in emission.partial for _, reason in fields} == {
        Reason.CONSENT_MISSING,
        Reason.DOCUMENT_NOT_CLASSIFIED,
    }


def test_only_the_classified_document_leaves() -> None:
    body = official(f"{POSWV}_full")
    texts = [one.text or "" for one in etree.fromstring(body).iter(f"{SPACE}bestandsinhoud")]
    digest = sha256(b64decode("".join(texts[0].split()))).digest()
    facts = SimulatedFacts({PUPIL.id: Facts(documents=(Document(digest, "toegang", FieldClass.SUPPORT),))})
    found, _ = run(body, build.keep(*fields()), facts)
    assert_valid(found.body)
    left = [one.text or "" for one in etree.fromstring(found.body).iter(f"{SPACE}bestandsinhoud")]
    assert left
    assert {sha256(b64decode("".join(one.split()))).digest() for one in left} == {digest}


@settings(max_examples=60, deadline=None)
@given(categories=CHOSEN, name=st.sampled_from([POSWV, POPO]))
def test_any_categories_give_a_valid_dossier_with_exactly_those_or_none(categories: frozenset[str], name: str) -> None:
    found, emission = run(official(f"{name}_full"), granted(categories))
    missing = set(demanded(name)) - categories
    if missing:
        assert found.body == b""
        assert emission.withheld == ((PUPIL, (Reason.FORMAT_DEMANDS_MORE,)),)
        return
    assert_valid(found.body)
    before, after = said(official(f"{name}_full")), said(found.body)
    for flag, word in before.items():
        optional = word == "OPTIONEEL" and flag not in categories
        assert after[flag] == ("OPT-UIT" if optional else word)


@settings(max_examples=60, deadline=None)
@given(chosen=st.data())
def test_any_fields_give_a_valid_dossier_or_are_refused(chosen: st.DataObject) -> None:
    without = chosen.draw(st.frozensets(st.sampled_from(sorted(fields())), max_size=25))
    grants = build.keep(*(path for path in fields() if path not in without))
    try:
        found, _ = run(official(f"{POPO}_full"), grants)
    except DeliveryRefused:
        return
    if found.body:
        assert_valid(found.body)


CANARY = "Kanarie7f3a"


@settings(max_examples=40, deadline=None)
@given(chosen=st.data(), categories=CHOSEN)
def test_no_value_of_a_field_that_is_not_granted_survives(chosen: st.DataObject, categories: frozenset[str]) -> None:
    root = etree.fromstring(official(f"{POPO}_full"))
    grants = granted(frozenset(demanded(POPO)) | categories)
    kept = {path.removesuffix(".#text").replace(".", "/") for path in grants}
    others = [
        one
        for one in root.iter()
        if not len(one) and "/".join(step.partition("}")[2] for step in _steps(one)) not in kept
    ]
    for one in chosen.draw(st.lists(st.sampled_from(others), min_size=1, max_size=20)) if others else ():
        one.text = f"{CANARY}{one.text}"
        one.set("vreemd", CANARY)
        one.tail = CANARY
    found, _ = run(etree.tostring(root), grants)
    assert CANARY.encode() not in found.body


def _steps(element: etree._Element) -> list[str]:
    above = [str(one.tag) for one in element.iterancestors()]
    return [*above[::-1][1:], str(element.tag)]


@pytest.mark.parametrize("word", ["OPT-UIT", "VERBODEN"])
def test_documents_of_a_part_that_is_said_to_be_left_out_stay_behind(word: str) -> None:
    """The official validator asks for an element of another name here, and passes such a dossier."""
    body = official(f"{POPO}_full").replace(
        b"<cat_onderwijsondersteuning>OPTIONEEL", f"<cat_onderwijsondersteuning>{word}".encode()
    )
    digest = {
        sha256(b64decode("".join((one.text or "").split()))).digest()
        for one in etree.fromstring(body).iter(f"{SPACE}bestandsinhoud")
    }
    facts = SimulatedFacts(
        {PUPIL.id: Facts(documents=tuple(Document(one, "toegang", FieldClass.SUPPORT) for one in digest))}
    )
    found, _ = run(body, build.keep(*fields()), facts)
    assert_valid(found.body)
    assert b"toelichting_onderwijsbehoeften" not in found.body
    assert b"<handelingsplan>" in found.body


def test_dossier_that_says_its_pupil_is_left_out_does_not_leave() -> None:
    body = official(f"{POPO}_full").replace(b"<cat_leerling>VERPLICHT", b"<cat_leerling>OPT-UIT")
    assert run(body, build.keep(*fields()))[0].body == b""


def test_secret_address_of_the_pupil_takes_the_addresses_of_the_parents_along() -> None:
    body = official(f"{POPO}_full").replace(b"<adresgeheim>false", b"<adresgeheim>true", 1)
    found, _ = run(body, build.keep(*fields()))
    assert_valid(found.body)
    root = etree.fromstring(found.body)
    assert root.find(f".//{SPACE}leerling/{SPACE}adreslijst") is None
    assert root.find(f".//{SPACE}verzorger/{SPACE}adreslijst") is None
    assert root.find(f".//{SPACE}huidigeschool/{SPACE}adreslijst") is not None


def test_secret_number_leaves_as_the_neutral_one_of_the_standard() -> None:
    body = official(f"{POPO}_full")
    root = etree.fromstring(body)
    for one in root.iter(f"{SPACE}communicatie"):
        mark = one.find(f"{SPACE}geheim")
        if mark is not None:
            mark.text = "true"
            number = one.find(f"{SPACE}nummer")
            assert number is not None
            number.text = CANARY
    found, _ = run(etree.tostring(root), build.keep(*fields()))
    assert_valid(found.body)
    assert CANARY.encode() not in found.body
    assert b"9999999999" in found.body


def test_dossier_of_somebody_else_does_not_leave() -> None:
    body = official(f"{POSWV}_full").replace(b"LN094837", b"LN000000")
    found, emission = run(body, build.keep(*fields()))
    assert (found.body, emission.unresolved) == (b"", 1)


# -- what a dossier says of its own inzage and consent (R57, N26) ----------------------------------------------------

OWN_WORDS = ("inzage", "inzagedatum", "akkoord", "redennietakkoord", "toestemming")


def claims(body: bytes) -> dict[str, str]:
    """What stands there, but for what is said of the dossier itself."""
    found = etree.fromstring(body).find(f"{SPACE}inzage")
    said = {etree.QName(one).localname: one.text or "" for one in found} if found is not None else {}
    return {name: text for name, text in said.items() if name in OWN_WORDS}


def test_dossier_about_which_the_school_recorded_nothing_says_nothing_of_inzage_or_consent() -> None:
    assert set(claims(official(f"{POPO}_full"))) == set(OWN_WORDS)
    found, _ = run(official(f"{POPO}_full"), build.keep(*fields()))

    assert_valid(found.body)
    assert claims(found.body) == {"akkoord": "Onbekend"}


@pytest.mark.parametrize(("agreed", "said"), [(None, "Onbekend"), (True, "Ja"), (False, "Nee")])
@pytest.mark.parametrize("own", ["Ja", "Onbekend", None])
def test_what_the_school_recorded_of_the_parents_agreement_leaves_whatever_the_dossier_says(
    own: str | None, said: str, *, agreed: bool | None
) -> None:
    facts = SimulatedFacts({PUPIL.id: Facts(inzagen=(Inzage(day=date(2026, 11, 2), agreed=agreed),))})
    word = f"<akkoord>{own}</akkoord>".encode() if own else b""
    found, _ = run(official(f"{POPO}_full").replace(b"<akkoord>Nee</akkoord>", word), build.keep(*fields()), facts)

    assert_valid(found.body)
    told = claims(found.body)
    assert told.pop("akkoord", None) == (said if own or agreed is not None else None)
    assert told == {"inzage": "true", "inzagedatum": "2026-11-02"}


def test_dossier_that_denies_the_agreement_which_the_school_recorded_is_held() -> None:
    facts = SimulatedFacts({PUPIL.id: Facts(inzagen=(Inzage(day=date(2026, 11, 2), agreed=True),))})
    found, emission = run(official(f"{POPO}_full"), build.keep(*fields()), facts)

    assert found.body == b""
    assert [reason for _, reason in emission.held] == [Reason.FACTS_CONTRADICTED]


def test_dossier_that_says_no_where_the_school_recorded_no_leaves() -> None:
    facts = SimulatedFacts({PUPIL.id: Facts(inzagen=(Inzage(day=date(2026, 11, 2), agreed=False),))})
    found, _ = run(official(f"{POPO}_full"), build.keep(*fields()), facts)

    assert claims(found.body)["akkoord"] == "Nee"


def test_remark_with_a_national_number_does_not_leave_and_neither_does_the_dossiers_own() -> None:
    facts = SimulatedFacts({PUPIL.id: Facts(inzagen=(Inzage(day=date(2026, 11, 2), remark="BSN 111222333"),))})
    found, _ = run(official(f"{POPO}_full"), build.keep(*fields()), facts)

    assert "redennietakkoord" not in claims(found.body)


# -- the shipped templates -----------------------------------------------------------------------------------


def from_template(name: str, purpose: str, body: bytes, facts: SimulatedFacts | None = None) -> Minimised:
    recipient = load_recipient(template(name), f"{name}.yaml", schemas())
    assert isinstance(recipient, Recipient)
    (delivery,) = [one for one in recipient.deliveries if one.purpose == purpose]
    grants = dict(delivery.grants["dossier"])
    projection = compile_projection(record(), grants, delivery.pseudonym, special=True)
    terms = replace(build.delivery({"dossier": grants}, method=PseudonymMethod.NONE), purpose=purpose)
    emission = Emission(build.sight(terms, [PUPIL], facts=facts))
    return XmlMinimiser(projection, schemas()["oso-2019"].namespaces).minimise(body, emission, many=False)


@pytest.mark.parametrize("purpose", ["advies", "ondersteuning", "toelaatbaarheid"])
def test_samenwerkingsverband_gets_a_valid_dossier_without_what_it_may_not_have(purpose: str) -> None:
    found = from_template("samenwerkingsverband", purpose, official(f"{POSWV}_full"))
    assert_valid(found.body)
    text = found.body.decode()
    assert not any(f"<{name}" in text for name in (*NEVER_SWV, "diagnose", "document", "inzage", "verzuim"))
    told = said(found.body)
    assert told["cat_verzuim"] == told["cat_ouderinzage"] == told["cat_bijlagedocs"] == "OPT-UIT"
    assert (told["cat_toetsresultaten"] == "OPTIONEEL") == (purpose == "toelaatbaarheid")
    if purpose != "toelaatbaarheid":
        handelingsplan = {path for path in paths_of(found.body) if "/handelingsplan/" in path}
        assert paths_of(found.body) - handelingsplan <= paths_of(official(f"{POSWV}_opt_out"))


def test_document_reaches_the_samenwerkingsverband_when_it_was_classified_for_that_purpose() -> None:
    body = official(f"{POSWV}_full")
    (found_in,) = etree.fromstring(body).iterfind(f".//{SPACE}toelichting_onderwijsbehoeften//{SPACE}bestandsinhoud")
    digest = sha256(b64decode("".join((found_in.text or "").split()))).digest()
    facts = SimulatedFacts({PUPIL.id: Facts(documents=(Document(digest, "advies", FieldClass.SUPPORT),))})
    found = from_template("samenwerkingsverband", "advies", body, facts)
    assert_valid(found.body)
    assert found.body.count(b"<document>") == 1
    assert b"<bestandsnaam>document.pdf<" in found.body
    assert b"<document>" not in from_template("samenwerkingsverband", "ondersteuning", body, facts).body


def test_next_school_gets_a_valid_report_with_the_number() -> None:
    found = from_template("school-povo", "overstap", official(f"{POPO}_full"))
    assert_valid(found.body)
    assert b"<bsn>297816238</bsn>" in found.body
    assert not any(f"<{name}".encode() in found.body for name in ("iban", "diagnose", "nationaliteit", "document>"))


def test_next_secondary_school_gets_a_valid_dossier() -> None:
    """There is no official example of VOVO; what it demands, POPO demands too."""
    found = from_template("school-vovo", "overstap", official(f"{POPO}_full"))
    assert_valid(found.body)
    assert b"toetslijst" not in found.body


PROFILED = [
    ("POSWV", "samenwerkingsverband", "advies"),
    ("VOSWV", "samenwerkingsverband", "ondersteuning"),
    ("POPO", "school-povo", "overstap"),
    ("POVO", "school-povo", "overstap"),
    ("VOVO", "school-vovo", "overstap"),
    ("VOVO", "vervolgonderwijs", "overstap"),
    ("BB", "school-bb", "overstap"),
]


@pytest.mark.parametrize(("profile", "name", "purpose"), PROFILED)
def test_dossier_of_every_profile_leaves_valid_by_the_template_for_it(profile: str, name: str, purpose: str) -> None:
    school = make_school(1, date(2026, 9, 15))
    body = dossier(school, next(one for one in school.pupils if str(one.number) == "100274"), profile)
    assert_valid(body)
    found = from_template(name, purpose, body.replace(b"<leerlingid>100274", b"<leerlingid>LN094837"))
    assert_valid(found.body)
    told = said(found.body)
    assert {flag: word for flag, word in told.items() if word != "OPT-UIT"}.items() <= said(body).items()
    assert (b"<bsn>" in found.body) == (name in ("school-povo", "school-vovo"))
    assert b"<document>" not in found.body


def test_every_demo_dossier_is_valid() -> None:
    school = make_school(1, date(2026, 9, 15))
    for profile in PROFILES:
        for pupil in school.pupils[::40]:
            assert_valid(dossier(school, pupil, profile))


def test_ground_of_the_school_itself_is_for_its_own_locations_only() -> None:
    """BB is within one BRIN; to another school it goes by law or on consent (R57, R58)."""
    recipient = load_recipient(answered("school-bb"), "school-bb.yaml", schemas())
    assert isinstance(recipient, Recipient)
    for number, wrong in (("27XY00", False), ("01AB00", True)):
        organisation = Organisation(frozenset(), {"noord": Location("noord", "Noord", frozenset({("V_ID", number)}))})
        found = [one.rule for one in problems(recipient, schemas(), organisation, TODAY)]
        assert found == (["R58"] if wrong else [])
