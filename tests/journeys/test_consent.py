"""Consent from outside (R18, R20, R21, R24, R25, R26): each defect is the school's to read, one absence for others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import httpx2
import orjson
import pytest

from gateway.bootstrap.school import legal_today, open_school
from gateway.core.facts import Answer, Capacity, Consent, ConsentTerms, Form
from gateway.core.model import Category
from tests.journeys.driving import SCHOOL, STUDENTS, UNKNOWN, Demo, Vendor, reference, run, same_but_for_the_transfer
from tests.journeys.office import EXTRACT, Known, Row, asking, bring_in, guardian, learn, pupils, says_yes, years_old

pytestmark = pytest.mark.journey

RECIPIENT, PURPOSE, OTHER_PURPOSE = "oefenbureau", "toegang-leermiddel", "oefentoetsen"

# What differs from a consent that holds, and the school's reason. Another way than a row: below.
CASES: dict[str, tuple[Row, str]] = {
    "another purpose": ({"purpose": OTHER_PURPOSE}, "CONSENT_WRONG_PURPOSE"),
    "another recipient": ({"recipients": ["uitgever-zuid"]}, "CONSENT_WRONG_RECIPIENT"),
    "oral": ({"form": "oral"}, "CONSENT_NOT_WRITTEN"),
    "asked and silent": ({"answer": "asked"}, "CONSENT_MISSING"),
    "refused": ({"answer": "no"}, "CONSENT_REFUSED"),
    "wrong giver": ({"capacity": "parent-without-gezag"}, "CONSENT_GIVER_NOT_ENTITLED"),
    "expired": ({}, "CONSENT_EXPIRED"),
    "withdrawn": ({}, "CONSENT_WITHDRAWN"),
    "later": ({}, "CONSENT_MISSING"),
}
BY_ROW = [name for name in CASES if name not in ("expired", "later")]


@dataclass(frozen=True, slots=True)
class Asked:
    """The recipient, whom the cases are about, and what was answered."""

    vendor: Vendor
    whom: dict[str, Known]
    valid: Known
    listed: httpx2.Response
    answers: dict[str, httpx2.Response]


def enter_expired(demo: Demo, known: Known) -> None:
    """Past the door: what ran out before it is entered is refused there (R18)."""
    terms = ConsentTerms(
        recipients=frozenset({RECIPIENT}),
        purpose=PURPOSE,
        categories=frozenset({Category.PUPIL_NUMBER, Category.ORGANISATION}),
        text="Brief 2026-1",
        form=Form.WRITTEN,
        evidence="f" * 64,
        until=legal_today() - timedelta(days=1),
    )
    with open_school(demo.directory) as school:
        (speaks,) = school.world().now().facts.about(known.internal).representatives
    given, extract = datetime(2026, 2, 1, tzinfo=UTC), date.fromisoformat(EXTRACT)
    yes = Consent(
        capacity=Capacity.PARENT, answer=Answer.YES, given=given, giver=speaks.person, extract=extract, terms=terms
    )
    learn(demo, known, yes)


@pytest.fixture(scope="module")
def asked(demo: Demo) -> Iterator[Asked]:
    with asking(demo, RECIPIENT, PURPOSE, OTHER_PURPOSE) as (vendor, shown):
        young = pupils(demo, RECIPIENT, shown, lambda one: years_old(one) < 15)
        valid, *others = young[-len(CASES) - 1 :]
        whom = dict(zip(CASES, others, strict=True))
        capacity = {whom["wrong giver"].number: "parent-without-gezag"}
        bring_in(demo, "guardian", [guardian(one, capacity.get(one.number, "parent")) for one in (valid, *others)])
        bring_in(
            demo,
            "consent",
            [
                says_yes(valid, RECIPIENT, PURPOSE),
                *({**says_yes(whom[name], RECIPIENT, PURPOSE), **CASES[name][0]} for name in BY_ROW),
            ],
        )
        enter_expired(demo, whom["expired"])
        arguments = ("--capacity", "parent", "--recipient", RECIPIENT, "-C", str(demo.directory))
        withdrawn = run("consent", "withdraw", *arguments, typed=whom["withdrawn"].number + "\n")
        assert withdrawn.returncode == 0, withdrawn.stderr
        answers = {name: vendor.student(known.pseudonym) for name, known in whom.items()}
        yield Asked(vendor, whom, valid, vendor.get(STUDENTS), answers)


@pytest.mark.parametrize("case", CASES)
def test_consent_that_does_not_hold_has_its_own_reason_in_the_schools_report(
    demo: Demo, asked: Asked, case: str
) -> None:
    entry = demo.entry(asked.answers[case])

    assert entry["reasons"] == [CASES[case][1]]
    assert entry["outcome"] == "not-available"


def test_command_line_shows_the_same_reason(demo: Demo, asked: Asked) -> None:
    transfer = asked.answers["oral"].headers["gateway-transfer"]
    shown = orjson.loads(demo.gateway("register", "show", "--id", transfer, "--reason", "klacht"))

    assert shown["reasons"] == ["CONSENT_NOT_WRITTEN"]


def test_recipient_is_told_one_absence_whatever_the_reason(asked: Asked) -> None:
    never = asked.vendor.student(UNKNOWN)

    assert never.status_code == 404
    assert same_but_for_the_transfer(never, *asked.answers.values())


def test_list_holds_who_consented_and_nobody_else(asked: Asked) -> None:
    assert [one["userIds"][0]["userId"] for one in asked.listed.json()] == [asked.valid.pseudonym]
    assert asked.vendor.student(asked.valid.pseudonym).status_code == 200


def test_consent_counts_from_its_entry_on_and_not_for_the_call_before(demo: Demo, asked: Asked) -> None:
    later, before = asked.whom["later"], asked.answers["later"]
    bring_in(demo, "consent", [says_yes(later, RECIPIENT, PURPOSE)])
    after = [asked.vendor.student(later.pseudonym) for _ in range(6)]

    assert {one.status_code for one in after} == {200}
    assert demo.entry(before)["reasons"] == ["CONSENT_MISSING"]


def test_named_recipient_of_the_demo_gets_who_consented_and_no_more(demo: Demo, asked: Asked) -> None:
    """R63: an investigation of one pupil, by name."""
    vendor = demo.vendor("dyslexiebureau")
    before = vendor.records(STUDENTS)
    named = "name birth-date organisation"
    bring_in(demo, "consent", [says_yes(asked.valid, "dyslexiebureau", "dyslexieonderzoek", categories=named)])
    (found,) = vendor.records(STUDENTS)
    (held,) = (
        one
        for one in demo.lvs.everything("/students/school")
        if any(named["userId"] == asked.valid.number for named in one["userIds"])
    )

    assert before == []
    assert {"givenName", "familyName", "dateOfBirth"} <= set(found)
    assert set(found) <= {"givenName", "familyNamePrefix", "familyName", "dateOfBirth", *FIXED}
    assert (found["givenName"], found["dateOfBirth"]) == (held["givenName"], held["dateOfBirth"])


FIXED = ("status", "dateCreated", "dateLastModified")


def test_named_pupil_is_unknown_without_the_pseudonym(asked: Asked) -> None:
    """The school's number is no way in."""
    body = {"school": SCHOOL, "student": reference(asked.valid.number)}

    assert asked.vendor.post("/lvs/students", body).status_code == 404
