"""The register entry: its encoding, its chain, and its verification, without any storage.

(encoding and growth rule: see below; owned by the register helper)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gateway.core.model import Subject, Versions
from gateway.core.reasons import Reason

EntryKind = Literal["transfer", "part", "closing", "refusal", "refusals", "change", "finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the register must hold before anything leaves. Sequence and previous hash are the register's.

    `id` UUIDv7 text; `moment` UTC, microseconds; `versions` None for entries no verdict stands behind
    (refusals, changes). `released` and `withheld` make the content-addressed pupil list (the "roll").
    `issued` are pseudonyms and mapped ids that leave for the first time, to be found back later."""

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
    issued: tuple[Issue, ...] = field(default=(), repr=False)


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
