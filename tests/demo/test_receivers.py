"""The systems to which the demo pushes: strict about what their standard does not know, and its own messages valid."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import orjson
import pytest
from lxml import etree

from gateway.demo.pushes import enrolment, participants
from gateway.demo.receivers import DUO_PATH, TEST_PATH
from tests.builders_push import ACTION, enveloped, fault, removal, valid, within
from tests.official import needs_standards, problems
from tests.servers import RunningLvs, demo_lvs


@pytest.fixture(scope="module")
def lvs() -> Iterator[RunningLvs]:
    with demo_lvs() as one:
        yield one


def duo(lvs: RunningLvs, body: bytes, action: str = f"{ACTION}InschrijvingVO") -> httpx2.Response:
    headers = {"content-type": "text/xml", "soapaction": f'"{action}"'}
    return httpx2.post(f"{lvs.url}{DUO_PATH}", content=body, headers=headers)


def test_messages_of_the_demo_school_are_valid(lvs: RunningLvs) -> None:
    assert valid(etree.fromstring(enrolment(lvs.lvs.school)))


@needs_standards
def test_list_of_the_demo_school_is_as_the_official_api_says_but_for_the_number_in_it(lvs: RunningLvs) -> None:
    listed = orjson.loads(participants(lvs.lvs.school))

    assert len(listed["deelnemers"]) == 12
    assert problems("eindtoets/eindtoetsketen-openapi.yaml", "Deelnemerslijst", listed) == []


def test_register_acknowledges_validly_what_it_knows(lvs: RunningLvs) -> None:
    for body, action in (
        (enrolment(lvs.lvs.school).split(b"?>")[1], f"{ACTION}InschrijvingVO"),
        (removal(), f"{ACTION}VerwijderingInschrijvingVO"),
    ):
        answer = duo(lvs, enveloped(body), action)

        assert answer.status_code == 200
        assert valid(within(answer.content))


def test_register_refuses_what_its_description_does_not_have(lvs: RunningLvs) -> None:
    message = removal().decode()
    for body in (
        enveloped(message.replace("<b:brin>", "<achternaam>x</achternaam><b:brin>").encode()),
        enveloped(message.replace("<b:brin>", "<b:brin x='1'>").encode()),
        enveloped(b"<x/>"),
        removal(),
        fault(),
        b"geen xml",
    ):
        assert duo(lvs, body, f"{ACTION}VerwijderingInschrijvingVO").status_code == 500


def test_test_provider_refuses_a_list_of_nobody_and_an_unknown_field(lvs: RunningLvs) -> None:
    listed = orjson.loads(participants(lvs.lvs.school))
    known = [{name: value for name, value in one.items() if name != "bsn"} for one in listed["deelnemers"]]
    told = [
        httpx2.post(f"{lvs.url}{TEST_PATH}", json={**listed, "deelnemers": people}).status_code
        for people in (known, [], listed["deelnemers"])
    ]

    assert told == [202, 422, 422]
