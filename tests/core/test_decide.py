"""A call is permitted, or refused for every reason that spoke."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.facts import Occasion
from gateway.core.gate.decide import FILE, LACKS, Call, Permit, Refusal, Standing, decide
from gateway.core.model import Caller, Finding, Ground, PseudonymMethod
from gateway.core.policy.terms import Authorisation, Conditions, Grondslag, SchoolPolicy
from gateway.core.reasons import Reason
from tests.builders_policy import (
    AGREEMENT,
    CALL,
    CALLER,
    DELIVERY,
    DPIA,
    KEY,
    ORGANISATION,
    POLICY,
    TODAY,
    delivery,
    standing,
)

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
GOOD = standing()


def outcome(
    one: Standing = GOOD,
    caller: Caller = CALLER,
    call: Call = CALL,
    policy: SchoolPolicy = POLICY,
    today: date = TODAY,
) -> Permit | Refusal:
    return decide(caller, call, {KEY: one}, policy, ORGANISATION, today)


def refused(**changes: Any) -> set[Reason]:
    found = outcome(**changes)
    assert isinstance(found, Refusal)
    return {finding.reason for finding in found.findings}


def test_call_without_fault_is_permitted_without_findings() -> None:
    found = outcome()

    assert isinstance(found, Permit)
    assert found.findings == ()
    assert found.standing is GOOD


def test_permit_is_made_by_decide_only() -> None:
    with pytest.raises(RuntimeError, match="only decide"):
        Permit(CALLER, CALL, GOOD, (), object())


CALLS: dict[str, tuple[dict[str, Any], set[Reason]]] = {
    "another channel": ({"call": replace(CALL, channel="soap")}, {Reason.CHANNEL_NOT_ALLOWED}),
    "another recipient": (
        {"caller": replace(CALLER, recipient="ander")},
        {Reason.CALLER_NOT_RECIPIENT, Reason.PURPOSE_UNKNOWN, Reason.SCHEMA_NOT_ACTIVE},
    ),
    "no recipient": (
        {"caller": replace(CALLER, recipient=None)},
        {Reason.CALLER_NOT_RECIPIENT, Reason.PURPOSE_UNKNOWN, Reason.SCHEMA_NOT_ACTIVE},
    ),
    "school credential": ({"caller": replace(CALLER, kind="school")}, {Reason.CALLER_NOT_RECIPIENT}),
    "another location": (
        {"call": replace(CALL, locations=frozenset({"zuid"}))},
        {Reason.LOCATION_OUT_OF_SCOPE},
    ),
    "one location too many": (
        {"call": replace(CALL, locations=frozenset({"noord", "zuid"}))},
        {Reason.LOCATION_OUT_OF_SCOPE},
    ),
    "no location that is known": ({"call": replace(CALL, locations=frozenset())}, {Reason.LOCATION_OUT_OF_SCOPE}),
    "location that the school lost": (
        {"call": replace(CALL, locations=frozenset({"oost"})), "one": standing(delivery(locations={"oost"}))},
        {Reason.LOCATION_OUT_OF_SCOPE},
    ),
    "unknown purpose": (
        {"caller": replace(CALLER, purpose="onderzoek")},
        {Reason.PURPOSE_UNKNOWN, Reason.SCHEMA_NOT_ACTIVE},
    ),
    "no purpose": (
        {"caller": replace(CALLER, purpose=None)},
        {Reason.PURPOSE_UNKNOWN, Reason.SCHEMA_NOT_ACTIVE},
    ),
    "another purpose in the header": (
        {"call": replace(CALL, purpose="onderzoek")},
        {Reason.PURPOSE_MISMATCH},
    ),
    "forbidden purpose in the header": (
        {"call": replace(CALL, purpose="reclame")},
        {Reason.PURPOSE_MISMATCH, Reason.PURPOSE_FORBIDDEN},
    ),
    "schema outside the delivery": ({"call": replace(CALL, schema="results")}, {Reason.ROUTE_UNKNOWN}),
    "record outside the delivery": ({"call": replace(CALL, record="Teacher")}, {Reason.ROUTE_UNKNOWN}),
    "delivery of another recipient": (
        {"one": replace(GOOD, delivery=delivery(recipient="ander"))},
        {Reason.CALLER_NOT_RECIPIENT},
    ),
}


@pytest.mark.parametrize(("changes", "expected"), CALLS.values(), ids=CALLS)
def test_call_with_a_fault_is_refused(changes: dict[str, Any], expected: set[Reason]) -> None:
    assert refused(**changes) == expected


@pytest.mark.parametrize(
    "call",
    [replace(CALL, locations=None), replace(CALL, purpose="oefenen")],
    ids=["route without organisation", "own purpose in the header"],
)
def test_call_that_says_less_or_the_same_is_permitted(call: Call) -> None:
    assert isinstance(outcome(call=call), Permit)


def test_forbidden_purpose_is_the_answer_before_a_wrong_one() -> None:
    found = outcome(call=replace(CALL, purpose="direct-marketing"))

    assert isinstance(found, Refusal)
    assert found.reason is Reason.PURPOSE_FORBIDDEN


DATES: dict[str, tuple[Standing, Reason | None]] = {
    "delivery ends today": (standing(delivery(until=TODAY)), None),
    "delivery ended": (standing(delivery(until=YESTERDAY)), Reason.SCHEMA_EXPIRED),
    "agreement starts today": (standing(agreement=replace(AGREEMENT, starts=TODAY)), None),
    "agreement starts tomorrow": (
        standing(agreement=replace(AGREEMENT, starts=TOMORROW)),
        Reason.AGREEMENT_MISSING,
    ),
    "agreement signed tomorrow": (
        standing(agreement=replace(AGREEMENT, signed=TOMORROW)),
        Reason.AGREEMENT_MISSING,
    ),
    "agreement ends today": (standing(agreement=replace(AGREEMENT, until=TODAY)), None),
    "agreement ended": (standing(agreement=replace(AGREEMENT, until=YESTERDAY)), Reason.AGREEMENT_EXPIRED),
    "authorised from today": (
        standing(delivery(authorisation=Authorisation("directeur", TODAY, TODAY))),
        None,
    ),
    "authorised from tomorrow": (
        standing(delivery(authorisation=Authorisation("directeur", TOMORROW, TOMORROW))),
        Reason.AGREEMENT_MISSING,
    ),
    "authorisation ended": (
        standing(delivery(authorisation=Authorisation("directeur", YESTERDAY, YESTERDAY))),
        Reason.AGREEMENT_EXPIRED,
    ),
    "DPIA reviewed today": (standing(delivery(dpia=replace(DPIA, review=TODAY))), None),
    "DPIA to review": (standing(delivery(dpia=replace(DPIA, review=YESTERDAY))), Reason.DPIA_EXPIRED),
}


@pytest.mark.parametrize(("one", "expected"), DATES.values(), ids=DATES)
def test_terms_hold_through_their_last_day(one: Standing, expected: Reason | None) -> None:
    if expected is None:
        assert isinstance(outcome(one), Permit)
    else:
        assert refused(one=one) == {expected}


@pytest.mark.parametrize("reason", list(Reason), ids=str)
def test_finding_of_policy_refuses_whatever_it_is(reason: Reason) -> None:
    if reason not in (Reason.POLICY_NOT_IN_FORCE, Reason.POLICY_NO_INSTEMMING):
        assert refused(one=replace(GOOD, findings=(Finding(reason),))) == {reason}


POLICIES = {
    "in force tomorrow": (SchoolPolicy("2", TOMORROW, YESTERDAY), Reason.POLICY_NOT_IN_FORCE),
    "without instemming": (SchoolPolicy("2", YESTERDAY, None), Reason.POLICY_NO_INSTEMMING),
    "with instemming afterwards": (SchoolPolicy("2", YESTERDAY, TODAY), Reason.POLICY_NO_INSTEMMING),
}


@pytest.mark.parametrize(("policy", "reason"), POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("ground", list(Ground))
def test_policy_finding_refuses_all_but_duty_and_vital_interest(
    ground: Ground, policy: SchoolPolicy, reason: Reason
) -> None:
    one = standing(delivery(grondslag=Grondslag(ground, "WPO artikel 8")))

    found = outcome(one, policy=policy)

    assert isinstance(found, Permit) == (ground in (Ground.STATUTORY_DUTY, Ground.VITAL_INTEREST))
    assert [finding.reason for finding in found.findings] == [reason]


def test_policy_finding_refuses_a_delivery_without_ground() -> None:
    found = outcome(standing(delivery(grondslag=None)), policy=SchoolPolicy("2", TOMORROW, YESTERDAY))

    assert isinstance(found, Refusal)


def test_policy_finding_is_not_the_answer_where_it_does_not_refuse() -> None:
    one = standing(delivery(grondslag=Grondslag(Ground.STATUTORY_DUTY, "WRO"), until=YESTERDAY))

    found = outcome(one, policy=SchoolPolicy("2", YESTERDAY, None))

    assert isinstance(found, Refusal)
    assert found.reason is Reason.SCHEMA_EXPIRED
    assert [finding.reason for finding in found.findings] == [Reason.POLICY_NO_INSTEMMING, Reason.SCHEMA_EXPIRED]


def test_refusal_collects_every_reason_in_gate_order() -> None:
    one = standing(delivery(until=YESTERDAY, channel="soap"), agreement=replace(AGREEMENT, until=YESTERDAY))

    found = outcome(one, call=replace(CALL, purpose="onderzoek", locations=frozenset()))

    assert isinstance(found, Refusal)
    assert found.reason is Reason.CHANNEL_NOT_ALLOWED
    assert [finding.reason for finding in found.findings] == [
        Reason.CHANNEL_NOT_ALLOWED,
        Reason.LOCATION_OUT_OF_SCOPE,
        Reason.PURPOSE_MISMATCH,
        Reason.SCHEMA_EXPIRED,
        Reason.AGREEMENT_EXPIRED,
    ]


def test_findings_of_an_unknown_record_stand_first() -> None:
    found = outcome(call=replace(CALL, record="Teacher", channel="soap"))

    assert [finding.reason for finding in found.findings] == [Reason.ROUTE_UNKNOWN, Reason.CHANNEL_NOT_ALLOWED]


def test_refusal_says_what_it_is_about_without_the_callers_words() -> None:
    found = outcome(call=replace(CALL, purpose="kanarie", record="kanarie"))

    assert "kanarie" not in repr(found)


# -- properties ---------------------------------------------------------------------------------------

NAMES = st.sampled_from(["uitgever", "ander", ""])
PURPOSES = st.sampled_from(["oefenen", "reclame", "", "x" * 300, "\0"])
DAYS = st.dates()
DELIVERIES = st.builds(
    lambda **terms: replace(DELIVERY, **terms),
    recipient=NAMES,
    purpose=PURPOSES,
    grondslag=st.none() | st.builds(Grondslag, st.sampled_from(list(Ground)), st.text(max_size=3)),
    locations=st.frozensets(st.sampled_from(["noord", "zuid", "oost"])),
    until=DAYS,
    pseudonym=st.sampled_from(list(PseudonymMethod)),
    channel=st.sampled_from(["api", "mail"]),
    authorisation=st.none() | st.builds(Authorisation, st.just("x"), DAYS, DAYS),
    dpia=st.none() | st.builds(replace, st.just(DPIA), review=DAYS),
)
FINDINGS = st.lists(st.builds(Finding, st.sampled_from(list(Reason))), max_size=3).map(tuple)
AGREEMENTS = st.none() | st.builds(replace, st.just(AGREEMENT), signed=DAYS, starts=DAYS, until=DAYS)
STANDINGS = st.builds(
    lambda one, agreement, findings: replace(standing(one, agreement=agreement), findings=findings),
    DELIVERIES,
    AGREEMENTS,
    FINDINGS,
)
CALLERS = st.builds(
    Caller, st.just("c"), st.sampled_from(["recipient", "school"]), st.none() | NAMES, st.none() | PURPOSES
)
CALLED = st.builds(
    Call,
    st.just("lvs"),
    st.sampled_from(["pupils", "else"]),
    st.sampled_from(["Pupil", "else"]),
    st.none() | PURPOSES,
    st.none() | st.frozensets(st.sampled_from(["noord", "zuid", "oost"])),
    st.sampled_from(["api", "soap"]),
)
POLICIES_ANY = st.builds(SchoolPolicy, st.just("1"), DAYS, st.none() | DAYS)
BOUND = st.sampled_from([KEY, ("uitgever", "oefenen", "else"), ("ander", "oefenen", "pupils")])


@given(STANDINGS, BOUND, CALLERS, CALLED, POLICIES_ANY, DAYS)
def test_decide_never_raises_and_refuses_for_a_reason_that_it_reports(
    one: Standing,
    key: tuple[str, str, str],
    caller: Caller,
    call: Call,
    policy: SchoolPolicy,
    today: date,
) -> None:
    found = decide(caller, call, {key: one}, policy, ORGANISATION, today)

    if isinstance(found, Refusal):
        assert found.reason in {finding.reason for finding in found.findings}


@given(STANDINGS, POLICIES_ANY, DAYS, st.sampled_from(list(Reason)))
def test_one_more_finding_never_permits_what_was_refused(
    one: Standing, policy: SchoolPolicy, today: date, reason: Reason
) -> None:
    before = outcome(one, policy=policy, today=today)
    after = outcome(replace(one, findings=(*one.findings, Finding(reason))), policy=policy, today=today)

    assert isinstance(before, Permit) or isinstance(after, Refusal)
    assert {finding.reason for finding in before.findings} <= {finding.reason for finding in after.findings}


# -- one-off permits (D4) --------------------------------------------------------------------------------


def one_off(occasion: Occasion) -> Standing:
    return replace(GOOD, delivery=replace(GOOD.delivery, conditions=Conditions(occasion=occasion)))


PERSON = replace(CALLER, credential="j.jansen", kind="school")
ONE_OFF = sorted(set(Occasion) - {Occasion.STANDING})


@pytest.mark.parametrize("occasion", ONE_OFF)
def test_person_of_the_school_may_hand_over_where_a_permit_is_needed(occasion: Occasion) -> None:
    assert isinstance(outcome(one_off(occasion), caller=PERSON), Permit)


@pytest.mark.parametrize("channel", ["api", "soap"])
@pytest.mark.parametrize("occasion", ONE_OFF)
def test_recipient_never_fetches_where_a_permit_is_needed(occasion: Occasion, channel: str) -> None:
    assert refused(one=one_off(occasion), call=replace(CALL, channel=channel)) == {LACKS[occasion]}


def test_person_of_the_school_hands_over_by_the_agreed_channel_only() -> None:
    found = refused(one=one_off(Occasion.SAFETY), caller=PERSON, call=replace(CALL, channel="mail"))

    assert found == {Reason.CHANNEL_NOT_ALLOWED}


def test_person_of_the_school_reads_nothing_of_a_standing_delivery() -> None:
    assert refused(caller=PERSON) == {Reason.CALLER_NOT_RECIPIENT}


def test_person_of_the_school_hands_over_to_the_recipient_of_the_delivery_alone() -> None:
    found = refused(one=one_off(Occasion.SAFETY), caller=replace(PERSON, recipient="ander"))

    assert found == {Reason.RECIPIENT_UNKNOWN}


HANDED_IN = replace(CALL, channel=FILE, locations=None)
BY_PORTAL = replace(GOOD, delivery=replace(GOOD.delivery, channel="portaal"))


def test_school_hands_in_where_it_hands_over_itself_and_only_there() -> None:
    assert isinstance(outcome(BY_PORTAL, caller=PERSON, call=HANDED_IN), Permit)
    assert refused(caller=PERSON, call=HANDED_IN) == {Reason.CHANNEL_NOT_ALLOWED}


def test_school_that_names_nobody_hears_that_alone() -> None:
    nobody = replace(PERSON, recipient="ander")

    assert refused(one=BY_PORTAL, caller=nobody, call=HANDED_IN) == {Reason.RECIPIENT_UNKNOWN}
    assert refused(one=BY_PORTAL, caller=replace(nobody, platform="uitgever"), call=HANDED_IN) == {
        Reason.RECIPIENT_UNKNOWN
    }


def test_school_that_names_no_recipient_does_not_hear_that_it_is_unknown() -> None:
    assert Reason.CALLER_NOT_RECIPIENT in refused(caller=replace(PERSON, recipient=None))


def test_school_that_misspells_the_platform_hears_so() -> None:
    by_nobody = replace(PERSON, platform="ander")

    assert refused(one=BY_PORTAL, caller=by_nobody, call=HANDED_IN) == {Reason.RECIPIENT_UNKNOWN}


def test_recipient_never_hands_in() -> None:
    assert refused(one=BY_PORTAL, call=HANDED_IN) == {Reason.CALLER_NOT_RECIPIENT}


def test_recipient_does_not_call_for_what_the_school_hands_over() -> None:
    assert refused(one=BY_PORTAL) == {Reason.CHANNEL_NOT_ALLOWED}


@pytest.mark.parametrize("occasion", ONE_OFF)
def test_no_file_takes_the_place_of_a_permit(occasion: Occasion) -> None:
    one = one_off(occasion)
    by_hand = replace(one, delivery=replace(one.delivery, channel="portaal"))

    assert refused(one=by_hand, caller=PERSON, call=HANDED_IN) == {LACKS[occasion]}


def test_permit_does_not_wait_for_the_council_and_the_finding_stays() -> None:
    found = outcome(one_off(Occasion.SAFETY), caller=PERSON, policy=SchoolPolicy("2", TOMORROW, None))

    assert isinstance(found, Permit)
    assert {one.reason for one in found.findings} == {Reason.POLICY_NOT_IN_FORCE, Reason.POLICY_NO_INSTEMMING}
