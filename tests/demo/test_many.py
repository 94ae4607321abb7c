"""The administration of any size: each pupil the same whatever the size, at one location, to whom has the token."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import msgspec
import pytest
from lxml import etree

from gateway.demo.many import CLASS, UWLR, Many, ids, make_app, organisation_id, student
from gateway.demo.server import running
from gateway.formats.xml.soap import enveloped

MANY = Many(3 * CLASS, 2)
TOKEN = {"authorization": "Bearer geheim"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(make_app(MANY, "geheim")) as one:
        yield one


def students(url: str, org: str, headers: dict[str, str]) -> httpx2.Response:
    kind, _ = organisation_id("v000")
    return httpx2.get(f"{url}/students/school", params={"orgIdType": kind, "orgId": org}, headers=headers)


def test_everybody_is_at_one_location(url: str) -> None:
    found = [students(url, organisation_id(name)[1], TOKEN).json() for name in MANY.names()]

    keys = [one["userIds"][0]["userId"] for each in found for one in each]
    assert len(keys) == len(set(keys)) == MANY.pupils
    assert set(keys) == {ids(number)["las-key"] for number in range(MANY.pupils)}


def test_pupil_is_the_same_in_a_school_of_another_size() -> None:
    first = next(Many(1).records("v000"))

    assert first == next(MANY.records("v000")) == student(0)
    assert msgspec.json.decode(first)["bsn"] == "000000000"


def test_location_without_pupils_is_an_empty_list() -> None:
    with running(make_app(Many(0), "geheim")) as url:
        assert students(url, organisation_id("v000")[1], TOKEN).json() == []


def test_who_has_no_token_or_names_no_location_gets_nothing(url: str) -> None:
    assert students(url, organisation_id("v000")[1], {}).status_code == 401
    assert students(url, "elders", TOKEN).status_code == 404


def test_document_of_a_location_holds_its_pupils_in_groups_that_are_there(url: str) -> None:
    brin = organisation_id("v001")[1]
    asked = f"<v><schooljaar>2026-2027</schooljaar><brincode>{brin[:4]}</brincode>"
    body = enveloped(f"{asked}<dependancecode>{brin[4:]}</dependancecode></v>".encode())
    refused = httpx2.post(f"{url}/uwlr/leerlinggegevens", content=body)

    told = httpx2.post(f"{url}/uwlr/leerlinggegevens", content=body, headers=TOKEN)

    (document,) = etree.fromstring(told.content).iter(f"{{{UWLR.decode()}}}leerlinggegevens")
    groups = {one.get("key") for one in document[1]}
    assert (refused.status_code, told.status_code) == (401, 200)
    assert len(document[2]) == len(MANY.at("v001"))
    assert {one.get("key") for one in document[2].iter("{*}groep")} == groups
