"""Find, create and migrate the database before anything uses it.

Alembic costs a third of a second to import, so it is imported only when the tables are not those of `HEAD`. A network
file system is refused: its locks do not hold what SQLite's WAL needs. Leaves out: everything after opening (`engine`).
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from gateway.adapters.database.engine import Database, DatabaseUnavailable, DatabaseUnusable

HEAD = "anchors"

_NETWORK = frozenset(
    (
        *("afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.cephfs", "fuse.glusterfs", "fuse.sshfs", "glusterfs"),
        *("gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb2", "smb3", "smbfs"),
    )
)


_MOUNTS = Path("/proc/self/mountinfo")


def open_database(url: str, directory: Path, mounts: Path = _MOUNTS) -> Database:
    """The database at `url` (`sqlite:///file`, relative to `directory`), created and migrated when needed. Raises
    DatabaseUnusable with a message for the school's administrator."""
    path = _path(url, directory)
    try:
        mounted = mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        mounted = ""  # not Linux: nothing to ask
    if filesystem_of(path, mounted) in _NETWORK:
        raise DatabaseUnusable("the database may not be on a network file system")
    try:
        _create(path)
        database = Database(path)
        if _stored_head(database) != HEAD:
            _migrate(database)
    except (OSError, sqlite3.Error, DatabaseUnavailable):
        raise DatabaseUnusable("the database file cannot be opened, read or created") from None
    return database


def database_exists(url: str, directory: Path) -> bool:
    """Whether there is one to open. Raises DatabaseUnusable."""
    return _path(url, directory).exists()


def _path(url: str, directory: Path) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseUnusable("`database` is not a database URL (sqlite:///FILE)") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise DatabaseUnusable("`database` must be sqlite:///FILE")
    return (directory / parsed.database).absolute()


def filesystem_of(path: Path, mountinfo: str) -> str:
    """The type of the file system `path` is on, by /proc/self/mountinfo; "" when it does not say."""
    real = Path(os.path.realpath(path))
    longest, found = -1, ""
    for line in mountinfo.splitlines():
        left, separator, right = line.partition(" - ")
        fields = left.split()
        if not separator or len(fields) < 5:
            continue
        mount = Path(fields[4].replace("\\040", " "))
        if real.is_relative_to(mount) and len(mount.parts) >= longest:
            longest, found = len(mount.parts), right.split()[0]
    return found


def _create(path: Path) -> None:
    """An empty file that only its owner reads, in WAL mode; nothing when it exists."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _stored_head(database: Database) -> str:
    with closing(database.connect()) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return ""  # no such table: a new file
    return str(row[0]) if row else ""


def _migrate(database: Database) -> None:
    """One process migrates, the others wait their turn and find it done."""
    from gateway.adapters.database.migrations.upgrade import upgrade  # noqa: PLC0415 - Alembic, see above

    with database.turn():
        with closing(database.connect()) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        with database.engine.connect() as writing:
            upgrade(writing.execution_options(gateway_write=True))
