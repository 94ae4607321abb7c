"""Everything the demo LVS holds that may not leave under a pseudonym: ids, names, addresses, mail, numbers, notes.

Found in a text when it stands there between word boundaries: a pupil's number within a pseudonym is chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.driving import Lvs

# What stands in the records of everybody or of whole groups, and names nobody.
_ORDINARY = {
    "status", "gender", "language", "countryCode", "country", "city", "dateCreated", "dateLastModified", "houseNumber",
    "userIdType", "enrollmentType", "schoolPeriod", "studyYear", "beginDate", "endDate", "location", "groupType",
    "groupName", "assignmentType", "accessibility", "studyPublicId", "familyNamePrefix",
}  # fmt: skip
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Canaries:
    """Each with the words it is made of."""

    values: dict[str, frozenset[str]] = field(repr=False)

    def in_text(self, text: str) -> list[str]:
        """Those that stand in the text; none should."""
        words = set(_WORD.findall(text))
        return sorted(value for value, parts in self.values.items() if parts <= words and value in text)


LISTS = ("/students/school", "/enrollments/school", "/groups/school", "/assignments/school")


def canaries_of(lvs: Lvs, *paths: str) -> Canaries:
    values = {value for path in paths or LISTS for one in lvs.everything(path) for value in _values(one)}
    return Canaries({value: frozenset(_WORD.findall(value)) for value in values})


def _values(value: Any, name: str = "") -> Iterator[str]:
    if name in _ORDINARY:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, name)
    elif isinstance(value, str) and len(value) > 2:
        yield value
