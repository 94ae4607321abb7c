"""Unknown fields: told once, after five records, and only a name that looks like one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.database import Database
from gateway.adapters.lvs.field_seen import StoredFieldsSeen
from gateway.adapters.store_keys import StoreKeys
from tests.simulators.database import fresh_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def seen(database: Database) -> StoredFieldsSeen:
    return StoredFieldsSeen(database, StoreKeys(bytes(32)))


def test_field_in_five_records_of_one_answer_is_told(seen: StoredFieldsSeen) -> None:
    assert seen.note("students", "Student", {"nickname": 5, "address.floor": 30}) == ["address.floor", "nickname"]


def test_field_is_told_when_records_of_several_answers_reach_five(seen: StoredFieldsSeen) -> None:
    assert [seen.note("students", "Student", {"nickname": times}) for times in (2, 2, 1)] == [[], [], ["nickname"]]


def test_field_is_told_once_ever_over_all_processes(seen: StoredFieldsSeen, database: Database) -> None:
    seen.note("students", "Student", {"nickname": 9})
    other = StoredFieldsSeen(database, StoreKeys(bytes(32)))

    assert [other.note("students", "Student", {"nickname": 9}) for _ in range(3)] == [[], [], []]


def test_the_same_name_in_another_record_or_schema_is_another_field(seen: StoredFieldsSeen) -> None:
    seen.note("students", "Student", {"nickname": 9})

    assert seen.note("students", "Group", {"nickname": 9}) == ["nickname"]
    assert seen.note("results", "Student", {"nickname": 9}) == ["nickname"]


@pytest.mark.parametrize("name", ["Jan Jansen", "", "a..b", "é", "123456782", "x" * 65, "a\nb", "jan@example.nl"])
def test_name_that_is_no_identifier_is_never_told_nor_kept(
    seen: StoredFieldsSeen, database: Database, name: str
) -> None:
    assert seen.note("students", "Student", {name: 100}) == []
    assert database.look_up("SELECT count(*) FROM field_seen", ()) == [(0,)]


def test_name_seen_in_four_records_is_kept_as_a_hash_only(seen: StoredFieldsSeen, database: Database) -> None:
    seen.note("students", "Student", {"canary_jansen": 4})

    assert b"canary" not in b"".join(path.read_bytes() for path in database.path.parent.iterdir())
    assert seen.shown() == []


def test_fields_that_were_told_can_be_shown(seen: StoredFieldsSeen) -> None:
    seen.note("students", "Student", {"nickname": 6})

    assert seen.shown() == [("students", "Student", "nickname")]
