"""Messages that the demo school's administration hands in to be pushed.

DUO's enrolment of one pupil; and the list of those who take the doorstroomtoets, with all that an administration knows
of them (the demo is a secondary school: its first-years play group 8); and the result of one of them, as the provider
brings it back. Leaves out: who receives (`receivers`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from lxml import etree

from gateway.demo.receivers import BASIS, DUO
from gateway.demo.school import NOORD, Pupil, School, Site

_MOST = 12
_NAMES: Any = {None: DUO, "basis": BASIS}
_OIN = "00000007000"


def oins(site: Site) -> tuple[str, str]:
    """The routeringskenmerken of a location: of the school, and of its administration."""
    school, place = site.ve_code[:4], site.ve_code[4:]
    return f"{_OIN}{school}{place}000", f"{_OIN}{school}{place}530"


def enrolment(school: School) -> bytes:
    """Valid by DUO's own description."""
    pupil = _pupils(school)[0]
    root = etree.Element(f"{{{DUO}}}aanleverenInschrijvingVO_Request", nsmap=_NAMES)
    began = pupil.stays[-1].begin.isoformat()
    _add(root, BASIS, identificatiecodeBedrijfsdocument=str(UUID(int=pupil.number, version=4)))
    _add(root, BASIS, verzendendeInstantie=NOORD.ve_code[:4], ontvangendeInstantie="DUO")
    _add(root, BASIS, datumTijdBedrijfsdocument=f"{school.today.isoformat()}T09:30:00Z")
    _add(root, BASIS, burgerservicenummer=pupil.bsn, brin=NOORD.ve_code[:4])
    _add(root, BASIS, inschrijvingvolgnummer="1", datumInschrijving=began)
    period = etree.SubElement(root, f"{{{DUO}}}inschrijvingPeriodeVO")
    _add(period, BASIS, datumBegin=began, opleidingcode="0011")
    _add(period, DUO, vestiging=NOORD.ve_code, leerjaar=str(pupil.year), indicatieBekostigbaar="true")
    plan = etree.SubElement(root, f"{{{DUO}}}ontwikkelingsperspectief")
    _add(plan, DUO, datumBegin=began)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return written


def participants(school: School) -> bytes:
    """The list, with names, birth days and numbers."""
    pupils = _pupils(school)[:_MOST]
    level = {"label": "Jaargroep", "niveau": "8"}
    group = {"label": "Stamgroep", "id": "groep-8a", "omschrijving": "8A", "niveau": level}
    return orjson.dumps(
        {
            "datumtijd": f"{school.today.isoformat()}T09:30:00Z",
            "auteur": "Demo-administratie",
            "versie": "Eindtoetsketen_v3",
            "profiel": "Eindtoetsdeelnemers",
            "schooljaar": f"{school.year.begin.year}-{school.year.begin.year + 1}",
            "deelnemersgroep": {
                "instellingscode": NOORD.ve_code[:4], "vestigingscode": NOORD.ve_code[4:], "administratienr": "00",
            },
            "groepen": [group],
            "deelnemers": [_participant(pupil, level) for pupil in pupils],
        },
        option=orjson.OPT_INDENT_2,
    )  # fmt: skip


def result(school: School) -> dict[str, Any]:
    """Of the first participant, under the ECK iD; with the address of a report, which stays outside."""
    pupil = next(one for one in _pupils(school) if one.eck_id)
    moment = f"{school.today.isoformat()}T09:30:00Z"
    return {
        "datumtijd": moment,
        "auteur": "Demo-toetsaanbieder",
        "versie": "Eindtoetsketen_v3",
        "profiel": "Leerlingeindtoetsresultaat",
        "schooljaar": f"{school.year.begin.year}-{school.year.begin.year + 1}",
        "resultatenscores": {
            "id": "demo-doorstroomtoets-1",
            "deelnemerref": [{"label": "ECK-iD", "onderwijsdeelnemerID": pupil.eck_id}],
            "versie": "Definitief",
            "toetsdefinitie": "0011",
            "afnamecontext": {"afname": {"id": "afname-1", "afnametijdstip": moment}},
            "scores": {"id": "scores-1", "scores": [{"label": "Eindtoetsscore", "id": "score-1", "waarde": "537"}]},
            "resultaten": {
                "aanvullendeinfo": "https://toets.example/leerlingrapport/1",
                "resultaten": [{"label": "Toetsadvies", "waarde": "vwo"}],
            },
        },
        "toets": {"label": "Eindtoets", "id": "0011", "naam": "Demotoets", "versie": "01"},
    }


def _participant(pupil: Pupil, level: dict[str, str]) -> dict[str, object]:
    ids = [{"label": "LAS-key", "onderwijsdeelnemerID": str(pupil.number)}]
    if pupil.eck_id:
        ids.insert(0, {"label": "ECK-iD", "onderwijsdeelnemerID": pupil.eck_id})
    return {
        "label": "Leerling",
        "deelnemerref": ids,
        "achternaam": pupil.name.family,
        "roepnaam": pupil.name.given,
        "groep": "groep-8a",
        "niveau": level,
        "extensie": {
            "label": "Demografisch",
            "voorletters": pupil.name.given[:1],
            "geboortedatum": pupil.birth.isoformat(),
            "geslacht": 9,
        },
        "bsn": pupil.bsn,
    }


def _pupils(school: School) -> list[Pupil]:
    """First-years who are at the first location all year."""
    return [one for one in school.pupils if one.year == 1 and not one.left and [s.site for s in one.stays] == [NOORD]]


def _add(within: etree._Element, space: str, **texts: str) -> None:
    for name, text in texts.items():
        etree.SubElement(within, f"{{{space}}}{name}").text = text
