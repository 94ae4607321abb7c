"""A fictional secondary school of two locations, made from a seed number and a date.

Holds who is where: locations, periods, offerings, classes, lesson groups, employees, pupils who moved or left.
The same (seed, today) gives the same school; another day of the same school year gives the same pupils.
Leaves out the shape of the Edu-V records (`records`) and how they are served (`lvs`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from gateway.core.days import school_year_begun
from gateway.demo.invented import Invention, Name

MASTER = "104A158"
LEVELS = {"vmbo": 4, "havo": 5, "vwo": 6}
_LETTER = {"vmbo": "m", "havo": "h", "vwo": "v"}
_COMMON = ("ne", "en", "wi", "gs", "lo")
_ELECTIVE = ("bi", "ec", "fa", "na")
MOVED, LEFT = 10, 8


@dataclass(frozen=True, slots=True)
class Site:
    """A location; `ids` as (type, value), and the codes by which enrolments name it."""

    name: str
    title: str
    ids: frozenset[tuple[str, str]]
    code: str
    ve_code: str


NOORD = Site(
    "noord", "Locatie Noord", frozenset({("V_ID", "01AB00"), ("DD_ID", "DD100401"), ("AS_ID", "S7001")}),
    "912X001", "01AB00",
)  # fmt: skip
ZUID = Site(
    "zuid", "Locatie Zuid", frozenset({("V_ID", "01AB01"), ("DD_ID", "DD100402"), ("AS_ID", "S7002")}),
    "912X002", "01AB01",
)  # fmt: skip
SITES = (NOORD, ZUID)


@dataclass(frozen=True, slots=True)
class Period:
    """A school year or a part of it; `end` is exclusive, as in Edu-V."""

    id: str
    title: str
    kind: str
    begin: date
    end: date
    over: str | None = None
    under: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """A study offering: what a pupil is enrolled in for years."""

    id: str
    public_id: str
    level: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject offering of one level and year, the same at both locations."""

    id: str
    code: str
    level: str
    year: int


@dataclass(frozen=True, slots=True)
class Stay:
    """A pupil's time at a location this school year; `end` is exclusive, None while it lasts."""

    site: Site
    begin: date
    end: date | None = None


@dataclass(slots=True, eq=False)
class Pupil:
    """A pupil; `number` is the LAS key, which means something to anyone who knows how schools number."""

    number: int
    name: Name
    gender: str
    birth: date
    eck_id: str | None
    nepri: str
    neppi: str | None
    bsn: str
    level: str
    year: int
    subjects: frozenset[str]
    stays: tuple[Stay, ...] = ()

    @property
    def left(self) -> bool:
        return self.stays[-1].end is not None


@dataclass(frozen=True, slots=True, eq=False)
class Employee:
    """A teacher, known by the ids that Edu-V has for employees."""

    neppi: str
    bpi: str | None
    eck_id: str | None


@dataclass(slots=True, eq=False)
class Group:
    """A class (no subject) or a lesson group; `teachers` with the id of each one's assignment."""

    id: str
    name: str
    site: Site
    subject: Subject | None
    pupils: list[Pupil]
    teachers: tuple[tuple[str, Employee], ...]


def groups_of(groups: Iterable[Group]) -> dict[Pupil, list[Group]]:
    """Of each pupil who is in any of these, in their order."""
    found: dict[Pupil, list[Group]] = {}
    for group in groups:
        for pupil in group.pupils:
            found.setdefault(pupil, []).append(group)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Coaching:
    """An employee who coaches one pupil."""

    id: str
    site: Site
    employee: Employee
    pupil: Pupil


@dataclass(slots=True)
class School:
    """All that the records are made from."""

    seed: int
    today: date
    year: Period
    periods: tuple[Period, ...]
    studies: dict[str, Study]
    subjects: dict[tuple[str, int, str], Subject]
    pupils: list[Pupil] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    coaching: list[Coaching] = field(default_factory=list)

    def subjects_of(self, pupil: Pupil) -> Iterator[Subject]:
        for code in sorted(pupil.subjects):
            yield self.subjects[pupil.level, pupil.year, code]


def make_school(seed: int, today: date) -> School:
    """The school as it is on `today`."""
    draw = Invention(Random(seed))
    periods = _periods(draw, today)
    studies = {level: Study(draw.uuid(), draw.uuid(), level) for level in LEVELS}
    school = School(seed, today, periods[0], periods, studies, _subjects(draw))
    classes = _classes(draw, school)
    _move(draw, school)
    _leave(draw, school)
    staff = {site.name: _staff(draw) for site in SITES}
    for site, level, year in classes:
        _groups(draw, school, site, level, year, staff[site.name])
    _coach(draw, school, staff)
    school.groups.sort(key=lambda group: group.name)
    school.pupils.sort(key=lambda pupil: (pupil.name.family, pupil.name.given, pupil.number))
    return school


def _periods(draw: Invention, today: date) -> tuple[Period, ...]:
    start = school_year_begun(today)
    first, second = draw.uuid(), draw.uuid()
    now = f"{start}-{start + 1}"
    before = f"{start - 1}-{start}"
    middle = date(start + 1, 2, 1)
    return (
        Period(now, now, "schoolYear", date(start, 8, 1), date(start + 1, 8, 1), under=(first, second)),
        Period(before, before, "schoolYear", date(start - 1, 8, 1), date(start, 8, 1)),
        Period(first, f"{now} semester 1", "semester", date(start, 8, 1), middle, over=now),
        Period(second, f"{now} semester 2", "semester", middle, date(start + 1, 8, 1), over=now),
    )


def _subjects(draw: Invention) -> dict[tuple[str, int, str], Subject]:
    return {
        (level, year, code): Subject(draw.uuid(), code, level, year)
        for level, years in LEVELS.items()
        for year in range(1, years + 1)
        for code in (*_COMMON, *_ELECTIVE)
    }


def _classes(draw: Invention, school: School) -> list[tuple[Site, str, int]]:
    """Fills the school, the oldest years first, as numbers were given out when pupils came."""
    classes = [
        (site, level, year)
        for year in range(6, 0, -1)
        for level, years in LEVELS.items()
        if year <= years
        for site in SITES
    ]
    for site, level, year in classes:
        for _ in range(draw.random.randint(17, 23)):
            pupil = _pupil(draw, 100_001 + len(school.pupils), level, year, school_year_begun(school.today))
            pupil.stays = (Stay(site, school.year.begin),)
            school.pupils.append(pupil)
    return classes


def _pupil(draw: Invention, number: int, level: str, year: int, start: int) -> Pupil:
    gender = draw.gender()
    held_back = 1 if draw.chance(0.1) else 0
    first = date(start - 12 - year - held_back, 10, 1)
    electives = _ELECTIVE if year < 3 else draw.random.sample(_ELECTIVE, 2)
    return Pupil(
        number=number,
        name=draw.name(gender),
        gender=gender,
        birth=first + timedelta(days=draw.random.randrange(365)),
        eck_id=draw.eck_id() if not draw.chance(0.02) else None,
        nepri=draw.uuid(),
        neppi=draw.uuid() if draw.chance(0.3) else None,
        bsn=draw.bsn(),
        level=level,
        year=year,
        subjects=frozenset((*_COMMON, *electives)),
    )


def _move(draw: Invention, school: School) -> None:
    """Some pupils went to the other location during the year."""
    for pupil in draw.random.sample(school.pupils, MOVED):
        (stay,) = pupil.stays
        day = _day(draw, school)
        other = ZUID if stay.site is NOORD else NOORD
        pupil.stays = (Stay(stay.site, stay.begin, day), Stay(other, day))


def _leave(draw: Invention, school: School) -> None:
    """Some pupils left the school; the LVS keeps their record for the rest of the year."""
    stayed = [pupil for pupil in school.pupils if len(pupil.stays) == 1]
    for pupil in draw.random.sample(stayed, LEFT):
        (stay,) = pupil.stays
        pupil.stays = (Stay(stay.site, stay.begin, _day(draw, school)),)


def _day(draw: Invention, school: School) -> date:
    """A day of this school year that has passed; the day after the first on the first day."""
    passed = (school.today - school.year.begin).days
    return school.year.begin + timedelta(days=max(1, int(passed * draw.random.random())))


def _staff(draw: Invention) -> dict[str, list[Employee]]:
    return {code: [_employee(draw), _employee(draw)] for code in (*_COMMON, *_ELECTIVE)}


def _employee(draw: Invention) -> Employee:
    bpi = f"{draw.random.randrange(10**7, 10**8)}" if draw.chance(0.5) else None
    return Employee(draw.uuid(), bpi, draw.eck_id() if draw.chance(0.3) else None)


def _groups(
    draw: Invention, school: School, site: Site, level: str, year: int, staff: dict[str, list[Employee]]
) -> None:
    """One class and its lesson groups; who left or moved away is no longer in them."""
    name = f"{site.name[0].upper()}{year}{_LETTER[level]}"
    members = [
        pupil
        for pupil in school.pupils
        if (pupil.level, pupil.year) == (level, year) and not pupil.left and pupil.stays[-1].site is site
    ]
    members.sort(key=lambda pupil: (pupil.name.family, pupil.name.given, pupil.number))
    teachers = [teacher for both in staff.values() for teacher in both]
    tutor = (draw.uuid(), draw.random.choice(teachers))
    school.groups.append(Group(draw.uuid(), name, site, None, members, (tutor,)))
    for code in (*_COMMON, *_ELECTIVE):
        takers = [pupil for pupil in members if code in pupil.subjects]
        teacher = (draw.uuid(), draw.random.choice(staff[code]))
        subject = school.subjects[level, year, code]
        school.groups.append(Group(draw.uuid(), f"{name}.{code}", site, subject, takers, (teacher,)))


def _coach(draw: Invention, school: School, staff: dict[str, dict[str, list[Employee]]]) -> None:
    present = [pupil for pupil in school.pupils if not pupil.left]
    for pupil in draw.random.sample(present, 30):
        site = pupil.stays[-1].site
        coach = draw.random.choice(staff[site.name]["lo"])
        school.coaching.append(Coaching(draw.uuid(), site, coach, pupil))
