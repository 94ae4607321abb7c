"""Schemas, deliveries and pupils for the tests of projection and formats, made in Python.

The records follow the names of Edu-V, which are facts; the pupils are made up from numbers. Leaves out: policy
files (`tests/policy`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from gateway.core.gate.question import Audience
from gateway.core.model import (
    Category,
    Enrolment,
    FieldClass,
    Ground,
    KeyVersion,
    Person,
    PseudonymMethod,
    RecipientKind,
    Subject,
    Transform,
)
from gateway.core.policy.schema import Branch, Leaf, LeafType, Many, Node, Record, SubjectPosition, TypedIds
from gateway.core.policy.terms import Delivery, Grant, Grondslag, Rows
from gateway.core.release import pseudonym
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.sight import Issued, Sight
from gateway.formats.json import JsonMinimiser
from tests.simulators.facts import SimulatedFacts

TODAY = date(2026, 11, 22)
KEY = bytes(range(32))
ID_KINDS = {"ASI": "las-key", "NEPRI": "nepri", "NEPPI": "neppi", "BPI": "bpi", "eduID": "eduid"}
USER_IDS = TypedIds("userIds", "userId", "userIdType", ID_KINDS, "ASI")
FIRST_KEY = KeyVersion(1, datetime(2026, 8, 1, tzinfo=UTC))
MOMENT = "2000-01-01T00:00:00Z"


def leaf(
    category: Category = Category.ORGANISATION,
    kind: LeafType = "string",
    *,
    required: bool = False,
    maps: str | None = None,
    form: str | None = None,
    values: tuple[str, ...] = (),
) -> Leaf:
    return Leaf(kind, category, FieldClass.ORDINARY, required, maps, form, values)


def position(at: str = "", person: Person = Person.PUPIL, *, item: bool = False) -> SubjectPosition:
    return SubjectPosition(at, person, "item" if item else "record", "userMasterIdentifier", USER_IDS)


def id_fields(category: Category = Category.PUPIL_NUMBER) -> dict[str, Node]:
    entry = Branch({"userId": leaf(category, required=True), "userIdType": leaf(category, required=True)})
    return {"userMasterIdentifier": leaf(category), "userIds": Many(entry)}


def moments() -> dict[str, Node]:
    return {
        "status": leaf(required=True, values=("active", "tobedeleted")),
        "dateCreated": leaf(required=True, form="date-time"),
        "dateLastModified": leaf(required=True, form="date-time"),
    }


def student() -> Record:
    address: dict[str, Node] = {
        "street": leaf(Category.ADDRESS, required=True),
        "houseNumber": leaf(Category.ADDRESS, "integer", required=True),
        "houseNumberSuffix": leaf(Category.ADDRESS),
        "zipCode": leaf(Category.ADDRESS, required=True),
        "city": leaf(Category.ADDRESS, required=True),
        "countryCode": leaf(Category.ADDRESS),
        "country": leaf(Category.ADDRESS, required=True),
    }
    testing_time: dict[str, Node] = {
        "time-multiplier": leaf(Category.SUPPORT, "number"),
        "fixed-minutes": leaf(Category.SUPPORT, "integer"),
        "unlimited": leaf(Category.SUPPORT),
    }
    fields: dict[str, Node] = {
        **id_fields(),
        "givenName": leaf(Category.NAME, required=True),
        "preferredFirstName": leaf(Category.NAME),
        "familyName": leaf(Category.NAME, required=True),
        "familyNamePrefix": leaf(Category.NAME),
        "dateOfBirth": leaf(Category.BIRTH_DATE, form="date"),
        "gender": leaf(Category.SEX, values=("female", "male", "other", "unspecified")),
        "email": leaf(Category.SCHOOL_EMAIL),
        "language": leaf(Category.NATIONALITY),
        "accessibility": Many(Branch({"additionalTestingTime": Branch(testing_time)})),
        "address": Branch(address),
        "emailPrivate": leaf(Category.PRIVATE_EMAIL),
        "emailsParents": Many(leaf(Category.GUARDIANS)),
        **moments(),
    }
    return Record("Student", Branch(fields), (position(),))


def enrollment() -> Record:
    fields: dict[str, Node] = {
        "enrollmentId": leaf(required=True, form="uuid", maps="enrolment"),
        "student": Branch(id_fields(), required=True),
        "enrollmentType": leaf(required=True, values=("study", "subject")),
        "study": leaf(form="uuid", maps="study-offering"),
        "studyPublicId": leaf(form="uuid"),
        "studyYear": leaf(kind="integer"),
        "location": Branch({"locationMasterIdentifier": leaf(), "name": leaf(required=True)}),
        "subject": leaf(form="uuid", maps="subject-offering"),
        "schoolPeriod": leaf(required=True),
        "beginDate": leaf(required=True, form="date"),
        "endDate": leaf(form="date"),
        **moments(),
    }
    return Record("Enrollment", Branch(fields), (position("student"),), "enrollmentId")


def assignment() -> Record:
    fields: dict[str, Node] = {
        "assignmentId": leaf(Category.STAFF, required=True, maps="assignment"),
        "employee": Branch(id_fields(Category.STAFF), required=True),
        "assignmentType": leaf(Category.STAFF, required=True, values=("class-teacher", "teacher", "coach")),
        "group": leaf(maps="group"),
        "subject": leaf(maps="subject-offering"),
        "student": Branch(id_fields()),
        "schoolPeriod": leaf(required=True),
        "beginDate": leaf(Category.STAFF, required=True, form="date"),
        **moments(),
    }
    people = (position("employee", Person.STAFF), position("student"))
    return Record("Assignment", Branch(fields), people, "assignmentId")


def group() -> Record:
    fields: dict[str, Node] = {
        "groupId": leaf(required=True, maps="group"),
        "groupName": leaf(required=True),
        "groupType": leaf(required=True, values=("class", "lesson-group")),
        "students": Many(Branch(id_fields()), required=True),
        "assignments": Many(leaf(Category.STAFF, maps="assignment"), required=True),
        "schoolPeriod": leaf(required=True),
        "beginDate": leaf(required=True, form="date"),
        **moments(),
    }
    return Record("Group", Branch(fields), (position("students", item=True),), "groupId")


def period() -> Record:
    fields: dict[str, Node] = {
        "schoolPeriodId": leaf(required=True),
        "title": leaf(required=True),
        "subSchoolPeriods": Many(leaf()),
        "startDate": leaf(required=True, form="date"),
    }
    return Record("SchoolPeriod", Branch(fields))


# -- grants --------------------------------------------------------------------------------------------------

Granted = Mapping[str, Grant]


def keep(*paths: str) -> dict[str, Grant]:
    return {path: Grant(path, "needed") for path in paths}


def fixed(**values: str | float | bool) -> dict[str, Grant]:
    return {path: Grant(path, "the format asks it", Transform.FIXED, value) for path, value in values.items()}


def changed(transform: Transform, *paths: str) -> dict[str, Grant]:
    return {path: Grant(path, "needed", transform) for path in paths}


def own_slot(at: str = "") -> dict[str, Grant]:
    prefix = f"{at}." if at else ""
    value, kind = f"{prefix}userIds.userId", f"{prefix}userIds.userIdType"
    return {**changed(Transform.PSEUDONYM, value), **keep(kind)}


def fillers() -> dict[str, Grant]:
    return fixed(status="active", dateCreated=MOMENT, dateLastModified=MOMENT)


def student_grants() -> dict[str, Grant]:
    return {**own_slot(), **fixed(givenName="-", familyName="-"), **fillers()}


def enrollment_grants() -> dict[str, Grant]:
    names = "enrollmentId", "enrollmentType", "study", "studyYear", "subject", "schoolPeriod", "beginDate"
    return {**own_slot("student"), **keep(*names), **fillers()}


def group_grants() -> dict[str, Grant]:
    names = "groupId", "groupName", "groupType", "assignments", "schoolPeriod", "beginDate"
    return {**own_slot("students"), **keep(*names), **fillers()}


def assignment_grants() -> dict[str, Grant]:
    names = "assignmentId", "assignmentType", "group", "subject", "schoolPeriod", "beginDate"
    return {**own_slot("employee"), **own_slot("student"), **keep(*names), **fillers()}


# -- people --------------------------------------------------------------------------------------------------


def pupil(
    number: int, *, year: int | None = 1, location: str = "noord", person: Person = Person.PUPIL, eck: bool = True
) -> Subject:
    ids = {"las-key": f"las-{number}", "nepri": f"nepri-{number}"}
    if eck:
        ids["eck-id"] = f"https://ketenid.example/{number:032x}"
    internal = number.to_bytes(16, "big")
    return Subject(internal, person, internal[::-1], ids, (Enrolment(location, year, date(2026, 8, 1), None),))


@dataclass(slots=True)
class Roster:
    """Keeps the promise of `core.release.sight.People`."""

    people: dict[tuple[str, str], Subject] = field(default_factory=dict)

    @classmethod
    def of(cls, subjects: Iterable[Subject]) -> Roster:
        return cls({(kind, value): one for one in subjects for kind, value in one.ids.items()})

    def by_id(self, internal: bytes) -> Subject | None:
        return next((one for one in self.people.values() if one.id == internal), None)

    def unsure(self, internal: bytes) -> bool:
        return False

    def digest(self, number: str) -> bytes:
        return b"digest of " + number.encode()

    def find(self, kind: str, value: str) -> Subject | None:
        known = self.people.get((kind, value))
        if known is not None or kind != "bsn":
            return known
        return next((one for one in self.people.values() if self.digest(value) in one.numbers), None)

    def members(self, group: str) -> Iterable[Subject]:
        return {one.id: one for one in self.people.values() if group in one.groups}.values()


@dataclass(frozen=True, slots=True)
class Keys:
    """Keeps the promise of `core.release.sight.Keys`."""

    current: KeyVersion = FIRST_KEY

    def domain_key(self, domain: str, version: int) -> bytes:
        return pseudonym.domain_key(KEY + bytes([version]), domain)


def delivery(
    grants: Mapping[str, Granted],
    *,
    method: PseudonymMethod = PseudonymMethod.HMAC,
    ground: Ground = Ground.PUBLIC_TASK,
    years: frozenset[int] | None = None,
    domain: str = "uitgever",
) -> Delivery:
    return Delivery(
        recipient="uitgever",
        purpose="toegang",
        schema="edu-v",
        grondslag=Grondslag(ground, "WPO"),
        necessity=None,
        locations=frozenset({"noord"}),
        rows=Rows(years),
        until=date(2027, 7, 31),
        pseudonym=method,
        domain=domain,
        channel="api",
        absence="",
        grants=grants,
    )


def compiled(record: Record, grants: Granted, method: PseudonymMethod = PseudonymMethod.HMAC) -> JsonMinimiser:
    return JsonMinimiser(compile_projection(record, grants, method))


def sight(
    terms: Delivery,
    people: Iterable[Subject] = (),
    *,
    facts: SimulatedFacts | None = None,
    today: date = TODAY,
    issued: Issued | None = None,
    records: Iterable[Record] = (),
    owners: Mapping[str, bytes] | None = None,
) -> Sight:
    """`owners`: by mapped id."""
    book, audience, known = facts or SimulatedFacts(), Audience(RecipientKind.PUBLISHER), owners or {}
    return Sight(
        terms, "lvs", Roster.of(people), book, Keys(), today, issued,
        audience=audience, records=records, owners=lambda _, mapped: known.get(mapped),
    )  # fmt: skip


@dataclass(slots=True)
class Bench:
    """One record's minimiser with a sight on some people: what most tests need."""

    minimiser: JsonMinimiser
    sight: Sight

    def emission(self) -> Emission:
        return Emission(self.sight)


def bench(
    record: Record,
    grants: Granted,
    people: Iterable[Subject],
    *,
    method: PseudonymMethod = PseudonymMethod.HMAC,
    years: frozenset[int] | None = None,
    ground: Ground = Ground.PUBLIC_TASK,
    facts: SimulatedFacts | None = None,
) -> Bench:
    terms = delivery({record.name: grants}, method=method, years=years, ground=ground)
    return Bench(compiled(record, grants, method), sight(terms, people, facts=facts))


# -- records as the LVS sends them -----------------------------------------------------------------------------

Json = dict[str, Any]


def reference(one: Subject, *kinds: str, master: bool = True) -> Json:
    wire = {kind: name for name, kind in ID_KINDS.items()}
    chosen = kinds or ("las-key",)
    found: Json = {"userIds": [{"userId": one.ids[kind], "userIdType": wire[kind]} for kind in chosen]}
    if master and "eck-id" in one.ids:
        found["userMasterIdentifier"] = one.ids["eck-id"]
    return found


def student_json(one: Subject, **more: Any) -> Json:
    return {
        **reference(one),
        "givenName": "Fatima",
        "familyName": "de Vries",
        "dateOfBirth": "2012-03-04",
        "gender": "female",
        "status": "active",
        "dateCreated": "2024-08-01T10:00:00Z",
        "dateLastModified": "2024-08-01T10:00:00Z",
        **more,
    }


def enrollment_json(number: int, one: Subject, **more: Any) -> Json:
    return {
        "enrollmentId": f"00000000-0000-4000-8000-{number:012d}",
        "student": reference(one),
        "enrollmentType": "study",
        "study": "00000000-0000-4000-8000-00000000aaaa",
        "studyYear": 1,
        "schoolPeriod": "2026-2027",
        "beginDate": "2026-08-01",
        "status": "active",
        "dateCreated": "2024-08-01T10:00:00Z",
        "dateLastModified": "2024-08-01T10:00:00Z",
        **more,
    }


def group_json(number: int, people: Iterable[Subject], **more: Any) -> Json:
    return {
        "groupId": f"group-{number}",
        "groupName": f"1v{number}",
        "groupType": "class",
        "students": [reference(one) for one in people],
        "assignments": [f"assignment-{number}"],
        "schoolPeriod": "2026-2027",
        "beginDate": "2026-08-01",
        "status": "active",
        "dateCreated": "2024-08-01T10:00:00Z",
        "dateLastModified": "2024-08-01T10:00:00Z",
        **more,
    }


def assignment_json(number: int, employee: Subject, student: Subject | None = None, **more: Any) -> Json:
    found: Json = {
        "assignmentId": f"assignment-{number}",
        "employee": reference(employee),
        "assignmentType": "coach" if student else "class-teacher",
        "group": "group-1",
        "schoolPeriod": "2026-2027",
        "beginDate": "2026-08-01",
        "status": "active",
        "dateCreated": "2024-08-01T10:00:00Z",
        "dateLastModified": "2024-08-01T10:00:00Z",
        **more,
    }
    if student is not None:
        found["student"] = reference(student)
    return found
