"""Who is where, read from a source that speaks OneRoster 1.2: pupils and employees, in which classes.

Reads all users and enrolments page by page, in an order that holds. A school is a location by its `sourcedId`
(gateway.yaml: an id of that type); an answer that is not complete is not learned. Where the source's `identifier` is a
number of another source (`numbers` in gateway.yaml), it leads to the same pupil there. Guardians are not learned.
Leaves out what becomes of it (`roster`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, TypeVar
from urllib.parse import urlencode

import msgspec

from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.roster import Failure, Fetch, RosterSource, Seen, all_pages, sheet, whole
from gateway.core.model import Enrolment, Person
from gateway.core.policy.terms import Location
from gateway.transfer.ports import Observation, UpstreamFailed
from gateway.transfer.seams import Sheet

SCHEMA = "oneroster"
LOCATION_TYPE = "sourcedId"
_BASE = "/ims/oneroster/rostering/v1p2"
_PAGE = 1_000  # records asked at once; a source may give fewer
_KEY = "sourcedId"
_GUARDIANS = frozenset({"guardian", "parent", "relative"})
_T = TypeVar("_T")


class OneRoster:
    """roster.Dialect of OneRoster 1.2: every such source is read whole."""

    def __init__(self, fetch: Fetch, limits: Limits) -> None:
        self._fetch = fetch
        self._limits = limits

    async def read(self, source: RosterSource, today: date) -> Mapping[str, Seen | Failure]:
        read = await whole(self._lists(source.name))
        if not isinstance(read, _Answers):
            return {one.name: read for one in source.locations}
        return {one.name: _here(one, read, source.numbers, today) for one in source.locations}

    async def _lists(self, source: str) -> _Answers:
        return _Answers(await self._all(source, "users", _User), await self._all(source, "enrollments", _Enrollment))

    async def _all(self, source: str, what: str, kind: type[_T]) -> list[_T]:
        async def page(at: int) -> Sheet:
            asked = {"limit": _PAGE, "offset": at, "sort": _KEY, "orderBy": "asc"}
            answer = await self._fetch(source, f"{_BASE}/{what}", urlencode(asked), self._limits)
            if answer.status != 200:
                raise UpstreamFailed("the LVS has no such list")
            return sheet(answer, what, _KEY)

        return await all_pages(page, kind)


def _here(location: Location, answers: _Answers, numbers: str | None, today: date) -> Seen | Failure:
    schools = frozenset(value for kind, value in location.ids if kind == LOCATION_TYPE)
    if not schools:
        return "unusable"
    here = [one for one in answers.users if one.status == "active" and one.at(schools)]
    groups = answers.groups(schools, today)
    told = [_observed(one, location.name, schools, groups, numbers) for one in here]
    observations = [one for one in told if one is not None]
    guardians = sum(one.only_guards for one in here)
    return Seen(observations, len(here) - len(observations) - guardians)


# -- what is read of the answers: strict where it is read, blind for the rest --------------------------------


class _Reference(msgspec.Struct, frozen=True, rename="camel"):
    sourced_id: str


class _Role(msgspec.Struct, frozen=True, rename="camel"):
    role: str
    org: _Reference
    begin_date: date | None = None
    end_date: date | None = None


class _User(msgspec.Struct, frozen=True, rename="camel"):
    sourced_id: str
    status: Literal["active", "tobedeleted"]
    roles: tuple[_Role, ...]
    user_master_identifier: str | None = None
    identifier: str | None = None
    grades: tuple[str, ...] | None = ()

    def __repr__(self) -> str:
        return "<User …>"

    @property
    def only_guards(self) -> bool:
        return all(one.role in _GUARDIANS for one in self.roles)

    def at(self, schools: frozenset[str]) -> bool:
        return any(one.org.sourced_id in schools for one in self.roles)


class _Enrollment(msgspec.Struct, frozen=True, rename="camel"):
    status: Literal["active", "tobedeleted"]
    user: _Reference
    school: _Reference
    group: _Reference = msgspec.field(name="class")
    end_date: date | None = None

    def __repr__(self) -> str:
        return "<Enrollment …>"


@dataclass(frozen=True, slots=True)
class _Answers:
    """Both lists, whole."""

    users: list[_User] = field(repr=False)
    enrollments: list[_Enrollment] = field(repr=False)

    def groups(self, schools: frozenset[str], today: date) -> Mapping[str, set[str]]:
        """User → classes at these schools; an end is exclusive, as everywhere in OneRoster."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for one in self.enrollments:
            ended = one.end_date is not None and one.end_date <= today
            if one.status == "active" and one.school.sourced_id in schools and not ended:
                found[one.user.sourced_id].add(one.group.sourced_id)
        return found


def _observed(
    user: _User, location: str, schools: frozenset[str], groups: Mapping[str, set[str]], numbers: str | None
) -> Observation | None:
    """None for a guardian, and for who is a pupil and an employee at once."""
    roles = [one for one in user.roles if one.role not in _GUARDIANS]
    persons = {Person.PUPIL if one.role == "student" else Person.STAFF for one in roles}
    if len(persons) != 1:
        return None
    (person,) = persons
    year = _year(user.grades or ()) if person is Person.PUPIL else None
    stays = tuple(_stays((one for one in roles if one.org.sourced_id in schools), location, year))
    return Observation(person, _ids(user, person, numbers), stays, frozenset(groups.get(user.sourced_id, ())))


def _ids(user: _User, person: Person, numbers: str | None) -> dict[str, str]:
    found = {"las-key": user.sourced_id}
    if user.user_master_identifier:
        found["eck-id"] = user.user_master_identifier
    if numbers is not None and user.identifier and person is Person.PUPIL:
        found[f"las-key@{numbers}"] = user.identifier
    return found


def _stays(roles: Iterable[_Role], location: str, year: int | None) -> Iterable[Enrolment]:
    """Where no begin is told it lies in the past; what ended before it began never was."""
    for one in sorted(roles, key=lambda role: (role.begin_date or date.min, role.end_date or date.max)):
        begin = one.begin_date or date.min
        if one.end_date is None:
            yield Enrolment(location, year, begin, None)
        elif begin < one.end_date:
            yield Enrolment(location, year, begin, one.end_date - timedelta(days=1))


def _year(grades: Sequence[str]) -> int | None:
    return int(grades[0]) if len(grades) == 1 and grades[0].isascii() and grades[0].isdigit() else None
