"""`gateway init` and `gateway answer`: a directory for a school, and what only the school can say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.bootstrap import fresh
from gateway.bootstrap.fresh import Question
from gateway.bootstrap.school import Unusable
from gateway.cli.output import HERE, USAGE, Directory, console, fail
from gateway.cli.persons import asked


def init(
    directory: Annotated[Path, typer.Argument(help="A new folder; its key is made beside it.", file_okay=False)],
    recipient: Annotated[list[str], typer.Option("--recipient", help="Who will receive: a template that ships.")] = [],  # noqa: B006 - as Typer wants it
    location: Annotated[list[str], typer.Option("--location", help="A name for each location.")] = ["hoofdlocatie"],  # noqa: B006 - idem
    called: Annotated[bool, typer.Option("--lvs/--no-lvs", help="The LVS is called, or its files come in.")] = True,
) -> None:
    """Make the directory of a school: settings, the schemas, the templates of who will receive, and the key. Nothing in
    it works before its questions are answered: gateway answer."""
    try:
        fresh.make_directory(directory, recipient, location, called=called)
        count = len(fresh.open_questions(directory))
    except Unusable as unusable:
        fail(unusable.problems, USAGE)
    console.print(f"{directory} is made, its key beside it; {count} questions are open: gateway answer", markup=False)


def answer(
    file: Annotated[
        Path | None, typer.Argument(help="YAML: under each file's name, question path and answer.", dir_okay=False)
    ] = None,
    directory: Directory = HERE,
) -> None:
    """Answer what gateway.yaml and recipients/ ask: one by one, or from a file. An empty answer leaves a question open;
    one that stands in several places is asked once."""
    try:
        given = _from_file(file) if file is not None else _asked(fresh.open_questions(directory))
        left = fresh.give(directory, given)
    except Unusable as unusable:
        fail(unusable.problems, USAGE)
    console.print(f"{left} questions are open" if left else "no question is open: gateway check", markup=False)


def _from_file(file: Path) -> fresh.Given:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        fail(["there is no such file, or it cannot be read"], USAGE)
    return fresh.answers_of(text, file.name)


def _asked(questions: list[Question]) -> fresh.Given:
    """Where a list is asked for, commas stand between."""
    said = {one.question: "" for one in questions}
    for question in said:
        said[question] = asked(question, optional=True).strip()
    given: dict[str, dict[str, fresh.Answer]] = {}
    for one in questions:
        words = said[one.question]
        listed = one.path.rpartition(".")[2].isdigit()
        if words:
            given.setdefault(one.file, {})[one.path] = [part.strip() for part in words.split(",")] if listed else words
    return given
