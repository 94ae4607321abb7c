"""Under load: workers are killed, a recipient is suspended, a file narrows, a key rotates; what was told stays true."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2
import pytest

from tests.journeys.driving import ENROLMENTS, STUDENTS, Demo, Vendor, held, pupils_by_transfer, truth, until, without

pytestmark = pytest.mark.journey


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer that a client received whole; when it began to ask and when it had it (monotonic seconds)."""

    asked: float
    heard: float
    transfer: str
    reason: str | None
    pseudonyms: frozenset[str] = field(repr=False)
    fields: frozenset[str] = frozenset()


@dataclass(slots=True)
class Load:
    """Four clients that ask the same again and again, each time over a new connection."""

    heard: list[Heard] = field(default_factory=list)
    broken: int = 0

    def more(self, number: int) -> None:
        """Until so many more answers were received."""
        enough = len(self.heard) + number
        until(lambda: len(self.heard) >= enough, seconds=60)


@contextmanager
def load(vendor: Vendor, path: str = STUDENTS) -> Iterator[Load]:
    running, stop = Load(), threading.Event()

    def client() -> None:
        while not stop.is_set():
            asked = time.monotonic()
            try:
                running.heard.append(heard(asked, vendor.get(path)))
            except httpx2.HTTPError:
                running.broken += 1  # it had no answer, or not the whole of one

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def heard(asked: float, response: httpx2.Response) -> Heard:
    records = held(response.json()) if response.status_code == 200 else []
    shown = frozenset(one.get("student", one)["userIds"][0]["userId"] for one in records)
    fields = frozenset(name for one in records for name in one)
    transfer, reason = response.headers["gateway-transfer"], response.headers.get("gateway-reason")
    return Heard(asked, time.monotonic(), transfer, reason, shown, fields)


def kill_workers(demo: Demo, times: int) -> Load:
    """Kill one worker after another, each while answers keep coming."""
    with load(demo.vendor("uitgever-noord")) as running:
        for number in range(times):
            running.more(8)
            until(lambda: len(demo.workers()) == 2)
            os.kill(sorted(demo.workers())[number % 2], signal.SIGKILL)
        running.more(8)
    return running


def assert_every_answer_is_registered(demo: Demo, running: Load) -> None:
    references = truth(demo.directory, "uitgever-noord").reference
    registered = pupils_by_transfer(demo.directory)
    answers = [one for one in running.heard if one.reason is None]

    assert answers
    for one in answers:
        assert registered[one.transfer] == {references[shown] for shown in one.pseudonyms}
    assert "entries in order" in demo.gateway("register", "verify")


@pytest.mark.slow
def test_workers_killed_fifty_times_every_answer_received_has_its_entry(demo: Demo) -> None:
    running = kill_workers(demo, 50)

    assert_every_answer_is_registered(demo, running)


def test_suspension_under_load_no_answer_after_it_was_acknowledged(demo: Demo) -> None:
    with load(demo.vendor("uitgever-zuid")) as running:
        running.more(10)
        demo.gateway("recipient", "suspend", "uitgever-zuid", "--by", "directeur", "--reason", "incident")
        acknowledged = time.monotonic()
        running.more(30)
    demo.activate("uitgever-zuid")

    after = [one.reason for one in running.heard if one.asked > acknowledged]
    assert set(after) == {"SCHEMA_NOT_ACTIVE"}
    assert released_after(demo, "recipient suspended", "uitgever-zuid", until_act="recipient activated") == []


def test_narrowed_file_under_load_no_answer_with_the_field_after_the_school_saw_it_taken_over(demo: Demo) -> None:
    """Acknowledged: `gateway recipient list` says that the file differs from what was activated; an editor that saves
    a file hears nothing."""
    with load(demo.vendor("uitgever-noord"), ENROLMENTS) as running:
        running.more(10)
        with demo.edited("uitgever-noord", without("studyYear")):
            until(lambda: "differs" in demo.state("uitgever-noord"))
            acknowledged, edited = time.monotonic(), len(running.heard)
            running.more(30)
            restored = time.monotonic()
    before = [one for one in running.heard[:edited] if "studyYear" in one.fields]
    after = [one for one in running.heard if acknowledged < one.asked and one.heard < restored]

    assert before
    assert len(after) > 10
    assert {(one.reason, "studyYear" in one.fields, bool(one.pseudonyms)) for one in after} == {(None, False, True)}
    registered = {entry["id"]: entry.get("fields", ()) for entry in demo.entries()}
    assert all("studyYear" in registered[one.transfer] for one in before)
    assert not any("studyYear" in registered[one.transfer] for one in after)


def test_rotation_under_load_no_old_pseudonym_after_it_was_acknowledged(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-zuid")
    old = vendor.pseudonyms()
    with load(vendor) as running:
        running.more(10)
        demo.gateway("key", "rotate", "--by", "directeur", "--reason", "jaarlijks")
        acknowledged = time.monotonic()
        running.more(30)

    after = [one.pseudonyms for one in running.heard if one.asked > acknowledged]
    assert all(shown and shown.isdisjoint(old) for shown in after)
    assert len(set(after)) == 1
    versions = {entry["key_version"] for entry in released_after(demo, "key", "uitgever-zuid")}
    assert len(versions) == 1


def test_rotation_old_pseudonyms_still_resolve(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-zuid")
    old = vendor.pseudonyms()[0]
    demo.gateway("key", "rotate", "--by", "directeur", "--reason", "jaarlijks", "--overlap-days", "7")

    (student,) = vendor.student(old).json()
    new = student["userIds"][0]["userId"]
    assert new != old
    assert vendor.student(new).json() == [student]


def released_after(demo: Demo, act: str, recipient: str, until_act: str | None = None) -> list[dict[str, object]]:
    """The deliveries in the register between the last such act and the next one of the other kind."""
    entries = demo.entries()
    begin = max(n for n, entry in enumerate(entries) if is_act(entry, act))
    ends = [n for n, entry in enumerate(entries) if until_act and n > begin and is_act(entry, until_act)]
    between = entries[begin : min(ends, default=len(entries))]
    return [one for one in between if one["kind"] == "transfer" and one.get("recipient") == recipient]


def is_act(entry: dict[str, object], act: str) -> bool:
    return entry["kind"] == "change" and act in str(entry)
