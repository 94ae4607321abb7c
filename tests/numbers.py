"""National numbers for hypothesis: nine digits that pass the 11-proef, made instead of searched for."""

from __future__ import annotations

from hypothesis import strategies as st


def _check(digits: str) -> int:
    return sum((9 - place) * int(digit) for place, digit in enumerate(digits)) % 11


bsns = (
    st.integers(1_000_000, 99_999_999)
    .map(lambda number: f"{number:08d}")
    .filter(lambda digits: _check(digits) < 10)
    .map(lambda digits: f"{digits}{_check(digits)}")
)
