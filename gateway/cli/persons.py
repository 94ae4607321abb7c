"""Commands about persons: who they are, what they may do, signing in and out.

Where input is no terminal, what is asked is read from it, a line each. Nothing secret is an argument.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import orjson
import typer

from gateway.bootstrap import session
from gateway.bootstrap.school import School
from gateway.bootstrap.session import Credentials
from gateway.cli.output import HERE, USAGE, Directory, OnBehalf, Why, acting, console, fail, school, table
from gateway.core.persons import Held, PersonRole

person = typer.Typer(help="Add, change, revoke and list the persons who may sign in.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="The name to sign in with, as the register will tell it.")]
Location = Annotated[list[str], typer.Option("--location", help="Where a location-admin is one; may be repeated.")]
Ask = Annotated[bool, typer.Option("--ask-password", help="Ask for the password instead of making one.")]


@person.command("add")
def add(
    name: Who,
    role: Annotated[list[PersonRole], typer.Option("--role", help="May be repeated.")] = [],  # noqa: B006 - as Typer wants it
    location: Location = [],  # noqa: B006 - idem
    ask_password: Ask = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words.")] = "new person",
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Add a person; password and code key are shown once, as a line of JSON. The first needs no sign-in."""
    _check_places(role, location)
    held = _held(role, location)
    with school(directory) as opened:
        credentials = session.new_credentials(asked("password", hidden=True) if ask_password else None)
        if session.nobody_yet(opened):
            session.add_first_person(opened, name, held, credentials)
        else:
            session.add_person(opened, session.signed_in(opened, by), name, held, credentials, reason)
        _show(opened, name, credentials, with_password=not ask_password)


@person.command("role")
def roles(
    name: Who,
    reason: Why,
    add: Annotated[list[PersonRole], typer.Option("--add", help="May be repeated.")] = [],  # noqa: B006 - as Typer wants it
    remove: Annotated[list[PersonRole], typer.Option("--remove", help="May be repeated.")] = [],  # noqa: B006 - idem
    location: Location = [],  # noqa: B006 - idem
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Give a person roles or take them away; signs the person out."""
    _check_places([*add, *remove], location)
    with acting(directory, by) as (opened, actor):
        session.change_roles(opened, actor, name, _held(add, location), _held(remove, location), reason)
        console.print(f"{name} is changed", markup=False)


@person.command("renew")
def renew(name: Who, reason: Why, ask_password: Ask = False, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """Another password and code key, after a loss; shown once. Signs the person out and ends a lock."""
    with acting(directory, by) as (opened, actor):
        credentials = session.new_credentials(asked("password", hidden=True) if ask_password else None)
        session.renew_person(opened, actor, name, credentials, reason)
        _show(opened, name, credentials, with_password=not ask_password)


@person.command("revoke")
def revoke(name: Who, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """No sign-in, session or role any more; the name stays taken, as the register speaks of it."""
    with acting(directory, by) as (opened, actor):
        session.revoke_person(opened, actor, name, reason)
        console.print(f"{name} is revoked", markup=False)


@person.command("list")
def listing(directory: Directory = HERE) -> None:
    """Every person with roles; no secrets."""
    with acting(directory) as (opened, actor):
        columns = ("name", "roles", "confidentiality", "created", "by", "revoked")
        table(
            columns,
            (
                (
                    one.name,
                    ", ".join(map(str, one.held)) or "-",
                    one.statement or "-",
                    one.created,
                    one.created_by,
                    one.revoked or "-",
                )
                for one in session.list_persons(opened, actor)
            ),
        )


def login(directory: Directory = HERE) -> None:
    """Sign in with name, password and code; at the first time also accept the confidentiality statement (yes/ja)."""
    with school(directory) as opened:
        name, password, code = asked("name"), asked("password", hidden=True), asked("code")
        actor = session.login(opened, name, password, code)
        confidential = actor.confidential
        if not confidential:
            console.print(session.STATEMENT, markup=False)
            confidential = asked("ja/nee").casefold() in {"ja", "j", "yes", "y"}
            if confidential:
                session.accept_statement(opened, actor)
        roles = ", ".join(sorted(map(str, actor.held))) or "no role"
        console.print(f"{actor.name} is signed in: {roles}", markup=False)
        if not confidential:
            console.print("nothing about pupils is shown until the statement is accepted", markup=False)


def logout(directory: Directory = HERE) -> None:
    """Sign out."""
    with school(directory) as opened:
        session.logout(opened)
        console.print("signed out", markup=False)


def asked(what: str, *, hidden: bool = False, optional: bool = False) -> str:
    """What a person answers; the next line where input is no terminal. At a terminal what is not `optional` is asked
    until something is said."""
    if sys.stdin.isatty():
        # without a default an empty answer is asked again, for ever
        default = "" if optional else None
        suffix = " " if what.endswith("?") else ": "
        return str(typer.prompt(what, default, hide_input=hidden, show_default=False, prompt_suffix=suffix))
    return sys.stdin.readline().rstrip("\r\n")


def _held(roles: Iterable[PersonRole], locations: list[str]) -> list[Held]:
    found = []
    for role in roles:
        at = locations if role is PersonRole.LOCATION_ADMIN else [None]
        found += [Held(role, location) for location in at]
    return found


def _check_places(roles: Iterable[PersonRole], locations: list[str]) -> None:
    if (PersonRole.LOCATION_ADMIN in roles) != bool(locations):
        fail(["give --location with the role location-admin, and only then"], USAGE)


def _show(opened: School, name: str, credentials: Credentials, *, with_password: bool) -> None:
    told = {"name": name, "totp_secret": credentials.totp_secret}
    told["otpauth"] = credentials.otpauth(name, f"gateway {opened.settings.school}")
    if with_password:
        told["password"] = credentials.password
    console.print(orjson.dumps(told).decode(), markup=False)
