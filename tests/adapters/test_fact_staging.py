"""Imports: nobody sees what is staged; it becomes valid at once, or never."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.adapters.database import tables
from gateway.adapters.facts.memory import MemoryFacts
from gateway.adapters.facts.store import Entered, ImportRunning, NotKnown, Staging, UnknownSubject, sweep
from gateway.core.facts import NOTHING_KNOWN, Birth, Restriction, RestrictionGround
from tests.simulators.drafts import an_act
from tests.simulators.recording import KEYS, Recording, a_recording
from tests.simulators.stored import bodies_about, last_bodies

BIRTH = Birth(day=date(2010, 2, 28))
RESTRICTION = Restriction(ground=RestrictionGround.ACCURACY)
MANY = 600  # pupils: more than one chunk, and more than one entry lists


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    made = a_recording(tmp_path)
    yield made
    made.database.close()


def births(recording: Recording) -> list[Entered]:
    return [Entered(pupil, BIRTH) for pupil in recording.pupils]


def just_started(recording: Recording) -> MemoryFacts:
    """The facts of a process that read nothing yet."""
    book = MemoryFacts(recording.database, KEYS)
    book.follow()
    return book


def rows(recording: Recording) -> tuple[int, int, int]:
    """How many batches, facts and ends are stored, seen or not."""
    with recording.database.read() as connection:
        batch, fact, end = (
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (tables.batch, tables.fact, tables.fact_end)
        )
    return batch, fact, end


def test_staged_facts_are_seen_by_nobody(recording: Recording) -> None:
    (number,) = recording.enter(0, RESTRICTION)
    seen, version = recording.about(0), recording.version

    with Staging(recording.database, KEYS) as staging:
        staging.stage(births(recording), [number])
        assert [recording.known(pupil) for pupil in range(3)] == [seen, NOTHING_KNOWN, NOTHING_KNOWN]
        assert [recording.about(pupil) for pupil in range(3)] == [seen, NOTHING_KNOWN, NOTHING_KNOWN]
        assert [just_started(recording).about(who) for who in recording.pupils] == [seen, NOTHING_KNOWN, NOTHING_KNOWN]
        assert recording.version == version


def test_flip_makes_everything_valid_at_once(recording: Recording) -> None:
    (number,) = recording.enter(0, RESTRICTION)
    version = recording.version
    recording.about(0)
    with Staging(recording.database, KEYS) as staging:
        staging.stage(births(recording))
        staging.stage([], [number])
        staging.flip(an_act(2))

    assert [recording.about(pupil).birth for pupil in range(3)] == [BIRTH.day] * 3
    assert recording.about(0).restrictions == ()
    assert recording.version == version + 1
    entry = json.loads(last_bodies(recording.database, 1)[0])
    assert (entry["outcome"], entry["released"]) == ("facts imported", 3)
    assert entry["detail"][1:] == ["entered: birth 3", "ended: restriction 1"]
    assert len(bodies_about(recording.database, recording.reference(2))) == 1
    assert recording.verified().ok


def test_import_that_ends_without_a_flip_leaves_nothing(recording: Recording) -> None:
    (number,) = recording.enter(0, RESTRICTION)
    before, seen = rows(recording), recording.about(0)
    with Staging(recording.database, KEYS) as staging:
        staging.stage(births(recording), [number])

    assert rows(recording) == before
    assert recording.about(0) == seen
    assert recording.verified().ok


@pytest.mark.parametrize(
    ("bad", "ends", "error"), [([Entered(bytes(16), BIRTH)], [], UnknownSubject), ([], [99], NotKnown)]
)
def test_import_with_one_bad_fact_changes_nothing(
    recording: Recording, bad: list[Entered], ends: list[int], error: type[Exception]
) -> None:
    before, version = rows(recording), recording.version

    def imports() -> None:
        with Staging(recording.database, KEYS) as staging:
            staging.stage(births(recording))
            staging.stage(bad, ends)
            staging.flip(an_act(2))

    with pytest.raises(error):
        imports()
    assert (rows(recording), recording.version) == (before, version)


def test_act_goes_on_while_an_import_is_staged(recording: Recording) -> None:
    """A fact that the import ends may be ended meanwhile: it ended then."""
    (number,) = recording.enter(0, RESTRICTION)
    with Staging(recording.database, KEYS) as staging:
        staging.stage(births(recording), [number])
        recording.enter(0, ends=(number,))
        recording.enter(1, RESTRICTION)
        staging.flip(an_act(2))

    assert recording.about(0).restrictions == ()
    assert recording.about(1).restrictions != ()
    assert recording.about(1).birth == BIRTH.day


def test_second_import_waits_for_nobody(recording: Recording) -> None:
    with Staging(recording.database, KEYS) as staging:
        staging.stage(births(recording))
        with pytest.raises(ImportRunning):
            Staging(recording.database, KEYS)
        assert not sweep(recording.database)
        staging.flip(an_act(2))

    assert recording.about(0).birth == BIRTH.day
    with Staging(recording.database, KEYS):
        pass


def test_import_of_very_many_is_followed(tmp_path: Path) -> None:
    """So many that a process reads everybody again, when asked."""
    recording = a_recording(tmp_path, MANY)
    before = [recording.about(0), recording.about(1)]
    with Staging(recording.database, KEYS) as staging:
        for _ in range(9):
            staging.stage([Entered(pupil, RESTRICTION) for pupil in recording.pupils])
        staging.flip(an_act(2))
    after = [recording.about(0), recording.about(1)]

    assert before == [NOTHING_KNOWN, NOTHING_KNOWN]
    assert [len(one.restrictions) for one in after] == [9, 9]
    recording.database.close()


def test_import_of_many_lists_whom_it_concerns_in_parts(tmp_path: Path) -> None:
    recording = a_recording(tmp_path, MANY)
    with Staging(recording.database, KEYS) as staging:
        staging.stage(births(recording))
        staging.flip(an_act(2))
    last, announced = (json.loads(body) for body in last_bodies(recording.database, 2))

    assert (announced["outcome"], announced["part"], announced["released"]) == ("import announced", 1, 500)
    assert (last["outcome"], last["part"], last["released"]) == ("facts imported", 2, 100)
    assert announced["id"] == last["id"]
    assert all(len(bodies_about(recording.database, recording.reference(pupil))) == 1 for pupil in range(0, MANY, 50))
    assert recording.about(MANY - 1).birth == BIRTH.day
    assert recording.verified().ok
    recording.database.close()


_DIES = """
import os, sys
from datetime import date
from pathlib import Path
from gateway.adapters.database import open_database
from gateway.adapters.facts.store import Entered, Staging
from tests.adapters.test_fact_staging import births
from tests.simulators.recording import KEYS, Recording, subjects
from gateway.adapters.facts.memory import MemoryFacts

database = open_database("sqlite:///gateway.db", Path(sys.argv[1]))
recording = Recording(database, subjects(database, 3), MemoryFacts(database, KEYS))
Staging(database, KEYS).stage(births(recording), [1])
os._exit(9)
"""


@pytest.mark.parametrize("cleans", ["a start", "the next import"])
def test_import_that_died_is_swept(recording: Recording, cleans: str) -> None:
    recording.enter(0, RESTRICTION)
    before, seen = rows(recording), recording.about(0)
    command = [sys.executable, "-c", _DIES, str(recording.database.path.parent)]
    assert subprocess.run(command, cwd=Path(__file__).parents[2], check=False).returncode == 9
    assert rows(recording) > before
    assert recording.about(0) == recording.known(0) == seen

    if cleans == "a start":
        assert sweep(recording.database)
    else:
        Staging(recording.database, KEYS).abandon()
    assert rows(recording) == before
    assert recording.about(0) == seen
