"""core.persons: who may do what, what needs two persons, and what is kept from whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.persons import (
    MAY,
    Deed,
    PersonRole,
    Weight,
    may,
    names_pupils,
    needs_two,
    places,
    sentence,
    shown,
    shown_entry,
)
from gateway.core.reasons import Reason
from tests.simulators.persons import somebody, somebody_at

# What an FG may do (R84): read everything, and review break-glass afterwards.
READS = {
    Deed.PERSON_VIEW,
    Deed.FACTS_READ,
    Deed.HOLD_VIEW,
    Deed.PERMIT_VIEW,
    Deed.PERMIT_REVIEW,
    Deed.PUPIL_VIEW,
    Deed.REGISTER_VIEW,
    Deed.PROPOSAL_VIEW,
}


def test_every_deed_says_who_may_do_it() -> None:
    assert set(MAY) == set(Deed)
    assert all(MAY.values())


def test_fg_reads_everything_and_changes_nothing() -> None:
    fg = somebody("fg", PersonRole.FG)

    assert {deed for deed in Deed if may(fg, deed)} == READS


def test_board_decides_objections_alone() -> None:
    assert MAY[Deed.OBJECTION_DECIDE] == {PersonRole.BOARD}


def test_administrator_sees_no_pupil() -> None:
    administrator = somebody("a", PersonRole.ADMINISTRATOR)
    seen = {deed for deed in Deed if names_pupils(deed) and may(administrator, deed)}

    # transfers are shown by reference only
    assert seen == {Deed.REGISTER_VIEW}


def test_person_without_role_may_do_nothing() -> None:
    nobody = replace(somebody(), held=frozenset())

    assert not [deed for deed in Deed if may(nobody, deed)]


def test_location_admin_sees_pupils_of_that_location_only() -> None:
    """R65."""
    admin = somebody_at("noord")

    assert may(admin, Deed.PUPIL_VIEW, {"noord", "zuid"})
    assert not may(admin, Deed.PUPIL_VIEW, {"zuid"})
    assert not may(admin, Deed.PUPIL_VIEW)
    assert places(admin, Deed.PUPIL_VIEW) == frozenset({"noord"})


def test_role_held_everywhere_sees_every_location() -> None:
    assert places(somebody("o", PersonRole.CONSENT_OFFICER), Deed.FACTS_READ) is None


@pytest.mark.parametrize("deed", Deed)
def test_without_confidentiality_statement_nothing_about_a_pupil(deed: Deed) -> None:
    """R108."""
    careless = replace(somebody(), confidential=False)

    assert may(careless, deed, {"noord"}) is not names_pupils(deed)


# -- two persons -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deed", "weight"),
    [
        (Deed.RECIPIENT_ACTIVATE, Weight.STATUTORY),
        (Deed.RECIPIENT_ACTIVATE, Weight.SPECIAL),
        (Deed.PERMIT_MAKE, Weight.POLICE),
        (Deed.HOLD_RELEASE, Weight.SPECIAL),
    ],
)
def test_weighty_deed_needs_two_persons(deed: Deed, weight: Weight) -> None:
    assert needs_two(deed, {weight})
    assert not needs_two(deed, ())


def test_break_glass_works_at_once() -> None:
    assert not needs_two(Deed.PERMIT_MAKE, {Weight.BREAK_GLASS, Weight.SPECIAL})


def test_stopping_never_waits_for_a_second_person() -> None:
    assert not needs_two(Deed.RECIPIENT_SUSPEND, Weight)


# -- what is kept from whom ------------------------------------------------------------------------------

ROLES = st.frozensets(st.sampled_from(PersonRole))


@pytest.mark.parametrize("reason", [Reason.CHILD_SAFETY, Reason.SECRET_ADDRESS])
@given(roles=ROLES)
def test_child_safety_and_secrecy_are_seen_by_releaser_and_fg_only(
    reason: Reason, roles: frozenset[PersonRole]
) -> None:
    sees = bool(roles & {PersonRole.RELEASER, PersonRole.FG})

    assert shown(reason, roles) == (str(reason) if sees else "withheld")


@given(roles=ROLES, reason=st.sampled_from(Reason))
def test_secret_case_keeps_every_reason_from_others(roles: frozenset[PersonRole], reason: Reason) -> None:
    sees = bool(roles & {PersonRole.RELEASER, PersonRole.FG})

    assert shown(reason, roles, secret=True) == (str(reason) if sees else "withheld")
    assert sentence(reason, roles, secret=True) == (reason.meaning.school if sees else "achtergehouden")


def test_entry_keeps_what_is_secret_from_others_wherever_it_stands() -> None:
    entry = {
        "sequence": 7,
        "outcome": "not-available",
        "reasons": ["CHILD_SAFETY", "CONSENT_MISSING"],
        "detail": ["CHILD_SAFETY: noord", "SECRET_ADDRESS", "reason: x"],
        "hash": "00",
    }

    assert shown_entry(entry, frozenset({PersonRole.ADMINISTRATOR})) == {
        "outcome": "not-available",
        "reasons": ["withheld", "CONSENT_MISSING"],
        "detail": ["withheld", "withheld", "reason: x"],
    }
    assert shown_entry(entry, frozenset({PersonRole.RELEASER})) == entry


@given(roles=ROLES)
def test_other_reason_is_seen_by_everybody(roles: frozenset[PersonRole]) -> None:
    assert shown(Reason.CONSENT_MISSING, roles) == "CONSENT_MISSING"


@pytest.mark.parametrize(
    "said", ["permit: 4a99", "permit: none", "hold: 77aa", "deed: permit.make", "deed: hold.release"]
)
def test_entry_about_permits_and_holds_is_there_for_releaser_and_fg_alone(said: str) -> None:
    entry = {"outcome": "x", "detail": ["reason: y", said]}

    assert shown_entry(entry, frozenset({PersonRole.ADMINISTRATOR, PersonRole.CONSENT_OFFICER})) is None
    assert shown_entry(entry, frozenset({PersonRole.FG})) == entry


def test_entry_does_not_say_which_facts_stood_behind_it_to_who_may_not_see_why_they_moved() -> None:
    entry = {"outcome": "released", "facts": 7, "policy": 3}

    assert shown_entry(entry, frozenset({PersonRole.ADMINISTRATOR})) == {"outcome": "released", "policy": 3}
