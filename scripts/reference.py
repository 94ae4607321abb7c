"""Write the tables of docs/reference.md from the code they describe; the prose around them is by hand.

A table stands between `<!-- NAME -->` and `<!-- /NAME -->`; tests/test_docs.py fails when one is not what this makes.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from gateway.cli.app import app
from gateway.core.persons import MAY, TWO_PERSONS, Deed
from gateway.core.reasons import Reason
from gateway.settings import Limits

REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"


def reasons() -> str:
    """Every reason in the gate order, with both sentences."""
    rows = []
    for reason in sorted(Reason, key=lambda reason: reason.meaning.step):
        meaning = reason.meaning
        told = meaning.recipient if meaning.told else "(as `NOT_AVAILABLE`)"
        rows.append((f"`{reason}`", meaning.status, told, meaning.school, meaning.rule, meaning.article))
    return _table(("reason", "status", "told to the recipient", "told to the school", "rule", "article"), rows)


def limits() -> str:
    """Every limit with its default; its meaning is the text below it in the code."""
    meanings = _attribute_texts(Limits)
    rows = [(f"`limits.{limit.name}`", f"{limit.default:,}", meanings[limit.name]) for limit in fields(Limits)]
    return _table(("setting", "default", "meaning"), rows)


def _attribute_texts(kind: type) -> dict[str, str]:
    """The string that stands below each field of a dataclass."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    texts = {}
    for above, below in pairwise(ast.iter_child_nodes(definition)):
        match above, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                texts[name] = " ".join(text.split())
            case _:
                pass
    return texts


def deeds() -> str:
    """Every deed, which roles may do it, and when a second person must confirm."""
    rows = [
        (f"`{deed}`", ", ".join(sorted(MAY[deed])), ", ".join(sorted(TWO_PERSONS.get(deed, ()))) or "-")
        for deed in Deed
    ]
    return _table(("deed", "roles", "a second person for"), rows)


def commands() -> str:
    """Every command with its arguments and options, as the command line itself has them."""
    rows = []
    for path, command in _leaves("gateway", typer.main.get_command(app)):
        parameters = [parameter for parameter in command.params if parameter.name != "directory"]
        usage = " ".join([path, *(_usage(one) for one in parameters if isinstance(one, TyperArgument | TyperOption))])
        rows.append((f"`{usage}`", " ".join((command.help or "").split())))
    return _table(("command", "what it does"), rows)


def _leaves(path: str, command: object) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from _leaves(f"{path} {name}", below)
    elif isinstance(command, TyperCommand):
        yield path, command


def _usage(parameter: TyperArgument | TyperOption) -> str:
    """`NAME`, `--flag`, `--option VALUE`; what may be left out stands in brackets."""
    name = (parameter.name or "").upper()
    if isinstance(parameter, TyperOption):
        name = parameter.opts[0] if parameter.is_flag else f"{parameter.opts[0]} {name}"
    return name if parameter.required else f"[{name}]"


TABLES: Mapping[str, Callable[[], str]] = {"reasons": reasons, "limits": limits, "deeds": deeds, "commands": commands}


def filled(text: str) -> str:
    """The text with every table made anew."""
    for name, make in TABLES.items():
        opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = text.partition(opening)
        _, closed, after = rest.partition(closing)
        if not (found and closed):
            raise SystemExit(f"docs/reference.md has no place for the table of {name}")
        text = f"{before}{opening}\n{make()}\n{closing}{after}"
    return text


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = tuple(columns)
    lines = [_row(head), _row("---" for _ in head)]
    lines += [_row(row) for row in rows]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    REFERENCE.write_text(filled(REFERENCE.read_text()))
