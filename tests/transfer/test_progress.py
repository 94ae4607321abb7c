"""A pupil's grades for the parents (R31, R32, R33, R66): progress until 18, and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.core.facts import Answer, AnyFact, Birth, Capacity, Consent, CourtOrder, Representative
from gateway.core.file_forms import in_form
from gateway.core.reasons import Reason
from gateway.transfer.filing import Wanted
from gateway.transfer.filter import Filed, Filter
from tests.builders_formats import pupil
from tests.policy.shipped import answered
from tests.simulators.world import NOW, SIZES, School, a_school, policy

pytestmark = pytest.mark.anyio

WANTED = Wanted("lvs", "cijferlijst-csv", "ouders", "voortgang", "cijferlijst")
GRADES = (
    b"leerlingnummer;roepnaam;achternaam;leerjaar;klas;periode;vak;cijfer;gemiste_lessen;reden_verzuim;docent;opmerking\r\n"
    b"4711;Canary;Canary;3;Canary;P1;wiskunde;6,4;2;Canary;Canary;Canary\r\n"
    b"4711;Canary;Canary;3;Canary;P1;Engels;7,8;0;;Canary;\r\n"
)
REFUSED = Consent(capacity=Capacity.PUPIL, answer=Answer.NO, given=NOW - timedelta(days=9))
PARENT = Representative(person=b"a guardian here.", capacity=Capacity.PARENT)


def born(year: int) -> Birth:
    return Birth(day=date(year, 2, 1))


async def grades(*facts: AnyFact) -> tuple[School, Filed, str]:
    known = [replace(pupil(1), ids={"las-key": "4711"})]
    school = a_school(compiled=policy(texts=(("ouders", answered("ouders")),)), pupils=known)
    school.record(1, *facts)
    found: list[tuple[str, bytes]] = []
    flow = Filter(school.outside, SIZES, "j.jansen")
    filed = await flow.file(WANTED, [GRADES], found.extend)
    await flow.finish(filed)
    return (
        school,
        filed,
        b"".join(in_form(filed.form, (row for _, row in sorted(found)), filed.head)).decode("utf-8-sig"),
    )


@pytest.mark.parametrize("year", [2012, 2009])
async def test_grades_of_a_pupil_below_18_leave_whatever_was_refused_and_nothing_beside_them(year: int) -> None:
    school, filed, text = await grades(born(year), PARENT, REFUSED)

    assert (filed.stop, filed.tally.released) == (None, 2)
    assert text.splitlines() == [
        "leerjaar;periode;vak;cijfer;gemiste_lessen",
        "3;P1;Engels;7,8;0",
        "3;P1;wiskunde;6,4;2",
    ]
    assert school.register.drafts[0].released == (school.pupils[1],)


async def test_grades_of_a_pupil_of_18_stay_behind_without_their_consent() -> None:
    _, filed, text = await grades(born(2008), PARENT)

    assert filed.tally.released == 0
    assert filed.tally.withheld.keys() == {Reason.CONSENT_MISSING}
    assert "wiskunde" not in text


async def test_grades_of_a_pupil_about_whom_a_judge_forbade_it_stay_behind() -> None:
    _, filed, _ = await grades(born(2012), PARENT, CourtOrder(addressee="ouders"))

    assert filed.tally.withheld.keys() == {Reason.COURT_ORDER}
