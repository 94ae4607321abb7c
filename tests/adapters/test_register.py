"""The register on a real file: tampering, several processes, death, and a disk that says no."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from gateway.adapters.database import Database
from gateway.adapters.register.chain import stored_entries
from gateway.adapters.register.writer import DatabaseRegister, verify_register
from gateway.adapters.store_keys import StoreKeys
from gateway.core.reasons import Reason
from gateway.core.register import Issue
from gateway.core.verification import Head
from gateway.transfer.ports import RegisterUnavailable
from tests.simulators.database import fresh_database
from tests.simulators.drafts import a_draft, a_subject, an_id
from tests.simulators.stored import bodies_about, bodies_with_id, last_bodies

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def register(database: Database) -> Iterator[DatabaseRegister]:
    register = DatabaseRegister(database, StoreKeys(bytes(32)))
    yield register
    register.close()


def ids(database: Database) -> list[object]:
    with database.read() as connection:
        return [entry.id for entry in stored_entries(connection)]


# -- tampering -----------------------------------------------------------------------------------------


async def fill(register: DatabaseRegister) -> None:
    pair = (a_subject(1), a_subject(2))
    await register.append(a_draft(1, released=pair))
    await register.append(a_draft(2, kind="refusal", released=()))
    await register.append(a_draft(3, released=(a_subject(3),), withheld=((a_subject(4), (Reason.CONSENT_MISSING,)),)))
    await register.append(a_draft(4, released=pair))


def altered(value: object) -> list[object]:
    """One byte changed, at the start, in the middle and at the end; a number beside it."""
    if isinstance(value, int):
        return [value + 100, value - 100]
    if isinstance(value, str):
        return [altered_bytes.decode() for altered_bytes in _flips(value.encode())]
    if isinstance(value, bytes):
        return list(_flips(value))
    return [1]


def _flips(value: bytes) -> list[bytes]:
    return [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in (0, len(value) // 2, len(value) - 1)]


async def test_verify_finds_one_changed_byte_in_every_column_of_every_row(
    register: DatabaseRegister, database: Database
) -> None:
    await fill(register)
    assert verify_register(database).ok
    connection = sqlite3.connect(database.path, isolation_level=None)
    tried = 0
    for table, key in (("entry", "sequence"), ("roll", "number"), ("roll_member", "reference")):
        cursor = connection.execute(f"SELECT * FROM {table}")
        columns = [each[0] for each in cursor.description]
        for row in cursor.fetchall():
            for column, value in zip(columns, row, strict=True):
                for other in altered(value):
                    tried += 1
                    where = " AND ".join(f"{each} IS ?" for each in columns)
                    connection.execute("BEGIN")
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (other, *row))
                    connection.execute("COMMIT")
                    assert not verify_register(database).ok, (table, column, row[columns.index(key)])
                    after = [other if each == column else old for each, old in zip(columns, row, strict=True)]
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value, *after))
    connection.close()
    assert tried > 90
    assert verify_register(database).ok


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entry WHERE sequence = 2",
        "DELETE FROM roll_member WHERE roll = 1 AND reference = (SELECT min(reference) FROM roll_member)",
        "INSERT INTO roll_member (reference, roll) VALUES (zeroblob(16), 1)",
        "INSERT INTO roll_member (reference, roll) VALUES (zeroblob(16), 77)",
        "DELETE FROM roll WHERE number = 2",
        "UPDATE entry SET roll = 2 WHERE sequence = 1",
    ],
)
async def test_verify_finds_rows_that_came_or_went(
    register: DatabaseRegister, database: Database, statement: str
) -> None:
    await fill(register)
    connection = sqlite3.connect(database.path, isolation_level=None)
    connection.execute(statement)
    connection.close()

    assert not verify_register(database).ok


async def test_verify_against_a_kept_head_finds_a_truncated_register(
    register: DatabaseRegister, database: Database
) -> None:
    await fill(register)
    head = verify_register(database).head
    connection = sqlite3.connect(database.path, isolation_level=None)
    connection.execute("DELETE FROM entry WHERE sequence = 4")
    connection.close()

    assert verify_register(database).ok
    assert [problem.where for problem in verify_register(database, head).problems] == ["entry 4"]
    assert isinstance(head, Head)


# -- several processes, and death ------------------------------------------------------------------------


def appending(database: Database, first: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.simulators.appending", str(database.path.parent), str(first), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


async def test_two_processes_append_to_one_chain(database: Database) -> None:
    processes = [appending(database, first, 300) for first in (0, 1_000)]
    acknowledged = [line for process in processes for line in process.communicate()[0].split()]

    found = verify_register(database)
    assert (found.ok, found.count) == (True, 600)
    assert sorted(acknowledged) == sorted(str(each) for each in ids(database))


async def test_a_killed_writer_loses_nothing_that_was_acknowledged(database: Database) -> None:
    acknowledged: set[str] = set()
    for round_ in range(int(os.environ.get("KILL_ROUNDS", "4"))):
        processes = [appending(database, (2 * round_ + each) * 100_000, 0) for each in (0, 1)]
        for process in processes:
            assert process.stdout is not None
            acknowledged |= {process.stdout.readline().strip() for _ in range(40 + 7 * round_)}
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            # what stood in the pipe when it died was acknowledged too, but for a line that broke off
            rest = process.communicate()[0]
            acknowledged |= {line.strip() for line in rest.splitlines(keepends=True) if line.endswith("\n")}

    assert verify_register(database).ok
    assert acknowledged <= {str(each) for each in ids(database)}


async def test_close_finishes_what_is_queued(database: Database) -> None:
    register = DatabaseRegister(database, StoreKeys(bytes(32)))
    tasks = [asyncio.ensure_future(register.append(a_draft(number))) for number in range(20)]
    await anyio.lowlevel.checkpoint()

    register.close()

    assert sorted([(await task).sequence for task in tasks]) == list(range(1, 21))


async def test_append_after_close_is_refused(database: Database) -> None:
    register = DatabaseRegister(database, StoreKeys(bytes(32)))
    register.close()

    with pytest.raises(RegisterUnavailable):
        await register.append(a_draft(1))


async def test_append_whose_caller_went_away_before_its_turn_leaves_no_entry(
    register: DatabaseRegister, database: Database
) -> None:
    with database.turn():  # the writer waits for its turn, with the first draft in hand
        first = asyncio.ensure_future(register.append(a_draft(1)))
        await anyio.lowlevel.checkpoint()
        while register.waiting:
            await anyio.lowlevel.checkpoint()
        second = asyncio.ensure_future(register.append(a_draft(2)))
        await anyio.lowlevel.checkpoint()
        second.cancel()
        await anyio.lowlevel.checkpoint()
    await first
    await register.append(a_draft(3))

    assert ids(database) == [an_id(1), an_id(3)]


async def test_append_beyond_the_queue_is_refused(register: DatabaseRegister, database: Database) -> None:
    with database.turn():
        tasks = [asyncio.ensure_future(register.append(a_draft(number))) for number in range(5_700)]
        await anyio.lowlevel.checkpoint()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, RegisterUnavailable)]
    assert len(refused) >= 100
    assert len(ids(database)) == len(outcomes) - len(refused)


# -- a disk that says no ---------------------------------------------------------------------------------


def set_mode(path: Path, mode: int) -> None:
    path.chmod(mode)


async def refused_then_works(register: DatabaseRegister, database: Database, before: int) -> None:
    """The draft that was refused is not there, and the next one is."""
    assert (await register.append(a_draft(50))).sequence == before + 1
    assert verify_register(database).ok


async def test_append_to_a_removed_database_is_refused_until_it_is_back(
    register: DatabaseRegister, database: Database, tmp_path: Path
) -> None:
    await register.append(a_draft(1))
    database.path.rename(tmp_path / "moved")
    with pytest.raises(RegisterUnavailable):
        await register.append(a_draft(2))
    assert not database.path.exists()
    (tmp_path / "moved").rename(database.path)

    await refused_then_works(register, database, 1)


async def test_append_into_a_file_that_is_removed_before_the_commit_is_refused(
    register: DatabaseRegister, database: Database, tmp_path: Path
) -> None:
    """SQLite would commit into a file that nobody can find again."""
    await register.append(a_draft(1))
    other = database.connect()  # a foreign tool that holds the database, so that the writer waits at its BEGIN
    other.execute("BEGIN IMMEDIATE")
    appending = asyncio.ensure_future(register.append(a_draft(2)))
    await anyio.lowlevel.checkpoint()
    while register.waiting:
        await anyio.lowlevel.checkpoint()
    database.path.rename(tmp_path / "moved")
    other.execute("ROLLBACK")
    other.close()

    with pytest.raises(RegisterUnavailable):
        await appending


async def test_append_to_a_read_only_directory_is_refused_until_it_is_writable(
    register: DatabaseRegister, database: Database, tmp_path: Path
) -> None:
    await register.append(a_draft(1))
    set_mode(tmp_path, 0o500)
    try:
        with pytest.raises(RegisterUnavailable):
            await register.append(a_draft(2))
    finally:
        set_mode(tmp_path, 0o700)

    await refused_then_works(register, database, 1)


async def test_append_to_another_empty_file_in_its_place_is_refused(
    register: DatabaseRegister, database: Database, tmp_path: Path
) -> None:
    await register.append(a_draft(1))
    database.path.rename(tmp_path / "moved")
    database.path.touch(0o600)

    with pytest.raises(RegisterUnavailable):
        await register.append(a_draft(2))


async def test_append_on_a_full_disk_is_refused_until_there_is_room(
    register: DatabaseRegister, database: Database, tmp_path: Path
) -> None:
    await register.append(a_draft(1))
    wal = tmp_path / "gateway.db-wal"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, hard))
    try:
        with pytest.raises(RegisterUnavailable):
            await register.append(a_draft(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    await refused_then_works(register, database, 1)


async def test_append_to_a_damaged_database_is_refused(register: DatabaseRegister, database: Database) -> None:
    await register.append(a_draft(1))
    connection = sqlite3.connect(database.path, isolation_level=None)
    connection.execute("ALTER TABLE entry RENAME TO other")

    with pytest.raises(RegisterUnavailable):
        await register.append(a_draft(2))
    connection.execute("ALTER TABLE other RENAME TO entry")
    connection.close()
    await refused_then_works(register, database, 1)


async def test_append_with_an_id_that_cannot_be_sealed_refuses_its_batch_and_goes_on(
    register: DatabaseRegister, database: Database
) -> None:
    issue = Issue("d", 2**80, "p", "pupil", None, None, bytes(16))
    with pytest.raises(RegisterUnavailable):
        await register.append(a_draft(1, issued=(issue,)))

    await refused_then_works(register, database, 0)


async def test_a_copied_back_backup_is_appended_to(
    register: DatabaseRegister, database: Database, tmp_path: Path
) -> None:
    """Another file at the path is opened anew, and what was known of the old one is forgotten."""
    pupils = (a_subject(1), a_subject(2))
    await register.append(a_draft(1, versions=None, released=()))
    with closing(sqlite3.connect(database.path)) as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "backup"),))
    await register.append(a_draft(2, released=pupils))
    for suffix in ("", "-wal", "-shm"):
        database.path.with_name(database.path.name + suffix).unlink(missing_ok=True)
    shutil.move(tmp_path / "backup", database.path)

    assert (await register.append(a_draft(3, released=pupils))).sequence == 2
    assert verify_register(database).ok


# -- reading back ----------------------------------------------------------------------------------------


async def test_bodies_are_found_by_id_by_pupil_and_by_place(register: DatabaseRegister, database: Database) -> None:
    await fill(register)

    assert [an_id(number).encode() in body for number, body in zip((4, 3), last_bodies(database, 2), strict=True)] == [
        True,
        True,
    ]
    assert len(bodies_with_id(database, an_id(2))) == 1
    assert bodies_with_id(database, an_id(99)) == []
    assert len(bodies_about(database, a_subject(1).reference)) == 2
    assert len(bodies_about(database, a_subject(4).reference)) == 1
    assert bodies_about(database, a_subject(9).reference) == []
