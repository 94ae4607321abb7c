"""The chain in the database: the statements that append to it and read it back (house rule 3).

Who calls these is inside a write transaction (`Database.write`, or the register's own writer), so that the head they
read is the head they append to; `sequence` is the primary key, so a second writer that came in between would fail. A
batch is written with few statements of many rows: every statement lets go of the interpreter and may wait for it
afterwards.
Leaves out: the encoding (`core.register`), the queue and its thread (`adapters.register.writer`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from gateway.adapters.database import tables
from gateway.core.model import Versions
from gateway.core.register import START, Draft, Roll, encode, link, members, roll_of
from gateway.core.verification import StoredEntry, StoredRoll


@dataclass(frozen=True, slots=True)
class State:
    """What a batch is appended to: the head, and the versions its verdicts must have been made under."""

    sequence: int
    hash: bytes
    versions: Versions


class Encoded(msgspec.Struct, frozen=True):
    """A draft ready for the chain."""

    id: str
    body: bytes
    roll: Roll | None

    def __repr__(self) -> str:
        return "<Encoded …>"


_ROWS = 32  # in one statement

_STATE = (
    "SELECT (SELECT value FROM version WHERE name = 'policy'), (SELECT value FROM version WHERE name = 'facts'), "
    "(SELECT value FROM version WHERE name = 'keys'), sequence, hash "
    "FROM (SELECT 1) LEFT JOIN (SELECT sequence, hash FROM entry ORDER BY sequence DESC LIMIT 1) ON 1 = 1"
)


def read_state(cursor: sqlite3.Cursor) -> State:
    policy, facts, keys, sequence, digest = cursor.execute(_STATE).fetchone()
    return State(sequence or 0, digest or START, Versions(policy, facts, keys))


def insert_entries(cursor: sqlite3.Cursor, batch: Sequence[Encoded], state: State, known: dict[bytes, int]) -> None:
    """Append `batch` after `state`, with the rolls that are not stored yet. `known`: digest → number of rolls that are
    certainly stored; it is added to, and must be forgotten when the transaction fails."""
    rows: list[object] = []
    sequence, previous = state.sequence, state.hash
    for draft in batch:
        roll = draft.roll
        number = None
        if roll is not None:
            number = known.get(roll.digest)
            if number is None:
                number = known[roll.digest] = _store_roll(cursor, roll)
        sequence += 1
        digest = link(previous, draft.body)
        rows += (sequence, draft.id, number, draft.body, previous, digest)
        previous = digest
    insert_rows(cursor, "INSERT INTO entry (sequence, id, roll, body, previous, hash) VALUES ", 6, rows)


def _store_roll(cursor: sqlite3.Cursor, roll: Roll) -> int:
    found = cursor.execute("SELECT number FROM roll WHERE digest = ?", (roll.digest,)).fetchone()
    if found is not None:
        return int(found[0])
    cursor.execute("INSERT INTO roll (digest, body) VALUES (?, ?) RETURNING number", (roll.digest, roll.body))
    number = int(cursor.fetchone()[0])
    rows: list[object] = []
    for reference in sorted(members(roll.body)):
        rows += (reference, number)
    insert_rows(cursor, "INSERT INTO roll_member (reference, roll) VALUES ", 2, rows)
    return number


def insert_rows(cursor: sqlite3.Cursor, head: str, width: int, values: Sequence[object], tail: str = "") -> None:
    """All rows with few statements: 32 rows each, then the rest in one; so many texts to prepare and keep."""
    row = "(" + ",".join("?" * width) + ")"
    for at in range(0, len(values), _ROWS * width):
        chunk = values[at : at + _ROWS * width]
        cursor.execute(head + ",".join([row] * (len(chunk) // width)) + tail, chunk)


def append_within(connection: sa.Connection, draft: Draft) -> int:
    """Append one entry within a transaction of `Database.write`, so that an act and its entry are one; its sequence.
    For acts of persons (`versions` None, nothing issued); transfers go through the register's queue."""
    roll = roll_of(
        [subject.reference for subject in draft.released],
        [(subject.reference, why) for subject, why in draft.withheld],
        [(subject.reference, why) for subject, why in draft.partial],
    )
    cursor = _driver(connection)
    state = read_state(cursor)
    encoded = Encoded(draft.id, encode(draft, roll.digest if roll else None), roll)
    insert_entries(cursor, (encoded,), state, {})
    return state.sequence + 1


def _driver(connection: sa.Connection) -> sqlite3.Cursor:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.cursor()


# -- reading back, for `verify` and `show` ---------------------------------------------------------------


def stored_entries(connection: sa.Connection) -> Iterator[StoredEntry]:
    """Every entry by sequence, streamed, as it is stored."""
    for row in connection.execution_options(yield_per=1_000).execute(_ALL_ENTRIES):
        yield StoredEntry(*row)


def last_entries(connection: sa.Connection, last: int, transfer: str | None) -> list[tuple[int, bytes, bytes]]:
    """(sequence, body, hash) of the newest `last` entries, oldest first, or of those of one transfer."""
    table = tables.entry
    query = sa.select(table.c.sequence, table.c.body, table.c.hash).order_by(table.c.sequence.desc()).limit(last)
    if transfer is not None:
        query = query.where(table.c.id == transfer)
    return [(row.sequence, row.body, row.hash) for row in reversed(connection.execute(query).all())]


def entries_with(connection: sa.Connection, reference: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """(body, number of its roll, that roll) of every entry with this pupil in it, the oldest first (R78, R80)."""
    member, entry = tables.roll_member.c, tables.entry.c
    rolls = sa.select(tables.roll).where(
        tables.roll.c.number.in_(sa.select(member.roll).where(member.reference == reference))
    )
    bodies = {row.number: row.body for row in connection.execute(rolls)}
    query = sa.select(entry.body, entry.roll).join(tables.roll_member, entry.roll == member.roll)
    for row in connection.execute(query.where(member.reference == reference).order_by(entry.sequence)):
        yield row.body, row.roll, bodies[row.roll]


def stored_rolls(connection: sa.Connection) -> Iterator[StoredRoll]:
    """Every roll with its index rows, and index rows without a roll, streamed by number."""
    index = sa.select(tables.roll_member.c.roll).where(
        tables.roll_member.c.roll.not_in(sa.select(tables.roll.c.number))
    )
    for number in connection.execute(index.distinct()).scalars().all():
        yield StoredRoll(number, None, None, _references(connection, number))
    for row in connection.execution_options(yield_per=1_000).execute(sa.select(tables.roll)):
        yield StoredRoll(row.number, row.digest, row.body, _references(connection, row.number))


_ALL_ENTRIES = sa.select(
    tables.entry.c.sequence,
    tables.entry.c.id,
    tables.entry.c.roll,
    tables.entry.c.body,
    tables.entry.c.previous,
    tables.entry.c.hash,
).order_by(tables.entry.c.sequence)


def _references(connection: sa.Connection, number: int) -> tuple[object, ...]:
    statement = sa.select(tables.roll_member.c.reference).where(tables.roll_member.c.roll == number)
    return tuple(connection.execute(statement).scalars())
