"""Imports: facts are staged in short transactions that nobody sees, and are valid by one version flip, or not at all.

One transaction of a million rows would stop all deliveries for seconds; each of these takes milliseconds. One import
runs at a time: it holds a lock on a file beside the database, so that whoever finds staged facts and gets the lock
knows that their import died, and sweeps them away.
Leaves out: what is read from a file (`rows`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.facts.batches import (
    Change,
    Entered,
    chunks,
    concerned,
    insert_ends,
    insert_facts,
    told,
    validity,
)
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.core.model import Subject

_CHUNK = 300  # rows in one transaction: some 10 ms; 50 on a machine that others keep busy
_LISTED = 500  # persons listed by one entry


class ImportRunning(Exception):
    """Another import is running: one at a time."""


class Staging:
    """One import, as a context manager: what was not flipped when it ends is abandoned.

    with Staging(database, keys) as staging:
        staging.stage(entered, ends)   # as often as needed
        staging.flip(act)
    """

    def __init__(self, database: Database, keys: StoreKeys) -> None:
        """Raises ImportRunning. What a dead import left is swept first."""
        self._database = database
        self._keys = keys
        self._lock: int | None = _locked(database)
        self._change = Change()
        try:
            _sweep(database)
            with database.write() as connection:
                statement = sa.insert(tables.batch).values(size=0).returning(tables.batch.c.number)
                self._batch = int(connection.execute(statement).scalar_one())
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    @property
    def size(self) -> int:
        """How many facts are staged, entered and ended."""
        return self._change.size

    def stage(self, entered: Sequence[Entered], ends: Sequence[int] = ()) -> None:
        """Insert, in chunks of their own. Raises UnknownSubject, NotKnown: abandon it then."""
        for some in chunks(entered, _CHUNK):
            with self._database.read() as connection:
                concerned(connection, self._keys, {one.subject for one in some})
            with self._database.write() as connection:
                self._change += insert_facts(connection, self._keys, self._batch, some)[1]
        for several in chunks(ends, _CHUNK):
            with self._database.write() as connection:
                self._change += insert_ends(connection, self._keys, self._batch, several)

    def flip(self, act: Act, about: Mapping[str, str] | None = None) -> None:
        """All of it is valid, from this moment on. Whom a large import concerns is listed by entries before it, in
        transactions of their own; without the last one, which says so, nothing became valid. Raises UnknownSubject when
        one of them was forgotten meanwhile."""
        *before, last = self._lists()
        for number, listed in enumerate(before, 1):
            with self._database.write() as connection:
                secret = {"secret": "yes"} if self._change.secret else None
                act.register(connection, "import announced", about=secret, pupils=listed, part=number)
        table = tables.batch
        with self._database.write() as connection:
            values = {"size": self._change.size, **validity(connection, act)}
            connection.execute(sa.update(table).where(table.c.number == self._batch).values(values))
            part = len(before) + 1 if before else None
            everything = told(self._change, about)
            act.register(connection, "facts imported", about=everything, pupils=last, part=part)
        self._release()

    def _lists(self) -> list[Sequence[Subject]]:
        found: list[Subject] = []
        for some in chunks(sorted(self._change.subjects)):
            with self._database.read() as connection:
                found += concerned(connection, self._keys, some)
        return list(chunks(found, _LISTED)) or [()]

    def abandon(self) -> None:
        """Nothing of it was ever known. Does nothing after `flip`."""
        if self._lock is None:
            return
        try:
            _remove(self._database, self._batch)
        finally:
            self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sweep(database: Database) -> bool:
    """Remove what a dead import left; at a start. False when one is running."""
    try:
        lock = _locked(database)
    except ImportRunning:
        return False
    try:
        _sweep(database)
    finally:
        os.close(lock)
    return True


def _locked(database: Database) -> int:
    lock = os.open(f"{database.path}.import", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ImportRunning from None
    return lock


def _sweep(database: Database) -> None:
    with database.read() as connection:
        staged = sa.select(tables.batch.c.number).where(tables.batch.c.version.is_(None))
        found = connection.execute(staged).scalars().all()
    for number in found:
        _remove(database, number)


def _remove(database: Database, batch: int) -> None:
    """Rows first, in chunks; then the batch itself."""
    for table, key in ((tables.fact_end, tables.fact_end.c.fact), (tables.fact, tables.fact.c.number)):
        some = sa.select(key).where(table.c.batch == batch).limit(_CHUNK)
        delete = sa.delete(table).where(table.c.batch == batch, key.in_(some.scalar_subquery()))
        removed = True
        while removed:
            with database.write() as connection:
                removed = connection.execute(delete).rowcount > 0
    with database.write() as connection:
        connection.execute(sa.delete(tables.batch).where(tables.batch.c.number == batch))
