"""How commands speak: the directory they work in, their exit codes, their messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from gateway.bootstrap.acts import take_over_policy
from gateway.bootstrap.school import Refused, School, Unusable, open_school
from gateway.bootstrap.session import signed_in
from gateway.core.persons import Actor

PROBLEMS, USAGE, REFUSED = 1, 2, 3

Directory = Annotated[Path, typer.Option("--directory", "-C", help="The school's directory.", file_okay=False)]
HERE = Path()
OnBehalf = Annotated[str | None, typer.Option("--by", help="On whose behalf, if not your own.")]
Why = Annotated[str, typer.Option("--reason", help="Why, in words.")]

console = Console(soft_wrap=True, highlight=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False)


@contextmanager
def told() -> Iterator[None]:
    """What makes a directory unusable is told in full and exits with 2, a refusal with 3."""
    try:
        yield
    except Unusable as unusable:
        fail(unusable.problems, USAGE)
    except Refused as refused:
        fail(refused.problems, REFUSED)


@contextmanager
def school(directory: Path) -> Iterator[School]:
    """The school of this directory, or why there is none."""
    with told(), open_school(directory) as opened:
        yield opened


@contextmanager
def acting(directory: Path, on_behalf: str | None = None) -> Iterator[tuple[School, Actor]]:
    """The school, and the person who is signed in: what a command needs to act or to show something of a pupil. By the
    files as they stand, also where no `gateway serve` looks at them."""
    with school(directory) as opened:
        actor = signed_in(opened, on_behalf)
        take_over_policy(opened)
        yield opened, actor


def fail(problems: Iterable[object], code: int) -> NoReturn:
    """Say what is wrong, a line each, and exit."""
    for problem in problems:
        errors.print(str(problem), markup=False)
    raise typer.Exit(code)


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A plain table: aligned on a terminal, tab separated elsewhere."""
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(map(str, row)))  # the console would turn tabs into spaces
        return
    drawn = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    console.print(drawn)
