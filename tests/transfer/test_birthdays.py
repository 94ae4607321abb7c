"""The 16th and the 18th birthday begin at 00:00 in Amsterdam, wherever the host's clock stands (R27, C6, house rule 9).

At 16 the parents' consent ends and the pupil's own is asked; at 18 whoever was appointed for an adult decides. Through
the whole flow with a clock that is told. Leaves out: the rules themselves (`tests/core`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.core.facts import Birth, Capacity, Representative
from gateway.core.reasons import Reason
from tests.simulators.asking import ASKING, asking_school, consent
from tests.simulators.left import left
from tests.simulators.world import NORTH

pytestmark = pytest.mark.anyio

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
STUDENTS = f"/lvs/students/school?{NORTH}"
GIVER = b"a guardian here."
GIVEN = datetime(2026, 2, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Birthday:
    """Somebody with this capacity consented; from the birthday's first second on this is, or no longer is, enough."""

    born: date
    day: date
    capacity: Capacity
    enough: bool


CASES = {
    "16, in summer": Birthday(date(2010, 7, 14), date(2026, 7, 14), Capacity.PARENT, enough=False),
    "16, in winter": Birthday(date(2010, 12, 1), date(2026, 12, 1), Capacity.PARENT, enough=False),
    "16, on the day the clock goes back": Birthday(
        date(2010, 10, 25), date(2026, 10, 25), Capacity.VOOGD, enough=False
    ),
    "16, born on 29 February": Birthday(date(2012, 2, 29), date(2028, 2, 29), Capacity.PARENT, enough=False),
    "18, in summer": Birthday(date(2008, 7, 14), date(2026, 7, 14), Capacity.CURATOR, enough=True),
    "18, born on 29 February": Birthday(date(2008, 2, 29), date(2026, 3, 1), Capacity.MENTOR, enough=True),
}


@pytest.fixture(params=["Pacific/Kiritimati", "America/Los_Angeles", "Europe/Amsterdam"])
def host(request: pytest.FixtureRequest) -> Iterator[None]:
    """The host's own time zone: the process's, as its environment says."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


async def released(one: Birthday, moment: datetime) -> tuple[bool, tuple[Reason, ...]]:
    """Whether the pupil leaves at this moment; why not."""
    school = asking_school(1)
    school.clock.now = moment.astimezone(UTC)
    school.record(
        1, Birth(day=one.born), Representative(person=GIVER, capacity=one.capacity), consent(one.capacity, GIVER, GIVEN)
    )
    said = await left(await school.ask(STUDENTS, recipient=ASKING))
    assert said.status == 200
    withheld = dict(school.register.drafts[-1].withheld)
    return bool(said.json()), withheld.get(school.pupils[1], ())


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("case", CASES)
async def test_last_second_before_the_birthday_is_of_the_age_before(case: str) -> None:
    one = CASES[case]
    midnight = datetime(one.day.year, one.day.month, one.day.day, tzinfo=AMSTERDAM)
    last = midnight.astimezone(UTC) - timedelta(seconds=1)

    assert last.astimezone(AMSTERDAM).strftime("%H:%M:%S") == "23:59:59"
    assert await released(one, last) == _expected(enough=not one.enough)


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("case", CASES)
async def test_first_second_of_the_birthday_is_of_the_new_age(case: str) -> None:
    one = CASES[case]
    midnight = datetime(one.day.year, one.day.month, one.day.day, tzinfo=AMSTERDAM)

    assert await released(one, midnight) == _expected(enough=one.enough)


def _expected(*, enough: bool) -> tuple[bool, tuple[Reason, ...]]:
    return (True, ()) if enough else (False, (Reason.CONSENT_GIVER_NOT_ENTITLED,))
