"""Who is where, read from Somtoday Connect: the pupils of each vestiging with their plaatsingen, and its lesgroepen.

A vestiging is a location by its uuid (gateway.yaml: an id of the type `vestiging`). Only what holds now is asked, so
who left is not there; `leerlingnummer` is a number of the source that `numbers` names. Somtoday leaves out what it has
no permission for (veldpermissies) and keeps an empty list: without `plaatsingen` nobody's time here is known, and the
location is not learned. Employees are the docenten and mentoren of whoever is here.
Leaves out what becomes of it (`roster`, `details`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.roster import Detail, Failure, Fetch, RosterSource, Seen, all_pages, sheet, whole
from gateway.core.model import Enrolment, Person
from gateway.core.policy.terms import Location
from gateway.transfer.ports import Observation, UpstreamFailed
from gateway.transfer.seams import Sheet

SCHEMA = "somtoday"
LOCATION_TYPE = "vestiging"
_BASE = "/rest/v1/connect/vestiging"
_PAGE = 200  # records asked at once: the most that Somtoday gives
_KEY = "uuid"
_T = TypeVar("_T")


class Somtoday:
    """roster.Dialect and roster.Details of Somtoday Connect."""

    def __init__(self, fetch: Fetch, limits: Limits) -> None:
        self._fetch = fetch
        self._limits = limits

    async def read(self, source: RosterSource, _today: date) -> Mapping[str, Seen | Failure]:
        return {one.name: await whole(self._location(source, one)) for one in source.locations}

    async def details(self, source: RosterSource, location: Location, _today: date) -> Sequence[Detail]:
        return [
            Detail(frozenset(_ids(one, source.numbers).items()), one.birth, one.bsn)
            for vestiging in _vestigingen(location)
            for one in await self._pupils(source.name, vestiging)
        ]

    async def _location(self, source: RosterSource, location: Location) -> Seen:
        pupils: list[_Leerling] = []
        groups: list[_Lesgroep] = []
        for vestiging in _vestigingen(location):
            pupils += await self._pupils(source.name, vestiging)
            groups += await self._all(source.name, vestiging, "lesgroep/", "lesgroepen", _Lesgroep)
        return Seen(
            (*_pupils_seen(location.name, pupils, groups, source.numbers), *_staff(location.name, pupils, groups))
        )

    async def _pupils(self, source: str, vestiging: str) -> list[_Leerling]:
        found = await self._all(source, vestiging, "leerling", "leerlingen", _Leerling)
        if any(one.vestiging is not None and one.vestiging.uuid != vestiging for one in found):
            raise UpstreamFailed("the pupils of another vestiging")
        return found

    async def _all(self, source: str, vestiging: str, what: str, envelope: str, kind: type[_T]) -> list[_T]:
        async def page(at: int) -> Sheet:
            asked = urlencode({"amount": _PAGE, "offset": at})
            answer = await self._fetch(source, f"{_BASE}/{quote(vestiging, safe='')}/{what}", asked, self._limits)
            if answer.status != 200:
                raise UpstreamFailed("the LVS does not know this vestiging")
            return sheet(answer, envelope, _KEY)

        return await all_pages(page, kind)


def _vestigingen(location: Location) -> list[str]:
    """Raises UpstreamFailed where none is set."""
    found = sorted(value for kind, value in location.ids if kind == LOCATION_TYPE)
    if not found:
        raise UpstreamFailed("no id of this location by which it can be asked for")
    return found


# -- what is read of the answers: strict where it is read, blind for the rest --------------------------------


class _Reference(msgspec.Struct, frozen=True):
    uuid: str


class _Mentor(msgspec.Struct, frozen=True):
    medewerker_uuid: str

    def __repr__(self) -> str:
        return "<Mentor …>"


class _Plaatsing(msgspec.Struct, frozen=True):
    startdatum: date | None = None
    einddatum: date | None = None
    leerjaar: int | None = None
    stamgroep: _Reference | None = None
    mentoren: tuple[_Mentor, ...] = ()


class _Leerling(msgspec.Struct, frozen=True):
    uuid: str
    plaatsingen: tuple[_Plaatsing, ...]
    lesgroepen: tuple[_Reference, ...] = ()
    vestiging: _Reference | None = None
    eckid: str | None = None
    leerlingnummer: int | None = None
    birth: str | None = msgspec.field(default=None, name="geboortedatum")
    bsn: str | None = msgspec.field(default=None, name="BSN")

    def __repr__(self) -> str:
        return "<Leerling …>"


class _Lesgroep(msgspec.Struct, frozen=True):
    uuid: str
    leerlingen: tuple[_Reference, ...] = ()
    docenten: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "<Lesgroep …>"


# -- what the answers say about one person, pure ---------------------------------------------------------


def _pupils_seen(
    location: str, pupils: Iterable[_Leerling], groups: Iterable[_Lesgroep], numbers: str | None
) -> Iterator[Observation]:
    """A pupil at two vestigingen of one location is one."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    for group in groups:
        for one in group.leerlingen:
            named[one.uuid].add(group.uuid)
    together: defaultdict[str, list[_Leerling]] = defaultdict(list)
    for pupil in pupils:
        together[pupil.uuid].append(pupil)
    for uuid, records in together.items():
        stays = tuple(sorted({stay for one in records for stay in _stays(one, location)}, key=_order))
        within = named[uuid].union(*(_groups(one) for one in records))
        ids = {kind: value for one in records for kind, value in _ids(one, numbers).items()}
        yield Observation(Person.PUPIL, ids, stays, frozenset(within))


def _ids(pupil: _Leerling, numbers: str | None) -> dict[str, str]:
    found = {"las-key": pupil.uuid}
    if pupil.eckid:
        found["eck-id"] = pupil.eckid
    if numbers is not None and pupil.leerlingnummer is not None:
        found[f"las-key@{numbers}"] = str(pupil.leerlingnummer)
    return found


def _stays(pupil: _Leerling, location: str) -> Iterator[Enrolment]:
    """Both days are within, as ours. Where no begin is told it lies in the past."""
    for one in pupil.plaatsingen:
        begin = one.startdatum or date.min
        if one.einddatum is None or begin <= one.einddatum:
            yield Enrolment(location, one.leerjaar, begin, one.einddatum)


def _order(stay: Enrolment) -> tuple[date, date, int]:
    return stay.begin, stay.end or date.max, stay.year or 0


def _groups(pupil: _Leerling) -> set[str]:
    """A stamgroep is a group as a lesgroep is."""
    classes = {one.stamgroep.uuid for one in pupil.plaatsingen if one.stamgroep is not None}
    return classes | {one.uuid for one in pupil.lesgroepen}


def _staff(location: str, pupils: Iterable[_Leerling], groups: Iterable[_Lesgroep]) -> Iterator[Observation]:
    """Since when somebody works here Somtoday does not say."""
    taught: defaultdict[str, set[str]] = defaultdict(set)
    for group in groups:
        for who in group.docenten:
            taught[who].add(group.uuid)
    for placing in (placing for pupil in pupils for placing in pupil.plaatsingen):
        for mentor in placing.mentoren:
            taught[mentor.medewerker_uuid] |= {placing.stamgroep.uuid} if placing.stamgroep else set()
    for who, theirs in taught.items():
        stay = Enrolment(location, None, date.min, None)
        yield Observation(Person.STAFF, {"las-key": who}, (stay,), frozenset(theirs))
