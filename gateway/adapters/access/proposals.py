"""Deeds that wait for a second person (R116). What is proposed is sealed: it may be about a pupil.

A proposal is taken by one person once, before it is carried out, so that two who confirm at the same moment carry it
out once. Leaves out: which deeds need two (`core.persons`), what carrying out means (`bootstrap.proposals`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.core.persons import Deed
from gateway.transfer.trail import instant

LAPSES_AFTER = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A deed that waits. `arguments`: what it is carried out with."""

    number: int
    deed: Deed
    by: str
    on_behalf: str | None
    moment: str
    reason: str = field(repr=False)
    arguments: Mapping[str, Any] = field(repr=False)


def propose(
    database: Database,
    keys: StoreKeys,
    deed: Deed,
    arguments: Mapping[str, Any],
    act: Act,
    random: Callable[[int], bytes],
) -> int:
    """Its number, which says nothing of how many there are: others may not know of those that are secret. The entry
    says that something was proposed, not what: the deed's own entry will."""
    table = tables.proposal
    content = orjson.dumps({"arguments": dict(arguments), "reason": act.reason, "on_behalf": act.on_behalf})
    with database.write() as connection:
        number = _free_number(connection, random)
        row = {"deed": str(deed), "proposed_by": act.by, "moment": instant(act.moment)}
        connection.execute(sa.insert(table).values(number=number, content=keys.seal(content, _row(number)), **row))
        act.register(connection, "proposed", about=_about(deed, number, arguments))
    return number


def waiting(database: Database, keys: StoreKeys, now: datetime) -> list[Proposal]:
    """Those that nobody confirmed or withdrew, and that have not lapsed."""
    with database.read() as connection:
        rows = connection.execute(_waiting(now).order_by(tables.proposal.c.moment)).all()
    return [_proposal(keys, row) for row in rows]


def find(database: Database, keys: StoreKeys, number: int, now: datetime) -> Proposal | None:
    """One that still waits."""
    with database.read() as connection:
        row = connection.execute(_waiting(now).where(tables.proposal.c.number == number)).first()
    return _proposal(keys, row) if row else None


def take(database: Database, number: int, by: str, now: datetime) -> bool:
    """From now on it waits no longer; False when somebody else was first."""
    with database.write() as connection:
        return _end(connection, number, "confirmed", by, now)


def give_back(database: Database, number: int) -> None:
    """It could not be carried out, and waits again."""
    with database.write() as connection:
        again = sa.update(tables.proposal).where(tables.proposal.c.number == number)
        connection.execute(again.values(outcome=None, done_by=None, done=None))


def withdraw(database: Database, proposal: Proposal, act: Act) -> bool:
    """False when somebody else was first."""
    with database.write() as connection:
        if not _end(connection, proposal.number, "withdrawn", act.by, act.moment):
            return False
        about = _about(proposal.deed, proposal.number, proposal.arguments)
        act.register(connection, "proposal withdrawn", about=about)
    return True


def _end(connection: sa.Connection, number: int, outcome: str, by: str, now: datetime) -> bool:
    table = tables.proposal
    waits = (table.c.number == number, table.c.outcome.is_(None), table.c.moment > instant(now - LAPSES_AFTER))
    ended = sa.update(table).where(*waits).values(outcome=outcome, done_by=by, done=instant(now))
    return connection.execute(ended).rowcount == 1


def _waiting(now: datetime) -> sa.Select[tuple[object, ...]]:
    table = tables.proposal
    return sa.select(table).where(table.c.outcome.is_(None), table.c.moment > instant(now - LAPSES_AFTER))


def _proposal(keys: StoreKeys, row: sa.Row[tuple[object, ...]]) -> Proposal:
    content = orjson.loads(keys.open(row.content, _row(row.number)))
    deed, on_behalf = Deed(row.deed), content["on_behalf"]
    return Proposal(row.number, deed, row.proposed_by, on_behalf, row.moment, content["reason"], content["arguments"])


def _free_number(connection: sa.Connection, random: Callable[[int], bytes]) -> int:
    """Six digits that no proposal had before."""
    taken = set(connection.execute(sa.select(tables.proposal.c.number)).scalars())
    while True:
        number = 100_000 + int.from_bytes(random(8)) % 900_000
        if number not in taken:
            return number


def _about(deed: Deed, number: int, arguments: Mapping[str, Any]) -> dict[str, str]:
    """That something is proposed is as secret as what is (D4)."""
    secret = {"secret": "yes"} if arguments.get("secret") else {}
    return {"deed": deed, "proposal": str(number), **secret}


def _row(number: int) -> bytes:
    return b"proposal\0%d" % number
