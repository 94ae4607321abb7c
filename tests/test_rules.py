"""docs/rules.md is true: a row for every rule, and every file it names exists and cites the rule.

Leaves out whether the code keeps the rule; the tests that a row names show that.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "rules.md").read_text()
EVERY = [*(f"R{number}" for number in range(1, 121)), *(f"N{number}" for number in range(1, 45))]
EVERY += [f"D{number}" for number in range(1, 14)]
RULE = re.compile(r"\b[RND]\d+\b")
FILE = re.compile(r"`([^`]+)`")
NOT_KEPT = ("not yet: ", "not by a gateway: ")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if RULE.match(line[2:])]
FEWEST_WORDS = 5


def kept(row: list[str]) -> bool:
    return not row[2].startswith(NOT_KEPT)


def cites(path: str, rule: str) -> bool:
    return rule in RULE.findall((ROOT / path).read_text())


def test_every_rule_has_one_row_of_four_cells() -> None:
    assert Counter(row[0] for row in ROWS) == Counter(EVERY)
    assert {len(row) for row in ROWS} == {4}
    assert all(row[1] for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_file_that_a_row_names_exists_and_cites_the_rule(row: list[str]) -> None:
    rule, _, enforced, tested = row
    files = FILE.findall(enforced) + FILE.findall(tested)

    assert [path for path in files if not cites(path, rule)] == []
    assert all(path.startswith(("gateway/", "schemas/", "recipients/")) for path in FILE.findall(enforced))
    assert all(path.startswith("tests/") for path in FILE.findall(tested))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_rule_that_is_kept_has_code_and_tests_and_any_other_says_why(row: list[str]) -> None:
    _, _, enforced, tested = row

    if kept(row):
        assert FILE.search(enforced)
        assert FILE.search(tested)
    else:
        assert tested == "-"
        assert len(enforced.split(": ", 1)[1].split()) >= FEWEST_WORDS


def test_text_counts_the_rows() -> None:
    later = sum(row[2].startswith(NOT_KEPT[0]) for row in ROWS)
    elsewhere = sum(row[2].startswith(NOT_KEPT[1]) for row in ROWS)
    here = len(ROWS) - later - elsewhere
    part = sum(kept(row) and NOT_KEPT[0] in row[2] for row in ROWS)

    assert (
        f"Of {len(ROWS)} rules {here} are kept here ({part} in part), {later} not yet, {elsewhere} are not for a"
        in TEXT
    )


def test_code_cites_only_rules_that_have_a_row() -> None:
    files = [path for suffix in ("py", "yaml") for path in (ROOT / "gateway").rglob(f"*.{suffix}")]
    files += [path for folder in ("schemas", "recipients") for path in (ROOT / folder).glob("*.yaml")]
    cited = {rule for path in files for rule in RULE.findall(path.read_text())}

    assert cited <= set(EVERY)
