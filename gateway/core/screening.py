"""May this person be in this answer? Step 9 of the gate order, and 14 as far as facts exist (requirements 0.4).

Pure. Screened from the roster at the moment of emission (house rule 4), every rule, all reasons collected.
No consents are known yet: under ground a everybody is withheld (R3, R21), and fields that need consent whatever
the ground (D4) are withheld from everybody. Leaves out: delivery-level rules (`decide`), restriction, objection
and court orders (no facts yet), field projection (`projection`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.core.facts import Facts
from gateway.core.grants import granted_leaves
from gateway.core.model import Category, Enrolment, FieldClass, Ground, Person, Subject, Transform, Verdict
from gateway.core.reasons import Reason
from gateway.core.schema import Record
from gateway.core.terms import Delivery

# R103, table 5.3: years after leaving the school; two where nothing specific is set.
KEPT_YEARS: Mapping[Category, int] = {Category.ATTENDANCE: 5, Category.ABSENCE_REASON: 5}
KEPT_YEARS_OTHERWISE = 2

# D4, R34, R35, R38: consent is needed whatever the ground.
NEEDS_CONSENT = frozenset({FieldClass.IMAGE, FieldClass.MEDICAL, FieldClass.PSYCHOLOGICAL_REPORT})


@dataclass(frozen=True, slots=True)
class FieldTerms:
    """What of one record would leave, as screening needs it: paths by the years they may be kept, and paths
    that need consent. Compiled once per delivery and record (`field_terms`), not per pupil."""

    kept: Mapping[int, frozenset[str]] = field(default_factory=dict)
    consent: frozenset[str] = frozenset()


NOTHING = FieldTerms()


def field_terms(delivery: Delivery, record: Record) -> FieldTerms:
    """Fixed and empty grants carry nothing about anybody, so they are not screened."""
    kept: dict[int, set[str]] = {}
    consent: set[str] = set()
    for path, leaf, grant in granted_leaves(record, delivery.grants.get(record.name, {})):
        if grant.transform in (Transform.FIXED, Transform.EMPTY):
            continue
        kept.setdefault(KEPT_YEARS.get(leaf.category, KEPT_YEARS_OTHERWISE), set()).add(path)
        if leaf.field_class in NEEDS_CONSENT:
            consent.add(path)
    return FieldTerms({years: frozenset(paths) for years, paths in kept.items()}, frozenset(consent))


def screen(delivery: Delivery, subject: Subject | None, facts: Facts, today: date, fields: FieldTerms) -> Verdict:
    """`today` is the date in Europe/Amsterdam. `fields` belongs to the record at hand; it is no option, so that nobody
    forgets what needs consent."""
    if subject is None:
        return _UNRESOLVED
    in_scope = _in_scope(delivery, subject, today)
    consented = delivery.grondslag is not None and delivery.grondslag.ground is not Ground.CONSENT
    restricted = any(one.categories is None and _holds(one.since, one.until, today) for one in facts.restrictions)
    if in_scope and consented and not restricted:
        # Whoever is in scope is enrolled today, so no retention runs.
        return Verdict((), fields.consent) if fields.consent else _AVAILABLE
    past = _past_retention(subject, today, fields)
    spoke = {
        Reason.PUPIL_NOT_IN_SCOPE: not in_scope,
        Reason.RETENTION_PASSED: bool(past),
        Reason.PUPIL_RESTRICTED: restricted,
        Reason.CONSENT_MISSING: not consented,
    }
    return Verdict(tuple(reason for reason, speaks in spoke.items() if speaks), past | fields.consent)


_UNRESOLVED = Verdict((Reason.PUPIL_UNRESOLVED,))
_AVAILABLE = Verdict()


def _in_scope(delivery: Delivery, subject: Subject, today: date) -> bool:
    """R8, R68, R109. Employees have no years or groups: their location decides. Guardians are off (D13)."""
    person, years, groups = subject.person, delivery.rows.years, delivery.rows.groups
    if person is Person.GUARDIAN:
        return False
    if person is Person.PUPIL and groups is not None and not groups & subject.groups:
        return False
    every_year = years is None or person is Person.STAFF
    for one in subject.enrolments:
        if one.location in delivery.locations and _current(one, today) and (every_year or one.year in (years or ())):
            return True
    return False


def _current(enrolment: Enrolment, today: date) -> bool:
    return _holds(enrolment.begin, enrolment.end, today)


def _holds(since: date | None, until: date | None, today: date) -> bool:
    """Both days count; None is open."""
    return (since is None or since <= today) and (until is None or today <= until)


def _past_retention(subject: Subject, today: date, fields: FieldTerms) -> frozenset[str]:
    """D11, R103: counted from the day the pupil left the school, per category."""
    left = _left(subject)
    if left is None or subject.person is not Person.PUPIL:
        return frozenset()
    late = [paths for years, paths in fields.kept.items() if _years_after(left, years) < today]
    return frozenset().union(*late)


def _left(subject: Subject) -> date | None:
    """The last day at this school; None without an end in sight, or when never enrolled."""
    ends = [enrolment.end for enrolment in subject.enrolments]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _years_after(day: date, years: int) -> date:
    """29 February becomes 1 March (table 5.2). An LVS that knows no open end writes the last day there is."""
    if day.year + years > date.max.year:
        return date.max
    if (day.month, day.day) == (2, 29):
        return date(day.year + years, 3, 1)
    return day.replace(year=day.year + years)
