"""Commands about credentials. A secret is shown once, when it is made."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from gateway.bootstrap import acts
from gateway.cli.output import HERE, USAGE, Directory, OnBehalf, acting, console, fail, school, table

client = typer.Typer(help="Make, revoke and list credentials.", no_args_is_help=True)


@client.command("new")
def new(
    recipient: Annotated[str | None, typer.Option(help="The recipient this credential is bound to.")] = None,
    purpose: Annotated[str | None, typer.Option(help="The one purpose it is bound to.")] = None,
    school_system: Annotated[bool, typer.Option("--school", help="A system of the school itself instead.")] = False,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Make a client with a secret and an API key, as one line of JSON."""
    if school_system == (recipient is not None) or (recipient is None) != (purpose is None):
        fail(["give --recipient and --purpose, or --school"], USAGE)
    with acting(directory, by) as (opened, actor):
        made = acts.new_client(opened, recipient, purpose, actor)
        answer = {"client_id": made.id, "client_secret": made.secret, "api_key": made.api_key}
        console.print(orjson.dumps(answer).decode(), markup=False)


@client.command("revoke")
def revoke(client_id: str, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """Revoke a client and its tokens, from the next request on."""
    with acting(directory, by) as (opened, actor):
        acts.revoke_client(opened, client_id, actor)
        console.print(f"{client_id} is revoked", markup=False)


@client.command("list")
def listing(directory: Directory = HERE) -> None:
    """Every client; no secrets."""
    with school(directory) as opened:
        columns = ("client", "kind", "recipient", "purpose", "created", "by", "revoked")
        rows = [
            (
                one.id,
                one.kind,
                one.recipient or "-",
                one.purpose or "-",
                one.created,
                one.created_by,
                one.revoked or "-",
            )
            for one in acts.clients(opened)
        ]
        table(columns, rows)
