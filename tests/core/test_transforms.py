"""Each transform: what it makes, and that what it cannot read never passes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Transform
from gateway.core.release.transforms import Scalar, Unreadable, change, reference_day

REFERENCE = date(2026, 10, 1)


def made(transform: Transform, value: Scalar, form: str | None = None) -> Scalar:
    how = change(transform, form, REFERENCE)
    assert how is not None
    return how(value)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 8, 1), date(2026, 10, 1)),
        (date(2026, 7, 31), date(2025, 10, 1)),
        (date(2027, 1, 1), date(2026, 10, 1)),
        (date(2026, 10, 1), date(2026, 10, 1)),
    ],
)
def test_reference_day_is_1_october_of_the_school_year(today: date, expected: date) -> None:
    assert reference_day(today) == expected


def test_keep_has_no_function() -> None:
    assert change(Transform.KEEP, None, REFERENCE) is None


@pytest.mark.parametrize("transform", [Transform.FIXED, Transform.EMPTY, Transform.PSEUDONYM, Transform.MASK])
def test_change_for_a_transform_that_reads_nothing_is_refused(transform: Transform) -> None:
    with pytest.raises(ValueError, match="reads no value by itself"):
        change(transform, None, REFERENCE)


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("2012-03-04", None, "2012"),
        (date(2012, 3, 4), "date", "2012-01-01"),
        (datetime(2012, 3, 4, 5, tzinfo=UTC), "date-time", "2012-01-01T00:00:00Z"),
        ("2012-03-04T05:00:00Z", None, "2012"),
    ],
)
def test_year_keeps_only_the_year_in_the_form_of_its_field(value: Scalar, form: str | None, expected: str) -> None:
    assert made(Transform.YEAR, value, form) == expected


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (date(2022, 10, 1), "4-6"),
        (date(2022, 10, 2), "0-3"),
        (date(2016, 10, 2), "7-9"),
        (date(2016, 10, 1), "10-12"),
        (date(2013, 10, 1), "13-15"),
        (date(2010, 10, 1), "16-17"),
        (date(2008, 10, 2), "16-17"),
        (date(2008, 10, 1), "18+"),
        (date(1950, 1, 1), "18+"),
        ("2012-02-29", "13-15"),
    ],
)
def test_age_band_counts_on_1_october(born: Scalar, band: str) -> None:
    assert made(Transform.AGE_BAND, born) == band


def test_age_band_does_not_move_within_a_school_year() -> None:
    """D12: a band that moves on the birthday betrays it."""
    born = date(2013, 12, 31)

    days = [date(2026, 8, 1), date(2026, 12, 30), date(2026, 12, 31), date(2027, 7, 31)]
    bands = {(change(Transform.AGE_BAND, None, reference_day(day)) or str)(born) for day in days}

    assert bands == {"10-12"}


def test_age_band_of_someone_not_yet_born_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        made(Transform.AGE_BAND, date(2027, 1, 1))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Fatima", "F."),
        ("Jan Willem", "J.W."),
        ("Jan-Willem", "J.W."),
        (" anne  marie ", "A.M."),
        ("'t Hart", "H."),
        ("Émile", "É."),
    ],
)
def test_initials_are_the_first_letters(name: str, expected: str) -> None:
    assert made(Transform.INITIALS, name) == expected


@pytest.mark.parametrize(("name", "expected"), [("Fatima", "F"), ("'t Hart", "T"), ("élan", "É")])
def test_first_letter_is_a_capital_letter(name: str, expected: str) -> None:
    assert made(Transform.FIRST_LETTER, name) == expected


@pytest.mark.parametrize("code", ["1234AB", "1234 AB", " 1234 ab "])
def test_pc4_keeps_the_four_digits(code: str) -> None:
    assert made(Transform.PC4, code) == "1234"


def test_redact_leaves_an_empty_text() -> None:
    assert not made(Transform.REDACT, "anything")


@pytest.mark.parametrize(
    ("transform", "value"),
    [
        (Transform.YEAR, "vorig jaar"),
        (Transform.YEAR, "20-3-2012"),
        (Transform.YEAR, 2012),
        (Transform.AGE_BAND, ""),
        (Transform.AGE_BAND, "onbekend"),
        (Transform.INITIALS, ""),
        (Transform.INITIALS, "123"),
        (Transform.INITIALS, 5),
        (Transform.FIRST_LETTER, "- "),
        (Transform.PC4, "0123AB"),
        (Transform.PC4, "B-1000"),
        (Transform.PC4, "1234"),
        (Transform.PC4, "1234ABC"),
        (Transform.REDACT, 7),
    ],
)
def test_transform_of_what_it_cannot_read_is_refused(transform: Transform, value: Scalar) -> None:
    with pytest.raises(Unreadable) as refusal:
        made(transform, value)

    assert not str(refusal.value)
    assert refusal.value.__context__ is None


@given(st.sampled_from([Transform.YEAR, Transform.AGE_BAND, Transform.INITIALS, Transform.PC4]), st.text())
def test_transform_of_any_text_gives_less_or_refuses(transform: Transform, text: str) -> None:
    try:
        found = made(transform, text)
    except Unreadable:
        return

    assert found != text or len(text) <= 4 or transform is Transform.INITIALS
