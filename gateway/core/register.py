"""The register entry: its encoding and its chain, without any storage (R43, R85, R107, N40).

An *entry* is one JSON object, kept as the bytes that were hashed. A *roll* is the list of pupils behind an entry:
references that were released, those of them who left without some fields (with path and reason), and references that
were withheld with the reasons. A roll is kept once under its own
hash, so that a class list that is asked for every five minutes costs one row of the register and no list.

    hash(entry n) = SHA-256("gateway/register/entry/v1" 00 ‖ hash(entry n-1) ‖ body)     hash(entry 0) = 32 zero bytes
    digest(roll)  = SHA-256("gateway/register/roll/v1" 00 ‖ body)

Growth rule. A body is canonical JSON: keys in alphabetical order, no spaces, a field with its default is left out, `v`
is 1. Fields are only ever added, with a default; none is renamed, removed or given another meaning. If that cannot
be kept, `v` becomes 2 and the tag ends in v2. Kinds are likewise only added: in a `change` (a person's act) and a
`view` (a person looked, R80) the released are the pupils it is about and the withheld those whom the person may not
see; a `session` is a sign-in, its failure or its end (R81). None of them is a delivery.

Leaves out: whether what is stored still holds (`verification`), where entries are kept (`adapters.register.writer`),
who the references stand for (`adapters.pupils.subjects`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
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


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an entry says in the words of its draft. These names are stored: see the growth rule.

    `id` UUIDv7 text; `moment` UTC, microseconds. `count`: how many refusals without a known caller this entry stands
    for (kind `refusals`)."""

    id: str
    kind: EntryKind
    moment: str
    actor: str
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
    outcome: str
    reasons: tuple[Reason, ...] = ()
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


class Draft(Entry, frozen=True, kw_only=True):
    """What the register must hold before anything leaves. Sequence and previous hash are the register's.

    `versions` None for entries no verdict stands behind (refusals, changes). `released` and `withheld` make the
    content-addressed pupil list (the "roll"); `partial`: those released of whom some fields were withheld, each with
    path and reason. The rest is no part of the entry, and happens in its transaction. `held`: cases that a person at
    school must decide (D2); `secret`: for releaser and FG only. `spends`: the permit under which this leaves; if used
    up, nothing leaves. `advances`: what the journal of an export keeps of this part. `issued`: pseudonyms and mapped
    ids that leave for the first time, to be found back later. `views`: what this recipient now has that it had not
    (`release.views`); `anchors`: where a walk over a list goes on."""

    outcome: str = "refused"
    versions: Versions | None = None
    released: tuple[Subject, ...] = ()
    withheld: tuple[tuple[Subject, tuple[Reason, ...]], ...] = ()
    partial: tuple[tuple[Subject, tuple[tuple[str, Reason], ...]], ...] = ()
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


class _Body(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """The entry as it is encoded. `facts`, `keys` and `policy` are the versions the verdict was made under; `released`,
    `partial` and `withheld` count the references in `roll`."""

    facts: int | None = None
    keys: int | None = None
    partial: int = 0
    policy: int | None = None
    released: int = 0
    roll: str | None = None
    v: int
    withheld: int = 0


_encode = msgspec.json.Encoder(order="sorted").encode


def encode(draft: Draft, roll: bytes | None) -> bytes:
    """The canonical bytes of an entry; `roll` is the digest of its pupil list (None: nobody is in it)."""
    versions = draft.versions
    told: dict[str, Any] = {name: getattr(draft, name) for name in Entry.__struct_fields__}
    return _encode(
        _Body(
            **told,
            facts=versions.facts if versions else None,
            keys=versions.keys if versions else None,
            partial=len(draft.partial),
            policy=versions.policy if versions else None,
            released=len(draft.released),
            roll=roll.hex() if roll is not None else None,
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
