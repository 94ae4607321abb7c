"""Who declared which kind of fact complete for which location: absence counts only after that (FACTS_NOT_DECLARED)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.facts.batches import new_batch
from gateway.adapters.register.acts import Act
from gateway.core.facts import Kind
from gateway.transfer.trail import instant


@dataclass(frozen=True, slots=True)
class Declared:
    """That everything of this kind is entered for this location."""

    kind: Kind
    location: str
    by: str
    moment: datetime


def declare(database: Database, act: Act, kind: Kind, location: str) -> None:
    """Again is a new declaration: it ends the one before."""
    with database.write() as connection:
        batch = new_batch(connection, act)
        _end(connection, batch, kind, location)
        row = {"kind": kind.value, "location": location, "batch": batch}
        connection.execute(sa.insert(tables.declaration).values(row))
        act.register(connection, "facts declared", about={"kind": kind.value, "location": location})


def undeclare(database: Database, act: Act, kind: Kind, location: str) -> bool:
    """False when it was not declared."""
    if not any((one.kind, one.location) == (kind, location) for one in declarations(database)):
        return False
    with database.write() as connection:
        _end(connection, new_batch(connection, act), kind, location)
        act.register(connection, "declaration ended", about={"kind": kind.value, "location": location})
    return True


def _end(connection: sa.Connection, batch: int, kind: Kind, location: str) -> None:
    table = tables.declaration
    same = sa.and_(table.c.kind == kind.value, table.c.location == location, table.c.ended.is_(None))
    connection.execute(sa.update(table).where(same).values(ended=batch))


def declarations(database: Database, at: datetime | None = None) -> list[Declared]:
    """What is declared now, or was at `at`."""
    with database.read() as connection:
        return declared_within(connection, at)


def declared_within(connection: sa.Connection, at: datetime | None = None) -> list[Declared]:
    table, entering, ending = tables.declaration, tables.batch, tables.batch.alias("ending")
    statement = (
        sa.select(table.c.kind, table.c.location, entering.c.actor, entering.c.moment)
        .join(entering, entering.c.number == table.c.batch)
        .outerjoin(ending, ending.c.number == table.c.ended)
        .order_by(table.c.location, table.c.kind)
    )
    if at is None:
        statement = statement.where(table.c.ended.is_(None))
    else:
        known_to = sa.or_(ending.c.moment.is_(None), ending.c.moment > instant(at))
        statement = statement.where(entering.c.moment <= instant(at), known_to)
    return [
        Declared(Kind(row.kind), row.location, row.actor, datetime.fromisoformat(row.moment))
        for row in connection.execute(statement)
    ]
