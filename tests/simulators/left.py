"""An answer as it leaves: what the one exit sends, for tests that compare bytes."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.transfer.released import Answer
from gateway.web.respond import leave


@dataclass(frozen=True, slots=True)
class Left:
    """Status, headers in order, and the whole body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value.decode() for key, value in self.headers if key == name.lower().encode()), None)

    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def but_for_the_transfer(self) -> tuple[int, tuple[tuple[bytes, bytes], ...], bytes]:
        """All of it, without the id that differs every time."""
        kept = tuple(pair for pair in self.headers if pair[0] != b"gateway-transfer")
        return self.status, kept, self.body


class Wire:
    """Collects what an application sends."""

    def __init__(self) -> None:
        self.messages: list[MutableMapping[str, Any]] = []

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        self.messages.append(message)

    @property
    def left(self) -> Left:
        start, *parts = self.messages
        return Left(start["status"], tuple(start["headers"]), b"".join(part.get("body", b"") for part in parts))


async def left(answer: Answer) -> Left:
    """Sends the answer into memory."""
    wire = Wire()
    await leave(answer, wire)
    return wire.left
