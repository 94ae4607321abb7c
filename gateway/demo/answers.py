"""What the demo LVS answers to a question, as bytes that are prepared once.

Holds the meaning of the official parameters: which organisation (`orgMasterId`, or `orgId` with `orgIdType` and
`filterByOrgId`, by default false as in voortgezet onderwijs) and the optional filters. Leaves out HTTP (`lvs`),
credentials and faults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.demo.records import Held, Json, Records, employee_reference
from gateway.demo.school import MASTER, SITES, Employee, Pupil

_EVERYWHERE = frozenset(site.name for site in SITES)
_ORGANISATIONS = {pair: site.name for site in SITES for pair in site.ids}
Key = tuple[str, str]


class Unanswerable(Exception):
    """The question cannot be answered: an HTTP status and an Edu-V status message, nothing of the question."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(slots=True)
class Answers:
    """Looks up records and keeps every encoded answer."""

    records: Records
    _kept: dict[tuple[Any, ...], bytes] = field(default_factory=dict, init=False)
    _pupils: dict[Key, Pupil] = field(default_factory=dict, init=False)
    _employees: dict[Key, Employee] = field(default_factory=dict, init=False)
    _things: dict[Key, Json] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for pupil, record in self.records.students.items():
            self._pupils |= dict.fromkeys(keys_of(record), pupil)
        for held in self.records.assignments:
            if isinstance(held.about, Employee):
                self._employees |= dict.fromkeys(keys_of(employee_reference(held.about)), held.about)
        for kind, key, things in (
            ("enrollments", "enrollmentId", self.records.enrollments),
            ("assignments", "assignmentId", self.records.assignments),
            ("groups", "groupId", self.records.groups),
        ):
            self._things |= {(kind, held.record[key]): held.record for held in things}
        self._things |= {("schoolperiods", period["schoolPeriodId"]): period for period in self.records.periods}

    def pupil(self, reference: object) -> Pupil | None:
        """Whom a UserReference means; None when unknown, or when its ids are of several pupils."""
        found = {self._pupils.get(key) for key in keys_of(reference)}
        return found.pop() if len(found) == 1 else None

    # -- lists ---------------------------------------------------------------------------------------------

    def students(self, query: Mapping[str, str]) -> bytes:
        sites = _asked(query)
        wanted = _filters(query, schoolPeriodId="schoolPeriod", studyOfferingId="study", subjectOfferingId="subject")
        return self._keep(("students", sites, *wanted.items()), lambda: self._enrolled(sites, wanted))

    def _enrolled(self, sites: frozenset[str], wanted: Mapping[str, str]) -> list[Json]:
        """As a real LVS: alphabetical, and whoever was enrolled there this year, also who left since."""
        enrolled = {held.about for held in self.records.enrollments if _matches(held, sites, wanted)}
        return [record for pupil, record in self.records.students.items() if pupil in enrolled]

    def enrollments(self, query: Mapping[str, str]) -> bytes:
        sites, wanted = _asked(query), _enrollment_filters(query)
        return self._list("enrollments", self.records.enrollments, sites, wanted)

    def assignments(self, query: Mapping[str, str]) -> bytes:
        sites, wanted = _asked(query), _assignment_filters(query)
        return self._list("assignments", self.records.assignments, sites, wanted)

    def groups(self, query: Mapping[str, str]) -> bytes:
        sites, wanted = _asked(query), _filters(query, groupType="groupType", schoolPeriodId="schoolPeriod")
        offerings = _filters(query, studyOfferingId="study", subjectOfferingId="subject")
        key = ("groups", sites, *wanted.items(), *offerings.items())
        return self._keep(key, lambda: self._grouped(sites, wanted, offerings))

    def _grouped(self, sites: frozenset[str], wanted: Mapping[str, str], offerings: Mapping[str, str]) -> list[Json]:
        """A group is of an offering when one of its assignments, or one of its members' studies, is."""
        found = [held.record for held in self.records.groups if _matches(held, sites, wanted)]
        if subject := offerings.get("subject"):
            taught = {a.record["group"] for a in self.records.assignments if a.record.get("subject") == subject}
            found = [group for group in found if group["groupId"] in taught]
        if study := offerings.get("study"):
            members = {e.about for e in self.records.enrollments if e.record.get("study") == study}
            found = [group for group in found if any(self.pupil(s) in members for s in group["students"])]
        return found

    def periods(self, query: Mapping[str, str]) -> bytes:
        _asked(query)
        return self._keep(("schoolperiods",), lambda: list(self.records.periods))

    def _list(self, kind: str, things: Iterable[Held], sites: frozenset[str], wanted: Mapping[str, str]) -> bytes:
        key = (kind, sites, *wanted.items())
        return self._keep(key, lambda: [held.record for held in things if _matches(held, sites, wanted)])

    # -- one -----------------------------------------------------------------------------------------------

    def one(self, kind: str, thing: str, query: Mapping[str, str]) -> bytes:
        """A record by its id, at any location: `filterByOrgId` does not exist on these routes."""
        _asked(query)
        record = self._things.get((kind, thing))
        if record is None:
            raise Unanswerable(404, "NOT_FOUND")
        return self._keep(("one", kind, thing), lambda: record)

    def student(self, body: object) -> bytes:
        pupil = self._named(body)
        return self._keep(("student", pupil.number), lambda: [self.records.students[pupil]])

    def enrollments_of(self, body: object, query: Mapping[str, str]) -> bytes:
        pupil, wanted = self._named(body), _enrollment_filters(query)
        theirs = [held for held in self.records.enrollments if held.about is pupil]
        return self._list(f"enrollments/{pupil.number}", theirs, _EVERYWHERE, wanted)

    def assignments_of(self, body: object, query: Mapping[str, str]) -> bytes:
        reference = _member(_school_asked(body), "employee")
        found = {self._employees.get(key) for key in keys_of(reference)}
        employee = found.pop() if len(found) == 1 else None
        if employee is None:
            raise Unanswerable(404, "NOT_FOUND")
        theirs = [held for held in self.records.assignments if held.about is employee]
        return self._list(f"assignments/{employee.neppi}", theirs, _EVERYWHERE, _assignment_filters(query))

    def _named(self, body: object) -> Pupil:
        pupil = self.pupil(_member(_school_asked(body), "student"))
        if pupil is None:
            raise Unanswerable(404, "NOT_FOUND")
        return pupil

    def _keep(self, key: tuple[Any, ...], make: Callable[[], object]) -> bytes:
        if key not in self._kept:
            self._kept[key] = msgspec.json.encode(make())
        return self._kept[key]


def keys_of(reference: object) -> list[Key]:
    """The ids in a UserReference as (type, value)."""
    if not isinstance(reference, dict):
        return []
    master, typed = reference.get("userMasterIdentifier"), reference.get("userIds")
    keys = [("master", master)] if isinstance(master, str) else []
    items = [item for item in typed if isinstance(item, dict)] if isinstance(typed, list) else []
    return keys + [(str(i.get("userIdType")), i["userId"]) for i in items if isinstance(i.get("userId"), str)]


def knows_school(reference: object) -> bool:
    """Whether a SchoolReference in a body means this school."""
    if not isinstance(reference, dict):
        return False
    ids = reference.get("organisationIds")
    pairs = [
        (item.get("organisationIdType"), item.get("organisationId"))
        for item in (ids if isinstance(ids, list) else [])
        if isinstance(item, dict)
    ]
    known = [pair in _ORGANISATIONS for pair in pairs]
    return reference.get("organisationMasterIdentifier") == MASTER or (bool(known) and all(known))


def _school_asked(body: object) -> Json:
    if not isinstance(body, dict):
        raise Unanswerable(400, "BODY_MALFORMED")
    if not knows_school(body.get("school")):
        raise Unanswerable(404, "SCHOOL_NOT_FOUND")
    return body


def _member(body: Json, key: str) -> object:
    if not keys_of(body.get(key)):
        raise Unanswerable(400, "IDENTIFIER_MISSING")
    return body[key]


def _asked(query: Mapping[str, str]) -> frozenset[str]:
    """The locations that the organisation parameters mean."""
    filtered = query.get("filterByOrgId", "false")
    if filtered not in ("true", "false"):
        raise Unanswerable(400, "PARAMETER_INVALID")
    if "orgMasterId" in query:
        if filtered == "true":
            raise Unanswerable(400, "PARAMETER_COMBINATION")
        if query["orgMasterId"] != MASTER:
            raise Unanswerable(404, "SCHOOL_NOT_FOUND")
        return _EVERYWHERE
    if "orgId" not in query or "orgIdType" not in query:
        raise Unanswerable(400, "ORGANISATION_MISSING")
    site = _ORGANISATIONS.get((query["orgIdType"], query["orgId"]))
    if site is None:
        raise Unanswerable(404, "SCHOOL_NOT_FOUND")
    return frozenset({site}) if filtered == "true" else _EVERYWHERE


def _filters(query: Mapping[str, str], **fields: str) -> dict[str, str]:
    return {name: query[parameter] for parameter, name in fields.items() if parameter in query}


def _enrollment_filters(query: Mapping[str, str]) -> dict[str, str]:
    return _filters(
        query, enrollmentType="enrollmentType", schoolPeriodId="schoolPeriod", studyOfferingId="study",
        subjectOfferingId="subject",
    )  # fmt: skip


def _assignment_filters(query: Mapping[str, str]) -> dict[str, str]:
    return _filters(query, assignmentType="assignmentType", schoolPeriodId="schoolPeriod")


def _matches(held: Held, sites: frozenset[str], wanted: Mapping[str, str]) -> bool:
    return held.site in sites and all(held.record.get(name) == value for name, value in wanted.items())
