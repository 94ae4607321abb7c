"""What a person at school must look at: opened once, and shown to whose it is. Leaves out: doing it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.transfer.trail import instant


def open_task(connection: sa.Connection, kind: str, about: list[str], moment: datetime) -> bool:
    """A task for a person at school; once, as long as it is open. Whether it is a new one."""
    table, text = tables.task, ",".join(about)
    same = sa.select(table.c.number).where(table.c.kind == kind, table.c.about == text, table.c.done.is_(None))
    if connection.execute(same).first() is not None:
        return False
    connection.execute(sa.insert(table).values(kind=kind, about=text, moment=instant(moment)))
    return True


def end_task(connection: sa.Connection, kind: str, about: list[str], moment: datetime) -> bool:
    """It settled itself. Whether there was one."""
    table = tables.task
    same = sa.and_(table.c.kind == kind, table.c.about == ",".join(about), table.c.done.is_(None))
    return connection.execute(sa.update(table).where(same).values(done=instant(moment))).rowcount > 0


class OpenTask(NamedTuple):
    """A task that nobody did yet. `about`: what it is about, by a name of ours."""

    kind: str
    about: str
    moment: str


def open_tasks(database: Database, kinds: Collection[str]) -> list[OpenTask]:
    """Of these kinds, the oldest first."""
    table = tables.task
    query = sa.select(table.c.kind, table.c.about, table.c.moment).where(table.c.done.is_(None))
    with database.read() as connection:
        rows = connection.execute(query.where(table.c.kind.in_(kinds)).order_by(table.c.number)).all()
    return [OpenTask(*row) for row in rows]
