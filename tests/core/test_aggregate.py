"""Tables of counts: small cells, and what would give them away (R45)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.release.aggregate import MOST_CELLS, Key, told


def test_cell_under_the_minimum_is_not_told() -> None:
    table: dict[Key, int] = {("a",): 12, ("b",): 2, ("c",): 9, ("d",): 30}

    assert told(table, 5) == {("a",): 12, ("d",): 30}


def test_table_without_small_cells_is_told_whole() -> None:
    table: dict[Key, int] = {("a", 1): 5, ("a", 2): 6, ("b", 1): 7}

    assert told(table, 5) == table


def test_small_cell_takes_one_of_its_row_and_one_of_its_column_along() -> None:
    table: dict[Key, int] = {(sex, year): 10 + year for sex in "fm" for year in (1, 2, 3)}
    table["f", 1] = 3

    found = told(table, 5)

    assert found == {("f", 3): 13, ("m", 3): 13}


def test_suppressed_cells_of_one_total_are_together_no_small_group() -> None:
    table: dict[Key, int] = {("a",): 20, ("b",): 1, ("c",): 1, ("d",): 8}

    assert told(table, 5) == {("a",): 20}


def test_cell_that_is_a_total_by_itself_takes_along_another_of_its_kind() -> None:
    """Each group is in one year: the year says nothing that the group does not."""
    table: dict[Key, int] = {("1a", 1): 25, ("1b", 1): 3, ("1c", 1): 24}

    assert told(table, 5) == {("1a", 1): 25}


def test_single_small_cell_leaves_nothing() -> None:
    assert told({("a",): 2}, 5) == {}


def test_cell_that_nothing_can_protect_hides_the_table() -> None:
    assert told({("a", 1): 20, ("b", 2): 2}, 5) == {}


def test_empty_cell_is_no_cell() -> None:
    assert told({("a",): 0, ("b",): 7}, 5) == {("b",): 7}
    assert told({}, 5) == {}


def test_table_too_large_to_protect_is_not_told() -> None:
    assert told({(number,): 100 for number in range(MOST_CELLS + 1)}, 5) == {}


# -- as somebody sees it who knows every total -------------------------------------------------------------


def totals(table: dict[Key, int]) -> Iterator[list[Key]]:
    """The cells of every total of more than one cell."""
    size = len(next(iter(table), ()))
    for kept in (some for number in range(size) for some in combinations(range(size), number)):
        groups: dict[Key, list[Key]] = {}
        for key in table:
            groups.setdefault(tuple(key[place] for place in kept), []).append(key)
        yield from (group for group in groups.values() if len(group) > 1)


def derivable(table: dict[Key, int], hidden: list[Key]) -> set[Key]:
    """Hidden cells that follow from the totals less what is told: exact elimination over the unknowns."""
    rows = [[Fraction(key in group) for key in hidden] for group in totals(table)]
    pivots: list[int] = []
    done = 0
    for column in range(len(hidden)):
        pivot = next((row for row in range(done, len(rows)) if rows[row][column]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        lead = rows[done][column]
        rows[done] = [value / lead for value in rows[done]]
        for row in range(len(rows)):
            if row != done and rows[row][column]:
                factor = rows[row][column]
                rows[row] = [value - factor * base for value, base in zip(rows[row], rows[done], strict=True)]
        pivots.append(column)
        done += 1
    return {hidden[column] for row, column in enumerate(pivots) if sum(map(bool, rows[row])) == 1}


values = st.sampled_from(["a", "b", "c"])
tables = st.integers(1, 3).flatmap(
    lambda size: st.dictionaries(st.tuples(*[values] * size), st.integers(1, 30), min_size=1, max_size=14)
)


@given(tables, st.integers(2, 8))
def test_no_small_cell_is_told_or_follows_from_totals(table: dict[Key, int], minimum: int) -> None:
    found = told(table, minimum)
    hidden = [key for key in table if key not in found]

    assert found.items() <= table.items()
    assert all(count >= minimum for count in found.values())
    if found:
        assert not derivable(table, hidden)


@given(tables, st.integers(2, 8))
def test_what_is_hidden_in_a_total_is_no_small_group(table: dict[Key, int], minimum: int) -> None:
    found = told(table, minimum)

    for group in totals(table):
        within = sum(table[key] for key in group if key not in found)
        assert within == 0 or within >= minimum or not any(key in found for key in group)


@given(tables)
def test_table_of_large_cells_loses_nothing(table: dict[Key, int]) -> None:
    large = {key: count + 5 for key, count in table.items()}

    assert told(large, 5) == large


@pytest.mark.parametrize("size", [1, 2, 3])
def test_order_of_the_cells_makes_no_difference(size: int) -> None:
    table: dict[Key, int] = {tuple("abc"[(n + m) % 3] for m in range(size)): n + 3 for n in range(3)}

    assert told(table, 5) == told(dict(reversed(list(table.items()))), 5)
