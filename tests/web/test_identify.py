"""web.identify: one credential of ours, or nobody."""

from __future__ import annotations

import pytest

from gateway.core.model import Caller
from gateway.web.identify import identify
from tests.simulators.world import caller

NOORD = caller("uitgever-noord")


class OneCaller:
    """Knows one token, one key, and whatever is longer than any credential."""

    def by_token(self, token: str) -> Caller | None:
        return NOORD if token == "the-token" else None

    def by_api_key(self, key: str) -> Caller | None:
        return NOORD if key == "the-key" or len(key) > 512 else None


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b"Bearer the-token"},
        {b"authorization": b"bearer the-token"},
        {b"authorization": b"BEARER  the-token "},
        {b"gateway-key": b"the-key"},
    ],
)
def test_identify_known_credential_is_its_caller(headers: dict[bytes, bytes]) -> None:
    assert identify(headers, OneCaller()) is NOORD


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"authorization": b""},
        {b"authorization": b"the-token"},
        {b"authorization": b"Bearer"},
        {b"authorization": b"Basic the-token"},
        {b"authorization": b"Bearer the-key"},
        {b"authorization": b"Bearer the-token, Bearer the-token"},
        {b"authorization": b"Bearer the-token\xff"},
        {b"gateway-key": b""},
        {b"gateway-key": b"the-token"},
        {b"gateway-key": b"the-key, the-key"},
        {b"gateway-key": b"k" * 513},
        {b"gateway-key": b"the-key", b"authorization": b"Bearer the-token"},
        {b"gateway-key": b"the-key", b"authorization": b""},
        {b"x-gateway-key": b"the-key"},
        {b"cookie": b"gateway-key=the-key"},
    ],
)
def test_identify_anything_else_is_nobody(headers: dict[bytes, bytes]) -> None:
    """R81."""
    assert identify(headers, OneCaller()) is None
