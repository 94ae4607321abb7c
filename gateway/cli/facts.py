"""Commands about what is recorded: which kinds are complete, and what is still to be done. None shows a pupil."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.bootstrap import facts as recorded
from gateway.bootstrap.school import Refused
from gateway.bootstrap.session import signed_in
from gateway.cli.output import HERE, Directory, OnBehalf, Why, acting, console, school, table

facts = typer.Typer(help="What is recorded about pupils, as a whole.", no_args_is_help=True)
Kinds = Annotated[list[str], typer.Argument(help="restriction, objection, court-order, marker.")]
Places = Annotated[list[str], typer.Option("--location", help="A location of gateway.yaml; may be repeated.")]


@facts.command("declare")
def declare(kinds: Kinds, location: Places, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """Say that everything of these kinds is entered for a location: only then does absence count."""
    with acting(directory, by) as (opened, actor):
        recorded.declare(opened, actor, kinds, location, reason)
        console.print("declared", markup=False)


@facts.command("undeclare")
def undeclare(kinds: Kinds, location: Places, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """Take that back: deliveries that use these kinds stop at these locations."""
    with acting(directory, by) as (opened, actor):
        recorded.undeclare(opened, actor, kinds, location, reason)
        console.print("no longer declared", markup=False)


@facts.command("status")
def status(directory: Directory = HERE) -> None:
    """One list of what is still to be declared, how fresh the rosters are, and (signed in) how many facts there are."""
    with school(directory) as opened:
        found = recorded.status(opened)
        rows: list[tuple[object, ...]] = []
        for kind, place, one, waiting in found.declared:
            by = f"by {one.by}, {recorded.as_told(one.moment)}" if one else ", ".join(waiting)
            rows.append((place, kind, "declared" if one else "to declare", by))
        rows += [(place, f"roster {source}", "synchronised", moment) for source, place, moment in found.synchronised]
        try:
            rows += [("", kind, number, "") for kind, number in recorded.numbers(opened, signed_in(opened))]
        except Refused:
            rows.append(("", "facts", "", "sign in to see how many: gateway login"))
        table(("location", "what", "state", "who waits, or since when"), rows)
