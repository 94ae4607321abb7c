"""`gateway check --sample`: a file beside the schema that somebody writes for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_new_format import files
from tests.commands import invoke

PAGE = files()


@pytest.fixture
def school(tmp_path: Path) -> Path:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "recipients").mkdir()
    (tmp_path / "schemas" / "leesmeter.yaml").write_text(PAGE["leesmeter.yaml"], encoding="utf-8")
    return tmp_path


def checked(school: Path, sample: str, schema: str = "leesmeter") -> tuple[int, str]:
    path = school / "sample.json"
    path.write_text(sample, encoding="utf-8")
    done = invoke("check", "--sample", str(path), "--schema", schema, "-C", str(school))
    return done.exit_code, done.output


def test_sample_that_fits_exits_with_0(school: Path) -> None:
    code, said = checked(school, '{"leerling": {"nummer": "1"}}')

    assert (code, said.splitlines()[0]) == (0, "leeskaart: 1 record in the sample")


def test_names_of_the_sample_cannot_steer_the_terminal(school: Path) -> None:
    _, said = checked(school, '{"leerling": {"nummer": "1"}, "a\\u001b[31m\\nb\\u202e": 1}')

    assert "a?[31m?b?" in said
    assert "\x1b" not in said


def test_names_of_the_sample_are_shown_within_bounds(school: Path) -> None:
    many = ", ".join(f'"{"x" * 500}{number}": 1' for number in range(3_000))

    _, said = checked(school, f'{{"leerling": {{"nummer": "1"}}, {many}}}')

    assert len(said) < 20_000


def test_schema_that_is_not_in_order_says_what_is_wrong_with_it_and_nothing_else(school: Path) -> None:
    wrong = PAGE["leesmeter.yaml"].replace("class: id", "class: idd")
    (school / "schemas" / "leesmeter.yaml").write_text(wrong, encoding="utf-8")
    (school / "schemas" / "other.yaml").write_text("schema: other\n", encoding="utf-8")

    code, said = checked(school, "{}")

    assert code == 1
    assert {line.split(":")[0] for line in said.splitlines()} == {"schemas/leesmeter.yaml"}


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (("--schema", "leesmeter"), 2, "give --sample and --schema"),
        (("--sample", "sample.json"), 2, "give --sample and --schema"),
        (("--sample", "sample.json", "--schema", "leesmeetr"), 1, "there are leesmeter"),
        (("--sample", "sample.json", "--schema", "leesmeter"), 2, "cannot be read"),
    ],
)
def test_sample_without_schema_or_file_says_what_is_missing(
    school: Path, given: tuple[str, ...], code: int, said: str
) -> None:
    done = invoke("check", *given, "-C", str(school))

    assert done.exit_code == code
    assert said in done.output
