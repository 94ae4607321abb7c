"""Commands about what waits for a second person (R116)."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.bootstrap import proposals
from gateway.cli.output import HERE, Directory, Why, acting, console, table

proposal = typer.Typer(help="What waits for a second person: list, confirm, withdraw.", no_args_is_help=True)
Number = Annotated[int, typer.Argument(help="The number in `gateway proposal list`.")]


@proposal.command("list")
def listing(directory: Directory = HERE) -> None:
    """What waits and you may confirm; the FG sees everything."""
    with acting(directory) as (opened, actor):
        rows = (
            (one.number, one.deed, one.arguments.get("about", "-"), one.by, one.moment, one.reason)
            for one in proposals.waiting(opened, actor)
        )
        table(("number", "what", "about", "proposed by", "moment", "reason"), rows)


@proposal.command("confirm")
def confirm(number: Number, directory: Directory = HERE) -> None:
    """Carry it out, as the second person; both names stand in the register."""
    with acting(directory) as (opened, actor):
        done = proposals.confirm(opened, number, actor)
        console.print(f"{done.deed}, proposed by {done.by}, is carried out", markup=False)


@proposal.command("withdraw")
def withdraw(number: Number, reason: Why, directory: Directory = HERE) -> None:
    """It will not be carried out."""
    with acting(directory) as (opened, actor):
        proposals.withdraw(opened, number, actor, reason)
        console.print(f"{number} is withdrawn", markup=False)
