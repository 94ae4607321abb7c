"""Holds in the database (D2): listed, released, closed, escalated when due, lapsed when what caused them changed.

They are opened in the transaction of an entry (`adapters.register.cases`). A closed one stays closed until it was due:
then a recipient that still asks opens a new case. Leaves out: what a release must say (`core.gate.holds`), who may see
which (`bootstrap.holds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.facts.store import Entered, enter_within, known
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.adapters.tasks import open_task
from gateway.core.facts import Document, Release
from gateway.core.gate.holds import due, lapsed
from gateway.core.reasons import Reason
from gateway.core.release.classified import WAITS, waiting_for
from gateway.transfer.trail import instant

OVERDUE_BOARD, OVERDUE_FG = "hold overdue, board", "hold overdue, FG"


class NotOpen(Exception):
    """Somebody decided about it before."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One case. `secret`: for releaser and FG only."""

    id: str
    subject: bytes = field(repr=False)
    recipient: str
    purpose: str
    reason: Reason
    statutory: bool
    secret: bool
    opened: datetime
    due: datetime
    state: str
    escalated: str | None
    fact: int | None
    done: str | None
    done_by: str | None


def holds(database: Database, term: timedelta, name: str | None = None) -> list[Hold]:
    """Every case, the oldest first; or the one of this name. `term`: the statutory one."""
    table = tables.hold
    query = sa.select(table).order_by(table.c.opened, table.c.id)
    with database.read() as connection:
        rows = connection.execute(query if name is None else query.where(table.c.id == name)).all()
    return [_hold(row, term) for row in rows]


def _hold(row: sa.Row[tuple[object, ...]], term: timedelta) -> Hold:
    opened, statutory = datetime.fromisoformat(row.opened), bool(row.statutory)
    return Hold(
        id=row.id,
        subject=row.subject,
        recipient=row.recipient,
        purpose=row.purpose,
        reason=Reason(row.reason),
        statutory=statutory,
        secret=bool(row.secret),
        opened=opened,
        due=due(opened, statutory=statutory, term=term),
        state=row.state,
        escalated=row.escalated,
        fact=row.fact,
        done=row.done,
        done_by=row.done_by,
    )


def release(database: Database, keys: StoreKeys, hold: Hold, releases: Sequence[Release], act: Act) -> None:
    """The facts that let it pass, and the end of the case. Raises NotOpen."""
    with database.write() as connection:
        entered = [Entered(hold.subject, one) for one in releases]
        numbers = enter_within(connection, keys, act, entered, (), _about(hold), "hold released")
        _end(connection, hold.id, "released", act, numbers[0])


def release_content(
    database: Database, keys: StoreKeys, subject: bytes, recipient: str, document: Document, act: Act
) -> None:
    """D8: the fact that this content may leave, and the end of the case that waits for it; what else waits opens
    another. Raises UnknownSubject for a pupil who was forgotten."""
    about = {"recipient": document.recipient or "any", "class": str(document.field_class)}
    with database.write() as connection:
        entered = [Entered(subject, document)]
        (number,) = enter_within(connection, keys, act, entered, (), about, "content released")
        table, reason = tables.hold, waiting_for(document.field_class)
        mine = (table.c.subject == subject, table.c.recipient == recipient, table.c.reason == str(reason))
        for name in connection.execute(sa.select(table.c.id).where(*mine, table.c.state == "open")).scalars().all():
            _end(connection, name, "released", act, number)


def close(database: Database, hold: Hold, act: Act) -> None:
    """Decided that nothing leaves. Raises NotOpen."""
    with database.write() as connection:
        _end(connection, hold.id, "closed", act, None)
        act.register(connection, "hold closed", about=_about(hold))


def _about(hold: Hold) -> dict[str, str]:
    about = {"hold": hold.id, "recipient": hold.recipient, "why held": str(hold.reason)}
    return {**about, "secret": "yes"} if hold.secret else about


def _end(connection: sa.Connection, name: str, state: str, act: Act, fact: int | None) -> None:
    open_still = sa.update(tables.hold).where(tables.hold.c.id == name, tables.hold.c.state == "open")
    done = {"state": state, "fact": fact, "done": instant(act.moment), "done_by": act.by}
    if connection.execute(open_still.values(**done)).rowcount != 1:
        raise NotOpen
    task = tables.task
    overdue = sa.update(task).where(task.c.about == name, task.c.done.is_(None))
    connection.execute(overdue.values(done=done["done"], done_by=act.by, reason=state))


def look_after(database: Database, keys: StoreKeys, term: timedelta, now: datetime, today: date) -> int:
    """What time does to cases, once an hour: overdue ones become tasks for the board and the FG, released ones lapse.
    How many changed."""
    every = holds(database, term)
    late = [one for one in every if one.state == "open" and one.escalated is None and one.due <= now]
    over = [one for one in every if one.state == "closed" and one.due <= now]
    over += [one for one in every if one.state == "released" and _lapsed(database, keys, one, today)]
    if late or over:
        with database.write() as connection:
            for one in late:
                _escalate(connection, one, now)
            ids = [one.id for one in over]
            connection.execute(sa.update(tables.hold).where(tables.hold.c.id.in_(ids)).values(state="lapsed"))
    return len(late) + len(over)


def _escalate(connection: sa.Connection, hold: Hold, now: datetime) -> None:
    """D2, D4: of a secret case the board hears nothing."""
    for kind in (OVERDUE_FG,) if hold.secret else (OVERDUE_BOARD, OVERDUE_FG):
        open_task(connection, kind, [hold.id], now)
    statement = sa.update(tables.hold).where(tables.hold.c.id == hold.id)
    connection.execute(statement.values(escalated=instant(now)))


def _lapsed(database: Database, keys: StoreKeys, hold: Hold, today: date) -> bool:
    if hold.reason in WAITS:
        return False  # what was released is that content; any other is another case
    facts = known(database, keys, hold.subject)
    return not any(
        one.recipient == hold.recipient
        and one.purpose in (None, hold.purpose)
        and one.reason is hold.reason
        and not lapsed(one, facts, today)
        for one in facts.releases
    )
