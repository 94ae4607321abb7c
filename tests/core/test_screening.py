"""Who may be in an answer today, and which of their fields may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.facts import (
    DECLARED,
    NOTHING_KNOWN,
    Answer,
    Capacity,
    Consent,
    CourtOrder,
    Dispute,
    Facts,
    Kind,
    Objection,
    Occasion,
    Restriction,
    RestrictionGround,
)
from gateway.core.gate.question import Audience
from gateway.core.gate.screening import facts_used, screen, screen_inbound, uses_age
from gateway.core.gate.screening_fields import FieldTerms, field_terms
from gateway.core.model import (
    Category,
    Enrolment,
    Ground,
    Person,
    PseudonymMethod,
    RecipientKind,
    Subject,
    Transform,
    Verdict,
)
from gateway.core.policy.terms import Conditions, Delivery, Grondslag, Rows
from gateway.core.reasons import Reason
from tests.builders_policy import A_RECORD, DELIVERY, TODAY, delivery, enrolled, grant, pupil

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)
OUT = (Reason.PUPIL_NOT_IN_SCOPE,)
GROUPS = replace(DELIVERY, rows=Rows(groups=frozenset({"1a"})))
YEARS = replace(DELIVERY, rows=Rows(years=frozenset({1})))


def test_pupil_that_is_enrolled_here_is_available() -> None:
    assert screen(DELIVERY, pupil(enrolled()), NOTHING_KNOWN, TODAY, FieldTerms()) == Verdict()


def test_pupil_that_nobody_knows_is_unresolved() -> None:
    assert screen(DELIVERY, None, NOTHING_KNOWN, TODAY, FieldTerms()).reasons == (Reason.PUPIL_UNRESOLVED,)


SCOPE: dict[str, tuple[Delivery, Subject, tuple[Reason, ...]]] = {
    "never enrolled": (DELIVERY, pupil(), OUT),
    "enrolled elsewhere": (DELIVERY, pupil(enrolled("zuid")), OUT),
    "enrolled here and elsewhere": (DELIVERY, pupil(enrolled("zuid"), enrolled()), ()),
    "begins today": (DELIVERY, pupil(enrolled(begin=TODAY)), ()),
    "begins tomorrow": (DELIVERY, pupil(enrolled(begin=TOMORROW)), OUT),
    "last day today": (DELIVERY, pupil(enrolled(end=TODAY)), ()),
    "left yesterday": (DELIVERY, pupil(enrolled(end=YESTERDAY)), OUT),
    "left and came back": (DELIVERY, pupil(enrolled(end=YESTERDAY), enrolled()), ()),
    "delivery without locations": (replace(DELIVERY, locations=frozenset()), pupil(enrolled()), OUT),
    "year in the rows": (YEARS, pupil(enrolled(year=1)), ()),
    "year outside the rows": (YEARS, pupil(enrolled(year=2)), OUT),
    "year unknown": (YEARS, pupil(enrolled(year=None)), OUT),
    "year of another location": (YEARS, pupil(enrolled(year=2), enrolled("zuid", 1)), OUT),
    "year of an enrolment that ended": (YEARS, pupil(enrolled(year=1, end=YESTERDAY), enrolled(year=2)), OUT),
    "no years at all": (replace(DELIVERY, rows=Rows(years=frozenset())), pupil(enrolled()), OUT),
    "group in the rows": (GROUPS, pupil(enrolled(), groups=frozenset({"1a", "1b"})), ()),
    "group outside the rows": (GROUPS, pupil(enrolled(), groups=frozenset({"1b"})), OUT),
    "no group": (GROUPS, pupil(enrolled()), OUT),
    "teacher here": (YEARS, pupil(enrolled(year=None), person=Person.STAFF), ()),
    "teacher of another group": (GROUPS, pupil(enrolled(), person=Person.STAFF), ()),
    "teacher elsewhere": (DELIVERY, pupil(enrolled("zuid"), person=Person.STAFF), OUT),
    "teacher who left": (DELIVERY, pupil(enrolled(end=YESTERDAY), person=Person.STAFF), OUT),
    "guardian": (DELIVERY, pupil(enrolled(), person=Person.GUARDIAN), OUT),
}


@pytest.mark.parametrize(("one", "subject", "reasons"), SCOPE.values(), ids=SCOPE)
def test_person_in_scope_only_is_available(one: Delivery, subject: Subject, reasons: tuple[Reason, ...]) -> None:
    assert screen(one, subject, NOTHING_KNOWN, TODAY, FieldTerms()).reasons == reasons


def test_pupil_under_consent_is_withheld_while_no_consent_is_known() -> None:
    one = delivery(grondslag=Grondslag(Ground.CONSENT, "formulier"))

    assert screen(one, pupil(enrolled()), NOTHING_KNOWN, TODAY, FieldTerms()).reasons == (Reason.CONSENT_MISSING,)


def test_pupil_without_any_ground_is_withheld() -> None:
    assert not screen(delivery(grondslag=None), pupil(enrolled()), NOTHING_KNOWN, TODAY, FieldTerms()).available


def test_screen_collects_all_reasons_in_gate_order() -> None:
    one = delivery(grant("year"), grondslag=Grondslag(Ground.CONSENT, "formulier"))
    left = pupil(enrolled(begin=date(2015, 8, 1), end=date(2020, 7, 31)))

    assert screen(one, left, NOTHING_KNOWN, TODAY, field_terms(one, A_RECORD)).reasons == (
        Reason.PUPIL_NOT_IN_SCOPE,
        Reason.RETENTION_PASSED,
        Reason.CONSENT_MISSING,
    )


@pytest.mark.parametrize("path", ["medical", "image", "psychological-report"])
def test_field_that_needs_consent_is_withheld_from_everybody(path: str) -> None:
    one = delivery(grant(path), grant("year"), pseudonym=PseudonymMethod.NONE)

    verdict = screen(one, pupil(enrolled()), NOTHING_KNOWN, TODAY, field_terms(one, A_RECORD))

    assert verdict == Verdict((), frozenset({path}), ((path, Reason.CONSENT_MISSING),))


def test_field_that_is_fixed_is_not_withheld() -> None:
    one = delivery(grant("medical", Transform.FIXED, value="-"))

    assert field_terms(one, A_RECORD).consent == frozenset()


LEFT = date(2024, 2, 29)


@pytest.mark.parametrize(
    ("today", "past"),
    [
        (date(2026, 3, 1), set()),
        (date(2026, 3, 2), {"ids.value", "ids.type", "year"}),
        (date(2029, 3, 1), {"ids.value", "ids.type", "year"}),
        (date(2029, 3, 2), {"ids.value", "ids.type", "year", "presence", "absence-reason"}),
    ],
    ids=["two years", "a day more", "five years", "five years and a day"],
)
def test_field_is_withheld_when_its_category_is_past_retention(today: date, past: set[str]) -> None:
    one = delivery(grant("year"), grant("presence"), grant("absence-reason"))
    subject = pupil(enrolled(begin=date(2020, 8, 1), end=LEFT))

    verdict = screen(one, subject, NOTHING_KNOWN, today, field_terms(one, A_RECORD))

    assert verdict.withheld == past
    assert verdict.fields == tuple((path, Reason.RETENTION_PASSED) for path in sorted(past))


def test_retention_does_not_run_while_the_pupil_is_enrolled_elsewhere_in_the_school() -> None:
    moved = pupil(enrolled(begin=date(2015, 8, 1), end=date(2020, 7, 31)), enrolled("zuid"))

    verdict = screen(DELIVERY, moved, NOTHING_KNOWN, TODAY, field_terms(DELIVERY, A_RECORD))

    assert verdict == Verdict(OUT)


def test_retention_counts_from_the_last_enrolment() -> None:
    twice = pupil(
        enrolled(begin=date(2010, 8, 1), end=date(2015, 7, 31)), enrolled(begin=date(2020, 8, 1), end=YESTERDAY)
    )

    assert screen(DELIVERY, twice, NOTHING_KNOWN, TODAY, field_terms(DELIVERY, A_RECORD)) == Verdict(OUT)


def test_end_at_the_end_of_the_calendar_is_no_error() -> None:
    """An LVS that knows no open end writes 9999-12-31; the day that retention ends is then beyond every date."""
    elsewhere = pupil(enrolled("zuid", end=date(9999, 12, 30)))

    assert screen(DELIVERY, elsewhere, NOTHING_KNOWN, TODAY, field_terms(DELIVERY, A_RECORD)) == Verdict(OUT)


def test_retention_is_not_counted_for_employees() -> None:
    gone = pupil(enrolled(begin=date(2010, 8, 1), end=date(2015, 7, 31)), person=Person.STAFF)

    assert screen(DELIVERY, gone, NOTHING_KNOWN, TODAY, field_terms(DELIVERY, A_RECORD)) == Verdict(OUT)


ENROLMENTS = st.builds(
    Enrolment,
    st.sampled_from(["noord", "zuid"]),
    st.none() | st.integers(1, 6),
    st.dates(),
    st.none() | st.dates(),
)
SUBJECTS = st.none() | st.builds(
    pupil, *[ENROLMENTS] * 2, person=st.sampled_from(list(Person)), groups=st.frozensets(st.sampled_from("ab"))
)
ROWS = st.builds(Rows, st.none() | st.frozensets(st.integers(1, 6)), st.none() | st.frozensets(st.sampled_from("ab")))


@given(SUBJECTS, ROWS, st.dates(max_value=date(9990, 1, 1)))
def test_screen_never_raises_and_narrower_rows_never_release_more(
    subject: Subject | None, rows: Rows, today: date
) -> None:
    fields: FieldTerms = field_terms(DELIVERY, A_RECORD)
    wide = screen(DELIVERY, subject, NOTHING_KNOWN, today, fields)
    narrow = screen(replace(DELIVERY, rows=rows), subject, NOTHING_KNOWN, today, fields)

    assert wide.available or not narrow.available
    assert wide.withheld <= narrow.withheld


# -- what comes back (D9) --------------------------------------------------------------------------------------------

RESTRICTED = Facts(restrictions=(Restriction(ground=RestrictionGround.ACCURACY),))
FIELDS = field_terms(DELIVERY, A_RECORD)


def test_inbound_needs_no_consent_and_no_permit() -> None:
    one = delivery(grant("medical"), grondslag=Grondslag(Ground.CONSENT, "formulier"))
    refused = Facts(consents=(Consent(capacity=Capacity.PARENT, answer=Answer.NO, given=NOW),))

    assert screen_inbound(one, pupil(enrolled()), refused, TODAY, field_terms(one, A_RECORD)) == Verdict()


@pytest.mark.parametrize(
    ("subject", "facts", "reason"),
    [
        (pupil(enrolled(end=YESTERDAY)), NOTHING_KNOWN, Reason.PUPIL_NOT_IN_SCOPE),
        (pupil(enrolled()), RESTRICTED, Reason.PUPIL_RESTRICTED),
    ],
    ids=["left", "restricted"],
)
def test_inbound_about_who_left_or_is_restricted_is_a_task_for_the_school(
    subject: Subject, facts: Facts, reason: Reason
) -> None:
    assert screen_inbound(DELIVERY, subject, facts, TODAY, FIELDS) == Verdict((reason,), held=(reason,))


def test_inbound_about_nobody_known_is_unresolved() -> None:
    assert screen_inbound(DELIVERY, None, NOTHING_KNOWN, TODAY, FIELDS).reasons == (Reason.PUPIL_UNRESOLVED,)


def test_inbound_restriction_of_other_categories_stops_nothing() -> None:
    other = Facts(
        restrictions=(Restriction(ground=RestrictionGround.ACCURACY, categories=frozenset({Category.SUPPORT})),)
    )

    assert screen_inbound(DELIVERY, pupil(enrolled()), other, TODAY, FIELDS).available


# -- which facts must be declared ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ground", Ground)
def test_objections_are_used_on_public_task_and_legitimate_interest_only(ground: Ground) -> None:
    used = facts_used(delivery(grondslag=Grondslag(ground, "WPO artikel 8")))

    assert used - {Kind.OBJECTION} == {Kind.RESTRICTION, Kind.COURT_ORDER, Kind.MARKER}
    assert (Kind.OBJECTION in used) == (ground in {Ground.PUBLIC_TASK, Ground.LEGITIMATE_INTEREST})


def test_objections_are_not_used_on_an_occasion() -> None:
    one = replace(DELIVERY, conditions=Conditions(occasion=Occasion.POLICE))

    assert Kind.OBJECTION not in facts_used(one)


def test_break_glass_waits_for_no_declaration() -> None:
    one = delivery(conditions=Conditions(occasion=Occasion.BREAK_GLASS))

    assert facts_used(one) == frozenset()


def test_facts_used_are_kinds_that_can_be_declared() -> None:
    assert facts_used(DELIVERY) <= set(DECLARED)


# -- beside the cases of tests/vectors -------------------------------------------------------------------------------


def test_consent_of_a_teacher_is_not_known() -> None:
    one = delivery(grondslag=Grondslag(Ground.CONSENT, "formulier"))
    subject = pupil(enrolled(), person=Person.STAFF)
    facts = Facts(consents=(Consent(capacity=Capacity.PUPIL, answer=Answer.YES, given=NOW),))

    assert screen(one, subject, facts, TODAY, FieldTerms()).reasons == (Reason.CONSENT_MISSING,)


def test_permit_without_a_moment_does_not_hold() -> None:
    one = replace(DELIVERY, conditions=Conditions(occasion=Occasion.POLICE))

    assert screen(one, pupil(enrolled()), NOTHING_KNOWN, TODAY, FieldTerms()).reasons == (Reason.NO_VORDERING,)


def test_all_that_speaks_is_told_in_gate_order() -> None:
    everything = Facts(
        birth=date(2014, 1, 1),
        court_orders=(CourtOrder(),),
        restrictions=(Restriction(ground=RestrictionGround.ACCURACY),),
        objections=(Objection(received=TODAY),),
        disputes=(Dispute(categories=frozenset({Category.ORGANISATION})),),
    )
    one = delivery(grant("year"), grant("medical"))

    verdict = screen(one, pupil(enrolled("zuid")), everything, TODAY, field_terms(one, A_RECORD))

    assert verdict.reasons == (
        Reason.PUPIL_NOT_IN_SCOPE,
        Reason.COURT_ORDER,
        Reason.PUPIL_RESTRICTED,
        Reason.PUPIL_OBJECTED,
        Reason.CONSENT_MISSING,
        Reason.FIELD_DISPUTED,
    )
    assert verdict.fields == (("medical", Reason.CONSENT_MISSING), ("year", Reason.FIELD_DISPUTED))


# -- whose age must be known -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ground", "kind", "occasion", "used"),
    [
        (Ground.CONSENT, RecipientKind.OTHER, Occasion.STANDING, True),
        (Ground.PUBLIC_TASK, RecipientKind.PARENT, Occasion.STANDING, True),
        (Ground.PUBLIC_TASK, RecipientKind.PUBLISHER, Occasion.STANDING, False),
        (Ground.CONSENT, RecipientKind.OTHER, Occasion.POLICE, False),
    ],
)
def test_age_is_used_where_it_decides_about_everybody(
    ground: Ground, kind: RecipientKind, occasion: Occasion, *, used: bool
) -> None:
    one = delivery(grondslag=Grondslag(ground, "formulier"), conditions=Conditions(occasion=occasion))

    assert uses_age(one, Audience(kind)) is used
