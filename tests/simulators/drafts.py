"""Drafts, subjects and a seeded source of bytes for tests about what is stored."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from gateway.adapters.register.acts import Act
from gateway.core.model import Person, Subject, Versions
from gateway.core.register import Draft
from gateway.transfer.trail import instant, uuid7

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def seeded(seed: int = 1) -> Callable[[int], bytes]:
    """Randomness that is the same in every run."""
    return random.Random(seed).randbytes


def a_subject(number: int) -> Subject:
    return Subject(
        id=number.to_bytes(16, "big"),
        person=Person.PUPIL,
        reference=(number + 1_000_000).to_bytes(16, "big"),
        ids={},
    )


def an_id(number: int) -> str:
    return uuid7(NOW, number.to_bytes(10, "big"))


def a_draft(number: int = 1, **changed: Any) -> Draft:
    """A transfer of one pupil to one recipient."""
    given: dict[str, Any] = {
        "id": an_id(number),
        "kind": "transfer",
        "moment": instant(NOW),
        "actor": "uitgever-noord",
        "versions": Versions(1, 1, 1),
        "recipient": "uitgever-noord",
        "purpose": "toegang-leermiddel",
        "outcome": "released",
        "released": (a_subject(number),),
        "records": 1,
        "fields": ("userIds.userId",),
    }
    return Draft(**{**given, **changed})


def an_act(number: int = 1, moment: datetime = NOW) -> Act:
    """An act of the privacy officer; its entry's id counts apart from those of drafts."""
    return Act(an_id(900_000 + number), "p.officer", "agreed with the board", moment)
