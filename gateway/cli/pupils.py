"""Commands about the roster: synchronise it, and link pupils whom a new source does not say are known.

An id of a pupil comes from a prompt or standard input, never from an argument.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from gateway.bootstrap import acts, doubts
from gateway.bootstrap.office import synchronise
from gateway.bootstrap.roster_files import import_roster
from gateway.bootstrap.rosters import tells_where
from gateway.cli.output import HERE, PROBLEMS, USAGE, Directory, OnBehalf, Why, acting, console, fail, school, table
from gateway.cli.persons import asked
from gateway.cli.rows import File, add_commands, file_opened, file_told

pupil = typer.Typer(help="Pupils: those that wait to be linked, birth dates and admissions.", no_args_is_help=True)
add_commands(pupil, "pupil", "Birth dates and admissions")
roster = typer.Typer(help="The roster of a source.", no_args_is_help=True)


def _all_whole(whole: bool) -> None:
    if not whole:
        fail(["a location did not answer whole, or without most of its pupils; what it had stays"], PROBLEMS)


@roster.command("sync")
def sync(source: str, directory: Directory = HERE) -> None:
    """Synchronise now, instead of when it is due."""
    with acting(directory) as (opened, actor):
        acts.may_synchronise(opened, actor)
        if source not in opened.settings.sources:
            fail(["gateway.yaml has no such source"], USAGE)
        if not tells_where(opened.settings.sources[source]):
            fail(["this source is not asked who is where: gateway roster import"], USAGE)
        whole = asyncio.run(synchronise(directory, source))
        table(("source", "location", "synchronised"), acts.roster_status(opened))
    _all_whole(whole)


@roster.command("believe")
def believe(source: str, location: str, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """Take over what a source says of a location, although most of its pupils are not in it: they did leave."""
    with acting(directory, by) as (opened, actor):
        acts.believe_roster(opened, source, location, actor, reason)
        whole = asyncio.run(synchronise(directory, source, believed=[location]))
        table(("source", "location", "synchronised"), acts.roster_status(opened))
    _all_whole(whole)


@roster.command("import")
def bring_in(
    file: File,
    reason: Why,
    source: Annotated[str | None, typer.Option("--source", help="Whose roster it is, if several.")] = None,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Bring in who is where, for a source that is not asked: pupil, location, begin and what else is known. Of a
    location in the file whoever is not in it has left."""
    with acting(directory, by) as (opened, actor), file_told(), file_opened(file) as content:
        table(("location", "pupils"), import_roster(opened, actor, source, content, file.name, reason).items())


@roster.command("status")
def status(directory: Directory = HERE) -> None:
    """When each location was synchronised."""
    with school(directory) as opened:
        table(("source", "location", "synchronised"), acts.roster_status(opened))


@pupil.command("waiting")
def waiting(directory: Directory = HERE) -> None:
    """Pupils of a succeeding source whom no known id names."""
    with acting(directory) as (opened, actor):
        waiting = acts.waiting_pupils(opened, actor)
        rows = ((one.number, one.source, one.location, one.moment) for one in waiting)
        table(("number", "source", "location", "since"), rows)


@pupil.command("doubtful")
def doubtful(directory: Directory = HERE) -> None:
    """Pupils who share an id with another, so that nothing leaves of either: correct the LVS, or settle it. And whose
    id an employee has, of whom nothing leaves until the LVS is corrected."""
    with acting(directory) as (opened, actor):
        rows = (
            (one.number, one.source, " ".join(one.numbers), doubts.SAID[one.kind], one.moment)
            for one in doubts.listed(opened, actor)
        )
        table(("number", "source", "known by", "what", "since"), rows)


@pupil.command("settle")
def settle(
    number: Annotated[int, typer.Argument(help="The number in `gateway pupil doubtful`.")],
    reason: Why,
    one: Annotated[bool, typer.Option("--one/--two", help="Whether it is one pupil with two numbers.")],
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Say whether those who share an id are one pupil, or two and by which number this one is known; numbers are asked
    for, not given as arguments."""
    with acting(directory, by) as (opened, actor):
        what = "las-key that is this pupil's too" if one else "las-key that this pupil keeps (nothing: none of them)"
        doubts.settle(opened, actor, number, asked(what, hidden=True, optional=not one), reason, one=one)
        console.print(f"{number} is settled", markup=False)


@pupil.command("forget")
def forget(
    source: Annotated[str, typer.Argument(help="The source that knows this pupil.")],
    reason: Why,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Destroy the key by which the register names a pupil: what it says leads back to nobody, and the chain holds."""
    with acting(directory, by) as (opened, actor):
        acts.forget_pupil(opened, source, asked("las-key of this pupil there", hidden=True), actor, reason)
        console.print("forgotten", markup=False)


@pupil.command("link")
def link(
    number: Annotated[int, typer.Argument(help="The number in `gateway pupil waiting`.")],
    reason: Why,
    new: Annotated[bool, typer.Option("--new", help="This is a pupil whom the gateway did not know.")] = False,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Say who a waiting pupil is; the id in the source before is asked for, not given as an argument."""
    with acting(directory, by) as (opened, actor):
        before = None if new else asked("source that knew this pupil before")
        number_before = None if new else asked("las-key of this pupil there", hidden=True)
        known = (before, number_before) if before and number_before else None
        acts.link_pupil(opened, number, known, actor, reason)
        console.print(f"{number} is linked", markup=False)
