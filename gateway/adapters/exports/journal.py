"""transfer.journal.Journal in the database and one file: the jobs that run or were killed, and their released rows.

The rows of a part stand in the file of its job, encrypted under a key of that part alone; the key is in the row that
is committed with the part's entry, sealed. So rows that were not registered open for nobody, and when the job's rows
are gone nothing of the file does. Nothing that was withheld comes here. Leaves out: what a run does
(`transfer.export`).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.adapters.database import Database, tables
from gateway.adapters.store_keys import StoreKeys
from gateway.core.register import Advance
from gateway.transfer.journal import Done, Handed, Rows

_ADVANCE = (
    "INSERT INTO export_part (export, number, content) SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM export WHERE id = ?)"
)
_CLOSE = "UPDATE export SET closed = ? WHERE id = ?"
_NONCE = bytes(12)  # a key is used for one block


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a job is: who asked for what, and where it goes. Two runs with the same are one job."""

    person: str
    source: str
    schema: str
    recipient: str
    purpose: str
    platform: str | None = None
    records: tuple[str, ...]
    form: str
    target: str
    said: tuple[str, ...] = ()

    def same(self, other: Content) -> bool:
        return msgspec.structs.replace(self, said=other.said) == other


class _Stored(msgspec.Struct, array_like=True):
    at: int
    size: int
    key: bytes
    done: Done


class Running(Exception):
    """Another process is at this job."""


def advance(cursor: sqlite3.Cursor, how_far: Advance) -> bool:
    """In the transaction of the entry; False when the job is there no more."""
    if how_far.part is None:
        cursor.execute(_CLOSE, (how_far.content, how_far.job))
    else:
        cursor.execute(_ADVANCE, (how_far.job, how_far.part, how_far.content, how_far.job))
    return cursor.rowcount == 1


# -- jobs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """One that is not over. `begun`: when, RFC 3339."""

    id: str
    content: Content
    begun: str


class Jobs:
    """Those of this school; their files stand in `folder`."""

    def __init__(self, database: Database, keys: StoreKeys, folder: Path, random: Callable[[int], bytes]) -> None:
        self._database = database
        self._keys = keys
        self._folder = folder
        self._random = random

    def open(self) -> list[Job]:
        """The oldest first."""
        table = tables.export
        with self._database.read() as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.moment, table.c.id)).all()
        return [Job(row.id, self._opened(row.id, row.content), row.moment) for row in rows]

    def begin(self, job: str, content: Content, moment: str) -> Job:
        sealed = self._keys.seal(msgspec.msgpack.encode(content), _row(job))
        with self._database.write() as connection:
            connection.execute(sa.insert(tables.export).values(id=job, content=sealed, moment=moment))
        return Job(job, content, moment)

    def end(self, job: str) -> None:
        """Nothing of it is kept but the register; also not what a run that was killed was about to send."""
        with self._database.write() as connection:
            connection.execute(sa.delete(tables.export_part).where(tables.export_part.c.export == job))
            connection.execute(sa.delete(tables.export).where(tables.export.c.id == job))
        for one in self._folder.glob(f"*{job}*"):
            one.unlink(missing_ok=True)

    def journal(self, job: str) -> StoredJournal:
        """Raises Running, or OSError."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return StoredJournal(self._database, self._keys, job, self._path(job), self._random)

    def _path(self, job: str) -> Path:
        return self._folder / f"{job}.rows"

    def _opened(self, job: str, sealed: bytes) -> Content:
        return msgspec.msgpack.decode(self._keys.open(sealed, _row(job)), type=Content)


class StoredJournal:
    """See transfer.journal. `close` it."""

    def __init__(
        self, database: Database, keys: StoreKeys, job: str, path: Path, random: Callable[[int], bytes]
    ) -> None:
        self._database = database
        self._keys = keys
        self._job = job
        self._random = random
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise Running from None
        self.next = 1
        self._end = self._size = 0
        for stored in self._stored():
            self._end = max(self._end, stored.at + stored.size)

    def __repr__(self) -> str:
        return f"<StoredJournal before part {self.next}>"

    def close(self) -> None:
        os.close(self._file)

    def parts(self) -> Iterator[Done]:
        return (stored.done for stored in self._stored())

    def rows(self, record: str, location: str | None = None) -> Iterator[Rows]:
        for stored in self._stored():
            page = stored.done.page
            if page.record == record and location in (None, page.location):
                sealed = os.pread(self._file, stored.size, stored.at)
                try:
                    yield _ROWS.decode(AESGCM(stored.key).decrypt(_NONCE, sealed, None))
                except Exception:  # noqa: BLE001 - whatever the file became, it is not what was kept
                    raise OSError("the file of the job is not what was kept") from None

    def advance(self, done: Done, rows: Rows) -> Advance:
        key = self._random(32)
        sealed = AESGCM(key).encrypt(_NONCE, msgspec.msgpack.encode(rows), None)
        at = self._end
        os.ftruncate(self._file, at)  # what a run before wrote and did not register
        _write(self._file, sealed, at)
        os.fsync(self._file)
        self._size = len(sealed)
        content = msgspec.msgpack.encode(_Stored(at, len(sealed), key, done))
        return Advance(self._job, done.number, self._keys.seal(content, _row(self._job, done.number)))

    def committed(self) -> None:
        self._end += self._size
        self.next += 1

    def closing(self, handed: Handed) -> Advance:
        return Advance(self._job, None, self._keys.seal(msgspec.msgpack.encode(handed), _row(self._job, 0)))

    def closed(self) -> Handed | None:
        """What was about to be handed over."""
        table = tables.export
        with self._database.read() as connection:
            sealed = connection.execute(sa.select(table.c.closed).where(table.c.id == self._job)).scalar_one_or_none()
        if sealed is None:
            return None
        return msgspec.msgpack.decode(self._keys.open(sealed, _row(self._job, 0)), type=Handed)

    def void(self, numbers: Sequence[int]) -> None:
        table = tables.export_part
        mine = sa.and_(table.c.export == self._job, table.c.number.in_(numbers))
        with self._database.write() as connection:
            connection.execute(sa.update(table).where(mine).values(content=b""))
            connection.execute(sa.update(tables.export).where(tables.export.c.id == self._job).values(closed=None))

    def _stored(self) -> Iterator[_Stored]:
        """One at a time: of a million pupils they do not fit in memory."""
        number = 0
        while True:
            found = self._after(number)
            if found is None:
                self.next = number + 1
                return
            number, sealed = found
            if sealed:
                content = self._keys.open(sealed, _row(self._job, number))
                yield msgspec.msgpack.decode(content, type=_Stored)

    def _after(self, number: int) -> tuple[int, bytes] | None:
        table = tables.export_part
        query = sa.select(table.c.number, table.c.content).where(table.c.export == self._job, table.c.number > number)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(table.c.number).limit(1)).first()
        return None if row is None else (row.number, row.content)


_ROWS = msgspec.msgpack.Decoder(list[tuple[str, bytes]])


def _row(job: str, number: int | None = None) -> bytes:
    return f"export/{job}/{'' if number is None else number}".encode()


def _write(file: int, data: bytes, at: int) -> None:
    while data:
        written = os.pwrite(file, data, at)
        data, at = data[written:], at + written
