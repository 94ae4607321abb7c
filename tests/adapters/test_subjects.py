"""Who is who: ids that join, ids that clash, pupils that wait, persons that are forgotten; and the rosters: in memory,
and looked up when asked, which find the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import anyio
import pytest
import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.pupils.issued import IssuedPseudonyms
from gateway.adapters.pupils.learning import CLASH
from gateway.adapters.pupils.linking import NotPending, destroy_reference_key, link_pending, pending_links
from gateway.adapters.pupils.memory import MemoryRoster
from gateway.adapters.pupils.settling import NotInDoubt, doubts, settle_as_two
from gateway.adapters.pupils.stored import StoredRoster
from gateway.adapters.pupils.subjects import Subjects
from gateway.adapters.register.writer import DatabaseRegister, verify_register
from gateway.adapters.store_keys import StoreKeys
from gateway.core.model import Enrolment, Person, Subject
from gateway.core.register import Issue
from gateway.transfer.ports import Observation
from tests.simulators.database import fresh_database
from tests.simulators.drafts import NOW, a_draft, an_act, seeded
from tests.simulators.stored import bodies_about, last_bodies

KEYS = StoreKeys(bytes(32))
HERE = Enrolment("noord", 1, date(2026, 8, 1), None)


@dataclass
class School:
    """A database, its book of subjects, and a roster in memory of each of two sources; the second succeeds."""

    database: Database
    book: Subjects
    lvs: MemoryRoster
    new: MemoryRoster

    def learn(
        self, *observations: Observation, source: str = "lvs", location: str = "noord", believed: bool = False
    ) -> bool:
        """Whether it was taken over."""
        who = [location] if believed else []
        left_out = self.book.learn(source, {location: observations}, NOW, RANDOM, believed=who)
        self.lvs.follow()
        self.new.follow()
        return left_out[location] is not None

    def facts(self) -> int:
        return self.database.versioned().versions.facts

    def tasks(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(tables.task.c.kind)).scalars())


RANDOM = seeded()


BOTH = pytest.mark.parametrize("school", [MemoryRoster, StoredRoster], indirect=True)
"""Also with persons that are looked up when asked."""


@pytest.fixture
def school(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[School]:
    database, kind = fresh_database(tmp_path), getattr(request, "param", MemoryRoster)
    book = Subjects(database, KEYS, frozenset({"new"}))
    yield School(database, book, roster(database, "lvs", kind), roster(database, "new", kind))
    database.close()


def roster(database: Database, source: str, kind: type[MemoryRoster] = MemoryRoster) -> MemoryRoster:
    return kind(database, KEYS, source, ["noord", "zuid"], timedelta(hours=72))


def seen(
    ids: Mapping[str, str], *enrolments: Enrolment, groups: tuple[str, ...] = (), person: Person = Person.PUPIL
) -> Observation:
    return Observation(person, dict(ids), enrolments or (HERE,), frozenset(groups))


def found(roster: MemoryRoster, kind: str, value: str) -> Subject:
    subject = roster.find(kind, value)
    assert subject is not None
    return subject


# -- ids that join -------------------------------------------------------------------------------------


@BOTH
def test_pupil_is_found_by_each_of_its_ids_and_by_its_internal_id(school: School) -> None:
    school.learn(seen({"las-key": "7", "eck-id": "e-7"}, groups=("g1",)))

    subject = found(school.lvs, "las-key", "7")
    assert subject is school.lvs.find("eck-id", "e-7") is school.lvs.by_id(subject.id)
    assert subject.person is Person.PUPIL
    assert subject.ids == {"las-key": "7", "eck-id": "e-7"}
    assert subject.enrolments == (HERE,)
    assert subject.groups == {"g1"}


def test_id_of_one_kind_is_not_found_as_another(school: School) -> None:
    school.learn(seen({"las-key": "7"}))

    assert school.lvs.find("nepri", "7") is None
    assert school.lvs.find("las-key", "8") is None
    assert school.lvs.by_id(bytes(16)) is None


@BOTH
def test_ids_seen_together_later_join_the_same_pupil(school: School) -> None:
    school.learn(seen({"las-key": "7"}))
    before = found(school.lvs, "las-key", "7").id
    school.learn(seen({"las-key": "7", "nepri": "n-7"}))

    assert found(school.lvs, "nepri", "n-7").id == before


@BOTH
def test_eck_id_is_the_same_pupil_in_another_source(school: School) -> None:
    school.learn(seen({"las-key": "7", "eck-id": "e-7"}))
    school.learn(seen({"las-key": "900", "eck-id": "e-7"}), source="new")

    one, other = found(school.lvs, "las-key", "7"), found(school.new, "las-key", "900")
    assert (one.id, one.reference) == (other.id, other.reference)
    assert other.ids == {"las-key": "900", "eck-id": "e-7"}


@BOTH
def test_other_ids_are_known_in_their_own_source_only(school: School) -> None:
    school.learn(seen({"las-key": "7"}))
    school.learn(seen({"las-key": "7"}), source="third")
    third = roster(school.database, "third")
    third.follow()

    assert school.new.find("las-key", "7") is None
    assert found(third, "las-key", "7").id != found(school.lvs, "las-key", "7").id


def test_every_pupil_has_its_own_id_and_reference(school: School) -> None:
    school.learn(*(seen({"las-key": str(number)}) for number in range(1_000)))

    subjects = [found(school.lvs, "las-key", str(number)) for number in range(1_000)]
    assert len({subject.id for subject in subjects}) == len({subject.reference for subject in subjects}) == 1_000
    assert {len(subject.id) for subject in subjects} == {len(subject.reference) for subject in subjects} == {16}


def test_ids_stand_nowhere_in_the_database(school: School) -> None:
    school.learn(seen({"las-key": "canary-7", "eck-id": "canary-e"}))
    school.learn(seen({"las-key": "canary-8"}), source="new")

    assert b"canary" not in b"".join(path.read_bytes() for path in school.database.path.parent.iterdir())


# -- ids that clash ------------------------------------------------------------------------------------


@BOTH
def test_ids_of_two_known_pupils_in_one_record_are_not_merged_and_both_are_nobody(school: School) -> None:
    school.learn(seen({"las-key": "7"}), seen({"las-key": "8", "eck-id": "e-8"}))
    for _ in range(3):
        school.learn(
            seen({"las-key": "7"}), seen({"las-key": "8"}), seen({"las-key": "7", "eck-id": "e-8", "nepri": "n"})
        )

    assert school.lvs.find("las-key", "7") is school.lvs.find("las-key", "8") is school.lvs.find("nepri", "n") is None
    assert school.tasks() == ["id-of-several", "id-of-several"]


def test_an_employee_with_a_pupils_id_is_not_that_pupil(school: School) -> None:
    school.learn(seen({"las-key": "7"}))
    school.learn(seen({"las-key": "7", "nepri": "n"}, person=Person.STAFF))

    assert school.lvs.find("nepri", "n") is None
    assert found(school.lvs, "las-key", "7").person is Person.PUPIL
    assert school.tasks() == ["ids-of-several"]


def test_task_about_an_employee_with_a_pupils_id_ends_when_the_lvs_is_corrected(school: School) -> None:
    pupil, teacher = seen({"las-key": "7"}), Person.STAFF
    school.learn(pupil, seen({"las-key": "8"}))
    for _ in range(2):
        school.learn(pupil, seen({"las-key": "8"}), seen({"las-key": "7"}, person=teacher))
    [one] = doubts(school.database, KEYS)

    school.learn(seen({"las-key": "0"}), location="zuid")
    still = doubts(school.database, KEYS)
    school.learn(pupil, seen({"las-key": "8"}), seen({"las-key": "t"}, person=teacher))

    assert (one.source, one.kind, one.numbers) == ("lvs", CLASH, ("7",))
    assert still == [one]
    assert doubts(school.database, KEYS) == []


def test_nobody_settles_that_an_employee_has_a_pupils_id(school: School) -> None:
    school.learn(seen({"las-key": "7"}))
    school.learn(seen({"las-key": "7"}), seen({"las-key": "7"}, person=Person.STAFF))
    [one] = doubts(school.database, KEYS)

    with pytest.raises(NotInDoubt):
        settle_as_two(school.database, KEYS, one.number, "7", an_act())
    assert doubts(school.database, KEYS) == [one]


@pytest.mark.parametrize("order", [("noord", "zuid"), ("zuid", "noord")])
def test_pupil_who_goes_to_another_location_is_nowhere_at_no_moment(school: School, order: tuple[str, str]) -> None:
    """A recipient who asks in between would hear that they left."""
    school.book.learn("lvs", {"noord": [seen({"las-key": "7"})], "zuid": []}, NOW, RANDOM)
    before = school.facts()
    told = {"noord": [], "zuid": [seen({"las-key": "7"}, replace(HERE, location="zuid"))]}
    between = _committed(school, lambda: school.book.learn("lvs", {one: told[one] for one in order}, NOW, RANDOM))

    assert school.facts() == before + 2  # who follows hears of both
    assert between[-1] == ["zuid"]
    assert all(between)


def _committed(school: School, act: Callable[[], object]) -> list[list[str]]:
    """Where anybody was, after each transaction of it."""
    found: list[list[str]] = []
    write = school.database.write

    @contextmanager
    def watched() -> Iterator[sa.Connection]:
        with write() as connection:
            yield connection
        with school.database.read() as connection:
            found.append(list(connection.execute(sa.select(tables.roster.c.location)).scalars()))

    school.book = Subjects(cast("Database", SimpleNamespace(read=school.database.read, write=watched)), KEYS)
    act()
    return found


def test_record_without_ids_is_nobody(school: School) -> None:
    school.learn(seen({}))

    assert len(school.lvs) == 0


# -- the roster of a location --------------------------------------------------------------------------


def test_facts_move_when_something_changed_and_only_then(school: School) -> None:
    moments = [school.facts()]
    for observation in (
        seen({"las-key": "7"}),
        seen({"las-key": "7"}),
        seen({"las-key": "7"}, groups=("g",)),
        seen({"las-key": "7"}, groups=("g",)),
        seen({"las-key": "7", "eck-id": "e"}, groups=("g",)),
        seen({"las-key": "7"}, Enrolment("noord", 2, date(2026, 8, 1), None), groups=("g",)),
    ):
        school.learn(observation)
        moments.append(school.facts())

    assert [after - before for before, after in pairwise(moments)] == [1, 0, 1, 0, 1, 1]


@BOTH
def test_who_is_no_longer_in_the_answer_has_left_this_location_only(school: School) -> None:
    south = Enrolment("zuid", 1, date(2026, 8, 1), None)
    school.learn(seen({"las-key": "7"}, groups=("g1",)), seen({"las-key": "8"}))
    school.learn(seen({"las-key": "7"}, south, groups=("g2",)), location="zuid")
    school.learn(seen({"las-key": "8"}))

    left = found(school.lvs, "las-key", "7")
    assert left.enrolments == (south,)
    assert left.groups == {"g2"}
    assert found(school.lvs, "las-key", "8").enrolments == (HERE,)


@BOTH
def test_who_left_everywhere_is_still_known_without_enrolments(school: School) -> None:
    school.learn(seen({"las-key": "7"}))
    school.learn(believed=True)

    assert found(school.lvs, "las-key", "7").enrolments == ()


@BOTH
def test_group_has_the_members_that_it_has_now(school: School) -> None:
    people = [seen({"las-key": str(number)}, groups=("all", f"g{number % 2}")) for number in range(6)]
    school.learn(*people)
    before = members(school, "all")
    school.learn(*people[2:])
    school.learn(*people[:1], location="zuid")

    assert before == {str(number) for number in range(6)}
    assert members(school, "g0") == {"0", "2", "4"}
    assert members(school, "g1") == {"3", "5"}
    assert members(school, "none") == set()


def members(school: School, group: str) -> set[str]:
    return {subject.ids["las-key"] for subject in school.lvs.members(group)}


def test_roster_reads_only_who_changed(school: School) -> None:
    school.learn(seen({"las-key": "7"}), seen({"las-key": "8"}))
    same, other = found(school.lvs, "las-key", "7"), found(school.lvs, "las-key", "8")
    school.learn(seen({"las-key": "7"}), seen({"las-key": "8"}, groups=("g",)))

    assert found(school.lvs, "las-key", "7") is same
    assert found(school.lvs, "las-key", "8") is not other


def test_roster_of_a_new_process_is_the_same(school: School) -> None:
    school.learn(seen({"las-key": "7", "eck-id": "e"}, groups=("g",)))
    other = roster(school.database, "lvs")
    other.follow()

    one, two = found(school.lvs, "eck-id", "e"), found(other, "eck-id", "e")
    assert (one.id, one.reference, one.ids, one.enrolments, one.groups) == (
        two.id,
        two.reference,
        two.ids,
        two.enrolments,
        two.groups,
    )
    assert len(list(other)) == 1


@BOTH
def test_of_two_ids_of_one_kind_both_are_found_and_the_newest_is_used(school: School) -> None:
    school.learn(seen({"las-key": "7", "eck-id": "e"}))
    school.learn(seen({"las-key": "70", "eck-id": "e"}))

    assert school.lvs.find("las-key", "7") is school.lvs.find("las-key", "70")
    assert found(school.lvs, "eck-id", "e").ids["las-key"] == "70"


def test_roster_is_fresh_when_every_location_was_synchronised_in_time(school: School) -> None:
    assert not school.lvs.fresh(NOW)
    school.learn(location="noord")
    assert not school.lvs.fresh(NOW)
    school.learn(location="zuid")

    assert school.lvs.fresh(NOW + timedelta(hours=72, microseconds=-1))
    assert not school.lvs.fresh(NOW + timedelta(hours=72))


def test_roster_that_seemed_stale_is_fresh_after_a_synchronisation_that_changed_nothing(school: School) -> None:
    school.learn(location="noord")
    school.learn(location="zuid")
    later = NOW + timedelta(days=9)
    assert not school.lvs.fresh(later)
    for location in ("noord", "zuid"):
        school.book.learn("lvs", {location: ()}, later, RANDOM)

    assert school.lvs.fresh(later)
    assert not school.new.fresh(later)


# -- a source that succeeds another ----------------------------------------------------------------------


def test_unknown_pupil_of_a_succeeding_source_waits(school: School) -> None:
    for _ in range(2):
        school.learn(seen({"las-key": "900", "nepri": "n"}), source="new")

    assert school.new.find("las-key", "900") is None
    [pending] = pending_links(school.database, KEYS)
    assert (pending.source, pending.location, pending.kinds) == ("new", "noord", ("las-key", "nepri"))


def test_unknown_employee_of_a_succeeding_source_does_not_wait(school: School) -> None:
    school.learn(seen({"las-key": "900"}, person=Person.STAFF), source="new")

    assert found(school.new, "las-key", "900").person is Person.STAFF


def waiting(school: School) -> int:
    school.learn(seen({"las-key": "900", "nepri": "n"}, groups=("g",)), source="new")
    return pending_links(school.database, KEYS)[0].number


def test_linked_pupil_keeps_its_internal_id(school: School) -> None:
    school.learn(seen({"las-key": "7"}))
    known = found(school.lvs, "las-key", "7")
    link_pending(school.database, KEYS, waiting(school), known.id, an_act(), RANDOM)
    school.new.follow()

    linked = found(school.new, "las-key", "900")
    assert linked.id == known.id
    assert linked.enrolments == (HERE,)
    assert linked.groups == {"g"}
    assert pending_links(school.database, KEYS) == []


def test_pupil_that_a_person_calls_new_gets_an_internal_id(school: School) -> None:
    internal = link_pending(school.database, KEYS, waiting(school), None, an_act(), RANDOM)
    school.new.follow()

    assert found(school.new, "nepri", "n").id == internal


def test_linking_a_pupil_whose_ids_became_its_own_gives_it_its_place(school: School) -> None:
    school.learn(seen({"eck-id": "e"}, groups=("g",)), source="new")
    [pending] = pending_links(school.database, KEYS)
    school.learn(seen({"las-key": "7", "eck-id": "e"}))
    known = found(school.lvs, "las-key", "7")
    link_pending(school.database, KEYS, pending.number, known.id, an_act(), RANDOM)
    school.new.follow()

    assert found(school.new, "eck-id", "e").groups == {"g"}


def test_linking_stands_in_the_register_and_moves_the_facts(school: School) -> None:
    number, before = waiting(school), school.facts()
    link_pending(school.database, KEYS, number, None, an_act(), RANDOM)

    [entry] = [json.loads(body) for body in last_bodies(school.database, 5)]
    assert (entry["outcome"], entry["actor"], entry["source"]) == ("pupil new", "p.officer", "new")
    assert entry["released"] == 1  # whom it is about
    assert school.facts() == before + 1


def test_linking_what_does_not_wait_is_refused(school: School) -> None:
    number = waiting(school)
    link_pending(school.database, KEYS, number, None, an_act(1), RANDOM)

    with pytest.raises(NotPending):
        link_pending(school.database, KEYS, number, None, an_act(2), RANDOM)


def test_linking_a_pupil_whose_id_became_somebody_elses_is_refused_and_undone(school: School) -> None:
    school.learn(seen({"las-key": "7"}), seen({"las-key": "8"}))
    school.learn(seen({"las-key": "900", "eck-id": "e"}), source="new")
    [pending] = pending_links(school.database, KEYS)
    school.learn(seen({"las-key": "7", "eck-id": "e"}), seen({"las-key": "8"}))

    with pytest.raises(NotPending):
        link_pending(school.database, KEYS, pending.number, found(school.lvs, "las-key", "8").id, an_act(), RANDOM)
    assert pending_links(school.database, KEYS) == [pending]


def test_waiting_pupil_whose_eck_id_became_known_waits_no_longer(school: School) -> None:
    school.learn(seen({"las-key": "900", "eck-id": "e"}), source="new")
    school.learn(seen({"las-key": "7", "eck-id": "e"}))
    school.learn(seen({"las-key": "900", "eck-id": "e"}), source="new")

    assert pending_links(school.database, KEYS) == []
    assert found(school.new, "las-key", "900").id == found(school.lvs, "las-key", "7").id


def test_pupil_known_by_its_eck_id_only_is_found_where_it_was_seen(school: School) -> None:
    school.learn(seen({"eck-id": "e"}))

    assert found(school.lvs, "eck-id", "e").enrolments == (HERE,)
    assert school.new.find("eck-id", "e") is None


# -- forgetting ----------------------------------------------------------------------------------------


def append(school: School, subject: Subject) -> None:
    async def go() -> None:
        register = DatabaseRegister(school.database, KEYS)
        versions = school.database.versioned().versions
        issue = Issue("noord", 1, "p-7", "pupil", None, None, subject.id)
        await register.append(a_draft(1, released=(subject,), versions=versions, issued=(issue,)))
        register.close()

    anyio.run(go)


def test_destroyed_reference_key_leaves_entries_that_lead_to_nobody(school: School) -> None:
    school.learn(seen({"las-key": "7", "eck-id": "e"}))
    subject = found(school.lvs, "las-key", "7")
    append(school, subject)
    assert len(bodies_about(school.database, subject.reference)) == 1

    assert destroy_reference_key(school.database, subject.id, an_act())

    school.lvs.follow()
    assert school.lvs.find("las-key", "7") is school.lvs.find("eck-id", "e") is school.lvs.by_id(subject.id) is None
    kept = IssuedPseudonyms(school.database, KEYS).find("noord", "p-7", "pupil", (1,))
    assert kept is not None
    assert school.lvs.by_id(kept.owner or b"") is None
    assert verify_register(school.database).ok
    assert not destroy_reference_key(school.database, subject.id, an_act(2))


def test_destroyed_pupil_that_comes_back_is_somebody_new(school: School) -> None:
    school.learn(seen({"las-key": "7"}))
    before = found(school.lvs, "las-key", "7")
    destroy_reference_key(school.database, before.id, an_act())
    school.learn(seen({"las-key": "7"}))

    after = found(school.lvs, "las-key", "7")
    assert after.id != before.id
    assert after.reference != before.reference


# -- a BSN is kept as a keyed hash only (D7) -------------------------------------------------------------


@BOTH
def test_bsn_finds_the_same_pupil_as_every_other_id_and_stands_nowhere(school: School) -> None:
    school.learn(seen({"las-key": "7", "bsn": "123456782"}))
    school.learn(seen({"las-key": "9"}), believed=True)

    pupil = found(school.lvs, "bsn", "123456782")
    assert pupil is school.lvs.find("las-key", "7")
    assert pupil.ids == {"las-key": "7"}
    assert pupil.numbers == {school.lvs.digest("123456782")}
    assert found(school.lvs, "las-key", "9").numbers == frozenset()
    assert school.lvs.find("bsn", "111222333") is None
    assert b"123456782" not in b"".join(path.read_bytes() for path in school.database.path.parent.glob("gateway.db*"))


def test_bsn_is_the_same_pupil_in_every_source(school: School) -> None:
    school.learn(seen({"las-key": "7", "bsn": "123456782"}))
    school.learn(seen({"las-key": "q", "bsn": "123456782"}), source="new")

    assert found(school.new, "las-key", "q").id == found(school.lvs, "las-key", "7").id


@BOTH
def test_bsn_of_a_forgotten_pupil_finds_nobody(school: School) -> None:
    school.learn(seen({"las-key": "7", "bsn": "123456782"}))
    destroy_reference_key(school.database, found(school.lvs, "las-key", "7").id, an_act())
    school.lvs.follow()

    assert school.lvs.find("bsn", "123456782") is None


def test_many_pupils_are_read_in_parts_as_they_are_read_together(school: School) -> None:
    """More than are read in one go; and a change of one of them afterwards."""
    school.learn(*(seen({"las-key": str(number), "eck-id": f"e-{number}"}) for number in range(2_100)))
    new = roster(school.database, "lvs")
    new.follow()

    assert len(new) == len(school.lvs) == 2_100
    assert all(found(new, "las-key", str(n)) is found(new, "eck-id", f"e-{n}") for n in range(0, 2_100, 100))
    assert {one.id for one in new} == {one.id for one in school.lvs}


@pytest.mark.parametrize("school", [StoredRoster], indirect=True)
def test_group_of_more_than_are_remembered_has_all_its_members(school: School) -> None:
    school.learn(*(seen({"las-key": str(number)}, groups=("g",)) for number in range(2_100)))

    assert len(members(school, "g")) == 2_100
    assert len(school.lvs) <= 500


# -- ids of groups -------------------------------------------------------------------------------------


def stored_groups(school: School) -> list[str]:
    with school.database.read() as connection:
        return list(connection.execute(sa.select(tables.roster.c.groups)).scalars())


@BOTH
def test_ids_of_groups_stand_sealed_and_classmates_have_the_same(school: School) -> None:
    school.learn(seen({"las-key": "7"}, groups=("zorg-4b",)), seen({"las-key": "8"}, groups=("zorg-4b",)))

    one, two = stored_groups(school)
    assert one == two
    assert "zorg" not in one
    assert len(list(school.lvs.members("zorg-4b"))) == 2


@BOTH
def test_ids_of_groups_from_before_are_read_and_sealed_by_the_next_synchronisation(school: School) -> None:
    school.learn(seen({"las-key": "7"}, groups=("g1",)))
    with school.database.write() as connection:
        connection.execute(sa.update(tables.roster).values(groups='["g1"]'))
        connection.execute(sa.update(tables.subject).values(changed=tables.subject.c.changed + 1))
    school.lvs.follow()
    before = found(school.lvs, "las-key", "7").groups

    school.learn(seen({"las-key": "7"}, groups=("g1",)))

    assert before == found(school.lvs, "las-key", "7").groups == {"g1"}
    assert "g1" not in stored_groups(school)[0]
