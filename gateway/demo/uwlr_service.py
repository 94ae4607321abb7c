"""UWLR 2.2 as the demo LVS serves it: four operations that read, and BrengLeerresultaten, in messages of SOAP 1.1.

Whoever calls is known by the authorisation in the header of the message. Leaves out what stands in an answer (`uwlr`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.core.release.minimised import EnvelopeBroken
from gateway.demo.school import SITES, Site
from gateway.demo.uwlr import UWLR, Documents
from gateway.formats.xml.soap import authorisation, enveloped, fault, opened

RESULTS = "http://www.edustandaard.nl/leerresultaten/2/leerresultaten"
LAST = "2024-2025"  # the list of school years in the published XSD ends here: a client that validates asks no later one
CODE = "gateway"  # the klantcode by which this LVS knows the gateway
_ANSWERS = {
    "leerlinggegevens_verzoek": (
        "HaalLeerlinggegevens", "leerlinggegevens", ("groepen", "leerlingen", "leerkrachten"),
    ),
    "structuur_verzoek": (f"{UWLR}/structuur_verzoek", "leerlinggegevens-structuur", ("groepen",)),
    "leerlingen_verzoek": (f"{UWLR}/leerlingen_verzoek", "leerlinggegevens-leerlingen", ("leerlingen",)),
    "leerkrachten_verzoek": (f"{UWLR}/leerkrachten_verzoek", "leerlinggegevens-leerkrachten", ("leerkrachten",)),
}  # fmt: skip


@dataclass(slots=True)
class UwlrService:
    """`knows`: whether a pupil has this number; `results`: where what arrives is kept."""

    documents: Documents
    secret: str = field(repr=False)
    knows: Callable[[str], bool]
    results: dict[str, dict[str, Any]] = field(repr=False)

    def routes(self) -> list[Route]:
        return [
            Route("/uwlr/leerlinggegevens", self._read, methods=["POST"]),
            Route("/uwlr/leerresultaten", self._bring, methods=["POST"]),
        ]

    async def _read(self, request: Request) -> Response:
        content = await self._opened(request)
        if isinstance(content, Response):
            return content
        name = etree.QName(content).localname
        action, element, parts = _ANSWERS.get(name, ("", "", ()))
        site = _site(content, UWLR)
        if not parts or request.headers.get("soapaction", "").strip('"') != action or site is None:
            return _fault("Client", "BERICHT_ONBEKEND")
        keys = {str(one.get("key")) for one in content.iterfind(f"{{{UWLR}}}groepen/*")} or None
        held = _year(content) in (self.documents.year, LAST)  # of other years it has nothing
        found = self.documents.uwlr(site, element, parts, keys) if held else None
        inner = found if found is not None else b"<geengegevens/>"
        tag = name.replace("_verzoek", "_antwoord").encode()
        return _message(b'<%s xmlns="%s">%s</%s>' % (tag, UWLR.encode(), inner, tag))

    async def _bring(self, request: Request) -> Response:
        """All of a message, or nothing of it."""
        content = await self._opened(request)
        if isinstance(content, Response):
            return content
        if etree.QName(content).localname != "leerresultaten_verzoek" or _site(content, RESULTS) is None:
            return _fault("Client", "BERICHT_ONBEKEND")
        taken = [*content.iterfind(f"{{{RESULTS}}}toetsafnames/{{{RESULTS}}}toetsafname")]
        pupils = [(one.findtext(f"{{{RESULTS}}}leerlingid") or "", one) for one in taken]
        if not pupils or not all(self.knows(number) for number, _ in pupils):
            return _fault("Client", "LEERLING_ONBEKEND")
        for number, one in pupils:
            for result in one.iter(f"{{{RESULTS}}}resultaat"):
                self._keep(number, result)
        return _message(f'<leerresultaten_bevestiging xmlns="{RESULTS}"/>'.encode())

    def _keep(self, number: str, result: etree._Element) -> None:
        key = str(result.get("key"))
        times = self.results.get(key, {}).get("times", 0) + 1
        statement = {etree.QName(one).localname: one.text for one in result}
        self.results[key] = {"id": key, "pupil": number, "times": times, "statement": statement}

    async def _opened(self, request: Request) -> etree._Element | Response:
        """What stands in a message of somebody who may send it."""
        body = await request.body()
        known = authorisation(body)
        try:
            content = opened(body)
        except EnvelopeBroken:
            return _fault("Client", "BERICHT_ONLEESBAAR")
        if known is None or known.code != CODE or not hmac.compare_digest(known.key, self.secret):
            return _fault("Client", "NIET_GEAUTORISEERD")
        return content


def _site(content: etree._Element, space: str) -> Site | None:
    """The school that a message names; a dependancecode that is left out is 00."""
    found = content.find(f"{{{space}}}school")
    within = content if found is None else found
    brin, part = (within.findtext(f"{{{space}}}{name}") for name in ("brincode", "dependancecode"))
    return next((site for site in SITES if ("V_ID", f"{brin}{part or '00'}") in site.ids), None)


def _year(content: etree._Element) -> str | None:
    return content.findtext(f"{{{UWLR}}}schooljaar")


def _message(content: bytes) -> Response:
    return Response(enveloped(content), media_type="text/xml")


def _fault(code: str, word: str) -> Response:
    return Response(fault(code, word, word.lower()), status_code=500, media_type="text/xml")
