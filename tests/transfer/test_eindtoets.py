"""Eindtoetsketen, the way back: results reach the school's own system, at the pupil whose ECK iD left with the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest

from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.transfer.ports import NotSent, OutcomeUnknown, UpstreamAnswer, UpstreamFailed
from gateway.transfer.request import Request
from tests import builders_push as build
from tests.builders_formats import pupil
from tests.official import needs_standards, problems
from tests.policy.shipped import answered
from tests.simulators.left import Left, left
from tests.simulators.upstream import Broken
from tests.simulators.world import School, a_request, a_school, policy

pytestmark = pytest.mark.anyio

LIST = b"/lvs/push/doorstroomtoets/doorstroomtoets/registreren"
BACK = f"edu-to={build.ADMINISTRATION}&edu-from={build.OIN}"
PURPOSE = "doorstroomtoets-resultaat"
OFFICIAL = "eindtoets/eindtoetsketen-openapi.yaml"


@pytest.fixture
async def school() -> School:
    """Pupils 2 and 3 stand in the list that left."""
    compiled = policy(texts=(("doorstroomtoets", answered("doorstroomtoets")),))
    found = a_school(compiled=compiled, pupils=[pupil(number) for number in range(1, 7)])
    found.endpoints.answers = lambda _: UpstreamAnswer(202, "", b"")

    async def read() -> bytes:
        return build.participants(2, 3)

    query = f"edu-to={build.OIN}&edu-from={build.ADMINISTRATION}".encode()
    listed = Request("POST", LIST, query, {b"content-type": b"application/json"}, "203.0.113.7", read)
    assert (await found.transfers.answer(Caller("school-1", "school", None, None), listed)).reason is None
    found.journal.clear()
    return found


async def bring(school: School, result: dict[str, Any], query: str = BACK) -> Left:
    who = Caller("doorstroomtoets-1", "recipient", "doorstroomtoets", PURPOSE)
    return await left(await school.transfers.answer(who, a_request(f"/lvs/leerlingresultaat?{query}", body=result)))


def sent(school: School) -> dict[str, Any]:
    """What reached the school's system."""
    (call,) = school.upstream.calls
    assert (call.method, call.path, call.query) == ("POST", "/leerlingresultaat", BACK)
    found: dict[str, Any] = orjson.loads(call.body or b"")
    return found


async def test_result_reaches_the_system_under_its_own_key_registered_first(school: School) -> None:
    told = await bring(school, build.result(2))

    assert (told.status, told.json()) == (202, {"melding": "Het leerlingresultaat is ontvangen."})
    scores = sent(school)["resultatenscores"]
    assert scores["deelnemerref"] == [{"label": "LAS-key", "onderwijsdeelnemerID": "las-2"}]
    assert scores["resultaten"]["resultaten"] == [{"label": "Toetsadvies", "waarde": "vwo"}]
    assert school.journal == [
        "register transfer released",
        "write POST /leerlingresultaat",
        "register closing acknowledged",
    ]
    assert school.register.drafts[-2].released == (school.pupils[2],)


@needs_standards
async def test_result_is_as_the_official_api_says_before_and_after(school: School) -> None:
    told = await bring(school, build.result(2))

    for body in (build.result(2), sent(school)):
        assert problems(OFFICIAL, "Leerlingresultaat", body) == []
    assert problems(OFFICIAL, "Ontvangstmelding", told.json()) == []


async def test_address_of_the_report_and_what_no_list_names_do_not_come_in(school: School) -> None:
    """R15."""
    result = build.result(2, opmerking="was onrustig")
    await bring(school, result | {"leerling": {"achternaam": "Jansen"}})

    text = orjson.dumps(sent(school)).decode()
    assert not any(word in text for word in ("leerlingrapport", "toets.example", "onrustig", "Jansen", "ketenid"))


async def test_result_of_whom_no_list_named_goes_nowhere(school: School) -> None:
    """R42: the ECK iD of a pupil who did not leave with the list leads nowhere, nor does the school's own key."""
    own = [{"label": "LAS-key", "onderwijsdeelnemerID": "las-2"}]
    both = build.result(2)["resultatenscores"]["deelnemerref"] + [{"label": "LAS-key", "onderwijsdeelnemerID": "las-3"}]
    for result in (
        build.result(4),
        build.result(99),
        build.result(2, deelnemerref=own),
        build.result(2, deelnemerref=both),
        build.result(2, deelnemerref=[]),
    ):
        told = await bring(school, result)

        assert (told.status, told.json()) == (422, {"melding": "NOT_AVAILABLE"})
        assert told.header("gateway-reason") == "NOT_AVAILABLE"
    assert school.upstream.calls == []


@pytest.mark.parametrize("now", [None, 5], ids=["nobody", "another"])
async def test_result_under_an_eck_id_that_is_no_longer_the_pupils_goes_nowhere(
    school: School, now: int | None
) -> None:
    """R109: the LVS corrected it since the list left; whose result it is nobody knows."""
    ids = {2: {"las-key": "las-2"}} | ({now: {"las-key": f"las-{now}", **_eck(school, 2)}} if now else {})
    for number, known in ids.items():
        one = school.pupils[number]
        school.roster.people[one.id] = replace(one, ids=known)

    assert (await bring(school, build.result(2))).status == 422
    assert school.upstream.calls == []


def _eck(school: School, number: int) -> dict[str, str]:
    return {"eck-id": school.pupils[number].ids["eck-id"]}


async def test_result_of_a_restricted_pupil_waits_like_one_of_nobody(school: School) -> None:
    school.record(2, Restriction(ground=RestrictionGround.ACCURACY, since=date(2026, 11, 1)))

    told = await bring(school, build.result(2))

    assert (told.status, told.json(), school.upstream.calls) == (422, {"melding": "NOT_AVAILABLE"}, [])


async def test_same_result_twice_stands_once_and_a_correction_comes_after(school: School) -> None:
    first = await bring(school, build.result(2))
    again = await bring(school, build.result(2) | {"datumtijd": "2027-02-16T09:30:00Z"})
    corrected = await bring(school, build.result(2, versie="Definitief 2"))

    assert [told.status for told in (first, again, corrected)] == [202, 202, 202]
    assert len(school.upstream.calls) == 2


@pytest.mark.parametrize(
    ("broken", "status", "reason"),
    [
        (NotSent, 503, Reason.NOT_SENT),
        (OutcomeUnknown, 504, Reason.OUTCOME_UNKNOWN),
        (UpstreamFailed, 502, Reason.UPSTREAM_FAILED),
    ],
)
async def test_recipient_hears_truthfully_what_became_of_it(
    school: School, broken: Broken, status: int, reason: Reason
) -> None:
    school.upstream.broken = broken
    told = await bring(school, build.result(2))

    assert (told.status, told.header("gateway-reason")) == (status, reason.value)
    school.upstream.broken = None
    assert (await bring(school, build.result(2))).status == 202


@pytest.mark.parametrize("status", [401, 405, 422])
async def test_result_that_the_system_refuses_is_told_without_its_words(school: School, status: int) -> None:
    said = UpstreamAnswer(status, "application/json", b'{"melding": "Jan Jansen onbekend"}')
    school.upstream.writes = lambda _: said
    told = await bring(school, build.result(2))

    assert (told.status, told.header("gateway-reason")) == (422, "STATEMENT_REFUSED")
    assert b"Jan" not in told.body


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        (BACK.replace("01AB", "09ZZ"), 405, "LOCATION_OUT_OF_SCOPE"),
        (BACK.replace(build.OIN, "0000000700001AB01000"), 405, "LOCATION_OUT_OF_SCOPE"),
        (f"edu-to={build.ADMINISTRATION}", 400, "PARAMETER_MISSING"),
        (f"{BACK}&school=1", 400, "PARAMETER_UNKNOWN"),
    ],
)
async def test_school_that_is_not_named_as_agreed_is_not_known(
    school: School, query: str, status: int, reason: str
) -> None:
    told = await bring(school, build.result(2), query)

    assert (told.status, told.header("gateway-reason")) == (status, reason)
    assert set(told.json()) == {"melding"}
    assert told.header("allow") == ("POST" if status == 405 else None)


@pytest.mark.parametrize(
    "change",
    [
        {"versie": "Eindtoetsketen_v9"},
        {"resultatenscores": [build.result(2)["resultatenscores"]]},
        {"resultatenscores": None},
        {"toets": "0011"},
        {"datumtijd": "gisteren"},
        {"auteur": "bsn 123456782"},
    ],
)
async def test_message_that_is_not_as_the_standard_says_is_refused(school: School, change: dict[str, Any]) -> None:
    told = await bring(school, build.result(2) | change)

    assert (told.status, told.header("gateway-reason")) == (422, "BODY_INVALID")
    assert school.upstream.calls == []
