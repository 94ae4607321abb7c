"""Who is where, read from Edu-V's Association API: enrollments, groups and assignments per location.

Holds what they say about one person. Leaves out what becomes of it (`roster`), and what else Edu-V tells of pupils
(`details`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, TypeVar
from urllib.parse import urlencode

import msgspec

from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.roster import Failure, Fetch, Ids, RosterSource, Seen, connected, whole
from gateway.core.model import Enrolment, Person
from gateway.core.policy.terms import Location
from gateway.transfer.listing import KINDS
from gateway.transfer.ports import Observation, UpstreamFailed

# Edu-V Association 1.1.0, UserReference: which types of id pupils and employees can have. An employee has no ASI
# and no NEPRI, so that an employee's number can never be taken for a pupil's.
_PUPIL_KINDS = {"ASI": "las-key", "NEPRI": "nepri", "NEPPI": "neppi", "BPI": "bpi", "eduID": "eduid"}
_STAFF_KINDS = {"NEPPI": "neppi", "BPI": "bpi", "eduID": "eduid", "eckId": "eck-id"}
# The most particular kind of organisation id first: an OIE_CODE is of a whole school.
SCHEMA = "edu-v-association"

_T = TypeVar("_T")


class Association:
    """roster.Dialect of Edu-V's Association API."""

    def __init__(self, fetch: Fetch, limits: Limits) -> None:
        self._fetch = fetch
        self._limits = limits

    async def read(self, source: RosterSource, today: date) -> Mapping[str, Seen | Failure]:
        read = {location.name: await whole(self._lists(source, location)) for location in source.locations}
        overlapping = _overlapping({key: one for key, one in read.items() if isinstance(one, _Answers)})
        told: dict[str, Seen | Failure] = {}
        for location, answers in read.items():
            if isinstance(answers, _Answers):
                told[location] = "filter-ignored" if location in overlapping else observe(location, answers, today)
            else:
                told[location] = answers
        return told

    async def _lists(self, source: RosterSource, location: Location) -> _Answers:
        return _Answers(
            await read_list(self._fetch, source, location, "enrollments", list[_Enrollment], self._limits),
            await read_list(self._fetch, source, location, "groups", list[_Group], self._limits),
            await read_list(self._fetch, source, location, "assignments", list[_Assignment], self._limits),
        )


async def read_list(
    fetch: Fetch, source: RosterSource, location: Location, what: str, kind: type[_T], limits: Limits
) -> _T:
    """One list of this location alone."""
    answer = await fetch(source.name, f"/{what}/school", organisation_query(location), limits)
    if answer.status != 200:
        raise UpstreamFailed("the LVS does not know this location")
    return msgspec.json.decode(answer.body, type=kind)


def organisation_query(location: Location) -> str:
    """The parameters that ask for this location alone; ids of other kinds (a routeringskenmerk) are for other formats.
    Raises UpstreamFailed where none of Edu-V's is set."""
    known = [(KINDS.index(kind), value, kind) for kind, value in location.ids if kind in KINDS]
    if not known:
        raise UpstreamFailed("no id of this location by which it can be asked for")
    _, value, kind = min(known)
    return urlencode({"orgId": value, "orgIdType": kind, "filterByOrgId": "true"})


# -- what is read of the answers: strict where it is read, blind for the rest --------------------------------


class _Id(msgspec.Struct, frozen=True, rename="camel"):
    user_id: str
    user_id_type: str


class Reference(msgspec.Struct, frozen=True, rename="camel"):
    """Edu-V's UserReference: how a record says whom it is about."""

    user_master_identifier: str | None = None
    user_ids: tuple[_Id, ...] | None = ()


class _Enrollment(msgspec.Struct, frozen=True, rename="camel"):
    enrollment_id: str
    student: Reference
    enrollment_type: Literal["study", "subject"]
    begin_date: date
    status: Literal["active", "tobedeleted"]
    study_year: int | None = None
    end_date: date | None = None


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    group_id: str
    students: tuple[Reference, ...]
    status: Literal["active", "tobedeleted"]
    end_date: date | None = None


class _Assignment(msgspec.Struct, frozen=True, rename="camel"):
    employee: Reference
    begin_date: date
    status: Literal["active", "tobedeleted"]
    group: str | None = None
    end_date: date | None = None


@dataclass(frozen=True, slots=True)
class _Answers:
    """One location's three lists."""

    enrollments: list[_Enrollment] = field(repr=False)
    groups: list[_Group] = field(repr=False)
    assignments: list[_Assignment] = field(repr=False)


def _overlapping(read: Mapping[str, _Answers]) -> set[str]:
    """Locations that share an enrollment: the LVS does not honour `filterByOrgId`, which Edu-V leaves to the
    asker to verify; learned, every pupil would be at every location."""
    of = defaultdict(set)
    for location, answers in read.items():
        for enrollment in answers.enrollments:
            of[enrollment.enrollment_id].add(location)
    return {location for locations in of.values() if len(locations) > 1 for location in locations}


# -- what the answers say about one person, pure ---------------------------------------------------------


def observe(location: str, answers: _Answers, today: date) -> Seen:
    """Everybody whom this location's answers show, and how many could not be told apart."""
    pupils, staff = _People(Person.PUPIL), _People(Person.STAFF)
    for enrollment in answers.enrollments:
        if enrollment.status == "active":
            stay = _stay(location, enrollment.study_year, enrollment.begin_date, enrollment.end_date)
            pupils.seen(pupil_ids(enrollment.student), stay, decides=enrollment.enrollment_type == "study")
    for group in answers.groups:
        # A group's end is exclusive, as every end in Edu-V: on that day it has no members.
        if group.status == "active" and (group.end_date is None or today < group.end_date):
            for student in group.students:
                pupils.member(pupil_ids(student), group.group_id)
    for assignment in answers.assignments:
        if assignment.status == "active":
            ids = _staff_ids(assignment.employee)
            staff.seen(ids, _stay(location, None, assignment.begin_date, assignment.end_date), decides=True)
            if assignment.group is not None:
                staff.member(ids, assignment.group)
    told = (*pupils.told(), *staff.told())
    return Seen(tuple(one for one in told if one is not None), sum(one is None for one in told))


def _stay(location: str, year: int | None, begin: date, end: date | None) -> Enrolment | None:
    """Edu-V's end is exclusive, ours is the last day; what ended before it began never was."""
    if end is None:
        return Enrolment(location, year, begin, None)
    # compared first: the first day there is, which some write for "none", has no day before it
    return Enrolment(location, year, begin, end - timedelta(days=1)) if begin < end else None


def pupil_ids(reference: Reference) -> Ids:
    master = reference.user_master_identifier
    return frozenset(_typed(reference, _PUPIL_KINDS)) | ({("eck-id", master)} if master else frozenset())


def _staff_ids(reference: Reference) -> Ids:
    return frozenset(_typed(reference, _STAFF_KINDS))


def _typed(reference: Reference, kinds: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for one in reference.user_ids or ():
        kind = kinds.get(one.user_id_type)
        if kind is not None and one.user_id:
            yield kind, one.user_id


@dataclass(slots=True)
class _Seen:
    """What was seen under one exact set of ids. `decides`: enrolments into a study, which tell where a pupil is;
    those into a subject count only for a pupil who has none of the first."""

    decides: set[Enrolment] = field(default_factory=set)
    others: set[Enrolment] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)


class _People:
    """Sorts what was seen into persons: references that share an id are one person, as long as nobody gets two
    ids of one kind. Then an id was given to several: each is told as it stands there, and the book withholds them all;
    where one reference has two, nobody is told."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._seen: defaultdict[Ids, _Seen] = defaultdict(_Seen)

    def seen(self, ids: Ids, stay: Enrolment | None, *, decides: bool) -> None:
        if ids and stay is not None:
            seen = self._seen[ids]
            (seen.decides if decides else seen.others).add(stay)

    def member(self, ids: Ids, group: str) -> None:
        if ids:
            self._seen[ids].groups.add(group)

    def told(self) -> Iterator[Observation | None]:
        for together in connected(self._seen):
            if _of_one(frozenset().union(*together)):
                yield self._one(together)
            elif all(map(_of_one, together)):
                yield from (self._one([ids]) for ids in together)
            else:
                yield None

    def _one(self, together: Sequence[Ids]) -> Observation:
        ids = dict(frozenset[tuple[str, str]]().union(*together))
        seen = [self._seen[key] for key in together]
        stays = set().union(*(one.decides for one in seen)) or set().union(*(one.others for one in seen))
        order = sorted(stays, key=lambda stay: (stay.begin, stay.end or date.max, stay.year or 0))
        return Observation(self._person, ids, tuple(order), frozenset().union(*(one.groups for one in seen)))


def _of_one(ids: Ids) -> bool:
    return len(dict(ids)) == len(ids)
