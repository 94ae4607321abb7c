"""Commands about what a person releases by its content (D8): masked text, documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.bootstrap import texts
from gateway.bootstrap.texts import About, Content
from gateway.cli.output import HERE, USAGE, Directory, OnBehalf, Why, acting, console, fail
from gateway.cli.persons import asked
from gateway.core.model import FieldClass

text = typer.Typer(help="Texts and documents that wait for a person: review, release.", no_args_is_help=True)
Recipient = Annotated[str, typer.Option("--recipient", help="Who would receive.")]
Purpose = Annotated[str, typer.Option("--purpose", help="For which purpose.")]
File = Annotated[Path | None, typer.Option("--file", help="In this file, as it is to be handed in.", dir_okay=False)]
Schema = Annotated[str | None, typer.Option("--schema", help="What the file holds, if several.")]
Source = Annotated[str | None, typer.Option("--source", help="Which source knows the pupil, if several.")]


@text.command("review")
def review(
    recipient: Recipient,
    purpose: Purpose,
    reason: Why,
    file: File = None,
    schema: Schema = None,
    source: Source = None,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """What of one pupil waits in this delivery: a line of JSON each, a text as masked as it would leave. The pupil's
    number is asked for; that you looked is registered. What is released leaves in each of its fields."""
    with acting(directory, by) as (opened, actor):
        about = About(recipient, purpose, _pupil(), source, file, schema)
        for one in texts.waiting(opened, actor, about, reason):
            what = one.content
            told = {
                "digest": what.digest.hex(),
                "class": what.field_class,
                "fields": one.fields,
                "text": what.shown or None,
            }
            console.print(orjson.dumps(told).decode(), markup=False)


@text.command("release")
def release(
    digest: Annotated[str, typer.Argument(help="What may leave: its digest in `gateway text review`.")],
    recipient: Recipient,
    purpose: Purpose,
    reason: Why,
    called: Annotated[FieldClass | None, typer.Option("--class", help="What a document is; else a document.")] = None,
    everybody: Annotated[bool, typer.Option("--any-recipient", help="To each recipient with this purpose.")] = False,
    file: File = None,
    schema: Schema = None,
    source: Source = None,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Let exactly this content of this pupil leave for this purpose. The pupil's number is asked for."""
    with acting(directory, by) as (opened, actor):
        named = _digest(digest)
        about = About(recipient, purpose, _pupil(), source, file, schema)
        number = texts.release(opened, actor, about, Content(named, called, everybody=everybody), reason)
        if number is not None:
            console.print(f"proposal {number} waits for a second person: gateway proposal confirm", markup=False)
        else:
            console.print("released", markup=False)


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        fail(["a digest is hexadecimal: see gateway text review"], USAGE)


def _pupil() -> str:
    return asked("number of the pupil in the administration", hidden=True)
