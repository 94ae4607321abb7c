"""Somtoday Connect through the gateway: every answer as the official description says, and nothing beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.reasons import Reason
from gateway.demo.somtoday import Somtoday
from tests.official import needs_standards, problems
from tests.policy.shipped import schemas
from tests.simulators.left import left
from tests.simulators.somtoday import NOORD, ZUID, SomtodayUpstream, a_somtoday_school, connect, demo_school
from tests.simulators.world import School

pytestmark = pytest.mark.anyio

OFFICIAL = "somtoday/connect-openapi.json"
UNKNOWN = "00000000-0000-8000-8000-000000000000"


@pytest.fixture
def school() -> School:
    return a_somtoday_school()


async def pupils(school: School, query: str = "amount=200", **more: str) -> list[dict[str, Any]]:
    answer = await left(await connect(school, f"/leerling?{query}", **more))
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json()["leerlingen"]
    return found


async def groups(school: School) -> list[dict[str, Any]]:
    answer = await left(await connect(school, "/lesgroep/?amount=200"))
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json()["lesgroepen"]
    return found


async def test_pupils_leave_with_what_is_granted_and_no_more(school: School) -> None:
    found = await pupils(school)

    assert len(found) == 12
    assert {key for one in found for key in one} == {"uuid", "plaatsingen", "lesgroepen"}
    assert {key for one in found for placing in one["plaatsingen"] for key in placing} == {"leerjaar", "schooljaar"}
    assert {key for one in found for group in one["lesgroepen"] for key in group} == {"uuid"}


async def test_pupil_is_the_same_in_the_list_alone_and_in_a_lesgroep(school: School) -> None:
    everybody = await pupils(school)
    one = everybody[0]
    alone = await left(await connect(school, f"/leerling/{one['uuid']}"))

    assert alone.json() == {"leerlingen": [one]}
    mine = {group["uuid"] for group in await groups(school) if {"uuid": one["uuid"]} in group["leerlingen"]}
    assert mine == {group["uuid"] for group in one["lesgroepen"]}


async def test_lesgroep_is_found_by_its_own_id_with_its_known_members_only(school: School) -> None:
    everybody = {one["uuid"] for one in await pupils(school)}
    group = (await groups(school))[0]
    alone = await left(await connect(school, f"/lesgroep/{group['uuid']}"))

    assert alone.json() == {"lesgroepen": [group]}
    assert {member["uuid"] for member in group["leerlingen"]} <= everybody


async def test_pages_together_show_everybody_once(school: School) -> None:
    whole = [one["uuid"] for one in await pupils(school)]
    paged = [one["uuid"] for at in range(0, 15, 5) for one in await pupils(school, f"amount=5&offset={at}")]

    assert sorted(paged) == sorted(whole)


async def test_restricted_pupil_is_in_no_list_and_looks_as_one_who_never_was(school: School) -> None:
    before = {one["uuid"] for one in await pupils(school)}
    school.record(1, Restriction(ground=RestrictionGround.ACCURACY))

    (gone,) = before - {one["uuid"] for one in await pupils(school)}
    assert gone not in {member["uuid"] for group in await groups(school) for member in group["leerlingen"]}
    asked = [await left(await connect(school, f"/leerling/{one}")) for one in (gone, UNKNOWN)]
    assert (asked[0].status, asked[0].body) == (asked[1].status, asked[1].body)


async def test_pupil_of_whom_the_source_says_nothing_looks_as_one_who_never_was(school: School) -> None:
    known = (await pupils(school))[0]["uuid"]
    assert isinstance(school.upstream, SomtodayUpstream)
    school.upstream.empty = True

    asked = [await left(await connect(school, f"/leerling/{one}")) for one in (known, UNKNOWN)]

    assert asked[0].status == 404
    assert asked[0].but_for_the_transfer == asked[1].but_for_the_transfer
    assert [one.outcome for one in school.register.drafts[-2:]] == ["not-available", "not-available"]


async def test_lesgroep_of_which_everybody_is_withheld_looks_as_one_that_never_was(school: School) -> None:
    group = (await groups(school))[0]["uuid"]
    for number in school.pupils:
        school.record(number, Restriction(ground=RestrictionGround.ACCURACY))

    asked = [await left(await connect(school, f"/lesgroep/{one}")) for one in (group, UNKNOWN)]

    assert asked[0].status == 404
    assert asked[0].but_for_the_transfer == asked[1].but_for_the_transfer


async def test_next_page_is_asked_with_what_the_first_was(school: School) -> None:
    first = await left(await connect(school, "/lesgroep/?amount=2&stamgroep=true"))
    link = (first.header("link") or "").partition(">")[0].partition("/connect/vestiging/" + NOORD)[2]
    second = await left(await connect(school, link))

    assert "stamgroep=true" in link
    assert second.status == 200
    assert second.json()["lesgroepen"] != first.json()["lesgroepen"]


async def test_vestiging_outside_the_delivery_gives_nobody(school: School) -> None:
    assert await pupils(school, vestiging=ZUID) == []


async def test_list_of_plaatsingen_is_no_route(school: School) -> None:
    answer = await connect(school, "/plaatsing?amount=5")

    assert answer.reason is Reason.ROUTE_UNKNOWN


async def test_list_without_amount_is_refused(school: School) -> None:
    answer = await connect(school, "/leerling")

    assert answer.reason is Reason.PARAMETER_MISSING
    assert school.upstream.calls == []


@needs_standards
@pytest.mark.parametrize(("path", "answer"), [("/leerling", "LeerlingResponse"), ("/lesgroep/", "LesgroepResponse")])
async def test_list_is_what_the_official_description_says_before_and_after(
    school: School, path: str, answer: str
) -> None:
    given = Somtoday(demo_school()).answer(path.strip("/"), {"vestiging": NOORD}, {"amount": "200"})
    told = await left(await connect(school, f"{path}?amount=200"))

    assert problems(OFFICIAL, answer, orjson.loads(given)) == []
    assert problems(OFFICIAL, answer, told.json()) == []
    assert set(told.json()) == set(orjson.loads(given))


@needs_standards
@pytest.mark.parametrize("record", ["Leerling", "Lesgroep"])
def test_every_field_of_the_official_description_is_classified(record: str) -> None:
    official = json.loads((Path(os.environ["STANDARDS_DIR"]) / OFFICIAL).read_text("utf-8"))["components"]["schemas"]

    assert schemas()["somtoday"].records[record].fields.fields.keys() == official[record]["properties"].keys()
