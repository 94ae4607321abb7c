"""core.release.views.Shelves: what each recipient last got, as look-up values, digests and sealed remains.

Nothing in the table can be read, nor compared between recipients: look-up value and digest are keyed, and hold the
shelf. It is written in the transaction of the entry (`view_rows`, for `adapters.register.writer`). A process remembers
what it compared last by a hash of the content, until another write to that shelf: then a record that did not change
costs no digest and no query. Leaves out: what follows from a view (`core.release.views`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from gateway.adapters.database import Database, bump, tables
from gateway.adapters.register.chain import insert_rows
from gateway.adapters.store_keys import StoreKeys
from gateway.core.release.views import Match, Remembered, Shelf, View, Viewed, match
from gateway.transfer.trail import instant

TOLD_FOR = timedelta(days=30)
"""How long an end is told after it was told first."""

_REMEMBERED = 200_000  # records whose comparison is remembered, in all
_CHUNK = 400  # looked up in one statement
_PAGE = 2_000  # read in one go, where all are

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Remembered).decode

_COLUMNS = "lookup, digest, place, first, changed, ended, frozen"
_Held = dict[str, tuple[int, Match]]


class StoredViews:
    """Used by the event loop's thread only."""

    def __init__(self, database: Database, keys: StoreKeys) -> None:
        self._database = database
        self._keys = keys
        self._moved = -1
        self._revisions: dict[bytes, int] = {}
        self._held: dict[Shelf, _Held] = {}
        self._counts: dict[tuple[Shelf, frozenset[str] | None], int] = {}
        self._size = 0

    def match(self, shelf: Shelf, keys: Sequence[str], contents: Sequence[bytes]) -> list[Match]:
        """Raises DatabaseUnavailable."""
        held = self._follow().setdefault(shelf, {})
        found: list[Match | None] = []
        for key, content in zip(keys, contents, strict=True):
            one = held.get(key)
            found.append(one[1] if one is not None and one[0] == hash(content) else None)
        missing = [number for number, one in enumerate(found) if one is None]
        if missing:
            self._compare(shelf, keys, contents, missing, found)
        return [one for one in found if one is not None]

    def _compare(
        self, shelf: Shelf, keys: Sequence[str], contents: Sequence[bytes], missing: Sequence[int],
        found: list[Match | None],
    ) -> None:  # fmt: skip
        lookups = [self._keys.look_up("view", *shelf, keys[number]) for number in missing]
        views = self._read(lookups)
        held = self._held[shelf]
        for number, lookup in zip(missing, lookups, strict=True):
            digest = self._keys.brief(lookup, contents[number])
            one = found[number] = match(lookup, digest, views.get(lookup))
            if one.stamp is not None:
                held[keys[number]] = hash(contents[number]), one
                self._size += 1
        if self._size > _REMEMBERED:
            self._forget()

    def _read(self, lookups: Sequence[bytes]) -> dict[bytes, View]:
        views: dict[bytes, View] = {}
        for at in range(0, len(lookups), _CHUNK):
            some = tuple(lookups[at : at + _CHUNK])
            marks = ",".join("?" * len(some))
            for row in self._database.look_up(f"SELECT {_COLUMNS} FROM view WHERE lookup IN ({marks})", some):  # noqa: S608 - our own words and question marks
                views[row[0]] = View(*row)
        return views

    def count(self, shelf: Shelf, places: frozenset[str] | None) -> int:
        """Raises DatabaseUnavailable."""
        self._follow()
        counted = self._counts.get((shelf, places))
        if counted is None:
            where, values = self._where(shelf, places)
            ((counted,),) = self._database.look_up(f"SELECT count(*) FROM view WHERE {where}", values)  # noqa: S608 - our own words
            self._counts[shelf, places] = counted
        return int(counted)

    def others(
        self, shelf: Shelf, places: frozenset[str] | None, seen: Collection[bytes]
    ) -> Iterator[tuple[View, Remembered]]:
        """Raises DatabaseUnavailable. In pages, so that a shelf of any size takes the memory of one."""
        where, values = self._where(shelf, places)
        after = b""
        while True:
            query = f"SELECT {_COLUMNS}, payload FROM view WHERE {where} AND lookup > ? ORDER BY lookup LIMIT {_PAGE}"  # noqa: S608 - our own words
            rows = self._database.look_up(query, (*values, after))
            for row in rows:
                if row[0] not in seen:
                    yield View(*row[:7]), _decode(self._keys.open(row[7], row[0]))
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def _where(self, shelf: Shelf, places: frozenset[str] | None) -> tuple[str, tuple[object, ...]]:
        key = shelf_key(self._keys, shelf)
        if places is None:
            return "shelf = ?", (key,)
        return f"shelf = ? AND place IN ({','.join('?' * len(places))})", (key, *sorted(places))

    def _follow(self) -> dict[Shelf, _Held]:
        """Forget the shelves that anybody wrote to since the last time."""
        moved = self._database.latest().views
        if moved != self._moved:
            rows = self._database.look_up("SELECT lookup, revision FROM shelf", ())
            revisions: dict[bytes, int] = dict(rows)
            stale = [one for one in self._held if self._differs(one, revisions)]
            for one in stale:
                self._size -= len(self._held.pop(one))
            self._counts.clear()
            self._moved, self._revisions = moved, revisions
        return self._held

    def _differs(self, shelf: Shelf, revisions: dict[bytes, int]) -> bool:
        key = shelf_key(self._keys, shelf)
        return revisions.get(key) != self._revisions.get(key)

    def _forget(self) -> None:
        self._held.clear()
        self._size = 0


def shelf_key(keys: StoreKeys, shelf: Shelf) -> bytes:
    return keys.look_up("shelf", *shelf)


# -- in the transaction of an entry ----------------------------------------------------------------------

_INSERT = "INSERT INTO view (lookup, shelf, place, digest, first, changed, ended, frozen, payload) VALUES "
# Of two processes that saw the same change the first counts: its moment stands. `first` never moves.
_ON_CONFLICT = (
    " ON CONFLICT (lookup) DO UPDATE SET place = excluded.place, digest = excluded.digest, changed = excluded.changed,"
    " ended = excluded.ended, frozen = excluded.frozen, payload = excluded.payload"
    " WHERE digest != excluded.digest OR place != excluded.place OR (ended IS NULL) != (excluded.ended IS NULL)"
    " OR (frozen IS NULL) != (excluded.frozen IS NULL)"
)
_SHELF = (
    "INSERT INTO shelf (lookup, source, recipient, purpose, schema, record, revision) VALUES (?, ?, ?, ?, ?, ?, 1)"
    " ON CONFLICT (lookup) DO UPDATE SET revision = revision + 1"
)


ViewRows = tuple[frozenset[Shelf], list[object]]


def view_rows(keys: StoreKeys, viewed: Iterable[Viewed]) -> ViewRows:
    """The shelves that are written to, and nine values per row. (Sealing is done before the writer's turn.)"""
    shelves: dict[Shelf, bytes] = {}
    values: list[object] = []
    for one in viewed:
        key = shelves.get(one.shelf) or shelves.setdefault(one.shelf, shelf_key(keys, one.shelf))
        view = one.view
        sealed = keys.seal(_encode(one.remembered), view.lookup)
        values += (view.lookup, key, view.place, view.digest, *view[3:], sealed)
    return frozenset(shelves), values


def write_views(cursor: sqlite3.Cursor, keys: StoreKeys, shelves: Iterable[Shelf], values: Sequence[object]) -> None:
    """And tell the other processes."""
    if not values:
        return
    insert_rows(cursor, _INSERT, 9, values, _ON_CONFLICT)
    cursor.executemany(_SHELF, [(shelf_key(keys, one), *one) for one in sorted(shelves)])
    cursor.execute("UPDATE version SET value = value + 1 WHERE name = 'views'")


# -- retention -------------------------------------------------------------------------------------------


def forget(database: Database, now: datetime, over: Callable[[str, str, str], bool]) -> int:
    """Ends that were told long enough, and what belongs to a delivery (recipient, purpose, schema) that is `over`. How
    many views were forgotten."""
    view, shelf = tables.view, tables.shelf
    with database.read() as connection:
        rows = connection.execute(sa.select(shelf)).all()
        gone = [row.lookup for row in rows if over(row.recipient, row.purpose, row.schema)]
        out = (view.c.ended < instant(now - TOLD_FOR)) | view.c.shelf.in_(gone)
        some = connection.execute(sa.select(view.c.lookup).where(out).limit(1)).first()
    if some is None and not gone:
        return 0
    with database.write() as connection:
        forgotten = connection.execute(sa.delete(view).where(out)).rowcount
        connection.execute(sa.delete(shelf).where(shelf.c.lookup.in_(gone)))
        connection.execute(sa.update(shelf).values(revision=shelf.c.revision + 1))
        bump(connection, "views")
    return forgotten
