"""The write-back ledger: which statement of which recipient was handed to which source, and what came of it (D9).

A statement is planned, durably, before anything is sent. One whose outcome is known is not sent again: its outcome is
returned. One that is pending (the gateway died), not sent or of unknown outcome is sent again: the write is an upsert.
Another content under the same id is a correction. An id that another recipient used at this source is refused. Ids are
kept as keyed hashes, contents as keyed digests; neither can be read back. Leaves out: sending (`transfer.writeback`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.store_keys import StoreKeys
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
        rows = {self._lookup(source, each): self._digest(each) for each in statements}
        table = tables.statement
        with self._database.write() as connection:
            found = connection.execute(sa.select(table).where(table.c.lookup.in_(rows)))
            stored = {row.lookup: row for row in found}
            plans = {lookup: _plan(stored.get(lookup), recipient, digest) for lookup, digest in rows.items()}
            again = [lookup for lookup, planned in plans.items() if planned.plan is Plan.FORWARD]
            connection.execute(sa.delete(table).where(table.c.lookup.in_(again)))
            place = {"source": source, "recipient": recipient, "state": State.PENDING.value, "moment": instant(moment)}
            pending = [{**place, "lookup": lookup, "digest": rows[lookup]} for lookup in again]
            if pending:
                connection.execute(sa.insert(table), pending)
        return [plans[self._lookup(source, each)] for each in statements]

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
                "which": self._lookup(source, outcome.statement),
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

    def _lookup(self, source: str, statement: Statement) -> bytes:
        return self._keys.look_up("statement", source, statement.id)

    def _digest(self, statement: Statement) -> bytes:
        return bytes.fromhex(self._keys.digest(statement.content))


def _plan(row: sa.Row[Any] | None, recipient: str, digest: bytes) -> Planned:
    if row is None:
        return Planned(Plan.FORWARD)
    if row.recipient != recipient:
        return Planned(Plan.FOREIGN)
    state = State(row.state)
    if row.digest == digest and state in _KNOWN:
        return Planned(Plan.RETURN, state, row.status)
    return Planned(Plan.FORWARD, state)
