"""An act of a person, and the register entry that is written in the transaction of the act (house rule 10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gateway.adapters.chain import append_within
from gateway.core.register import Draft
from gateway.transfer.trail import instant


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, why, when, and the UUIDv7 its entry will have."""

    id: str
    by: str
    reason: str
    moment: datetime

    def register(
        self,
        connection: sa.Connection,
        what: str,
        *,
        recipient: str | None = None,
        recipient_hash: str | None = None,
        purpose: str | None = None,
        source: str | None = None,
        credential: str | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Append the entry; `what` in two words ("key rotated"), `about` words and hashes of ours."""
        draft = Draft(
            id=self.id,
            kind="change",
            moment=instant(self.moment),
            actor=self.by,
            outcome=what,
            recipient=recipient,
            recipient_hash=recipient_hash,
            purpose=purpose,
            source=source,
            credential=credential,
            detail=(f"reason: {self.reason}", *(f"{name}: {value}" for name, value in (about or {}).items())),
        )
        append_within(connection, draft)
