"""Who is where, read from UWLR 2.2: one message per location asks for all its pupils, their groups and the teachers.

A location is named by brincode and dependancecode (an id of the type `V_ID`), or by its schoolkey (`SCHOOLKEY`). An
answer without data says that there are none to give, not that nobody is at school: it is not learned. The year of
voortgezet onderwijs is that of its jaargroep (11 is 1).
A document of EDEXML is the same in a file. Leaves out what becomes of it (`roster`, `details`, `roster_file`), the
school's own header of a message (`adapters.lvs.upstream`).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from lxml import etree

from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.roster import Detail, Failure, RosterSource, Seen, whole
from gateway.core.days import school_year
from gateway.core.model import Enrolment, Person
from gateway.core.policy.terms import Location
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.xml.soap import opened
from gateway.transfer.ports import Observation, UpstreamAnswer, UpstreamFailed

SCHEMA = "uwlr-2-2"
_PATH, _ACTION = "/uwlr/leerlinggegevens", "HaalLeerlinggegevens"
_SPACE = "http://www.edustandaard.nl/leerresultaten/2/leerlinggegevens"
_VERSION = "2.2"
_CODES = ("brincode", "dependancecode", "schoolkey")
_BRIN = re.compile(r"([0-9]{2}[A-Z]{2})([0-9]{2})")
_PRIMARY, _SECONDARY = frozenset("12345678"), re.compile(r"1([1-6])")
_DAY = 10  # of a date the signs; a time zone may follow
_IN_FULL = ("bsn", "onderwijsnummer", "sofinummer")

Message = Callable[[str, str, str, bytes, Limits], Awaitable[UpstreamAnswer]]


class Uwlr:
    """roster.Dialect and roster.Details of UWLR."""

    def __init__(self, message: Message, limits: Limits) -> None:
        self._message = message
        self._limits = limits

    async def read(self, source: RosterSource, today: date) -> Mapping[str, Seen | Failure]:
        read = {one.name: await whole(self._asked(source.name, one, today)) for one in source.locations}
        told = {name: one for name, one in read.items() if isinstance(one, Document)}
        same = {name for name, one in told.items() for other in told.values() if one is not other and one.same(other)}
        return {
            name: one if not isinstance(one, Document) else "filter-ignored" if name in same else one.seen(name)
            for name, one in read.items()
        }

    async def details(self, source: RosterSource, location: Location, today: date) -> Sequence[Detail]:
        return (await self._asked(source.name, location, today)).details()

    async def _asked(self, source: str, location: Location, today: date) -> Document:
        """Raises UpstreamFailed and EnvelopeBroken."""
        school = school_of(location)
        answer = await self._message(source, _PATH, _ACTION, _request(school, today), self._limits)
        if answer.status != 200:
            raise UpstreamFailed("the LVS does not know this location")
        told = opened(answer.body)
        if told.tag != _name("leerlinggegevens_antwoord"):
            raise UpstreamFailed("the LVS refused")
        document = told.find(_name("leerlinggegevens"))
        if document is None:
            raise UpstreamFailed("the LVS gives no data of this location")
        return document_of(document, school)


def school_of(location: Location) -> Mapping[str, str]:
    """How a message names this location. Raises UpstreamFailed where it cannot."""
    ids = dict(sorted(location.ids))
    if (found := _BRIN.fullmatch(ids.get("V_ID", ""))) is not None:
        return {"brincode": found[1], "dependancecode": found[2]}
    if "SCHOOLKEY" in ids:
        return {"schoolkey": ids["SCHOOLKEY"]}
    raise UpstreamFailed("no id of this location by which it can be asked for")


def _request(school: Mapping[str, str], today: date) -> bytes:
    """In the order of the standard."""
    asked = etree.Element(_name("leerlinggegevens_verzoek"), nsmap={None: _SPACE})  # type: ignore[dict-item]  # lxml's stubs know no default namespace
    for name, text in {"schooljaar": school_year(today), **school, "xsdversie": _VERSION}.items():
        etree.SubElement(asked, _name(name)).text = text
    return bytes(etree.tostring(asked, encoding="UTF-8", xml_declaration=False))


# -- what is read of the answer: strict where it is read, blind for the rest ---------------------------------


@dataclass(frozen=True, slots=True)
class _Member:
    """A pupil or a teacher, and the groups that their record names."""

    element: etree._Element = field(repr=False)
    key: str = field(repr=False)
    groups: frozenset[str]

    def text(self, name: str) -> str | None:
        return (self.element.findtext(_path(name)) or "").strip() or None

    def day(self, name: str) -> date | None:
        """Raises EnvelopeBroken."""
        text = self.text(name)
        try:
            return date.fromisoformat(text[:_DAY]) if text else None
        except ValueError:
            raise EnvelopeBroken("a day that is none") from None


@dataclass(frozen=True, slots=True)
class Document:
    """One location, whole."""

    pupils: tuple[_Member, ...]
    teachers: tuple[_Member, ...]

    def same(self, other: Document) -> bool:
        """Whether the LVS gave the same pupils for two locations, so that learned they would be at both."""
        mine = {one.key for one in self.pupils}
        return bool(mine) and mine == {one.key for one in other.pupils}

    def seen(self, location: str) -> Seen:
        pupils = [
            Observation(Person.PUPIL, _ids(one, "las-key"), tuple(_stays(one, location)), one.groups)
            for one in self.pupils
        ]
        here = (Enrolment(location, None, date.min, None),)
        staff = [Observation(Person.STAFF, _ids(one, "neppi"), here, one.groups) for one in self.teachers]
        return Seen((*pupils, *staff))

    def details(self) -> list[Detail]:
        return [Detail(frozenset(_ids(one, "las-key").items()), _birth(one), _number(one)) for one in self.pupils]


def document_of(root: etree._Element, school: Mapping[str, str], *, named: bool = False) -> Document:
    """Raises UpstreamFailed for another school than was asked, EnvelopeBroken for a record that cannot be read.
    `named`: it must say whose it is; where it does, by what was asked by. A dependancecode that is left out is 00."""
    codes = {name: (root.findtext(_path(f"school/{name}")) or "").strip() for name in _CODES}
    said, told = {name: codes[name] for name in school}, any(codes.values())
    said |= {"dependancecode": said.get("dependancecode") or "00"} if told and "dependancecode" in school else {}
    if (told or named) and said != school:
        raise UpstreamFailed("the pupils of another school")
    pupils = _members(root, "leerlingen/leerling", ("groep", "samengestelde_groepen/samengestelde_groep"))
    teachers = _members(root, "leerkrachten/leerkracht", ("groepen/groep", "groepen/samengestelde_groep"))
    for one in pupils:
        _ = [*_stays(one, "")]  # what cannot be read is known before anything is learned
    return Document(pupils, teachers)


def _members(root: etree._Element, path: str, groups: Iterable[str]) -> tuple[_Member, ...]:
    found = []
    for one in root.iterfind(_path(path)):
        within = frozenset(key for at in groups for each in one.iterfind(_path(at)) if (key := _said(each, "key")))
        if not _said(one, "key"):
            raise EnvelopeBroken("a record without a key")
        found.append(_Member(one, _said(one, "key"), within))
    if len({one.key for one in found}) < len(found):
        raise EnvelopeBroken("one key of several")
    return tuple(found)


def _ids(one: _Member, kind: str) -> dict[str, str]:
    """A teacher has the kind of id that schemas/uwlr-2-2.yaml says, so that no teacher's number is a pupil's."""
    return {kind: one.key} | ({"eck-id": eck} if (eck := _said(one.element, "eckid")) else {})


def _said(element: etree._Element, name: str) -> str:
    """Without the blanks around it, which are no part of an id where records are looked up."""
    return str(element.get(name) or "").strip()


def _stays(one: _Member, location: str) -> Iterator[Enrolment]:
    """Where no begin is told it lies in the past."""
    begin, end = one.day("instroomdatum") or date.min, one.day("uitstroomdatum")
    if end is None or begin <= end:
        yield Enrolment(location, _year(one.text("jaargroep") or ""), begin, end)


def _year(group: str) -> int | None:
    secondary = _SECONDARY.fullmatch(group)
    return int(secondary[1]) if secondary else int(group) if group in _PRIMARY else None


def _birth(one: _Member) -> str | None:
    text = one.text("geboortedatum")
    return text[:_DAY] if text else None


def _number(one: _Member) -> str | None:
    return next((text for name in _IN_FULL if (text := one.text(name))), None)


def _path(path: str) -> str:
    """In the namespace of UWLR, and in none, as EDEXML has it."""
    return "/".join(f"{{*}}{step}" for step in path.split("/"))


def _name(name: str) -> str:
    return f"{{{_SPACE}}}{name}"
