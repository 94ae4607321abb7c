"""Where walks over long lists go on, kept by offset for who counts; within the transaction of the page's entry.

What is searched for is a keyed hash of who asks what; the place is sealed (`transfer.anchors`). Those of yesterday go
when others come. Leaves out: what a place is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from gateway.adapters.database import Database
from gateway.adapters.register.chain import insert_rows
from gateway.adapters.store_keys import StoreKeys
from gateway.core.register import Draft
from gateway.transfer.anchors import LIFETIME
from gateway.transfer.trail import instant

_INSERT = "INSERT INTO anchor (lookup, place, moment) VALUES "
_LATEST = " ON CONFLICT (lookup) DO UPDATE SET place = excluded.place, moment = excluded.moment"


def anchor_rows(keys: StoreKeys, draft: Draft) -> list[object]:
    """Three values per row."""
    rows: list[object] = []
    for one in draft.anchors:
        rows += (_lookup(keys, one.context, one.offset), one.sealed, draft.moment)
    return rows


def keep_anchors(cursor: sqlite3.Cursor, rows: Sequence[object]) -> None:
    """The latest for each place of a walk."""
    if not rows:
        return
    insert_rows(cursor, _INSERT, 3, rows, _LATEST)
    before = instant(datetime.fromisoformat(str(rows[-1])) - LIFETIME)
    cursor.execute("DELETE FROM anchor WHERE moment < ?", (before,))


def find_anchor(database: Database, keys: StoreKeys, context: str, offset: int) -> bytes | None:
    """Sealed. Raises DatabaseUnavailable."""
    found = database.look_up("SELECT place FROM anchor WHERE lookup = ?", (_lookup(keys, context, offset),))
    return bytes(found[0][0]) if found else None


def _lookup(keys: StoreKeys, context: str, offset: int) -> bytes:
    return keys.look_up("anchor", context, str(offset))
