"""One SQLite file, many processes: how it is opened, how a writer waits its turn, how the version counters are read.

WAL with synchronous FULL, so that what is committed survives a power cut. Every writer takes a `flock` on a file
beside the database before BEGIN IMMEDIATE: SQLite's own busy handler polls, and starves a second process for
seconds. A file that was made read-only, removed or replaced while it is open counts as unavailable: SQLite would go
on writing into what nobody can find again.

Not portable to PostgreSQL, and why it stands here only: the pragmas, the lock file and BEGIN IMMEDIATE (there: one
advisory lock per transaction), the file checks, and `sqlite_strict`.
Leaves out: creating and migrating (`opening`).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.core.model import Versions
from gateway.transfer.ports import RegisterUnavailable

_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is destroyed does not stay in free pages
    "PRAGMA journal_size_limit=67108864",
)


class DatabaseUnavailable(RegisterUnavailable):
    """The database cannot be read or written now; it may be later. No register, no delivery."""


class DatabaseUnusable(Exception):
    """The database cannot be used at all: the start fails."""


class Versioned(NamedTuple):
    """The five version counters, read together."""

    versions: Versions
    callers: int
    views: int


class Database:
    """A database file that exists and has the current tables. `path` is the SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = sa.create_engine("sqlite://", creator=self.connect, poolclass=sa.QueuePool, hide_parameters=True)
        sa.event.listen(self.engine, "begin", _begin)
        self._reader: tuple[sqlite3.Connection, Witness] | None = None
        self._pooled: Witness | None = None
        self._latest: Versioned | None = None
        self._rows: list[tuple[Any, ...]] = []
        self._looked = False

    def connect(self) -> sqlite3.Connection:
        """A driver connection without implicit transactions. Never creates the file: an empty one that takes the
        place of a lost register must not pass for it."""
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=5,  # seconds; only for a foreign tool that ignores the lock file
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def lock(self) -> Lock:
        """The lock that writers wait for, on the file beside the database."""
        return Lock(f"{self.path}.lock")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """This writer's turn, first come first served."""
        with closing(self.lock()) as lock, lock:
            yield

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction that writes; committed when the block ends, undone when it raises. Blocks: on a worker's
        event loop only for what is rare."""
        with _translated(), self.turn(), self._fresh_engine(writes=True).connect() as connection:
            writing = connection.execution_options(gateway_write=True)
            with writing.begin():
                yield writing

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One transaction that sees one state of everything."""
        with _translated(), self._fresh_engine(writes=False).connect() as connection, connection.begin():
            yield connection

    def _fresh_engine(self, *, writes: bool) -> sa.Engine:
        """The engine, without pooled connections to a file that is no longer the one at the path. Raises OSError when
        there is none, or none to write to."""
        if self._pooled is None or not self._pooled.same():
            self.engine.dispose()
            self._pooled = Witness.of(self.path)
        if writes and not self._pooled.writable():
            raise PermissionError("the database file or its directory is not writable")
        return self.engine

    def versioned(self) -> Versioned:
        """The version counters, in microseconds: raw SQL on a connection of its own. For one thread only (the event
        loop's). Raises DatabaseUnavailable."""
        if self._reader is not None and not self._reader[1].same():
            self._close_reader()
        rows = self.look_up(_VERSIONS, ())
        if self._latest is None or rows != self._rows:
            (callers,), (facts,), (keys,), (policy,), (views,) = rows
            self._latest, self._rows = Versioned(Versions(policy, facts, keys), callers, views), rows
        return self._latest

    def look(self) -> None:
        """Read the counters for a request that begins, in an event loop. One reading serves all that now wait for
        their turn there: they came in before it. Raises DatabaseUnavailable."""
        if not self._looked:
            self.versioned()
            self._looked = True
            asyncio.get_running_loop().call_soon(self._look_again)

    def _look_again(self) -> None:
        self._looked = False

    def latest(self) -> Versioned:
        """The counters as they were read last, same thread: each request reads them once, at its start. (Every read
        lets go of the interpreter, for which the register's writer waits.) Raises DatabaseUnavailable."""
        return self._latest or self.versioned()

    def look_up(self, statement: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Rows of one small SELECT on the same connection as `versioned`, same thread. Raises DatabaseUnavailable."""
        try:
            if self._reader is None:
                witness = Witness.of(self.path)
                self._reader = (self.connect(), witness)
            return self._reader[0].execute(statement, parameters).fetchall()
        except (sqlite3.Error, OSError):
            self._close_reader()
            raise DatabaseUnavailable from None

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader[0].close()
            self._reader = None

    def close(self) -> None:
        self._close_reader()
        self.engine.dispose()


# alphabetical: callers, facts, keys, policy, views; one statement, so that the five belong together
_VERSIONS = "SELECT value FROM version ORDER BY name"


def bump(connection: sa.Connection, name: str) -> int:
    """Move a version counter within the transaction of the change; the new value."""
    statement = sa.text("UPDATE version SET value = value + 1 WHERE name = :name RETURNING value")
    return int(connection.execute(statement, {"name": name}).scalar_one())


class Lock:
    """An open lock file; a block that holds it excludes all others that opened it, in this process too."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)


class Witness(NamedTuple):
    """Which file stood at the path when it was opened: it must be the same one, and writable, at every batch.
    (As root a read-only file can still be written; whoever made it read-only did not mean that.)"""

    path: Path
    directory: Path
    device: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Witness:
        """Raises OSError when there is no file."""
        found = path.stat()
        return cls(path, path.parent, found.st_dev, found.st_ino)

    def same(self) -> bool:
        try:
            found = self.path.stat()
        except OSError:
            return False
        return found.st_ino == self.inode and found.st_dev == self.device

    def writable(self) -> bool:
        try:
            found, directory = self.path.stat(), self.directory.stat()
        except OSError:
            return False
        same = found.st_ino == self.inode and found.st_dev == self.device
        return same and bool(found.st_mode & stat.S_IWUSR) and bool(directory.st_mode & stat.S_IWUSR)


def _begin(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("gateway_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """A database that cannot be written is unavailable; the driver's text, which may quote values, goes no further."""
    try:
        yield
    except IntegrityError:
        raise  # a mistake of ours, not the disk's; parameters are hidden (house rule 8)
    except (DBAPIError, sqlite3.OperationalError, OSError):
        raise DatabaseUnavailable from None
