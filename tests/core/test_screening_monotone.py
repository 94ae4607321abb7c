"""Deny is monotone: whatever is known, one more refusal, restriction, order, objection, marker or dispute never
releases more; and screening never raises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.facts import (
    Admission,
    Answer,
    Capacity,
    Consent,
    ConsentTerms,
    CourtOrder,
    Dispute,
    Exception18,
    Facts,
    Form,
    Mark,
    Marker,
    Objection,
    Occasion,
    Permit,
    Release,
    Representative,
    Restriction,
    RestrictionGround,
    Withdrawal,
)
from gateway.core.gate.question import Audience
from gateway.core.gate.screening import screen
from gateway.core.gate.screening_fields import field_terms
from gateway.core.model import Category, Ground, Person, PseudonymMethod, RecipientKind
from gateway.core.policy.terms import Conditions, Delivery, Grondslag
from gateway.core.reasons import Reason
from tests.builders_policy import A_RECORD, DELIVERY, TODAY, delivery, enrolled, grant, pupil

NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)
PATHS = ("direct", "contact", "result", "presence", "medical", "image", "psychological-report", "year", "postcode")
ALL = delivery(*(grant(path) for path in PATHS))
MOTHER, FATHER = b"m" * 16, b"f" * 16

OFTEN = frozenset({Category.RESULTS, Category.NAME, Category.MEDICAL, Category.IMAGE, Category.ORGANISATION})
SOME = st.frozensets(st.sampled_from(sorted(OFTEN)), min_size=1)
SCOPES = st.none() | SOME
DAYS = st.sampled_from([None, date(2026, 9, 1), TODAY, date(2026, 10, 6)])
MOMENTS = st.sampled_from([datetime(2026, month, 1, tzinfo=UTC) for month in (7, 8, 9, 10, 11)])
RECIPIENTS = st.sampled_from([None, "uitgever", "ander"])
PURPOSES = st.sampled_from([None, "oefenen", "ander"])
GIVERS = st.sampled_from([None, MOTHER, FATHER])

TERMS = st.none() | st.builds(
    ConsentTerms,
    recipients=st.sampled_from([frozenset({"uitgever"}), frozenset({"ander"})]),
    purpose=st.sampled_from(["oefenen", "ander"]),
    categories=st.just(frozenset(Category)) | SOME,
    text=st.just("1"),
    form=st.sampled_from(Form),
    evidence=st.sampled_from(["a", None]),
    until=DAYS,
)


def consents(answers: st.SearchStrategy[Answer]) -> st.SearchStrategy[Consent]:
    extract = st.sampled_from([date(2026, 8, 1), None])
    capacity = st.sampled_from(Capacity)
    return st.builds(
        Consent, capacity=capacity, answer=answers, given=MOMENTS, giver=GIVERS, extract=extract, terms=TERMS
    )


RESTRICTIONS = st.builds(
    Restriction, number=st.integers(0, 2), ground=st.sampled_from(RestrictionGround), categories=SCOPES, until=DAYS
)
MARKERS = st.builds(
    Marker, number=st.integers(0, 2), mark=st.sampled_from(Mark), categories=SCOPES, against=GIVERS, until=DAYS
)
OBJECTIONS = st.builds(
    Objection, received=st.just(date(2026, 9, 1)), recipient=RECIPIENTS, purpose=PURPOSES, rejected=DAYS
)
ORDERS = st.builds(
    CourtOrder, addressee=st.sampled_from([None, "uitgever", "ander", MOTHER.hex()]), categories=SCOPES, until=DAYS
)
DENYING: dict[str, st.SearchStrategy[Any]] = {
    "consents": consents(st.sampled_from([Answer.NO, Answer.ASKED])),
    "withdrawals": st.builds(Withdrawal, moment=MOMENTS, recipient=RECIPIENTS, purpose=PURPOSES),
    "restrictions": RESTRICTIONS,
    "objections": OBJECTIONS,
    "court_orders": ORDERS,
    "markers": MARKERS,
    "disputes": st.builds(Dispute, categories=SOME, since=DAYS),
    "admissions": st.builds(Admission, admitted=st.just(value=False), since=DAYS),
}


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


FACTS = st.builds(
    Facts,
    birth=st.sampled_from([None, date(2014, 5, 10), date(2010, 1, 1), date(2008, 2, 29)]),
    representatives=some(
        st.builds(
            Representative,
            person=st.sampled_from([MOTHER, FATHER]),
            capacity=st.sampled_from(Capacity),
            until=DAYS,
            extract=st.just(date(2026, 8, 1)),
            informed=st.booleans(),
        )
    ),
    consents=some(consents(st.sampled_from(Answer))),
    withdrawals=some(DENYING["withdrawals"]),
    restrictions=some(RESTRICTIONS),
    markers=some(MARKERS),
    releases=some(
        st.builds(
            Release,
            recipient=st.just("uitgever"),
            reason=st.sampled_from([Reason.PUPIL_RESTRICTED, Reason.SECRET_ADDRESS]),
            categories=st.just(frozenset(Category)) | SOME,
            until=st.just(TODAY),
            cause=st.integers(0, 2),
            exception=st.sampled_from([None, *Exception18]),
        )
    ),
    permits=some(
        st.builds(
            Permit,
            occasion=st.sampled_from(Occasion),
            recipient=st.just("uitgever"),
            purpose=st.just("oefenen"),
            categories=st.just(frozenset(Category)) | SOME,
            channel=st.just("api"),
            until=st.sampled_from([datetime(2026, 10, 6, tzinfo=UTC), NOW]),
            exception=st.sampled_from([None, *Exception18]),
        )
    ),
)
DELIVERIES = st.builds(
    lambda ground, occasion, method: replace(
        ALL,
        grondslag=ground and Grondslag(ground, "WPO artikel 8"),
        conditions=Conditions(occasion=occasion),
        pseudonym=method,
    ),
    st.sampled_from([*Ground, None]),
    st.just(Occasion.STANDING) | st.sampled_from(Occasion),
    st.sampled_from([PseudonymMethod.HMAC, PseudonymMethod.NONE]),
)
AUDIENCES = st.builds(Audience, st.sampled_from([RecipientKind.PARENT, RecipientKind.CARE]), GIVERS)
ADDED = st.sampled_from(sorted(DENYING)).flatmap(lambda kind: st.tuples(st.just(kind), DENYING[kind]))


def released(one: Delivery, facts: Facts, audience: Audience) -> tuple[bool, frozenset[str]]:
    fields = field_terms(one, A_RECORD)
    found = screen(one, pupil(enrolled()), facts, TODAY, fields, audience=audience, now=NOW)
    assert set(found.held) <= {*found.reasons, *(reason for _, reason in found.fields)}
    assert found.withheld == {path for path, _ in found.fields}
    left = fields.all - found.withheld
    assert left or not found.available
    return found.available, left if found.available else frozenset()


@given(DELIVERIES, FACTS, AUDIENCES, ADDED)
def test_more_against_never_releases_more(
    one: Delivery, facts: Facts, audience: Audience, added: tuple[str, Any]
) -> None:
    kind, fact = added
    more = msgspec.structs.replace(facts, **{kind: (*getattr(facts, kind), fact)})

    before, after = released(one, facts, audience), released(one, more, audience)

    assert before[0] or not after[0]
    assert after[1] <= before[1]


@given(FACTS, st.sampled_from([Person.STAFF, Person.GUARDIAN]))
def test_what_is_known_of_others_than_pupils_never_raises(facts: Facts, person: Person) -> None:
    assert isinstance(
        screen(DELIVERY, pupil(enrolled(), person=person), facts, TODAY, field_terms(ALL, A_RECORD, person)).available,
        bool,
    )
