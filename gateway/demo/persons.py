"""Who works at the demo school: names, roles, and what each signs in with.

Passwords and code keys follow from the secret that stands beside the directory, so that every start prints the same.
Leaves out: adding them (`cli.demo`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import blake2b

from gateway.core.persons import Held, PersonRole

_R = PersonRole


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One of them."""

    name: str
    held: tuple[Held, ...]

    def password(self, secret: str) -> str:
        letters = base64.b32encode(self._derived(secret, b"password", 10)).decode("ascii").lower()
        return "-".join(letters[at : at + 4] for at in range(0, 16, 4))

    def totp(self, secret: str) -> bytes:
        return self._derived(secret, b"totp", 20)

    def _derived(self, secret: str, use: bytes, size: int) -> bytes:
        return blake2b(self.name.encode(), digest_size=size, key=secret.encode()[:64], person=use).digest()


def _held(*roles: PersonRole) -> tuple[Held, ...]:
    return tuple(map(Held, roles))


SIGNED_IN = DemoPerson("demo", _held(_R.ADMINISTRATOR, _R.SCHEMA_EDITOR, _R.CONSENT_OFFICER, _R.RELEASER))
"""Whoever sits at the demo's command line."""

SECOND = DemoPerson("tweede", _held(_R.SCHEMA_EDITOR, _R.RELEASER))
"""Who confirms what one person may not do alone."""

PERSONS = (
    SIGNED_IN,
    SECOND,
    DemoPerson("fg", _held(_R.FG)),
    DemoPerson("bestuur", _held(_R.BOARD)),
    DemoPerson("toestemming", _held(_R.CONSENT_OFFICER)),
    DemoPerson("locatie-noord", (Held(_R.LOCATION_ADMIN, "noord"),)),
)
