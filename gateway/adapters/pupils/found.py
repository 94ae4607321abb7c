"""Whom ids name, and what is known about them, for a chunk of an import or a round of the sync at once.

Leaves out: one person's facts at a moment (`facts.store`), the roster in memory (`memory`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa

from gateway.adapters.database import tables
from gateway.adapters.facts.batches import chunks, known_facts
from gateway.adapters.facts.codec import body_of, fact_of
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import AnyFact, Kind
from gateway.core.model import Person


def persons_by_id(connection: sa.Connection, lookups: Collection[bytes]) -> dict[bytes, tuple[bytes, Person]]:
    """Look-up value of an id → (internal id, kind) of whom it names; nobody who was forgotten."""
    ids, subject = tables.subject_id, tables.subject
    found: dict[bytes, tuple[bytes, Person]] = {}
    query = sa.select(ids.c.lookup, subject.c.id, subject.c.person).join(subject)
    for some in chunks(sorted(lookups)):
        for row in connection.execute(query.where(ids.c.lookup.in_(some), subject.c.reference_key.is_not(None))):
            found[row.lookup] = row.id, Person(row.person)
    return found


def known_of(
    connection: sa.Connection, keys: StoreKeys, pupils: Collection[bytes], kinds: Collection[Kind]
) -> dict[bytes, list[tuple[int, AnyFact]]]:
    """What is known of these kinds about these pupils, as it was entered: consents without their campaign's terms."""
    table, found = tables.fact, defaultdict[bytes, list[tuple[int, AnyFact]]](list)
    words = [kind.value for kind in kinds]
    for some in chunks(sorted(pupils)):
        query = known_facts().where(table.c.subject.in_(some), table.c.kind.in_(words))
        for row in connection.execute(query):
            body = body_of(keys, row.subject, row.kind, row.body, row.sealed)
            found[row.subject].append((row.number, fact_of(body, {})))
    return found
