"""Batches: facts enter and end together, under one act, with one register entry (house rule 10).

These work within a transaction of `Database.write`. Leaves out: the acts themselves (`store`, `declarations`) and
imports that are too large for one transaction (`staging`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeVar

import msgspec
import sqlalchemy as sa

from gateway.adapters.database import bump, tables
from gateway.adapters.facts.codec import body_of, fact_of, kind_of, row_of
from gateway.adapters.pupils.ids import reference
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import AnyFact, Kind, Marker, Permit
from gateway.core.model import Person, Subject
from gateway.transfer.trail import instant

T = TypeVar("T")

_CHUNK = 400  # values searched for in one statement

APART = frozenset({Kind.MARKER, Kind.PERMIT, Kind.RELEASE, Kind.DOCUMENT})
"""Kinds numbered apart, so that no gap in the numbers of other facts tells that there are some; nor is the next number
to be guessed, as whoever may end a marker need not see markers (D4, R100)."""
_APART, _STRIDE = 10**12, 10**6


class UnknownSubject(Exception):
    """A fact is about somebody the gateway does not know, or was told to forget."""


class NotKnown(Exception):
    """What was to be ended is not known: there is no such fact, or it was ended before."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A fact about a person, by internal id."""

    subject: bytes = field(repr=False)
    fact: AnyFact


@dataclass(slots=True)
class Change:
    """What a batch did, as the register tells it: of how many of each kind, and whom it concerns. `secret`: only who
    sees secrets may see that it happened (D4, R100)."""

    entered: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    subjects: set[bytes] = field(default_factory=set, repr=False)
    secret: bool = False

    def __iadd__(self, other: Change) -> Self:
        self.entered.update(other.entered)
        self.ended.update(other.ended)
        self.subjects.update(other.subjects)
        self.secret = self.secret or other.secret
        return self

    @property
    def size(self) -> int:
        return self.entered.total() + self.ended.total()

    @property
    def what(self) -> str:
        if not self.ended:
            return "facts entered"
        return "facts changed" if self.entered else "facts ended"

    def about(self) -> Mapping[str, str]:
        told = {"entered": self.entered, "ended": self.ended}
        return {
            name: ", ".join(f"{kind} {n}" for kind, n in sorted(count.items())) for name, count in told.items() if count
        }


def new_batch(connection: sa.Connection, act: Act, size: int = 0) -> int:
    """A batch that is valid when this transaction commits; the facts counter moves."""
    statement = sa.insert(tables.batch).values(size=size, **validity(connection, act))
    return int(connection.execute(statement.returning(tables.batch.c.number)).scalar_one())


def validity(connection: sa.Connection, act: Act) -> dict[str, object]:
    """What a batch has that is valid: from now on, by this act. The facts counter moves."""
    version = bump(connection, "facts")
    return {"version": version, "moment": instant(act.moment), "actor": act.by, "act": act.id}


def insert_facts(
    connection: sa.Connection, keys: StoreKeys, batch: int, entered: Sequence[Entered]
) -> tuple[list[int], Change]:
    """The new facts' numbers. Whoever they are about must be known (the table sees to it)."""
    if not entered:
        return [], Change()
    numbers = _numbers(connection, keys, [kind_of(one.fact) in APART for one in entered])
    numbered = [
        (one.subject, msgspec.structs.replace(one.fact, number=number))
        for one, number in zip(entered, numbers, strict=True)
    ]
    rows = [(*row_of(keys, subject, fact), batch) for subject, fact in numbered]
    connection.exec_driver_sql(_INSERT, rows)
    kinds = Counter(kind_of(one.fact).value for one in entered)
    secret = any(is_secret(one.fact) for one in entered)
    return numbers, Change(kinds, Counter(), {one.subject for one in entered}, secret)


def _numbers(connection: sa.Connection, keys: StoreKeys, apart: Sequence[bool]) -> list[int]:
    """One for each; in a row, but for those apart, of which the next cannot be guessed."""
    ordinary, secret = _last(connection, _number < _APART), _last(connection, _number >= _APART) or _APART
    found = []
    for one in apart:
        if one:
            secret += 1 + int.from_bytes(keys.look_up("fact number", str(secret))) % _STRIDE
        else:
            ordinary += 1
        found.append(secret if one else ordinary)
    return found


def _last(connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.max(_number)).where(which)).scalar_one() or 0


def insert_ends(connection: sa.Connection, keys: StoreKeys, batch: int, ends: Sequence[int]) -> Change:
    """Raises NotKnown, when one of them is not known (any more)."""
    if not ends:
        return Change()
    found = [row for some in chunks(ends) for row in connection.execute(known_facts().where(_number.in_(some)))]
    if len(found) != len(set(ends)):
        raise NotKnown
    connection.execute(sa.insert(tables.fact_end), [{"fact": row.number, "batch": batch} for row in found])
    ended = [fact_of(body_of(keys, row.subject, row.kind, row.body, row.sealed), {}) for row in found]
    secret = any(map(is_secret, ended))
    return Change(Counter(), Counter(row.kind for row in found), {row.subject for row in found}, secret)


def is_secret(fact: AnyFact) -> bool:
    """That there is one tells what a pupil must be protected from, or who asks about it (D4, R100)."""
    return isinstance(fact, Marker) or (isinstance(fact, Permit) and fact.secret)


# raw, in the order of `codec.Row`: an import enters a million
_INSERT = "INSERT INTO fact (number, subject, kind, body, sealed, batch) VALUES (?, ?, ?, ?, ?, ?)"

_number = tables.fact.c.number


def known_facts(at: str | None = None) -> sa.Select[tuple[int, bytes, str, bytes, int]]:
    """Number, subject, kind, body, sealed of what is known now, or was known at a moment: its batch was valid, and no
    batch that ends it."""
    fact, entering, end, ending = tables.fact, tables.batch, tables.fact_end, tables.batch.alias("ending")
    ended = sa.select(end.c.fact).join(ending, ending.c.number == end.c.batch)
    ended = ended.where(end.c.fact == fact.c.number, ending.c.version.is_not(None))
    statement = sa.select(fact.c.number, fact.c.subject, fact.c.kind, fact.c.body, fact.c.sealed).join(entering)
    statement = statement.where(entering.c.version.is_not(None))
    if at is not None:
        ended, statement = ended.where(ending.c.moment <= at), statement.where(entering.c.moment <= at)
    return statement.where(~ended.exists()).order_by(fact.c.number)


def concerned(connection: sa.Connection, keys: StoreKeys, subjects: Collection[bytes]) -> list[Subject]:
    """These, as far as the register names them. Raises UnknownSubject."""
    table = tables.subject
    query = sa.select(table.c.id, table.c.person, table.c.reference_key).where(table.c.reference_key.is_not(None))
    rows = [row for some in chunks(sorted(subjects)) for row in connection.execute(query.where(table.c.id.in_(some)))]
    if len(rows) != len(subjects):
        raise UnknownSubject
    return [Subject(row.id, Person(row.person), reference(keys, row.id, row.reference_key), {}) for row in rows]


def chunks(values: Sequence[T], size: int = _CHUNK) -> Iterator[Sequence[T]]:
    for at in range(0, len(values), size):
        yield values[at : at + size]


def told(change: Change, about: Mapping[str, str] | None) -> dict[str, str]:
    return {**change.about(), **(about or {}), **({"secret": "yes"} if change.secret else {})}


def campaign_rows(connection: sa.Connection) -> Iterable[tuple[int, bytes]]:
    table = tables.campaign
    return [(row.number, row.terms) for row in connection.execute(sa.select(table).order_by(table.c.number))]
