"""Legal days: Amsterdam's date, terms in years, birthdays."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.core.days import dutch_clock, holds, legal_date, reached, years_after

TODAY = date(2026, 10, 5)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 7, 1, 21, 59, 59, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 7, 1, 22, 0, 0, tzinfo=UTC), date(2026, 7, 2)),
        (datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), date(2026, 12, 31)),
        (datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
    ids=["summer before midnight", "summer midnight", "winter before midnight", "winter midnight"],
)
def test_day_begins_at_midnight_in_amsterdam(moment: datetime, day: date) -> None:
    assert legal_date(moment) == day


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, True),
        (TODAY, None, True),
        (date(2026, 10, 6), None, False),
        (None, TODAY, True),
        (None, date(2026, 10, 4), False),
    ],
)
def test_both_days_of_a_period_count(since: date | None, until: date | None, *, expected: bool) -> None:
    assert holds(since, until, TODAY) is expected


@pytest.mark.parametrize(
    ("birth", "age", "eve", "birthday"),
    [
        (date(2010, 10, 5), 16, date(2026, 10, 4), date(2026, 10, 5)),
        (date(2012, 2, 29), 16, date(2028, 2, 28), date(2028, 2, 29)),
        (date(2012, 2, 29), 18, date(2030, 2, 28), date(2030, 3, 1)),
        (date(2008, 2, 29), 18, date(2026, 2, 28), date(2026, 3, 1)),
    ],
    ids=["ordinary", "leap day in a leap year", "leap day at 18", "leap day, 2008"],
)
def test_age_is_reached_on_the_birthday(birth: date, age: int, eve: date, birthday: date) -> None:
    assert not reached(birth, age, eve)
    assert reached(birth, age, birthday)


def test_term_beyond_the_calendar_ends_with_it() -> None:
    assert years_after(date(9999, 1, 1), 2) == date.max


@pytest.mark.parametrize(
    ("moment", "read"),
    [
        (datetime(2026, 11, 22, 21, 37, 48, 597072, UTC), "2026-11-22 22:37:48"),
        (datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "2026-07-02 00:30:00"),
    ],
)
def test_moment_is_read_on_the_dutch_clock(moment: datetime, read: str) -> None:
    assert dutch_clock(moment) == read
