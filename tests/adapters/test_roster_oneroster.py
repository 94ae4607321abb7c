"""The roster of a source that speaks OneRoster: who is where, and that its pupils are those of the other source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.oneroster import OneRoster
from gateway.adapters.pupils.roster import RosterSource, RosterSync
from gateway.adapters.store_keys import StoreKeys
from gateway.core.model import Enrolment, Person
from gateway.core.policy.terms import Location
from gateway.transfer.ports import NotSent, Observation, UpstreamAnswer

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NORTH = Location("noord", "Noord", frozenset({("V_ID", "01AB00"), ("sourcedId", "s-north")}))
SOUTH = Location("zuid", "Zuid", frozenset({("sourcedId", "s-south")}))
Json = dict[str, Any]


def user(id_: str, role: str = "student", at: str = "s-north", **more: Any) -> Json:
    roles = [{"roleType": "primary", "role": role, "org": {"sourcedId": at}, "beginDate": "2026-08-01"}]
    return {"sourcedId": id_, "status": "active", "roles": roles, **more}


def enrolment(who: str, group: str, at: str = "s-north", **more: Any) -> Json:
    refs = {"user": {"sourcedId": who}, "class": {"sourcedId": group}, "school": {"sourcedId": at}}
    return {"sourcedId": f"{who}-{group}", "status": "active", **refs, **more}


@dataclass
class Lvs:
    """Answers pages of `most` records, and, as some do, not how many there are."""

    users: list[Json]
    enrollments: list[Json] = field(default_factory=list)
    most: int = 2
    down: bool = False
    moves: int = 0
    learned: dict[str, Sequence[Observation]] = field(default_factory=dict)

    async def fetch(self, _source: str, path: str, query: str, _limits: Limits) -> UpstreamAnswer:
        if self.down:
            raise NotSent
        name, asked = path.rpartition("/")[2], dict(parse_qsl(query))
        at = int(asked["offset"])
        body = {name: getattr(self, name)[at : at + self.most]}
        if self.moves:  # somebody goes, and another comes at the end
            self.moves -= 1
            self.users = [*self.users[1:], {**self.users[-1], "sourcedId": f"z-{self.moves}"}]
        return UpstreamAnswer(200, "application/json", msgspec.json.encode(body))

    def learn(
        self, _source: str, told: Mapping[str, Sequence[Observation]], *_: object, believed: object = ()
    ) -> Mapping[str, int]:
        self.learned.update(told)
        return {}

    async def sync(self, numbers: str | None = None) -> Sequence[Any]:
        sources = [RosterSource("oneroster", (NORTH, SOUTH), numbers)]
        sync = RosterSync(OneRoster(self.fetch, Limits(1, 1, 1, 1)), self, sources, bytes)
        return await sync.run_source("oneroster", NOW)


async def test_everybody_is_learned_at_their_school_with_their_classes() -> None:
    lvs = Lvs(
        [user("p1", grades=["3"]), user("p2", at="s-south"), user("t1", "teacher")],
        [enrolment("p1", "c1"), enrolment("p1", "c2", endDate="2026-11-22"), enrolment("t1", "c1")],
    )

    await lvs.sync()

    pupil, teacher = lvs.learned["noord"]
    assert (pupil.person, teacher.person) == (Person.PUPIL, Person.STAFF)
    assert pupil.ids == {"las-key": "p1"}
    assert pupil.enrolments == (Enrolment("noord", 3, date(2026, 8, 1), None),)
    assert pupil.groups == teacher.groups == {"c1"}
    assert [one.ids["las-key"] for one in lvs.learned["zuid"]] == ["p2"]


async def test_number_of_the_other_source_and_eck_id_are_ids_of_the_pupil() -> None:
    lvs = Lvs([user("p1", identifier="100001", userMasterIdentifier="https://ketenid.example/1")])

    await lvs.sync("lvs")

    (pupil,) = lvs.learned["noord"]
    assert pupil.ids["las-key@lvs"] == "100001"
    assert pupil.ids["eck-id"] == "https://ketenid.example/1"


def test_number_of_the_other_source_is_looked_up_there() -> None:
    keys = StoreKeys(bytes(32))

    assert id_lookup(keys, "oneroster", "las-key@lvs", "1") == id_lookup(keys, "lvs", "las-key", "1")
    assert id_lookup(keys, "oneroster", "las-key", "1") != id_lookup(keys, "lvs", "las-key", "1")


@pytest.mark.parametrize("one", [user("g", "guardian"), user("gone") | {"status": "tobedeleted"}])
async def test_guardian_and_who_left_are_not_learned(one: Json) -> None:
    lvs = Lvs([user("p1"), one])

    await lvs.sync()

    assert [each.ids["las-key"] for each in lvs.learned["noord"]] == ["p1"]


async def test_who_is_a_pupil_and_an_employee_at_once_is_unclear() -> None:
    both = user("b")
    both["roles"].append({"roleType": "secondary", "role": "teacher", "org": {"sourcedId": "s-north"}})
    lvs = Lvs([both])

    assert [one.unclear for one in await lvs.sync()] == [1, 0]
    assert lvs.learned["noord"] == []


async def test_list_that_moves_while_it_is_read_is_learned_with_all_who_stay() -> None:
    lvs = Lvs([user(f"p-{number}") for number in range(9)], most=3, moves=1)

    await lvs.sync()

    assert {f"p-{number}" for number in range(1, 9)} <= {one.ids["las-key"] for one in lvs.learned["noord"]}


async def test_source_that_does_not_answer_is_not_learned() -> None:
    lvs = Lvs([user("p1")], down=True)

    assert [one.failure for one in await lvs.sync()] == ["not-reached", "not-reached"]
    assert lvs.learned == {}
