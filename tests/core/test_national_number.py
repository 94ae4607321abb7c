"""A BSN in text: how people write it, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.release.national_number import found_in, may_hold, normal, numbers_in, own, passes
from tests.numbers import bsns

BSN = "123456782"
digits = st.integers(10_000_000, 999_999_999).map(lambda number: f"{number:09d}")


@pytest.mark.parametrize(
    "written",
    ["123456782", "1234.56.782", "1234 56 782", "123-456-782", "123 - 456 - 782", "BSN123456782.", "(123456782)"],
)
def test_bsn_however_written_is_found(written: str) -> None:
    assert found_in(f"Het nummer is {written} volgens de ouders.")


def test_bsn_without_its_leading_zero_is_found() -> None:
    assert passes("012345672")
    assert found_in("nummer 12345672")


def test_bsn_behind_another_number_is_found() -> None:
    assert found_in(f"kamer 12 {BSN}")
    assert found_in(f"12-03-2026 {BSN}")


def test_bsn_in_digits_of_another_script_is_found() -> None:
    assert found_in("".join(chr(0x0660 + int(digit)) for digit in BSN))


def test_onderwijsnummer_is_found() -> None:
    assert found_in("101222331")
    assert not found_in("101222332")


@pytest.mark.parametrize(
    "text",
    [
        "123456783",
        "0612345678",
        "06-12345672",
        "020 123 45 67",
        "12-03-2026 14.30",
        "2026-03-12",
        "000000000",
        "12",
        "",
    ],
)
def test_everyday_number_is_not_found(text: str) -> None:
    assert not found_in(text)


@given(bsns, st.sampled_from(["", " ", ".", "-", " - "]), st.text(alphabet="abc ,;:\n", max_size=10))
def test_bsn_is_found_whatever_is_around_it(number: str, sign: str, around: str) -> None:
    written = sign.join((number[:4], number[4:6], number[6:]))

    assert may_hold(written)
    assert found_in(f"{around},{written},{around}")


@given(digits, st.text(max_size=20))
def test_own_number_is_recognised_by_its_digits_alone(number: str, around: str) -> None:
    assert own(frozenset({number}), f"x{number}x")
    assert own(frozenset({number}), int(number))
    assert number in set(numbers_in(f"{number[:3]}.{number[3:]}"))
    assert not own(frozenset(), around)


@given(digits.filter(lambda number: number != BSN))
def test_number_of_another_is_not_ones_own(number: str) -> None:
    assert not own(frozenset({BSN}), number)


@pytest.mark.parametrize("value", [BSN, int(BSN), float(BSN), "1234.56.782", " 123456782 "])
def test_number_is_normalised_to_nine_digits(value: object) -> None:
    assert normal(value) == BSN


@pytest.mark.parametrize("value", [None, True, "", "1234", "1234567890", 1.5, [BSN]])
def test_what_is_no_number_is_none(value: object) -> None:
    assert normal(value) is None
