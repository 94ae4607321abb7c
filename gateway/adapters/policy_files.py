"""schemas/NAME.yaml and recipients/NAME.yaml: text to values, with every problem of a file at once.

`load_schema` and `load_recipient` say what one file is; `check_directory` reads them all and adds what `core.policy`
says about them, each at its line. Leaves out: gateway.yaml (`settings`), and when a text comes into force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from gateway.adapters import recipient_forms, schema_forms
from gateway.adapters.forms import Fitted, fit
from gateway.adapters.recipient_forms import RecipientForm
from gateway.adapters.schema_forms import Fault, SchemaForm
from gateway.adapters.yaml_text import Document, Problem, read
from gateway.core.model import Recipient, Schema


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
    """A directory as it was found. Problems and questions are sorted by file and line."""

    problems: tuple[Problem, ...]
    questions: tuple[Question, ...]
    schemas: Mapping[str, Schema]
    recipients: Mapping[str, Recipient]


@dataclass(frozen=True, slots=True)
class _Read:
    """A recipient file with what is needed to say more about it: its lines and its holes."""

    document: Document
    fitted: Fitted[RecipientForm]
    recipient: Recipient | None
    problems: list[Problem]


def text_hash(text: str) -> str:
    """The hash by which a policy text is stored and activated."""
    return hashlib.sha256(text.encode()).hexdigest()


def load_schema(text: str, name: str) -> Schema | list[Problem]:
    """The schema in `text`, or everything that is wrong with it. `name`: the file's name, for messages."""
    document = read(text, name)
    fitted = fit(SchemaForm, document, schema_forms.RULES)
    problems = list(fitted.problems)
    if fitted.form:
        problems += _located(document, fitted, schema_forms.faults(fitted.form))
        problems += _misnamed(document, "schema", fitted.form.schema_name)
    problems += [document.problem(asked.path, "a schema has no open questions") for asked in document.asked]
    if problems or fitted.form is None:
        return sorted(set(problems))
    return schema_forms.build(fitted.form, text_hash(text))


def load_recipient(text: str, name: str, schemas: Mapping[str, Schema]) -> Recipient | list[Problem]:
    """The recipient in `text`, or everything that is wrong with its form and names. Whether the terms are lawful
    is `core.policy`'s; open questions do not stop it, they are in `asks`."""
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
    problems += _located(document, fitted, recipient_forms.faults(fitted.form, schemas))
    problems += _misnamed(document, "recipient", fitted.form.recipient)
    asks = tuple((asked.line, asked.question) for asked in document.asked)
    return _Read(document, fitted, recipient_forms.build(fitted.form, asks, text_hash(text)), problems)


def _located(
    document: Document, fitted: Fitted[SchemaForm] | Fitted[RecipientForm], faults: Iterable[Fault]
) -> list[Problem]:
    return [document.problem(where, message, rule) for where, message, rule in faults if fitted.certain(where)]


def _misnamed(document: Document, key: str, name: str) -> list[Problem]:
    """A file bears the name of what is in it, so that nobody edits the wrong one."""
    if PurePath(document.file).stem == name:
        return []
    return [document.problem((key,), f"'{key}' must be the name of the file")]
