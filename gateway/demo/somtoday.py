"""The same school as Somtoday Connect gives it: pupils with their plaatsingen, and lesgroepen, page by page.

A uuid is this format's own; the number by which the administration knows somebody is `leerlingnummer`. Phone numbers,
accounts and remarks are what a real LVS has and nobody should get. Leaves out credentials (`lvs`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.demo.records import Json
from gateway.demo.school import SITES, Employee, Group, Pupil, School, Site, groups_of

BASE = "/rest/v1/connect"
MOST = 200  # records of one page, as Somtoday says
_NAMESPACE = uuid.UUID("b3f1a1de-7a54-4b2c-8a53-0f6f0a0f7d21")  # any will do: it keeps these ids apart from others
_SEX = {"female": "VROUW", "male": "MAN"}


def somtoday_id(kind: str, of: object) -> str:
    """An id that says nothing, the same at every start."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{of}"))


@cache
def vestiging_id(site: Site) -> str:
    """By which a location is known here; it stands in gateway.yaml."""
    return somtoday_id("vestiging", site.name)


def leerling_id(pupil: Pupil) -> str:
    return somtoday_id("leerling", pupil.number)


def docent_id(teacher: Employee) -> str:
    return somtoday_id("medewerker", teacher.neppi)


class Unknown(Exception):
    """No such vestiging, pupil or lesgroep."""


@dataclass(slots=True)
class Somtoday:
    """Looks up records; every answer of a list is a page of it."""

    school: School = field(repr=False)
    _made: dict[tuple[str, str], list[Json]] = field(default_factory=dict, init=False, repr=False)

    def routes(self, guarded: Callable[[Callable[[Request], Response]], Any]) -> list[Route]:
        """`guarded` demands the token."""
        paths = ("leerling", "leerling/{id}", "lesgroep/", "lesgroep/{id}")
        place = f"{BASE}/vestiging/{{vestiging}}"
        listed = Route(f"{BASE}/vestiging", guarded(self._answering("")), methods=["GET"])
        return [
            listed, *(Route(f"{place}/{path}", guarded(self._answering(path)), methods=["GET"]) for path in paths)
        ]  # fmt: skip

    def _answering(self, path: str) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            try:
                found = self.answer(path, request.path_params, request.query_params)
            except Unknown:
                return Response(status_code=404)
            except (KeyError, ValueError):
                return Response(status_code=400)
            return Response(found, media_type="application/json")

        return answer

    def answer(self, path: str, named: Mapping[str, str], query: Mapping[str, str]) -> bytes:
        """Raises Unknown; KeyError and ValueError for a page that cannot be."""
        if not path:
            return msgspec.json.encode({"vestigingen": [_about(site) for site in SITES]})
        site = next((one for one in SITES if vestiging_id(one) == named["vestiging"]), None)
        if site is None:
            raise Unknown
        name = "leerlingen" if path.startswith("leerling") else "lesgroepen"
        records = self.records(name, site)
        if "id" in named:
            found = [one for one in records if one["uuid"] == named["id"]]
            if not found:
                raise Unknown
        else:
            amount, offset = int(query["amount"]), int(query.get("offset", "0"))
            if not (0 < amount <= MOST and offset >= 0):
                raise ValueError("no such page")
            found = records[offset : offset + amount]
        return msgspec.json.encode({name: found})

    # -- records -------------------------------------------------------------------------------------------------

    def records(self, name: str, site: Site) -> list[Json]:
        """All of this name at this vestiging."""
        return self._made.get((name, site.name)) or self._make(name, site)

    def _make(self, name: str, site: Site) -> list[Json]:
        if name == "lesgroepen":
            made = [self._group(one) for one in self.school.groups if one.site is site and one.subject and one.pupils]
        else:
            within = groups_of(one for one in self.school.groups if one.subject is not None)
            here = [one for one in self.school.pupils if one.stays[-1].site is site and not one.left]
            made = [self._pupil(one, within.get(one, [])) for one in here]
        self._made[name, site.name] = sorted(made, key=_by_id)
        return self._made[name, site.name]

    def _pupil(self, pupil: Pupil, mine: list[Group]) -> Json:
        site = pupil.stays[-1].site
        record: Json = {
            "uuid": leerling_id(pupil), "leerlingnummer": pupil.number, "roepnaam": pupil.name.given,
            "achternaam": pupil.name.family, "geslacht": _SEX.get(pupil.gender, "ONBEKEND"),
            "geboortedatum": pupil.birth.isoformat(), "mobielnummer": f"06-{pupil.number}", "BSN": pupil.bsn,
            "emailadres": f"l{pupil.number}@thuis.example", "gebruikersnaam": f"l{pupil.number}", "isActief": True,
            "adres": {"straat": "Dorpsstraat", "huisnummer": str(pupil.number % 90 + 1), "woonplaats": "Voorbeeldstad"},
            "verzorgers": [{"uuid": somtoday_id("verzorger", pupil.number), "volgnummer": 1}],
            "vestiging": _vestiging(site), "plaatsingen": [self._plaatsing(pupil)],
            "lesgroepen": [{"uuid": one.id, "naam": one.name, "vestiging": _vestiging(site)} for one in mine],
            "debiteurGegevens": {"iban": f"NL00DEMO0{pupil.number:09}", "tenaamstelling": pupil.name.full},
            "telefoonnummer_geheim": False, "adres_geheim": False,
        }  # fmt: skip
        record |= {"eckid": pupil.eck_id} if pupil.eck_id is not None else {}
        return record | ({"voorvoegsel": pupil.name.prefix} if pupil.name.prefix else {})

    def _plaatsing(self, pupil: Pupil) -> Json:
        mentor = {"medewerker_uuid": somtoday_id("medewerker", pupil.year), "toewijzing": "EersteMentorStamgroep"}
        return {
            "uuid": somtoday_id("plaatsing", pupil.number), "schooljaar": self.school.year.title.replace("-", "/"),
            "startdatum": pupil.stays[-1].begin.isoformat(), "einddatum": self.school.year.end.isoformat(),
            "leerjaar": pupil.year, "opleiding": {"uuid": somtoday_id("opleiding", pupil.level), "naam": pupil.level},
            "mentoren": [mentor], "opleidingskenmerken": ["extra tijd"] if pupil.number % 7 == 0 else [],
        }  # fmt: skip

    def _group(self, group: Group) -> Json:
        assert group.subject is not None
        members = [{"uuid": leerling_id(one), "vestiging": _vestiging(group.site)} for one in group.pupils]
        return {
            "uuid": group.id, "naam": group.name, "leerlingen": members, "vak": group.subject.code,
            "docenten": [docent_id(teacher) for _, teacher in group.teachers],
            "vaknaam": group.subject.code.capitalize(), "leerjaar": group.subject.year,
            "schooljaar": self.school.year.title.replace("-", "/"), "onderwijssoort": group.subject.level,
            "vestiging": _vestiging(group.site),
        }  # fmt: skip


def _about(site: Site) -> Json:
    (brin,) = (value for kind, value in site.ids if kind == "V_ID")
    named = [{"brinnr": brin, "digideliveryid": value} for kind, value in site.ids if kind == "DD_ID"]
    return _vestiging(site) | {"afkorting": site.name[0].upper(), "brins": [brin], "externalidentifiers": named}


def _vestiging(site: Site) -> Json:
    return {"uuid": vestiging_id(site), "naam": site.title}


def _by_id(record: Json) -> str:
    return str(record["uuid"])
