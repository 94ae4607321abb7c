"""UWLR's `laatstontvangengegevens`: all of it, or "nothing changed", by what this recipient would get (N12)."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import etree

from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.model import Caller
from gateway.transfer.released import Released
from tests.builders_uwlr import (
    HAAL,
    PUPILS_OF,
    answered_with,
    answering,
    asking,
    content_of,
    groups,
    keys_in,
    moved,
    people,
    sample,
    wrong,
)
from tests.policy.shipped import answered
from tests.simulators.left import left
from tests.simulators.synchronised import announcing
from tests.simulators.world import School, a_request, a_school, policy

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the files"),
]

PATH = "/uwlr/leerlinggegevens"
CALLER = Caller("client of smalle set", "recipient", "uwlr-smalle-set", "methodetoetsen")
HOUR = timedelta(hours=1)


def a_uwlr_school(change: Callable[[str], str] = str) -> School:
    school = a_school(
        compiled=policy(texts=(("uwlr-smalle-set", change(answered("uwlr-smalle-set"))),)), pupils=people()
    )
    school.upstream.raw[PATH] = answering(moved(sample()))
    return school


async def ask(school: School, more: str = "", action: str = HAAL) -> Released:
    school.clock.now += HOUR
    headers = {"content_type": "text/xml; charset=utf-8", "soapaction": f'"{action}"'}
    answer = await school.transfers.answer(CALLER, a_request(f"/lvs{PATH}", body=asking(action, more), **headers))
    assert isinstance(answer, Released)
    return answer


def since(school: School, zone: str = "Z") -> str:
    """What was received at this moment."""
    return f"<laatstontvangengegevens>{school.clock.now:%Y-%m-%dT%H:%M:%S}{zone}</laatstontvangengegevens>"


def said(answer: Released) -> str:
    assert isinstance(answer.body, bytes), answer.reason
    return str(etree.QName(content_of(answer.body)[0]).localname)


def pupils(answer: Released) -> list[str]:
    assert isinstance(answer.body, bytes), answer.reason
    return keys_in(answered_with(answer.body), "leerlingen/leerling")


def says(school: School, before: bytes, after: bytes) -> None:
    """The administration now has this."""
    assert before in school.upstream.raw[PATH]
    school.upstream.raw[PATH] = school.upstream.raw[PATH].replace(before, after)


async def test_answer_that_the_sender_has_is_that_nothing_changed() -> None:
    school = a_uwlr_school()
    await ask(school)

    answer = await ask(school, since(school))

    assert isinstance(answer.body, bytes)
    assert (said(answer), wrong(etree.tostring(content_of(answer.body)))) == ("geenwijzigingen", [])
    entry = school.register.drafts[-1]
    assert (entry.outcome, entry.released, entry.records) == ("empty", (), 0)


async def test_moment_without_a_zone_is_dutch() -> None:
    """The first answer was of 11:30 in Amsterdam."""
    school = a_uwlr_school()
    await ask(school)

    before, after = [
        await ask(school, f"<laatstontvangengegevens>2026-11-22T11:{minute}:00</laatstontvangengegevens>")
        for minute in (29, 31)
    ]

    assert (said(before), said(after)) == ("leerlinggegevens", "geenwijzigingen")


@pytest.mark.parametrize("more", ["", "<laatstontvangengegevens>2040-01-01T00:00:00Z</laatstontvangengegevens>"])
async def test_all_of_it_leaves_without_a_moment_or_with_one_that_cannot_be(more: str) -> None:
    school = a_uwlr_school()
    await ask(school)

    assert said(await ask(school, more)) == "leerlinggegevens"


async def test_moment_before_the_first_answer_gives_all_of_it() -> None:
    school = a_uwlr_school()

    assert said(await ask(school, since(school))) == "leerlinggegevens"


async def test_what_the_recipient_does_not_get_changes_nothing() -> None:
    school = a_uwlr_school()
    await ask(school)
    says(school, b"<postcodenl>", b"<postcodenl>9")

    assert said(await ask(school, since(school))) == "geenwijzigingen"


async def test_pupil_who_left_is_a_change_and_absent() -> None:
    school = a_uwlr_school()
    before = pupils(await ask(school))
    moment = since(school)
    school.leaves(1)

    answer = await ask(school, moment)

    assert said(answer) == "leerlinggegevens"
    assert set(pupils(answer)) < set(before)


async def test_moment_that_cannot_be_read_is_refused() -> None:
    school = a_uwlr_school()

    answer = await ask(school, "<laatstontvangengegevens>gisteren</laatstontvangengegevens>")

    assert answer.reason is not None
    assert answer.reason.value in {"PARAMETER_INVALID", "BODY_INVALID"}
    assert not school.register.views


async def test_another_question_has_moments_of_its_own() -> None:
    school = a_uwlr_school()
    await ask(school)
    moment = since(school).replace("<laatst", "<gegevenssetid>x</gegevenssetid><laatst")
    school.clock.now += HOUR
    other = asking(HAAL, moment).replace(b"2026-2027", b"2025-2026")
    headers = {"content_type": "text/xml; charset=utf-8", "soapaction": f'"{HAAL}"'}

    answer = await school.transfers.answer(CALLER, a_request(f"/lvs{PATH}", body=other, **headers))

    assert isinstance(answer, Released)
    assert said(answer) == "leerlinggegevens"


async def test_restricted_pupil_is_announced_before_a_message_leaves_them_out() -> None:
    school = a_uwlr_school(announcing)
    before = pupils(await ask(school))
    school.record(1, Restriction(ground=RestrictionGround.ACCURACY))

    waits = await ask(school)
    target = "/lvs/notices?schema=uwlr-2-2"
    told = (await left(await school.transfers.answer(CALLER, a_request(target)))).json()
    after = pupils(await ask(school))

    assert (waits.reason, waits.shape) == ("NOTICES_FIRST", "soap")
    assert [one["notice"] for one in told] == ["restrict"]
    assert {one["pupil"] for one in told} == set(before) - set(after)


async def test_pupil_who_left_is_told_by_a_notice() -> None:
    school = a_uwlr_school(announcing)
    before = pupils(await ask(school))
    school.leaves(1)

    after = pupils(await ask(school))
    told = (await left(await school.transfers.answer(CALLER, a_request("/lvs/notices?schema=uwlr-2-2")))).json()

    assert [(one["notice"], one["pupil"]) for one in told] == [("delete", *(set(before) - set(after)))]


async def test_nothing_stays_nothing_as_it_is_of_a_group_that_never_was() -> None:
    school = a_uwlr_school()
    await ask(school)
    for number in (1, 2, 3):
        school.leaves(number)

    answers = [said(await ask(school, since(school))) for _ in range(2)]

    assert answers == ["geengegevens", "geengegevens"]


async def test_question_of_a_thousand_groups_leaves_no_more_behind_than_a_short_one() -> None:
    school = a_uwlr_school()
    whole = await ask(school)
    assert isinstance(whole.body, bytes)
    (group, *_) = keys_in(answered_with(whole.body), "groepen/groep")
    school.upstream.raw[PATH] = answering(moved(sample()), PUPILS_OF)

    await ask(school, groups(*[group] * 1_000), PUPILS_OF)

    assert school.register.drafts[-1].views
    assert max(len(one.remembered.key) for one in school.register.drafts[-1].views) <= 64
