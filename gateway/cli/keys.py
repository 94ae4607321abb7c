"""Commands about the keys. A key is never printed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from gateway.bootstrap import acts
from gateway.bootstrap.school import Unusable, create_key
from gateway.cli.output import HERE, USAGE, Directory, OnBehalf, Why, acting, console, fail, school, table

key = typer.Typer(help="Make, rotate and list keys.", no_args_is_help=True)


@key.command("new")
def new(directory: Directory = HERE) -> None:
    """Make the key file that gateway.yaml names; an existing one is never overwritten."""
    try:
        console.print(f"key made: {create_key(directory)}", markup=False)
    except Unusable as unusable:
        fail(unusable.problems, USAGE)


@key.command("rotate")
def rotate(
    reason: Why,
    overlap_days: Annotated[int, typer.Option(min=1, max=366, help="How long older pseudonyms still resolve.")] = 30,
    compromised: Annotated[bool, typer.Option(help="Older pseudonyms stop resolving at once.")] = False,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Start a new pseudonym key: new answers carry new pseudonyms from this moment on."""
    with acting(directory, by) as (opened, actor):
        started = acts.rotate_key(opened, None if compromised else timedelta(days=overlap_days), actor, reason)
        console.print(f"key version {started.number} is in use", markup=False)


@key.command("list")
def listing(directory: Directory = HERE) -> None:
    """The key versions and their moments."""
    with school(directory) as opened:
        table(("version", "started", "resolves until"), acts.key_versions(opened))
