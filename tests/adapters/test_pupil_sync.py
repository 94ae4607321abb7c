"""Birth dates from the LVS: of the demo school, of days that change, of answers that are odd or not whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from gateway.adapters.database import tables
from gateway.adapters.facts.store import numbers
from gateway.adapters.lvs.token import Client
from gateway.adapters.lvs.upstream import HttpUpstream, Source, system_trust
from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.association import Association
from gateway.adapters.pupils.details import PupilSync, part
from gateway.adapters.pupils.doubt import in_doubt
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.memory import MemoryRoster
from gateway.adapters.pupils.roster import RosterSource, RosterSync
from gateway.adapters.pupils.settling import doubts, settle_as_one
from gateway.adapters.pupils.students import Students
from gateway.adapters.pupils.subjects import Subjects, synchronised
from gateway.core.facts import Kind
from gateway.core.model import Person
from gateway.core.policy.terms import Location
from gateway.demo.school import SITES
from gateway.transfer.ports import NotSent, Observation, UpstreamAnswer
from tests.servers import CLIENT_ID, CLIENT_SECRET, RunningLvs
from tests.simulators.database import fresh_database
from tests.simulators.drafts import an_act, an_id, seeded
from tests.simulators.recording import KEYS, Recording, a_recording
from tests.simulators.stored import last_bodies

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOORD = Location("noord", "Noord", frozenset({("V_ID", "01AB00")}))
BIRTH = date(2012, 2, 29)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# -- the demo school -------------------------------------------------------------------------------------


@pytest.fixture
async def school(lvs: RunningLvs, tmp_path: Path) -> AsyncIterator[tuple[RunningLvs, MemoryRoster, PupilSync, Any]]:
    """The demo school, its roster learned."""
    database = fresh_database(tmp_path)
    upstream = HttpUpstream(
        {"lvs": Source(lvs.url, Client(lvs.url + "/oauth/token", CLIENT_ID, CLIENT_SECRET))}, system_trust, Limits()
    )
    source = RosterSource("lvs", tuple(Location(site.name, site.title, site.ids) for site in SITES))
    association = Association(upstream.fetch, Limits())
    await RosterSync(association, Subjects(database, KEYS), [source], seeded()).run_source("lvs", NOW)
    names = [site.name for site in SITES]
    roster = MemoryRoster(database, KEYS, "lvs", names, timedelta(hours=72), part("lvs"))
    telling = [(source, Students(upstream.fetch, Limits()))]
    yield lvs, roster, PupilSync(database, KEYS, telling, lambda _: an_id(1)), database
    await upstream.close()
    database.close()


async def test_demo_school_every_pupil_gets_a_birth_date(school: Any) -> None:
    lvs, roster, sync, database = school

    outcomes = await sync.run_source("lvs", NOW)

    roster.follow()
    assert [one.failure for one in outcomes] == [None, None]
    assert (
        numbers(database)[Kind.BIRTH] == len(lvs.lvs.school.pupils) == len([p for p in roster if p.person == "pupil"])
    )
    pupil = lvs.lvs.school.pupils[0]
    assert roster.find("bsn", pupil.bsn) is roster.find("las-key", str(pupil.number))


async def test_second_round_without_a_change_enters_nothing(school: Any) -> None:
    _, _, sync, database = school
    await sync.run_source("lvs", NOW)
    before = database.versioned().versions.facts

    await sync.run_source("lvs", NOW + timedelta(hours=1))

    assert database.versioned().versions.facts == before


async def test_births_are_stale_until_read_and_72_hours_after(school: Any) -> None:
    _, roster, sync, _ = school
    assert roster.fresh(NOW)
    assert not roster.fresh(NOW, births=True)

    await sync.run_source("lvs", NOW)

    assert roster.fresh(NOW + timedelta(hours=71), births=True)
    assert not roster.fresh(NOW + timedelta(hours=72), births=True)


# -- odd answers -----------------------------------------------------------------------------------------


@dataclass
class Answering:
    """An LVS that answers this."""

    students: object
    status: int = 200

    async def fetch(self, source: str, path: str, query: str, limits: Limits) -> UpstreamAnswer:
        if self.status == 0:
            raise NotSent
        assert path == "/students/school"
        return UpstreamAnswer(self.status, "application/json", msgspec.json.encode(self.students))


@pytest.fixture
def recording(tmp_path: Path) -> Any:
    made = a_recording(tmp_path)
    yield made
    made.database.close()


async def read(recording: Recording, *students: object, status: int = 200) -> Any:
    """One round over an LVS that answers these; its one outcome."""
    fetch = Answering(list(students), status).fetch
    telling = [(RosterSource("lvs", (NOORD,)), Students(fetch, Limits()))]
    sync = PupilSync(recording.database, KEYS, telling, lambda _: an_id(7))
    (outcome,) = await sync.run_source("lvs", NOW)
    return outcome


def student(number: object = "0", birth: object = BIRTH.isoformat(), **more: object) -> dict[str, object]:
    ids = [{"userId": str(number), "userIdType": "ASI"}]
    return {"userIds": ids, "dateOfBirth": birth, "givenName": "Kanarie", **more}


async def test_birth_date_is_entered_by_the_sync_and_registered(recording: Recording) -> None:
    await read(recording, student())

    assert recording.known(0).birth == BIRTH
    entry = json.loads(last_bodies(recording.database, 1)[0])
    assert (entry["actor"], entry["outcome"], entry["released"]) == ("lvs-sync", "facts entered", 1)
    assert "Kanarie" not in json.dumps(entry)


async def test_birth_date_that_changes_ends_the_one_before(recording: Recording) -> None:
    await read(recording, student())
    await read(recording, student(birth="2012-03-01"))

    assert recording.known(0).birth == date(2012, 3, 1)
    assert numbers(recording.database)[Kind.BIRTH] == 1


async def test_birth_date_that_is_no_longer_told_stays(recording: Recording) -> None:
    await read(recording, student())
    await read(recording, student(birth=None))

    assert recording.known(0).birth == BIRTH


@pytest.mark.parametrize(
    "records", [[student("9")], [student(birth="29-02-2012")], [student(), student(birth="2012-03-01")]]
)
async def test_record_that_says_nothing_sure_is_counted_and_left(
    recording: Recording, records: list[dict[str, object]]
) -> None:
    outcome = await read(recording, *records)

    assert (outcome.failure, outcome.unclear) == (None, 1)
    assert recording.known(0).birth is None


async def test_id_given_to_two_pupils_tells_nothing_of_either(recording: Recording) -> None:
    """The day and the number of the one would be the other's."""
    mine = Observation(Person.PUPIL, {"las-key": "0", "eck-id": "e"}, (), frozenset())
    Subjects(recording.database, KEYS).learn("lvs", {"noord": [mine]}, NOW, seeded())
    both = [student(birth=None, userMasterIdentifier="e"), student("9", userMasterIdentifier="e")]

    outcome = await read(recording, *both)

    assert (outcome.persons, outcome.unclear) == (0, 2)
    assert recording.known(0).birth is None


def of(recording: Recording, bsn: str) -> bytes | None:
    """Whose this number is."""
    with recording.database.read() as connection:
        ids, lookup = tables.subject_id, id_lookup(KEYS, "lvs", "bsn", bsn)
        owner: bytes | None = connection.execute(sa.select(ids.c.subject).where(ids.c.lookup == lookup)).scalar()
        return owner


async def test_bsn_that_the_lvs_tells_of_two_pupils_is_nobodys(recording: Recording) -> None:
    await read(recording, student(bsn="111222333"))
    assert of(recording, "111222333") == recording.pupils[0]

    await read(recording, student(bsn="111222333"), student("1", bsn="111222333"))

    assert of(recording, "111222333") is None


async def test_bsn_that_the_lvs_gives_to_another_pupil_is_that_pupils_by_the_next_round(recording: Recording) -> None:
    """It was typed at the wrong pupil: over it the one's dossier would leave as the other's."""
    await read(recording, student(bsn="111222333"))
    for _ in range(2):
        await read(recording, student(bsn="123456782"), student("1", bsn="111222333"))

    assert of(recording, "111222333") == recording.pupils[1]
    assert of(recording, "123456782") == recording.pupils[0]


async def test_id_of_a_pupil_with_the_number_of_another_tells_nothing(recording: Recording) -> None:
    """The roster of that other was not read: the shared id alone would make the day the first pupil's."""
    mine = Observation(Person.PUPIL, {"las-key": "0", "eck-id": "e"}, (), frozenset())
    Subjects(recording.database, KEYS).learn("lvs", {"noord": [mine]}, NOW, seeded())

    outcome = await read(recording, student("9", userMasterIdentifier="e"))

    assert (outcome.persons, outcome.unclear) == (0, 1)
    assert recording.known(0).birth is None


async def test_pupil_in_doubt_is_told_nothing(recording: Recording) -> None:
    people = [Observation(Person.PUPIL, {"las-key": one, "eck-id": "e"}, (), frozenset()) for one in "09"]
    Subjects(recording.database, KEYS).learn("lvs", {"noord": people[:1]}, NOW, seeded())
    Subjects(recording.database, KEYS).learn("lvs", {"noord": people}, NOW, seeded())

    outcome = await read(recording, student(userMasterIdentifier="e"))

    assert (outcome.persons, outcome.unclear) == (0, 1)


async def test_record_with_ids_of_two_pupils_is_left(recording: Recording) -> None:
    two = {**student(), "userIds": [{"userId": "0", "userIdType": "ASI"}, {"userId": "1", "userIdType": "NEPRI"}]}
    await read(recording, two)  # the second id is known by no one
    assert recording.known(0).birth == BIRTH


@pytest.mark.parametrize(("bsn", "kept"), [("111222333", 1), ("123456789", 0), (None, 0)])
async def test_bsn_is_kept_only_when_it_is_one(recording: Recording, bsn: str | None, kept: int) -> None:
    await read(recording, student(bsn=bsn))

    with recording.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT value FROM subject_id WHERE kind = 'bsn'").all()
    assert [row.value for row in rows] == [b""] * kept


@pytest.mark.parametrize(
    ("status", "students", "failure"),
    [(0, [], "not-reached"), (404, [], "unusable"), (200, [{"userIds": 1}], "malformed"),
     (200, [{"userIds": [], "dateOfBirth": 7}], "malformed")],
)  # fmt: skip
async def test_answer_that_is_not_whole_leaves_everything_and_grows_old(
    recording: Recording, status: int, students: list[object], failure: str
) -> None:
    await read(recording, student())
    outcome = await read(recording, *students, status=status)

    assert outcome.failure == failure
    assert recording.known(0).birth == BIRTH
    assert [one[0] for one in synchronised(recording.database)].count(part("lvs")) == 1


async def test_source_that_tells_no_pupils_is_not_asked(recording: Recording) -> None:
    sync = PupilSync(recording.database, KEYS, [], lambda _: an_id(7))

    assert await sync.run_source("lvs", NOW) == ()


# -- a number that is another pupil's now --------------------------------------------------------------------


def joined(recording: Recording, eck: str) -> None:
    """Pupil 0 is seen with this ECK iD, and with no other."""
    told = [Observation(Person.PUPIL, {"las-key": "0", "eck-id": eck}, (), frozenset())]
    Subjects(recording.database, KEYS).learn("lvs", {"noord": told}, NOW, seeded())


def in_doubt_now(recording: Recording) -> bool:
    with recording.database.read() as connection:
        return recording.pupils[0] in in_doubt(connection)


@pytest.mark.parametrize("by", ["bsn", "eck-id"])
async def test_number_with_another_birth_date_and_another_national_id_is_another_pupil(
    recording: Recording, by: str
) -> None:
    """The LVS used the number of who left again; what was recorded about that pupil is not this one's."""
    joined(recording, "e")
    await read(recording, student(bsn="111222333"))
    joined(recording, "f" if by == "eck-id" else "e")

    outcome = await read(recording, student(birth="2014-05-06", bsn="123456782" if by == "bsn" else None))

    assert in_doubt_now(recording)
    assert outcome.unclear == 1
    assert of(recording, "123456782") is None
    assert recording.known(0).birth == BIRTH


@pytest.mark.parametrize("more", [{"birth": "2012-03-01"}, {"bsn": "123456782"}], ids=["birth", "bsn"])
async def test_correction_of_one_of_them_makes_nobody_another(recording: Recording, more: dict[str, Any]) -> None:
    joined(recording, "e")
    await read(recording, student(bsn="111222333"))
    await read(recording, student(**more))

    assert not in_doubt_now(recording)


async def test_pupil_of_whom_a_person_said_it_is_one_is_taken_at_its_word(recording: Recording) -> None:
    await read(recording, student(bsn="111222333"))
    other = student(birth="2014-05-06", bsn="123456782")
    await read(recording, other)
    [one] = doubts(recording.database, KEYS)
    settle_as_one(recording.database, KEYS, one.number, "0", an_act())

    await read(recording, other)

    assert not in_doubt_now(recording)
    assert recording.known(0).birth == date(2014, 5, 6)
