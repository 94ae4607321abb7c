"""What the register's tables hold, read apart from the code that shows it."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.adapters.database import Database, tables


def last_bodies(database: Database, number: int) -> list[bytes]:
    """The last `number` entries as they were encoded, newest first."""
    statement = sa.select(tables.entry.c.body).order_by(tables.entry.c.sequence.desc()).limit(number)
    return _bodies(database, statement)


def bodies_with_id(database: Database, transfer: str) -> list[bytes]:
    """The entry of this transfer (none, or one)."""
    return _bodies(database, sa.select(tables.entry.c.body).where(tables.entry.c.id == transfer))


def bodies_about(database: Database, reference: bytes) -> list[bytes]:
    """Every entry with this pupil in it, oldest first (R85, R86)."""
    rolls = sa.select(tables.roll_member.c.roll).where(tables.roll_member.c.reference == reference)
    statement = sa.select(tables.entry.c.body).where(tables.entry.c.roll.in_(rolls)).order_by(tables.entry.c.sequence)
    return _bodies(database, statement)


def _bodies(database: Database, statement: sa.Select[bytes]) -> list[bytes]:
    with database.read() as connection:
        return list(connection.execute(statement).scalars())
