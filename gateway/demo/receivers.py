"""The systems to which the demo school's gateway pushes: DUO's register, and a provider of the doorstroomtoets.

On paths of the demo LVS's server, so that its control routes show what reached them and spoil it on request. Strict, as
the real ones are: what their standard does not know is refused. They keep nothing. Leaves out: the messages (`pushes`).
"""

from __future__ import annotations

from typing import Any

import msgspec
from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

DUO_PATH, TEST_PATH = "/ontvangers/duo/inschrijving-vo", "/ontvangers/doorstroomtoets/registreren"
SOAP, WSA = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2005/08/addressing"
DUO, BASIS = (
    "http://duo.nl/schema/DUO_VOAanlevering_InschrijvingVO_V1",
    "http://duo.nl/schema/DUO_VOBasisschema_Inschrijving_V1",
)
_CONTRACT = "http://duo.nl/contract/DUO_VOAanlevering_InschrijvingVO_V1"
_OPERATIONS = {"aanleverenInschrijvingVO", "aanleverenVerwijderingInschrijvingVO"}
_KNOWN = frozenset(
    [f"{{{BASIS}}}{name}" for name in (
        "identificatiecodeBedrijfsdocument", "verzendendeInstantie", "ontvangendeInstantie",
        "datumTijdBedrijfsdocument", "burgerservicenummer", "onderwijsnummer", "brin", "inschrijvingvolgnummer",
        "datumInschrijving", "datumUitschrijving", "datumBegin", "onderwijsaanbieder", "onderwijslocatie",
        "opleidingcode", "aanvullendeOpleiding",
    )]
    + [f"{{{DUO}}}{name}" for name in (
        "inschrijvingPeriodeVO", "vestiging", "leerjaar", "indicatieBekostigbaar", "experiment", "naam",
        "ontwikkelingsperspectief", "verblijfAndereInstelling", "datumBegin", "datumEind", "brin", "verblijfsoort",
    )]
)  # fmt: skip
_HEAD = (
    "identificatiecodeBedrijfsdocument",
    "verzendendeInstantie",
    "ontvangendeInstantie",
    "datumTijdBedrijfsdocument",
)
_PERSON = {"label", "deelnemerref", "achternaam", "voorvoegsel", "roepnaam", "groep", "niveau", "extensie"}
_NAMES: Any = {None: DUO, "b": BASIS}
_TEXT, _JSON = "text/xml; charset=utf-8", "application/json"


def receivers() -> list[Route]:
    """Their routes."""
    return [
        Route(DUO_PATH, _duo, methods=["POST"]),
        Route(TEST_PATH, _participants, methods=["POST"]),
    ]


async def _duo(request: Request) -> Response:
    operation = request.headers.get("soapaction", "").strip('"').removeprefix(f"{_CONTRACT}/")
    try:
        envelope = etree.fromstring(await request.body(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return _fault("geen XML")
    document = envelope.find(f"{{{SOAP}}}Body/*")
    if operation not in _OPERATIONS or document is None or document.tag != f"{{{DUO}}}{operation}_Request":
        return _fault("onbekend bericht")
    if any(document.find(f"{{{BASIS}}}{name}") is None for name in _HEAD):
        return _fault("onvolledig kopje")
    if any(one.tag not in _KNOWN or one.attrib for one in document.iterdescendants()) or document.attrib:
        return _fault("onbekend element")
    message = envelope.findtext(f"{{{SOAP}}}Header/{{{WSA}}}MessageID")
    return Response(_receipt(operation, document, message), media_type=_TEXT)


def _receipt(operation: str, document: etree._Element, message: str | None) -> bytes:
    """With the message's own id and moment: this register has no clock."""
    told = {etree.QName(one).localname: one.text or "" for one in document}
    made = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "a": WSA})
    if message:
        header = etree.SubElement(made, f"{{{SOAP}}}Header")
        etree.SubElement(header, f"{{{WSA}}}RelatesTo").text = message
    body = etree.SubElement(made, f"{{{SOAP}}}Body")
    answer = etree.SubElement(body, f"{{{DUO}}}{operation}_Response", nsmap=_NAMES)
    told |= {"ontvangendeInstantie": told["verzendendeInstantie"], "verzendendeInstantie": "DUO"}
    for name in _HEAD:
        etree.SubElement(answer, f"{{{BASIS}}}{name}").text = told[name]
    etree.SubElement(answer, f"{{{BASIS}}}ontvangstBevestiging").text = "J"
    written: bytes = etree.tostring(made, encoding="UTF-8", xml_declaration=True)
    return written


def _fault(why: str) -> Response:
    made = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP})
    fault = etree.SubElement(etree.SubElement(made, f"{{{SOAP}}}Body"), f"{{{SOAP}}}Fault")
    etree.SubElement(fault, "faultcode").text = "s:Client"
    etree.SubElement(fault, "faultstring").text = why
    return Response(etree.tostring(made, encoding="UTF-8", xml_declaration=True), 500, media_type=_TEXT)


async def _participants(request: Request) -> Response:
    try:
        listed: Any = msgspec.json.decode(await request.body())
        people = listed["deelnemers"]
        taken = listed["profiel"] == "Eindtoetsdeelnemers" and bool(people)
        taken = taken and all(_is_participant(one) for one in people)
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        taken = False
    said = "De deelnemerslijst is ontvangen." if taken else "De inhoud van het bericht is ongeldig."
    return Response(msgspec.json.encode({"melding": said}), 202 if taken else 422, media_type=_JSON)


def _is_participant(one: dict[str, Any]) -> bool:
    required = _PERSON - {"voorvoegsel"}
    return required <= one.keys() <= _PERSON and 1 <= len(one["deelnemerref"]) <= 2
