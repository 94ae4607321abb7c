"""The write-back ledger: which statement of which recipient was handed to which source, and what came of it (D9).

A statement is planned, durably, before anything is sent. One whose outcome is known is not sent again: its outcome is
returned. One that is pending (the gateway died), not sent or of unknown outcome is sent again: the write is an upsert.
Another content under the same id is a correction. An id that another recipient used at this source is that recipient's
there: whoever comes later is known there by an id of the gateway's making, and neither hears of the other. Ids are kept
as keyed hashes, contents as keyed digests; neither can be read back. Leaves out: sending (`transfer.writeback`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.store_keys import StoreKeys
from gateway.core.release.pseudonym import thing
from gateway.transfer.ledger import Outcome, Plan, Planned, State, Statement
from gateway.transfer.trail import instant

_KNOWN = (State.ACCEPTED, State.REFUSED)


class Statements:
    """The ledger of this school. Methods commit to the disk (some milliseconds): call them in a thread."""

    def __init__(self, database: Database, keys: StoreKeys) -> None:
        self._database = database
        self._keys = keys

    def plan(self, source: str, recipient: str, statements: Sequence[Statement], moment: datetime) -> list[Planned]:
        """What to do with each, in order; those to forward are pending when this returns. Of two with one id in one
        call the later counts and the earlier is planned like it. Raises DatabaseUnavailable: then nothing is sent."""
        made = {each.id: self._made(source, recipient, each) for each in statements}
        table = tables.statement
        with self._database.write() as connection:
            known = {self._lookup(source, name) for pair in made.items() for name in pair}
            found = connection.execute(sa.select(table).where(table.c.lookup.in_(known)))
            stored = {row.lookup: row for row in found}
            names = {each.id: self._name(source, recipient, each, made[each.id], stored) for each in statements}
            rows = {self._lookup(source, names[each.id]): self._digest(each) for each in statements}
            plans = {lookup: _plan(stored.get(lookup), digest) for lookup, digest in rows.items()}
            again = [lookup for lookup, planned in plans.items() if planned.plan is Plan.FORWARD]
            connection.execute(sa.delete(table).where(table.c.lookup.in_(again)))
            place = {"source": source, "recipient": recipient, "state": State.PENDING.value, "moment": instant(moment)}
            pending = [{**place, "lookup": lookup, "digest": rows[lookup]} for lookup in again]
            if pending:
                connection.execute(sa.insert(table), pending)
        planned = [(each, plans[self._lookup(source, names[each.id])]) for each in statements]
        return [replace(plan, under=names[each.id] if names[each.id] != each.id else None) for each, plan in planned]

    def record(self, source: str, recipient: str, outcomes: Sequence[Outcome], moment: datetime) -> None:
        """Keep what became of them. An outcome of a content that was corrected meanwhile changes nothing. Raises
        DatabaseUnavailable: then they stay pending, and are sent again when the recipient asks again."""
        table = tables.statement
        mine = sa.and_(
            table.c.lookup == sa.bindparam("which"),
            table.c.digest == sa.bindparam("content"),
            table.c.recipient == recipient,
        )
        rows = [
            {
                "which": self._lookup(source, outcome.statement.under or outcome.statement.id),
                "content": self._digest(outcome.statement),
                "state": outcome.state.value,
                "status": outcome.status,
                "moment": instant(moment),
            }
            for outcome in outcomes
        ]
        if rows:
            with self._database.write() as connection:
                connection.execute(sa.update(table).where(mine), rows)

    def _name(self, source: str, recipient: str, each: Statement, made: str, stored: Mapping[bytes, Any]) -> str:
        """What the statement is called at the source: as its maker calls it, where no other has that there."""
        there = stored.get(self._lookup(source, each.id))
        taken = there is not None and there.recipient != recipient
        return made if taken or self._lookup(source, made) in stored else each.id

    def _made(self, source: str, recipient: str, statement: Statement) -> str:
        return thing(self._keys.look_up("statement of", recipient), "statement", source, statement.id)

    def _lookup(self, source: str, name: str) -> bytes:
        return self._keys.look_up("statement", source, name)

    def _digest(self, statement: Statement) -> bytes:
        return bytes.fromhex(self._keys.digest(statement.content))


def _plan(row: sa.Row[Any] | None, digest: bytes) -> Planned:
    if row is None:
        return Planned(Plan.FORWARD)
    state = State(row.state)
    if row.digest == digest and state in _KNOWN:
        return Planned(Plan.RETURN, state, row.status)
    return Planned(Plan.FORWARD, state)
