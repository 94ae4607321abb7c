"""One-off permits as a person made them (D4): the fact that the gate reads, with the items, uses and review beside it.

Fact, row, task and entry are one transaction. What the items say is sealed with the store key. Every entry about a
permit names it in `detail`, so that whoever may not see permits is shown none of them (`core.persons`). Leaves out:
what a permit must say (`core.gate.permits`), who may (`core.persons`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.facts.store import Entered, enter_within
from gateway.adapters.register.acts import Act
from gateway.adapters.register.chain import append_within
from gateway.adapters.store_keys import StoreKeys
from gateway.adapters.tasks import open_task
from gateway.core.facts import Occasion, Permit
from gateway.core.gate.permits import Items, once, reviewed_by_fg
from gateway.core.model import Finding, Subject
from gateway.core.persons import SECRET_DETAIL
from gateway.core.policy.terms import Delivery
from gateway.core.register import Draft
from gateway.transfer.trail import instant

FG_NOTICE, FG_REVIEW = "break-glass opened", "break-glass review"


class NotPossible(Exception):
    """It was revoked, reviewed or used before."""


@dataclass(frozen=True, slots=True)
class KeptPermit:
    """A permit as kept. `used`: when it was first used; `review`: the FG's outcome."""

    id: str
    subject: bytes = field(repr=False)
    fact: int
    occasion: Occasion
    recipient: str
    purpose: str
    secret: bool
    once: bool
    items: Items = field(repr=False)
    reason: str = field(repr=False)
    made: datetime
    made_by: str
    until: datetime
    used: str | None
    revoked: str | None
    review: str | None = field(repr=False)
    reviewed: str | None

    def state(self, now: datetime) -> str:
        if self.revoked is not None:
            return "revoked"
        if self.once and self.used is not None:
            return "used"
        return "over" if self.until <= now else "in force"

    @property
    def to_review(self) -> bool:
        return reviewed_by_fg(self.occasion) and self.reviewed is None


class _Content(msgspec.Struct, frozen=True):
    items: Items
    reason: str


def keep(database: Database, keys: StoreKeys, act: Act, subject: bytes, permit: Permit, items: Items) -> str:
    """Enter the permit; its name. Break-glass is a task for the FG from this moment on (R13)."""
    name = keys.look_up("permit", act.id)[:6].hex()
    content = msgspec.json.encode(_Content(items, act.reason))
    with database.write() as connection:
        about = {"permit": name, "occasion": permit.occasion, "recipient": permit.recipient, **_secret(permit.secret)}
        (number,) = enter_within(connection, keys, act, [Entered(subject, permit)], (), about, "permit made")
        connection.execute(
            sa.insert(tables.permit).values(
                id=name,
                subject=subject,
                fact=number,
                occasion=str(permit.occasion),
                recipient=permit.recipient,
                purpose=permit.purpose,
                secret=int(permit.secret),
                once=int(once(permit.occasion)),
                content=keys.seal(content, _row(name)),
                made=instant(act.moment),
                made_by=act.by,
                until=instant(permit.until),
            )
        )
        for task in (FG_NOTICE, FG_REVIEW) if reviewed_by_fg(permit.occasion) else ():
            open_task(connection, task, [name], act.moment)
    return name


def attempt(
    database: Database,
    act: Act,
    delivery: Delivery,
    subject: Subject | None,
    findings: Iterable[Finding],
    *,
    secret: bool = False,
) -> None:
    """What was asked and may not be is in the register as well (R56)."""
    found = list(findings)
    reasons = tuple(dict.fromkeys(finding.reason for finding in found))
    draft = Draft(
        id=act.id,
        kind="refusal",
        moment=instant(act.moment),
        actor=act.by,
        recipient=delivery.recipient,
        purpose=delivery.purpose,
        reasons=reasons,
        withheld=((subject, reasons),) if subject else (),
        detail=(
            f"reason: {act.reason}",
            "permit: none",
            *(f"{one.reason}: {one.about}" for one in found),
            *([SECRET_DETAIL] if secret else []),
        ),
    )
    with database.write() as connection:
        append_within(connection, draft)


def revoke(database: Database, keys: StoreKeys, permit: KeptPermit, act: Act) -> None:
    """Nothing more leaves on it, from the next record on. Raises NotPossible."""
    with database.write() as connection:
        gone = {"revoked": instant(act.moment), "revoked_by": act.by}
        _change(connection, permit, tables.permit.c.revoked, gone)
        enter_within(connection, keys, act, (), [permit.fact], _about(permit), "permit revoked")


def review(database: Database, permit: KeptPermit, outcome: str, act: Act) -> None:
    """R13: the FG's judgement afterwards. Raises NotPossible."""
    with database.write() as connection:
        said = {"review": outcome, "reviewed": instant(act.moment), "reviewed_by": act.by}
        _change(connection, permit, tables.permit.c.reviewed, said)
        task = tables.task
        done = sa.update(task).where(task.c.about == permit.id, task.c.done.is_(None))
        connection.execute(done.values(done=instant(act.moment), done_by=act.by, reason=outcome))
        act.register(connection, "permit reviewed", about={**_about(permit), "outcome": outcome})


def _about(permit: KeptPermit) -> dict[str, str]:
    return {"permit": permit.id, **_secret(permit.secret)}


def _secret(secret: bool) -> dict[str, str]:  # noqa: FBT001 - a column
    return {"secret": "yes"} if secret else {}


def _change(connection: sa.Connection, permit: KeptPermit, column: sa.Column[str], values: dict[str, str]) -> None:
    statement = sa.update(tables.permit).where(tables.permit.c.id == permit.id, column.is_(None))
    if connection.execute(statement.values(**values)).rowcount != 1:
        raise NotPossible


def kept(database: Database, keys: StoreKeys, name: str | None = None) -> list[KeptPermit]:
    """Every permit, the newest first; or the one of this name."""
    table = tables.permit
    query = sa.select(table).order_by(table.c.made.desc(), table.c.id)
    with database.read() as connection:
        rows = connection.execute(query if name is None else query.where(table.c.id == name)).all()
    return [_kept(keys, row) for row in rows]


def _kept(keys: StoreKeys, row: sa.Row[tuple[object, ...]]) -> KeptPermit:
    content = msgspec.json.decode(keys.open(row.content, _row(row.id)), type=_Content)
    return KeptPermit(
        id=row.id,
        subject=row.subject,
        fact=row.fact,
        occasion=Occasion(row.occasion),
        recipient=row.recipient,
        purpose=row.purpose,
        secret=bool(row.secret),
        once=bool(row.once),
        items=content.items,
        reason=content.reason,
        made=datetime.fromisoformat(row.made),
        made_by=row.made_by,
        until=datetime.fromisoformat(row.until),
        used=row.used,
        revoked=row.revoked,
        review=row.review,
        reviewed=row.reviewed,
    )


def _row(name: str) -> bytes:
    return b"permit\0" + name.encode()
