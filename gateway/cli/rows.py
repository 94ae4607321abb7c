"""Commands about what is recorded of pupils: per kind `import`, `record`, `list` and `end`, made by one function; and
what consent, objection and restriction have of their own.

A pupil's id comes from a file, a prompt or standard input, never from an argument. Leaves out: roster and linking
(`pupils`), declarations (`facts`).
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from gateway.bootstrap import fact_acts
from gateway.bootstrap.fact_acts import Column, FileWrong, Known, Taken
from gateway.bootstrap.school import clock
from gateway.cli import INTERRUPTED
from gateway.cli.output import HERE, PROBLEMS, USAGE, Directory, OnBehalf, Why, acting, console, errors, fail, table
from gateway.cli.persons import asked
from gateway.core.facts import Capacity

_TOLD_EVERY = 50_000  # rows

File = Annotated[Path, typer.Argument(help="CSV or JSON; - reads standard input.", allow_dash=True)]
Number = Annotated[int, typer.Argument(help="The number in the list.")]
Look = Annotated[str | None, typer.Option("--reason", help="Why the las-keys are to be shown; registered.")]


def family(kind: str, what: str) -> typer.Typer:
    """The commands about one kind of fact."""
    made = typer.Typer(help=f"{what}: import, record, list, end.", no_args_is_help=True)
    add_commands(made, kind, what)
    return made


def add_commands(app: typer.Typer, kind: str, what: str) -> None:
    """`import`, `record`, `list` and `end` of this kind; a restriction is lifted instead (R95)."""
    small = what[0].lower() + what[1:]

    @app.command("import", help=f"Bring in a file of {small}: all of it, or nothing and every problem by line.")
    def bring_in(file: File, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
        with acting(directory, by) as (opened, actor), file_told(), file_opened(file) as content:
            taken = fact_acts.bring_in(opened, actor, kind, content, file.name, reason, _progress)
            _tell(taken)

    @app.command("record", help=f"Record one of {small}; what it says is asked, a column each.")
    def record(reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
        with acting(directory, by) as (opened, actor), file_told():
            fact_acts.allowed(opened, actor, reason)
            columns = fact_acts.columns_of(kind)
            values = {column.name: _asked(column) for column in columns}
            _tell(fact_acts.record(opened, actor, kind, values, reason))

    @app.command("list", help=f"How many of {small} are known, and the newest; pupils as the register names them.")
    def listing(
        last: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the newest last.")] = 20,
        reason: Look = None,
        directory: Directory = HERE,
    ) -> None:
        with acting(directory) as (opened, actor):
            count, known = fact_acts.listed(opened, actor, kind, last, reason)
            console.print(f"{count} known", markup=False)
            columns = ("number", "kind", "pupil", *(("las-key",) if reason else ()), "says")
            table(columns, (_line(one, named=bool(reason)) for one in known))

    if kind != "restriction":
        _add_end(app, kind, small)


def _add_end(app: typer.Typer, kind: str, small: str) -> None:
    @app.command("end", help=f"End one of {small}: it was known until now.")
    def end(number: Number, reason: Why, by: OnBehalf = None, directory: Directory = HERE) -> None:
        with acting(directory, by) as (opened, actor):
            fact_acts.end(opened, actor, kind, number, reason)
            console.print(f"{number} is ended", markup=False)


def _line(one: Known, *, named: bool) -> tuple[object, ...]:
    says = "  ".join(f"{name}={_word(value)}" for name, value in one.shown().items())
    return (one.number, one.kind.value, one.pupil, *((one.las_keys,) if named else ()), says)


def _word(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


# -- what is said meanwhile and after ------------------------------------------------------------------


@contextmanager
def file_told() -> Iterator[None]:
    """Everything that is wrong with a file, and exit 1. Interrupted, it was not brought in either."""
    try:
        yield
    except KeyboardInterrupt:
        fail(["interrupted: nothing was brought in"], INTERRUPTED)
    except FileWrong as wrong:
        errors.print(f"nothing was brought in: {wrong.count} problem{'s' if wrong.count > 1 else ''}", markup=False)
        left = wrong.count - len(wrong.problems)
        fail([*wrong.problems, *([f"… and {left} more"] if left else [])], PROBLEMS)


@contextmanager
def file_opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield io.BytesIO(sys.stdin.buffer.read())
        return
    try:
        content = file.open("rb")
    except OSError:
        fail(["there is no such file, or it cannot be read"], USAGE)
    with content:
        yield content


def _progress(done: str, rows: int) -> None:
    if rows % _TOLD_EVERY == 0:
        errors.print(f"{rows} rows {done}", markup=False)


def _tell(taken: Taken) -> None:
    parts = [f"{_many(taken.rows, 'row')}: {_many(taken.entered, 'fact')} entered"]
    parts += [f"{taken.ended} ended"] if taken.ended else []
    parts += [f"{taken.known} known already"] if taken.known else []
    console.print(", ".join(parts), markup=False)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _asked(column: Column) -> str:
    """With the words that it may be; who it is about is not shown."""
    may = [*column.words, *([] if column.required else ["may be empty"])]
    text = f"{column.name} ({', '.join(may)})" if may else column.name
    return asked(text, hidden=column.name in ("pupil", "bsn"), optional=not column.required).strip()


# -- consent -------------------------------------------------------------------------------------------

consent = family("consent", "Consents")
restriction = family("restriction", "Restrictions")
objection = family("objection", "Objections")


@consent.command("campaign")
def campaign(
    file: Annotated[Path, typer.Argument(help="YAML or JSON: recipients, purpose, categories, text, form, evidence.")],
    reason: Why,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Open a campaign: what everybody in it is asked; its number stands in the rows of its answers (D6)."""
    with acting(directory, by) as (opened, actor), file_told(), file_opened(file) as content:
        try:
            text = content.read().decode()
        except UnicodeDecodeError:
            fail([f"{file.name}: not UTF-8"], USAGE)
        number = fact_acts.open_campaign(opened, actor, text, file.name, reason)
        console.print(f"campaign {number}", markup=False)


@consent.command("withdraw")
def withdraw(
    capacity: Annotated[Capacity, typer.Option(help="Who withdraws: the pupil, or any one representative (D5).")],
    recipient: Annotated[str, typer.Option(help="Only towards this recipient.")] = "",
    purpose: Annotated[str, typer.Option(help="Only for this purpose.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, in words.")] = "withdrawn",
    id_kind: Annotated[str, typer.Option(help="The kind of id by which the pupil is named.")] = "las-key",
    source: Annotated[str, typer.Option(help="Where that id is known, if there are several sources.")] = "",
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Withdraw a pupil's consent, from the next record on (R26); the id is asked for."""
    with acting(directory, by) as (opened, actor), file_told():
        named = {"pupil": asked(f"{id_kind} of the pupil", hidden=True), "pupil_id_kind": id_kind, "source": source}
        what = {"capacity": capacity.value, "recipient": recipient, "purpose": purpose}
        values = {**named, **what, "withdrawn": clock().isoformat(timespec="microseconds")}
        fact_acts.record(opened, actor, "withdrawal", values, reason)
        console.print("withdrawn", markup=False)


@consent.command("turning-16")
def turning_16(
    days: Annotated[int, typer.Option(min=0, max=fact_acts.LONGEST_NOTICE, help="How far ahead.")] = 60,
    reason: Look = None,
    directory: Directory = HERE,
) -> None:
    """Pupils whose parents' consents end with their 16th birthday: ask them themselves (R28)."""
    with acting(directory) as (opened, actor):
        found = fact_acts.turning_sixteen(opened, actor, days, reason)
        columns = ("turns 16", "pupil", *(("las-key",) if reason else ()), "consents")
        table(columns, ((one.day, one.pupil, *((one.las_keys,) if reason else ()), one.consents) for one in found))


# -- objection and restriction -------------------------------------------------------------------------


@objection.command("decide")
def decide(
    number: Number,
    rejected: Annotated[bool, typer.Option("--rejected/--upheld", help="Compelling grounds prevail, or not.")],
    reason: Why,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """The board's decision about an objection, with its reasons (R96): upheld it stands for good."""
    with acting(directory, by) as (opened, actor):
        fact_acts.decide_objection(opened, actor, number, reason, rejected=rejected)
        console.print(f"{number} is {'rejected' if rejected else 'upheld'}", markup=False)


@restriction.command("lift")
def lift(
    number: Number,
    informed: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="When the parents, or the pupil of 16, were informed.")
    ],
    reason: Why,
    by: OnBehalf = None,
    directory: Directory = HERE,
) -> None:
    """Lift a restriction, after those concerned were informed (R95)."""
    with acting(directory, by) as (opened, actor):
        fact_acts.end(opened, actor, "restriction", number, reason, informed.date())
        console.print(f"{number} is lifted", markup=False)


FAMILIES = {
    "guardian": family("guardian", "Guardians"),
    "consent": consent,
    "restriction": restriction,
    "objection": objection,
    "court-order": family("court-order", "Court orders"),
    "marker": family("marker", "Markers"),
    "dispute": family("dispute", "Disputes"),
    "statement": family("statement", "Statements"),
    "support-request": family("support-request", "Support requests"),
    "inzage": family("inzage", "Inzage"),
}
"""Command groups by name; `gateway pupil` has the same beside commands of its own."""
