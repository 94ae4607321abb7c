"""The admin API over HTTP on a school's directory: signed in, with a role, all rows or none; and as OpenAPI says it.

Schemathesis calls every operation with what the document allows and with what it does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from starlette.applications import Starlette

from gateway.adapters.facts.store import known, numbers
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import session
from gateway.bootstrap.desk import facts_api
from gateway.bootstrap.school import School, clock, open_school, random
from gateway.core.facts import Facts, Kind
from gateway.core.model import Enrolment, Person
from gateway.core.persons import Held, PersonRole
from gateway.transfer.ports import Observation
from gateway.web.admin import admin_app
from tests.simulators.stored import last_bodies

pytestmark = pytest.mark.anyio

NOORD = Held(PersonRole.LOCATION_ADMIN, "noord")
ROWS = [{"pupil": "100001", "ground": "accuracy"}]
WHY = {"Reason": "a letter of the parents"}


def token_of(school: School, name: str, *held: Held) -> str:
    """A signed-in person of this name."""
    if session.nobody_yet(school):
        session.add_first_person(school, name, held, session.new_credentials("a long password"))
    else:
        first = session.signed_in(school)
        session.add_person(school, first, name, held, session.new_credentials("a long password"), "a reason")
    session.keep_session(school, name, school.sign_in_rules())
    session.accept_statement(school, session.signed_in(school))
    return session.session_file(school.directory).read_text().strip()


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    """The demo's directory, of which the roster knows a pupil at each location."""
    with open_school(directory) as opened:
        book = Subjects(opened.database, opened.store_keys)
        for location, number in (("noord", "100001"), ("zuid", "100002")):
            stay = (Enrolment(location, 1, date(2026, 8, 1), None),)
            book.learn("lvs", {location: [Observation(Person.PUPIL, {"las-key": number}, stay)]}, clock(), random)
        yield opened


@pytest.fixture
def app(school: School) -> Starlette:
    return admin_app(dict, bytes, facts_api(school, lambda _: None))


@pytest.fixture
def officer(school: School) -> dict[str, str]:
    """The headers of somebody who may do everything about facts."""
    roles = (PersonRole.CONSENT_OFFICER, PersonRole.RELEASER, PersonRole.BOARD)
    return {"Authorization": f"Bearer {token_of(school, 'officer', *map(Held, roles))}"}


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://admin") as made:
        yield made


def about(school: School, number: str = "100001") -> Facts:
    lookup = id_lookup(school.store_keys, "lvs", "las-key", number)
    with school.database.read() as connection:
        query = "SELECT subject FROM subject_id WHERE lookup = ?"
        subject = connection.exec_driver_sql(query, (lookup,)).scalar_one()
    return known(school.database, school.store_keys, subject)


# -- signing in ------------------------------------------------------------------------------------------


async def test_session_of_a_person_acts_until_it_ends(school: School, client: httpx2.AsyncClient) -> None:
    credentials = session.new_credentials("a long password")
    session.add_first_person(school, "officer", [Held(PersonRole.CONSENT_OFFICER)], credentials)
    code = code_of(credentials.totp)

    signed = await client.post("/session", json={"name": "officer", "password": "a long password", "code": code})
    headers = {"Authorization": f"Bearer {signed.json()['access_token']}"}

    assert signed.headers["cache-control"] == "no-store"
    assert (await client.delete("/session", headers=headers)).status_code == 204
    assert (await client.get("/facts/status", headers=headers)).status_code == 401


def code_of(key: bytes) -> str:
    from gateway.adapters.access.sign_in import STEP, code_at  # noqa: PLC0415 - the authenticator app of this one test

    return code_at(key, int(clock().timestamp()) // STEP)


async def test_sign_in_that_is_wrong_says_no_more(school: School, client: httpx2.AsyncClient) -> None:
    token_of(school, "officer", Held(PersonRole.CONSENT_OFFICER))

    answers = [
        await client.post("/session", json={"name": name, "password": "a long password", "code": "000000"})
        for name in ("officer", "nobody")
    ]

    assert [one.status_code for one in answers] == [401, 401]
    assert answers[0].content == answers[1].content


async def test_sign_in_again_and_again_is_slowed_down(client: httpx2.AsyncClient) -> None:
    answers = [await client.post("/session", content=b"{}") for _ in range(21)]

    assert answers[-1].status_code == 429
    assert "retry-after" in answers[-1].headers


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}])
async def test_without_a_session_nothing_is_told(client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/facts/status"), ("POST", "/facts/restriction"), ("GET", "/facts/consent")):
        answer = await client.request(method, path, headers=headers)

        assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer")


async def test_without_the_role_it_is_refused(school: School, client: httpx2.AsyncClient) -> None:
    token = token_of(school, "beheerder", Held(PersonRole.ADMINISTRATOR))
    headers = {"Authorization": f"Bearer {token}", **WHY}

    answer = await client.post("/facts/restriction", json=ROWS, headers=headers)

    assert answer.status_code == 403
    assert about(school).restrictions == ()


# -- rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media", "content"),
    [
        ("application/json", json.dumps(ROWS)),
        ("text/csv; charset=utf-8", "pupil;ground\r\n100001;accuracy\r\n"),
        ("application/x-ndjson", json.dumps(ROWS[0])),
    ],
)
async def test_rows_become_facts_registered_with_who_and_why(
    school: School, client: httpx2.AsyncClient, officer: dict[str, str], media: str, content: str
) -> None:
    headers = {**officer, **WHY, "Content-Type": media}

    answer = await client.post("/facts/restriction", content=content, headers=headers)

    assert (answer.status_code, answer.json()) == (200, {"rows": 1, "entered": 1, "ended": 0, "known": 0})
    assert len(about(school).restrictions) == 1
    entry = json.loads(last_bodies(school.database, 1)[0])
    assert (entry["actor"], entry["detail"][0]) == ("officer", "reason: a letter of the parents")


async def test_rows_of_which_one_is_wrong_change_nothing_and_are_named_without_values(
    school: School, client: httpx2.AsyncClient, officer: dict[str, str]
) -> None:
    rows = [*ROWS, {"pupil": "Kanarie", "ground": "accuracy"}, {"pupil": "100001", "ground": "Kanarie"}]

    answer = await client.post("/facts/restriction", json=rows, headers={**officer, **WHY})

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [(one["row"], one["rule"]) for one in answer.json()["problems"]] == [(2, "R109"), (3, "form")]
    assert "Kanarie" not in answer.text
    assert numbers(school.database)[Kind.RESTRICTION] == 0


async def test_rows_of_another_location_are_of_nobody(school: School, client: httpx2.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {token_of(school, 'noord', NOORD)}", **WHY}

    other = await client.post("/facts/restriction", json=[{**ROWS[0], "pupil": "100002"}], headers=headers)
    none = await client.post("/facts/restriction", json=[{**ROWS[0], "pupil": "9"}], headers=headers)

    assert (other.status_code, other.content) == (422, none.content)


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"Reason": ""}, 400), ({"Reason": "x" * 501}, 400), ({"Content-Type": "application/xml"}, 415)],
)
async def test_rows_sent_otherwise_are_refused(
    client: httpx2.AsyncClient, officer: dict[str, str], changed: dict[str, str], status: int
) -> None:
    headers = {**officer, **WHY, "Content-Type": "application/json", **changed}

    assert (await client.post("/facts/restriction", content=json.dumps(ROWS), headers=headers)).status_code == status


async def test_body_that_never_ends_is_cut_off(client: httpx2.AsyncClient, officer: dict[str, str]) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000_000

    headers = {**officer, **WHY, "Content-Type": "application/json"}

    assert (await client.post("/facts/restriction", content=endless(), headers=headers)).status_code == 413


async def test_list_names_no_pupil(client: httpx2.AsyncClient, officer: dict[str, str]) -> None:
    await client.post("/facts/restriction", json=ROWS, headers={**officer, **WHY})

    answer = await client.get("/facts/restriction?last=5", headers=officer)

    (fact,) = answer.json()["facts"]
    assert (fact["kind"], fact["says"]) == ("restriction", {"ground": "accuracy"})
    assert "100001" not in answer.text


async def test_restriction_ends_only_after_informing(
    school: School, client: httpx2.AsyncClient, officer: dict[str, str]
) -> None:
    """R95: 409 without the day."""
    await client.post("/facts/restriction", json=ROWS, headers={**officer, **WHY})
    number = about(school).restrictions[0].number
    path = f"/facts/restriction/{number}/end"

    early = await client.post(path, json={"reason": "settled"}, headers=officer)
    ended = await client.post(path, json={"reason": "settled", "informed": "2026-01-02"}, headers=officer)
    again = await client.post(path, json={"reason": "settled", "informed": "2026-01-02"}, headers=officer)

    assert [one.status_code for one in (early, ended, again)] == [409, 204, 404]
    assert about(school).restrictions == ()


async def test_objection_is_decided_by_the_board(
    school: School, client: httpx2.AsyncClient, officer: dict[str, str]
) -> None:
    rows = [{"pupil": "100001", "received": "2026-01-01"}]
    await client.post("/facts/objection", json=rows, headers={**officer, **WHY})
    number = about(school).objections[0].number

    decision = {"reason": "compelling", "rejected": True}
    answer = await client.post(f"/facts/objection/{number}/decision", json=decision, headers=officer)

    assert answer.status_code == 204
    assert about(school).objections[0].rejected is not None


async def test_campaign_gets_a_number_for_its_rows(client: httpx2.AsyncClient, officer: dict[str, str]) -> None:
    terms = {
        "recipients": "toetsaanbieder", "purpose": "toetsafname", "categories": ["results"], "text": "2026-1",
        "form": "portal", "evidence": "sha256:00",
    }  # fmt: skip

    answer = await client.post("/campaigns", json=terms, headers={**officer, **WHY})
    refused = await client.post("/campaigns", json=terms | {"form": "oral"}, headers={**officer, **WHY})

    assert (answer.status_code, answer.json(), refused.status_code) == (200, {"campaign": 1}, 422)


async def test_declaration_stands_in_the_status(client: httpx2.AsyncClient, officer: dict[str, str]) -> None:
    body = {"kind": "restriction", "location": "noord", "reason": "all on paper are entered"}

    made = await client.post("/declarations", json=body, headers=officer)
    unknown = await client.post("/declarations", json=body | {"location": "kanarie"}, headers=officer)
    status = (await client.get("/facts/status", headers=officer)).json()

    assert (made.status_code, unknown.status_code) == (204, 404)
    assert [(one["kind"], one["location"], one["by"]) for one in status["declared"]] == [
        ("restriction", "noord", "officer")
    ]
    assert status["facts"]["marker"] == 0


async def test_unknown_path_is_a_problem_too(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/facts/permit")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


# -- as OpenAPI says it ------------------------------------------------------------------------------------

CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    unsupported_method, negative_data_rejection,
)  # fmt: skip
BOUNDED = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


# Kinds are made by one function, so some of them stand for all; signing out ends what the others need.
OPERATIONS = re.compile(
    r"(?!DELETE)\w+ /(session|campaigns|declarations|facts/(status|consent|restriction|objection)\b)"
)


def test_every_operation_answers_as_openapi_says(app: Starlette, officer: dict[str, str]) -> None:
    api = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in api.get_all_operations() if isinstance(found, Ok)]
    answered: set[int] = set()
    for operation in operations:
        if OPERATIONS.match(f"{operation.method.upper()} {operation.path}"):
            for mode in schemathesis.GenerationMode:
                answered |= called(operation.as_strategy(generation_mode=mode), officer)

    assert len(operations) == 42  # the document itself is none to schemathesis
    assert {200, 400, 404, 422} <= answered


def called(cases: Any, headers: dict[str, str]) -> set[int]:
    """The statuses with which some of these were answered, each as the document says."""
    answered: set[int] = set()

    @BOUNDED
    @given(case=cases)
    def call(case: Any) -> None:
        answered.add(case.call_and_validate(headers=headers, checks=CHECKS).status_code)

    call()
    return answered
