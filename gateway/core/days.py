"""Legal days: dates of Europe/Amsterdam, terms in years, birthdays (house rule 9; requirements 5.2).

Pure; the clock is the caller's. Leaves out: what a day decides (`scope`, `consent`, `audience`).
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def legal_date(moment: datetime) -> date:
    """The date in Europe/Amsterdam (house rule 9)."""
    return _date_at(int(moment.timestamp() // 60))


def dutch_clock(moment: datetime) -> str:
    """As a person at school reads it."""
    return moment.astimezone(AMSTERDAM).strftime("%Y-%m-%d %H:%M:%S")


@lru_cache(maxsize=64)
def _date_at(minute: int) -> date:
    """An offset from UTC is whole minutes, so every moment of a minute has one date."""
    return datetime.fromtimestamp(minute * 60, AMSTERDAM).date()


def holds(since: date | None, until: date | None, today: date) -> bool:
    """Both days count; None is open."""
    return (since is None or since <= today) and (until is None or today <= until)


def years_after(day: date, years: int) -> date:
    """29 February becomes 1 March (table 5.2). An LVS that knows no open end writes the last day there is."""
    if day.year + years > date.max.year:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # no 29 February that year
        return date(day.year + years, 3, 1)


def school_year_begun(day: date) -> int:
    """The year in which the school year of `day` began: on 1 August (article 1 WPO)."""
    return day.year if day.month >= 8 else day.year - 1


def school_year(day: date) -> str:
    """As it is called, by both its years: "2026-2027"."""
    begun = school_year_begun(day)
    return f"{begun}-{begun + 1}"


def reached(birth: date, age: int, today: date) -> bool:
    """The birthday itself counts, from 00:00 in Amsterdam (C6)."""
    return years_after(birth, age) <= today
