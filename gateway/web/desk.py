"""What the admin API asks of the rest: a few named methods, each of which blocks and runs in a thread.

Leaves out: who does it (`bootstrap`), and how it is said over HTTP (`admin_facts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, Protocol

from gateway.core.persons import Actor

Json = dict[str, Any]
RowsForm = Literal["csv", "json", "ndjson"]


class Declined(Exception):
    """What was asked is not done. `status` of HTTP; `problems`: what is wrong where, without a value; `count`: how many
    there are, listed or not."""

    def __init__(self, status: int, title: str, problems: Sequence[Json] = (), count: int = 0) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.problems = problems
        self.count = count or len(problems)


class Desk(Protocol):
    """Acts of a signed-in person about facts. Every method may raise Declined, and RegisterUnavailable."""

    kinds: tuple[str, ...]
    """The kinds of row, as paths name them."""

    schemas: Mapping[str, Json]
    """JSON Schemas of rows and of a campaign, and what they refer to, by name; a row's name is its kind."""

    def sign_in(self, name: str, password: str, code: str) -> str | None:
        """A token, or None; registered either way."""
        ...

    def actor(self, token: str) -> Actor | None:
        """Whose session this is."""
        ...

    def sign_out(self, actor: Actor, token: str) -> None: ...

    def bring_in(self, actor: Actor, kind: str, body: bytes, form: RowsForm, reason: str) -> Json:
        """All rows of a text of this form, or none of them."""
        ...

    def listed(self, actor: Actor, kind: str, last: int) -> Json:
        """The newest that are known; no id and no name."""
        ...

    def end(self, actor: Actor, kind: str, number: int, reason: str, informed: date | None) -> None: ...

    def decide(self, actor: Actor, number: int, reason: str, *, rejected: bool) -> None:
        """The board's decision about an objection (R96)."""
        ...

    def open_campaign(self, actor: Actor, body: bytes, reason: str) -> Json: ...

    def declare(self, actor: Actor, kind: str, location: str, reason: str) -> None:
        """Everything of this kind is entered for this location."""
        ...

    def status(self, actor: Actor) -> Json:
        """How much is known, and what was declared by whom."""
        ...
