"""Persons and ids that an import adds: guardians by the school's own key, and a pupil's BSN as keyed hash (D7, D13).

Neither decides anything by itself, so the facts counter stays where it is and no delivery is decided again; what is
new is read with the next change. Leaves out: pupils, whom the roster introduces (`subjects`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping

import sqlalchemy as sa

from gateway.adapters.database import Database, bump, tables
from gateway.adapters.facts.row_forms import BSN, GUARDIAN_KEY
from gateway.adapters.pupils.ids import ECK_ID
from gateway.adapters.store_keys import StoreKeys
from gateway.core.model import Person


def introduce_guardians(
    database: Database,
    keys: StoreKeys,
    named: Mapping[bytes, tuple[str, str]],
    random: Callable[[int], bytes],
) -> None:
    """Whoever is not known yet of `named`: look-up value → (source, key)."""
    table = tables.subject_id
    if not _any_new(database, named):
        return
    with database.write() as connection:
        new = _unknown(connection, named)
        changed = _next(connection)
        subjects, ids = [], []
        for lookup in new:
            source, key = named[lookup]
            internal = random(16)
            sealed = keys.seal(random(32), internal)
            person = {"id": internal, "person": Person.GUARDIAN.value, "reference_key": sealed, "changed": changed}
            subjects.append(person)
            place = {"lookup": lookup, "source": source, "kind": GUARDIAN_KEY, "value": keys.seal(key.encode(), lookup)}
            ids.append({**place, "subject": internal, "changed": changed})
        if new:
            connection.execute(sa.insert(tables.subject), subjects)
            connection.execute(sa.insert(table), ids)


def add_bsns(database: Database, owners: Mapping[bytes, bytes]) -> None:
    """Look-up value of a BSN → whose it is. The number itself is kept nowhere."""
    if not _any_new(database, owners):
        return
    table, subject = tables.subject_id, tables.subject
    with database.write() as connection:
        new = _unknown(connection, owners)
        changed = _next(connection)
        if new:
            common = {"source": "", "kind": BSN, "value": b"", "changed": changed}
            connection.execute(sa.insert(table), [{**common, "lookup": one, "subject": owners[one]} for one in new])
            mark = sa.update(subject).where(subject.c.id == sa.bindparam("who")).values(changed=changed)
            connection.execute(mark, [{"who": owners[one]} for one in new])


def disown_bsns(database: Database, told: Mapping[bytes, bytes | None]) -> None:
    """Look-up value of a BSN → whose the source says it is; None: of several. One that is known as somebody else's is
    nobody's until it is told again: over it, the one's record would leave as the other's."""
    table, subject = tables.subject_id, tables.subject
    with database.read() as connection:
        known = _owners(connection, told)
    wrong = {lookup: owner for lookup, owner in known.items() if told[lookup] != owner}
    if not wrong:
        return
    with database.write() as connection:
        changed = bump(connection, "facts")
        connection.execute(
            sa.delete(table).where(table.c.lookup == sa.bindparam("one")), [{"one": one} for one in wrong]
        )
        mark = sa.update(subject).where(subject.c.id == sa.bindparam("who")).values(changed=changed)
        connection.execute(mark, [{"who": who} for who in set(wrong.values())])


def others_now(connection: sa.Connection, pupils: Collection[bytes], bsns: Mapping[bytes, bytes]) -> set[bytes]:
    """Who of these has another BSN now (pupil → look-up value), beside one that was known; or had another ECK iD."""
    table, wanted = tables.subject_id, sorted(pupils)
    found: set[bytes] = set()
    for at in range(0, len(wanted), 400):
        mine = table.c.subject.in_(wanted[at : at + 400])
        known: defaultdict[tuple[bytes, str], set[bytes]] = defaultdict(set)
        for row in connection.execute(sa.select(table.c.subject, table.c.kind, table.c.lookup).where(mine)):
            known[row.subject, row.kind].add(row.lookup)
        found |= {who for (who, kind), has in known.items() if kind == ECK_ID and len(has) > 1}
        found |= {who for (who, kind), has in known.items() if kind == BSN and bsns.get(who, min(has)) not in has}
    return found


def _owners(connection: sa.Connection, lookups: Collection[bytes]) -> dict[bytes, bytes]:
    table, wanted = tables.subject_id, sorted(lookups)
    found: dict[bytes, bytes] = {}
    for at in range(0, len(wanted), 400):
        query = sa.select(table.c.lookup, table.c.subject).where(table.c.lookup.in_(wanted[at : at + 400]))
        found.update({row.lookup: row.subject for row in connection.execute(query)})
    return found


def _any_new(database: Database, lookups: Mapping[bytes, object]) -> bool:
    """Asked first: a file that says nothing new takes no turn from deliveries."""
    with database.read() as connection:
        return bool(_unknown(connection, lookups))


def _unknown(connection: sa.Connection, lookups: Collection[bytes]) -> list[bytes]:
    known = _owners(connection, lookups)
    return [one for one in sorted(lookups) if one not in known]


def _next(connection: sa.Connection) -> int:
    """The value the facts counter will have next: whoever follows it reads these then."""
    version = tables.version
    query = sa.select(version.c.value).where(version.c.name == "facts")
    return int(connection.execute(query).scalar_one()) + 1
