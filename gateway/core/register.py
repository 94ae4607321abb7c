"""The register entry: its encoding, its chain and its verification, without any storage (R43, R85, R107, N40).

An *entry* is one JSON object, kept as the bytes that were hashed. A *roll* is the list of pupils behind an entry:
references that were released, those of them who left without some fields (with path and reason), and references that
were withheld with the reasons. A roll is kept once under its own
hash, so that a class list that is asked for every five minutes costs one row of the register and no list.

    hash(entry n) = SHA-256("gateway/register/entry/v1" 00 ‖ hash(entry n-1) ‖ body)     hash(entry 0) = 32 zero bytes
    digest(roll)  = SHA-256("gateway/register/roll/v1" 00 ‖ body)

Growth rule. A body is canonical JSON: keys in alphabetical order, no spaces, a field with its default is left out, `v`
is 1. Fields are only ever added, with a default; none is renamed, removed or given another meaning. If that cannot
be kept, `v` becomes 2 and the tag ends in v2. `verify` hashes the stored bytes and never encodes again, so that an
old entry stays valid whatever fields come later. Kinds are likewise only added: in a `change` (a person's act) and a
`view` (a person looked, R80) the released are the pupils it is about and the withheld those whom the person may not
see; a `session` is a sign-in, its failure or its end (R81). None of them is a delivery.

`verify` is written apart from the encoder (stdlib json, nothing of the writer but the three constants above) and
believes no type that comes out of storage. Leaves out: where entries are kept (`adapters.register.writer`), who the
references stand for (`adapters.pupils.subjects`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from gateway.core.model import Subject, Versions
from gateway.core.reasons import Reason
from gateway.core.release.views import Viewed

ENTRY_TAG = b"gateway/register/entry/v1\0"
ROLL_TAG = b"gateway/register/roll/v1\0"
START = bytes(32)

EntryKind = Literal["transfer", "part", "closing", "refusal", "refusals", "change", "finding", "view", "session"]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What the register must hold before anything leaves. Sequence and previous hash are the register's.

    `id` UUIDv7 text; `moment` UTC, microseconds; `versions` None for entries no verdict stands behind
    (refusals, changes). `released` and `withheld` make the content-addressed pupil list (the "roll").
    `count`: how many refusals without a known caller this entry stands for (kind `refusals`).
    `partial`: those released of whom some fields were withheld, each with path and reason. `held`: cases that a person
    at school must decide (D2), opened in the same transaction and no part of the entry; `secret`: for releaser and FG
    only. `spends`: the permit under which this leaves, used in the same transaction; if used up, nothing leaves.
    `advances`: what the journal of an export keeps of this part, in the same transaction.
    `issued` are pseudonyms and mapped ids that leave for the first time, to be found back later. `views`: what this
    recipient now has that it had not (`release.views`); `anchors`: where a walk over a list goes on; like `issued` no
    part of the entry."""

    id: str
    kind: EntryKind
    moment: str
    actor: str
    versions: Versions | None = None
    credential: str | None = None
    recipient: str | None = None
    purpose: str | None = None
    source: str | None = None
    schema: str | None = None
    route: str | None = None
    recipient_hash: str | None = None
    schema_hash: str | None = None
    policy_version: str | None = None
    grondslag: str | None = None
    outcome: str = "refused"
    reasons: tuple[Reason, ...] = ()
    released: tuple[Subject, ...] = ()
    withheld: tuple[tuple[Subject, tuple[Reason, ...]], ...] = ()
    partial: tuple[tuple[Subject, tuple[tuple[str, Reason], ...]], ...] = ()
    unresolved: int = 0
    malformed: int = 0
    records: int = 0
    categories: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    bytes: int = 0
    digest: str | None = None
    key_version: int | None = None
    part_of: str | None = None
    part: int | None = None
    count: int | None = None
    detail: tuple[str, ...] = ()
    held: tuple[tuple[Subject, Reason], ...] = ()
    secret: bool = False
    spends: Spent | None = None
    advances: Advance | None = None
    issued: tuple[Issue, ...] = ()
    views: tuple[Viewed, ...] = ()
    anchors: tuple[Anchor, ...] = ()

    def __repr__(self) -> str:
        return f"<Draft of a {self.kind} …>"


altered = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Spent:
    """A permit, and the one handing over that uses it."""

    permit: str
    handover: str


@dataclass(frozen=True, slots=True)
class Advance:
    """How far an export is: its part of this number, sealed; `part` None: all of it is about to be handed over."""

    job: str
    part: int | None
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where one walk over a list (`context`: who asks what) goes on at this offset; sealed."""

    context: str = field(repr=False)
    offset: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issue:
    """A pseudonym that leaves: under which domain and key version, what it stands for. `thing` is "pupil",
    "staff", … for persons (value None) or the kind of a mapped thing (value: the LVS's id). `owner`: the
    person a thing belongs to, so that a request that names it is screened before any fetch."""

    domain: str
    key_version: int
    pseudonym: str = field(repr=False)
    thing: str
    source: str | None
    value: str | None = field(repr=False)
    owner: bytes | None = field(repr=False)


# -- writing -------------------------------------------------------------------------------------------


class _Body(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The encoded entry; declared in alphabetical order, which is the order of the bytes. See the growth rule.

    `facts`, `keys` and `policy` are the versions the verdict was made under; `released`, `partial` and `withheld`
    count the references in `roll`."""

    actor: str
    bytes: int = 0
    categories: tuple[str, ...] = ()
    count: int | None = None
    credential: str | None = None
    detail: tuple[str, ...] = ()
    digest: str | None = None
    facts: int | None = None
    fields: tuple[str, ...] = ()
    grondslag: str | None = None
    id: str
    key_version: int | None = None
    keys: int | None = None
    kind: str
    malformed: int = 0
    moment: str
    outcome: str
    part: int | None = None
    part_of: str | None = None
    partial: int = 0
    policy: int | None = None
    policy_version: str | None = None
    purpose: str | None = None
    reasons: tuple[Reason, ...] = ()
    recipient: str | None = None
    recipient_hash: str | None = None
    records: int = 0
    released: int = 0
    roll: str | None = None
    route: str | None = None
    schema: str | None = None
    schema_hash: str | None = None
    source: str | None = None
    unresolved: int = 0
    v: int
    withheld: int = 0


_encode = msgspec.json.Encoder().encode


def encode(draft: Draft, roll: bytes | None) -> bytes:
    """The canonical bytes of an entry; `roll` is the digest of its pupil list (None: nobody is in it)."""
    versions = draft.versions
    return _encode(
        _Body(
            actor=draft.actor,
            bytes=draft.bytes,
            categories=draft.categories,
            count=draft.count,
            credential=draft.credential,
            detail=draft.detail,
            digest=draft.digest,
            facts=versions.facts if versions else None,
            fields=draft.fields,
            grondslag=draft.grondslag,
            id=draft.id,
            key_version=draft.key_version,
            keys=versions.keys if versions else None,
            kind=draft.kind,
            malformed=draft.malformed,
            moment=draft.moment,
            outcome=draft.outcome,
            part=draft.part,
            part_of=draft.part_of,
            partial=len(draft.partial),
            policy=versions.policy if versions else None,
            policy_version=draft.policy_version,
            purpose=draft.purpose,
            reasons=draft.reasons,
            recipient=draft.recipient,
            recipient_hash=draft.recipient_hash,
            records=draft.records,
            released=len(draft.released),
            roll=roll.hex() if roll is not None else None,
            route=draft.route,
            schema=draft.schema,
            schema_hash=draft.schema_hash,
            source=draft.source,
            unresolved=draft.unresolved,
            v=1,
            withheld=len(draft.withheld),
        )
    )


def link(previous: bytes, body: bytes) -> bytes:
    """The hash of an entry that follows `previous`."""
    return hashlib.sha256(ENTRY_TAG + previous + body).digest()


@dataclass(frozen=True, slots=True)
class Roll:
    """A pupil list under its own hash."""

    digest: bytes
    body: bytes


def roll_of(
    released: Iterable[bytes],
    withheld: Iterable[tuple[bytes, tuple[Reason, ...]]],
    partial: Iterable[tuple[bytes, tuple[tuple[str, Reason], ...]]] = (),
) -> Roll | None:
    """The roll of these references; None when there are none. Order and repetition do not matter: references are
    sorted and written once, in hexadecimal, end to end; withheld ones under their reasons joined by a comma, partial
    ones (who are among the released) under "path:REASON" joined by a comma."""
    given = sorted(set(released))
    refused = _grouped((reference, map(str, reasons)) for reference, reasons in withheld)
    without = _grouped((reference, (f"{path}:{why}" for path, why in fields)) for reference, fields in partial)
    if not given and not refused:
        return None
    body: dict[str, Any] = {"v": 1}
    if without:
        body["partial"] = without
    if given:
        body["released"] = b"".join(given).hex()
    if refused:
        body["withheld"] = refused
    encoded = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return Roll(hashlib.sha256(ROLL_TAG + encoded).digest(), encoded)


def _grouped(listed: Iterable[tuple[bytes, Iterable[str]]]) -> dict[str, str]:
    found: dict[str, set[bytes]] = {}
    for reference, words in listed:
        found.setdefault(",".join(sorted(words)), set()).add(reference)
    return {words: b"".join(sorted(who)).hex() for words, who in found.items()}


def members(body: bytes) -> frozenset[bytes]:
    """Every reference in a roll. Raises ValueError when the bytes are not a roll."""
    content = json.loads(body)
    if not isinstance(content, dict) or content.get("v") != 1:
        raise ValueError("not a roll")
    lists = [content.get("released", ""), *content.get("withheld", {}).values()]
    lists += content.get("partial", {}).values()
    found: set[bytes] = set()
    for text in lists:
        joined = bytes.fromhex(text)
        if len(joined) % 16:
            raise ValueError("not a roll")
        found.update(joined[at : at + 16] for at in range(0, len(joined), 16))
    return frozenset(found)


# -- verifying -----------------------------------------------------------------------------------------


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
