"""The way back from a pseudonym: only what was issued, only where, only under a key version that resolves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from gateway.adapters.database import Database, DatabaseUnavailable
from gateway.adapters.pupils.issued import IssuedPseudonyms
from gateway.adapters.register.writer import DatabaseRegister
from gateway.adapters.store_keys import StoreKeys
from gateway.core.register import Issue
from tests.simulators.database import fresh_database
from tests.simulators.drafts import a_draft

KEYS = StoreKeys(bytes(32))
PUPIL = Issue("noord", 1, "canary-p", "pupil", None, None, b"o" * 16)
GROUP = Issue("noord", 2, "canary-g", "group", "lvs", "canary-value", None)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh_database(tmp_path)
    release(database, PUPIL, GROUP)
    yield database
    database.close()


def release(database: Database, *issues: Issue) -> None:
    async def go() -> None:
        register = DatabaseRegister(database, KEYS)
        await register.append(a_draft(1, issued=issues))
        await register.append(a_draft(2, issued=issues))  # again: remembered, and harmless
        register.close()

    anyio.run(go)


def test_issued_is_found_back_whole(database: Database) -> None:
    issued = IssuedPseudonyms(database, KEYS)

    assert issued.find("noord", "canary-p", "pupil", (2, 1)) == PUPIL
    assert issued.find("noord", "canary-g", "group", (2, 1)) == GROUP


@pytest.mark.parametrize(
    ("domain", "pseudonym", "thing", "versions"),
    [
        ("zuid", "canary-p", "pupil", (2, 1)),
        ("noord", "canary-p", "staff", (2, 1)),
        ("noord", "canary-p ", "pupil", (2, 1)),
        ("noord", "", "pupil", (2, 1)),
        ("noord", "canary-p", "pupil", (2,)),
        ("noord", "canary-p", "pupil", ()),
        ("noordc", "anary-p", "pupil", (1,)),
    ],
)
def test_anything_else_is_not_found(
    database: Database, domain: str, pseudonym: str, thing: str, versions: tuple[int, ...]
) -> None:
    assert IssuedPseudonyms(database, KEYS).find(domain, pseudonym, thing, versions) is None


def test_issued_is_found_by_another_process_after_a_second_release(database: Database) -> None:
    release_again = Issue("noord", 1, "canary-p", "pupil", None, None, b"x" * 16)
    other = Database(database.path)
    connection = sqlite3.connect(database.path)
    connection.execute("DELETE FROM entry")
    connection.commit()
    connection.close()
    release(other, release_again)
    other.close()

    assert IssuedPseudonyms(database, KEYS).find("noord", "canary-p", "pupil", (1,)) == PUPIL


def test_pseudonyms_and_values_stand_nowhere_in_the_database(database: Database) -> None:
    assert b"canary" not in b"".join(path.read_bytes() for path in database.path.parent.iterdir())


def test_row_moved_to_another_pseudonym_does_not_open(database: Database) -> None:
    connection = sqlite3.connect(database.path)
    lookups = [row[0] for row in connection.execute("SELECT lookup FROM issued ORDER BY key_version")]
    connection.execute("UPDATE issued SET payload = (SELECT payload FROM issued WHERE lookup = ?)", (lookups[1],))
    connection.commit()
    connection.close()

    with pytest.raises(DatabaseUnavailable):
        IssuedPseudonyms(database, KEYS).find("noord", "canary-p", "pupil", (1,))
