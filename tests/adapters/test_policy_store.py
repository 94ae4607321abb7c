"""Policy in the database: texts under their hash, files as they stand, acts of persons, one counter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.policy.store import (
    NotStored,
    PolicyText,
    activate,
    policy_at,
    read_policy,
    suspend,
    take_over,
)
from gateway.adapters.register.writer import verify_register
from tests.simulators.database import fresh_database
from tests.simulators.drafts import NOW, an_act
from tests.simulators.stored import last_bodies

NORTH = PolicyText("recipient", "noord", "recipient: noord\n")
NORTH_LATER = PolicyText("recipient", "noord", "recipient: noord # é\n")
SOUTH = PolicyText("recipient", "zuid", "recipient: zuid\n", ("zuid.yaml:1: a problem (R7)",))
STUDENTS = PolicyText("schema", "students", "schema: students\n")


HOUR = timedelta(hours=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh_database(tmp_path)
    yield database
    database.close()


def policy_counter(database: Database) -> int:
    return database.versioned().versions.policy


def test_files_taken_over_are_read_back_with_their_problems(database: Database) -> None:
    take_over(database, [STUDENTS, SOUTH, NORTH])

    assert read_policy(database).files == (NORTH, SOUTH, STUDENTS)


def test_first_take_over_tells_every_file_and_moves_the_counter(database: Database) -> None:
    changed = take_over(database, [NORTH, STUDENTS])

    assert changed == {("recipient", "noord"), ("schema", "students")}
    assert read_policy(database).version == policy_counter(database) == 2


def test_the_same_files_again_change_nothing(database: Database) -> None:
    take_over(database, [NORTH, STUDENTS])

    assert take_over(database, [STUDENTS, NORTH]) == frozenset()
    assert policy_counter(database) == 2


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        ([NORTH_LATER, SOUTH], {("recipient", "noord")}),
        ([NORTH], {("recipient", "zuid")}),
        ([NORTH, SOUTH, STUDENTS], {("schema", "students")}),
        ([NORTH, PolicyText("recipient", "zuid", SOUTH.text)], {("recipient", "zuid")}),
    ],
    ids=["text", "gone", "new", "problems"],
)
def test_a_change_of_files_is_told_and_moves_the_counter_once(
    database: Database, files: list[PolicyText], changed: set[tuple[str, str]]
) -> None:
    take_over(database, [NORTH, SOUTH])

    assert take_over(database, files) == changed
    assert policy_counter(database) == 3
    assert set(read_policy(database).files) == set(files)


def test_text_of_a_file_that_is_gone_is_kept(database: Database) -> None:
    take_over(database, [NORTH])
    take_over(database, [])

    text = tables.policy_text
    with database.read() as connection:
        kept = connection.execute(sa.select(text.c.body).where(text.c.hash == NORTH.hash)).scalar()
    assert kept == NORTH.text


def test_activation_gives_the_texts_that_were_activated(database: Database) -> None:
    take_over(database, [NORTH, STUDENTS])
    activate(database, "noord", NORTH.hash, {"students": STUDENTS.hash}, an_act())
    take_over(database, [NORTH_LATER])

    state = read_policy(database)
    active = state.active["noord"]
    assert (active.text, active.schemas, active.by, active.moment) == (
        NORTH.text,
        {"students": STUDENTS.text},
        "p.officer",
        NOW,
    )
    assert state.files == (NORTH_LATER,)


def test_activation_moves_the_counter(database: Database) -> None:
    take_over(database, [NORTH])
    activate(database, "noord", NORTH.hash, {}, an_act())

    assert policy_counter(database) == 3


@pytest.mark.parametrize(("digest", "schemas"), [("x", {}), (NORTH.hash, {"students": "x"}), (NORTH_LATER.hash, {})])
def test_activation_of_a_text_that_was_never_taken_over_is_refused(
    database: Database, digest: str, schemas: dict[str, str]
) -> None:
    take_over(database, [NORTH])
    with pytest.raises(NotStored):
        activate(database, "noord", digest, schemas, an_act())

    assert read_policy(database).active == {}
    assert policy_counter(database) == 2
    assert verify_register(database).count == 0


def test_suspension_ends_what_was_active_and_needs_no_file(database: Database) -> None:
    take_over(database, [NORTH])
    activate(database, "noord", NORTH.hash, {}, an_act(1))
    take_over(database, [])
    suspend(database, "noord", an_act(2))

    state = read_policy(database)
    assert not state.active
    assert state.suspended == {"noord"}
    assert policy_counter(database) == 5


def test_policy_at_a_moment_is_what_was_active_then(database: Database) -> None:
    take_over(database, [NORTH, STUDENTS])
    activate(database, "noord", NORTH.hash, {"students": STUDENTS.hash}, an_act(1))
    take_over(database, [NORTH_LATER, STUDENTS])
    activate(database, "noord", NORTH_LATER.hash, {}, an_act(2, NOW + HOUR))
    suspend(database, "noord", an_act(3, NOW + 2 * HOUR))
    before, first, second, third = (policy_at(database, NOW + HOUR * hours) for hours in (-1, 0.5, 1, 2))

    assert not before.active
    assert first.active["noord"].text == NORTH.text
    assert {(file.kind, file.text) for file in first.files} == {("recipient", NORTH.text), ("schema", STUDENTS.text)}
    assert second.active["noord"].text == NORTH_LATER.text
    assert not third.active
    assert third.suspended == {"noord"}


def test_activation_after_suspension_counts_again(database: Database) -> None:
    take_over(database, [NORTH, SOUTH])
    suspend(database, "noord", an_act(1))
    activate(database, "noord", NORTH.hash, {}, an_act(2))
    suspend(database, "zuid", an_act(3))

    state = read_policy(database)
    assert set(state.active) == {"noord"}
    assert state.suspended == {"zuid"}


def test_acts_stand_in_the_register_with_name_reason_and_hashes(database: Database) -> None:
    take_over(database, [NORTH, STUDENTS])
    activate(database, "noord", NORTH.hash, {"students": STUDENTS.hash}, an_act(1))
    suspend(database, "noord", an_act(2))

    suspended, activated = (json.loads(body) for body in last_bodies(database, 2))
    assert (activated["kind"], activated["outcome"], activated["actor"], activated["recipient_hash"]) == (
        "change",
        "recipient activated",
        "p.officer",
        NORTH.hash,
    )
    assert activated["detail"] == ["reason: agreed with the board", f"schema students: {STUDENTS.hash}"]
    assert (suspended["outcome"], suspended["recipient"]) == ("recipient suspended", "noord")
    assert verify_register(database).ok
