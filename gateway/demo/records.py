"""The Edu-V records of the school: Students 1.1.0 and Association 1.1.0, with the extension fields of this LVS.

The extensions (`Student.bsn`, `medicalNote`, `note`, `photoUrl`; `Enrollment.supportNote`; `Group.remark`) are
what Edu-V lacks and a real LVS holds: they are there so that the gateway can be seen to keep them back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from gateway.demo.invented import Invention
from gateway.demo.school import Coaching, Employee, Group, Period, Pupil, School, Site, Stay

Json = dict[str, Any]

_MEDICAL = ("Astma, inhalator bij de conciërge.", "Diabetes type 1, mag in de les eten.", "Epilepsie, zie protocol.")
_SUPPORT = ("Ontwikkelingsperspectief besproken.", "Dyslexieverklaring aanwezig.", "Arrangement van het SWV.")


@dataclass(frozen=True, slots=True)
class Held:
    """A record and what it is found by: the location, and the pupil or employee it is about."""

    site: str
    record: Json = field(repr=False)
    about: Pupil | Employee | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """Everything the LVS can answer, in the order in which it answers."""

    periods: tuple[Json, ...]
    students: dict[Pupil, Json]
    enrollments: tuple[Held, ...]
    assignments: tuple[Held, ...]
    groups: tuple[Held, ...]


def make_records(school: School) -> Records:
    """All records of the school."""
    return Records(
        periods=tuple(_period(school, period) for period in school.periods),
        students={pupil: _student(school, pupil) for pupil in school.pupils},
        enrollments=tuple(held for pupil in school.pupils for held in _enrollments(school, pupil)),
        assignments=tuple(_assignments(school)),
        groups=tuple(Held(group.site.name, _group(school, group)) for group in school.groups),
    )


def pupil_reference(pupil: Pupil) -> Json:
    """A UserReference to a pupil; the ECK iD only where there is one."""
    ids = [{"userId": str(pupil.number), "userIdType": "ASI"}, {"userId": pupil.nepri, "userIdType": "NEPRI"}]
    if pupil.neppi is not None:
        ids.append({"userId": pupil.neppi, "userIdType": "NEPPI"})
    master = {"userMasterIdentifier": pupil.eck_id} if pupil.eck_id is not None else {}
    return {**master, "userIds": ids}


def employee_reference(employee: Employee) -> Json:
    """A UserReference to an employee: no primary identifier exists for them."""
    ids = [{"userId": employee.neppi, "userIdType": "NEPPI"}]
    if employee.bpi is not None:
        ids.append({"userId": employee.bpi, "userIdType": "BPI"})
    if employee.eck_id is not None:
        ids.append({"userId": employee.eck_id, "userIdType": "eckId"})
    return {"userIds": ids}


def _stamps(draw: Invention, since: date, status: str = "active") -> Json:
    """`status`, `dateCreated` and `dateLastModified`: moments of their own, different for every record."""
    created = draw.random.randrange(30 * 86_400)
    modified = draw.random.randrange(created, 31 * 86_400)
    return {"status": status, "dateCreated": _moment(since, created), "dateLastModified": _moment(since, modified)}


def _moment(since: date, seconds: int) -> str:
    day = since - timedelta(days=31) + timedelta(days=seconds // 86_400)
    clock = seconds % 86_400
    return f"{day.isoformat()}T{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}Z"


def _draw(school: School, of: str) -> Invention:
    """A generator of its own per record, so that one record's details do not move another's."""
    return Invention(Random(f"{school.seed}/{of}"))


def _period(school: School, period: Period) -> Json:
    relations: Json = {"superSchoolPeriod": period.over} if period.over else {}
    if period.under:
        relations["subSchoolPeriods"] = list(period.under)
    return {
        "schoolPeriodId": period.id, "title": period.title, "type": period.kind, **relations,
        "startDate": period.begin.isoformat(), "endDate": period.end.isoformat(),
        **_stamps(_draw(school, period.title), period.begin),
    }  # fmt: skip


# -- students ------------------------------------------------------------------------------------------


def _student(school: School, pupil: Pupil) -> Json:
    draw = _draw(school, f"pupil/{pupil.number}")
    record = {**pupil_reference(pupil), **_named(draw, pupil)}
    record |= {"dateOfBirth": pupil.birth.isoformat(), "gender": pupil.gender}
    record |= _reached(draw, pupil)
    if draw.chance(0.08):
        record["accessibility"] = [{"additionalTestingTime": _testing_time(draw)}]
    record |= _stamps(draw, school.year.begin, "tobedeleted" if pupil.left else "active")
    return record | _extensions(draw, school, pupil)


def _named(draw: Invention, pupil: Pupil) -> Json:
    named = {"givenName": pupil.name.given}
    if draw.chance(0.1):
        named["preferredFirstName"] = pupil.name.given[:3]
    named["familyName"] = pupil.name.family
    if pupil.name.prefix is not None:
        named["familyNamePrefix"] = pupil.name.prefix
    if draw.chance(0.03):
        named["alias"] = f"{pupil.name.given} {pupil.name.family[0]}."
    return named


def _reached(draw: Invention, pupil: Pupil) -> Json:
    family = pupil.name.family.lower()
    parents = [f"{draw.name('female').given.lower()}.{family}@ouders.example" for _ in range(draw.random.randint(1, 2))]
    reached = {
        "email": f"l{pupil.number}@leerling.voorbeeldschool.example",
        "language": draw.random.choices(("nld", "ara", "tur", "pol", "ukr"), (92, 2, 2, 2, 2))[0],
        "address": draw.address(),
        "emailsParents": parents,
    }
    if draw.chance(0.4):
        reached["emailPrivate"] = f"{pupil.name.given.lower()}.{family}@post.example"
    return reached


def _testing_time(draw: Invention) -> Json:
    kind = draw.random.choice(("time-multiplier", "fixed-minutes", "unlimited"))
    values: Json = {"time-multiplier": 1.25, "fixed-minutes": 30, "unlimited": ""}
    return {kind: values[kind]}


def _extensions(draw: Invention, school: School, pupil: Pupil) -> Json:
    """What Edu-V does not have. The note names another pupil, as such notes do, and now and then holds a number or is
    followed by one in a field that is not for it."""
    more: Json = {"bsn": pupil.bsn}
    if draw.chance(0.06):
        more["medicalNote"] = draw.random.choice(_MEDICAL)
    if draw.chance(0.15):
        more["note"] = f"Ruzie met {draw.random.choice(school.pupils).name.full} in de pauze; ouders gebeld."
    more["photoUrl"] = f"https://foto.voorbeeldschool.example/{pupil.number}.jpg"
    if draw.chance(0.02):
        more["note"] = f"Moeder van {pupil.name.full} belde; BSN {pupil.bsn} genoteerd."
    elif draw.chance(0.02):
        more["note"] = (
            f"{pupil.name.given} bereikbaar op 06-1{draw.random.randrange(10**7):07d}, zie mail van zijn oom."
        )
    if draw.chance(0.02):
        more["alias"] = pupil.bsn
    return more


# -- enrollments, assignments, groups ------------------------------------------------------------------


def _enrollments(school: School, pupil: Pupil) -> Iterator[Held]:
    draw = _draw(school, f"enrollments/{pupil.number}")
    before = school.periods[1]
    if pupil.year > 1:
        stay = Stay(pupil.stays[0].site, before.begin, before.end)
        yield _study(draw, school, pupil, stay, before, pupil.year - 1)
    for stay in pupil.stays:
        yield _study(draw, school, pupil, stay, school.year, pupil.year)
        for subject in school.subjects_of(pupil):
            follows = {"enrollmentType": "subject", "subject": subject.id}
            yield _enrollment(draw, pupil, stay, school.year, follows)


def _study(draw: Invention, school: School, pupil: Pupil, stay: Stay, period: Period, year: int) -> Held:
    study = school.studies[pupil.level]
    follows: Json = {"enrollmentType": "study", "study": study.id, "studyPublicId": study.public_id, "studyYear": year}
    return _enrollment(draw, pupil, stay, period, follows)


def _enrollment(draw: Invention, pupil: Pupil, stay: Stay, period: Period, follows: Json) -> Held:
    record = {
        "enrollmentId": draw.uuid(), "student": pupil_reference(pupil), **follows, "location": _location(stay.site),
        "schoolPeriod": period.id, "beginDate": stay.begin.isoformat(),
    }  # fmt: skip
    if stay.end is not None:
        record["endDate"] = stay.end.isoformat()
    record |= _stamps(draw, stay.begin)
    if draw.chance(0.02):
        record["supportNote"] = draw.random.choice(_SUPPORT)
    return Held(stay.site.name, record, pupil)


def _location(site: Site) -> Json:
    ids = [{"locationId": site.ve_code, "locationIdType": "VE_CODE"}]
    return {"locationMasterIdentifier": site.code, "locationIds": ids, "name": site.title}


def _assignments(school: School) -> Iterator[Held]:
    for group in school.groups:
        for key, employee in group.teachers:
            kind: Json = {"assignmentType": "class-teacher", "group": group.id}
            if group.subject is not None:
                kind = {"assignmentType": "teacher", "group": group.id, "subject": group.subject.id}
            yield _assignment(school, key, group.site, employee, kind)
    for coaching in school.coaching:
        yield _coached(school, coaching)


def _coached(school: School, coaching: Coaching) -> Held:
    kind: Json = {"assignmentType": "coach", "student": pupil_reference(coaching.pupil)}
    return _assignment(school, coaching.id, coaching.site, coaching.employee, kind)


def _assignment(school: School, key: str, site: Site, employee: Employee, kind: Json) -> Held:
    stamps = _stamps(_draw(school, key), school.year.begin)
    record = {
        "assignmentId": key, "employee": employee_reference(employee), **kind, "schoolPeriod": school.year.id,
        "beginDate": school.year.begin.isoformat(), **stamps,
    }  # fmt: skip
    return Held(site.name, record, employee)


def _group(school: School, group: Group) -> Json:
    draw = _draw(school, f"group/{group.id}")
    record: Json = {
        "groupId": group.id,
        "groupName": group.name,
        "groupType": "class" if group.subject is None else "lesson-group",
        "students": [pupil_reference(pupil) for pupil in group.pupils],
        "assignments": [key for key, _ in group.teachers],
        "schoolPeriod": school.year.id,
        "beginDate": school.year.begin.isoformat(),
        **_stamps(draw, school.year.begin),
    }
    if group.pupils and draw.chance(0.1):
        record["remark"] = f"{draw.random.choice(group.pupils).name.full} niet naast het raam."
    return record
