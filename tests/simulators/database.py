"""A migrated database for a test: Alembic runs once per process, every test gets a copy of the empty file."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from gateway.adapters.database import Database, open_database


def fresh_database(directory: Path) -> Database:
    """An empty database in `directory`, as `open_database` leaves it."""
    empty_database(directory)
    return open_database("sqlite:///gateway.db", directory)


def empty_database(directory: Path) -> None:
    """Its file."""
    path = directory / "gateway.db"
    path.write_bytes(_migrated())
    path.chmod(0o600)


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        database = open_database("sqlite:///empty.db", Path(directory))
        database.close()
        return database.path.read_bytes()
