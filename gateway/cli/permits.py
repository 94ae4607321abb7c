"""Commands about one-off permits: police, break-glass, safety, investigation, request (D4).

The pupil's number comes from a prompt or standard input; what an order or report says comes from a file or is asked.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import orjson
import typer

from gateway.bootstrap import handover, permits
from gateway.bootstrap.permits import Items, Wanted
from gateway.bootstrap.school import clock
from gateway.cli.output import HERE, USAGE, Directory, OnBehalf, Why, acting, console, errors, fail, table
from gateway.cli.persons import asked
from gateway.core.facts import Exception18, Occasion
from gateway.core.gate.permits import ITEMS
from gateway.core.model import Category

permit = typer.Typer(
    help="One-off permits: make, list, show, use, revoke and review them.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(help="The permit: its name in `gateway permit list`.")]


@permit.command("make")
def make(
    kind: Annotated[Occasion, typer.Argument(help="police, break-glass, safety, investigation or request.")],
    recipient: Annotated[str, typer.Option("--recipient", help="Who receives: a file in recipients/.")],
    reason: Why,
    purpose: Annotated[str | None, typer.Option("--purpose", help="When the recipient has several.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Which source knows the pupil, if several.")] = None,
    items: Annotated[Path | None, typer.Option("--items", help="A YAML or JSON file instead of questions.")] = None,
    category: Annotated[list[str], typer.Option("--category", help="May be repeated.")] = [],  # noqa: B006 - as Typer wants it
    until: Annotated[datetime | None, typer.Option("--until", help="Earlier than it would end.")] = None,
    exception: Annotated[Exception18 | None, typer.Option(help="Art. 18(2): why a restriction is passed.")] = None,
    secret: Annotated[bool | None, typer.Option("--secret/--not-secret", help="For releaser and FG only.")] = None,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Decide that this pupil's data may leave on this occasion; prints the permit's name, or what waits for a second
    person. The pupil's number is asked for."""
    if kind is Occasion.STANDING:
        fail(["a standing delivery takes no permit"], USAGE)
    given = {"categories": category, "until": until, "exception": exception, "secret": secret}
    with acting(directory, by) as (opened, actor):
        las_key = asked("number of the pupil in the administration", hidden=True)
        stated = permits.stated_in(items) if items else _asked(kind, with_categories=not category)
        filled = _items({**stated, **{name: value for name, value in given.items() if value not in (None, [])}})
        made = permits.make(opened, actor, Wanted(kind, recipient, purpose, source, las_key, filled), reason)
        if made.proposal is not None:
            waits = f"proposal {made.proposal} waits for a second person"
            console.print(f"{waits}: gateway proposal confirm {made.proposal}", markup=False)
        else:
            console.print(f"permit {made.permit}", markup=False)


def _asked(kind: Occasion, *, with_categories: bool) -> dict[str, Any]:
    """A question per item this occasion needs; an empty answer is a missing item."""
    stated: dict[str, Any] = {}
    if with_categories and kind is not Occasion.BREAK_GLASS:
        stated["categories"] = [
            one.strip()
            for one in asked("categories, with commas (as name, birth-date, address)", optional=True).split(",")
            if one.strip()
        ]
    more = {Occasion.POLICE: ("judge",), Occasion.REQUEST: ("capacity",)}.get(kind, ())
    for name in (*ITEMS[kind], *more):
        answer = asked(_QUESTIONS.get(name, name), optional=True).strip()
        if answer:
            stated[name] = answer
    return stated


_QUESTIONS = {
    "order": "type of order (126nc, 126nd, 126nf)",
    "authority": "who issued it",
    "issued": "on which day (as 2026-11-22)",
    "case": "case number",
    "document": "SHA-256 of the order (sha256sum FILE)",
    "judge": "authorisation of the rechter-commissaris (for 126nf)",
    "reference": "reference of the Inspectie",
    "requester": "who asks (pupil, representative)",
    "capacity": "in which capacity (parent, voogd, curator, mentor; empty for the pupil)",
    "identity": "how the identity was established",
    "identified": "on which day (as 2026-11-22)",
}


def _items(stated: dict[str, Any]) -> Items:
    """Of what does not fit only the place is told (house rule 8)."""
    until = stated.get("until")
    if isinstance(until, datetime) and until.tzinfo is None:
        stated["until"] = until.astimezone()
    try:
        return msgspec.convert(stated, Items)
    except msgspec.ValidationError as error:
        place = str(error).partition(" - at `$.")[2].rstrip("`") or "items"
        known = ", ".join(Category if place.startswith("categories") else Items.__struct_fields__)
    fail([f"{place}: not as it should be; known are {known}"], USAGE)
    raise AssertionError  # fail exits


@permit.command("list")
def listing(directory: Directory = HERE) -> None:
    """Every permit, the newest first; names nobody."""
    with acting(directory) as (opened, actor):
        rows = (
            (
                one.id,
                one.occasion,
                one.recipient,
                one.state(clock()),
                "review is open" if one.to_review else "-",
                one.until.isoformat(timespec="minutes"),
                one.made_by,
            )
            for one in permits.listed(opened, actor)
        )
        table(("permit", "occasion", "recipient", "state", "review", "until", "made by"), rows)


@permit.command("show")
def show(name: Name, reason: Why, directory: Directory = HERE) -> None:
    """One permit with its items and its pupil, as a line of JSON; that you looked is registered."""
    with acting(directory) as (opened, actor):
        console.print(orjson.dumps(permits.shown(opened, actor, name, reason)).decode(), markup=False)


@permit.command("deliver")
def deliver(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words.")] = "handed over on the permit",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A new file, for its owner only.")] = None,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Fetch, minimise and register what the permit names, and hand it to you as JSON."""
    if output is not None and output.exists():
        fail([f"{output.name} exists already"], USAGE)
    with acting(directory, by) as (opened, actor):
        handed = handover.deliver(opened, actor, name, reason)
        if output is None:
            typer.echo(handed.text.decode())
        else:
            _write(output, handed.text)
        errors.print(f"registered as {', '.join(handed.transfers)}", markup=False)


def _write(path: Path, text: bytes) -> None:
    """All of it or nothing, readable by its owner only, over nothing."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            path.hardlink_to(beside)
        finally:
            beside.unlink()
    except OSError:
        fail([f"{path.name} could not be written; the entry says that it was handed over: repeat it"], USAGE)


@permit.command("revoke")
def revoke(name: Name, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
    """Nothing more leaves on it."""
    with acting(directory, by) as (opened, actor):
        permits.revoke(opened, actor, name, reason)
        console.print(f"{name} is revoked", markup=False)


@permit.command("review")
def review(
    name: Name,
    outcome: Annotated[str, typer.Option("--outcome", help="What came of it, in words.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in words.")] = "review of break-glass (R13)",
    directory: Directory = HERE,
) -> None:
    """The FG's judgement of a break-glass, afterwards."""
    with acting(directory) as (opened, actor):
        permits.review(opened, actor, name, outcome, reason)
        console.print(f"{name} is reviewed", markup=False)
