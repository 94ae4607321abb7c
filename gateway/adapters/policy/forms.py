"""What every form has in common: the kinds of scalar, and fitting a form on a file with all problems at once.

A form is a pydantic model of one kind of file. Of pydantic's errors only the place and the kind are used, never the
value (house rule 8). A scalar may be an open question (`ASK: …`): it gets a placeholder, so that the rest can still
be checked; `Fitted.holes` says where, because no rule may speak about a placeholder.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from gateway.adapters.policy.yaml_text import Ask, Document, Path, Problem, shown
from gateway.core.facts import Occasion
from gateway.core.model import Category, FieldClass, Ground, IdKind, PseudonymMethod, RecipientKind, Role, Transform
from gateway.core.policy.words import vague

ROUNDS = 6
UNANSWERED = "(nog niet beantwoord)"


class Form(BaseModel):
    """Strict: no unknown key, no conversion between kinds of scalar."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Mended:
    """What stands in for a wrong value while the rest of the file is checked; never part of a result."""

    placeholder: Any

    def _fill(self, value: Any) -> Any:
        return self.placeholder if isinstance(value, Ask) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._fill, handler(source))


@dataclass(frozen=True, slots=True)
class Asking(Mended):
    """Lets a scalar be an open question, which is filled with `placeholder` until it is answered."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"type": "string", "pattern": "^ASK:"}]}


def _no_wildcard(value: Any) -> Any:
    """R10: what is agreed upon is enumerated; 'enzovoort' names nothing."""
    if isinstance(value, str) and is_wildcard(value):
        raise PydanticCustomError(
            "policy", "name each category: a wildcard or 'enzovoort' names nothing", {"rule": "R10"}
        )
    return value


def is_wildcard(name: str) -> bool:
    """Whether a name means 'everything' or 'and so on'."""
    plain = name.strip().strip(".").casefold()
    return "…" in name or plain in {"all", "alle", "alles", "any", "everything"} or vague(plain)


def member(kind: type[StrEnum]) -> BeforeValidator:
    """Text to a member of a closed set; the message lists the set, not the text."""

    def convert(value: Any) -> Any:
        if isinstance(value, kind) or not isinstance(value, str):
            return value
        try:
            return kind(value)
        except ValueError:
            choices = ", ".join(kind)
            raise PydanticCustomError("choice", "must be one of {choices}", {"choices": choices}) from None

    return BeforeValidator(convert)


def iso_date(value: Any) -> Any:
    """Text to a date, in one way of writing it."""
    if not isinstance(value, str):
        return value
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != value:
        raise PydanticCustomError("day", "must be a date as 2026-08-01")
    return parsed


_Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]
NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"

Text = Annotated[_Text, Asking(UNANSWERED)]
Reason = Annotated[str, StringConstraints(max_length=2000), Asking(UNANSWERED)]
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=60), Asking("nog-niet-beantwoord")]
Key = Annotated[str, StringConstraints(pattern=NAME, max_length=60), Mended("nog-niet-beantwoord")]
Brin = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}[A-Z]{2}([0-9]{2})?$"), Asking("00AA")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Asking("NL")]
Oin = Annotated[str, StringConstraints(pattern=r"^[0-9]{20}$"), Asking("0" * 20)]
Contact = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$"), Asking("onbekend@voorbeeld.example")]
Flag = Annotated[bool, Asking(False)]
Number = Annotated[int, Asking(1)]
Scalar = Annotated[str | int | float | bool, Asking(UNANSWERED)]
_Day = Annotated[
    date,
    BeforeValidator(iso_date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
]
# An open begin lies in the past and an open end in the future: what is not answered is not out of date.
Begin = Annotated[_Day, Asking(date.min)]
End = Annotated[_Day, Asking(date.max)]
Day = Annotated[_Day, Mended(date.min)]

CategoryName = Annotated[Category, member(Category), Mended(Category.ORGANISATION)]
AgreedCategory = Annotated[Category, member(Category), BeforeValidator(_no_wildcard), Asking(Category.ORGANISATION)]
ClassName = Annotated[FieldClass, member(FieldClass), Mended(FieldClass.ORDINARY)]
GroundLetter = Annotated[Ground, member(Ground), Asking(Ground.PUBLIC_TASK)]
MethodName = Annotated[PseudonymMethod, member(PseudonymMethod), Mended(PseudonymMethod.HMAC)]
KindName = Annotated[RecipientKind, member(RecipientKind), Mended(RecipientKind.OTHER)]
IdKindName = Annotated[IdKind, member(IdKind), Mended(IdKind.LAS_KEY)]
RoleName = Annotated[Role, member(Role), Asking(Role.PROCESSOR)]
OccasionName = Annotated[Occasion, member(Occasion), Mended(Occasion.STANDING)]
TransformName = Annotated[Transform, member(Transform), Mended(Transform.KEEP)]

F = TypeVar("F", bound=Form)


@dataclass(frozen=True, slots=True)
class Fitted(Generic[F]):
    """A form filled from a file. `form` is None when nothing could be made of it. `holes`: places that hold a
    placeholder, because they are asked or wrong."""

    form: F | None
    problems: list[Problem]
    holes: frozenset[Path]

    def certain(self, where: Iterable[str | int]) -> bool:
        """Whether this place is no placeholder, nor in one, nor a list with one."""
        path = tuple(str(step) for step in where)
        return not any(path[: len(hole)] == hole or (hole[-1].isdigit() and hole[:-1] == path) for hole in self.holes)


def fit(form: type[F], document: Document, rules: Mapping[str, str]) -> Fitted[F]:
    """Fit `form` on the file. What is wrong is reported, mended with a placeholder or taken out, and tried again,
    so that one mistake does not hide the next. `rules`: the rule number to cite for a key that is missing."""
    if document.value is None and document.problems:
        return Fitted(None, document.problems, frozenset())
    value = copy.deepcopy(document.value)
    problems = list(document.problems)
    told = set(document.unsure)
    for _ in range(ROUNDS):
        try:
            filled = form.model_validate(value)
        except ValidationError as error:
            found = _found(value, error)
        else:
            return Fitted(filled, problems, _holes(document, told))
        problems += [_problem(document, path, details, rules) for path, details in found if not _within(path, told)]
        told |= {path for path, _ in found}
        if not all(_mend(value, path, details) for path, details in found):
            break
    return Fitted(None, _unique(problems), _holes(document, told))


def _found(value: Any, error: ValidationError) -> list[tuple[Path, ErrorDetails]]:
    every = error.errors(include_url=False, include_input=False, include_context=True)
    return [(_place(value, details), details) for details in every]


def _within(path: Path, told: set[Path]) -> bool:
    """A place that was told of, or one in it: what is in a placeholder is not the writer's."""
    return any(path[: len(place)] == place for place in told)


def _holes(document: Document, told: set[Path]) -> frozenset[Path]:
    return frozenset(told | {asked.path for asked in document.asked})


def _unique(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _place(value: Any, details: ErrorDetails) -> Path:
    """Pydantic's place as a path in the file: names of alternatives that are not in the file are left out."""
    path: list[str] = []
    for step in details["loc"]:
        inside = step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int)
        if inside:
            value = value[step]
            path.append(str(step))
    if details["type"] == "missing":
        path.append(str(details["loc"][-1]))
    return tuple(path)


def _mend(value: Any, path: Path, details: ErrorDetails) -> bool:
    """Take out what does not belong, put a placeholder where something else should stand."""
    if not path:
        return False
    for step in path[:-1]:
        value = value[int(step)] if isinstance(value, list) else value.get(step)
    last = path[-1]
    placeholder = _PLACEHOLDERS.get(details["type"], Ask)("")
    if isinstance(value, list):
        value[int(last)] = placeholder
    elif details["type"] == "extra_forbidden" or details["loc"][-1] == "[key]":
        value.pop(last, None)
    else:
        value[last] = placeholder
    return True


_PLACEHOLDERS: dict[str, Callable[[str], Any]] = {
    "list_type": lambda _: [],
    "dict_type": lambda _: {},
    "model_type": lambda _: {},
}

_MESSAGES = {
    "string_type": "{what} must be text: put it in quotes",
    "string_too_short": "{what} is empty",
    "string_too_long": "{what} is too long",
    "string_pattern_mismatch": "{what} is not written as it should be",
    "int_type": "{what} must be a whole number",
    "bool_type": "{what} must be true or false",
    "list_type": "{what} must be a list",
    "dict_type": "{what} must be a mapping of keys to values",
    "model_type": "{what} must be a mapping of keys to values",
    "date_type": "{what} must be a date as 2026-08-01",
    "missing": "{what} is missing",
    "extra_forbidden": "{what} is not a key that belongs here",
    "union_tag_not_found": "{what} must have type (one value), fields (an object) or items (a list)",
    "too_short": "{what} is empty",
    "greater_than": "{what} is too small",
    "greater_than_equal": "{what} is too small",
    "less_than_equal": "{what} is too large",
    "float_type": "{what} must be a number",
}


def _problem(document: Document, path: Path, details: ErrorDetails, rules: Mapping[str, str]) -> Problem:
    what = shown(path[-1]) if path and not path[-1].isdigit() else "this"
    key = path[-1] if path else ""
    message, rule = sentence(details, what if path else "", rules.get(key, "form"))
    return document.problem(path, message, rule)


def sentence(details: ErrorDetails, what: str, rule_if_missing: str) -> tuple[str, str]:
    """What is wrong with `what` (a key as a message may show it; "" for the whole), and the rule it breaks. Nothing of
    the value is in it."""
    kind, context = details["type"], details.get("ctx") or {}
    if details["loc"] and details["loc"][-1] == "[key]":
        message = f"{what} is not a name that can stand here"
    elif kind in {"policy", "choice", "day"}:
        # Our own sentences: no value from the file is in them.
        message = f"{what}: {details['msg']}" if what else details["msg"]
    elif kind == "literal_error":
        message = f"{what or 'this'} must be one of {context.get('expected', '')}"
    else:
        message = _MESSAGES.get(kind, "{what} does not fit the form").format(what=what or "this")
    return message, str(context.get("rule") or (rule_if_missing if kind == "missing" else "form"))
