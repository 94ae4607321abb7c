"""Two who bear one id: never joined, wherever and whenever the second comes; withheld until it is settled (R109)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.pupils.doubt import MIXED, SHARED
from gateway.adapters.pupils.memory import MemoryRoster
from gateway.adapters.pupils.settling import NotInDoubt, doubts, settle_as_one, settle_as_two
from gateway.adapters.pupils.stored import StoredRoster
from gateway.adapters.pupils.subjects import Subjects
from gateway.adapters.store_keys import StoreKeys
from gateway.core.model import Enrolment, Person
from gateway.transfer.ports import Observation
from tests.simulators.database import fresh_database
from tests.simulators.drafts import NOW, an_act, seeded
from tests.simulators.stored import last_bodies

KEYS = StoreKeys(bytes(32))
YESTERDAY = NOW.date() - timedelta(days=1)
Ids = dict[str, str]
SEVEN, EIGHT = {"las-key": "7", "eck-id": "e"}, {"las-key": "8", "eck-id": "e"}


@dataclass
class School:
    """A source with two locations, and everybody of it in memory and in the database."""

    database: Database
    book: Subjects
    rosters: tuple[MemoryRoster, ...]

    def learn(self, source: str = "lvs", **told: list[Observation]) -> Mapping[str, int | None]:
        left_out = self.book.learn(source, told, NOW, RANDOM)
        for roster in self.rosters:
            roster.follow()
        return left_out

    def who(self, kind: str, value: str) -> bytes | None:
        """The internal id, of whoever is here today."""
        (found,) = {self._here(roster, kind, value) for roster in self.rosters}
        return found

    def _here(self, roster: MemoryRoster, kind: str, value: str) -> bytes | None:
        subject = roster.find(kind, value)
        return subject.id if subject is not None and roster.by_id(subject.id) is subject else None

    def nobody(self, internal: bytes) -> bool:
        """Whether what comes back under a pseudonym of this person reaches nobody."""
        return all(roster.by_id(internal) is None for roster in self.rosters)

    def there(self, internal: bytes) -> list[str]:
        """The locations of this person, as every roster knows them."""
        for roster in self.rosters:
            roster.follow()
        found = [[] if (one := roster.by_id(internal)) is None else one.enrolments for roster in self.rosters]
        (places,) = {tuple(stay.location for stay in stays) for stays in found}
        return [*places]

    def tasks(self) -> int:
        table = tables.task
        with self.database.read() as connection:
            return len(connection.execute(sa.select(table.c.number).where(table.c.done.is_(None))).all())


RANDOM = seeded()


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    database = fresh_database(tmp_path)
    places, stale = ["noord", "zuid"], timedelta(hours=72)
    rosters = tuple(kind(database, KEYS, "lvs", places, stale) for kind in (MemoryRoster, StoredRoster))
    yield School(database, Subjects(database, KEYS), rosters)
    database.close()


def seen(ids: Ids, location: str = "noord", end: date | None = None) -> Observation:
    return Observation(Person.PUPIL, ids, (Enrolment(location, 1, date(2026, 8, 1), end),), frozenset())


# -- two who are here ------------------------------------------------------------------------------------


def test_two_of_one_round_at_two_locations_are_both_withheld(school: School) -> None:
    left_out = school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT)])

    assert school.who("las-key", "7") is school.who("las-key", "8") is school.who("eck-id", "e") is None
    assert left_out == {"noord": 1, "zuid": 1}
    assert school.tasks() == 1


@pytest.mark.parametrize("kind", ["eck-id", "nepri", "las-key@other"])
def test_two_of_one_list_with_one_id_are_both_withheld(school: School, kind: str) -> None:
    left_out = school.learn(noord=[seen({"las-key": "7", kind: "e"}), seen({"las-key": "8", kind: "e"})])

    assert school.who("las-key", "7") is school.who("las-key", "8") is None
    assert left_out == {"noord": 2}


def test_second_who_comes_later_at_another_location_is_not_the_first(school: School) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[])
    first = school.who("las-key", "7")
    school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT)])

    assert first is not None
    assert school.who("las-key", "7") is school.who("las-key", "8") is school.who("eck-id", "e") is None
    assert school.nobody(first)
    assert school.tasks() == 1


def test_second_who_comes_later_in_the_same_list_is_not_the_first(school: School) -> None:
    school.learn(noord=[seen(SEVEN)])
    school.learn(noord=[seen({"las-key": "7"}), seen(EIGHT)])

    assert school.who("las-key", "8") is school.who("eck-id", "e") is None
    assert school.tasks() == 1


def test_second_is_not_the_first_of_a_location_that_did_not_answer(school: School) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[])
    school.learn(zuid=[seen(EIGHT)])

    assert school.who("las-key", "7") is school.who("las-key", "8") is school.who("eck-id", "e") is None
    assert school.tasks() == 1


def test_one_number_with_two_eck_ids_is_one_of_two(school: School) -> None:
    """An LVS that gave 7 to another pupil, and another number to whom it was."""
    school.learn(noord=[seen(SEVEN)], zuid=[])
    school.learn(noord=[seen({"las-key": "7", "eck-id": "x"})], zuid=[seen(EIGHT)])

    assert {school.who(*one) for one in [("las-key", "7"), ("las-key", "8"), ("eck-id", "e"), ("eck-id", "x")]} == {
        None
    }


def test_another_pupil_goes_on(school: School) -> None:
    nine = {"las-key": "9", "eck-id": "f"}
    assert school.learn(noord=[seen(SEVEN), seen(nine)], zuid=[seen(EIGHT, "zuid")])["noord"] == 1

    assert school.who("las-key", "9") is not None


# -- one who was enrolled again ----------------------------------------------------------------------------


@pytest.mark.parametrize("old", [[], [seen(SEVEN, end=YESTERDAY)]], ids=["gone", "ended"])
def test_new_number_of_who_is_no_longer_there_under_the_old_joins(school: School, old: list[Observation]) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[])
    before = school.who("las-key", "7")
    school.learn(noord=old, zuid=[seen(EIGHT, "zuid")])

    assert school.who("las-key", "8") == school.who("eck-id", "e") == before is not None
    assert school.tasks() == 0


def test_pupil_at_two_locations_gets_a_new_number_at_both(school: School) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[seen(SEVEN, "zuid")])
    before = school.who("las-key", "7")
    school.learn(noord=[seen(EIGHT)], zuid=[seen(EIGHT, "zuid")])

    assert school.who("las-key", "8") == before is not None


def test_same_pupil_in_another_source_is_no_doubt(school: School) -> None:
    school.learn(noord=[seen(SEVEN)])
    school.learn("new", noord=[seen(EIGHT)])

    assert school.who("las-key", "7") is not None
    assert school.tasks() == 0


def test_old_number_that_comes_back_beside_the_new_makes_one_of_two(school: School) -> None:
    """Of one who was joined, nothing that the LVS says later tells what is whose."""
    school.learn(noord=[seen(SEVEN)], zuid=[])
    school.learn(noord=[], zuid=[seen(EIGHT)])
    school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT)])
    for told in ([], [seen(SEVEN)]):
        school.learn(noord=told, zuid=[seen({"las-key": "8", "eck-id": "f"})])

        assert school.who("las-key", "7") is school.who("las-key", "8") is school.who("eck-id", "e") is None
    assert school.tasks() == 1


# -- settled in the LVS -----------------------------------------------------------------------------------


def test_once_the_lvs_is_right_each_is_again_who_it_was(school: School) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[])
    before = school.who("las-key", "7")
    school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT)])
    school.learn(noord=[seen(SEVEN)], zuid=[seen({"las-key": "8", "eck-id": "f"}, "zuid")])

    assert school.who("las-key", "7") == school.who("eck-id", "e") == before
    assert school.who("las-key", "8") == school.who("eck-id", "f") not in {before, None}
    assert school.tasks() == 0


def test_two_whom_nobody_knew_are_each_somebody_once_the_lvs_is_right(school: School) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT)])
    school.learn(noord=[seen(SEVEN)], zuid=[seen({"las-key": "8", "eck-id": "f"}, "zuid")])

    assert None not in {school.who("las-key", "7"), school.who("las-key", "8")}
    assert school.who("las-key", "7") != school.who("las-key", "8")
    assert school.tasks() == 0


def test_first_who_leaves_does_not_leave_its_place_to_the_second(school: School) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[])
    school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT)])
    school.learn(noord=[], zuid=[seen(EIGHT)])

    assert school.who("las-key", "8") is school.who("eck-id", "e") is None
    assert school.tasks() == 1


def test_answer_of_one_location_alone_settles_nothing(school: School) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[])
    school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT)])
    school.learn(noord=[seen(SEVEN)])

    assert school.who("las-key", "7") is school.who("eck-id", "e") is None
    assert school.tasks() == 1


def test_pupil_with_two_eck_ids_of_which_one_goes_is_that_pupil_again(school: School) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[])
    before = school.who("las-key", "7")
    school.learn(noord=[seen(SEVEN)], zuid=[seen({"las-key": "7", "eck-id": "wrong"})])
    assert school.who("las-key", "7") is None
    school.learn(noord=[seen(SEVEN)], zuid=[seen(SEVEN, "zuid")])

    assert school.who("las-key", "7") == before


@pytest.mark.parametrize("places", [None, frozenset({"noord"})], ids=["still there", "gone"])
def test_location_that_is_no_more_puts_nobody_in_doubt_and_keeps_no_doubt_open(
    school: School, places: frozenset[str] | None
) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[seen(SEVEN, "zuid"), seen({"las-key": "9"}, "zuid")])
    school.book = Subjects(school.database, KEYS, locations=places)
    school.learn(noord=[seen({"las-key": "7", "eck-id": "corrected"})])
    corrected = school.who("eck-id", "corrected")
    for other in ("f", "g"):
        two = seen({"las-key": "10", "eck-id": "f"}), seen({"las-key": "11", "eck-id": other})
        school.learn(noord=[seen({"las-key": "7", "eck-id": "corrected"}), *two])

    assert (corrected is None, school.tasks()) == ((True, 2) if places is None else (False, 0))


# -- settled by a person ------------------------------------------------------------------------------------


@pytest.fixture
def doubt(school: School) -> tuple[int, bytes]:
    """7, who is known, and 8 with its ECK iD."""
    school.learn(noord=[seen(SEVEN)], zuid=[])
    who = school.who("las-key", "7")
    assert who is not None
    school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT)])
    [one] = doubts(school.database, KEYS)
    assert (one.source, one.kind, one.numbers, one.subject) == ("lvs", SHARED, ("7",), who)
    return one.number, who


def test_one_pupil_with_two_numbers_is_found_by_both(school: School, doubt: tuple[int, bytes]) -> None:
    number, who = doubt
    settle_as_one(school.database, KEYS, number, "8", an_act())
    for _ in range(2):
        assert school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT, "zuid")]) == {"noord": 0, "zuid": 0}

    assert school.who("las-key", "7") == school.who("las-key", "8") == school.who("eck-id", "e") == who
    assert doubts(school.database, KEYS) == []


def test_third_number_is_in_doubt_again(school: School, doubt: tuple[int, bytes]) -> None:
    settle_as_one(school.database, KEYS, doubt[0], "8", an_act())
    nine = seen({"las-key": "9", "eck-id": "e"})
    school.learn(noord=[seen(SEVEN), nine], zuid=[seen(EIGHT, "zuid")])

    assert school.who("las-key", "7") is school.who("las-key", "9") is None


def test_two_pupils_are_each_found_by_what_is_theirs(school: School, doubt: tuple[int, bytes]) -> None:
    """The ECK iD was 8's all along, and the LVS says so now."""
    number, who = doubt
    settle_as_two(school.database, KEYS, number, "7", an_act())
    school.learn(noord=[seen({"las-key": "7"})], zuid=[seen(EIGHT, "zuid")])

    assert school.who("las-key", "7") == who
    assert school.who("las-key", "8") == school.who("eck-id", "e") not in {who, None}


def test_pupil_who_keeps_no_number_is_found_by_none(school: School, doubt: tuple[int, bytes]) -> None:
    """The LVS gave the number of who left to another."""
    settle_as_two(school.database, KEYS, doubt[0], "", an_act())
    school.learn(noord=[seen({"las-key": "7"})], zuid=[])

    assert school.who("las-key", "7") not in {doubt[1], None}


def test_two_pupils_of_whom_the_lvs_still_says_the_same_are_in_doubt_again(
    school: School, doubt: tuple[int, bytes]
) -> None:
    settle_as_two(school.database, KEYS, doubt[0], "7", an_act())
    school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT, "zuid")])

    assert school.who("las-key", "7") is school.who("las-key", "8") is school.who("eck-id", "e") is None


def test_two_who_were_joined_are_two_again(school: School) -> None:
    school.learn(noord=[seen(SEVEN)], zuid=[])
    who = school.who("las-key", "7")
    school.learn(noord=[], zuid=[seen(EIGHT)])
    school.learn(noord=[seen(SEVEN)], zuid=[seen(EIGHT)])
    [one] = doubts(school.database, KEYS)
    assert (one.kind, set(one.numbers)) == (MIXED, {"7", "8"})
    settle_as_two(school.database, KEYS, one.number, "7", an_act())
    school.learn(noord=[seen(SEVEN)], zuid=[seen({"las-key": "8", "eck-id": "f"})])

    assert school.who("las-key", "7") == who
    assert school.who("las-key", "8") not in {who, None}


@pytest.mark.parametrize(("settle", "number"), [(settle_as_one, "8"), (settle_as_two, "7")])
def test_who_was_settled_is_where_they_were_until_the_next_round(
    school: School, doubt: tuple[int, bytes], settle: Callable[..., None], number: str
) -> None:
    """Else recipients would hear that they left."""
    settle(school.database, KEYS, doubt[0], number, an_act())

    assert school.there(doubt[1]) == ["noord"]


def test_who_keeps_no_number_is_nowhere(school: School, doubt: tuple[int, bytes]) -> None:
    settle_as_two(school.database, KEYS, doubt[0], "", an_act())

    assert school.there(doubt[1]) == []


def test_who_might_be_two_has_not_gone_until_it_is_settled(school: School, doubt: tuple[int, bytes]) -> None:
    number, who = doubt
    assert [roster.unsure(who) for roster in school.rosters] == [True, True]
    settle_as_one(school.database, KEYS, number, "8", an_act())
    school.there(who)

    assert [roster.unsure(who) for roster in school.rosters] == [False, False]


@pytest.mark.usefixtures("doubt")
def test_who_might_be_two_and_is_gone_leaves_no_location_in_doubt(school: School) -> None:
    assert school.learn(noord=[], zuid=[seen(EIGHT, "zuid")])["noord"] is not None


@pytest.mark.parametrize("settle", [settle_as_one, settle_as_two])
def test_number_of_another_pupil_settles_nothing(
    school: School, settle: Callable[..., None], doubt: tuple[int, bytes]
) -> None:
    school.learn(noord=[seen({"las-key": "9"})])
    for number in (doubt[0], 99):
        with pytest.raises(NotInDoubt):
            settle(school.database, KEYS, number, "9", an_act())

    assert len(doubts(school.database, KEYS)) == 1


def test_settling_stands_in_the_register(school: School, doubt: tuple[int, bytes]) -> None:
    settle_as_two(school.database, KEYS, doubt[0], "7", an_act())

    [entry] = [json.loads(body) for body in last_bodies(school.database, 5)]
    assert (entry["outcome"], entry["actor"], entry["released"]) == ("pupil is two", "p.officer", 1)
