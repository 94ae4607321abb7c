"""What a person decides about who might be two (`doubt`): that all is one pupil's, or which number is this pupil's.

Each is an act with a name and a reason, and its register entry is in its transaction. What was recorded stays with the
pupil that is kept. Leaves out: correcting the LVS, which settles it without an act; merging two known pupils.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import Database, bump, tables
from gateway.adapters.facts.batches import concerned
from gateway.adapters.facts.row_forms import LAS_KEY
from gateway.adapters.pupils.doubt import MIXED, ONE, SHARED, known_by
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.learning import CLASH, mark_changed
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.transfer.trail import instant


class NotInDoubt(Exception):
    """There is no such doubt (any more), or this number is not this pupil's."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """`numbers`: by which the source's administration may know them; none where nobody is known yet. A CLASH is settled
    in the LVS alone: whom it is about is known."""

    number: int
    source: str
    kind: str
    numbers: tuple[str, ...] = field(repr=False)
    subject: bytes | None = field(repr=False)
    moment: str


def doubts(database: Database, keys: StoreKeys) -> list[Doubtful]:
    """The oldest first."""
    with database.read() as connection:
        rows = connection.execute(_undone(SHARED, MIXED, CLASH).order_by(tables.task.c.number)).all()
        return [_doubtful(connection, keys, row) for row in rows]


def settle_as_one(database: Database, keys: StoreKeys, number: int, other: str, act: Act) -> None:
    """`other` is a number of this pupil too. Raises NotInDoubt."""
    ids = tables.subject_id
    with database.write() as connection:
        subject, source = _end(connection, number, act)
        lookup, facts = id_lookup(keys, source, LAS_KEY, other), bump(connection, "facts")
        owner = connection.execute(sa.select(ids.c.subject).where(ids.c.lookup == lookup)).scalar()
        if owner not in {None, subject}:
            raise NotInDoubt
        if owner is None:
            sealed = keys.seal(other.encode(), lookup)
            place = {"lookup": lookup, "source": source, "kind": LAS_KEY, "value": sealed}
            connection.execute(sa.insert(ids).values(**place, subject=subject, changed=facts))
        done = {"done": instant(act.moment), "done_by": act.by, "reason": act.reason}
        task = {"kind": ONE, "about": subject.hex(), "moment": instant(act.moment)}
        connection.execute(sa.insert(tables.task).values(**task, **done))
        mark_changed(connection, (subject,), facts)
        pupils = concerned(connection, keys, (subject,))
        act.register(connection, "pupil is one", source=source, about={"task": str(number)}, pupils=pupils)


def settle_as_two(database: Database, keys: StoreKeys, number: int, kept: str, act: Act) -> None:
    """This pupil is `kept` (empty: none of these any more); what else of this source and of every source it was known
    by is learned anew, of whoever has it. Raises NotInDoubt."""
    ids, roster, task = tables.subject_id, tables.roster, tables.task
    with database.write() as connection:
        subject, source = _end(connection, number, act)
        mine, lookup = ids.c.subject == subject, id_lookup(keys, source, LAS_KEY, kept)
        if kept and connection.execute(sa.select(ids.c.lookup).where(mine, ids.c.lookup == lookup)).first() is None:
            raise NotInDoubt
        connection.execute(sa.delete(ids).where(mine, ids.c.lookup != lookup, ids.c.source.in_(("", source))))
        if not kept:  # else it is there until the next round: nobody is to hear that it left
            connection.execute(sa.delete(roster).where(roster.c.subject == subject, roster.c.source == source))
        connection.execute(sa.delete(task).where(task.c.kind == ONE, task.c.about == subject.hex()))
        mark_changed(connection, (subject,), bump(connection, "facts"))
        pupils = concerned(connection, keys, (subject,))
        act.register(connection, "pupil is two", source=source, about={"task": str(number)}, pupils=pupils)


def _undone(*kinds: str) -> sa.Select[tuple[int, str, str, str]]:
    table = tables.task
    query = sa.select(table.c.number, table.c.kind, table.c.about, table.c.moment)
    return query.where(table.c.kind.in_(kinds), table.c.done.is_(None))


def _end(connection: sa.Connection, number: int, act: Act) -> tuple[bytes, str]:
    """Whom this doubt is about, and of which source. Raises NotInDoubt."""
    table = tables.task
    row = connection.execute(_undone(SHARED, MIXED).where(table.c.number == number)).first()
    who, source = _about(row.about) if row is not None else (None, "")
    if who is None:
        raise NotInDoubt
    done = {"done": instant(act.moment), "done_by": act.by, "reason": act.reason}
    connection.execute(sa.update(table).where(table.c.number == number).values(**done))
    return who, source


def _about(text: str) -> tuple[bytes | None, str]:
    who, source = text.split(",")[:2]  # of a CLASH the location too
    return known_by(who), source


def _doubtful(connection: sa.Connection, keys: StoreKeys, row: Any) -> Doubtful:
    ids, (who, source) = tables.subject_id, _about(row.about)
    query = sa.select(ids.c.lookup, ids.c.value).where(ids.c.subject == who, ids.c.source == source)
    mine = connection.execute(query.where(ids.c.kind == LAS_KEY).order_by(ids.c.changed)).all() if who else []
    numbers = tuple(keys.open(one.value, one.lookup).decode() for one in mine)
    return Doubtful(row.number, source, row.kind, numbers, who, row.moment)
