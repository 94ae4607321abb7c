"""Messages that a source hands in to be pushed: DUO's two, made in Python, and a list of those who take the test.

And the result that a test provider brings back. Leaves out: what becomes of them.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from lxml import etree

from gateway.core.model import Subject
from tests.builders_formats import pupil

DUO = "http://duo.nl/schema/DUO_VOAanlevering_InschrijvingVO_V1"
BASIS = "http://duo.nl/schema/DUO_VOBasisschema_Inschrijving_V1"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSA = "http://www.w3.org/2005/08/addressing"
ACTION = "http://duo.nl/contract/DUO_VOAanlevering_InschrijvingVO_V1/aanleveren"
BSN = "123456782"
MESSAGE = "urn:uuid:6f1a2b3c-0000-4000-8000-000000000001"
OIN, ADMINISTRATION = "0000000700001AB00000", "0000000700001AB00530"


def known() -> Subject:
    """Whom the messages to DUO are about."""
    return replace(pupil(1), ids={**pupil(1).ids, "bsn": BSN})


def head(kind: str = "b3b1d2c4-1111-4222-8333-444455556666") -> str:
    return (
        f"<b:identificatiecodeBedrijfsdocument>{kind}</b:identificatiecodeBedrijfsdocument>"
        "<b:verzendendeInstantie>01AB</b:verzendendeInstantie>"
        "<b:ontvangendeInstantie>DUO</b:ontvangendeInstantie>"
        "<b:datumTijdBedrijfsdocument>2026-11-22T09:30:00.000Z</b:datumTijdBedrijfsdocument>"
    )


def enrolment(number: str = BSN, more: str = "") -> bytes:
    """A whole message: every element of the official description."""
    period = (
        "<inschrijvingPeriodeVO><b:datumBegin>2026-08-01</b:datumBegin>"
        "<b:onderwijsaanbieder>104A158</b:onderwijsaanbieder><b:onderwijslocatie>912X001</b:onderwijslocatie>"
        "<b:opleidingcode>0011</b:opleidingcode>"
        "<b:aanvullendeOpleiding><b:opleidingcode>0012</b:opleidingcode></b:aanvullendeOpleiding>"
        "<vestiging>01AB00</vestiging><leerjaar>1</leerjaar><indicatieBekostigbaar>true</indicatieBekostigbaar>"
        "<experiment><naam>DOORLOPENDE_LEERLIJN</naam></experiment></inschrijvingPeriodeVO>"
    )
    return (
        f'<aanleverenInschrijvingVO_Request xmlns="{DUO}" xmlns:b="{BASIS}">{head()}'
        f"<b:burgerservicenummer>{number}</b:burgerservicenummer><b:brin>01AB</b:brin>"
        "<b:inschrijvingvolgnummer>1</b:inschrijvingvolgnummer>"
        "<b:datumInschrijving>2026-08-01</b:datumInschrijving>"
        f"<b:datumUitschrijving>2027-07-31</b:datumUitschrijving>{period}"
        "<ontwikkelingsperspectief><datumBegin>2026-09-01</datumBegin><datumEind>2027-01-31</datumEind>"
        "</ontwikkelingsperspectief>"
        "<verblijfAndereInstelling><datumBegin>2026-10-01</datumBegin><datumEind>2026-12-01</datumEind>"
        "<brin>02CD</brin><vestiging>02CD00</vestiging><verblijfsoort>SYMBIOSE</verblijfsoort>"
        f"</verblijfAndereInstelling>{more}</aanleverenInschrijvingVO_Request>"
    ).encode()


def removal(number: str = BSN) -> bytes:
    tag = "aanleverenVerwijderingInschrijvingVO_Request"
    return (
        f'<{tag} xmlns="{DUO}" xmlns:b="{BASIS}">{head()}<b:onderwijsnummer>{number}</b:onderwijsnummer>'
        f"<b:brin>01AB</b:brin><b:inschrijvingvolgnummer>1</b:inschrijvingvolgnummer></{tag}>"
    ).encode()


def receipt(tag: str = "aanleverenInschrijvingVO_Response", more: str = "") -> bytes:
    return (
        f'<{tag} xmlns="{DUO}" xmlns:b="{BASIS}">{head("c0ffee00-1111-4222-8333-444455556666")}'
        f"<b:ontvangstBevestiging>J</b:ontvangstBevestiging>{more}</{tag}>"
    ).encode()


def enveloped(body: bytes, header: str = "") -> bytes:
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{WSA}"><s:Header>{header}</s:Header>'
        f"<s:Body>{body.decode()}</s:Body></s:Envelope>"
    ).encode()


def fault() -> bytes:
    return enveloped(
        b"<s:Fault><faultcode>s:Client</faultcode><faultstring>Jan Jansen onbekend</faultstring></s:Fault>"
    )


def valid(document: etree._Element) -> bool:
    """By the official XSD, where it is at hand (STANDARDS_DIR)."""
    return "STANDARDS_DIR" not in os.environ or bool(_xsd().validate(document))


@cache
def _xsd() -> etree.XMLSchema:
    place = Path(os.environ["STANDARDS_DIR"]) / "duo-vo" / "DUO_VOAanlevering_InschrijvingVO_V1.xsd"
    return etree.XMLSchema(etree.parse(place))


def within(body: bytes) -> etree._Element:
    """The one document in an envelope."""
    (document,) = etree.fromstring(body).iterchildren(f"{{{SOAP}}}Body")
    (inner,) = document
    return inner


def participants(*numbers: int, **more: Any) -> bytes:
    """A list with these pupils, complete with all that is in an administration."""
    level = {"label": "Jaargroep", "niveau": "8"}
    people = [
        {
            "label": "Leerling",
            "deelnemerref": [
                {"label": "ECK-iD", "onderwijsdeelnemerID": f"https://ketenid.example/{number:032x}"},
                {"label": "LAS-key", "onderwijsdeelnemerID": f"las-{number}"},
            ],
            "achternaam": f"Achternaam{number}",
            "voorvoegsel": "van",
            "roepnaam": f"Roepnaam{number}",
            "groep": "groep-8a",
            "niveau": level,
            "extensie": {
                "label": "Demografisch",
                "voorletters": "ABC",
                "geboortedatum": f"2014-05-{10 + number}",
                "geslacht": 1,
            },
        }
        for number in numbers
    ]
    group = {"label": "Stamgroep", "id": "groep-8a", "omschrijving": "8A", "niveau": level}
    return orjson.dumps(
        {
            "datumtijd": "2026-11-22T09:30:00Z",
            "auteur": "Administratie van J. Jansen",
            "versie": "Eindtoetsketen_v3",
            "profiel": "Eindtoetsdeelnemers",
            "schooljaar": "2026-2027",
            "deelnemersgroep": {"instellingscode": "01AB", "vestigingscode": "00", "administratienr": "00"},
            "groepen": [group],
            "deelnemers": people,
        }
        | more
    )


def result(number: int, **more: Any) -> dict[str, Any]:
    """All that the Eindtoetsketen has of one pupil, named by the ECK iD."""
    parts = {
        "label": "Onderdeel",
        "id": "8000",
        "omschrijving": "Nederlandse taal",
        "toetsonderdelen": [
            {
                "label": "Domein",
                "id": "8050",
                "omschrijving": "Lezen",
                "toetsonderdelen": [{"label": "Subdomein", "id": "9010", "omschrijving": "Begrijpend lezen"}],
            }
        ],
    }
    moment = "2027-02-15T09:30:00Z"
    return {
        "datumtijd": moment,
        "auteur": "Applicatie xyz",
        "versie": "Eindtoetsketen_v3",
        "profiel": "Leerlingeindtoetsresultaat",
        "schooljaar": "2026-2027",
        "resultatenscores": {
            "id": f"resultatenscores-{number}",
            "deelnemerref": [
                {"label": "ECK-iD", "onderwijsdeelnemerID": f"https://ketenid.example/{number:032x}"},
            ],
            "versie": "Definitief",
            "datumtijd": moment,
            "toetsdefinitie": "0011",
            "afnamecontext": {"afname": {"id": "afname-1", "afnametijdstip": moment}},
            "scores": {
                "id": "scores-1",
                "scores": [
                    {"label": "Eindtoetsscore", "id": "score-1", "waarde": "537"},
                    {"label": "Detailscore", "id": "score-2", "toetseenheid": "8050", "waarde": "12"},
                ],
            },
            "resultaten": {
                "aanvullendeinfo": "https://toets.example/leerlingrapport/fceea73b",
                "resultaten": [{"label": "Toetsadvies", "waarde": "vwo"}],
            },
        }
        | more,
        "toets": {
            "label": "Eindtoets",
            "id": "0011",
            "naam": "CET",
            "versie": "01",
            "url": "https://toets.example",
            "toetsonderdelen": [parts],
        },
    }
