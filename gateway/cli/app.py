"""The command tree. `gateway --help` lists it; `docs/reference.md` explains each command."""

from __future__ import annotations

import asyncio
from importlib import metadata
from typing import Annotated

import typer

from gateway.bootstrap.school import unread
from gateway.cli import (
    clients,
    demo,
    exports,
    facts,
    files,
    fresh,
    holds,
    keys,
    permits,
    persons,
    policy,
    proposals,
    pupils,
    register,
    rows,
    texts,
)
from gateway.cli.output import HERE, USAGE, Directory, console, fail, school, told
from gateway.supervisor import Addresses, Supervisor

app = typer.Typer(
    name="gateway",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with locals would show personal data (house rule 8)
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("init")(fresh.init)
app.command("answer")(fresh.answer)
app.command("check")(policy.check)
app.command("explain")(policy.explain)
app.command("filter")(files.filter_)
app.command("export")(exports.export)
app.command("login")(persons.login)
app.command("logout")(persons.logout)
app.add_typer(persons.person, name="person")
app.add_typer(proposals.proposal, name="proposal")
app.add_typer(policy.recipient, name="recipient")
app.add_typer(clients.client, name="client")
app.add_typer(keys.key, name="key")
app.add_typer(register.register, name="register")
app.add_typer(register.report, name="report")
app.add_typer(facts.facts, name="facts")
app.add_typer(pupils.pupil, name="pupil")
app.add_typer(pupils.roster, name="roster")
for name, commands in rows.FAMILIES.items():
    app.add_typer(commands, name=name)
app.add_typer(holds.hold, name="hold")
app.add_typer(holds.task, name="task")
app.add_typer(permits.permit, name="permit")
app.add_typer(texts.text, name="text")


def _version(asked: bool) -> None:
    if asked:
        console.print(metadata.version("dataminimalisatie-gateway"), markup=False, highlight=False)
        raise typer.Exit


@app.callback()
def gateway(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print which version this is.")
    ] = False,
) -> None:
    """Data-minimisation gateway: what leaves the LVS is necessary, lawful, pseudonymous and registered."""


@app.command()
def serve(
    directory: Directory = HERE,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Worker processes; default from gateway.yaml.")
    ] = None,
) -> None:
    """Serve: a supervisor with the admin listener, and worker processes with the data plane."""
    with school(directory) as opened:
        number = workers or opened.settings.workers
        if lacking := unread(directory):
            fail(lacking, USAGE)
    with told():
        asyncio.run(Supervisor(directory, number).run(_announce))


def _announce(addresses: Addresses) -> None:
    console.print(f"gateway {addresses.gateway}\nadmin {addresses.admin}", markup=False)
