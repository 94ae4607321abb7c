"""A new directory for a school, and the answers to what its files ask.

What is made works for nobody yet: every file asks (`ASK:`) what only the school can say. Leaves out: what a right
answer is (`gateway check`), the demo's directory (`demo.directory`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters import keys as key_files
from gateway.adapters.policy.answers import Answer, answers, questions
from gateway.adapters.policy.yaml_text import read
from gateway.adapters.pupils.dialects import ROSTERS
from gateway.bootstrap.school import Unusable, random
from gateway.bootstrap.templates import SHARE
from gateway.settings import FILE

Given = Mapping[str, Mapping[str, Answer]]
"""File → dotted path → answer."""

_SETTINGS = """\
# De map van een school; elke instelling staat in docs/reference.md. Beantwoord elke regel met ASK:
# (`gateway answer` stelt de vragen), daarna zegt `gateway check` wat er nog mis is.
school: "ASK: Hoe heet de school?"
listen: 127.0.0.1:8080
admin: 127.0.0.1:8081
key: file:../{key}
policy:
  version: "ASK: Welke versie heeft het privacyreglement?"
  in_force: "ASK: Vanaf welke dag geldt het privacyreglement (als 2026-08-01)?"
  instemming: "ASK: Op welke dag stemde de medezeggenschapsraad in (als 2026-08-01)?"
organisation:
  locations:
{locations}
sources:
  lvs:
{source}
    schemas: [{schemas}]
"""
_LOCATION = """\
    {name}:
      title: "ASK: Hoe heet de locatie {name}?"
      ids:
"""
_V_ID = '        - {{type: V_ID, id: "ASK: Welk vestigingsnummer (V_ID, als 01AB00) heeft de locatie {name}?"}}'
_ID = '        - {{type: {kind}, id: "ASK: Welk kenmerk ({kind}) heeft de locatie {name} in {title}?"}}'
_CALLED = '    url: "ASK: Op welk adres staat het LVS (https://…)?"'
_CLIENT = """\
    token:
      url: "ASK: Op welk adres geeft het LVS toegang (https://…/oauth/token)?"
      client_id: "ASK: Onder welke naam (client_id) kent het LVS deze gateway?"
      client_secret: file:../{secret}"""
_AUTHORISATION = """\
    authorisation:
      key: file:../{secret}
      code: "ASK: Onder welke klantcode kent het LVS deze gateway (UWLR)?"
      name: "ASK: Onder welke klantnaam kent het LVS deze gateway (UWLR)?\""""
_NOT_CALLED = "    # geen url: dit LVS wordt niet gebeld; wie er op school zit komt met `gateway roster import`"


__all__ = ["Answer", "Given", "Question", "answers_of", "give", "make_directory", "open_questions", "templates"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a file of the directory asks. `path`: dotted, as in a file of answers."""

    file: str
    line: int
    path: str
    question: str


def templates() -> list[str]:
    """The recipients for whom a template ships."""
    return sorted(path.stem for path in (SHARE / "recipients").glob("*.yaml"))


def make_directory(directory: Path, recipients: Sequence[str], locations: Sequence[str], *, called: bool) -> None:
    """gateway.yaml, schemas/, recipients/ and the key beside the directory; never over anything. Raises Unusable."""
    directory = directory.resolve()
    unknown = [name for name in recipients if name not in templates()]
    if unknown:
        raise Unusable([f"no template is called so; there are {', '.join(templates())}"])
    if directory.exists() and any(directory.iterdir()):
        raise Unusable(["this directory is not empty"])
    made = directory.with_name(f".{directory.name}.{random(4).hex()}")
    try:
        made.mkdir(parents=True)
        _fill(made, directory, {name: _template(name) for name in recipients}, locations, called=called)
        key_files.create_key_file(_key(directory), key_files.new_material(random))
        _move(made, directory)
    except OSError:
        raise Unusable(["the directory, or the key beside it, exists already or cannot be written"]) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _fill(made: Path, directory: Path, wanted: Mapping[str, str], locations: Sequence[str], *, called: bool) -> None:
    """What will be `directory`, beside it, so that it is there whole or not at all."""
    schemas = _schemas(wanted.values(), called=called)
    texts = {f"schemas/{name}.yaml": (SHARE / "schemas" / f"{name}.yaml").read_text("utf-8") for name in schemas}
    texts |= {f"recipients/{name}.yaml": text for name, text in wanted.items()}
    # where nobody was chosen yet, the LVS is asked about as one of Edu-V
    spoken = [one for one in schemas if wanted or one.startswith("edu-v-")]
    texts[FILE] = _settings(directory, schemas, spoken, locations, called=called)
    for part in ("schemas", "recipients"):
        (made / part).mkdir()
    for name, text in texts.items():
        (made / name).write_text(text, encoding="utf-8")


def _move(made: Path, directory: Path) -> None:
    """An empty directory stays the one it is: somebody may stand in it."""
    try:
        if directory.exists():
            for one in made.iterdir():
                one.rename(directory / one.name)
        else:
            made.rename(directory)
    except OSError:
        _key(directory).unlink()
        raise


def _template(name: str) -> str:
    return (SHARE / "recipients" / f"{name}.yaml").read_text(encoding="utf-8")


def _key(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.key")


def _schemas(recipients: Iterable[str], *, called: bool) -> list[str]:
    """Those of which these recipients get something (all, where none was chosen), and those by which a LVS tells who is
    there."""
    shipped = sorted(path.stem for path in (SHARE / "schemas").glob("*.yaml"))
    deliveries = [one for text in recipients for one in read(text, "").value["deliveries"]]
    named = {name for one in deliveries for name in one["schemas"]}
    eduv = {name for name in shipped if name.startswith("edu-v-")}
    told = eduv if called and (named & eduv or not named & ROSTERS.keys()) else set()
    return [name for name in shipped if name in named | told or not named]


def _settings(
    directory: Path, schemas: Sequence[str], spoken: Sequence[str], locations: Iterable[str], *, called: bool
) -> str:
    return _SETTINGS.format(
        key=_key(directory).name,
        locations="\n".join(_location(name, spoken) for name in locations),
        source=_source(spoken, f"{directory.name}.lvs-secret") if called else _NOT_CALLED,
        schemas=", ".join(schemas),
    )


def _location(name: str, schemas: Iterable[str]) -> str:
    """With an id of every kind by which one of these formats knows it."""
    read_in = [read((SHARE / "schemas" / f"{one}.yaml").read_text(encoding="utf-8"), "").value for one in schemas]
    own = {one["location_type"]: one["title"] for one in read_in if "location_type" in one}
    ids = [_ID.format(kind=kind, name=name, title=title) for kind, title in own.items()]
    others = [_V_ID.format(name=name)] if len(own) < len(read_in) or not own else []
    return _LOCATION.format(name=name) + "\n".join([*others, *ids])


def _source(schemas: Iterable[str], secret: str) -> str:
    """How it is called: with a token, and in UWLR with an authorisation."""
    messages = {one for one in schemas if one.startswith("uwlr-")}
    live = {one for one in schemas if one.startswith("edu-v-") or one in ROSTERS} - messages
    parts = [*([_CLIENT] if live or not messages else []), *([_AUTHORISATION] if messages else [])]
    return "\n".join([_CALLED, *(one.format(secret=secret) for one in parts)])


# -- answers -------------------------------------------------------------------------------------------


def open_questions(directory: Path) -> list[Question]:
    """In the order in which they are asked: gateway.yaml first."""
    return [
        Question(name, asked.line, ".".join(asked.path), asked.question)
        for name, text in _texts(directory).items()
        for asked in questions(text)
    ]


def give(directory: Path, given: Given) -> int:
    """Write answers in: file → dotted path (`*` for any one step) → answer; how many questions are still open. All of
    them, or none. Raises Unusable."""
    texts = _texts(directory)
    if strange := sorted(given.keys() - texts.keys()):
        raise Unusable([f"this directory has no file {name}" for name in strange])
    try:
        made = {name: answers(texts[name], answered) for name, answered in given.items()}
    except LookupError as error:
        raise Unusable([error]) from None
    for name, text in made.items():
        _replace(directory / name, text)
    return len(open_questions(directory))


def answers_of(text: str, name: str) -> Given:
    """A file of answers. Raises Unusable."""
    document = read(text, name)
    given: dict[str, dict[str, Answer]] = document.value if isinstance(document.value, dict) else {}
    if document.problems or not given or not all(isinstance(one, dict) for one in given.values()):
        raise Unusable(document.problems or [f"{name}: a file of answers names files, and under each its answers"])
    return given


def _texts(directory: Path) -> dict[str, str]:
    found = [directory / FILE, *sorted((directory / "recipients").glob("*.yaml"))]
    try:
        return {path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8") for path in found}
    except (OSError, UnicodeDecodeError):
        raise Unusable(["this is no directory of a school, or a file of it cannot be read"]) from None


def _replace(path: Path, text: str) -> None:
    made = path.with_name(f".{path.name}.part")
    try:
        made.write_text(text, encoding="utf-8")
        made.replace(path)
    except OSError:
        raise Unusable([f"{path.name} cannot be written"]) from None
