"""transfer.review: what of one pupil waits, as masked as it would leave; nothing leaves and nothing is registered."""

from __future__ import annotations

import pytest

from gateway.core.facts import CourtOrder, Document
from gateway.core.model import FieldClass
from gateway.core.reasons import Reason
from gateway.core.release.classified import Waiting, of_text
from gateway.transfer.request import Stop
from gateway.transfer.review import Review
from tests.builders_formats import student_json
from tests.simulators.world import SIZES, School, a_school, policy

pytestmark = pytest.mark.anyio

NAME, PURPOSE = "zorg", "begeleiding"
NOTE = "Fatima huilde; bel 06-12345678."
SHOWN = "[naam] huilde; bel [nummer]."
TEXT = """\
recipient: zorg
title: Zorgaanbieder
kind: care
role: controller
contact: privacy@zorg.example
agreement:
  model: Afspraak 2026
  signed: "2026-01-01"
  starts: "2026-01-01"
  until: "2027-07-31"
  categories: [name, medical, observations, organisation]
  storage: [{country: NL}]
deliveries:
  - purpose: begeleiding
    grondslag: {ground: c, reference: Jeugdwet artikel 7.3.11, article9: UAVG artikel 30 lid 3}
    necessity:
      subsidiarity: Zonder de aantekening weet de aanbieder niet wat er speelt.
      proportionality: Alleen wat nodig is voor de hulp gaat mee.
      by: directeur
      date: "2026-01-01"
    dpia: {reference: DPIA 2026-1, review: "2028-01-01", fg_advice: "2026-01-01"}
    locations: [noord]
    until: "2027-07-31"
    pseudonym: none
    deviation: De aanbieder kent de leerling bij naam.
    channel: api
    absence: De aanbieder sluit het dossier.
    schemas:
      edu-v-students:
        Student:
          givenName: {reason: De aanbieder spreekt de leerling aan.}
          familyName: {reason: De aanbieder spreekt de leerling aan.}
          medicalNote: {reason: De aanbieder houdt rekening met de diagnose.}
          note: {transform: mask, reason: De aanbieder leest wat er is gebeurd.}
          status: {transform: fixed, value: active, reason: Het formaat eist een status.}
          dateCreated: {transform: fixed, value: "2000-01-01T00:00:00Z", reason: Het formaat eist een moment.}
          dateLastModified: {transform: fixed, value: "2000-01-01T00:00:00Z", reason: Het formaat eist een moment.}
"""


@pytest.fixture
def school() -> School:
    school = a_school(compiled=policy(texts=((NAME, TEXT),)))
    school.upstream.holds["/students"] = [student_json(school.pupils[3], givenName="Fatima", note=NOTE)]
    return school


async def waiting(school: School) -> list[Waiting]:
    delivery = school.world.compiled.standings[NAME, PURPOSE, "edu-v-students"].delivery
    review = Review(school.outside, SIZES, school.pupils[3].id)
    return await review.waiting("j.jansen", "lvs", delivery, "Student")


async def test_text_that_waits_is_shown_masked_with_its_digest(school: School) -> None:
    (one,) = await waiting(school)

    assert (one.path, one.shown, one.digest) == ("note", SHOWN, of_text(NOTE))


async def test_nothing_is_registered_or_issued_by_it(school: School) -> None:
    await waiting(school)

    assert school.journal == ["fetch POST /students"]
    assert school.register.issued == {}


async def test_text_that_was_released_waits_no_longer(school: School) -> None:
    school.record(3, Document(digest=of_text(NOTE), purpose=PURPOSE, field_class=FieldClass.FREE_TEXT))

    assert await waiting(school) == []


async def test_pupil_whom_the_source_does_not_have_has_nothing_that_waits(school: School) -> None:
    school.upstream.holds.clear()

    assert await waiting(school) == []


async def test_pupil_of_whom_nothing_leaves_is_not_fetched(school: School) -> None:
    school.record(3, CourtOrder())

    with pytest.raises(Stop) as stopped:
        await waiting(school)

    assert stopped.value.reason is Reason.COURT_ORDER
    assert school.upstream.calls == []


async def test_answer_about_another_pupil_is_shown_to_nobody(school: School) -> None:
    school.upstream.holds["/students"] = [student_json(school.pupils[4], note=NOTE)]

    with pytest.raises(Stop):
        await waiting(school)
