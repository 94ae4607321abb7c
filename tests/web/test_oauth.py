"""web.oauth: RFC 6749 client credentials, over the ASGI interface."""

from __future__ import annotations

import base64

import httpx2
import pytest

from gateway.transfer.ports import RegisterUnavailable
from gateway.web.oauth import TokenIssuer, oauth_app

pytestmark = pytest.mark.anyio


class Issuer:
    """Knows one client."""

    def issue(self, client: str, secret: str) -> tuple[str, int] | None:
        return ("token-1", 3600) if (client, secret) == ("vendor", "s3cret+/=") else None


class Refusals:
    """`entry`: the id of the entry; None when the register cannot be written."""

    def __init__(self, entry: str | None = "entry-1") -> None:
        self.origins: list[str] = []
        self._entry = entry

    async def __call__(self, origin: str) -> str | None:
        self.origins.append(origin)
        return self._entry


class UnreadableIssuer:
    """The database cannot be read."""

    def issue(self, client: str, secret: str) -> tuple[str, int] | None:
        raise RegisterUnavailable


async def post(
    content: bytes, refusals: Refusals | None = None, issuer: TokenIssuer | None = None, **headers: str
) -> httpx2.Response:
    app = oauth_app(issuer or Issuer(), refusals or Refusals())
    given = {
        "content-type": "application/x-www-form-urlencoded",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.post("/oauth/token", content=content, headers=given)


def basic(client: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


FORM = b"grant_type=client_credentials&client_id=vendor&client_secret=s3cret%2B%2F%3D"


async def test_token_form_credentials_are_accepted() -> None:
    response = await post(FORM + b"&scope=eduv.student.basic")

    assert response.json() == {"access_token": "token-1", "token_type": "Bearer", "expires_in": 3600}
    assert response.headers["cache-control"] == "no-store"


async def test_token_basic_credentials_are_accepted() -> None:
    response = await post(b"grant_type=client_credentials", authorization=basic("vendor", "s3cret%2B%2F%3D"))

    assert response.status_code == 200


async def test_token_wrong_secret_is_registered_and_refused() -> None:
    refusals = Refusals()
    response = await post(FORM.replace(b"s3cret", b"wrong"), refusals)

    assert (response.status_code, response.json()) == (401, {"error": "invalid_client"})
    assert response.headers["www-authenticate"].startswith("Basic")
    assert response.headers["gateway-transfer"] == "entry-1"
    assert len(refusals.origins) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (FORM.replace(b"client_credentials", b"password"), "unsupported_grant_type"),
        (b"client_id=vendor&client_secret=x", "unsupported_grant_type"),
        (b"grant_type=client_credentials", "invalid_request"),
        (FORM + b"&client_id=other", "invalid_request"),
        (b"\xff", "invalid_request"),
        (b"a=" + b"x" * 9_000, "invalid_request"),
    ],
)
async def test_token_malformed_request_is_refused(content: bytes, code: str) -> None:
    response = await post(content)

    assert (response.status_code, response.json()) == (400, {"error": code})


async def test_token_json_body_is_refused() -> None:
    assert (await post(b"{}", content_type="application/json")).status_code == 400


async def test_token_credentials_twice_are_refused() -> None:
    assert (await post(FORM, authorization=basic("vendor", "s3cret%2B%2F%3D"))).status_code == 400


@pytest.mark.parametrize("header", ["Basic !!!", "Bearer abc", "Basic " + base64.b64encode(b"no colon").decode()])
async def test_token_unreadable_authorization_is_refused(header: str) -> None:
    assert (await post(b"grant_type=client_credentials", authorization=header)).status_code == 400


async def test_token_authorization_beyond_ascii_is_refused() -> None:
    app, refused = oauth_app(Issuer(), Refusals()), [(b"authorization", b"Basic \xe9\xe9\xe9\xe9")]
    headers = [(b"content-type", b"application/x-www-form-urlencoded"), *refused]
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://gateway") as client:
        response = await client.post("/oauth/token", content=b"grant_type=client_credentials", headers=headers)

    assert (response.status_code, response.json()) == (400, {"error": "invalid_request"})


async def test_token_unwritable_register_is_unavailable_and_not_a_refusal() -> None:
    response = await post(b"grant_type=client_credentials&client_id=vendor&client_secret=x", Refusals(None))

    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.headers["gateway-reason"] == "REGISTER_UNAVAILABLE"


async def test_token_unreadable_database_is_unavailable() -> None:
    response = await post(FORM, issuer=UnreadableIssuer())

    assert (response.status_code, response.json()) == (503, {"error": "temporarily_unavailable"})


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT"])
async def test_token_other_method_is_refused_as_everything_else_is(method: str) -> None:
    app = oauth_app(Issuer(), Refusals())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://gateway") as client:
        response = await client.request(method, "/oauth/token")

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"] == response.headers["gateway-reason"] == "METHOD_NOT_ALLOWED"
