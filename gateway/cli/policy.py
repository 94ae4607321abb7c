"""Commands about policy: what is wrong with the files, what is active, and why a delivery gets what it gets."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.bootstrap import acts, samples
from gateway.bootstrap.explained import Asked, explained
from gateway.bootstrap.facts import still_to_declare
from gateway.bootstrap.school import Refused, Unusable, overdue, unread
from gateway.bootstrap.school import check as check_files
from gateway.cli.output import HERE, PROBLEMS, USAGE, Directory, OnBehalf, Why, acting, console, fail, school, table
from gateway.cli.persons import asked
from gateway.core.days import AMSTERDAM

recipient = typer.Typer(help="Activate, suspend and list recipients.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The recipient: the name of its file without .yaml.")]


def check(
    sample: Annotated[
        Path | None, typer.Option("--sample", help="A file in the format of a schema, to lay beside it; stays here.")
    ] = None,
    schema: Annotated[str | None, typer.Option("--schema", help="Which schema the sample is of.")] = None,
    record: Annotated[str | None, typer.Option("--record", help="Which of its records, if several.")] = None,
    directory: Directory = HERE,
) -> None:
    """Report every problem of gateway.yaml, schemas/ and recipients/ at once; open questions are listed. With --sample:
    what of a file a schema does not know, what is not as the schema says, and who would be found in it."""
    if sample is not None or schema is not None or record is not None:
        _check_sample(directory, sample, schema, record)
        return
    report = check_files(directory)
    for question in report.questions:
        console.print(f"{question} (open)", markup=False)
    for warning in (*overdue(directory), *unread(directory), *report.warnings):
        console.print(f"{warning} (warning)", markup=False)
    for undone in still_to_declare(directory):
        console.print(f"{undone} (to declare: gateway facts declare)", markup=False)
    if report.problems:
        fail(report.problems, PROBLEMS)
    open_ = _many(len(report.questions), "question")
    left = f"; {open_} open, their recipients cannot be activated" if report.questions else ""
    read = f"{_many(len(report.schemas), 'schema')}, {_many(len(report.recipients), 'recipient')}"
    console.print(f"{read}: in order{left}", markup=False)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _check_sample(directory: Path, sample: Path | None, schema: str | None, record: str | None) -> None:
    if sample is None or schema is None:
        fail(["a sample is laid beside a schema: give --sample and --schema"], USAGE)
    try:
        found = samples.laid(directory, schema, record, sample)
    except Unusable as unusable:
        fail(unusable.problems, PROBLEMS)
    except Refused as refused:
        fail(refused.problems, USAGE)
    for one in found:
        for line in samples.lines(one):
            console.print(line, markup=False)
    if not all(one.fits for one in found):
        raise typer.Exit(PROBLEMS)


def explain(
    recipient: Annotated[str, typer.Option("--recipient", help="Who would receive.")],
    purpose: Annotated[str, typer.Option("--purpose", help="For which purpose.")],
    pupil: Annotated[bool, typer.Option("--pupil", help="About one pupil, whose number is asked for.")] = False,
    source: Annotated[str | None, typer.Option("--source", help="Which source knows the pupil, if several.")] = None,
    fields: Annotated[bool, typer.Option("--fields", help="Name every field that stays behind.")] = False,
    at: Annotated[str | None, typer.Option("--at", help="With what was known then, as 2026-11-22T09:30.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why you look at this pupil, in words.")] = "",
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Every rule that speaks about a delivery, in Dutch, with article; and each field. Releases nothing."""
    moment = _moment(at)
    if not pupil:
        if at is not None:
            fail(["--at is about a pupil: add --pupil"], USAGE)
        with school(directory) as opened:
            lines = acts.explain(opened, recipient, purpose, every_field=fields)
    else:
        with acting(directory, by) as (opened, actor):
            las_key = asked("number of the pupil in the administration", hidden=True)
            about = Asked(recipient, purpose, las_key, source, moment)
            lines = explained(opened, actor, about, reason)
    for line in lines:
        console.print(line, markup=False)


def _moment(text: str | None) -> datetime | None:
    """Without an offset it is the clock of Amsterdam."""
    try:
        found = datetime.fromisoformat(text) if text is not None else None
    except ValueError:
        fail(["--at is no moment: write it as 2026-11-22T09:30"], USAGE)
    return found.replace(tzinfo=AMSTERDAM) if found is not None and found.tzinfo is None else found


@recipient.command("activate")
def activate(name: Name, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """Take the recipient's file into force as it stands; a second person confirms where R116 asks for two."""
    with acting(directory, by) as (opened, actor):
        number = acts.activate(opened, name, actor, reason)
        waits = f"{name} waits for a second person: gateway proposal confirm {number}"
        console.print(waits if number else f"{name} is active", markup=False)


@recipient.command("suspend")
def suspend(name: Name, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """Stop every delivery to this recipient, from the next record on; needs no valid file."""
    with acting(directory, by) as (opened, actor):
        acts.suspend(opened, name, actor, reason)
        console.print(f"{name} is suspended", markup=False)


@recipient.command("list")
def listing(directory: Directory = HERE) -> None:
    """Every recipient with its state."""
    with school(directory) as opened:
        table(("recipient", "state"), acts.recipients(opened))
