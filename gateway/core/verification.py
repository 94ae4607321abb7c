"""Whether what storage gives is the register as it was written: every entry and every roll, and how they chain (N40).

Written apart from the encoder (stdlib json, nothing of `register` but its three constants and how a roll is read) and
believes no type that comes out of storage. It hashes the stored bytes and never encodes again, so that an old entry
stays valid whatever fields come later. Leaves out: how an entry is made (`register`), where it is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.core.register import ENTRY_TAG, ROLL_TAG, START, members


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A row as storage gives it: nothing in it is believed. `roll` is the number of a stored roll."""

    sequence: object
    id: object
    roll: object
    body: object
    previous: object
    hash: object


@dataclass(frozen=True, slots=True)
class StoredRoll:
    """A roll row with its index rows; `digest` and `body` None when index rows name a roll that is not there."""

    number: object
    digest: object
    body: object
    members: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry, as somebody kept it elsewhere: shows that the end was cut off."""

    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not hold, and where: "entry 12", "roll 3"."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """`ok` when there are no problems; `count` entries read; `head` of the last one (None: empty)."""

    ok: bool
    count: int
    head: Head | None
    problems: tuple[Problem, ...]


def verify(entries: Iterable[StoredEntry], rolls: Iterable[StoredRoll], expected: Head | None = None) -> Verification:
    """Check everything that is stored, `entries` in the order of their sequence. Every problem is located; after one
    the check goes on from what is stored, so that one changed byte gives one problem or two, not thousands."""
    problems: list[Problem] = []
    digests: dict[object, str] = {}
    for roll in rolls:
        if roll.number in digests:
            problems.append(Problem(f"roll {_number(roll.number)}", "is stored twice"))
        digests[roll.number] = _verify_roll(roll, problems)
    unused = set(digests)
    count, head, previous, passed = 0, None, START, expected is None
    for entry in entries:
        count += 1
        _verify_entry(entry, count, previous, digests, problems)
        if entry.roll is not None:
            unused.discard(entry.roll)
        previous = entry.hash if isinstance(entry.hash, bytes) else START
        head = Head(count, previous)
        passed = passed or head == expected
    problems += [Problem(f"roll {number}", "no entry refers to it") for number in sorted(map(_number, unused))]
    if not passed and expected is not None:
        problems.append(Problem(f"entry {expected.sequence}", "is not the entry that was kept as head"))
    return Verification(not problems, count, head, tuple(problems))


def _verify_roll(roll: StoredRoll, problems: list[Problem]) -> str:
    """The digest in hexadecimal, computed from the body."""
    where = f"roll {_number(roll.number)}"
    if not isinstance(roll.body, bytes):
        problems.append(Problem(where, "its list is missing"))
        return ""
    digest = hashlib.sha256(ROLL_TAG + roll.body)
    if digest.digest() != roll.digest:
        problems.append(Problem(where, "its list does not have its digest"))
    try:
        listed = members(roll.body)
    except (ValueError, TypeError, AttributeError):
        problems.append(Problem(where, "its list cannot be read"))
        return digest.hexdigest()
    if listed != frozenset(roll.members):
        problems.append(Problem(where, "its index differs from its list"))
    return digest.hexdigest()


def _verify_entry(
    entry: StoredEntry, place: int, previous: bytes, digests: Mapping[object, str], problems: list[Problem]
) -> None:
    where = f"entry {_number(entry.sequence)}"
    if entry.sequence != place:
        problems.append(Problem(where, f"stands at place {place}: entries are missing, added or moved"))
    if entry.previous != previous:
        problems.append(Problem(where, "does not follow the entry before it"))
    if not isinstance(entry.body, bytes) or not isinstance(entry.previous, bytes):
        problems.append(Problem(where, "is not stored as bytes"))
        return
    if hashlib.sha256(ENTRY_TAG + entry.previous + entry.body).digest() != entry.hash:
        problems.append(Problem(where, "does not have its hash"))
    try:
        content = json.loads(entry.body)
        known, roll, version = content["id"], content.get("roll"), content["v"]
    except (ValueError, TypeError, KeyError, AttributeError):
        problems.append(Problem(where, "cannot be read"))
        return
    if version != 1:
        problems.append(Problem(where, "is of a version this gateway does not know"))
    if known != entry.id:
        problems.append(Problem(where, "is stored under another id"))
    if roll != (digests.get(entry.roll, "") if entry.roll is not None else None):
        problems.append(Problem(where, "refers to another list of pupils, or to none that is stored"))


def _number(value: object) -> int:
    """A stored number, or -1: a text or blob from a tampered row is never shown."""
    return value if isinstance(value, int) else -1
