"""`gateway filter`: what a school exports from its administration, through the filter, to what a recipient may have."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.bootstrap import files, reports
from gateway.cli.output import HERE, PROBLEMS, REFUSED, USAGE, Directory, OnBehalf, acting, errors, fail
from gateway.transfer.filing import Wanted, through

STREAM = Path("-")


def filter_(
    given: Annotated[Path, typer.Argument(metavar="IN", help="A file, a folder of files, or - for standard input.")],
    recipient: Annotated[str, typer.Option("--recipient", help="Who receives: a file in recipients/.")],
    purpose: Annotated[str, typer.Option("--purpose", help="For which of its purposes.")],
    schema: Annotated[str, typer.Option("--schema", help="What the records are: a file in schemas/.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A new file or folder; - for standard output.")
    ] = STREAM,
    report: Annotated[Path | None, typer.Option("--report", help="A new file: what became of the rest.")] = None,
    final: Annotated[
        str | None, typer.Option("--final-recipient", help="Who gets it in the end, where the recipient is a platform.")
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", help="Which kind of record, if several; in XML the file says so.")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Which source knows the pupils, if several.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words.")] = "handed over as a file",
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Filter records you have as a file: only what this recipient may have for this purpose comes out, registered,
    with a cover that says so (OUT.cover.json). What was withheld, and why, is told to you."""
    _possible(given, output, report)
    with acting(directory, by) as (opened, actor):
        if given == STREAM and sys.stdin.isatty():
            errors.print("reading standard input; Ctrl-D ends it", markup=False)
        handed = files.streamed(sys.stdin.buffer) if given == STREAM else files.given(given)
        if handed.folder and output == STREAM:
            fail(["a folder of files takes -o FOLDER"], USAGE)
        who, platform = through(recipient, final)
        wanted = Wanted(files.source_of(opened, schema, source), schema, who, purpose, record, platform=platform)
        filed = files.filter_files(opened, actor, wanted, reason, handed, _write if output == STREAM else output)
        made = reports.report(opened, filed, actor.roles)
        if report is not None:
            keep_report(report, made)
    for line in reports.told(made, filed):
        errors.print(line, markup=False)
    if not made["released"]:
        raise typer.Exit(REFUSED)
    if made["refused"]:
        raise typer.Exit(PROBLEMS)


def _possible(given: Path, output: Path, report: Path | None) -> None:
    """Before anything is asked of anybody."""
    if given != STREAM and not given.exists():
        fail(["there is no such file or folder"], USAGE)
    check_free([*([] if output == STREAM else with_cover(output)), *([report] if report is not None else [])])


def with_cover(output: Path) -> list[Path]:
    """What is made."""
    return [output, output.with_name(output.name + ".cover.json")]


def check_free(places: Iterable[Path]) -> None:
    """Nothing is written over, and all of it can be written."""
    for one in places:
        folder = one.absolute().parent
        if one.exists():
            fail([f"{one.name} exists already: give another name, or move it away"], USAGE)
        if not folder.is_dir():
            fail([f"there is no folder for {one.name}: make it first"], USAGE)
        if not os.access(folder, os.W_OK | os.X_OK):
            fail([f"you may not write in the folder of {one.name}: give another"], USAGE)


def _write(texts: Iterable[bytes]) -> None:
    sys.stdout.buffer.writelines(texts)
    sys.stdout.buffer.flush()


def keep_report(path: Path, made: dict[str, Any]) -> None:
    try:
        files.keep(path, made)
    except OSError:
        errors.print(f"{path.name} could not be written; what it would say is below", markup=False)
