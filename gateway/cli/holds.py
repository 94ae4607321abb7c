"""Commands about what waits for a person at school, and what the person decides (D2)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
import typer

from gateway.bootstrap import holds, tasks
from gateway.bootstrap.holds import Terms
from gateway.bootstrap.school import clock
from gateway.cli.output import HERE, Directory, OnBehalf, Why, acting, console, table
from gateway.core.facts import Exception18
from gateway.core.model import Category

hold = typer.Typer(help="What waits for a person to decide: list, show, release, close.", no_args_is_help=True)
task = typer.Typer(help="What waits for the board and the FG.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The hold: its name in `gateway hold list`.")]


@hold.command("list")
def listing(
    everything: Annotated[bool, typer.Option("--all", help="Those that were decided as well.")] = False,
    directory: Directory = HERE,
) -> None:
    """What waits, the oldest first; names nobody."""
    with acting(directory) as (opened, actor):
        now = clock()
        rows = (
            (one.id, one.recipient, one.purpose, one.reason, one.state, one.due.date(), _late(one, now))
            for one in holds.listed(opened, actor, everything=everything)
        )
        table(("hold", "recipient", "purpose", "reason", "state", "due", "late"), rows)


def _late(one: holds.Hold, now: datetime) -> str:
    if one.state != "open" or one.due > now:
        return "-"
    return "overdue, with board and FG" if one.escalated and not one.secret else "overdue"


@hold.command("show")
def show(name: Name, reason: Why, directory: Directory = HERE) -> None:
    """One case with its pupil, as a line of JSON; that you looked is registered."""
    with acting(directory) as (opened, actor):
        console.print(orjson.dumps(holds.shown(opened, actor, name, reason)).decode(), markup=False)


@hold.command("release")
def release(
    name: Name,
    reason: Why,
    category: Annotated[list[Category], typer.Option("--category", help="What may leave; may be repeated.")],
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day.")],
    exception: Annotated[Exception18 | None, typer.Option(help="Art. 18(2), for a restricted pupil.")] = None,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Let these categories pass until that day, or until what caused the hold changes."""
    terms = Terms(frozenset(category), until.date(), exception)
    with acting(directory, by) as (opened, actor):
        number = holds.release(opened, actor, name, terms, reason)
        if number is not None:
            console.print(f"proposal {number} waits for a second person: gateway proposal confirm", markup=False)
        else:
            console.print(f"{name} is released", markup=False)


@hold.command("close")
def close(name: Name, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """Decide that nothing leaves."""
    with acting(directory, by) as (opened, actor):
        holds.close(opened, actor, name, reason)
        console.print(f"{name} is closed", markup=False)


@task.command("list")
def listing_tasks(directory: Directory = HERE) -> None:
    """Your own: break-glass to look at, and cases that nobody decided about in time."""
    with acting(directory) as (opened, actor):
        table(("what", "about", "since"), tasks.listed(opened, actor))
