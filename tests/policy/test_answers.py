"""Answering a question changes the question and nothing else."""

from __future__ import annotations

import pytest

from gateway.adapters.policy.answers import Answer, answers, questions
from gateway.adapters.policy.yaml_text import read

TEXT = """# Uitleg.
title: "ASK: Welke titel?"  # blijft staan
days:
  - {from: "ASK: Vanaf?", flag: 'ASK: Ja of nee?'}
places:
  - "ASK: Waar?"
  - zuid
inline: ["ASK: Wat?", b]
"""


def test_questions_are_in_the_order_of_the_file() -> None:
    assert [asked.line for asked in questions(TEXT)] == [2, 4, 4, 6, 8]


def test_answer_by_line_or_path_keeps_the_rest_as_it_was() -> None:
    given: dict[int | str, Answer] = {2: 'Één "titel"', "days.0.from": "2026-08-01", "places.0": "noord"}

    text = answers(TEXT, given)

    assert text == TEXT.replace('"ASK: Welke titel?"', '"Één \\"titel\\""').replace(
        '"ASK: Vanaf?"', "2026-08-01"
    ).replace('"ASK: Waar?"', '"noord"')


def test_answers_are_read_back_as_given() -> None:
    given: dict[int | str, Answer] = {
        2: "NO",
        "days.*.from": "12:30",
        "days.0.flag": True,
        "places.0": ["noord", "0123"],
        "inline.0": ["a", "c"],
    }

    found = read(answers(TEXT, given), "x.yaml")

    assert not found.problems
    assert found.value == {
        "title": "NO",
        "days": [{"from": "12:30", "flag": True}],
        "places": ["noord", "0123", "zuid"],
        "inline": ["a", "c", "b"],
    }


@pytest.mark.parametrize("name", [3, "titel", "days.0", "days.*"])
def test_answer_to_what_is_not_asked_is_an_error(name: int | str) -> None:
    with pytest.raises(LookupError, match=str(name).replace("*", r"\*")):
        answers(TEXT, {name: "x"})
