"""transfer.trail: what an entry says of a transfer; ids and legal dates."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from gateway.core.days import legal_date
from gateway.core.model import Caller, Finding
from gateway.core.reasons import Reason
from gateway.transfer import trail as entries
from gateway.transfer.request import Match, Stop
from gateway.transfer.trail import Trail, instant, uuid7
from tests.builders_formats import pupil, student_json
from tests.policy.shipped import schemas
from tests.simulators.world import NORTH, NOW, a_school

CALLER = Caller("client-1", "recipient", "uitgever-noord", "toegang-leermiddel")
TRAIL = Trail("0", NOW, CALLER)


def test_uuid7_holds_the_millisecond_and_the_randomness() -> None:
    made = uuid.UUID(uuid7(NOW, bytes(range(1, 11))))

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(NOW.timestamp() * 1000)


def test_uuid7_other_randomness_is_another_id() -> None:
    assert uuid7(NOW, bytes(10)) != uuid7(NOW, b"\1" * 10)


def test_uuid7_later_sorts_after() -> None:
    assert uuid7(NOW, b"\xff" * 10) < uuid7(NOW.replace(second=1), bytes(10))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 7, 31, 21, 59, tzinfo=UTC), date(2026, 7, 31)),
        (datetime(2026, 7, 31, 22, 0, tzinfo=UTC), date(2026, 8, 1)),
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), date(2026, 12, 31)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_legal_date_is_that_of_amsterdam(moment: datetime, day: date) -> None:
    assert legal_date(moment) == day


def test_instant_is_utc_with_microseconds() -> None:
    assert instant(NOW) == "2026-11-22T09:30:00.000000Z"


def test_refusal_puts_the_answer_first_and_each_reason_once() -> None:
    findings = (Finding(Reason.NO_GRONDSLAG), Finding(Reason.AGREEMENT_EXPIRED, "agreement"))
    draft = entries.refusal(TRAIL, Stop(Reason.AGREEMENT_EXPIRED, findings=findings))

    assert draft.reasons == (Reason.AGREEMENT_EXPIRED, Reason.NO_GRONDSLAG)
    assert draft.detail == ("AGREEMENT_EXPIRED: agreement",)


def test_refusal_names_who_called_and_which_route() -> None:
    route = schemas()["edu-v-association"].routes[0]
    match = Match("lvs", schemas()["edu-v-association"], route, {"id": "a-pupils-thing"})
    draft = entries.refusal(replace(TRAIL, match=match), Stop(Reason.RATE_LIMITED))

    assert (draft.actor, draft.credential, draft.route) == ("uitgever-noord", "client-1", f"GET {route.path}")
    assert "a-pupils-thing" not in repr(draft)


def test_refusal_of_a_school_credential_names_its_kind() -> None:
    school = Caller("client-2", "school", None, None)

    assert entries.refusal(Trail("0", NOW, school), Stop(Reason.CALLER_NOT_RECIPIENT)).actor == "school"


def test_refusal_stands_on_no_versions() -> None:
    assert entries.refusal(TRAIL, Stop(Reason.RATE_LIMITED)).versions is None


def test_trail_before_a_route_is_known_answers_as_a_problem() -> None:
    assert TRAIL.shape == "problem"


@pytest.mark.anyio
async def test_delivery_names_the_policy_it_was_made_under() -> None:
    school = a_school()
    school.upstream.holds["/students/school"] = [student_json(pupil(1))]
    await school.ask(f"/lvs/students/school?{NORTH}")

    draft = school.register.drafts[-1]
    assert (draft.policy_version, draft.versions) == ("1.0", school.register.versions)
    assert draft.recipient_hash
    assert draft.schema_hash
