"""What a recipient sends back, as it was read, and what may not stand in its text (D9).

Each statement stands alone: one that cannot be read, or holds what may not stand in text, is refused by itself. Leaves
out: reading and writing a format (`formats`), whom a reference stands for and what the caller hears
(`transfer.writeback`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.core.model import Transform
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.projection import Leaf, Many, Node, Slot


class BodyRefused(Exception):
    """The body of a request does not follow its schema. Says what is wrong in our own words."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `ids`: whom it names, as (kind of id, value); `content`: canonical bytes for its digest;
    `fault`: why it cannot be taken, in our own words (then nothing of it is forwarded)."""

    id: str | None = field(repr=False)
    ids: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content: bytes = field(default=b"", repr=False)
    fault: str | None = None
    fields: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A body as it was read. `organisation_ids`: (type, id); `fault` as with a statement, for the whole message."""

    organisation_master: str | None = field(repr=False)
    organisation_ids: tuple[tuple[str, str], ...] = field(repr=False)
    statements: tuple[Statement, ...]
    header: dict[str, Any] = field(repr=False)
    fault: str | None = None


_PSEUDONYM = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-?[0-9a-f]{4}-?8[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)
# The host is found first and looked into then: in one pattern the time grows with the square of the text.
_HOST = re.compile(r"https?://([^\s/]*)/", re.IGNORECASE)
_KETENID = re.compile(r"ketenid", re.IGNORECASE)
_ECK_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{128}(?![0-9a-f])", re.IGNORECASE)
_NINE = re.compile(r"(?<!\d)(?:\d{9}|\d{4}\.\d{2}\.\d{3}|\d{3}[ .]\d{3}[ .]\d{3})(?!\d)")
_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def contains(text: str, *, number: bool = False) -> str | None:
    """What may not stand in a text that comes in: a pseudonym, an ECK iD, a number that could be a BSN. `number`: the
    text is an id of a test or statement; the 11-proef would refuse one in eleven of nine digits (D7)."""
    if _PSEUDONYM.search(text):
        return "pseudonym"
    if _ECK_ID.search(text) or any(_KETENID.search(found[1]) for found in _HOST.finditer(text)):
        return "ECK iD"
    if not number and any(_eleven(found.group()) for found in _NINE.finditer(text)):
        return "BSN"
    return None


def _eleven(text: str) -> bool:
    """The 11-proef of a burgerservicenummer."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    return any(digits) and sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11 == 0


def only_kept(nodes: Iterable[Node], record: str) -> None:
    """What comes in is taken as it is or not at all: a transform would change what the recipient states. Raises
    DeliveryRefused."""
    for node in nodes:
        if isinstance(node, Slot) or (isinstance(node, Many) and node.empty):
            raise DeliveryRefused(f"{record}: {node.path} cannot come in")
        if isinstance(node, Leaf):
            if node.transform is not Transform.KEEP or node.maps is not None:
                raise DeliveryRefused(f"{record}: {node.path} comes in as it is or not at all")
        elif isinstance(node, Many):
            only_kept((node.item,), record)
        elif node.subject is not None:
            raise DeliveryRefused(f"{record}: {node.subject.at} cannot come in")
        else:
            only_kept(node.fields.values(), record)
