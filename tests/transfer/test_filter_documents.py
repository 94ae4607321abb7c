"""Dossiers in XML through the filter: the samenwerkingsverband gets one while a request is open, and less of it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.core.facts import Birth, SupportRequest
from gateway.core.file_forms import Form
from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.transfer.filing import Wanted
from gateway.transfer.filter import Filed, Filter
from gateway.transfer.released import Released
from gateway.transfer.request import Request
from tests.builders_formats import pupil
from tests.policy.shipped import answered
from tests.simulators.world import SIZES, School, a_school, policy

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the official files"),
]

SWV, PURPOSE = "samenwerkingsverband", "toelaatbaarheid"
WANTED = Wanted("lvs", "oso-2019", SWV, PURPOSE)
REQUEST = SupportRequest(recipient=SWV, since=date(2026, 9, 1))
BORN = "<geboortedatum>"


def dossier() -> bytes:
    return (Path(os.environ["STANDARDS_DIR"]) / "oso" / "Voorbeelddossier_PaO_POSWV_full.xml").read_bytes()


def born() -> Birth:
    """As the dossier says of the pupil, so that nothing is contradicted."""
    text = dossier().decode().partition("<leerling>")[2].partition(BORN)[2][:10]
    return Birth(day=date.fromisoformat(text))


@pytest.fixture
def school() -> School:
    compiled = policy(texts=((SWV, answered(SWV)),))
    return a_school(compiled=compiled, pupils=[replace(pupil(1), ids={"las-key": "LN094837"})])


async def run(school: School, text: bytes, **wanted: str) -> tuple[Filed, list[bytes]]:
    rows: list[tuple[str, bytes]] = []
    filed = await Filter(school.outside, SIZES, "j.jansen").file(replace(WANTED, **wanted), [text], rows.extend)
    return filed, [row for _, row in rows]


async def test_dossier_of_an_open_request_leaves_smaller_and_registered(school: School) -> None:
    school.record(1, REQUEST, born())

    filed, rows = await run(school, dossier())

    assert (filed.stop, filed.form, len(rows)) == (None, Form.SINGLE, 1)
    for element in (b"<bsn>", b"<iban>", b"<banknummer>", b"<geboorteplaats>", b"<nationaliteit>", b"LN094837"):
        assert element not in rows[0]
    (draft,) = school.register.drafts
    assert (draft.route, draft.released) == ("FILE /dossier", (school.pupils[1],))
    assert draft.digest == school.world.digest(rows[0])


async def test_document_that_nobody_classified_is_dropped_and_counted(school: School) -> None:
    school.record(1, REQUEST, born())

    filed, rows = await run(school, dossier())

    dropped = [path for path, reason in filed.tally.fields if reason is Reason.DOCUMENT_NOT_CLASSIFIED]
    assert dropped
    assert filed.tally.documents == dossier().count(b"<document>")
    assert b"<bestandsinhoud>" not in rows[0]


async def test_element_that_the_schema_does_not_know_is_told_by_where_it_stands(school: School) -> None:
    school.record(1, REQUEST, born())
    text = dossier().replace(b"<leerling>", b"<leerling>" + 5 * b"<schoenmaat>38</schoenmaat>")

    filed, _ = await run(school, text)

    assert filed.tally.unclassified() == {"huidigeschool.leerling.unnamed": 1}  # one record has it, not five


async def test_dossier_without_an_open_request_stays_behind(school: School) -> None:
    school.record(1, born())

    filed, rows = await run(school, dossier())

    assert rows == []
    assert Reason.PUPIL_NOT_IN_SCOPE in filed.tally.withheld


async def test_dossier_of_somebody_else_is_nobodys(school: School) -> None:
    filed, rows = await run(school, dossier().replace(b"LN094837", b"LN000000"))

    assert rows == []
    assert filed.tally.unresolved == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[]", Reason.MEDIA_TYPE_UNKNOWN),
        (b"\xff\xfe<\0", Reason.MEDIA_TYPE_UNKNOWN),
        (b"", Reason.BODY_INVALID),
        (b"<dossier>", Reason.BODY_INVALID),
        (b"<!DOCTYPE dossier [<!ENTITY a 'b'>]><dossier>&a;</dossier>", Reason.BODY_INVALID),
        (b"<a>" * 50_000, Reason.BODY_INVALID),
        (b"<dossier>" + b"x" * 17_000_000, Reason.BODY_INVALID),
    ],
)
async def test_hostile_document_is_refused(school: School, text: bytes, reason: Reason) -> None:
    filed, rows = await run(school, text)

    assert filed.stop is not None
    assert (filed.stop.reason, rows) == (reason, [])


async def test_system_of_the_school_gets_a_dossier_back_as_xml(school: School) -> None:
    school.record(1, REQUEST, born())

    async def body() -> bytes:
        return dossier()

    query = f"recipient={SWV}&purpose={PURPOSE}&schema=oso-2019".encode()
    request = Request("POST", b"/lvs/filter", query, {b"content-type": b"application/xml"}, "", body)
    answer = await school.transfers.answer(Caller("school-1", "school", None, None), request)

    assert isinstance(answer, Released)
    assert isinstance(answer.body, bytes)
    assert (answer.reason, answer.media) == (None, b"application/xml")
    assert answer.body.startswith(b"<?xml")
