"""Who is calling: a bearer token of ours, or an API key in `Gateway-Key` (R72, R81). Nothing else counts.

Leaves out: what the caller may do (`core.gate.decide`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gateway.core.model import Caller


class Callers(Protocol):
    """The credentials that are valid now; a revoked one is unknown from the next request on."""

    def by_token(self, token: str) -> Caller | None: ...

    def by_api_key(self, key: str) -> Caller | None: ...


_LONGEST = 512


def identify(headers: Mapping[bytes, bytes], callers: Callers) -> Caller | None:
    """The caller that both credentials agree on; None when there is none, or when two are offered."""
    bearer, key = headers.get(b"authorization"), headers.get(b"gateway-key")
    if (bearer is None) == (key is None):
        return None
    if bearer is None:
        secret = _text(key or b"")
        return callers.by_api_key(secret) if secret else None
    scheme, _, token = bearer.partition(b" ")
    secret = _text(token.strip())
    return callers.by_token(secret) if secret and scheme.lower() == b"bearer" else None


def _text(secret: bytes) -> str:
    return secret.decode("ascii") if len(secret) <= _LONGEST and secret.isascii() else ""
