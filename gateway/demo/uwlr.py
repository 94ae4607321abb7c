"""The same school as UWLR 2.2 and EDEXML 2.1: one document of school, groups, pupils and teachers.

Holds what a real administration sends and nobody should get: numbers, countries, postcodes, remarks. A class is a
`groep`, a lesson group a `samengestelde_groep`. Leaves out how it is served (`uwlr_service`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from random import Random
from typing import Any

from lxml import etree

from gateway.demo.invented import Invention
from gateway.demo.records import Json, Records
from gateway.demo.school import Employee, Group, Pupil, School, Site, groups_of

UWLR = "http://www.edustandaard.nl/leerresultaten/2/leerlinggegevens"
_SEX = {"male": "1", "female": "2"}


class Documents:
    """Of one school. `keys`: only these groups, and whoever is in them."""

    def __init__(self, school: School, held: Records) -> None:
        self._school = school
        self._held = held

    @property
    def year(self) -> str:
        """The school year of which all of it is."""
        return self._school.year.title

    def uwlr(self, site: Site, name: str, parts: Collection[str], keys: Collection[str] | None = None) -> bytes | None:
        """An element with these parts, in the namespace of UWLR; None where nobody is in it."""
        root = self._document(site, name, "2.2", parts, keys)
        people = [part for part in ("leerlingen", "leerkrachten") if part in parts]
        if people and all(root.find(part) is None for part in people):
            return None
        made = etree.Element(f"{{{UWLR}}}{name}", nsmap=_default(UWLR))
        for one in root.iter(etree.Element):
            one.tag = f"{{{UWLR}}}{one.tag}"
        made.extend(list(root))
        return bytes(etree.tostring(made, encoding="UTF-8", xml_declaration=False))

    def edexml(self, site: Site) -> bytes:
        """A whole file."""
        root = self._document(site, "EDEX", "2.1", ("groepen", "leerlingen", "leerkrachten"), None)
        return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True))

    def _document(
        self, site: Site, name: str, version: str, parts: Collection[str], keys: Collection[str] | None
    ) -> etree._Element:
        groups = [one for one in self._school.groups if one.site is site and (keys is None or one.id in keys)]
        known: tuple[tuple[str, Iterable[etree._Element]], ...] = (
            ("groepen", map(_group, groups)),
            ("leerlingen", self._pupils(site, groups, everybody=keys is None)),
            ("leerkrachten", self._teachers(groups)),
        )
        root = etree.Element(name)
        root.append(self._about(site, version))
        for part, made in known:
            found = [*made] if part in parts else []
            if found:
                etree.SubElement(root, part).extend(found)
        return root

    def _about(self, site: Site, version: str) -> etree._Element:
        year, part = self._school.year, next(value for kind, value in site.ids if kind == "V_ID")
        return _element(
            "school",
            ("schooljaar", year.title),
            ("brincode", part[:4]),
            ("dependancecode", part[4:]),
            ("aanmaakdatum", f"{self._school.today.isoformat()}T06:00:00"),
            ("auteur", "Administratie, mw. Roderhorst"),
            ("xsdversie", version),
            ("commentaar", "Nachtelijke uitwisseling; vragen aan mw. Roderhorst."),
        )

    def _pupils(self, site: Site, groups: list[Group], *, everybody: bool) -> Iterator[etree._Element]:
        within = groups_of(groups)
        for pupil in self._here(site):
            if everybody or pupil in within:
                yield self._pupil(pupil, self._held.students[pupil], within.get(pupil, []))

    def _here(self, site: Site) -> Iterator[Pupil]:
        return (one for one in self._school.pupils if not one.left and one.stays[-1].site is site)

    def _pupil(self, pupil: Pupil, record: Json, groups: list[Group]) -> etree._Element:
        name, draw = pupil.name, Invention(Random(f"{self._school.seed}/uwlr/{pupil.number}"))
        lessons = [one.id for one in groups if one.subject is not None]
        made = _element(
            "leerling",
            ("achternaam", name.family),
            *([("voorvoegsel", name.prefix)] if name.prefix else []),
            ("voorletters-1", name.given[0]),
            ("roepnaam", name.given),
            ("geboortedatum", pupil.birth.isoformat()),
            ("geslacht", _SEX.get(pupil.gender, "9")),
            ("jaargroep", f"1{pupil.year}"),
        )
        made.set("key", str(pupil.number))
        if pupil.eck_id is not None:
            made.set("eckid", pupil.eck_id)
        made.extend(_reference("groep", one.id) for one in groups if one.subject is None)
        if lessons:
            etree.SubElement(made, "samengestelde_groepen").extend(
                _reference("samengestelde_groep", o) for o in lessons
            )
        _add(made, ("gebruikersnaam", f"l{pupil.number}"), ("emailadres", record["email"]))
        _add(made, ("land", "NL"), ("land_vader", draw.random.choice(("NL", "MA", "TR"))), ("bsn", pupil.bsn))
        _add(made, ("postcodenl", record["address"]["zipCode"].replace(" ", "")))
        _add(made, ("instroomdatum", pupil.stays[-1].begin.isoformat()), ("mutatiedatum", record["dateLastModified"]))
        return made

    def _teachers(self, groups: list[Group]) -> Iterator[etree._Element]:
        taught: dict[Employee, list[Group]] = {}
        for group in groups:
            for _, employee in group.teachers:
                taught.setdefault(employee, []).append(group)
        for employee, theirs in taught.items():
            yield self._teacher(employee, theirs)

    def _teacher(self, employee: Employee, groups: list[Group]) -> etree._Element:
        name = Invention(Random(f"{self._school.seed}/uwlr/{employee.neppi}")).name("female")
        made = _element("leerkracht", ("achternaam", name.family), ("roepnaam", name.given))
        made.set("key", employee.neppi)
        if employee.eck_id is not None:
            made.set("eckid", employee.eck_id)
        _add(made, ("emailadres", f"{name.given.lower()}@voorbeeldschool.example"), ("rol", "LRK"))
        within = etree.SubElement(made, "groepen")
        within.extend(_reference("groep" if one.subject is None else "samengestelde_groep", one.id) for one in groups)
        return made


def _group(group: Group) -> etree._Element:
    tag = "groep" if group.subject is None else "samengestelde_groep"
    made = _element(tag, ("naam", group.name))
    made.set("key", group.id)
    if group.subject is None:
        _add(made, ("jaargroep", f"1{group.name[1]}"), ("omschrijving", f"Klas {group.name}"))
    return made


def _element(tag: str, *values: tuple[str, str]) -> etree._Element:
    made = etree.Element(tag)
    _add(made, *values)
    return made


def _add(made: etree._Element, *values: tuple[str, str]) -> None:
    for tag, text in values:
        etree.SubElement(made, tag).text = text


def _reference(tag: str, key: str) -> etree._Element:
    made = etree.Element(tag)
    made.set("key", key)
    return made


def _default(namespace: str) -> Any:
    return {None: namespace}
