"""What every row about a pupil has in common: the kinds of text in it, who it is about, and what is wrong with it.

A row is strict as every form is, and all text: a date is `2026-08-01`, a moment `2026-08-01T14:30` (Europe/Amsterdam,
unless it names its offset), a list of names stands in one text or, in JSON, in a list. What is wrong is said of all
columns at once, and never with the value (house rule 8).
Leaves out: the kinds of row (`rows`, `consent_rows`), reading the file (`row_files`), finding the pupil
(`imports`).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.adapters.policy.forms import NAME, Form, iso_date, member, sentence
from gateway.core.facts import AnyFact, Capacity, ConsentTerms
from gateway.core.model import Category
from gateway.core.policy.words import forbidden_purpose
from gateway.core.release.national_number import passes

_AMSTERDAM = ZoneInfo("Europe/Amsterdam")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_BETWEEN = re.compile(r"[\s,;|]+")

LAS_KEY, BSN, GUARDIAN_KEY = "las-key", "bsn", "guardian-key"
ID_KINDS = (LAS_KEY, "eck-id", "nepri", "neppi", "bpi", "eduid", BSN)
"""By which ids a pupil can be named; each but the ECK iD and the BSN is known within its source only."""

RULES = {
    "guardian": "R18",
    "giver": "R18",
    "capacity": "R18",
    "answer": "R21",
    "given": "R18, R19",
    "withdrawn": "R26",
    "ground": "R93",
    "received": "R96",
    "mark": "R100",
    "categories": "R23",
    "recipient": "R54",
    "day": "R57",
    "text": "R90",
}
"""The rule that a missing column breaks."""

Wrong = tuple[str, str]
"""A message and the rule it is about."""


@dataclass(frozen=True, slots=True)
class Door:
    """What rows are held against: the moment they come in, who may be named, which campaigns there are."""

    now: datetime
    today: date
    recipients: Mapping[str, frozenset[str]]
    """name → its purposes"""
    campaigns: Mapping[int, ConsentTerms] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def whom_wrong(self, recipient: str | None, purpose: str | None) -> Iterator[Wrong]:
        """R7, R11, R24: a recipient or purpose that nobody wrote down cannot be meant."""
        if recipient is not None and recipient not in self.recipients:
            yield "the recipient is none of this school's", "R24"
            recipient = None
        if purpose is None:
            return
        known = self.recipients.values() if recipient is None else (self.recipients[recipient],)
        if forbidden_purpose(purpose):
            yield "pupil data are never sold or used commercially, also not with consent", "R11"
        elif not any(purpose in purposes for purposes in known):
            yield "the purpose is none of this recipient's", "R24"


# -- kinds of text -------------------------------------------------------------------------------------


def _moment(value: Any) -> Any:
    """Text to a moment; without an offset it is local, and a day alone begins at midnight."""
    if not isinstance(value, str):
        return value
    try:
        parsed = datetime.fromisoformat(value) if _MOMENT.fullmatch(value) else None
        moment = (parsed if parsed.tzinfo else _local(parsed)).astimezone(UTC) if parsed else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise PydanticCustomError("day", "must be a moment as 2026-08-01T14:30, or a date")
    return moment


def _local(naive: datetime) -> datetime:
    """At the hour that the clock shows twice the later one: what is thought to come later never proves too much."""
    aware = naive.replace(tzinfo=_AMSTERDAM, fold=1)
    if aware.astimezone(UTC).astimezone(_AMSTERDAM).replace(tzinfo=None) != naive:
        raise ValueError("the clock skipped this hour")
    return aware


def latest(moment: datetime) -> datetime:
    """Of what says no: a day alone is known by its midnight, and counts as after all that was said on that day."""
    local = moment.astimezone(_AMSTERDAM)
    if local.time() != time.min:
        return moment
    return local.replace(hour=23, minute=59, second=59, microsecond=999_999).astimezone(UTC)


def _several(value: Any) -> Any:
    """Names in one text, or in a list."""
    if isinstance(value, str):
        return tuple(one for one in _BETWEEN.split(value) if one)
    return tuple(value) if isinstance(value, list) else value


def _yes_no(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value not in ("yes", "no"):
        raise PydanticCustomError("choice", "must be yes or no")
    return value == "yes"


def _whole(value: Any) -> Any:
    """A number of ours, as text in CSV."""
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,15}", value):
        return int(value)
    return value


def _id_kind(value: Any) -> Any:
    if isinstance(value, str) and value not in ID_KINDS:
        raise PydanticCustomError("choice", "must be one of {choices}", {"choices": ", ".join(ID_KINDS)})
    return value


_DAY = {"type": "string", "format": "date"}


def _names(name: str) -> dict[str, Any]:
    """The JSON Schema of names in one text, or in a list."""
    one = {"type": "string", "pattern": f"^({name})$"}
    text = {"type": "string", "pattern": f"^({name})([ ,;|]+({name}))*$"}
    return {"oneOf": [text, {"type": "array", "items": one, "minItems": 1}]}


Value = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Slug = Annotated[str, StringConstraints(pattern=NAME, max_length=60)]
BrinCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}[A-Z]{2}([0-9]{2})?$")]
BsnText = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]
IdKind = Annotated[
    str, BeforeValidator(_id_kind), WithJsonSchema({"type": "string", "enum": list(ID_KINDS), "default": LAS_KEY})
]
Day = Annotated[date, BeforeValidator(iso_date), WithJsonSchema(_DAY)]
Moment = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"oneOf": [{"type": "string", "format": "date-time"}, _DAY]})
]
YesNo = Annotated[bool, BeforeValidator(_yes_no), WithJsonSchema({"type": "string", "enum": ["yes", "no"]})]
Number = Annotated[int, BeforeValidator(_whole), WithJsonSchema({"type": ["integer", "string"], "minimum": 1})]
_CategoryName = Annotated[Category, member(Category)]
Categories = Annotated[
    tuple[_CategoryName, ...],
    Field(min_length=1),
    BeforeValidator(_several),
    WithJsonSchema(_names("|".join(Category))),
]
Recipients = Annotated[
    tuple[Slug, ...],
    Field(min_length=1),
    BeforeValidator(_several),
    WithJsonSchema(_names(NAME.strip("^$"))),
]
CapacityName = Annotated[Capacity, member(Capacity)]


# -- a row ---------------------------------------------------------------------------------------------


class Row(Form):
    """One row of a file."""

    def wrong(self, door: Door) -> Iterator[Wrong]:
        """What the columns say together that cannot be. Overriding forms begin with `super().wrong(door)`."""
        yield from ()


class FactRow(Row, ABC):
    """`pupil`: an id of the kind `pupil_id_kind`, known in `source`; the one source when there is one."""

    pupil: Value
    pupil_id_kind: IdKind = LAS_KEY
    source: Slug | None = None

    GUARDIAN: ClassVar[str | None] = None
    """The column that names a guardian, by the school's own key."""

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        if self.pupil_id_kind == BSN and not is_bsn(self.pupil):
            yield "'pupil' is no BSN", "form"
        if self.source is None and len(door.sources) > 1:
            yield "'source' is missing: there are several", "form"
        if self.source is not None and self.source not in door.sources:
            yield "'source' is none of this school's", "form"

    @property
    def guardian_key(self) -> str | None:
        return getattr(self, self.GUARDIAN) if self.GUARDIAN else None

    @abstractmethod
    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        """What the row says, of which `guardian` is the internal id of whom it names."""


R = TypeVar("R", bound=Row)


def columns(form: type[Row]) -> frozenset[str]:
    return frozenset(form.model_fields)


def fit_row(form: type[R], values: Mapping[str, Any], door: Door) -> R | list[Wrong]:
    """The row as its form, or everything that is wrong with it."""
    try:
        filled = form.model_validate(values)
    except ValidationError as error:
        every = error.errors(include_url=False, include_input=False, include_context=True)
        return list(dict.fromkeys(_told(form, details) for details in every))
    return list(filled.wrong(door)) or filled


def _told(form: type[Row], details: Any) -> Wrong:
    column = str(details["loc"][0]) if details["loc"] else ""
    if details["type"] == "extra_forbidden":  # the key of a stranger's object may be a name
        return f"a key does not belong here; possible are {', '.join(sorted(columns(form)))}", "form"
    if details["type"] in {"tuple_type", "string_type"}:
        return f"'{column}' must be text", "form"
    return sentence(details, f"'{column}'", RULES.get(column, "form"))


def order_wrong(since: date | None, until: date | None) -> Iterator[Wrong]:
    if since is not None and until is not None and until < since:
        yield "'until' lies before 'since'", "form"


def is_bsn(value: str) -> bool:
    """Nine digits that pass the 11-proef."""
    return re.fullmatch(r"[0-9]{9}", value) is not None and passes(value)
