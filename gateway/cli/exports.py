"""`gateway export`: what a recipient may have of the source's records, page by page, to a file that is handed over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from gateway.bootstrap import exports, reports
from gateway.bootstrap.files import source_of
from gateway.cli.files import check_free, keep_report, with_cover
from gateway.cli.output import HERE, PROBLEMS, REFUSED, USAGE, Directory, OnBehalf, acting, errors, fail
from gateway.core.file_forms import Form
from gateway.transfer.filing import Wanted, through
from gateway.transfer.pages import Exported
from gateway.transfer.pages import Progress as HowFar

FORMS = {"json": Form.ARRAY, "ndjson": Form.LINES, "csv": Form.TABLE, "xml": Form.DOCUMENT}
_GOES_ON = "dezelfde opdracht gaat hier binnen een dag verder; met --anew begint zij opnieuw"
_EVERY = 10_000  # records between two lines, where there is no terminal


def export(
    recipient: Annotated[str, typer.Option("--recipient", help="Who receives: a file in recipients/.")],
    purpose: Annotated[str, typer.Option("--purpose", help="For which of its purposes.")],
    schema: Annotated[str, typer.Option("--schema", help="What the records are: a file in schemas/.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A new file: NAME.json, .ndjson, .csv, .xml or .zip.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Send it: an endpoint of gateway.yaml that the agreement lists.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="A new file: what became of the rest.")] = None,
    final: Annotated[
        str | None, typer.Option("--final-recipient", help="Who gets it in the end, where the recipient is a platform.")
    ] = None,
    record: Annotated[
        list[str] | None, typer.Option("--record", help="Which kind of record, if several; more in a zip or folder.")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Which source to read, if several.")] = None,
    form: Annotated[
        str | None, typer.Option("--form", help="json, ndjson, csv or xml; by default what the name says.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words.")] = "handed over as an export",
    *,
    folder: Annotated[bool, typer.Option("--folder", help="-o is a new folder of numbered files.")] = False,
    as_zip: Annotated[
        bool, typer.Option("--zip", help="A zip with a file for each kind, as -o NAME.zip makes.")
    ] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Do not go on with a run that was killed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Progress and report as lines of JSON.")] = False,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Read the source page by page and hand over what this recipient may have, registered, with a cover
    (OUT.cover.json). A run that was killed goes on when the same command is given again, within a day."""
    if (output is None) == (to is None):
        fail(["say where it goes: -o FILE, or --to ENDPOINT"], USAGE)
    container = _container(output, folder=folder, as_zip=as_zip)
    chosen = _form(output, form) if form or container == "file" else None
    records = tuple(record or ())
    if len(records) > 1 and container == "file":
        fail(["several kinds of records take a zip (-o NAME.zip, or --zip) or a folder (--folder)"], USAGE)
    with acting(directory, by) as (opened, actor):
        who, platform = through(recipient, final)
        wanted = Wanted(source_of(opened, schema, source), schema, who, purpose, platform=platform)
        made_of = chosen or exports.usual_form(opened, schema, container)
        order = exports.Order(wanted, made_of, output, to, anew, records, container)
        _possible(output, report, again=not anew and exports.unfinished(opened, actor, order))
        with _watching(as_json=as_json) as watch, interrupted():
            exported, goes_on = exports.export(opened, actor, order, reason, watch)
        made = reports.report(opened, [exported], actor.roles)
        if report is not None:
            keep_report(report, made)
    _tell(made, exported, goes_on=goes_on, as_json=as_json)
    if goes_on:
        raise typer.Exit(PROBLEMS)
    if not made["released"]:
        raise typer.Exit(REFUSED)


def _container(output: Path | None, *, folder: bool, as_zip: bool) -> str:
    if folder and (output is None or as_zip):
        fail(["--folder takes -o FOLDER, and is no zip"], USAGE)
    if folder:
        return "folder"
    return "zip" if as_zip or (output is not None and output.suffix == ".zip") else "file"


def _form(output: Path | None, form: str | None) -> Form:
    chosen = FORMS.get(form or (output.suffix.removeprefix(".") if output else ""))
    if chosen is None:
        fail(["say what is to be made: --form " + " or ".join(FORMS)], USAGE)
    return chosen


def _possible(output: Path | None, report: Path | None, *, again: bool) -> None:
    """Before anything is asked of anybody. What a run that was killed made is its own."""
    made = with_cover(output) if output is not None else []
    there = [one for one in made if not (again and one.exists())]
    check_free([*there, *([report] if report is not None else [])])


@contextmanager
def interrupted() -> Iterator[None]:
    """Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        errors.print(f"onderbroken; {_GOES_ON}", markup=False)
        raise


# -- progress --------------------------------------------------------------------------------------------


@contextmanager
def _watching(*, as_json: bool) -> Iterator[Callable[[HowFar], None]]:
    """A bar on a terminal, else lines."""
    if as_json:
        yield lambda how_far: _line({"doing": how_far.doing, **_numbers(how_far)})
    elif errors.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=errors, transient=True) as bar:
            yield _Bar(bar, bar.add_task(_DOING["reading"], total=None, told="")).show
    else:
        yield _Lines().show


_DOING = {
    "reading": "lezen",
    "part": "vastleggen",
    "looking": "nog eens bekijken",
    "writing": "schrijven",
    "handing over": "overdragen",
}
"""What --json says is being done, as a person reads it."""


def _said(how_far: HowFar) -> str:
    return f"{how_far.read} gelezen, {how_far.released} mee"


def _numbers(how_far: HowFar) -> dict[str, int]:
    return {"page": how_far.page, "pages": how_far.pages, "read": how_far.read, "released": how_far.released}


def _line(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.flush()


class _Bar:
    """Pages of the source; what is read of a page shows as numbers."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar = bar
        self._task = task

    def show(self, how_far: HowFar) -> None:
        done = how_far.page - 1 if how_far.doing in ("reading", "part") else how_far.pages
        self._bar.update(
            self._task,
            description=_DOING[how_far.doing],
            total=how_far.pages or None,
            completed=done,
            told=_said(how_far),
        )


class _Lines:
    """A line now and then."""

    def __init__(self) -> None:
        self._told = ("", 0)

    def show(self, how_far: HowFar) -> None:
        now = (how_far.doing, how_far.read // _EVERY)
        if how_far.doing == "part" and now[1] <= self._told[1]:
            return
        self._told = now
        errors.print(f"{_DOING[how_far.doing]}: {_said(how_far)}", markup=False)


def _tell(made: dict[str, Any], exported: Exported, *, goes_on: bool, as_json: bool) -> None:
    if as_json:
        _line({"doing": "interrupted" if goes_on else "done", "report": made})
        return
    for line in reports.told(made, [exported]):
        errors.print(line, markup=False)
    if goes_on:
        errors.print(_GOES_ON, markup=False)
