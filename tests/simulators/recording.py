"""A database with pupils in it and what is recorded about them, for tests about facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.adapters.database import Database
from gateway.adapters.facts.batches import concerned
from gateway.adapters.facts.memory import MemoryFacts
from gateway.adapters.facts.store import Entered, enter, known
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.subjects import Subjects
from gateway.adapters.register.writer import verify_register
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import AnyFact, Facts
from gateway.core.model import Person
from gateway.core.verification import Verification
from gateway.transfer.ports import Observation
from tests.simulators.database import fresh_database
from tests.simulators.drafts import NOW, an_act, seeded

KEYS = StoreKeys(bytes(32))


class WatchedDatabase(Database):
    """The same file, opened by a process of which we see whom it asks about."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[object] = []

    def look_up(self, statement: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        self.asked.extend(parameters)
        return super().look_up(statement, parameters)


@dataclass
class Recording:
    """A database, the internal ids of its pupils, and the facts in memory of one process."""

    database: Database
    pupils: list[bytes]
    book: MemoryFacts

    def enter(self, pupil: int, *facts: AnyFact, ends: tuple[int, ...] = (), at: datetime = NOW) -> list[int]:
        """The privacy officer enters and ends these about a pupil."""
        entered = [Entered(self.pupils[pupil], fact) for fact in facts]
        return enter(self.database, KEYS, an_act(moment=at), entered, ends)

    def known(self, pupil: int, at: datetime | None = None) -> Facts:
        return known(self.database, KEYS, self.pupils[pupil], at)

    def about(self, pupil: int) -> Facts:
        """What the process that follows knows."""
        self.book.follow()
        return self.book.about(self.pupils[pupil])

    def reference(self, pupil: int) -> bytes:
        """How the register names a pupil."""
        with self.database.read() as connection:
            return concerned(connection, KEYS, {self.pupils[pupil]})[0].reference

    @property
    def version(self) -> int:
        return self.database.versioned().versions.facts

    def verified(self) -> Verification:
        return verify_register(self.database, None)


def a_recording(directory: Path, pupils: int = 3) -> Recording:
    """Pupils 0, 1, … are known by las-key "0", "1", …"""
    database = fresh_database(directory)
    seen = [Observation(Person.PUPIL, {"las-key": str(number)}) for number in range(pupils)]
    Subjects(database, KEYS).learn("lvs", {"noord": seen}, NOW, seeded())
    return Recording(database, subjects(database, pupils), MemoryFacts(database, KEYS))


def subjects(database: Database, pupils: int) -> list[bytes]:
    """Their internal ids, by number."""
    lookups = [id_lookup(KEYS, "lvs", "las-key", str(number)) for number in range(pupils)]
    with database.read() as connection:
        rows = connection.exec_driver_sql("SELECT lookup, subject FROM subject_id").all()
    found = {row.lookup: row.subject for row in rows}
    return [found[lookup] for lookup in lookups]
