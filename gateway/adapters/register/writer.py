"""ports.Register on the database: one writer thread per process, commits in groups (house rules 3 and 4).

A draft is encoded by its caller and waits; the thread is called when the next turn of the event loop has ended, so that
who comes in with it is taken along. It takes what waits (at most 500), waits its turn among the processes, and in one
transaction compares the versions, appends the entries with their rolls, issued pseudonyms, cases and how far an export
is, and commits; the answers go back to the event loop in one call. Any error refuses the whole batch: it may be durable
or not, nothing of it leaves, and the connection is opened anew. (A batch costs about the same for one draft as for
many: the disk, and every statement lets go of the interpreter.)
Leaves out: the encoding (`core.register`), the check of the chain (`core.verification`), the statements
(`adapters.register.chain`).
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Sequence
from itertools import chain, compress, count

import msgspec

from gateway.adapters.database import Database
from gateway.adapters.database.engine import Lock, Witness
from gateway.adapters.exports.journal import advance
from gateway.adapters.pupils.issued import INSERT_ISSUED, ON_CONFLICT, issued_values
from gateway.adapters.register.anchors import anchor_rows, keep_anchors
from gateway.adapters.register.cases import hold_rows, open_holds, spend
from gateway.adapters.register.chain import (
    Encoded,
    entries_with,
    insert_entries,
    insert_rows,
    last_entries,
    read_state,
    stored_entries,
    stored_rolls,
)
from gateway.adapters.store_keys import StoreKeys
from gateway.adapters.views import ViewRows, view_rows, write_views
from gateway.core.model import Subject, Versions
from gateway.core.reasons import Reason
from gateway.core.register import Draft, Issue, Roll, encode, roll_of
from gateway.core.verification import Head, Verification, verify
from gateway.transfer.ports import Receipt, RegisterUnavailable, VersionsChanged

_BATCH = 500  # drafts in one transaction
_QUEUE = 5_000  # drafts waiting; more than that is an outage, and waiting would only hide it
_ROLLS = 8 * 1024 * 1024  # bytes of pupil lists kept ready
_REMEMBERED = 200_000  # rolls and issued pseudonyms known to be stored


class _Item(msgspec.Struct, frozen=True, eq=False):
    draft: Draft
    entry: Encoded
    holds: Sequence[object]
    anchors: Sequence[object]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[int]

    def __repr__(self) -> str:
        return "<_Item …>"


_Released = tuple[Subject, ...]
_Withheld = tuple[tuple[Subject, tuple[Reason, ...]], ...]
_Partial = tuple[tuple[Subject, tuple[tuple[str, Reason], ...]], ...]
_Outcome = int | type[VersionsChanged] | type[RegisterUnavailable]


class DatabaseRegister:
    """ports.Register. Make it after the process has forked; `close` it before the loop ends. `lean`: for who registers
    everybody once, and need not remember what is stored."""

    def __init__(self, database: Database, keys: StoreKeys, *, lean: bool = False) -> None:
        self._keys = keys
        self._writer = _Writer(database, keys, 0 if lean else _REMEMBERED)
        self._waiting: deque[_Item] = deque()
        self._calls: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._called = False
        self._rolls: dict[tuple[_Released, _Withheld, _Partial], Roll | None] = {}
        self._rolls_size = 0
        self._rolls_most = 0 if lean else _ROLLS
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="register", daemon=True)
        self._thread.start()

    async def append(self, draft: Draft) -> Receipt:
        if self._closed or len(self._waiting) >= _QUEUE:
            raise RegisterUnavailable
        roll = self._roll(draft.released, draft.withheld, draft.partial) if draft.released or draft.withheld else None
        body = encode(draft, roll.digest if roll is not None else None)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        holds = hold_rows(self._keys, draft) if draft.held else ()
        anchors = anchor_rows(self._keys, draft) if draft.anchors else ()
        self._waiting.append(_Item(draft, Encoded(draft.id, body, roll), holds, anchors, loop, future))
        if not self._called:
            self._called = True
            loop.call_soon(self._call_next_turn, loop)
        return Receipt(draft.id, await future)

    def _call_next_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon(self._calls.put, True)

    @property
    def waiting(self) -> int:
        """Drafts in the queue (for the metrics)."""
        return len(self._waiting)

    def close(self) -> None:
        """Finish what is queued, then stop. Nothing is accepted from here on."""
        if not self._closed:
            self._closed = True
            self._calls.put(False)
        self._thread.join()

    def _roll(self, released: _Released, withheld: _Withheld, partial: _Partial) -> Roll | None:
        """The pupil list, from memory when the same list came before: sorting and hashing a thousand takes longer than
        all the rest of an entry. Subjects compare by identity, so that the search touches none of them."""
        key = released, withheld, partial
        if key in self._rolls:
            return self._rolls[key]
        roll = roll_of(
            [subject.reference for subject in released],
            [(subject.reference, reasons) for subject, reasons in withheld],
            [(subject.reference, fields) for subject, fields in partial],
        )
        self._rolls_size += 500 + 50 * (len(released) + len(withheld))
        if self._rolls_size > self._rolls_most:
            self._rolls.clear()
            self._rolls_size = 0
        self._rolls[key] = roll
        return roll

    def _run(self) -> None:
        while self._calls.get():
            self._commit_waiting()
        self._commit_waiting()
        self._writer.close()

    def _commit_waiting(self) -> None:
        self._called = False  # first: who comes from here on calls again
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            # a caller that went away gets no answer: then there is no transfer to register
            wanted = [item for item in batch if not item.future.cancelled()]
            if wanted:
                _resolve(wanted, self._writer.commit(wanted))
            if len(batch) < _BATCH:
                return  # who came in the meantime has called


def _resolve(batch: Sequence[_Item], outcomes: Sequence[_Outcome]) -> None:
    """Tell each loop (there is one, outside tests) all its outcomes in one call."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[int], _Outcome]]] = {}
    for item, outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(item.loop, []).append((item.future, outcome))
    for loop, settled in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, settled)
        except RuntimeError:
            continue  # the loop is closed: nobody waits, and nothing leaves


def _settle(settled: list[tuple[asyncio.Future[int], _Outcome]]) -> None:
    for future, outcome in settled:
        if future.cancelled():
            continue
        if isinstance(outcome, int):
            future.set_result(outcome)
        else:
            future.set_exception(outcome())


class _Writer:
    """The thread's side: one connection, used by one thread."""

    def __init__(self, database: Database, keys: StoreKeys, remembered: int) -> None:
        self._database = database
        self._keys = keys
        self._remembered = remembered
        self._open: tuple[sqlite3.Connection, Witness] | None = None
        self._lock: Lock | None = None
        self._stored_rolls: dict[bytes, int] = {}
        self._stored_issues: set[Issue] = set()

    def commit(self, batch: Sequence[_Item]) -> list[_Outcome]:
        """One transaction for all of `batch`; what each caller is to hear."""
        try:
            issues = [[issue for issue in item.draft.issued if issue not in self._stored_issues] for item in batch]
            rows = [issued_values(self._keys, new) for new in issues]
            views = [view_rows(self._keys, item.draft.views) for item in batch]
            with self._turn():
                outcomes = self._transaction(batch, rows, views)
        # the outermost edge of the thread: whatever went wrong, nobody may be left waiting and nothing may leave
        except Exception:  # noqa: BLE001 - whatever it is, nobody has a receipt
            self.close()
            return [RegisterUnavailable] * len(batch)
        self._remember(issues, outcomes)
        return outcomes

    def _transaction(
        self, batch: Sequence[_Item], issues: Sequence[list[object]], views: Sequence[ViewRows]
    ) -> list[_Outcome]:
        connection, witness = self._connection()
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        state = read_state(cursor)
        accepted = [
            _stands(draft, state.versions) and _unspent(cursor, draft) and _advanced(cursor, draft)
            for draft in (item.draft for item in batch)
        ]
        insert_entries(cursor, list(compress([item.entry for item in batch], accepted)), state, self._stored_rolls)
        insert_rows(cursor, INSERT_ISSUED, 3, list(chain.from_iterable(compress(issues, accepted))), ON_CONFLICT)
        for shelves, values in compress(views, accepted):
            write_views(cursor, self._keys, shelves, values)
        open_holds(cursor, list(chain.from_iterable(compress([item.holds for item in batch], accepted))))
        keep_anchors(cursor, list(chain.from_iterable(compress([item.anchors for item in batch], accepted))))
        cursor.execute("COMMIT")
        if not witness.same():
            raise OSError("the database file went away while it was written")
        sequence = count(state.sequence + 1)
        return [next(sequence) if good else VersionsChanged for good in accepted]

    def _turn(self) -> Lock:
        """The lock of all writers, kept open between the batches."""
        if self._lock is None:
            self._lock = self._database.lock()
        return self._lock

    def _connection(self) -> tuple[sqlite3.Connection, Witness]:
        if self._open is not None and not self._open[1].writable():
            self.close()
        if self._open is None:
            witness = Witness.of(self._database.path)
            if not witness.writable():
                raise PermissionError("the database file or its directory is not writable")
            self._open = (self._database.connect(), witness)
        return self._open

    def _remember(self, issues: Sequence[list[Issue]], outcomes: Sequence[_Outcome]) -> None:
        if len(self._stored_issues) > self._remembered:
            self._stored_issues.clear()
        if len(self._stored_rolls) > self._remembered:
            self._stored_rolls.clear()
        for new, outcome in zip(issues, outcomes, strict=True):
            if isinstance(outcome, int):
                self._stored_issues.update(new)

    def close(self) -> None:
        """Also after an error: what was taken for stored may not be."""
        self._stored_rolls.clear()
        self._stored_issues.clear()
        if self._open is not None:
            self._open[0].close()
            self._open = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _stands(draft: Draft, versions: Versions) -> bool:
    return draft.versions is None or draft.versions == versions


def _unspent(cursor: sqlite3.Cursor, draft: Draft) -> bool:
    """A permit that is used up refuses the draft as a fact that moved does."""
    return draft.spends is None or spend(cursor, draft.spends, draft.moment)


def _advanced(cursor: sqlite3.Cursor, draft: Draft) -> bool:
    """What another process threw away goes no further."""
    return draft.advances is None or advance(cursor, draft.advances)


# -- the whole register ----------------------------------------------------------------------------------


def verify_register(database: Database, expected: Head | None = None) -> Verification:
    """Check everything the register holds, in one state of the database. Raises DatabaseUnavailable."""
    with database.read() as connection:
        return verify(stored_entries(connection), stored_rolls(connection), expected)


def newest_entries(database: Database, last: int, transfer: str | None) -> list[tuple[int, bytes, bytes]]:
    """(sequence, body, hash) of the newest `last`, oldest first, or of those of one transfer."""
    with database.read() as connection:
        return last_entries(connection, last, transfer)


def entries_about(database: Database, reference: bytes) -> list[tuple[bytes, int, bytes]]:
    """(body, number of its roll, that roll) of every entry with this pupil in it, the oldest first."""
    with database.read() as connection:
        return list(entries_with(connection, reference))
