"""An act of a person, and the register entry that is written in the transaction of the act (house rule 10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from gateway.adapters.database import Database
from gateway.adapters.register.chain import append_within
from gateway.core.model import Subject
from gateway.core.register import Draft
from gateway.transfer.trail import instant


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, why, when, and the UUIDv7 its entry will have. `on_behalf`: for whom; `second`: who confirmed it
    (R116). Made by `bootstrap.school` for somebody whose role allows it."""

    id: str
    by: str
    reason: str
    moment: datetime
    on_behalf: str | None = None
    second: str | None = None

    def register(
        self,
        connection: sa.Connection,
        what: str,
        *,
        kind: Literal["change", "view", "session"] = "change",
        recipient: str | None = None,
        recipient_hash: str | None = None,
        purpose: str | None = None,
        source: str | None = None,
        credential: str | None = None,
        about: Mapping[str, str] | None = None,
        pupils: Iterable[Subject] = (),
        kept_from: Iterable[Subject] = (),
        part: int | None = None,
    ) -> None:
        """Append the entry; `what` in two words ("key rotated"), `about` words and hashes of ours. `pupils`: whom it is
        about; `kept_from`: whom the person asked for and may not see. An act about very many has several entries under
        one id, numbered by `part`."""
        draft = Draft(
            id=self.id,
            kind=kind,
            moment=instant(self.moment),
            actor=self.by,
            outcome=what,
            recipient=recipient,
            recipient_hash=recipient_hash,
            purpose=purpose,
            source=source,
            credential=credential,
            released=tuple(pupils),
            part=part,
            withheld=tuple((one, ()) for one in kept_from),
            detail=(*self._said(), *(f"{name}: {value}" for name, value in (about or {}).items())),
        )
        append_within(connection, draft)

    def _said(self) -> list[str]:
        said = [("reason", self.reason), ("on behalf of", self.on_behalf), ("second person", self.second)]
        return [f"{name}: {value}" for name, value in said if value]


def note(
    database: Database,
    act: Act,
    what: str,
    *,
    kind: Literal["change", "view"] = "view",
    about: Mapping[str, str] | None = None,
    pupils: Iterable[Subject] = (),
    kept_from: Iterable[Subject] = (),
) -> None:
    """An entry of its own: somebody looked, or was refused (R80)."""
    with database.write() as connection:
        act.register(connection, what, kind=kind, about=about, pupils=pupils, kept_from=kept_from)
