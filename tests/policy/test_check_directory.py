"""A whole directory: every file is looked at, and what is between files is told too."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.policy.files import check_directory
from gateway.core.policy.terms import Location, Organisation
from tests.policy.shipped import TODAY, answered, changed, line_of, school, told


def test_broken_file_takes_no_other_down(tmp_path: Path) -> None:
    directory = school(tmp_path / "school", uitgever_noord="recipient: [\n", uitgever_zuid=answered("uitgever-zuid"))

    report = check_directory(directory, TODAY)

    assert [problem.file for problem in report.problems] == ["recipients/uitgever-noord.yaml"]
    assert list(report.recipients) == ["uitgever-zuid"]


def test_location_the_school_does_not_have_is_told_when_the_school_is_known(tmp_path: Path) -> None:
    text = answered("uitgever-noord")
    directory = school(tmp_path / "school", uitgever_noord=text)
    organisation = Organisation(frozenset(), {"zuid": Location("zuid", "Zuid", frozenset())})

    assert check_directory(directory, TODAY).problems == ()
    assert told(list(check_directory(directory, TODAY, organisation).problems)) == [
        (line_of(text, "    locations:"), "R68")
    ]


def test_both_methods_in_one_group_of_companies_are_told_at_both(tmp_path: Path) -> None:
    directory = school(
        tmp_path / "school",
        uitgever_noord=changed(answered("uitgever-noord"), ("agreement:", "group: concern\nagreement:")),
        distributeur_keten=changed(answered("distributeur-keten"), ("agreement:", "group: concern\nagreement:")),
    )

    report = check_directory(directory, TODAY)

    assert {(problem.file, problem.rule) for problem in report.problems} == {
        ("recipients/uitgever-noord.yaml", "N3"),
        ("recipients/distributeur-keten.yaml", "N3"),
    }


def test_interest_for_the_schools_own_task_is_warned_about_at_its_line(tmp_path: Path) -> None:
    """N23, C15: it stops nothing."""
    weighing = (
        "weighing: {aim: leermiddelen, school_interest: Oefenen op maat., pupil_interest: Rust., outcome: school,"
        " by: directeur, date: 2026-08-15}"
    )
    text = changed(
        answered("uitgever-noord"),
        ("ground: e", "ground: f"),
        ("    channel: api", f"    {weighing}\n    channel: api"),
    )

    report = check_directory(school(tmp_path / "school", uitgever_noord=text), TODAY)

    assert report.problems == ()
    assert told(list(report.warnings)) == [(line_of(text, "ground: f"), "N23")]


def test_file_that_would_be_overlooked_is_told(tmp_path: Path) -> None:
    directory = school(tmp_path / "school")
    (directory / "recipients" / "uitgever-noord.yml").write_text(answered("uitgever-noord"), encoding="utf-8")

    assert [problem.file for problem in check_directory(directory, TODAY).problems] == ["recipients/uitgever-noord.yml"]


def test_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    directory = school(tmp_path / "school")
    (directory / "recipients" / "x.yaml").write_bytes(b"recipient: \xff\n")

    assert told(list(check_directory(directory, TODAY).problems)) == [(1, "yaml")]


@pytest.mark.parametrize("part", ["schemas", "recipients"])
def test_folder_that_is_missing_is_told(tmp_path: Path, part: str) -> None:
    directory = school(tmp_path / "school")
    (directory / part).rename(directory / "elsewhere")

    assert [problem.file for problem in check_directory(directory, TODAY).problems] == [part]


def test_problems_stand_in_the_order_of_file_and_line(tmp_path: Path) -> None:
    bad = changed(answered("uitgever-zuid"), ("kind: publisher", "kind: x"), ("role: processor", "role: y"))
    directory = school(tmp_path / "school", uitgever_zuid=bad, uitgever_noord="x: 1\n")

    places = [(problem.file, problem.line) for problem in check_directory(directory, TODAY).problems]

    assert places == sorted(places)
    assert len({file for file, _ in places}) == 2
