"""Who is calling: a bearer token of ours, an API key in `Gateway-Key`, or the authorisation in a message of UWLR (R72,
R81). Nothing else counts.

Leaves out: what the caller may do (`core.gate.decide`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gateway.core.model import Caller
from gateway.formats.xml.soap import authorisation


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


def offers(headers: Mapping[bytes, bytes]) -> bool:
    """Whether there is a credential in the headers, known or not."""
    return b"authorization" in headers or b"gateway-key" in headers


def identify_message(opening: bytes, callers: Callers) -> Caller | None:
    """The caller whose API key stands in `autorisatiesleutel` and whose id in `klantcode`: a key that was mixed up
    with another school's is nobody's. `opening`: the first bytes of the message."""
    found = authorisation(opening)
    caller = callers.by_api_key(found.key) if found is not None else None
    return caller if found is not None and caller is not None and caller.credential == found.code else None


def _text(secret: bytes) -> str:
    return secret.decode("ascii") if len(secret) <= _LONGEST and secret.isascii() else ""
