"""Reading one YAML file strictly: its value, the line of every key, every problem at once.

Files are written by people and decide what leaves, so nothing in them may mean two things: duplicate keys, anchors,
aliases, tags, merge keys and plain scalars that one YAML reader takes for text and another for a number or a truth
value (`NO`, `0123`, `12:30`, `4E1`) are problems. Dates stay text; only a form that means a date parses one.
Leaves out: what a file should contain (`files`, `settings`). A message never repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import CSafeLoader
from yaml.reader import ReaderError

Path = tuple[str, ...]

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 40
ASK = "ASK:"

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "": None}
# What YAML 1.1 or 1.2 readers, ours not among them, resolve to something other than text.
_TRAPS = (
    (re.compile(r"(?i:y|n|yes|no|on|off|true|false)"), "a truth value"),
    (re.compile(r"(?i:null)|~"), "nothing"),
    (re.compile(r"[-+]?0[0-9_]+|[-+]?0o[0-7]+|[-+]?0x[0-9a-fA-F_]+|[-+]?0b[01_]+"), "a number in another base"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "a number in base sixty"),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"), "a number"),
    (re.compile(r"[-+]?\.(?i:inf|nan)"), "a number"),
)
_IDENTIFIER = re.compile(r"[A-Za-z_@][A-Za-z0-9_@:.-]{0,63}")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, where. `rule`: a rule number, or "form" where the shape and not a rule is broken."""

    file: str
    line: int
    message: str
    rule: str = "form"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} ({self.rule})"


@dataclass(frozen=True, slots=True)
class Ask:
    """An answer that the school has still to give (`ASK: question`)."""

    question: str


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question of a file and where it stands. `begin` and `end` are character positions of the scalar."""

    path: Path
    line: int
    question: str
    begin: int
    end: int


@dataclass(slots=True)
class Document:
    """A file as read. `value` holds dict, list, str, int, float, bool, None and Ask only."""

    file: str
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unsure: set[Path] = field(default_factory=set)

    def line(self, where: Sequence[str | int]) -> int:
        """The line of this place, else of the nearest place around it."""
        path = tuple(str(step) for step in where)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, where: Sequence[str | int], message: str, rule: str = "form") -> Problem:
        return Problem(self.file, self.line(where), message, rule)


def shown(name: object) -> str:
    """A key as a message may show it: only what looks like an identifier is repeated."""
    return f"'{name}'" if isinstance(name, str) and _IDENTIFIER.fullmatch(name) else "of this line"


def plain_value(text: str) -> str | int | float | bool | None:
    """One value from outside a file (the environment), by the same rules as a plain scalar."""
    return _resolve(text)


def read(text: str, name: str) -> Document:
    """Read `text`; what cannot be read is in `problems`, and the rest is in `value` all the same."""
    document = Document(name)
    if len(text) > MAX_CHARACTERS:
        document.problems.append(Problem(name, 1, "the file is too large", "yaml"))
        return document
    try:
        _build(yaml.parse(text, Loader=CSafeLoader), document)
    except _Unreadable as error:
        document.problems.append(Problem(name, error.line, error.message, "yaml"))
        document.value = None
    except yaml.MarkedYAMLError as error:
        # libyaml's own problem texts are fixed sentences; its context and snippet are not used.
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        hint = (
            "; no tabs, and what begins with @ in quotes" if "cannot start any token" in (error.problem or "") else ""
        )
        document.problems.append(Problem(name, line, f"not YAML: {error.problem}{hint}", "yaml"))
        document.value = None
    except (ReaderError, UnicodeEncodeError):
        document.problems.append(Problem(name, 1, "not YAML: a character that may not stand in a text file", "yaml"))
        document.value = None
    return document


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Unreadable(Exception):
    """Nothing after this place can be read with any meaning."""

    def __init__(self, event: yaml.Event, message: str) -> None:
        super().__init__(message)
        self.line = _line(event)
        self.message = message


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that is being read. `key`: the mapping key that waits for its value."""

    path: Path
    value: dict[str, Any] | list[Any]
    key: str | None = None
    line: int = 0

    def next_path(self) -> Path:
        if isinstance(self.value, list):
            return (*self.path, str(len(self.value)))
        return (*self.path, self.key or "")

    def put(self, value: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is not None:
            self.value[self.key] = value
            self.key = None


def _build(events: Iterator[yaml.Event], document: Document) -> None:
    """Events to values with a stack of our own: no recursion, and an alias never becomes a value."""
    stack: list[_Open] = []
    documents = 0
    for event in events:
        line = _line(event)
        match event:
            case yaml.DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise _Unreadable(event, "more than one document")
            case yaml.AliasEvent() | yaml.ScalarEvent() | yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                if len(stack) > MAX_DEPTH:
                    raise _Unreadable(event, "nested too deeply")
                _refuse_marks(event, line, document)
                _node(event, line, stack, document)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                _place(stack.pop().value, stack, document)
            case _:
                pass


def _refuse_marks(event: yaml.Event, line: int, document: Document) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        document.problems.append(Problem(document.file, line, "anchors and aliases are not allowed", "yaml"))
    if getattr(event, "tag", None) is not None:
        document.problems.append(Problem(document.file, line, "tags are not allowed", "yaml"))


def _node(event: yaml.Event, line: int, stack: list[_Open], document: Document) -> None:
    top = stack[-1] if stack else None
    if top is not None and isinstance(top.value, dict) and top.key is None:
        _key(event, line, top, document)
        return
    path = top.next_path() if top else ()
    document.lines.setdefault(path, line)
    if isinstance(event, yaml.ScalarEvent):
        _place(_scalar(event, path, line, document), stack, document)
    elif isinstance(event, yaml.MappingStartEvent):
        stack.append(_Open(path, {}))
    elif isinstance(event, yaml.SequenceStartEvent):
        stack.append(_Open(path, []))
    else:
        _place(None, stack, document)


def _place(value: Any, stack: list[_Open], document: Document) -> None:
    if stack:
        stack[-1].put(value)
    else:
        document.value = value


def _key(event: yaml.Event, line: int, top: _Open, document: Document) -> None:
    if not isinstance(event, yaml.ScalarEvent):
        raise _Unreadable(event, "a key must be text")
    key: str = event.value
    path = (*top.path, key)
    if key == "<<":
        document.problems.append(Problem(document.file, line, "merge keys are not allowed", "yaml"))
    elif _trap(event) or (event.implicit[0] and not isinstance(_resolve(key), str)):
        # `on:` is the key True for many a reader.
        document.problems.append(Problem(document.file, line, "a key must be text: put it in quotes", "yaml"))
    if isinstance(top.value, dict) and key in top.value:
        document.problems.append(Problem(document.file, line, f"key {shown(key)} stands here twice", "yaml"))
    document.lines[path] = line
    top.key = key


def _scalar(event: yaml.ScalarEvent, path: Path, line: int, document: Document) -> Any:
    text: str = event.value
    if text.startswith(ASK):
        question = text[len(ASK) :].strip()
        begin, end = (mark.index if mark else 0 for mark in (event.start_mark, event.end_mark))
        document.asked.append(Asked(path, line, question, begin, end))
        return Ask(question)
    if not event.implicit[0]:
        return text
    if trap := _trap(event):
        message = f"some readers take this for {trap}: put it in quotes where text is meant"
        document.problems.append(Problem(document.file, line, message, "yaml"))
        document.unsure.add(path)
        return text
    return _resolve(text)


def _trap(event: yaml.ScalarEvent) -> str | None:
    text: str = event.value
    if not event.implicit[0] or text in _CONSTANTS or _INTEGER.fullmatch(text) or _DECIMAL.fullmatch(text):
        return None
    return next((what for pattern, what in _TRAPS if pattern.fullmatch(text)), None)


def _resolve(text: str) -> str | int | float | bool | None:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
