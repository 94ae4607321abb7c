"""Step 9 of the gate: does this delivery see this person at all, and is it not too late (R8, R54, R92, R103, R109)?

Pure. Leaves out: what is known for or against the person (`prohibitions`, `consent`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.core.days import holds, years_after
from gateway.core.gate.question import Question, Said
from gateway.core.gate.screening_fields import KEPT_YEARS_OTHERWISE
from gateway.core.model import Enrolment, Person, RecipientKind, Subject
from gateway.core.reasons import Reason


def scope(question: Question) -> Iterator[Said]:
    """R8, R68, R109. Guardians are off (D13)."""
    person = question.subject.person
    if (
        person is Person.GUARDIAN
        or not _in_rows(question)
        or (person is Person.PUPIL and not (_admitted(question) and _requested(question) and _destined(question)))
    ):
        yield Said(Reason.PUPIL_NOT_IN_SCOPE)


def retention(question: Question) -> Iterator[Said]:
    """D11, R103: counted from the day the pupil left the school, per category."""
    gone = left(question.subject)
    if gone is None or question.subject.person is not Person.PUPIL:
        return
    for years, paths in question.fields.kept.items():
        if years_after(gone, years) < question.today:
            yield Said(Reason.RETENTION_PASSED, paths)


def left(subject: Subject) -> date | None:
    """The last day at this school; None without an end in sight, or when never enrolled."""
    ends = [enrolment.end for enrolment in subject.enrolments]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _in_rows(question: Question) -> bool:
    """Employees have no years or groups: their location decides."""
    subject, delivery = question.subject, question.delivery
    years, groups = delivery.rows.years, delivery.rows.groups
    if subject.person is Person.PUPIL and groups is not None and not groups & subject.groups:
        return False
    every_year = years is None or subject.person is Person.STAFF
    for one in subject.enrolments:
        if one.location in delivery.locations and _ours(question, one) and (every_year or one.year in (years or ())):
            return True
    return False


def _ours(question: Question, enrolment: Enrolment) -> bool:
    """Enrolled today. What follows a pupil to the next school, what a permit asks for, and what DUO's register must
    hear of the end of an enrolment (N27) may come after leaving, as long as the file is kept (R103)."""
    end = enrolment.end
    registered = question.audience.kind is RecipientKind.DUO
    follows = question.delivery.conditions.destination is not None or question.one_off or registered
    if end is not None and follows and question.subject.person is Person.PUPIL:
        end = years_after(end, KEPT_YEARS_OTHERWISE)
    return holds(enrolment.begin, end, question.today)


def _admitted(question: Question) -> bool:
    """R92: nothing about an applicant who was not admitted."""
    known = question.facts.admissions
    return all(one.admitted or not holds(one.since, one.until, question.today) for one in known)


def _requested(question: Question) -> bool:
    """R54: the samenwerkingsverband sees a pupil only while a request is open there."""
    return not question.delivery.conditions.open_request or any(
        question.meant(one.recipient, one.purpose) and holds(one.since, one.until, question.today)
        for one in question.facts.support_requests
    )


def _destined(question: Question) -> bool:
    """R109, N25: only to the school where the pupil is registered to go."""
    destination = question.delivery.conditions.destination
    return destination is None or any(
        one.admitted and one.destination == destination and holds(one.since, one.until, question.today)
        for one in question.facts.admissions
    )
