"""schemas/NAME.yaml and recipients/NAME.yaml: text to values, with every problem of a file at once.

`load_schema` and `load_recipient` say what one file is; `check_directory` reads them all and adds what
`core.policy.rules` says about them, each at its line. Leaves out: gateway.yaml (`settings`), and when a text comes into
force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TypeAlias

from gateway.adapters.policy import recipient_forms, schema_faults, schema_fields, schema_forms
from gateway.adapters.policy.forms import Fitted, fit
from gateway.adapters.policy.recipient_forms import RecipientForm
from gateway.adapters.policy.schema_fields import Fault
from gateway.adapters.policy.schema_forms import SchemaForm
from gateway.adapters.policy.yaml_text import Document, Problem, read
from gateway.core.policy import rules as policy
from gateway.core.policy.problems import PolicyProblem
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Organisation, Recipient

_REMEMBERED = 512  # schema texts; more than the files of a large school board
_Texts: TypeAlias = tuple[tuple[str, str], ...]  # (name for messages, text)


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """An open `ASK:` answer of a file."""

    file: str
    line: int
    question: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.question}"


@dataclass(frozen=True, slots=True)
class Report:
    """A directory as it was found. Problems, questions and warnings, which stop nothing, are sorted by file and
    line."""

    problems: tuple[Problem, ...]
    questions: tuple[Question, ...]
    schemas: Mapping[str, Schema]
    recipients: Mapping[str, Recipient]
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A recipient file with what is needed to say more about it: its lines and its holes."""

    document: Document
    fitted: Fitted[RecipientForm]
    recipient: Recipient | None
    problems: list[Problem]
    faulty: frozenset[tuple[str | int, ...]] = frozenset()

    def place(self, about: PolicyProblem) -> tuple[str | int, ...]:
        """A rule names a delivery by its purpose and schema; the file by its number."""
        match about.where:
            case ("deliveries", str(purpose), *rest):
                return ("deliveries", self._number(purpose, about), *rest)
            case _:
                return about.where

    def _number(self, purpose: str, about: PolicyProblem) -> int:
        deliveries = self.fitted.form.deliveries if self.fitted.form else []
        same = [number for number, one in enumerate(deliveries) if one.purpose == purpose]
        schema = about.delivery[2] if about.delivery else None
        return next((number for number in same if schema in deliveries[number].schemas), same[0] if same else 0)

    def located(self, found: Iterable[PolicyProblem]) -> Iterator[Problem]:
        """What the rules say, at its line; nothing about a placeholder, nor about what is no name at all."""
        for about in found:
            where = self.place(about)
            if self.fitted.certain(where) and where not in self.faulty:
                yield self.document.problem(where, f"{about.reason}: {about.message}", about.rule)


def text_hash(text: str) -> str:
    """The hash by which a policy text is stored and activated."""
    return hashlib.sha256(text.encode()).hexdigest()


def load_schema(text: str, name: str) -> Schema | list[Problem]:
    """The schema in `text`, or everything that is wrong with it. `name`: the file's name, for messages."""
    loaded = _load_schema(text, name)
    return loaded if isinstance(loaded, Schema) else list(loaded)


@lru_cache(maxsize=_REMEMBERED)  # long texts, the same each time a recipient changes
def _load_schema(text: str, name: str) -> Schema | tuple[Problem, ...]:
    document = read(text, name)
    fitted = fit(SchemaForm, document, schema_fields.RULES)
    problems = list(fitted.problems)
    if fitted.form:
        problems += _located(document, fitted, schema_faults.faults(fitted.form))
        problems += _misnamed(document, "schema", fitted.form.schema_name)
    problems += [document.problem(asked.path, "a schema has no open questions") for asked in document.asked]
    if problems or fitted.form is None:
        return tuple(sorted(set(problems)))
    return schema_forms.build(fitted.form, text_hash(text))


def load_recipient(text: str, name: str, schemas: Mapping[str, Schema]) -> Recipient | list[Problem]:
    """The recipient in `text`, or everything that is wrong with its form and names. Whether the terms are lawful
    is `core.policy.rules`'s; open questions do not stop it, they are in `asks`."""
    found = _read_recipient(text, name, schemas)
    if found.problems or found.recipient is None:
        return sorted(set(found.problems))
    return found.recipient


def _read_recipient(text: str, name: str, schemas: Mapping[str, Schema]) -> _Read:
    document = read(text, name)
    fitted = fit(RecipientForm, document, recipient_forms.RULES)
    problems = list(fitted.problems)
    if fitted.form is None:
        return _Read(document, fitted, None, problems)
    faults = list(recipient_forms.faults(fitted.form, schemas))
    problems += _located(document, fitted, faults)
    problems += _misnamed(document, "recipient", fitted.form.recipient)
    asks = tuple((asked.line, asked.question) for asked in document.asked)
    recipient = recipient_forms.build(fitted.form, asks, text_hash(text))
    return _Read(document, fitted, recipient, problems, frozenset(where for where, _, _ in faults))


def _located(
    document: Document, fitted: Fitted[SchemaForm] | Fitted[RecipientForm], faults: Iterable[Fault]
) -> list[Problem]:
    return [document.problem(where, message, rule) for where, message, rule in faults if fitted.certain(where)]


def _misnamed(document: Document, key: str, name: str) -> list[Problem]:
    """A file bears the name of what is in it, so that nobody edits the wrong one."""
    if PurePath(document.file).stem == name:
        return []
    return [document.problem((key,), f"'{key}' must be the name of the file")]


# -- a whole directory ---------------------------------------------------------------------------------


def check_directory(directory: Path, today: date, organisation: Organisation | None = None) -> Report:
    """Everything that is wrong with schemas/ and recipients/ of this directory, and what is still asked.
    `organisation`: the school's, when gateway.yaml could be read; then locations are checked too."""
    unread: list[Problem] = []
    schemas, recipients = (tuple(_texts(directory, part, unread)) for part in ("schemas", "recipients"))
    found = _checked(schemas, recipients, today, organisation)
    return replace(found, problems=tuple(sorted({*unread, *found.problems})))


@lru_cache(maxsize=2)  # whoever activates one recipient after another asks the same about the same files each time
def _checked(schema_texts: _Texts, texts: _Texts, today: date, organisation: Organisation | None) -> Report:
    problems: list[Problem] = []
    warnings: list[Problem] = []
    schemas = dict(_load_schemas(schema_texts, problems))
    found = [_read_recipient(text, name, schemas) for name, text in texts]
    for one in found:
        problems += one.problems
        if one.recipient:
            problems += one.located(policy.problems(one.recipient, schemas, organisation, today))
            warnings += one.located(policy.doubts(one.recipient, schemas))
    problems += _between(found, schemas)
    questions = [
        Question(one.document.file, asked.line, asked.question) for one in found for asked in one.document.asked
    ]
    recipients = {one.recipient.name: one.recipient for one in found if one.recipient and not one.problems}
    sorted_warnings = tuple(sorted(set(warnings)))
    return Report(tuple(sorted(set(problems))), tuple(sorted(questions)), schemas, recipients, sorted_warnings)


def _load_schemas(texts: _Texts, problems: list[Problem]) -> Iterator[tuple[str, Schema]]:
    for name, text in texts:
        loaded = load_schema(text, name)
        if isinstance(loaded, Schema):
            yield loaded.name, loaded
        else:
            problems += loaded


def _between(found: Iterable[_Read], schemas: Mapping[str, Schema]) -> Iterator[Problem]:
    """What is wrong between recipients, each told at the file it is about."""
    by_name = {one.recipient.name: one for one in found if one.recipient}
    recipients = [one.recipient for one in by_name.values() if one.recipient]
    for about in (*policy.group_problems(recipients), *policy.platform_problems(recipients, schemas)):
        if about.delivery and about.delivery[0] in by_name:
            yield from by_name[about.delivery[0]].located([about])


def _texts(directory: Path, part: str, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """The files of schemas/ or recipients/ as (name for messages, text)."""
    folder = directory / part
    if not folder.is_dir():
        problems.append(Problem(part, 1, "there is no such folder in this directory"))
        return
    for path in sorted(folder.iterdir()):
        name = f"{part}/{path.name}"
        if path.suffix == ".yml":
            problems.append(Problem(name, 1, "a policy file ends in .yaml; this one would be overlooked"))
        elif path.suffix == ".yaml" and not path.name.startswith("."):
            try:
                yield name, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                problems.append(Problem(name, 1, "not UTF-8", "yaml"))
