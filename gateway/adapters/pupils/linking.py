"""What a person decides about who is who: linking a waiting pupil, destroying a reference key (house rule 10).

Each is an act with a name and a reason, and its register entry is in its transaction. Leaves out: splitting and
merging.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.adapters.database import Database, bump, tables
from gateway.adapters.facts.batches import concerned
from gateway.adapters.pupils.ids import sighting
from gateway.adapters.pupils.learning import Learning, mark_changed
from gateway.adapters.pupils.observed import decode_observation
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys


class NotPending(Exception):
    """There is no such waiting pupil (any more), or its ids became somebody else's."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A pupil that waits: its number, and which kinds of id it has; no value."""

    number: int
    source: str
    location: str
    kinds: tuple[str, ...]
    moment: str


def pending_links(database: Database, keys: StoreKeys) -> list[Pending]:
    table = tables.pending_link
    with database.read() as connection:
        rows = connection.execute(sa.select(table).order_by(table.c.number)).all()
    return [
        Pending(row.number, row.source, row.location, _kinds(keys.open(row.observation, row.lookup)), row.moment)
        for row in rows
    ]


def _kinds(opened: bytes) -> tuple[str, ...]:
    return tuple(sorted(decode_observation(opened).ids))


def link_pending(
    database: Database,
    keys: StoreKeys,
    number: int,
    subject: bytes | None,
    act: Act,
    random: Callable[[int], bytes],
) -> bytes:
    """The waiting pupil is `subject`, or (None) somebody new; its internal id. Raises NotPending."""
    table = tables.pending_link
    with database.write() as connection:
        row = connection.execute(sa.delete(table).where(table.c.number == number).returning(table)).first()
        if row is None:
            raise NotPending
        seen = sighting(keys, row.source, decode_observation(keys.open(row.observation, row.lookup)))
        learning = Learning(connection, keys, row.source, row.location, act.moment, random)
        learning.find_known(list(seen.lookups))
        internal = subject or learning.new_subject(seen.observation.person)
        if set(learning.known.values()) - {internal}:
            raise NotPending
        learning.take(internal, seen)
        learning.merge_roster(internal)
        learning.finish()
        what = "pupil linked" if subject else "pupil new"
        pupils = concerned(connection, keys, (internal,))
        act.register(connection, what, source=row.source, about={"pending": str(number)}, pupils=pupils)
    return internal


def destroy_reference_key(database: Database, subject: bytes, act: Act) -> bool:
    """Forget a person: its key, its ids, its place in every roster and what was recorded about it. What the register
    says about it can no longer be led back to anybody, and the chain still holds (R103, art. 17 AVG). False when there
    is none."""
    people = tables.subject
    with database.write() as connection:
        known = sa.and_(people.c.id == subject, people.c.reference_key.is_not(None))
        if connection.execute(sa.update(people).where(known).values(reference_key=None)).rowcount == 0:
            return False
        connection.execute(sa.delete(tables.subject_id).where(tables.subject_id.c.subject == subject))
        connection.execute(sa.delete(tables.roster).where(tables.roster.c.subject == subject))
        theirs = sa.select(tables.fact.c.number).where(tables.fact.c.subject == subject)
        connection.execute(sa.delete(tables.fact_end).where(tables.fact_end.c.fact.in_(theirs)))
        for table in (tables.fact, tables.permit, tables.hold):
            connection.execute(sa.delete(table).where(table.c.subject == subject))
        mark_changed(connection, (subject,), bump(connection, "facts"))
        act.register(connection, "reference key destroyed")
    return True
