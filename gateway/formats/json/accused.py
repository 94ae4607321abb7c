"""Whom records speak of that do not leave because of how they are: the register says whom it withheld.

Reads only the ids of those who decide about a record, also of one that could not be decoded. Leaves out: why the
record does not leave (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.release.projection import Branch, Projection
from gateway.core.release.sight import Seen, Sight
from gateway.formats.json.ids import ABSENT
from gateway.formats.json.places import Place
from gateway.formats.json.records import attempt
from gateway.formats.json.shapes import MALFORMED, id_fields


class Accused:
    """Compiled with the minimiser, whose decoded records have these `attributes`."""

    def __init__(self, projection: Projection, attributes: Mapping[str, str]) -> None:
        places = list(_places(projection))
        names = {name: attributes[name] for _, fields in places for name in fields}
        only_ids = msgspec.defstruct(
            "Accused",
            [(attribute, Raw, ABSENT) for attribute in names.values()],
            rename={attribute: name for name, attribute in names.items()},
            gc=False,
        )
        self._decoder = msgspec.json.Decoder(only_ids)
        self._places = [(place, [names[name] for name in fields]) for place, fields in places]

    def __repr__(self) -> str:
        return f"<Accused at {len(self._places)} places>"

    def of(self, records: Iterable[Any], sight: Sight) -> Iterator[Seen]:
        """As far as their ids can be read."""
        for record in records:
            found = attempt(self._decoder, record) if isinstance(record, Raw) else record
            for place, attributes in self._places if found is not None else ():
                seen = _see(place, [getattr(found, name) for name in attributes], sight)
                if seen is not None and seen.subject is not None:
                    yield seen


def _places(projection: Projection) -> Iterator[tuple[Place, Sequence[str]]]:
    """Where those who decide about the record stand, and the fields that name them."""
    record, root = projection.record, projection.root
    if root.subject is not None:
        yield Place(record, root), id_fields(root)
    for name, node in root.fields.items():
        if isinstance(node, Branch) and node.subject is not None and node.subject.withheld == "record":
            place = Place(record, node)
            if place.whole:
                yield place, (name,)


def _see(place: Place, parts: Sequence[Raw], sight: Sight) -> Seen | None:
    try:
        return place.see(sight, *parts)
    except MALFORMED:
        return None
