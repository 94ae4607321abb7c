"""Fields that a source sends and no schema knows: counted, and reported once (R9, FIELD_UNCLASSIFIED).

A name from outside may be a person's: it is kept and shown only when it looks like an identifier and stood in five
records; until then only its keyed hash is kept (house rule 8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.store_keys import StoreKeys

_ENOUGH = 5  # records
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63}){0,15}")


@dataclass(frozen=True, slots=True, order=True)
class UnknownField:
    """A path of names in a record of a schema."""

    schema: str
    record: str
    name: str


def count_unknown(database: Database, keys: StoreKeys, seen: Mapping[UnknownField, int]) -> list[UnknownField]:
    """Add these numbers of records; the fields to report now, each at most once ever. Blocks. Raises
    DatabaseUnavailable."""
    shown = {field: times for field, times in seen.items() if _IDENTIFIER.fullmatch(field.name) and times > 0}
    if not shown:
        return []
    with database.write() as connection:
        return [field for field, times in sorted(shown.items()) if _count(connection, keys, field, times)]


def _count(connection: sa.Connection, keys: StoreKeys, field: UnknownField, times: int) -> bool:
    table = tables.field_seen
    lookup = keys.look_up("field", field.schema, field.record, field.name)
    before = connection.execute(sa.select(table.c.times).where(table.c.lookup == lookup)).scalar()
    if before is None:
        place = {"lookup": lookup, "schema": field.schema, "record": field.record}
        connection.execute(sa.insert(table).values({**place, "times": 0}))
    total = (before or 0) + times
    due = total >= _ENOUGH > (before or 0)
    name = {"name": field.name} if due else {}
    connection.execute(sa.update(table).where(table.c.lookup == lookup).values({**name, "times": total}))
    return due


def unknown_fields(database: Database) -> list[UnknownField]:
    """Those that may be shown."""
    table = tables.field_seen
    statement = sa.select(table.c.schema, table.c.record, table.c.name).where(table.c.name.is_not(None))
    with database.read() as connection:
        return sorted(UnknownField(*row) for row in connection.execute(statement))
