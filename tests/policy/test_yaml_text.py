"""One YAML file, strictly: what could mean two things is a problem with its line."""

from __future__ import annotations

import pytest

from gateway.adapters.policy.yaml_text import MAX_CHARACTERS, Ask, read


@pytest.mark.parametrize(
    "scalar",
    [
        *("NO", "no", "Yes", "on", "OFF", "y", "True", "FALSE", "Null", "~"),
        *("0123", "0o17", "0x1F", "0b11", "-012", "12:30", "1:00:00", "00123"),
        *("4E1", "1e3", "1_000", ".5", "5.", "+1", ".inf", ".NaN"),
    ],
)
def test_scalar_that_readers_disagree_about_is_a_problem(scalar: str) -> None:
    found = read(f"first: 1\ncountry: {scalar}\n", "file.yaml")

    assert [(problem.file, problem.line, problem.rule) for problem in found.problems] == [("file.yaml", 2, "yaml")]


@pytest.mark.parametrize("scalar", ["NO", "0123", "12:30", "4E1", "~", "true", "7"])
def test_scalar_in_quotes_is_text(scalar: str) -> None:
    found = read(f"a: '{scalar}'\nb: \"{scalar}\"\n", "file.yaml")

    assert found.value == {"a": scalar, "b": scalar}
    assert not found.problems


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("0", 0),
        ("1.5", 1.5),
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("2026-08-01", "2026-08-01"),
        ("1.1.0", "1.1.0"),
        ("01AB00", "01AB00"),
        ("Noord", "Noord"),
    ],
)
def test_plain_scalar_has_one_meaning(scalar: str, value: object) -> None:
    found = read(f"a: {scalar}\n", "file.yaml")

    assert found.value == {"a": value}
    assert type(found.value["a"]) is type(value)
    assert not found.problems


def test_key_twice_is_a_problem_at_the_second() -> None:
    found = read("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "file.yaml")

    assert [problem.line for problem in found.problems] == [5]


@pytest.mark.parametrize("key", ["on", "NO", "12:30", "404", "null", "<<"])
def test_key_that_is_no_text_for_some_reader_is_a_problem(key: str) -> None:
    assert read(f"{key}: a\n", "file.yaml").problems


@pytest.mark.parametrize("text", ["a: &name 1\n", "a: &name {b: 1}\n", "a: !!str 1\n", "a: !mine {b: 1}\n"])
def test_anchor_or_tag_is_a_problem(text: str) -> None:
    assert [problem.line for problem in read(text, "file.yaml").problems] == [1]


def test_alias_is_a_problem_and_never_becomes_its_value() -> None:
    found = read("a: &name [1]\nb: *name\n", "file.yaml")

    assert found.value["b"] is None
    assert [problem.line for problem in found.problems] == [1, 2]


@pytest.mark.parametrize("text", ["a: [\n", "a: b: c\n", "\ta: 1\n", "a: 1\n---\nb: 2\n", "? [a]\n: 1\n", "a: \x01\n"])
def test_what_is_not_one_document_has_no_value(text: str) -> None:
    found = read(text, "file.yaml")

    assert found.value is None
    assert [problem.rule for problem in found.problems] == ["yaml"]


def test_deep_nesting_is_a_problem_and_no_recursion() -> None:
    found = read("[" * 5000, "file.yaml")

    assert [problem.message for problem in found.problems] == ["nested too deeply"]


def test_large_file_is_not_read() -> None:
    found = read("a: " + "b" * MAX_CHARACTERS, "file.yaml")

    assert found.value is None
    assert found.problems


def test_all_problems_are_told_at_once() -> None:
    found = read("a: NO\nb: *x\nc: 12:30\nc: 1\n", "file.yaml")

    assert [problem.line for problem in found.problems] == [1, 2, 3, 4]


def test_problem_repeats_no_value() -> None:
    found = read("geheim: [&geheim NO, *geheim, !geheim x]\n'een geheim': 1\n'een geheim': 2\n", "file.yaml")

    assert found.problems
    assert not any("geheim" in problem.message for problem in found.problems)


def test_line_is_that_of_the_place_or_of_what_is_around_it() -> None:
    found = read("a:\n  - b: 1\n  - c:\n      d: 1\n", "file.yaml")

    assert found.line(("a", 1, "c", "d")) == 4
    assert found.line(("a", "0", "missing", "deeper")) == 2
    assert found.line(("missing",)) == 1


def test_open_question_is_kept_with_its_place() -> None:
    text = 'été: 1\na: {b: "ASK: Wie?"}\n'
    found = read(text, "file.yaml")

    (asked,) = found.asked
    assert (asked.path, asked.line, asked.question) == (("a", "b"), 2, "Wie?")
    assert text[asked.begin : asked.end] == '"ASK: Wie?"'
    assert found.value["a"]["b"] == Ask("Wie?")


def test_problem_reads_as_file_line_message_rule() -> None:
    (problem,) = read("a: NO\n", "recipients/x.yaml").problems

    assert str(problem).startswith("recipients/x.yaml:1: ")
    assert str(problem).endswith(" (yaml)")
