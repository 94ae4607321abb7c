"""Opening the database: where it may be, that migrations give the tables, and that a running one notices changes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

from gateway.adapters.database import Database, DatabaseUnavailable, DatabaseUnusable, bump, open_database, tables
from gateway.adapters.database.migrations.upgrade import configuration
from gateway.adapters.database.opening import HEAD, filesystem_of
from gateway.core.model import Versions
from tests.simulators.database import fresh_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh_database(tmp_path)
    yield database
    database.close()


# -- opening -------------------------------------------------------------------------------------------


def test_migrations_give_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    database = open_database("sqlite:///gateway.db", tmp_path)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    database.close()

    assert differences == []


def test_migrations_give_the_definitions_that_the_code_knows(database: Database, tmp_path: Path) -> None:
    """STRICT, WITHOUT ROWID and constraints, which Alembic does not compare."""
    other = sa.create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    tables.metadata.create_all(other)
    query = sa.text("SELECT name, sql FROM sqlite_master WHERE name != 'alembic_version' AND sql IS NOT NULL")

    def definitions(engine: sa.Engine) -> dict[str, list[str]]:
        with engine.connect() as connection:
            return {
                row.name: sorted(" ".join(row.sql.replace(",", " ").split()).split())
                for row in connection.execute(query)
            }

    assert definitions(database.engine) == definitions(other)
    other.dispose()


def test_head_is_the_last_revision() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == HEAD


def test_opening_a_current_database_does_not_import_alembic(database: Database) -> None:
    program = (
        "import sys; from pathlib import Path; from gateway.adapters.database import open_database; "
        f"open_database('sqlite:///gateway.db', Path({str(database.path.parent)!r})); "
        "sys.exit('alembic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False).returncode == 0


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    database = open_database("sqlite:///gateway.db", tmp_path)
    with database.write() as connection:
        bump(connection, "facts")
    database.close()

    again = open_database("sqlite:///gateway.db", tmp_path)
    assert again.versioned().versions == Versions(1, 2, 1)
    again.close()


def test_new_database_is_private_and_durable(database: Database, tmp_path: Path) -> None:
    open_database("sqlite:///new.db", tmp_path).close()
    connection = database.connect()

    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize(
    "url",
    ["", "gateway.db", "sqlite://", "sqlite:///:memory:", "postgresql://host/name", "sqlite:///x.db?mode=ro", "::"],
)
def test_url_of_anything_but_a_file_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable):
        open_database(url, tmp_path)


def test_file_that_is_no_database_is_refused_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").write_text("jan jansen " * 1_000)

    with pytest.raises(DatabaseUnusable) as refused:
        open_database("sqlite:///gateway.db", tmp_path)
    assert "jan" not in str(refused.value)


def test_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable):
        open_database("sqlite:///gateway.db", tmp_path / "nowhere")


MOUNTS = """\
21 1 0:19 / / rw,relatime - ext4 /dev/vda rw
22 21 0:20 / /proc rw - proc proc rw
30 21 0:40 / /home/school\\040a rw shared:5 - nfs4 server:/export rw
31 30 0:41 / /home/school\\040a/local rw - xfs /dev/vdb rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/gateway.db", "ext4"),
        ("/home/school a/gateway.db", "nfs4"),
        ("/home/school a/local/gateway.db", "xfs"),
        ("/home/school ab/gateway.db", "ext4"),
    ],
)
def test_file_system_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert filesystem_of(Path(path), MOUNTS) == kind


def test_file_system_is_unknown_when_nothing_says_it() -> None:
    assert filesystem_of(Path("/x"), "") == ""
    assert filesystem_of(Path("/x"), "nonsense\n1 2 - \n") == ""


def test_database_on_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 1 0:1 / / rw - ext4 x rw\n2 1 0:2 / {tmp_path} rw - nfs4 x rw\n")

    with pytest.raises(DatabaseUnusable, match="network"):
        open_database("sqlite:///gateway.db", tmp_path, mounts)


# -- running -------------------------------------------------------------------------------------------


def test_counters_are_read_each_by_its_name(database: Database) -> None:
    for times, name in enumerate(("policy", "facts", "keys", "callers"), start=1):
        for _ in range(times):
            with database.write() as connection:
                bump(connection, name)

    assert database.versioned() == (Versions(policy=2, facts=3, keys=4), 5, 1)


@pytest.mark.anyio
async def test_look_sees_a_change_in_the_next_turn_of_the_loop_and_reads_once_in_a_turn(database: Database) -> None:
    database.look()
    with database.write() as connection:
        bump(connection, "policy")
    database.look()  # began in the same turn as the first: it was waiting when that one read
    before = database.latest().versions.policy
    await asyncio.sleep(0)
    database.look()

    assert (before, database.latest().versions.policy) == (1, 2)


def test_write_that_raises_changes_nothing(database: Database) -> None:
    def change() -> None:
        with database.write() as connection:
            bump(connection, "facts")
            raise KeyError

    with pytest.raises(KeyError):
        change()
    assert database.versioned().versions.facts == 1


def test_mistake_of_ours_is_told_without_values(database: Database) -> None:
    def change() -> None:
        with database.write() as connection:
            row = {"source": "canary", "location": "canary", "subject": b"canary", "enrolments": "[]", "groups": "[]"}
            connection.execute(sa.insert(tables.roster).values(row))

    with pytest.raises(IntegrityError) as mistake:
        change()
    assert "canary" not in str(mistake.value)


def test_counters_of_a_removed_database_are_unavailable_until_it_is_back(database: Database, tmp_path: Path) -> None:
    assert database.versioned()
    database.path.rename(tmp_path / "moved")
    with pytest.raises(DatabaseUnavailable):
        database.versioned()
    with pytest.raises(DatabaseUnavailable):
        database.look_up("SELECT 1", ())

    (tmp_path / "moved").rename(database.path)
    assert database.versioned()


@pytest.mark.parametrize("kind", ["read", "write"])
def test_transaction_on_a_removed_database_is_unavailable(database: Database, tmp_path: Path, kind: str) -> None:
    with database.write() as connection:
        bump(connection, "facts")
    database.path.rename(tmp_path / "moved")

    def use() -> None:
        with database.write() if kind == "write" else database.read() as connection:
            connection.execute(sa.select(tables.version))

    with pytest.raises(DatabaseUnavailable):
        use()
    assert not database.path.exists()


def test_two_writers_take_turns(database: Database) -> None:
    other = Database(database.path)
    for each in (database, other, database):
        with each.write() as connection:
            bump(connection, "facts")
    other.close()

    assert database.versioned().versions.facts == 4
