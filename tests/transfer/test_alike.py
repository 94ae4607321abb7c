"""Two classes alike apart from one pupil who is withheld: what leaves is the same bytes as if nobody had that pupil.

Status, headers, order and every record of every list (house rule 5). Leaves out: time (`bench/latency.py`).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gateway.core.facts import AnyFact, CourtOrder, Objection, Restriction, RestrictionGround
from gateway.core.reasons import Reason
from tests.builders_formats import enrollment_json, group_json, student_json
from tests.simulators.left import Left, left
from tests.simulators.world import NORTH, School, a_school

pytestmark = pytest.mark.anyio

ONE = 3
WITHHELD: dict[Reason, AnyFact] = {
    Reason.PUPIL_RESTRICTED: Restriction(ground=RestrictionGround.UNLAWFUL),
    Reason.PUPIL_OBJECTED: Objection(received=date(2026, 10, 1)),
    Reason.COURT_ORDER: CourtOrder(),
}
LISTS = ("students", "enrollments", "groups")


def holding(school: School, without: int | None = None) -> School:
    """The source's lists, with everybody or without this pupil."""
    kept = {number: one for number, one in school.pupils.items() if number != without}
    lists: dict[str, list[Any]] = {
        "students": [student_json(one) for one in kept.values()],
        "enrollments": [enrollment_json(number, one) for number, one in kept.items()],
        "groups": [group_json(1, list(kept.values()))],
    }
    school.upstream.holds |= {f"/{name}/school": records for name, records in lists.items()}
    return school


async def answered(school: School, name: str) -> Left:
    return await left(await school.ask(f"/lvs/{name}/school?{NORTH}"))


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("reason", WITHHELD)
async def test_list_with_a_withheld_pupil_is_the_list_without(reason: Reason, name: str) -> None:
    school, other = holding(a_school()), holding(a_school(), without=ONE)
    school.record(ONE, WITHHELD[reason])
    said, same = await answered(school, name), await answered(other, name)

    assert (said.status, len(said.json()) > 0) == (200, True)
    assert said.but_for_the_transfer == same.but_for_the_transfer
    assert dict(school.register.drafts[-1].withheld) == {school.pupils[ONE]: (reason,)}
