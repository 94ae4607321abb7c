"""Locations of which the last answer is not believed, as it lacks most of the pupils who are known there (R109).

Each is a task for a person at school; it ends with an answer that is learned. A change moves the `facts` counter, so
that whoever decides knows of it. Leaves out: what is not believed (`learning`), what follows (`transfer.steps`).
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from gateway.adapters.database import Database, bump
from gateway.adapters.tasks import end_task, open_task

KIND = "roster-doubted"


def begin(connection: sa.Connection, source: str, location: str, moment: datetime) -> None:
    if open_task(connection, KIND, [source, location], moment):
        bump(connection, "facts")


def end(connection: sa.Connection, source: str, location: str, moment: datetime) -> None:
    if end_task(connection, KIND, [source, location], moment):
        bump(connection, "facts")


def doubted(database: Database, source: str) -> frozenset[str]:
    """Raises DatabaseUnavailable."""
    rows = database.look_up("SELECT about FROM task WHERE kind = ? AND done IS NULL", (KIND,))
    found = (str(about).partition(",") for (about,) in rows)
    return frozenset(location for name, _, location in found if name == source)
