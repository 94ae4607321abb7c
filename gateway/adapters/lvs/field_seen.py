"""Fields that a source sends and no schema knows: counted, and reported once (R9, FIELD_UNCLASSIFIED).

A name from outside may be a person's: it is kept and shown only when it looks like an identifier and stood in five
records; until then only its keyed hash is kept (house rule 8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.store_keys import StoreKeys

_ENOUGH = 5  # records
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}(\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,15}")


class StoredFieldsSeen:
    """transfer.drift.FieldsSeen. Commits to the disk, some milliseconds, only when there is something to count."""

    def __init__(self, database: Database, keys: StoreKeys) -> None:
        self._database = database
        self._keys = keys

    def note(self, schema: str, record: str, counts: Mapping[str, int]) -> list[str]:
        """See the port. Raises DatabaseUnavailable."""
        shown = {name: times for name, times in counts.items() if _IDENTIFIER.fullmatch(name) and times > 0}
        if not shown:
            return []
        with self._database.write() as connection:
            return [
                name for name, times in sorted(shown.items()) if self._count(connection, schema, record, name, times)
            ]

    def _count(self, connection: sa.Connection, schema: str, record: str, name: str, times: int) -> bool:
        """Add; whether this is the moment to report it."""
        table, lookup = tables.field_seen, self._keys.look_up("field", schema, record, name)
        before = connection.execute(sa.select(table.c.times).where(table.c.lookup == lookup)).scalar()
        if before == _ENOUGH:
            return False
        if before is None:
            before, place = 0, {"lookup": lookup, "schema": schema, "record": record}
            connection.execute(sa.insert(table).values({**place, "times": 0}))
        due = before < _ENOUGH <= before + times
        shown = {"name": name} if due else {}
        known = sa.update(table).where(table.c.lookup == lookup)
        connection.execute(known.values({**shown, "times": min(before + times, _ENOUGH)}))
        return due

    def shown(self) -> list[tuple[str, str, str]]:
        """(schema, record, name) of each field that was reported."""
        table = tables.field_seen
        statement = sa.select(table.c.schema, table.c.record, table.c.name).where(table.c.name.is_not(None))
        with self._database.read() as connection:
            return sorted((row.schema, row.record, row.name) for row in connection.execute(statement))
