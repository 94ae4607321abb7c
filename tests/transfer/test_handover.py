"""transfer.handover: the same flow for one pupil on a permit; nothing without, after or beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import orjson
import pytest

from gateway.core.facts import (
    Answer,
    Birth,
    Capacity,
    Consent,
    CourtOrder,
    Exception18,
    Objection,
    Occasion,
    Permit,
    Restriction,
    RestrictionGround,
)
from gateway.core.model import Category
from gateway.core.reasons import Reason
from gateway.transfer.handover import Handing, Handover
from gateway.transfer.released import Answer as Given
from gateway.transfer.released import Released
from tests.builders_formats import student_json
from tests.policy.shipped import answered
from tests.simulators.world import NOW, SIZES, School, a_school, policy

pytestmark = pytest.mark.anyio

NAME = "veilig-thuis"
PERMIT = Permit(
    number=7,
    occasion=Occasion.SAFETY,
    recipient=NAME,
    purpose="melding-kindveiligheid",
    categories=frozenset({Category.NAME, Category.ADDRESS}),
    channel="beveiligde-overdracht",
    until=NOW + timedelta(days=7),
    exception=Exception18.PUBLIC_INTEREST,
    secret=True,
)
REFUSED = Consent(capacity=Capacity.PARENT, answer=Answer.NO, given=NOW, giver=b"m" * 16)
RESTRICTION = Restriction(ground=RestrictionGround.ACCURACY)
ADDRESS = {"street": "Kade", "houseNumber": 1, "zipCode": "1000AA", "city": "Noordstad", "country": "Nederland"}


@pytest.fixture
def school() -> School:
    school = a_school(compiled=policy(texts=((NAME, answered(NAME)),)))
    school.upstream.holds["/students"] = [student_json(school.pupils[3], address=ADDRESS)]
    school.record(3, PERMIT)
    return school


def handover(school: School, **changes: Any) -> Handover:
    """Pupil 3, handed over by j.jansen on permit p7."""
    handing = Handing(
        id="h1",
        person="j.jansen",
        permit="p7",
        fact=7,
        subject=school.pupils[3].id,
        occasion=Occasion.SAFETY,
        recipient=NAME,
        purpose=PERMIT.purpose,
        channel=PERMIT.channel,
        secret=True,
    )
    return Handover(school.outside, SIZES, replace(handing, **changes))


async def deliver(school: School, **changes: Any) -> Given:
    standing = school.world.compiled.standings[NAME, PERMIT.purpose, "edu-v-students"]
    return await handover(school, **changes).deliver("lvs", standing.delivery, "Student")


def record(answer: Given) -> dict[str, Any]:
    assert isinstance(answer, Released)
    assert isinstance(answer.body, bytes)
    (found,) = orjson.loads(answer.body)
    assert isinstance(found, dict)
    return found


def reason(answer: Given) -> Reason | None:
    assert isinstance(answer, Released)
    return answer.reason


async def test_pupil_of_the_permit_is_asked_for_in_the_sources_own_ids_and_registered_before_it_is_given(
    school: School,
) -> None:
    found = record(await deliver(school))

    assert school.journal == ["fetch POST /students", "register transfer released"]
    (call,) = school.upstream.calls
    assert orjson.loads(call.body or b"")["student"]["userIds"] == [{"userId": "las-3", "userIdType": "ASI"}]
    assert (found["givenName"], found["address"]["city"]) == ("Fatima", "Noordstad")


async def test_only_the_categories_of_the_permit_leave(school: School) -> None:
    school.upstream.holds["/students"][0] |= {"medicalNote": "Astma", "emailsParents": ["m@ouders.example"]}

    found = record(await deliver(school))

    assert not {"dateOfBirth", "gender", "medicalNote", "emailsParents", "userIds"} & found.keys()


async def test_another_permit_for_the_same_adds_nothing(school: School) -> None:
    own = msgspec.structs.replace(PERMIT, categories=frozenset({Category.NAME}), secret=False)
    school.record(3, own, msgspec.structs.replace(PERMIT, number=8))

    found = record(await deliver(school, secret=False))

    assert found["givenName"] == "Fatima"
    assert "address" not in found


async def test_entry_names_the_person_the_permit_and_the_pupil(school: School) -> None:
    await deliver(school)

    (draft,) = school.register.drafts
    assert (draft.actor, draft.recipient, draft.released) == ("j.jansen", NAME, (school.pupils[3],))
    assert "permit: p7" in draft.detail
    assert "secret: yes" in draft.detail


@pytest.mark.parametrize("fact", [REFUSED, RESTRICTION, Objection(received=date(2026, 11, 1))])
async def test_report_passes_for_a_pupil_who_is_restricted_or_whose_parents_refused(school: School, fact: Any) -> None:
    school.record(3, PERMIT, Birth(day=date(2012, 3, 4)), fact)

    assert record(await deliver(school))["givenName"] == "Fatima"


async def test_restriction_without_a_recorded_exception_holds_in_secret(school: School) -> None:
    school.record(3, msgspec.structs.replace(PERMIT, exception=None), RESTRICTION)

    assert reason(await deliver(school)) is Reason.NOT_AVAILABLE
    (draft,) = school.register.drafts
    assert draft.withheld == ((school.pupils[3], (Reason.PUPIL_RESTRICTED,)),)
    assert draft.secret
    assert school.upstream.calls == []


async def test_court_order_stands_against_a_permit(school: School) -> None:
    school.record(3, PERMIT, CourtOrder(addressee=NAME))

    assert reason(await deliver(school)) is Reason.NOT_AVAILABLE
    assert school.upstream.calls == []


def _to_another(school: School) -> None:
    school.record(3)
    school.record(4, PERMIT)


CHANGES: dict[str, Callable[[School], None]] = {
    "there is none": lambda school: school.record(3),
    "revoked": lambda school: school.record(3, msgspec.structs.replace(PERMIT, number=8)),
    "another pupil's": _to_another,
    "over": lambda school: setattr(school.clock, "now", PERMIT.until),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_nothing_is_asked_without_a_permit_that_holds(school: School, change: Callable[[School], None]) -> None:
    change(school)

    assert reason(await deliver(school)) is Reason.PERMIT_MISSING
    assert school.upstream.calls == []
    assert [draft.kind for draft in school.register.drafts] == ["refusal"]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_permit_that_ends_while_the_source_answers_gives_nothing(
    school: School, change: Callable[[School], None]
) -> None:
    school.upstream.meanwhile = lambda: change(school)

    assert reason(await deliver(school)) is Reason.PERMIT_MISSING
    assert [draft.outcome for draft in school.register.drafts] == ["refused"]


async def test_permit_that_is_used_up_gives_nothing(school: School) -> None:
    await deliver(school, id="h1")

    assert reason(await deliver(school, id="h2")) is Reason.FACTS_CHANGED
    assert [draft.outcome for draft in school.register.drafts] == ["released", "refused"]


async def test_another_channel_than_the_deliverys_is_refused(school: School) -> None:
    assert reason(await deliver(school, channel="mail")) is Reason.CHANNEL_NOT_ALLOWED


async def test_answer_about_another_pupil_is_no_answer(school: School) -> None:
    school.upstream.holds["/students"] = [student_json(school.pupils[4])]

    assert isinstance(answer := await deliver(school), Released)
    assert answer.body is None


async def test_pupil_of_another_location_is_out_of_scope(school: School) -> None:
    text = answered(NAME).replace('"noord"', '"zuid"')
    school.takes_over(policy(texts=((NAME, text),)))

    assert reason(await deliver(school)) is Reason.LOCATION_OUT_OF_SCOPE


async def test_recipient_with_a_credential_of_its_own_gets_nothing(school: School) -> None:
    body = {"school": {"organisationMasterIdentifier": "104A158"}, "student": {"userIds": []}}
    answer = await school.ask("/lvs/students", recipient=NAME, body=body)

    assert isinstance(answer, Released)
    assert answer.body is None
    assert school.upstream.calls == []
