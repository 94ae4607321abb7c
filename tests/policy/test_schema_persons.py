"""A schema that a newcomer wrote: a field that speaks of a person stands with a subject, a name has its namespace."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from gateway.adapters.policy.files import load_schema
from gateway.core.model import Category, FieldClass, Transform
from gateway.core.policy.schema import Meant, Schema
from tests.policy.shipped import changed, line_of, told

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "new-format.md").read_text(encoding="utf-8")
UITLEEN = next(part for part in PAGE.split("```") if part.startswith("yaml\nschema: uitleen")).removeprefix("yaml\n")
LENER = "      - {at: uitleningen.uitlening, person: pupil, withheld: item, ids: lener}\n"


def test_list_of_a_pupil_that_no_subject_names_is_refused() -> None:
    """R46: a result that goes with nobody would leave of who is withheld too."""
    text = changed(UITLEEN, (LENER, ""))

    found = load_schema(text, "uitleen.yaml")

    assert isinstance(found, list)
    assert told(found) == [(line_of(text, '"@lid": {type'), "R46"), (line_of(text, "avi: {"), "R46")]


def test_field_beside_the_list_of_its_subject_is_refused() -> None:
    text = changed(
        UITLEEN, ("      balie:\n", "      rapport: {type: string, class: medical, category: medical}\n      balie:\n")
    )

    found = load_schema(text, "uitleen.yaml")

    assert isinstance(found, list)
    assert told(found) == [(line_of(text, "rapport:"), "R46")]


def test_field_that_goes_with_the_whole_record_may_stand_anywhere_in_it() -> None:
    text = changed(UITLEEN, (LENER, LENER.replace("withheld: item", "withheld: record")))
    text = changed(
        text, ("      balie:\n", "      rapport: {type: string, class: medical, category: medical}\n      balie:\n")
    )

    assert isinstance(load_schema(text, "uitleen.yaml"), Schema)


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("opmerking: {", "x:opmerking: {", "x:opmerking"),
        ("    element: uitleen\n", "", "  uitleen:\n"),
    ],
)
def test_name_that_no_document_can_have_is_refused(old: str, new: str, at: str) -> None:
    text = changed(UITLEEN, (old, new))

    found = load_schema(text, "uitleen.yaml")

    assert isinstance(found, list)
    assert told(found) == [(line_of(text, at), "form")]


@pytest.mark.parametrize("word", [*FieldClass, *Category, *Transform, *get_args(Meant)])
def test_every_word_of_the_files_stands_in_the_documents(word: str) -> None:
    assert f"`{word}`" in (DOCS / "schema-files.md").read_text(encoding="utf-8")


def test_attribute_without_quotes_is_told_what_to_do() -> None:
    """The likeliest slip in an XML schema, and YAML's own sentence about it helps nobody."""
    found = load_schema(changed(UITLEEN, ('"@nr": {type', "@nr: {type")), "uitleen.yaml")

    assert isinstance(found, list)
    assert ["in quotes" in one.message for one in found] == [True]
