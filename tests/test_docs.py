"""The documents say what the code says: tables, links, decisions.

Leaves out whether the texts read well.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel
from typer.core import TyperCommand, TyperGroup

from gateway.adapters.policy.settings_forms import SettingsForm
from gateway.cli.app import app
from gateway.core.model import Category
from gateway.core.reasons import Reason
from gateway.settings import load
from scripts import reference

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# Words of the answers: capitals with an underscore, in code marks or alone in a header.
WORD = re.compile(r"`((?!GATEWAY_)[A-Z]{3,}(?:_[A-Z0-9]+)+)`")
# The same shape, but of the standards and of a caller's environment.
FOREIGN = {"V_ID", "DD_ID", "CLIENT_ID", "CLIENT_SECRET", "STANDARDS_DIR"}

COMMANDS = typer.main.get_command(app)
# Stands for the name of a command in the documents.
PLACEHOLDERS = {"COMMAND", "KIND", "SOORT", "--help", "…"}


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors(text: str) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def test_reference_tables_are_made_from_the_code() -> None:
    text = reference.REFERENCE.read_text()

    assert reference.filled(text) == text


@pytest.mark.parametrize("reason", list(Reason))
def test_reference_reason_stands_once_with_its_sentences(reason: Reason) -> None:
    rows = [line for line in reference.REFERENCE.read_text().splitlines() if line.startswith(f"| `{reason}` |")]

    assert len(rows) == 1
    assert reason.meaning.school in rows[0]
    assert (reason.meaning.recipient in rows[0]) is reason.meaning.told


def settings(form: type[BaseModel], *above: str) -> Iterator[str]:
    """The path of every setting; a name that the school chooses is NAME."""
    for name, field in form.model_fields.items():
        kind, keyed = inner(field.annotation)
        path = (*above, name, "NAME") if keyed else (*above, name)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings(kind, *path)
        else:
            yield ".".join(path)


def inner(annotation: object) -> tuple[object, bool]:
    """What a list, a mapping or an optional holds; whether there was a mapping."""
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    if get_origin(annotation) is dict:
        return inner(arguments[1])[0], True
    if get_origin(annotation) in {list, Annotated, UnionType, Union} and arguments:
        return inner(arguments[0])
    return annotation, False


@pytest.mark.parametrize("path", sorted(settings(SettingsForm)))
def test_reference_setting_stands_once(path: str) -> None:
    rows = [line for line in reference.REFERENCE.read_text().splitlines() if line.startswith(f"| `{path}` |")]

    assert len(rows) == 1


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_document_links_lead_somewhere(path: Path) -> None:
    for name, anchor in LINK.findall(without_code(path.read_text())):
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), name
        assert not anchor or anchor in anchors(target.read_text()), f"{name}#{anchor}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_document_names_only_reasons_that_exist(path: Path) -> None:
    named = set(WORD.findall(path.read_text())) - FOREIGN

    assert named <= {str(reason) for reason in Reason}


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(), re.DOTALL)


def commands(path: Path) -> Iterator[list[str]]:
    """Every call of `gateway` in a document, as the shell would split it."""
    lines = [line for block in blocks(path, "sh") for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`(gateway [^`]+)`", without_code(path.read_text()))
    for line in [*(line for line in lines if line.startswith("gateway ")), *inline]:
        yield shlex.split(line, comments=True)[1:]


def unknown(words: list[str]) -> list[str]:
    """What of this call the command line does not know: a command, or an option of it."""
    found: object = COMMANDS
    while isinstance(found, TyperGroup):
        if not words or words[0].startswith("-"):
            return []  # speaks of the whole group
        name, words = words[0], words[1:]
        if name not in found.commands:
            return [] if name in PLACEHOLDERS else [name]
        found = found.commands[name]
    assert isinstance(found, TyperCommand)
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in words if word.startswith("-") and word not in known | {"--help"}]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_document_calls_only_commands_and_options_that_exist(path: Path) -> None:
    assert [call for call in commands(path) if unknown(call)] == []


def test_facts_name_every_category() -> None:
    text = (ROOT / "docs" / "facts.md").read_text()

    assert [category for category in Category if f"`{category}`" not in text] == []


def test_settings_of_the_handleiding_are_in_order(tmp_path: Path) -> None:
    (text,) = blocks(ROOT / "docs" / "handleiding" / "beheerder.md", "yaml")
    (tmp_path / "gateway.yaml").write_text(text)

    assert load(tmp_path).school == "Voorbeeldschool"


def test_decisions_are_listed_and_name_what_they_cost() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\(([a-z0-9-]+\.md)\)", (folder / "README.md").read_text()))
    decisions = {path.name: path.read_text() for path in folder.glob("*.md") if path.name != "README.md"}

    assert listed == set(decisions)
    assert [name for name, text in decisions.items() if "## What it costs" not in text] == []
