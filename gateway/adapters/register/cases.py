"""What an entry does to cases, in the transaction of the entry: holds it opens (D2), the permit it uses (R97).

For the register's writer, on its own cursor; few statements, and none when there is nothing. Leaves out: what a person
does about a case (`adapters.register.holds`, `adapters.register.permits`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gateway.adapters.register.chain import insert_rows
from gateway.adapters.store_keys import StoreKeys
from gateway.core.model import Ground
from gateway.core.persons import SECRET_REASONS
from gateway.core.register import Draft, Spent

_OPEN = "INSERT INTO hold (id, subject, recipient, purpose, reason, statutory, secret, opened, state) VALUES "
_WIDTH = 9


def hold_rows(keys: StoreKeys, draft: Draft) -> list[object]:
    """The cases of a draft as values; their names are keyed, so that they say neither how many nor in which order."""
    rows: list[object] = []
    if draft.recipient is None:
        return rows
    statutory = int((draft.grondslag or "").startswith(f"{Ground.STATUTORY_DUTY}:"))
    for subject, reason in draft.held:
        name = keys.look_up("hold", draft.id, subject.id.hex(), reason)[:6].hex()
        secret = int(draft.secret or reason in SECRET_REASONS)
        purpose = draft.purpose or ""
        rows += (name, subject.id, draft.recipient, purpose, str(reason), statutory, secret, draft.moment, "open")
    return rows


def open_holds(cursor: sqlite3.Cursor, rows: Sequence[object]) -> None:
    """One open case per pupil, recipient and reason: who is held again is not held twice."""
    insert_rows(cursor, _OPEN, _WIDTH, rows, " ON CONFLICT DO NOTHING")


_SPEND = (
    "UPDATE permit SET used = coalesce(used, ?), used_by = ? "
    "WHERE id = ? AND revoked IS NULL AND (once = 0 OR used_by IS NULL OR used_by = ?)"
)


def spend(cursor: sqlite3.Cursor, spent: Spent, moment: str) -> bool:
    """Whether the permit may still be used; now it is, by this handing over."""
    cursor.execute(_SPEND, (moment, spent.handover, spent.permit, spent.handover))
    return cursor.rowcount == 1
