"""Commands about the register: show it, whole or about one pupil (R78), verify it, and what it reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import orjson
import typer

from gateway.bootstrap import acts
from gateway.bootstrap.overview import pupil_overview, titles
from gateway.cli.output import HERE, PROBLEMS, Directory, OnBehalf, Why, acting, console, errors, fail, school, table
from gateway.cli.persons import asked
from gateway.core.overview import as_json, sentences

register = typer.Typer(help="Show and verify the register.", no_args_is_help=True)
report = typer.Typer(help="Reports for the school.", no_args_is_help=True)


@register.command("show")
def show(
    directory: Directory = HERE,
    last: Annotated[int, typer.Option(min=1, max=100_000, help="How many entries, the newest last.")] = 20,
    transfer: Annotated[str | None, typer.Option("--id", help="Only this Gateway-Transfer.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words.")] = "look at the register",
) -> None:
    """Entries as lines of JSON, to who may see them; that they were shown is an entry too. Pupils are references."""
    with acting(directory) as (opened, actor):
        for entry in acts.show_entries(opened, actor, last, transfer, reason):
            console.print(orjson.dumps(entry).decode(), markup=False)


@register.command("pupil")
def pupil(
    reason: Why,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on.")] = None,
    hand_over: Annotated[
        bool,
        typer.Option("--hand-over", help="To give to pupil or parents: no names of staff, nothing that is secret."),
    ] = False,
    as_lines: Annotated[bool, typer.Option("--json", help="Lines of JSON instead.")] = False,
    source: Annotated[str | None, typer.Option("--source", help="Which source knows the pupil, if several.")] = None,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """What the register says about one pupil, in Dutch: who got what, why and when, what was withheld and why, and who
    looked. The number is asked for; that you looked is an entry too."""
    with acting(directory, by) as (opened, actor):
        las_key = asked("number of the pupil in the administration", hidden=True)
        day = since.date() if since is not None else None
        found = pupil_overview(opened, actor, source, las_key, reason, day, hand_over=hand_over)
        if as_lines:
            lines: Iterable[str] = (orjson.dumps(as_json(*one)).decode() for one in found.items())
        else:
            lines = sentences(found, titles(opened), hand_over=hand_over)
        for line in lines:
            console.print(line, markup=False)


@register.command("verify")
def verify(
    directory: Directory = HERE,
    head: Annotated[str | None, typer.Option(help="SEQUENCE:HASH kept elsewhere, to detect a cut-off end.")] = None,
) -> None:
    """Check every entry, every pupil list and the chain; what is damaged is located."""
    with school(directory) as opened:
        found = acts.verify(opened, head)
        if not found.ok:
            errors.print(f"{len(found.problems)} problems in {found.count} entries", markup=False)
            fail((f"{problem.where}: {problem.what}" for problem in found.problems), PROBLEMS)
        last = f"; head {found.head.sequence}:{found.head.hash.hex()}" if found.head else ""
        console.print(f"{found.count} entries in order{last}", markup=False)


@report.command("fields")
def fields(directory: Directory = HERE) -> None:
    """Fields that a source sends and no schema knows; nothing of them leaves (FIELD_UNCLASSIFIED)."""
    with school(directory) as opened:
        rows = ((*one, "FIELD_UNCLASSIFIED") for one in acts.unclassified(opened))
        table(("schema", "record", "field", "reason"), rows)
