"""Somtoday Connect through the gateway: every answer as the official description says, and nothing beside it."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.gate.decide import Permit
from gateway.core.model import Enrolment, Person, Subject
from gateway.core.reasons import Reason
from gateway.demo.somtoday import BASE, Somtoday, docent_id
from gateway.transfer.export import Export
from gateway.transfer.filing import Wanted
from gateway.transfer.pages import Asked
from gateway.transfer.ports import NotSent, UpstreamCall
from tests.official import needs_standards, problems
from tests.policy.shipped import schemas
from tests.simulators.journal import SimulatedJournal
from tests.simulators.left import left
from tests.simulators.somtoday import (
    NOORD,
    ORGANISATION,
    RECIPIENT,
    ZUID,
    SomtodayUpstream,
    a_somtoday_school,
    connect,
    demo_school,
    policy,
)
from tests.simulators.world import SIZES, School

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


async def test_docenten_leave_under_a_pseudonym_and_only_those_the_roster_knows(school: School) -> None:
    """An id that stands by itself in a list is a person's as any other."""
    told = [one.get("docenten", []) for one in await groups(school)]
    known = {one.ids["las-key"] for one in school.pupils.values() if one.person is Person.STAFF}
    raw = {docent_id(teacher) for group in demo_school().groups for _, teacher in group.teachers}
    left = {who for one in told for who in one}

    assert {len(one) for one in told} == {0, 1}
    assert 0 < len(left) <= len(known) < len(raw)
    assert not left & raw


async def test_docent_by_another_type_than_an_id_makes_the_lesgroep_malformed(school: School) -> None:
    assert isinstance(school.upstream, SomtodayUpstream)
    whole = await groups(school)
    mine = [one for one in demo_school().groups if one.subject is not None and one.id in school.pupils[1].groups]
    school.upstream.changed = frozenset({mine[0].id})

    assert len(await groups(school)) == len(whole) - 1


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


DOCENTEN = """\
          "docenten.#text":
            transform: pseudonym
            reason: De docent zet oefeningen klaar voor de eigen lesgroepen; het kenmerk is per ontvanger omgezet.
"""


@pytest.mark.parametrize("granted", [DOCENTEN, ""])
async def test_teacher_alone_makes_a_lesgroep_none_of_this_delivery(granted: str) -> None:
    school = a_somtoday_school(compiled=policy((DOCENTEN, granted)))
    group = (await groups(school))[0]["uuid"]
    (own,) = {one.value for one in school.register.issued.values() if (one.thing, one.pseudonym) == ("group", group)}
    stay = Enrolment("noord", None, date(2026, 8, 1), None)
    for number in list(school.pupils):
        school.record(number, Restriction(ground=RestrictionGround.ACCURACY))
    school.enrol(Subject(b"d" * 16, Person.STAFF, b"e" * 16, {"las-key": "doc"}, (stay,), frozenset({own or ""})))
    school.upstream.calls.clear()

    answer = await left(await connect(school, f"/lesgroep/{group}"))

    assert (answer.status, len(school.upstream.calls)) == (404, 0)


async def test_next_page_is_asked_with_what_the_first_was(school: School) -> None:
    first = await left(await connect(school, "/lesgroep/?amount=2&stamgroep=true"))
    link = (first.header("link") or "").partition(">")[0].partition("/connect/vestiging/" + NOORD)[2]
    second = await left(await connect(school, link))

    assert "stamgroep=true" in link
    assert second.status == 200
    assert second.json()["lesgroepen"] != first.json()["lesgroepen"]


async def test_vestigingen_are_those_of_the_delivery(school: School) -> None:
    answer = await left(await school.ask(f"/lvs{BASE}/vestiging", recipient=RECIPIENT))

    assert answer.json() == {"vestigingen": [{"uuid": NOORD, "naam": "Locatie Noord"}]}
    assert [(call.path, call.query) for call in school.upstream.calls] == [(f"{BASE}/vestiging", "")]


@pytest.mark.parametrize("vestiging", [ZUID, UNKNOWN])
async def test_vestiging_outside_the_delivery_is_refused_before_the_source_is_asked(
    school: School, vestiging: str
) -> None:
    answer = await connect(school, "/leerling?amount=5", vestiging=vestiging)

    assert answer.reason is Reason.LOCATION_OUT_OF_SCOPE
    assert school.upstream.calls == []


async def test_walk_shows_everybody_once_also_when_a_fifth_is_withheld(school: School) -> None:
    """Every page but the last is full, whoever stayed behind between two of them."""
    for number in list(school.pupils)[:12:5]:
        school.record(number, Restriction(ground=RestrictionGround.ACCURACY))
    whole = [one["uuid"] for one in await pupils(school)]

    pages = [[one["uuid"] for one in await pupils(school, f"amount=2&offset={at}")] for at in range(0, 12, 2)]

    assert [len(page) for page in pages] == [2, 2, 2, 2, 1, 0]
    assert [one for page in pages for one in page] == whole
    assert len(set(whole)) == 9


async def test_list_of_a_vestiging_waits_until_its_recipient_heard_whom_to_keep() -> None:
    """Who replaces everything by each list hears of a restriction first (N12)."""
    school = a_somtoday_school(compiled=policy(("channel: api\n", "channel: api\n    notices: true\n")))
    before = {one["uuid"] for one in await pupils(school)}
    school.record(1, Restriction(ground=RestrictionGround.ACCURACY))

    waiting = await connect(school, "/leerling?amount=200")
    (notice,) = (await left(await school.ask("/lvs/notices?schema=somtoday", recipient=RECIPIENT))).json()
    after = {one["uuid"] for one in await pupils(school)}

    assert waiting.reason is Reason.NOTICES_FIRST
    assert (notice["notice"], {notice["pupil"]}) == ("restrict", before - after)


async def test_export_reads_every_vestiging_of_the_delivery_to_its_end(school: School) -> None:
    journal = SimulatedJournal()
    wanted = Wanted("lvs", "somtoday", RECIPIENT, "oefenen-klaarzetten")
    asked = Asked("job", "j.jansen", ("reason: toets",), wanted, ("Leerling",))

    found = await Export(school.outside, SIZES, asked, NoStream(), journal, lambda _: None).read_all()

    records = [orjson.loads(row) for rows in journal.kept.values() for _, row in rows]
    assert (found.stop, len(records), len({one["uuid"] for one in records})) == (None, 12, 12)
    assert {draft.route for draft in school.register.drafts} == {"GET /vestiging/{vestigingUUID}/leerling"}
    assert {call.path for call in school.upstream.calls} == {f"{BASE}/vestiging/{NOORD}/leerling"}


async def test_export_reads_every_vestiging_of_one_location(school: School) -> None:
    """As its roster does: whoever is at the second would be lost."""
    noord = ORGANISATION.locations["noord"]
    both = replace(noord, ids=noord.ids | {("vestiging", ZUID)})
    school.world.organisation = replace(ORGANISATION, locations={"noord": both})
    wanted = Wanted("lvs", "somtoday", RECIPIENT, "oefenen-klaarzetten")
    asked = Asked("job", "j.jansen", ("reason: toets",), wanted, ("Leerling",))

    await Export(school.outside, SIZES, asked, NoStream(), SimulatedJournal(), lambda _: None).read_all()

    paths = {call.path for call in school.upstream.calls}
    assert paths == {f"{BASE}/vestiging/{one}/leerling" for one in (NOORD, ZUID)}


class NoStream:
    """transfer.pages.Source of which no list is read as it comes."""

    def stream(self, permit: Permit, call: UpstreamCall) -> AsyncGenerator[bytes]:
        raise NotSent


async def test_list_of_plaatsingen_is_no_route(school: School) -> None:
    answer = await connect(school, "/plaatsing?amount=5")

    assert answer.reason is Reason.ROUTE_UNKNOWN


async def test_amount_that_cannot_be_is_refused_by_its_name(school: School) -> None:
    answer = await left(await connect(school, "/leerling?amount=0"))

    assert (answer.status, "amount: 1 to" in answer.json()["detail"]) == (400, True)


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
@pytest.mark.parametrize("record", ["Leerling", "Lesgroep", "Vestiging"])
def test_every_field_of_the_official_description_is_classified(record: str) -> None:
    official = json.loads((Path(os.environ["STANDARDS_DIR"]) / OFFICIAL).read_text("utf-8"))["components"]["schemas"]

    assert schemas()["somtoday"].records[record].fields.fields.keys() == official[record]["properties"].keys()
