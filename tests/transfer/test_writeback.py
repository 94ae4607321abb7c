"""transfer.writeback: to the right pupil, once, decided singly, and with a truthful answer (D9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import orjson
import pytest

from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.reasons import Reason
from gateway.transfer.ledger import State
from gateway.transfer.ports import NotSent, OutcomeUnknown, RegisterUnavailable, UpstreamAnswer, UpstreamFailed
from gateway.transfer.released import Answer, Unregistered
from tests.builders_formats import pupil
from tests.policy.shipped import answered, changed
from tests.simulators.left import left
from tests.simulators.upstream import Broken
from tests.simulators.world import SCHOOL, School, a_school, policy

pytestmark = pytest.mark.anyio

MOMENT = "2026-11-20T09:30:00Z"
UNKNOWN = "00000000-0000-8000-8000-000000000000"
TAKER = "toetsaanbieder"


@pytest.fixture
def school() -> School:
    return a_school()


def statement(identity: str, pseudonym: str, value: str = "7.5", **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "student": {"userIds": [{"userId": pseudonym, "userIdType": "ASI"}]},
        "results": [{"resultValue": value, "resultType": "Grade0.0-10.0", "assessmentId": "a-1"}],
        "status": "Final",
        "dateCreated": MOMENT,
        "dateLastModified": MOMENT,
        **more,
    }


def message(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "m-1",
        "assessmentDateTime": MOMENT,
        "assessmentDefinition": {"id": "a-1", "name": "Toets"},
        "school": SCHOOL,
        "schoolPeriod": "2026-2027",
        "timestamp": MOMENT,
        "studentScoresAndResults": list(statements),
        **more,
    }


async def post(school: School, *statements: dict[str, Any], recipient: str = TAKER, **more: Any) -> Answer:
    return await school.ask("/lvs/results", recipient=recipient, body=message(*statements, **more))


async def statuses(answer: Answer) -> dict[str, tuple[int, str]]:
    return {one["id"]: (one["status"], one["statusMessage"]) for one in (await left(answer)).json()}


def sent(school: School) -> list[dict[str, Any]]:
    """The statements that reached the source, in order."""
    bodies = [orjson.loads(call.body or b"") for call in school.upstream.calls]
    return [one for body in bodies for one in body["studentScoresAndResults"]]


# -- to the right pupil --------------------------------------------------------------------------------------------


async def test_result_is_registered_then_sent_then_its_outcome_is_registered(school: School) -> None:
    shown = await school.shown(TAKER)
    answer = await post(school, statement("s-1", shown[1]))

    assert school.journal == [
        "register transfer released",
        "write POST /results",
        "register closing acknowledged",
    ]
    told = await left(answer)
    assert (told.status, told.body, told.header("gateway-reason")) == (201, b"", None)


async def test_result_reaches_the_source_under_its_own_id(school: School) -> None:
    shown = await school.shown(TAKER)
    await post(school, statement("s-1", shown[3]))

    (one,) = sent(school)
    assert one["student"] == {"userIds": [{"userId": "las-3", "userIdType": "ASI"}]}
    assert shown[3].encode() not in (school.upstream.calls[0].body or b"")


async def test_result_fields_outside_the_list_do_not_reach_the_source(school: School) -> None:
    """R15."""
    shown = await school.shown(TAKER)
    await post(school, statement("s-1", shown[1], additionalInfo="was onrustig"), reviewUrl="https://x.example/y")

    body = school.upstream.calls[0].body or b""
    assert b"onrustig" not in body
    assert b"x.example" not in body


async def test_result_entry_names_the_pupil_and_nothing_of_the_result(school: School) -> None:
    shown = await school.shown(TAKER)
    await post(school, statement("s-1", shown[1], "9.9"))

    entry = school.register.drafts[-2]
    assert (entry.released, entry.records) == ((school.pupils[1],), 1)
    assert "9.9" not in repr(school.register.entries)
    assert "s-1" not in repr(school.register.entries)


# -- pseudonyms that lead nowhere ------------------------------------------------------------------------------------


async def test_result_of_nobody_goes_nowhere(school: School) -> None:
    """R42."""
    shown, foreign = await school.shown(TAKER), await school.shown("uitgever-zuid")
    school.leaves(2)
    named = {"unknown": UNKNOWN, "foreign": foreign[1], "left": shown[2], "own id": "las-1"}
    answer = await post(school, *[statement(how, one) for how, one in named.items()])

    assert await statuses(answer) == dict.fromkeys(named, (404, "NOT_AVAILABLE"))
    assert (await left(answer)).status == 400
    assert school.upstream.calls == []
    assert school.ledger.rows == {}


async def test_result_that_cannot_be_placed_leaves_the_others_alone(school: School) -> None:
    shown = await school.shown(TAKER)
    answer = await post(school, statement("s-1", shown[1]), statement("s-2", UNKNOWN), statement("s-3", shown[3]))

    assert await statuses(answer) == {"s-1": (201, "ACCEPTED"), "s-2": (404, "NOT_AVAILABLE"), "s-3": (201, "ACCEPTED")}
    assert [one["id"] for one in sent(school)] == ["s-1", "s-3"]


async def test_result_of_a_pupil_the_source_has_no_number_for_goes_nowhere(school: School) -> None:
    shown = await school.shown(TAKER)
    one = school.pupils[1]
    school.enrol(replace(one, ids={"eck-id": one.ids["eck-id"]}))
    answer = await post(school, statement("s-1", shown[1]))

    assert await statuses(answer) == {"s-1": (404, "NOT_AVAILABLE")}
    assert school.upstream.calls == []


async def test_result_needs_no_consent(school: School) -> None:
    shown = await school.shown(TAKER)
    text = changed(answered(TAKER), ("ground: e", "ground: a"))
    school.takes_over(policy(texts=((TAKER, text),)))
    answer = await post(school, statement("s-1", shown[1]))

    assert (await left(answer)).status == 201


async def test_result_of_a_restricted_pupil_goes_nowhere_and_is_a_task(school: School) -> None:
    shown = await school.shown(TAKER)
    school.record(1, Restriction(ground=RestrictionGround.ACCURACY))
    answer = await post(school, statement("s-1", shown[1]), statement("s-2", UNKNOWN))

    assert await statuses(answer) == {"s-1": (404, "NOT_AVAILABLE"), "s-2": (404, "NOT_AVAILABLE")}
    assert school.upstream.calls == []
    assert school.register.drafts[-1].held == ((school.pupils[1], Reason.PUPIL_RESTRICTED),)


# -- refused as a whole ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipient", "reason"), [("uitgever-noord", Reason.ROUTE_UNKNOWN), ("niemand", Reason.CALLER_NOT_RECIPIENT)]
)
async def test_result_of_a_recipient_without_that_delivery_is_refused(
    school: School, recipient: str, reason: Reason
) -> None:
    answer = await post(school, statement("s-1", UNKNOWN), recipient=recipient)

    assert answer.reason is reason
    assert school.journal == ["register refusal refused"]


async def test_result_for_another_location_is_refused(school: School) -> None:
    shown = await school.shown(TAKER)
    elsewhere = {"organisationIds": [{"organisationId": "DD100402", "organisationIdType": "DD_ID"}]}
    body = {**message(statement("s-1", shown[1])), "school": elsewhere}
    answer = await school.ask("/lvs/results", recipient=TAKER, body=body)

    assert answer.reason is Reason.LOCATION_OUT_OF_SCOPE
    assert school.upstream.calls == []


async def test_two_results_with_one_id_are_refused(school: School) -> None:
    shown = await school.shown(TAKER)
    answer = await post(school, statement("s-1", shown[1]), statement("s-1", shown[2]))

    assert answer.reason is Reason.BODY_INVALID
    assert school.upstream.calls == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", {"studentScoresAndResults": "x"}])
async def test_body_that_is_no_message_is_refused_in_the_formats_shape(school: School, body: Any) -> None:
    answer = await school.ask("/lvs/results", recipient=TAKER, body=body)

    assert answer.reason is Reason.BODY_INVALID
    assert isinstance((await left(answer)).json(), list)


async def test_message_that_holds_a_pseudonym_in_its_text_is_refused(school: School) -> None:
    shown = await school.shown(TAKER)
    named = {"id": "a-1", "name": f"Toets van {shown[1]}"}
    answer = await post(school, statement("s-1", shown[2]), assessmentDefinition=named)

    assert answer.reason is Reason.BODY_INVALID
    assert shown[1].encode() not in (await left(answer)).body
    assert school.upstream.calls == []


async def test_suspended_recipient_returns_nothing(school: School) -> None:
    shown = await school.shown(TAKER)
    school.suspends(TAKER)
    answer = await post(school, statement("s-1", shown[1]))

    assert answer.reason is Reason.SCHEMA_NOT_ACTIVE
    assert school.upstream.calls == []


# -- no entry, nothing sent --------------------------------------------------------------------------------------------


async def test_unwritable_register_sends_nothing(school: School) -> None:
    shown = await school.shown(TAKER)
    school.register.unwritable = True
    answer = await post(school, statement("s-1", shown[1]))

    assert isinstance(answer, Unregistered)
    assert school.upstream.calls == []


async def test_unwritable_ledger_sends_nothing(school: School) -> None:
    shown = await school.shown(TAKER)
    school.ledger.down = RegisterUnavailable
    answer = await post(school, statement("s-1", shown[1]))

    assert isinstance(answer, Unregistered)
    assert school.upstream.calls == []


async def test_facts_that_move_before_the_commit_are_judged_again(school: School) -> None:
    shown = await school.shown(TAKER)
    school.register.before = lambda _: school.leaves(1)
    answer = await post(school, statement("s-1", shown[1]))

    assert await statuses(answer) == {"s-1": (404, "NOT_AVAILABLE")}
    assert school.upstream.calls == []


# -- once --------------------------------------------------------------------------------------------------------------


async def test_result_posted_twice_is_sent_once_and_acknowledged_twice(school: School) -> None:
    shown = await school.shown(TAKER)
    answers = [await post(school, statement("s-1", shown[1]), id=f"m-{n}", timestamp=MOMENT) for n in range(2)]

    assert [(await left(answer)).status for answer in answers] == [201, 201]
    assert len(school.upstream.calls) == 1
    assert school.register.drafts[-1].records == 0


async def test_result_posted_again_in_a_later_message_is_still_the_same(school: School) -> None:
    shown = await school.shown(TAKER)
    await post(school, statement("s-1", shown[1]))
    await post(school, statement("s-1", shown[1]), id="m-2", timestamp="2026-11-21T10:00:00Z")

    assert len(school.upstream.calls) == 1


async def test_result_with_another_content_is_sent_as_a_correction(school: School) -> None:
    shown = await school.shown(TAKER)
    await post(school, statement("s-1", shown[1], "5.0"))
    await post(school, statement("s-1", shown[1], "8.0"))

    assert [one["results"][0]["resultValue"] for one in sent(school)] == ["5.0", "8.0"]


async def test_only_what_is_not_yet_accepted_is_sent(school: School) -> None:
    shown = await school.shown(TAKER)
    await post(school, statement("s-1", shown[1]))
    await post(school, statement("s-1", shown[1]), statement("s-2", shown[2]))

    assert [one["id"] for one in sent(school)] == ["s-1", "s-2"]


async def test_result_under_an_id_that_another_recipient_uses_stands_beside_it_and_tells_nothing(
    school: School,
) -> None:
    shown = await school.shown(TAKER)
    fresh = await left(await post(school, statement("s-0", shown[1])))
    school.ledger.rows["lvs", "s-1"] = ("another", b"", State.ACCEPTED, 201)
    answers = [await left(await post(school, statement("s-1", shown[1], value))) for value in ("7.5", "7.5", "8.0")]

    assert [one.but_for_the_transfer for one in answers] == [fresh.but_for_the_transfer] * 3
    (_, first, corrected) = [one["id"] for one in sent(school)]
    assert first == corrected != "s-1"
    assert school.ledger.rows["lvs", "s-1"] == ("another", b"", State.ACCEPTED, 201)


async def test_refusal_of_a_result_that_stands_under_another_id_is_told_under_its_own(school: School) -> None:
    shown = await school.shown(TAKER)
    school.ledger.rows["lvs", "s-1"] = ("another", b"", State.ACCEPTED, 201)
    said = [{"id": f"s-1 of {TAKER}", "status": 422}, {"id": "s-2", "status": 201}]
    school.upstream.writes = lambda _: UpstreamAnswer(400, "application/json", orjson.dumps(said))
    answer = await post(school, statement("s-1", shown[1]), statement("s-2", shown[2]))

    told = await statuses(answer)
    assert (told["s-1"][1], told["s-2"][1]) == ("STATEMENT_REFUSED", "ACCEPTED")


async def test_result_after_rotation_under_the_new_pseudonym_reaches_the_same_pupil(school: School) -> None:
    old = await school.shown(TAKER)
    school.rotate(overlap=True)
    new = await school.shown(TAKER)
    for when, one in (("before", old[2]), ("after", new[2])):
        await post(school, statement(when, one))

    assert [one["student"]["userIds"][0]["userId"] for one in sent(school)] == ["las-2", "las-2"]


# -- the truth ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "status", "state"),
    [
        (NotSent, 503, State.NOT_SENT),
        (OutcomeUnknown, 504, State.UNKNOWN),
        (UpstreamFailed, 502, State.UNKNOWN),
    ],
)
async def test_source_that_breaks_off_is_told_as_it_is(
    school: School, broken: Broken, status: int, state: State
) -> None:
    shown = await school.shown(TAKER)
    school.upstream.broken = broken
    answer = await post(school, statement("s-1", shown[1]))

    assert (await left(answer)).status == status
    assert school.ledger.rows["lvs", "s-1"][2] is state
    assert school.register.drafts[-1].outcome == "failed"


@pytest.mark.parametrize("broken", [NotSent, OutcomeUnknown, UpstreamFailed])
async def test_result_of_unknown_outcome_is_sent_again_when_asked_again(school: School, broken: Broken) -> None:
    shown = await school.shown(TAKER)
    school.upstream.broken = broken
    await post(school, statement("s-1", shown[1]))
    school.upstream.broken = None
    school.upstream.calls.clear()
    answer = await post(school, statement("s-1", shown[1]))

    assert (await left(answer)).status == 201
    assert len(school.upstream.calls) == 1


async def test_nothing_is_sent_later_by_itself(school: School) -> None:
    shown = await school.shown(TAKER)
    school.upstream.broken = NotSent
    await post(school, statement("s-1", shown[1]))
    school.upstream.broken = None
    school.clock.now += timedelta(hours=1)
    await post(school, statement("s-2", shown[2]))

    assert [one["id"] for one in sent(school)] == ["s-2"]


async def test_result_that_the_source_refuses_is_told_by_its_id_without_the_sources_words(school: School) -> None:
    shown = await school.shown(TAKER)
    said = [{"id": "s-2", "status": 404, "statusMessage": "Fatima de Vries onbekend"}, {"id": "s-1", "status": 201}]
    school.upstream.writes = lambda _: UpstreamAnswer(400, "application/json", msgspec.json.encode(said))
    answer = await post(school, statement("s-1", shown[1]), statement("s-2", shown[2]))

    told = await statuses(answer)
    assert told["s-1"] == (201, "ACCEPTED")
    assert told["s-2"] == (400, "STATEMENT_REFUSED")
    assert b"Fatima" not in (await left(answer)).body


async def test_result_that_was_refused_is_told_so_again_without_a_call(school: School) -> None:
    shown = await school.shown(TAKER)
    school.upstream.writes = lambda _: UpstreamAnswer(400, "application/json", b"[]")
    await post(school, statement("s-1", shown[1]))
    answer = await post(school, statement("s-1", shown[1]))

    assert await statuses(answer) == {"s-1": (400, "STATEMENT_REFUSED")}
    assert len(school.upstream.calls) == 1


async def test_refusal_that_names_no_statement_counts_for_all(school: School) -> None:
    shown = await school.shown(TAKER)
    school.upstream.writes = lambda _: UpstreamAnswer(400, "text/html", b"<html>")
    answer = await post(school, statement("s-1", shown[1]), statement("s-2", shown[2]))

    assert set((await statuses(answer)).values()) == {(400, "STATEMENT_REFUSED")}


async def test_refusal_with_a_status_that_is_none_counts_for_all(school: School) -> None:
    """The ledger could not keep such a number, and the outcome of what was sent would be lost."""
    shown = await school.shown(TAKER)
    said = b'[{"id": "s-1", "status": 1%s}]' % (b"0" * 30)
    school.upstream.writes = lambda _: UpstreamAnswer(400, "application/json", said)
    answer = await post(school, statement("s-1", shown[1]))

    assert await statuses(answer) == {"s-1": (400, "STATEMENT_REFUSED")}
    assert school.ledger.rows["lvs", "s-1"][2:] == (State.REFUSED, 400)


async def test_result_whose_id_is_a_pseudonym_is_not_sent(school: School) -> None:
    shown = await school.shown(TAKER)
    answer = await post(school, statement(shown[1], shown[1]))

    assert (await left(answer)).status == 400
    assert school.upstream.calls == []


async def test_result_with_a_number_like_a_bsn_is_not_sent(school: School) -> None:
    shown = await school.shown(TAKER)
    answer = await post(school, statement("s-1", shown[1], "999990019"), statement("s-2", shown[2]))

    told = await statuses(answer)
    assert told["s-1"][0] == 400
    assert [one["id"] for one in sent(school)] == ["s-2"]


async def test_acknowledgement_follows_purpose_and_transfer(school: School) -> None:
    shown = await school.shown(TAKER)
    told = await left(await post(school, statement("s-1", shown[1])))

    assert told.header("purpose") == "toetsafname"
    assert told.header("gateway-transfer") == school.register.drafts[-2].id


async def test_result_of_a_pupil_at_another_location_is_not_placed(school: School) -> None:
    shown = await school.shown(TAKER)
    school.enrol(pupil(1, location="zuid"))
    answer = await post(school, statement("s-1", shown[1]))

    assert await statuses(answer) == {"s-1": (404, "NOT_AVAILABLE")}
