"""What a person sets while an answer is on its way binds it: nothing of that pupil leaves any more (R26, R93).

Each of restriction, withdrawal and court order: between the verdict and the commit of one answer, and between the parts
of a long one. Leaves out: who leaves the school and suspension meanwhile (`test_flow`, `test_parts`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import orjson
import pytest

from gateway.core.facts import AnyFact, Birth, Capacity, CourtOrder, Restriction, RestrictionGround, Withdrawal
from gateway.core.reasons import Reason
from gateway.transfer.released import Released
from gateway.transfer.steps import Sizes
from tests.builders_formats import pupil, student_json
from tests.simulators.asking import ASKING, asking_school, consent, pseudonyms
from tests.simulators.left import left
from tests.simulators.world import NORTH, NOW, SIZES, School, student_asked

pytestmark = pytest.mark.anyio

STUDENTS = f"/lvs/students/school?{NORTH}"
UNKNOWN = "00000000-0000-8000-8000-000000000000"
RECORD = len(orjson.dumps(student_json(pupil(1))))
# An adult's own: whose consent counts does not change meanwhile.
CONSENTED = (Birth(day=date(2008, 1, 1)), consent(Capacity.PUPIL))
SET: dict[Reason, AnyFact] = {
    Reason.PUPIL_RESTRICTED: Restriction(ground=RestrictionGround.ACCURACY),
    Reason.CONSENT_WITHDRAWN: Withdrawal(moment=NOW),
    Reason.COURT_ORDER: CourtOrder(addressee=ASKING),
}
each = pytest.mark.parametrize("reason", SET)


def school_of(number: int, sizes: Sizes = SIZES) -> School:
    """Everybody consented."""
    school = asking_school(number, sizes)
    for known in school.pupils:
        school.record(known, *CONSENTED)
    return school


@each
async def test_fact_set_between_verdict_and_commit_keeps_the_pupil_out_of_a_list(reason: Reason) -> None:
    school = school_of(6)
    school.register.before = lambda _: school.record(2, *CONSENTED, SET[reason])

    said = (await left(await school.ask(STUDENTS, recipient=ASKING))).json()

    names = pseudonyms(school)
    assert {number for number, one in names.items() if one in str(said)} == {1, 3, 4, 5, 6}
    assert dict(school.register.drafts[-1].withheld) == {school.pupils[2]: (reason,)}


@each
async def test_fact_set_between_verdict_and_commit_of_a_named_pupil_leaves_no_more_than_nobody_does(
    reason: Reason,
) -> None:
    school = school_of(6)
    shown = await school.shown(ASKING)
    school.upstream.holds["/students"] = [student_json(school.pupils[2])]
    school.register.before = lambda _: school.record(2, *CONSENTED, SET[reason])

    named = await left(await school.ask("/lvs/students", recipient=ASKING, body=student_asked(shown[2])))

    tried, told = school.register.tried[-2:]
    assert tried.released == (school.pupils[2],)
    assert (told.released, dict(told.withheld)) == ((), {school.pupils[2]: (reason,)})
    nobody = await left(await school.ask("/lvs/students", recipient=ASKING, body=student_asked(UNKNOWN)))
    assert named.but_for_the_transfer == nobody.but_for_the_transfer


@each
async def test_fact_set_while_parts_leave_keeps_out_who_did_not_leave_yet(reason: Reason) -> None:
    school = school_of(9, Sizes(100, RECORD + 10, 32))
    answer = await school.ask(STUDENTS, recipient=ASKING)
    assert isinstance(answer, Released)
    assert isinstance(answer.body, AsyncIterator)
    sent, names = [await anext(answer.body)], pseudonyms(school)
    early = next(number for number, one in names.items() if one.encode() in sent[0])
    late = next(number for number, one in names.items() if one.encode() not in sent[0])
    for number in (early, late):
        school.record(number, *CONSENTED, SET[reason])

    sent += [part async for part in answer.body]

    found = {one["userIds"][0]["userId"] for one in orjson.loads(b"".join(sent))}
    assert found == set(names.values()) - {names[late]}
    withheld = [pair for draft in school.register.drafts for pair in draft.withheld]
    assert withheld == [(school.pupils[late], (reason,))]
