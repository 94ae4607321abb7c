"""The same school as OneRoster 1.2 records: users, classes, enrolments and what stands around them.

A `sourcedId` is this format's own; the number by which the administration knows somebody stands in `identifier`.
`metadata`, passwords and profiles are what a real source sends and nobody should get. Leaves out how they are served
(`oneroster_api`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from gateway.demo.records import Json
from gateway.demo.school import SITES, Employee, Group, Pupil, School, Site, Subject

BASE = "/ims/oneroster/rostering/v1p2"
DISTRICT = "bestuur"
_NAMESPACE = uuid.UUID(
    "0d7f6c2a-53f1-4a5e-9a1b-6d2f6f0c9b11"
)  # any will do: it makes ids of one kind differ from others
_SEX = {"female": "female", "male": "male", "other": "other", "unspecified": "unspecified"}


def sourced_id(kind: str, of: object) -> str:
    """An id that says nothing, the same at every start."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{of}"))


def school_id(site: Site) -> str:
    """By which a location is known here; it stands in gateway.yaml."""
    return f"school-{site.name}"


@dataclass(frozen=True, slots=True)
class Roster:
    """All records by collection, each list in the order of its ids."""

    users: list[Json] = field(repr=False)
    classes: list[Json] = field(repr=False)
    courses: list[Json] = field(repr=False)
    enrollments: list[Json] = field(repr=False)
    demographics: list[Json] = field(repr=False)
    orgs: list[Json] = field(repr=False)
    sessions: list[Json] = field(repr=False)


def make_roster(school: School) -> Roster:
    staff = dict.fromkeys(teacher for group in school.groups for _, teacher in group.teachers)
    pupils = [_pupil(school, one) for one in school.pupils]
    return Roster(
        users=_sorted([*pupils, *(_employee(school, one) for one in staff)]),
        classes=_sorted([_class(school, group) for group in school.groups if group.pupils]),
        courses=_sorted([*(_course(school, one) for one in school.subjects.values()), _mentor(school)]),
        enrollments=_sorted(list(_enrollments(school))),
        demographics=_sorted([_demographics(school, one) for one in school.pupils]),
        orgs=_sorted([_district(school), *(_org(school, site) for site in SITES)]),
        sessions=_sorted(list(_sessions(school))),
    )


def _sorted(records: list[Json]) -> list[Json]:
    return sorted(records, key=lambda record: str(record["sourcedId"]))


def _base(school: School, id_: str, status: str = "active") -> Json:
    return {
        "sourcedId": id_, "status": status, "dateLastModified": f"{school.year.begin.isoformat()}T06:00:00.000Z",
        "metadata": {"lvs.bron": "demo", "lvs.opmerking": "alleen voor intern gebruik"},
    }  # fmt: skip


def _reference(path: str, kind: str, id_: str) -> Json:
    return {"href": f"https://lvs.voorbeeldschool.example{BASE}/{path}/{id_}", "sourcedId": id_, "type": kind}


def _org_reference(site: Site) -> Json:
    return _reference("orgs", "org", school_id(site))


# -- persons -------------------------------------------------------------------------------------------


def pupil_id(pupil: Pupil) -> str:
    return sourced_id("user", pupil.number)


def _employee_id(employee: Employee) -> str:
    return sourced_id("user", employee.neppi)


def _pupil(school: School, pupil: Pupil) -> Json:
    user = _base(school, pupil_id(pupil), "tobedeleted" if pupil.left else "active")
    if pupil.eck_id is not None:
        user["userMasterIdentifier"] = pupil.eck_id
    roles = [_role("student", stay.site, stay.begin, stay.end, at) for at, stay in enumerate(reversed(pupil.stays))]
    return user | {
        "username": f"l{pupil.number}", "userIds": [{"type": "NEPRI", "identifier": pupil.nepri}],
        "enabledUser": "false" if pupil.left else "true", "givenName": pupil.name.given,
        "familyName": " ".join(part for part in (pupil.name.prefix, pupil.name.family) if part),
        "roles": roles, "primaryOrg": _org_reference(pupil.stays[-1].site), "identifier": str(pupil.number),
        "email": f"l{pupil.number}@leerling.voorbeeldschool.example", "grades": [str(pupil.year)],
        "agents": [_reference("users", "user", sourced_id("guardian", pupil.number))],
        "password": f"geheim-{pupil.number}",
        "userProfiles": [
            {
                "profileId": f"https://sso.voorbeeldschool.example/{pupil.number}", "profileType": "SSO",
                "vendorId": "demo",
                "credentials": [{"type": "basic", "username": f"l{pupil.number}", "password": "geheim"}],
            }
        ],
    }  # fmt: skip


def _role(role: str, site: Site, begin: date, end: date | None, at: int = 0) -> Json:
    """The first is where somebody is now."""
    found = {"roleType": "secondary" if at else "primary", "role": role, "org": _org_reference(site)}
    return found | {"beginDate": begin.isoformat(), **({"endDate": end.isoformat()} if end is not None else {})}


def _employee(school: School, employee: Employee) -> Json:
    sites = [site for site in SITES if any(employee is one for group in _of(school, site) for _, one in group.teachers)]
    user = _base(school, _employee_id(employee))
    if employee.eck_id is not None:
        user["userMasterIdentifier"] = employee.eck_id
    roles = [_role("teacher", site, school.year.begin, None, at) for at, site in enumerate(sites)]
    name = employee.neppi[:4]
    return user | {
        "enabledUser": "true", "givenName": f"Docent {name}", "familyName": "Voorbeeld", "roles": roles,
        "email": f"{name}@voorbeeldschool.example", "password": "geheim",
    }  # fmt: skip


def _of(school: School, site: Site) -> list[Group]:
    return [group for group in school.groups if group.site is site]


def _demographics(school: School, pupil: Pupil) -> Json:
    return _base(school, pupil_id(pupil)) | {
        "birthDate": pupil.birth.isoformat(), "sex": _SEX[pupil.gender], "asian": "false", "countryOfBirthCode": "NL",
        "cityOfBirth": "Voorbeeldstad", "publicSchoolResidenceStatus": "01652",
    }  # fmt: skip


# -- classes and what stands around them -----------------------------------------------------------------


def _class(school: School, group: Group) -> Json:
    course = sourced_id("course", group.subject.id if group.subject else "mentor")
    return _base(school, group.id) | {
        "title": group.name, "classCode": group.name, "classType": "scheduled" if group.subject else "homeroom",
        "grades": [str(group.pupils[0].year)], "course": _reference("courses", "course", course),
        "school": _org_reference(group.site), "periods": ["1"],
        "terms": [_reference("academicSessions", "academicSession", one) for one in _terms(school)],
    }  # fmt: skip


def _course(school: School, subject: Subject) -> Json:
    return _base(school, sourced_id("course", subject.id)) | {
        "title": f"{subject.code} {subject.level} {subject.year}",
        "courseCode": f"{subject.code}-{subject.level}{subject.year}",
        "subjects": [subject.code], "grades": [str(subject.year)],
        "schoolYear": _reference("academicSessions", "academicSession", school.year.id),
    }  # fmt: skip


def _mentor(school: School) -> Json:
    return _base(school, sourced_id("course", "mentor")) | {"title": "Mentoruur", "courseCode": "mentor"}


def _enrollments(school: School) -> Iterator[Json]:
    for group in school.groups:
        for pupil in group.pupils:
            stay = pupil.stays[-1]
            yield _enrollment(school, group, pupil_id(pupil), "student") | {"beginDate": stay.begin.isoformat()}
        for key, teacher in group.teachers if group.pupils else ():
            yield _enrollment(school, group, _employee_id(teacher), "teacher", key) | {"primary": "true"}


def _enrollment(school: School, group: Group, user: str, role: str, key: str = "") -> Json:
    return _base(school, key or sourced_id("enrollment", f"{group.id}/{user}")) | {
        "user": _reference("users", "user", user), "class": _reference("classes", "class", group.id),
        "school": _org_reference(group.site), "role": role,
    }  # fmt: skip


def _district(school: School) -> Json:
    children = [_org_reference(site) for site in SITES]
    return _base(school, DISTRICT) | {
        "name": "Stichting Demo", "type": "district", "identifier": "40000", "children": children
    }  # fmt: skip


def _org(school: School, site: Site) -> Json:
    return _base(school, school_id(site)) | {
        "name": site.title, "type": "school", "identifier": site.ve_code, "parent": _reference("orgs", "org", DISTRICT)
    }  # fmt: skip


def _terms(school: School) -> list[str]:
    return [period.id for period in school.periods if period.kind == "semester"]


def _sessions(school: School) -> Iterator[Json]:
    """The school's years and halves; each half ends with a grading period."""
    for period in school.periods:
        found = _base(school, period.id) | {
            "title": period.title, "startDate": period.begin.isoformat(), "endDate": period.end.isoformat(),
            "type": "term" if period.kind == "semester" else period.kind, "schoolYear": str(period.end.year),
        }  # fmt: skip
        graded = (sourced_id("grading", period.id),) if period.kind == "semester" else ()
        if period.over is not None:
            found["parent"] = _reference("academicSessions", "academicSession", period.over)
        if period.under or graded:
            found["children"] = [
                _reference("academicSessions", "academicSession", one) for one in (*period.under, *graded)
            ]
        yield found
        for one in graded:
            parent = _reference("academicSessions", "academicSession", period.id)
            mine = {"type": "gradingPeriod", "parent": parent, "title": f"{period.title}, cijfers"}
            yield {key: value for key, value in found.items() if key != "children"} | {"sourcedId": one} | mine
