"""A BSN (or onderwijsnummer) where none belongs: found in free text by its check digits, elsewhere as somebody's own.

The 11-proef hits 9 % of arbitrary nine-digit numbers, so it judges free text only; in any other field a number is
blocked when the answer, or the school, knows it as somebody's (D7). A number counts also when it is written with
spaces, dots or dashes, or without its leading zero. Leaves out: which fields are looked at (`formats`), that a schema
grants the number itself (`rules_fields`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LENGTH = 9
_SHORTEST = 8  # a leading zero is lost where the number was a number

_GAP = r"[\s.\-\u00ad\u00b7\u2010-\u2015\u200b-\u200d\u2060\ufeff]{0,3}"
_RUN = re.compile(rf"\d(?:{_GAP}\d)*")
_GROUP = re.compile(r"\d+")
_YEAR = r"(?:19|20)\d\d"
DATE = rf"(?<!\d)(?:{_YEAR}([-./])[01]\d\1[0-3]\d|[0-3]\d([-./])[01]\d\2{_YEAR}|{_YEAR}\s?[-/\u2013]\s?{_YEAR})(?!\d)"
"""A day, or a school year: everyday numbers that are nobody's."""
_DATES = re.compile(DATE)

_may_hold = re.compile(rf"\d(?:{_GAP}\d){{{_SHORTEST - 1}}}").search
# The same of a text in ASCII, which is asked three times as fast.
_may_hold_ascii = re.compile(rf"[0-9](?:[\s\x1c-\x1f.\-]{{0,3}}[0-9]){{{_SHORTEST - 1}}}").search


def may_hold(text: str) -> re.Match[str] | None:
    """The cheap question before all others: does this text hold eight digits that could be one number?"""
    return _may_hold_ascii(text) if text.isascii() else _may_hold(text)


_OTHERWISE = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    rf"|{_YEAR}-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d[0-9:.]*(?:Z|[+-]\d\d:?\d\d)?)?"
    rf"|{_YEAR}[-/]{_YEAR}"
)


def may_be(value: str, harmless: set[str]) -> bool:
    """The same question about a field that is no free text: a UUID, a day, a moment or a school year is nobody's
    number. `harmless`: where such a value is kept, so that a list full of it asks once."""
    if may_hold(value) is None:
        return False
    if _OTHERWISE.fullmatch(value) is None:
        return True
    harmless.add(value)
    return False


def found_in(text: str) -> bool:
    """Whether free text holds a number that passes the 11-proef. Phone numbers and dates are no candidates."""
    return any(passes(number) for number in _candidates(text, everyday=False))


def numbers_in(text: str) -> Iterator[str]:
    """Every number of nine digits that `text` could mean, to be compared with a pupil's own."""
    return _candidates(text, everyday=True)


def own(numbers: frozenset[str], value: object) -> bool:
    """Whether this value of another field holds one of these numbers."""
    return any(number in numbers for number in numbers_in(str(value)))


def normal(value: object) -> str | None:
    """A national number as nine digits; None when the value is none at all."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    digits = "".join(_GROUP.findall(_plain(str(value))))
    return digits.zfill(_LENGTH) if _SHORTEST <= len(digits) <= _LENGTH else None


def passes(number: str) -> bool:
    """The 11-proef of a BSN, or of an onderwijsnummer (which begins with 10 and leaves five)."""
    if number == "0" * _LENGTH:
        return False
    left = sum((_LENGTH - place) * int(digit) for place, digit in enumerate(number[:-1])) - int(number[-1])
    return left % 11 == 0 or (number.startswith("10") and left % 11 == 5)


def _candidates(text: str, *, everyday: bool) -> Iterator[str]:
    """Of each run of digits, every row of whole groups that together have eight or nine digits. `everyday`: also what
    reads as a phone number or a date."""
    if may_hold(text) is None:
        return
    for run in _RUN.finditer(_plain(text if everyday else _DATES.sub(" | ", text))):
        groups = _GROUP.findall(run.group())
        if everyday or not _is_phone(groups):
            yield from _rows(groups)


def _rows(groups: list[str]) -> Iterator[str]:
    for first in range(len(groups)):
        digits = ""
        for group in groups[first : first + _LENGTH]:  # the whole rest would be as many copies as there are groups
            digits += group
            if len(digits) > _LENGTH:
                break
            if len(digits) >= _SHORTEST:
                yield digits.zfill(_LENGTH)


def _plain(text: str) -> str:
    """The digits of any script as 0-9."""
    return text if text.isascii() else "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text)


def _is_phone(groups: list[str]) -> bool:
    """Ten digits of which the first group is an area code: 06-12345678, 020 123 45 67."""
    return len(groups) > 1 and groups[0][0] == "0" and 2 <= len(groups[0]) <= 4 and sum(map(len, groups)) == 10
