"""A school whose pupils are asked for consent by one publisher, and their answers.

school = asking_school(6)
school.record(2, Birth(day=…), consent(Capacity.PARENT, giver=b"…"))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

from gateway.core.facts import Answer, Capacity, Consent, ConsentTerms, Form
from gateway.core.model import Category, Enrolment
from gateway.core.release import pseudonym
from gateway.transfer.steps import Sizes
from tests.builders_formats import pupil, student_json
from tests.policy.shipped import answered, changed
from tests.simulators.world import NOW, PURPOSES, SIZES, School, a_school, policy

ASKING = "uitgever-zuid"


def asking_school(number: int, sizes: Sizes = SIZES, *, change: Callable[[str], str] = str) -> School:
    """Pupils 1 to `number`; nothing is known about them yet. All terms hold from August 2025 to July 2029. `change`: of
    the publisher's file."""
    text = (
        change(changed(answered(ASKING), ("ground: e", "ground: a")))
        .replace("2026-08", "2025-08")
        .replace("2027-07", "2029-07")
    )
    compiled, since = policy(texts=((ASKING, text),)), (Enrolment("noord", 1, date(2025, 8, 1), None),)
    pupils = [replace(pupil(n), enrolments=since) for n in range(1, number + 1)]
    school = a_school(compiled=compiled, pupils=pupils, sizes=sizes)
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    return school


def pseudonyms(school: School) -> dict[int, str]:
    """As this publisher knows them."""
    key = school.world.keys.domain_key(ASKING, school.world.keys.current.number)
    return {number: pseudonym.person(key, one.id, one.person) for number, one in school.pupils.items()}


def consent(capacity: Capacity, giver: bytes | None = None, given: datetime = NOW - timedelta(days=9)) -> Consent:
    """A written yes to the whole delivery."""
    terms = ConsentTerms(
        recipients=frozenset({ASKING}),
        purpose=PURPOSES[ASKING],
        categories=frozenset({Category.PUPIL_NUMBER, Category.ORGANISATION, Category.NAME}),
        text="Brief 2026-1",
        form=Form.WRITTEN,
        evidence="f" * 64,
    )
    extract = date(2026, 1, 5) if giver else None
    return Consent(
        capacity=capacity, answer=Answer.YES, given=given, giver=giver, extract=extract, terms=terms
    )  # fmt: skip
