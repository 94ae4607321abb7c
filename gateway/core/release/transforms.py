"""What a released value becomes: year, age band, initials, … as small functions, made when policy is compiled.

A value that a transform cannot read makes its record malformed (house rule 2); it never passes through unchanged,
and the error does not hold it (house rule 8). Leaves out: `pseudonym` (needs a key and a subject: `sight`), `mask`
(needs the names of the whole answer: `masking`), `fixed` and `empty` (nothing is read for them: `projection`), `view`
(what the recipient last got: `views`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date
from typing import assert_never

from gateway.core.days import school_year_begun
from gateway.core.model import Transform

Scalar = str | int | float | bool | date
Change = Callable[[Scalar], Scalar]

# N5: wide enough that a class of one age is not told apart; the last one is open.
_FIRST_AGES = (4, 7, 10, 13, 16, 18)
_BANDS = ("0-3", "4-6", "7-9", "10-12", "13-15", "16-17", "18+")

_POSTCODE = re.compile(r"([1-9][0-9]{3}) ?[A-Za-z]{2}")
_LETTER = re.compile(r"[^\W\d_]")


class Unreadable(Exception):
    """A value is not what its transform reads. Holds no value."""


def reference_day(today: date) -> date:
    """1 October of the school year (1 August - 31 July) of `today`: on that day every age counts (D12)."""
    return date(school_year_begun(today), 10, 1)


def change(transform: Transform, form: str | None, reference: date) -> Change | None:
    """The function of a transform; None where the value leaves as it is. `form`: the leaf's format, in which the
    result stays where it can; `reference`: see `reference_day`."""
    match transform:
        case Transform.KEEP:
            return None
        case Transform.YEAR:
            return _YEARS.get(form, _year)
        case Transform.AGE_BAND:
            return lambda value: _band(value, reference)
        case Transform.INITIALS:
            return _initials
        case Transform.PC4:
            return _pc4
        case Transform.FIRST_LETTER:
            return _first_letter
        case Transform.REDACT:
            return _redact
        case Transform.PSEUDONYM | Transform.FIXED | Transform.EMPTY | Transform.MASK | Transform.VIEW:
            raise ValueError(f"{transform} reads no value by itself")
        case _:
            assert_never(transform)


def _day(value: Scalar) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            pass  # raised below, outside: the cause would hold the value
    raise Unreadable


def _year(value: Scalar) -> str:
    return f"{_day(value).year:04d}"


def _first_day(value: Scalar) -> str:
    return f"{_day(value).year:04d}-01-01"


def _first_moment(value: Scalar) -> str:
    return f"{_day(value).year:04d}-01-01T00:00:00Z"


# A year in a field that must hold a date is its first day: the record still validates, and says no more.
_YEARS: Mapping[str | None, Change] = {"date": _first_day, "date-time": _first_moment}


def _band(value: Scalar, reference: date) -> str:
    """The age on the reference day, as a band."""
    born = _day(value)
    age = reference.year - born.year - ((reference.month, reference.day) < (born.month, born.day))
    if age < 0:
        raise Unreadable
    return _BANDS[bisect_right(_FIRST_AGES, age)]


def _text(value: Scalar) -> str:
    if not isinstance(value, str):
        raise Unreadable
    return value


def _initials(value: Scalar) -> str:
    """Jan Willem and Jan-Willem give `J.W.`."""
    words = _text(value).replace("-", " ").split()
    letters = [word[0] for word in words if word[0].isalpha()] or [_first_letter(value)]
    return ".".join(letters).upper() + "."


def _first_letter(value: Scalar) -> str:
    found = _LETTER.search(_text(value))
    if found is None:
        raise Unreadable
    return found.group().upper()


def _pc4(value: Scalar) -> str:
    """The four digits of a Dutch postcode; anything else may be an address abroad and tells too much."""
    found = _POSTCODE.fullmatch(_text(value).strip())
    if found is None:
        raise Unreadable
    return found.group(1)


def _redact(value: Scalar) -> str:
    _text(value)
    return ""
