"""The roster of a source that speaks Somtoday Connect: who is where, in which lesgroepen, what is not learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.roster import Detail, Outcome, RosterSource, RosterSync
from gateway.adapters.pupils.somtoday import Somtoday
from gateway.core.model import Enrolment, Person
from gateway.core.policy.terms import Location
from gateway.demo.school import SITES
from gateway.demo.somtoday import Somtoday as DemoSomtoday
from gateway.demo.somtoday import Unknown, leerling_id, vestiging_id
from gateway.transfer.ports import NotSent, Observation, UpstreamAnswer
from tests.simulators.somtoday import demo_school

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NORTH = Location("noord", "Noord", frozenset({("V_ID", "01AB00"), ("vestiging", "v-north")}))
SOUTH = Location("zuid", "Zuid", frozenset({("vestiging", "v-south")}))
Json = dict[str, Any]


def placing(**more: Any) -> Json:
    return {"uuid": "p", "startdatum": "2026-08-01", "einddatum": "2027-07-31", "leerjaar": 3, **more}


def pupil(uuid: str, *groups: str, **more: Any) -> Json:
    return {"uuid": uuid, "plaatsingen": [placing()], "lesgroepen": [{"uuid": one} for one in groups], **more}


def group(uuid: str, members: Sequence[str] = (), teachers: Sequence[str] = ()) -> Json:
    return {"uuid": uuid, "leerlingen": [{"uuid": one} for one in members], "docenten": [*teachers]}


@dataclass
class Lvs:
    """Answers pages of `most` records. `moves`: the first pupil leaves once a page was given."""

    pupils: dict[str, list[Json]]
    groups: dict[str, list[Json]] = field(default_factory=dict)
    most: int = 2
    down: bool = False
    moves: bool = False
    learned: dict[str, Sequence[Observation]] = field(default_factory=dict)

    async def fetch(self, _source: str, path: str, query: str, _limits: Limits) -> UpstreamAnswer:
        if self.down:
            raise NotSent
        vestiging, _, what = path.removeprefix("/rest/v1/connect/vestiging/").partition("/")
        if vestiging not in self.pupils:
            return UpstreamAnswer(404, "", b"")
        at, records = int(dict(parse_qsl(query))["offset"]), self.pupils[vestiging]
        name, records = (
            ("leerlingen", records) if what == "leerling" else ("lesgroepen", self.groups.get(vestiging, []))
        )
        body = msgspec.json.encode({name: records[at : at + self.most]})
        if self.moves and name == "leerlingen":
            records.reverse()
        return UpstreamAnswer(200, "application/json", body)

    def learn(
        self, _source: str, told: Mapping[str, Sequence[Observation]], *_: object, believed: object = ()
    ) -> Mapping[str, int]:
        self.learned.update(told)
        return {}

    async def sync(self, *locations: Location, numbers: str | None = None) -> tuple[Outcome, ...]:
        source = RosterSource("somtoday", locations or (NORTH,), numbers)
        return await RosterSync(Somtoday(self.fetch, Limits()), self, [source], bytes).run_source("somtoday", NOW)

    def one(self, uuid: str) -> Observation:
        (found,) = (one for one in self.learned["noord"] if one.ids["las-key"] == uuid)
        return found


async def test_everybody_is_learned_at_their_vestiging_with_their_groups() -> None:
    lvs = Lvs(
        {"v-north": [pupil("p1", "g1"), pupil("p2"), pupil("p3")], "v-south": [pupil("p4")]},
        {"v-north": [group("g1", ["p1"], ["t1"]), group("g2", ["p2"], ["t1", "t2"]), group("g3", ["p2"])]},
    )

    await lvs.sync(NORTH, SOUTH)

    assert {one.ids["las-key"] for one in lvs.learned["noord"]} == {"p1", "p2", "p3", "t1", "t2"}
    assert [one.ids for one in lvs.learned["zuid"]] == [{"las-key": "p4"}]
    assert lvs.one("p1").enrolments == (Enrolment("noord", 3, date(2026, 8, 1), date(2027, 7, 31)),)
    assert [lvs.one(one).groups for one in ("p1", "p2", "t1")] == [{"g1"}, {"g2", "g3"}, {"g1", "g2"}]
    assert lvs.one("t2").person is Person.STAFF


async def test_stamgroep_is_a_group_and_its_mentor_an_employee() -> None:
    mentor = {"medewerker_uuid": "m1", "toewijzing": "EersteMentorStamgroep"}
    lvs = Lvs({"v-north": [pupil("p1", plaatsingen=[placing(stamgroep={"uuid": "s1"}, mentoren=[mentor])])]})

    await lvs.sync()

    assert lvs.one("p1").groups == lvs.one("m1").groups == {"s1"}


async def test_number_of_the_other_source_and_eck_id_are_ids_of_the_pupil() -> None:
    lvs = Lvs({"v-north": [pupil("p1", leerlingnummer=100001, eckid="https://ketenid.example/1")]})

    await lvs.sync(numbers="lvs")

    assert lvs.one("p1").ids == {
        "las-key": "p1", "las-key@lvs": "100001", "eck-id": "https://ketenid.example/1"
    }  # fmt: skip


async def test_day_that_is_not_told_is_open() -> None:
    lvs = Lvs({"v-north": [pupil("p1", plaatsingen=[{"uuid": "p"}])]})

    await lvs.sync()

    assert lvs.one("p1").enrolments == (Enrolment("noord", None, date.min, None),)


async def test_pupil_of_two_vestigingen_of_one_location_is_one() -> None:
    both = Location("noord", "Noord", frozenset({("vestiging", "v-north"), ("vestiging", "v-south")}))
    later = pupil("p1", "g2", plaatsingen=[placing(startdatum="2026-10-01", leerjaar=4)])
    lvs = Lvs({"v-north": [pupil("p1", "g1")], "v-south": [later]})

    await lvs.sync(both)

    assert [one.year for one in lvs.one("p1").enrolments] == [3, 4]
    assert lvs.one("p1").groups == {"g1", "g2"}


@pytest.mark.parametrize(
    ("wrong", "failure"),
    [
        ({"uuid": "p2"}, "malformed"),  # no permission for plaatsingen
        (pupil("p2", plaatsingen=[placing(startdatum="1 augustus")]), "malformed"),
        (pupil("p2", vestiging={"uuid": "v-south"}), "unusable"),
    ],
)
async def test_vestiging_with_one_wrong_record_is_not_learned(wrong: Json, failure: str) -> None:
    """Left out, that pupil would count as gone."""
    lvs = Lvs({"v-north": [pupil("p1"), wrong]})

    assert [one.failure for one in await lvs.sync()] == [failure]
    assert lvs.learned == {}


async def test_list_that_is_another_each_time_it_is_read_is_not_learned() -> None:
    """Somebody was passed over, and would count as gone."""
    lvs = Lvs({"v-north": [pupil(f"p{number}") for number in range(6)]}, moves=True)

    assert [one.failure for one in await lvs.sync()] == ["unusable"]
    assert lvs.learned == {}


async def test_source_that_gives_one_record_at_a_time_is_read_whole() -> None:
    lvs = Lvs({"v-north": [pupil(f"p{number}") for number in range(3)]}, most=1)

    await lvs.sync()

    assert len(lvs.learned["noord"]) == 3


async def test_location_without_a_vestiging_and_one_the_source_does_not_know_are_not_learned() -> None:
    nowhere = Location("nergens", "Nergens", frozenset({("V_ID", "01AB02")}))
    lvs = Lvs({"v-north": [pupil("p1")]})

    outcomes = await lvs.sync(NORTH, SOUTH, nowhere)

    assert [one.failure for one in outcomes] == [None, "unusable", "unusable"]
    assert list(lvs.learned) == ["noord"]


async def test_source_that_does_not_answer_is_not_learned() -> None:
    lvs = Lvs({}, down=True)

    assert [one.failure for one in await lvs.sync(NORTH, SOUTH)] == ["not-reached", "not-reached"]


async def test_birth_date_and_number_of_each_pupil_are_told() -> None:
    lvs = Lvs({"v-north": [pupil("p1", geboortedatum="2012-03-01", BSN="999997701"), pupil("p2")]})

    told = await Somtoday(lvs.fetch, Limits()).details(RosterSource("somtoday", (NORTH,)), NORTH, date(2026, 11, 22))

    assert told == [
        Detail(frozenset({("las-key", "p1")}), "2012-03-01", "999997701"),
        Detail(frozenset({("las-key", "p2")}), None, None),
    ]
    assert "p1" not in repr(told)


async def test_demo_school_is_learned_whole() -> None:
    demo = DemoSomtoday(demo_school())

    async def fetch(_source: str, path: str, query: str, _limits: Limits) -> UpstreamAnswer:
        vestiging, _, what = path.removeprefix("/rest/v1/connect/vestiging/").partition("/")
        try:
            return UpstreamAnswer(
                200, "application/json", demo.answer(what, {"vestiging": vestiging}, dict(parse_qsl(query)))
            )
        except Unknown:
            return UpstreamAnswer(404, "", b"")

    lvs = Lvs({})
    places = tuple(Location(one.name, one.title, frozenset({("vestiging", vestiging_id(one))})) for one in SITES)
    sync = RosterSync(Somtoday(fetch, Limits()), lvs, [RosterSource("somtoday", places)], bytes)
    outcomes = await sync.run_source("somtoday", NOW)

    assert [one.failure for one in outcomes] == [None, None]
    for site in SITES:
        here = {leerling_id(one) for one in demo_school().pupils if not one.left and one.stays[-1].site is site}
        told = [one for one in lvs.learned[site.name] if one.person is Person.PUPIL]
        assert {one.ids["las-key"] for one in told} == here
        assert all(one.groups for one in told)
