"""The demo LVS speaks UWLR: documents that the official XSDs take, and messages only to whom it knows."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import httpx2
import pytest
from lxml import etree

from gateway.demo.lvs import make_lvs
from gateway.demo.records import make_records
from gateway.demo.school import NOORD, make_school
from gateway.demo.uwlr import Documents
from gateway.demo.uwlr_service import LAST
from gateway.formats.xml.soap import faultcode
from tests.builders_uwlr import (
    BRENG,
    HAAL,
    OPERATIONS,
    PUPILS_OF,
    STRUCTURE,
    asking,
    authorisation,
    bringing,
    content_of,
    edexml_wrong,
    groups,
    result,
    results_wrong,
    taken,
    wrong,
)

needs_standards = pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the files")
TODAY = date(2026, 11, 22)
SCHOOL = make_school(1, TODAY)
KNOWN = authorisation("secret", "gateway")


@pytest.fixture
async def lvs() -> httpx2.AsyncClient:
    made = make_lvs(1, TODAY, "gateway", "secret", bytes)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(made.app), base_url="http://lvs")


async def send(lvs: httpx2.AsyncClient, body: bytes, action: str, path: str = "leerlinggegevens") -> httpx2.Response:
    return await lvs.post(f"/uwlr/{path}", content=body, headers={"SOAPAction": f'"{action}"'})


@needs_standards
def test_file_of_edexml_is_valid() -> None:
    assert edexml_wrong(Documents(SCHOOL, make_records(SCHOOL)).edexml(NOORD)) == []


@needs_standards
@pytest.mark.anyio
@pytest.mark.parametrize("action", OPERATIONS)
async def test_every_answer_is_valid(lvs: httpx2.AsyncClient, action: str) -> None:
    named = groups(*(one.id for one in SCHOOL.groups[:3])) if action not in (HAAL, STRUCTURE) else ""
    answer = await send(lvs, asking(action, named, header=KNOWN), action)

    assert answer.status_code == 200
    assert wrong(etree.tostring(content_of(answer.content))) == []


@pytest.mark.anyio
async def test_group_of_which_nobody_is_known_is_no_data(lvs: httpx2.AsyncClient) -> None:
    answer = await send(lvs, asking(PUPILS_OF, groups("nothing"), header=KNOWN), PUPILS_OF)
    assert b"<geengegevens/>" in answer.content


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("year", "has"), [("2026-2027", True), (LAST, True), ("2019-2020", False), ("2027-2028", False)]
)
async def test_it_has_data_of_this_school_year_alone(lvs: httpx2.AsyncClient, year: str, *, has: bool) -> None:
    answer = await send(lvs, asking(header=KNOWN).replace(b"2026-2027", year.encode()), HAAL)
    assert answer.status_code == 200
    assert (b"<geengegevens/>" not in answer.content) is has


@needs_standards
def test_last_school_year_is_that_of_the_published_list() -> None:
    types = Path(os.environ["STANDARDS_DIR"]) / "uwlr-2.2" / "Schemas" / "EDEXML.types.variabel.xsd"
    assert max(re.findall(r'enumeration value="(\d{4}-\d{4})"', types.read_text(encoding="utf-8"))) == LAST


@pytest.mark.anyio
@pytest.mark.parametrize("header", ["", authorisation("secret", "another"), authorisation("wrong", "gateway")])
async def test_whoever_is_not_known_gets_a_fault(lvs: httpx2.AsyncClient, header: str) -> None:
    answer = await send(lvs, asking(header=header), HAAL)
    assert (answer.status_code, faultcode(answer.content)) == (500, "Client")


@pytest.mark.anyio
async def test_another_action_than_the_message_is_refused(lvs: httpx2.AsyncClient) -> None:
    assert faultcode((await send(lvs, asking(header=KNOWN), STRUCTURE)).content) == "Client"


@needs_standards
@pytest.mark.anyio
async def test_result_is_kept_with_its_pupil_and_its_key_is_not_shown(lvs: httpx2.AsyncClient) -> None:
    number = str(SCHOOL.pupils[0].number)
    answer = await send(lvs, bringing(taken(number, result("r1")), header=KNOWN), BRENG, "leerresultaten")

    assert results_wrong(etree.tostring(content_of(answer.content))) == []
    (kept,) = (await lvs.get("/-/results")).json()
    assert (kept["id"], kept["pupil"], kept["statement"]["score"]) == ("r1", number, "7")
    assert "secret" not in (await lvs.get("/-/calls")).text


@pytest.mark.anyio
async def test_result_of_nobody_is_refused_whole(lvs: httpx2.AsyncClient) -> None:
    number = str(SCHOOL.pupils[0].number)
    body = bringing(taken(number, result("r1")), taken("1", result("r2")), header=KNOWN)

    assert faultcode((await send(lvs, body, BRENG, "leerresultaten")).content) == "Client"
    assert (await lvs.get("/-/results")).json() == []
