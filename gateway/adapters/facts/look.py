"""Looking at what is recorded, for the school: by number, the newest of a kind, of some pupils.

A pupil is shown as the register names them; their las-keys only where asked for. What is about somebody and no date or
word of ours (a day of birth, a text, a guardian) is never shown in a list. Leaves out: who may look (`bootstrap`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.facts.batches import campaign_rows, chunks, known_facts
from gateway.adapters.facts.codec import body_of, campaigns_of, fact_of
from gateway.adapters.facts.row_forms import LAS_KEY
from gateway.adapters.facts.store import current
from gateway.adapters.pupils.ids import reference
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import Answer, AnyFact, Birth, Capacity, Consent, Kind
from gateway.core.model import Person, Subject

# What a list shows of a fact, in this order; the terms of a consent as its own.
_SHOWN = (
    "capacity", "answer", "form", "given", "moment", "received", "rejected", "campaign", "recipients", "recipient",
    "purpose", "ground", "mark", "categories", "admitted", "informed", "since", "until",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """A fact that is known now. `pupil`: how the register names them; `las_keys` only after `with_las_keys`."""

    number: int
    kind: Kind
    subject: bytes = field(repr=False)
    pupil: str
    fact: AnyFact = field(repr=False)
    locations: frozenset[str] = frozenset()
    las_keys: str = field(default="", repr=False)

    def shown(self) -> dict[str, Any]:
        """What a list tells of it."""
        values = msgspec.structs.asdict(self.fact)
        terms = values.get("terms")
        values = {**(msgspec.structs.asdict(terms) if terms is not None else {}), **values}
        return {name: plain(values[name]) for name in _SHOWN if values.get(name) is not None}


def plain(value: Any) -> Any:
    """A value as JSON and a table can hold it."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, frozenset | tuple):
        return sorted(map(str, value))
    return value if isinstance(value, bool | int) else str(value)


def by_number(database: Database, keys: StoreKeys, number: int) -> Known | None:
    return next(iter(_read(database, keys, known_facts().where(tables.fact.c.number == number))), None)


def newest(
    database: Database, keys: StoreKeys, kinds: Collection[Kind], last: int, locations: frozenset[str] | None
) -> tuple[int, list[Known]]:
    """How many are known of these kinds, and the `last` of them, oldest first. `locations`: of pupils there only."""
    table = tables.fact
    query = known_facts().where(table.c.kind.in_([kind.value for kind in kinds]))
    if locations is not None:
        here = sa.select(tables.roster.c.subject).where(tables.roster.c.location.in_(sorted(locations)))
        query = query.where(table.c.subject.in_(here))
    with database.read() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    found = _read(database, keys, query.order_by(None).order_by(table.c.number.desc()).limit(last))
    return count, found[::-1]


def of_pupils(
    database: Database,
    keys: StoreKeys,
    pupils: Iterable[bytes],
    kinds: Collection[Kind],
    locations: frozenset[str] | None = None,
) -> list[Known]:
    table = tables.fact
    words = [kind.value for kind in kinds]
    found: list[Known] = []
    for some in chunks(sorted(pupils)):
        query = known_facts().where(table.c.subject.in_(some), table.c.kind.in_(words))
        found += _read(database, keys, query)
    return [one for one in found if locations is None or not one.locations.isdisjoint(locations)]


def born_between(database: Database, keys: StoreKeys, wanted: Callable[[date], bool]) -> dict[bytes, date]:
    """Who was born on a day that is `wanted`."""
    births = ((subject, fact) for _, subject, fact in current(database, keys, Kind.BIRTH))
    return {who: fact.day for who, fact in births if isinstance(fact, Birth) and wanted(fact.day)}


def consent_runs(fact: AnyFact, today: date, but: Capacity) -> bool:
    """Whether this is a yes, of somebody in another capacity than `but`, that has not ended."""
    if not isinstance(fact, Consent) or fact.answer is not Answer.YES or fact.capacity is but:
        return False
    return fact.terms is None or fact.terms.until is None or fact.terms.until >= today


def with_las_keys(database: Database, keys: StoreKeys, found: Sequence[Known]) -> list[Known]:
    """The same, with the las-keys of the pupils beside them."""
    named = _ids(database, keys, {one.subject for one in found})
    return [replace(one, las_keys=" ".join(sorted(named.get(one.subject, ())))) for one in found]


def subjects(found: Iterable[Known]) -> list[Subject]:
    """Whom they are about, as the register takes them."""
    pupils = {one.subject: bytes.fromhex(one.pupil) for one in found}
    return [Subject(internal, Person.PUPIL, known, {}) for internal, known in pupils.items()]


def _read(database: Database, keys: StoreKeys, query: sa.Select[Any]) -> list[Known]:
    with database.read() as connection:
        terms = campaigns_of(campaign_rows(connection))
        rows = connection.execute(query).all()
        pupils = {row.subject for row in rows}
        named, places = _references(connection, keys, pupils), locations_of(connection, pupils)
    return [
        Known(
            row.number,
            Kind(row.kind),
            row.subject,
            named[row.subject],
            fact_of(body_of(keys, row.subject, row.kind, row.body, row.sealed), terms),
            frozenset(places.get(row.subject, ())),
        )
        for row in rows
        if row.subject in named
    ]


def _references(connection: sa.Connection, keys: StoreKeys, pupils: Collection[bytes]) -> Mapping[bytes, str]:
    table = tables.subject
    query = sa.select(table.c.id, table.c.reference_key).where(table.c.reference_key.is_not(None))
    return {
        row.id: reference(keys, row.id, row.reference_key).hex()
        for some in chunks(sorted(pupils))
        for row in connection.execute(query.where(table.c.id.in_(some)))
    }


def locations_of(connection: sa.Connection, pupils: Collection[bytes]) -> Mapping[bytes, set[str]]:
    """Where the rosters have these pupils now."""
    table, found = tables.roster, defaultdict[bytes, set[str]](set)
    for some in chunks(sorted(pupils)):
        query = sa.select(table.c.subject, table.c.location).where(table.c.subject.in_(some))
        for row in connection.execute(query):
            found[row.subject].add(row.location)
    return found


def _ids(database: Database, keys: StoreKeys, pupils: Collection[bytes]) -> Mapping[bytes, set[str]]:
    table, found = tables.subject_id, defaultdict[bytes, set[str]](set)
    with database.read() as connection:
        for some in chunks(sorted(pupils)):
            query = sa.select(table).where(table.c.subject.in_(some), table.c.kind == LAS_KEY)
            for row in connection.execute(query):
                found[row.subject].add(keys.open(row.value, row.lookup).decode())
    return found
