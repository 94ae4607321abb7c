"""The text of one field, in the formats in which everything is text: whether it is what the schema says, and what it
becomes.

A number leaves as it was written. An empty text is no value. Leaves out: whether the value may leave (`text_guard`),
how a format finds and writes it (`formats`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from gateway.core.policy import schema
from gateway.core.release import projection
from gateway.core.release.faults import Fault, Ruler, expectation, readable
from gateway.core.release.transforms import Unreadable, change


class Malformed(Exception):
    """A record is not what its schema says, and where. Holds no value."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__()
        self.fault = Fault(path, expected)


_NUMBERS = {
    "integer": re.compile(r"[+-]?[0-9]{1,18}"),
    "number": re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})"),
    "boolean": re.compile(r"true|false|0|1"),
}
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONGEST = 10_000_000  # signs of a text that is only laid beside its schema
Read = Callable[[str], str | None]


def is_plain(leaf: schema.Leaf) -> bool:
    """Whether any text will do that is not too long."""
    return leaf.type == "string" and leaf.format is None and not leaf.values and leaf.pattern is None


def reader(leaf: schema.Leaf, most: int, path: str) -> Read:
    """The text of the field at this path, checked; None when it is empty. `most`: characters it may have. Raises
    Malformed."""
    pattern = re.compile(leaf.pattern) if leaf.pattern else None

    def read(text: str) -> str | None:
        bare = text.strip()
        if not bare:
            return None
        found = text if leaf.type == "string" and leaf.format is None and not leaf.values else bare
        if len(found) > most:
            raise Malformed(path, f"at most {most} characters")
        if leaf.values and found not in leaf.values:
            raise Malformed(path, expectation(leaf))
        if pattern is not None and pattern.fullmatch(found) is None:
            raise Malformed(path, expectation(leaf))
        if leaf.type != "string" and _NUMBERS[leaf.type].fullmatch(found) is None:
            raise Malformed(path, expectation(leaf))
        formatted = _formatted(leaf.format, found)
        if formatted is None:
            raise Malformed(path, expectation(leaf))
        return formatted

    return read


def _formatted(wanted: str | None, text: str) -> str | None:
    """A day leaves without a time zone, which nobody needs and few readers know. None for what is none."""
    try:
        if wanted == "date":
            if len(text) == 10 and text[4] == text[7] == "-" and text.isascii():
                return date.fromisoformat(text).isoformat()
            day = _DAY.fullmatch(text)
            return date.fromisoformat(day.group(1)).isoformat() if day is not None else None
        if wanted == "date-time":
            datetime.fromisoformat(text)
        elif wanted == "uuid" and _UUID.fullmatch(text) is None:
            return None
    except ValueError:
        return None
    return text


class TextRuler(Ruler):
    """Every value is a text. `capitals`: what is true may be written in them, as spreadsheets do."""

    def __init__(self, *, capitals: bool = False) -> None:
        self._capitals = capitals
        self._readers: dict[str, Read] = {}

    def misfit(self, path: str, leaf: schema.Leaf, value: Any) -> str | None:
        """See Ruler."""
        if not isinstance(value, str):
            return expectation(leaf)
        if path not in self._readers:
            self._readers[path] = reader(leaf, _LONGEST, path)
        try:
            self._readers[path](value.lower() if self._capitals and leaf.type == "boolean" else value)
        except Malformed as malformed:
            return malformed.fault.expected
        return None


def becomes(leaf: projection.Leaf, reference: date) -> Callable[[str], str]:
    """What a text of this field becomes. Raises Malformed."""
    how = change(leaf.transform, leaf.format, reference)

    def made(text: str) -> str:
        try:
            return str(how(text)) if how is not None else text
        except Unreadable:
            pass  # raised below, outside: the cause could hold the value
        raise Malformed(leaf.path, readable(leaf))

    return made


def written(value: object) -> str:
    """A fixed value as a text format writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
