"""The demo LVS as Somtoday Connect: pages, one record, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from gateway.demo.school import SITES
from gateway.demo.somtoday import BASE, MOST, vestiging_id
from tests.official import needs_standards, problems
from tests.servers import CLIENT_ID, CLIENT_SECRET, demo_lvs

PLACE = f"{BASE}/vestiging/{vestiging_id(SITES[0])}"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with demo_lvs() as lvs, httpx2.Client(base_url=lvs.url, trust_env=False) as calling:
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = calling.post("/oauth/token", data=form).json()["access_token"]
        calling.headers["Authorization"] = f"Bearer {token}"
        yield calling


def test_pages_hold_every_pupil_of_a_vestiging_once(client: httpx2.Client) -> None:
    found: list[str] = []
    while page := client.get(f"{PLACE}/leerling", params={"amount": "90", "offset": str(len(found))}).json():
        if not page["leerlingen"]:
            break
        found += [one["uuid"] for one in page["leerlingen"]]
        assert {one["vestiging"]["naam"] for one in page["leerlingen"]} == {SITES[0].title}

    assert len(found) == len(set(found)) > 90


@needs_standards
@pytest.mark.parametrize(
    ("path", "kind"), [("leerling", "LeerlingResponse"), ("lesgroep/", "LesgroepResponse"), ("", "VestigingResponse")]
)
def test_answer_is_valid_against_the_official_description(client: httpx2.Client, path: str, kind: str) -> None:
    place = f"{PLACE}/{path}" if path else f"{BASE}/vestiging"
    answer = client.get(place, params={"amount": str(MOST)}).json()
    (records,) = answer.values()

    assert records
    assert problems("somtoday/connect-openapi.json", kind, answer) == []


def test_one_pupil_is_the_one_of_the_list(client: httpx2.Client) -> None:
    (one,) = client.get(f"{PLACE}/leerling", params={"amount": "1"}).json()["leerlingen"]

    assert client.get(f"{PLACE}/leerling/{one['uuid']}").json() == {"leerlingen": [one]}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{PLACE}/leerling", 400),
        (f"{PLACE}/leerling?amount={MOST + 1}", 400),
        (f"{PLACE}/leerling?amount=veel", 400),
        (f"{PLACE}/leerling/wie", 404),
        (f"{BASE}/vestiging/geen/leerling?amount=1", 404),
    ],
)
def test_what_cannot_be_answered_is_refused(client: httpx2.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_without_token_nothing_is_told(client: httpx2.Client) -> None:
    assert httpx2.get(f"{client.base_url}{PLACE}/leerling?amount=1").status_code == 401
