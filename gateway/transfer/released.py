"""What may leave: the last ticket. A `Released` cannot be made without the register's receipt (house rule 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from gateway.core.policy.schema import Route
from gateway.core.reasons import Reason
from gateway.transfer.ports import Receipt

JSON = b"application/json"
SOAP = b"text/xml; charset=utf-8"


def media_of(route: Route) -> bytes:
    """In what the answers of this route leave."""
    return JSON if route.soap is None else SOAP


@dataclass(frozen=True, slots=True)
class Released:
    """An answer whose entry is durable. With a `reason` the body is made from it in the error shape `shape`, unless
    `body` is given; without one `body` is what was built. `about` holds words of our own schemas only;
    `headers` are of our own making; `school`: the school's own system called, and reads the school's sentence."""

    receipt: Receipt
    reason: Reason | None = None
    status: int = 200
    body: bytes | AsyncIterator[bytes] | None = field(default=None, repr=False)
    media: bytes = JSON
    shape: str = "problem"
    about: str = ""
    purpose: str | None = None
    school: bool = False
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Unregistered:
    """The register could not be written: 503, and nothing else (house rule 3)."""

    id: str
    reason: Reason = Reason.REGISTER_UNAVAILABLE
    shape: str = "problem"
    purpose: str | None = None
    school: bool = False


Answer = Released | Unregistered
