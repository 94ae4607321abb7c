"""The names and national numbers in a file, also in columns that do not leave (`core.release.circle`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.core.policy import grants
from gateway.core.policy.grants import slots
from gateway.core.policy.schema import Record
from gateway.core.release.circle import Circle, is_name, is_number
from gateway.core.release.masking import Mask
from gateway.core.release.national_number import normal
from gateway.formats.csv.read import Table


def circle(found: Iterable[tuple[Record, Table]]) -> Circle:
    """Of all these files together: who is named in one is known in the others."""
    names: dict[str, None] = {}
    numbers: set[str] = set()
    for record, table in found:
        ids = frozenset[str]().union(*(slot.paths for slot in slots(record)))
        known = [(path, leaf) for path, leaf in grants.leaves(record.fields)]
        named = {_column(path) for path, leaf in known if path not in ids and is_name(leaf)}
        numbered = {_column(path) for path, leaf in known if is_number(leaf)}
        names.update(dict.fromkeys(_cells(table, named)))
        numbers.update(number for cell in _cells(table, numbered) if (number := normal(cell)) is not None)
    return Circle(Mask(names), frozenset(numbers))


def _column(path: str) -> str:
    return path.partition(".")[0]


def _cells(table: Table, columns: set[str]) -> Iterator[str]:
    places = [at for at, name in enumerate(table.names) if name in columns]
    return (row[at] for row in table.rows for at in places if at < len(row) and row[at].strip())
