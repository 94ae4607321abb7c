"""Reading the circle of an answer in JSON: the names and national numbers in it (`core.release.circle`).

Read from the answer a second time, and only where they are needed: to mask free text, or when a released value might be
somebody's number. Whatever cannot be read there teaches nothing: the records themselves are judged elsewhere. Leaves
out: what is masked (`core.release.masking`), what is blocked (`guard`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.policy import grants
from gateway.core.policy.grants import slots
from gateway.core.policy.schema import Record
from gateway.core.release.circle import Circle, is_name, is_number
from gateway.core.release.masking import Mask
from gateway.core.release.national_number import normal
from gateway.formats.json.ids import array_of
from gateway.formats.json.records import attempt


class CircleReader:
    """Made with the policy, for one kind of record; decodes only the fields that hold a number, and (where text is
    masked) those that hold a name."""

    def __init__(self, record: Record, *, names: bool) -> None:
        leaves = list(grants.leaves(record.fields))
        ids = frozenset[str]().union(*(slot.paths for slot in slots(record)))
        self._names = [path.split(".") for path, leaf in leaves if names and path not in ids and is_name(leaf)]
        self._numbers = [path.split(".") for path, leaf in leaves if is_number(leaf)]
        wanted = dict.fromkeys(path[0] for path in (*self._names, *self._numbers))
        self._attributes = {name: f"a{number}" for number, name in enumerate(wanted)}
        found = msgspec.defstruct(
            "Circle",
            [(attribute, Any, None) for attribute in self._attributes.values()],
            rename={attribute: name for name, attribute in self._attributes.items()},
            gc=False,
        )
        self._one = msgspec.json.Decoder(found)
        self._many = msgspec.json.Decoder(array_of(Raw))

    def read(self, *bodies: bytes, many: bool) -> Circle:
        """Of all of them together. `many`: each is an array of records."""
        names: list[str] = []
        numbers: set[str] = set()
        if not self._attributes:
            return Circle(Mask(()), frozenset())
        for record in (record for body in bodies for record in self._records(body, many=many)):
            names += [value for path in self._names for value in self._at(record, path) if isinstance(value, str)]
            found = (normal(value) for path in self._numbers for value in self._at(record, path))
            numbers.update(number for number in found if number is not None)
        return Circle(Mask(dict.fromkeys(names)), frozenset(numbers))

    def _records(self, body: bytes, *, many: bool) -> Iterator[Any]:
        for raw in attempt(self._many, body) or () if many else (body,):
            record = attempt(self._one, raw)
            if record is not None:
                yield record

    def _at(self, record: Any, path: list[str]) -> Iterator[Any]:
        return _beneath(getattr(record, self._attributes[path[0]]), path[1:])


def _beneath(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _beneath(one, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        yield from _beneath(value.get(path[0]), path[1:])
