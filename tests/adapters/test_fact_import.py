"""adapters.facts.imports: a file becomes facts as a whole or not at all, and who is not known is not made up."""

from __future__ import annotations

import io
import json
import sqlite3
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.adapters.database import tables
from gateway.adapters.facts.imports import CHUNK, FileWrong, Importer, Taken
from gateway.adapters.facts.row_forms import Door
from gateway.adapters.facts.store import ImportRunning, Staging, new_campaign
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.introductions import add_bsns
from gateway.adapters.pupils.subjects import Subjects
from gateway.core.facts import Answer, ConsentTerms, Form, Restriction, RestrictionGround
from gateway.core.model import Category, Enrolment, Person
from gateway.transfer.ports import Observation
from tests.simulators.drafts import NOW, an_act, seeded
from tests.simulators.recording import KEYS, Recording, a_recording, subjects
from tests.simulators.stored import last_bodies

TERMS = ConsentTerms(
    recipients=frozenset({"bureau-a"}), purpose="dyslexieonderzoek", categories=frozenset({Category.RESULTS}),
    text="2026-1", form=Form.PORTAL, evidence="sha256:00",
)  # fmt: skip
DOOR = Door(NOW, NOW.date(), {"bureau-a": frozenset({"dyslexieonderzoek"})}, {1: TERMS}, ("lvs",))
RANDOM = seeded(2)
GUARDIANS = "pupil,guardian,capacity\n0,g-0,parent\n1,g-1,voogd\n1,g-2,parent\n"


@dataclass
class School:
    """A recorded school and its ways in."""

    recording: Recording

    def importer(self, kind: str, locations: frozenset[str] | None = None) -> Importer:
        return Importer(self.recording.database, KEYS, kind, DOOR, RANDOM, locations)

    def bring(self, kind: str, content: str, locations: frozenset[str] | None = None) -> Taken:
        file = io.BytesIO(content.encode())
        return self.importer(kind, locations).bring_in(file, f"{kind}.csv", an_act(moment=NOW), {"rows of": kind})

    def wrong(self, kind: str, content: str, locations: frozenset[str] | None = None) -> list[str]:
        """What was wrong; and that nothing at all was written."""
        before = self.contents()
        with pytest.raises(FileWrong) as caught:
            self.bring(kind, content, locations)
        assert self.contents() == before
        return [str(problem) for problem in caught.value.problems]

    def contents(self) -> list[str]:
        """Everything in the database."""
        with closing(sqlite3.connect(self.recording.database.path)) as connection:
            return list(connection.iterdump())

    def entries(self) -> list[dict[str, Any]]:
        """The last of the register."""
        return [json.loads(body) for body in last_bodies(self.recording.database, 1)]

    def count(self, table: sa.Table) -> int:
        with self.recording.database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    made = School(a_recording(tmp_path))
    yield made
    made.recording.database.close()


def restrictions(pupils: Sequence[str]) -> str:
    return "pupil,ground\n" + "".join(f"{pupil},accuracy\n" for pupil in pupils)


# -- all of it -------------------------------------------------------------------------------------------


def test_file_in_order_is_facts_under_one_act(school: School) -> None:
    taken = school.bring("restriction", restrictions(["0", "2"]))

    assert taken == Taken(rows=2, entered=2, ended=0, known=0)
    assert [len(school.recording.known(pupil).restrictions) for pupil in range(3)] == [1, 0, 1]
    (entry,) = school.entries()
    assert entry["outcome"] == "facts entered"
    assert "rows of: restriction" in entry["detail"]
    assert entry["released"] == 2


def test_large_file_is_staged_and_is_facts_under_one_flip(school: School) -> None:
    version = school.recording.version
    taken = school.bring("dispute", "pupil,categories,since\n" + "1,results,2026-01-01\n" * (3 * CHUNK))

    assert taken.entered == 3 * CHUNK
    assert len(school.recording.known(1).disputes) == 3 * CHUNK
    assert school.recording.version == version + 1
    (entry,) = school.entries()
    assert (entry["outcome"], entry["actor"]) == ("facts imported", "p.officer")


def test_large_file_tells_how_far_it_is(school: School) -> None:
    told: list[tuple[str, int]] = []
    file = io.BytesIO(restrictions(["1"] * (CHUNK + 1)).encode())
    school.importer("restriction").bring_in(file, "x.csv", an_act(), {}, lambda *done: told.append(done))

    assert told == [(done, rows) for done in ("checked", "staged") for rows in (CHUNK, CHUNK + 1)]


def test_file_brought_in_again_changes_nothing(school: School) -> None:
    school.bring("restriction", restrictions(["0", "2"]))
    before = school.contents()

    assert school.bring("restriction", restrictions(["0", "2"])) == Taken(rows=2, entered=0, ended=0, known=2)
    assert school.contents() == before


def test_large_file_brought_in_again_changes_no_fact(school: School) -> None:
    content = "pupil,categories,since\n" + "1,results,2026-01-01\n" * (CHUNK + 1)
    school.bring("dispute", content)

    assert school.bring("dispute", content).known == CHUNK + 1
    assert school.count(tables.fact) == CHUNK + 1
    assert school.recording.verified().ok


def test_birth_that_differs_ends_the_one_before(school: School) -> None:
    school.bring("pupil", "pupil,birth_date\n0,2010-01-01\n1,2010-01-01\n")
    taken = school.bring("pupil", "pupil,birth_date\n0,2010-01-02\n1,2010-01-01\n")

    assert taken == Taken(rows=2, entered=1, ended=1, known=1)
    assert school.recording.known(0).birth == date(2010, 1, 2)


def test_pupil_twice_in_a_file_of_pupils_is_told(school: School) -> None:
    found = school.wrong("pupil", "pupil,birth_date\n0,2010-01-01\n0,2010-01-02\n")

    assert found == ["pupil.csv:3: this pupil stands in the file before (form)"]


def test_consent_in_a_campaign_is_known_again_without_its_terms(school: School) -> None:
    school.bring("guardian", GUARDIANS)
    new_campaign(school.recording.database, an_act(moment=NOW), TERMS)
    row = "pupil,giver,capacity,extract,answer,given,campaign\n0,g-0,parent,2026-01-01,yes,2026-09-01,1\n"

    assert school.bring("consent", row).entered == 1
    assert school.bring("consent", row).known == 1
    (consent,) = school.recording.known(0).consents
    assert (consent.terms, consent.answer) == (TERMS, Answer.YES)


# -- nothing of it ---------------------------------------------------------------------------------------


def test_everything_wrong_is_told_at_once_by_line_and_without_values(school: School) -> None:
    content = "pupil,ground\n0,accuracy\nKanarie,accuracy\n1,Kanarie\n2\n1,\n"

    assert school.wrong("restriction", content) == [
        "restriction.csv:3: 'pupil': no pupil is known by this id (R109)",
        "restriction.csv:4: 'ground': must be one of accuracy, unlawful, legal-claim, objection (form)",
        "restriction.csv:5: 1 values under 2 columns (form)",
        "restriction.csv:6: 'ground' is missing (R93)",
    ]


@pytest.mark.parametrize("at", [0, CHUNK, 4 * CHUNK - 1])
def test_one_bad_row_among_many_changes_nothing_and_is_named(school: School, at: int) -> None:
    pupils = ["1"] * (4 * CHUNK)
    pupils[at] = "nobody"

    assert school.wrong("restriction", restrictions(pupils)) == [
        f"restriction.csv:{at + 2}: 'pupil': no pupil is known by this id (R109)"
    ]


def test_more_problems_than_anybody_reads_are_counted(school: School) -> None:
    with pytest.raises(FileWrong) as caught:
        school.bring("restriction", restrictions(["nobody"] * 1_500))

    assert (len(caught.value.problems), caught.value.count) == (1_000, 1_500)


def test_import_beside_another_is_refused_but_a_small_file_is_not(school: School) -> None:
    with Staging(school.recording.database, KEYS):
        with pytest.raises(ImportRunning):
            school.bring("restriction", restrictions(["1"] * (CHUNK + 1)))

        assert school.bring("withdrawal", "pupil,capacity,withdrawn\n1,pupil,2026-01-01\n").entered == 1


def test_interrupted_import_leaves_nothing_valid(school: School) -> None:
    def interrupt(done: str, rows: int) -> None:
        if done == "staged" and rows > CHUNK:
            raise KeyboardInterrupt

    file = io.BytesIO(restrictions(["1"] * (4 * CHUNK)).encode())
    with pytest.raises(KeyboardInterrupt):
        school.importer("restriction").bring_in(file, "x.csv", an_act(moment=NOW), {}, interrupt)

    assert school.recording.known(1).restrictions == ()
    assert school.count(tables.fact) == 0


# -- who it is about -------------------------------------------------------------------------------------


def test_pupil_under_any_kind_of_id_is_the_same_pupil(school: School) -> None:
    """R: a restriction entered under one kind of id binds the same pupil under every other."""
    database = school.recording.database
    ids = {"las-key": "0", "eck-id": "https://ketenid.nl/1", "nepri": "n-0"}
    Subjects(database, KEYS).learn("lvs", {"noord": [Observation(Person.PUPIL, ids)]}, NOW, RANDOM)
    school.bring("pupil", "pupil,bsn\n0,111222333\n")

    for kind, value in [*ids.items(), ("bsn", "111222333")]:
        content = f"pupil,pupil_id_kind,ground,since\n{value},{kind},accuracy,2026-0{len(kind) % 9 + 1}-01\n"
        school.bring("restriction", content)

    assert len(school.recording.known(0).restrictions) == 4


def test_pupil_of_another_location_is_nobody_to_a_location_admin(school: School) -> None:
    database = school.recording.database
    stay = (Enrolment("zuid", 1, date(2026, 8, 1), None),)
    Subjects(database, KEYS).learn("lvs", {"zuid": [Observation(Person.PUPIL, {"las-key": "z"}, stay)]}, NOW, RANDOM)

    assert school.wrong("restriction", restrictions(["z"]), frozenset({"noord"})) == school.wrong(
        "restriction", restrictions(["nobody"]), frozenset({"noord"})
    )
    assert school.bring("restriction", restrictions(["z"]), frozenset({"zuid"})).entered == 1


def test_guardians_file_introduces_guardians_once(school: School) -> None:
    school.bring("guardian", GUARDIANS)
    school.bring("guardian", GUARDIANS + "2,g-1,voogd\n")

    with school.recording.database.read() as connection:
        persons = connection.execute(sa.select(tables.subject.c.person)).scalars().all()
    assert sorted(persons) == ["guardian"] * 3 + ["pupil"] * 3
    voogd = school.recording.known(1).representatives[0].person
    assert school.recording.known(2).representatives[0].person == voogd


def test_guardian_nobody_introduced_is_told(school: School) -> None:
    content = "pupil,mark,guardian\n0,child-safety,g-0\n"

    assert school.wrong("marker", content) == [
        "marker.csv:2: 'guardian': no guardian is known by this key; import guardians first (R18)"
    ]
    school.bring("guardian", GUARDIANS)
    school.bring("marker", content)
    assert school.recording.known(0).markers[0].against == school.recording.known(0).representatives[0].person


def test_guardian_is_no_pupil_and_a_pupil_no_guardian(school: School) -> None:
    school.bring("guardian", "pupil,guardian,capacity\n0,0,parent\n")

    assert school.wrong("restriction", restrictions(["g-0"])) != []
    assert len(school.recording.known(0).representatives) == 1


def test_introducing_guardians_moves_the_counter_with_the_facts_only(school: School) -> None:
    version = school.recording.version

    school.bring("guardian", GUARDIANS)

    assert school.recording.version == version + 1


def test_bsn_is_kept_as_a_keyed_hash_only(school: School) -> None:
    school.bring("pupil", "pupil,bsn\n0,111222333\n")

    assert "111222333" not in "".join(school.contents())
    with school.recording.database.read() as connection:
        row = connection.execute(sa.select(tables.subject_id).where(tables.subject_id.c.kind == "bsn")).one()
    assert (row.value, row.subject) == (b"", school.recording.pupils[0])


def test_bsn_of_another_pupil_is_told(school: School) -> None:
    school.bring("pupil", "pupil,bsn\n0,111222333\n")

    assert school.wrong("pupil", "pupil,bsn\n1,111222333\n") == ["pupil.csv:2: 'bsn' is another pupil's (R39)"]


def test_bsn_added_again_stays_with_whom_it_is(school: School) -> None:
    lookup = id_lookup(KEYS, "lvs", "bsn", "111222333")
    add_bsns(school.recording.database, {lookup: school.recording.pupils[0]})
    add_bsns(school.recording.database, {lookup: school.recording.pupils[1]})

    with school.recording.database.read() as connection:
        query = sa.select(tables.subject_id.c.subject).where(tables.subject_id.c.lookup == lookup)
        assert connection.execute(query).scalar_one() == school.recording.pupils[0]


def test_two_bsns_in_one_file_of_two_pupils_are_told(school: School) -> None:
    found = school.wrong("pupil", "pupil,bsn\n0,111222333\n1,111222333\n")

    assert found == ["pupil.csv:3: 'bsn' is another pupil's (R39)"]


# -- the same in JSON, and flat memory ---------------------------------------------------------------------


def test_json_is_the_same_as_csv(school: School) -> None:
    rows = [{"pupil": "0", "ground": "accuracy", "categories": ["results"]}]
    school.bring("restriction", json.dumps(rows))

    expected = Restriction(ground=RestrictionGround.ACCURACY, categories=frozenset({Category.RESULTS}))
    (fact,) = school.recording.known(0).restrictions
    assert fact == Restriction(number=fact.number, ground=expected.ground, categories=expected.categories)


def test_checking_many_rows_takes_the_memory_of_few(school: School) -> None:
    file = io.BytesIO(restrictions(["1"] * 20_000).encode())
    importer = school.importer("restriction")
    importer.check(io.BytesIO(restrictions(["1"]).encode()), "x.csv")
    tracemalloc.start()
    try:
        assert importer.check(file, "x.csv") == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 4_000_000


def test_subjects_of_the_recording_are_those_of_the_file(school: School) -> None:
    assert subjects(school.recording.database, 3) == school.recording.pupils
