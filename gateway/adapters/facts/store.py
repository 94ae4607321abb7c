"""What the school recorded about persons, in the database: entered and ended by acts, never overwritten.

Two times stand apart. When a fact *holds* is in its body (`since`, `until`, `given`); when it was *known* follows from
the batches: from the moment of the one that entered it, until the moment of one that ended it. So what was known at any
past moment can be decided with again. An act is one transaction with its register entry, and moves the facts counter.
Leaves out: imports (`staging`), declarations of completeness (`declarations`), the facts in memory
(`memory`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.facts.batches import (
    Change,
    Entered,
    NotKnown,
    UnknownSubject,
    campaign_rows,
    concerned,
    insert_ends,
    insert_facts,
    known_facts,
    new_batch,
    told,
)
from gateway.adapters.facts.codec import body_of, campaigns_of, encode_terms, fact_of
from gateway.adapters.facts.staging import ImportRunning, Staging, sweep
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import AnyFact, ConsentTerms, Facts, Kind, gathered
from gateway.transfer.trail import instant

__all__ = [
    "Entered",
    "ImportRunning",
    "NotKnown",
    "Staging",
    "UnknownSubject",
    "campaigns",
    "current",
    "enter",
    "enter_within",
    "known",
    "new_campaign",
    "numbers",
    "sweep",
]


def enter(
    database: Database,
    keys: StoreKeys,
    act: Act,
    entered: Sequence[Entered],
    ends: Sequence[int] = (),
    about: Mapping[str, str] | None = None,
) -> list[int]:
    """Enter and end facts by one act; the numbers of the new ones. Raises UnknownSubject, NotKnown (nothing changed)
    and DatabaseUnavailable."""
    with database.write() as connection:
        return enter_within(connection, keys, act, entered, ends, about)


def enter_within(
    connection: sa.Connection,
    keys: StoreKeys,
    act: Act,
    entered: Sequence[Entered],
    ends: Sequence[int] = (),
    about: Mapping[str, str] | None = None,
    what: str | None = None,
) -> list[int]:
    """The same in a transaction of `Database.write` that does more, so that both are one act. `what` instead of "facts
    entered"."""
    concerned(connection, keys, {one.subject for one in entered})
    batch = new_batch(connection, act, len(entered) + len(ends))
    change = Change()
    new, inserted = insert_facts(connection, keys, batch, entered)
    change += inserted
    change += insert_ends(connection, keys, batch, ends)
    pupils = concerned(connection, keys, change.subjects)
    act.register(connection, what or change.what, about=told(change, about), pupils=pupils)
    return new


def known(database: Database, keys: StoreKeys, subject: bytes, at: datetime | None = None) -> Facts:
    """What is known about this person, or was known at `at`."""
    statement = known_facts(instant(at) if at else None).where(tables.fact.c.subject == subject)
    with database.read() as connection:
        terms = campaigns_of(campaign_rows(connection))
        rows = connection.execute(statement).all()
    return gathered(fact_of(body_of(keys, row.subject, row.kind, row.body, row.sealed), terms) for row in rows)


def current(database: Database, keys: StoreKeys, kind: Kind) -> Iterator[tuple[int, bytes, AnyFact]]:
    """(number, subject, fact) of everything of this kind that is known now, by number."""
    statement = known_facts().where(tables.fact.c.kind == kind.value)
    with database.read() as connection:
        terms = campaigns_of(campaign_rows(connection))
        for row in connection.execution_options(yield_per=1_000).execute(statement):
            body = body_of(keys, row.subject, row.kind, row.body, row.sealed)
            yield row.number, row.subject, fact_of(body, terms)


def numbers(database: Database) -> dict[Kind, int]:
    """How many facts of each kind are known now."""
    known_now = known_facts().order_by(None).subquery()
    statement = sa.select(known_now.c.kind, sa.func.count().label("found")).group_by(known_now.c.kind)
    with database.read() as connection:
        found = {row.kind: row.found for row in connection.execute(statement)}
    return {kind: found.get(kind.value, 0) for kind in Kind}


def new_campaign(database: Database, act: Act, terms: ConsentTerms) -> int:
    """The number under which consents refer to these terms (D6)."""
    table = tables.campaign
    with database.write() as connection:
        values = {"terms": encode_terms(terms), "batch": new_batch(connection, act)}
        number = int(connection.execute(sa.insert(table).values(**values).returning(table.c.number)).scalar_one())
        about = {"campaign": str(number), "recipients": ", ".join(sorted(terms.recipients)), "text": terms.text}
        act.register(connection, "campaign opened", purpose=terms.purpose, about=about)
    return number


def campaigns(database: Database) -> dict[int, ConsentTerms]:
    with database.read() as connection:
        return campaigns_of(campaign_rows(connection))
