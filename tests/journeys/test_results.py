"""A result posted under a pseudonym stands once, at the right pupil, and what is told about it is true."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.journeys.driving import SCHOOL, Demo, reference, truth

pytestmark = pytest.mark.journey

MOMENT = "2026-01-15T09:30:00Z"


def statement(identity: str, pseudonym: str, value: str = "7.5") -> dict[str, Any]:
    return {
        "id": identity,
        "student": reference(pseudonym),
        "results": [{"resultValue": value, "resultType": "Grade0.0-10.0", "assessmentId": "a-1"}],
        "status": "Final",
        "dateCreated": MOMENT,
        "dateLastModified": MOMENT,
    }


def message(*statements: dict[str, Any], identity: str = "m-1") -> dict[str, Any]:
    return {
        "id": identity,
        "assessmentDateTime": MOMENT,
        "assessmentDefinition": {"id": "a-1", "name": "Toets"},
        "school": SCHOOL,
        "schoolPeriod": "2026-2027",
        "timestamp": MOMENT,
        "studentScoresAndResults": list(statements),
    }


def post(demo: Demo, *statements: dict[str, Any], identity: str = "m-1") -> httpx2.Response:
    return demo.vendor("toetsaanbieder").post("/lvs/results", message(*statements, identity=identity))


@pytest.fixture
def pseudonyms(demo: Demo) -> list[str]:
    return demo.vendor("toetsaanbieder").pseudonyms()


def test_result_stands_at_the_right_pupil(demo: Demo, pseudonyms: list[str]) -> None:
    """R41, R42: the school's own system alone says who it is."""
    response = post(demo, statement("right-1", pseudonyms[0]), statement("right-2", pseudonyms[1]))

    numbers = truth(demo.directory, "toetsaanbieder").number
    stored = demo.lvs.results()
    assert (response.status_code, response.content) == (201, b"")
    assert [stored[one]["pupil"] for one in ("right-1", "right-2")] == [numbers[one] for one in pseudonyms[:2]]


def test_result_reaches_the_lvs_without_the_pseudonym(demo: Demo, pseudonyms: list[str]) -> None:
    post(demo, statement("own-id", pseudonyms[0]))

    assert pseudonyms[0] not in str(demo.lvs.calls()[-1])


def test_result_posted_twice_stands_once(demo: Demo, pseudonyms: list[str]) -> None:
    answers = [post(demo, statement("twice", pseudonyms[0]), identity=f"m-{n}") for n in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert demo.lvs.results()["twice"]["times"] == 1


def test_result_corrected_replaces_the_first(demo: Demo, pseudonyms: list[str]) -> None:
    post(demo, statement("corrected", pseudonyms[0], "5.0"))
    post(demo, statement("corrected", pseudonyms[0], "8.0"))

    stored = demo.lvs.results()["corrected"]
    assert stored["statement"]["results"][0]["resultValue"] == "8.0"


def test_result_whose_lvs_breaks_off_is_told_as_unknown_and_stands_once(demo: Demo, pseudonyms: list[str]) -> None:
    demo.lvs.fault("broken-after", 1)
    broken = post(demo, statement("broken", pseudonyms[0]))
    again = post(demo, statement("broken", pseudonyms[0]))

    assert (broken.status_code, broken.headers["gateway-reason"]) == (504, "OUTCOME_UNKNOWN")
    assert again.status_code == 201
    assert [one for one in demo.lvs.results() if one == "broken"] == ["broken"]


def test_result_under_another_recipients_pseudonym_arrives_nowhere(demo: Demo) -> None:
    """R42."""
    foreign = demo.vendor("uitgever-zuid").pseudonyms()[0]
    calls = len(demo.lvs.calls())
    response = post(demo, statement("foreign", foreign))

    assert response.status_code == 400
    assert response.json() == [{"id": "foreign", "status": 404, "statusMessage": "NOT_AVAILABLE"}]
    assert len(demo.lvs.calls()) == calls
    assert "foreign" not in demo.lvs.results()


def test_result_that_cannot_be_placed_leaves_the_others_alone(demo: Demo, pseudonyms: list[str]) -> None:
    foreign = demo.vendor("uitgever-zuid").pseudonyms()[0]
    response = post(demo, statement("taken", pseudonyms[0]), statement("not taken", foreign))

    told = {one["id"]: one["status"] for one in response.json()}
    assert told == {"taken": 201, "not taken": 404}
    assert "taken" in demo.lvs.results()


def test_result_of_a_recipient_without_that_delivery_has_no_route(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-noord")
    response = vendor.post("/lvs/results", message(statement("no route", vendor.pseudonyms()[0])))

    assert (response.status_code, response.headers["gateway-reason"]) == (404, "ROUTE_UNKNOWN")


def test_result_is_registered_before_and_after_it_was_sent(demo: Demo, pseudonyms: list[str]) -> None:
    response = post(demo, statement("registered", pseudonyms[0]))

    entry = demo.entry(response)
    (closing,) = [one for one in demo.entries() if one.get("part_of") == entry["id"]]
    assert (entry["records"], entry["released"], closing["outcome"]) == (1, 1, "acknowledged")
