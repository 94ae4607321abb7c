"""Deliveries that tell when what a recipient has changed, and clients that keep a copy of what they are told.

text = telling(answered("uitgever-noord"))         # status and moments from the released view instead of fixed
text = silent(answered("uitgever-zuid"))           # and the other way round
client = StatusClient(); client.take(records, now)  # what an Edu-V client keeps that obeys `status`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_FIXED = re.compile(r"(status|dateCreated|dateLastModified):\n(\s+)transform: fixed\n\s+value: [^\n]+\n")


def telling(text: str) -> str:
    """A recipient file whose status and moments are the gateway's own."""
    return _FIXED.sub(r"\1:\n\2transform: view\n", text)


def silent(text: str) -> str:
    """A recipient file whose status and moments are the same for everybody."""
    text = re.sub(r"(status:\n(\s+))transform: view\n", r"\1transform: fixed\n\2value: active\n", text)
    moment = r'\1transform: fixed\n\2value: "2000-01-01T00:00:00Z"\n'
    return re.sub(r"((?:dateCreated|dateLastModified):\n(\s+))transform: view\n", moment, text)


def announcing(text: str) -> str:
    """A recipient file whose deliveries have notices."""
    return text.replace("    absence:", "    notices: true\n    absence:")


def pseudonym_of(record: Mapping[str, Any]) -> str:
    """Of a student as this recipient has it."""
    found: str = record["userIds"][0]["userId"]
    return found


@dataclass(slots=True)
class FullReplace:
    """Holds what stood in the last list, and nothing else; but what it must keep without using it, it keeps."""

    holds: dict[str, Any] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)

    def take(self, records: Iterable[Mapping[str, Any]]) -> None:
        here = {pseudonym_of(one): one for one in records if one["status"] == "active"}
        kept = {key: one for key, one in self.holds.items() if key in self.frozen and key not in here}
        self.holds = {**here, **kept}


@dataclass(slots=True)
class ByStatus:
    """Holds what it ever got until it is told that it ended."""

    holds: dict[str, Any] = field(default_factory=dict)

    def take(self, records: Iterable[Mapping[str, Any]]) -> None:
        for one in records:
            if one["status"] == "tobedeleted":
                self.holds.pop(pseudonym_of(one), None)
            else:
                self.holds[pseudonym_of(one)] = one
