"""Facts of 100,000 pupils with ten consents each, beside 600: import, memory, and looking a class up; writes FACTS.md.

What is measured: the time of an import, its longest turn at the database and how long another process waits for a turn
meanwhile (as the register does); the memory of roster and facts together when every pupil was asked for; the stop of a
worker after the flip; and a class of 30, first and again. Leaves out the rest of an answer (`bench.run`).
"""

from __future__ import annotations

import argparse
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters.database import Database, open_database
from gateway.adapters.facts.memory import MemoryFacts
from gateway.adapters.facts.store import Entered, Staging, new_campaign
from gateway.adapters.pupils.memory import MemoryRoster
from gateway.adapters.pupils.subjects import Subjects
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import Answer, Capacity, Consent, ConsentTerms, Form
from gateway.core.model import Category, Enrolment, Person
from gateway.transfer.ports import Observation
from gateway.transfer.trail import uuid7

RESULTS = Path(__file__).parent / "FACTS.md"
KEYS = StoreKeys(bytes(32))
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
CONSENTS = 10  # of each pupil, one in each campaign
CLASS = 30


class TimedDatabase(Database):
    """Tells how long each turn took, from the lock to the commit."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.turns: list[float] = []

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        begun = time.perf_counter()
        with super().write() as connection:
            yield connection
        self.turns.append(time.perf_counter() - begun)


@dataclass
class Measured:
    """One size of school."""

    pupils: int
    numbers: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.numbers[name] = time.perf_counter() - begun


def act(number: int) -> Act:
    return Act(uuid7(NOW, number.to_bytes(10, "big")), "bench", "bench", NOW)


def observations(pupils: int) -> list[Observation]:
    stay = (Enrolment("noord", 1, date(2026, 8, 1), None),)
    eck = "https://ketenid.example/202611/{:0128x}"
    return [
        Observation(Person.PUPIL, {"las-key": str(number), "eck-id": eck.format(number)}, stay, frozenset({"g"}))
        for number in range(pupils)
    ]


def fill(database: TimedDatabase, measured: Measured) -> None:
    Subjects(database, KEYS).learn("lvs", {"noord": observations(measured.pupils)}, NOW, os.urandom)
    terms = [
        ConsentTerms(
            recipients=frozenset({f"recipient-{number}"}), purpose="schoolfoto", categories=frozenset({Category.IMAGE}),
            text="2026-1", form=Form.PORTAL,
        )
        for number in range(CONSENTS)
    ]  # fmt: skip
    campaigns = [new_campaign(database, act(number), each) for number, each in enumerate(terms)]
    roster = followed(database)
    database.turns.clear()
    with waiting(database, measured), measured.timed("import_s"), Staging(database, KEYS) as staging:
        pupils = [subject.id for subject in roster]
        for at in range(0, len(pupils), 500):
            staging.stage([Entered(who, consent(who, one)) for who in pupils[at : at + 500] for one in campaigns])
        staging.flip(act(99))
    measured.numbers["turn_max_ms"] = 1_000 * max(database.turns)
    measured.numbers["turn_99_ms"] = 1_000 * sorted(database.turns)[int(0.99 * len(database.turns))]


@contextmanager
def waiting(database: Database, measured: Measured) -> Iterator[None]:
    """Another process asks for a turn again and again meanwhile, as the register of a worker does."""
    command = [sys.executable, "-m", "bench.facts", "--wait", str(database.path.parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        told, _ = process.communicate()
    waited = sorted(float(line) for line in told.splitlines())
    measured.numbers["wait_50_ms"] = 1_000 * statistics.median(waited)
    measured.numbers["wait_99_ms"] = 1_000 * waited[int(0.99 * len(waited))]
    measured.numbers["wait_max_ms"] = 1_000 * waited[-1]


def wait(path: Path) -> None:
    """Prints how long each turn took to come, until its standard input ends."""
    database = open_database(f"sqlite:///{path.name}", path.parent)
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        begun = time.perf_counter()
        with database.turn():
            waited = time.perf_counter() - begun
        print(waited)


def consent(pupil: bytes, campaign: int) -> Consent:
    given = NOW - timedelta(days=pupil[0])
    return Consent(capacity=Capacity.PARENT, answer=Answer.YES, given=given, giver=pupil[::-1], campaign=campaign)


def followed(database: Database) -> MemoryRoster:
    roster = MemoryRoster(database, KEYS, "lvs", ["noord"], timedelta(hours=72))
    roster.follow()
    return roster


def memory() -> float:
    """Resident, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def look(path: Path, measured: Measured) -> None:
    """In a process of its own: what the import took is not counted."""
    database, before = open_database(f"sqlite:///{path.name}", path.parent), memory()
    with measured.timed("roster_s"):
        roster = followed(database)
    measured.numbers["roster_mb"] = memory() - before
    book = MemoryFacts(database, KEYS)
    with measured.timed("follow_first_s"):
        book.follow()
    people = [subject.id for subject in roster]
    some = people[:: max(1, len(people) // CLASS)][:CLASS]
    measured.numbers["class_first_us"] = 1e6 * taken(lambda: [book.about(who) for who in some], 1)
    with measured.timed("everybody_s"):
        for who in people:
            book.about(who)
    measured.numbers["all_mb"] = memory() - before
    measured.numbers["class_us"] = 1e6 * taken(lambda: [book.about(who) for who in some], 200)
    with Staging(database, KEYS) as staging:
        staging.stage([Entered(who, consent(who, 1)) for who in people])
        staging.flip(act(100))
    with measured.timed("follow_flip_s"):
        book.follow()


def taken(work: Callable[[], object], times: int) -> float:
    """The median."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def measure(pupils: int) -> Measured:
    measured = Measured(pupils)
    with tempfile.TemporaryDirectory() as directory:
        open_database("sqlite:///gateway.db", Path(directory)).close()
        database = TimedDatabase(Path(directory) / "gateway.db")
        fill(database, measured)
        database.close()
        measured.numbers["file_mb"] = database.path.stat().st_size / 1e6
        command = [sys.executable, "-m", "bench.facts", "--look", directory, "--pupils", str(pupils)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured.numbers |= {name: float(value) for name, value in (line.split() for line in told.splitlines())}
    return measured


ROWS = {
    "import_s": "import of ten consents each, s",
    "turn_99_ms": "of its turns at the database, 99 % take less than, ms",
    "turn_max_ms": "its longest turn (the flip with its entry among them), ms",
    "wait_50_ms": "another process waits for its turn meanwhile: half of the times less than, ms",
    "wait_99_ms": "99 % of the times less than, ms",
    "wait_max_ms": "longest, ms",
    "file_mb": "database file afterwards, MB",
    "roster_s": "a worker starts: roster, s",
    "follow_first_s": "a worker starts: facts, s",
    "class_first_us": "a class of 30, first time, µs",
    "class_us": "a class of 30, again, µs",
    "everybody_s": "every pupil, first time, s",
    "roster_mb": "memory of the roster, MB",
    "all_mb": "memory of roster and facts when every pupil was asked for, MB",
    "follow_flip_s": "a worker stops after the flip of another import about everybody, s",
}


def report(small: Measured, large: Measured) -> str:
    rows = [f"| {text} | {small.numbers[name]:,.3g} | {large.numbers[name]:,.3g} |" for name, text in ROWS.items()]
    head = f"| | {small.pupils:,} pupils | {large.pupils:,} pupils |\n| --- | ---: | ---: |"
    return "\n".join(["# Facts", "", "Written by `python -m bench.facts`.", "", head, *rows, ""])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--look", type=Path)
    parser.add_argument("--wait", type=Path)
    parser.add_argument("--pupils", type=int, default=100_000)
    given = parser.parse_args()
    if given.wait:
        wait(given.wait / "gateway.db")
        return
    if given.look:
        measured = Measured(given.pupils)
        look(given.look / "gateway.db", measured)
        for name, value in measured.numbers.items():
            print(name, value)
        return
    text = report(measure(600), measure(given.pupils))
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
