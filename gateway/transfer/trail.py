"""What is known of one transfer so far, and the register entries that follow from it (R85).

Pure. An entry is drafted from the trail, the verdict and the report of what was built; `flow` gives it to the
register before anything leaves. Leaves out: the entry's encoding (`core.register`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.core.gate.decide import Permit
from gateway.core.model import Caller, Finding, Subject, Versions
from gateway.core.policy.terms import Delivery
from gateway.core.reasons import Reason, first
from gateway.core.register import Draft, Issue, altered
from gateway.core.release.projection import Projection
from gateway.core.release.views import Viewed
from gateway.transfer.request import Match, Stop
from gateway.transfer.resolve import Absent

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}  # RFC 9562 section 4.1: binary 10xx


@dataclass(frozen=True, slots=True)
class Trail:
    """Who calls, since when, under which policy of the school, and (once matched) which route. `id` is the transfer's
    id, a UUIDv7."""

    id: str
    moment: datetime
    caller: Caller
    match: Match | None = None
    policy_version: str | None = None

    def at(self, match: Match) -> Trail:
        """The same transfer, now that its route is known."""
        return Trail(self.id, self.moment, self.caller, match, self.policy_version)

    @property
    def shape(self) -> str:
        """How an error looks in the format that was called."""
        return self.match.schema.errors if self.match else "problem"


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """What was built and is about to be handed to the transport, as the register must tell it."""

    released: tuple[Subject, ...] = ()
    withheld: tuple[tuple[Subject, tuple[Reason, ...]], ...] = ()
    partial: tuple[tuple[Subject, tuple[tuple[str, Reason], ...]], ...] = ()
    held: tuple[tuple[Subject, Reason], ...] = ()
    unresolved: int = 0
    malformed: int = 0
    records: int = 0
    bytes: int = 0
    digest: str | None = None
    issued: tuple[Issue, ...] = ()
    views: tuple[Viewed, ...] = ()
    key_version: int | None = None
    detail: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Built of {self.records} records …>"


def uuid7(moment: datetime, random: bytes) -> str:
    """RFC 9562 version 7: `moment` to the millisecond, then 74 of the 80 bits in `random`."""
    when, rest = f"{int(moment.timestamp() * 1000):012x}", random.hex()
    return f"{when[:8]}-{when[8:]}-7{rest[1:4]}-{_VARIANT[rest[4]]}{rest[5:8]}-{rest[8:20]}"


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"


def refusal(trail: Trail, stop: Stop) -> Draft:
    """The entry of a delivery that is refused: every reason that spoke, the answer first."""
    reasons = (stop.reason, *(finding.reason for finding in stop.findings))
    return Draft(
        **_common(trail),
        kind="refusal",
        outcome="refused",
        reasons=_ordered(reasons),
        detail=(*_through(trail), *_details(stop.findings)),
    )


def delivery(trail: Trail, permit: Permit, versions: Versions, projection: Projection | None, built: Built) -> Draft:
    """The entry of an answer: who is in it, who was withheld and why, which fields and categories."""
    terms = permit.standing.delivery
    return Draft(
        **_common(trail),
        kind="transfer",
        versions=versions,
        recipient_hash=permit.standing.recipient.text_hash or None,
        grondslag=_ground(terms),
        outcome="released" if built.records else "empty",
        reasons=_ordered([finding.reason for finding in permit.findings]),
        released=built.released,
        withheld=built.withheld,
        partial=built.partial,
        held=built.held,
        unresolved=built.unresolved,
        malformed=built.malformed,
        records=built.records,
        fields=projection.paths if projection else (),
        categories=projection.categories if projection else (),
        bytes=built.bytes,
        digest=built.digest,
        key_version=built.key_version,
        issued=built.issued,
        views=built.views,
        detail=(*_through(trail), *_details(permit.findings), *built.detail),
    )


def absence(trail: Trail, permit: Permit, versions: Versions, absent: Absent) -> Draft:
    """The entry of an answer that names a pupil and delivers none: outside one word, here the reasons."""
    reasons = _ordered(absent.reasons)
    subject = absent.subject or absent.stand_in
    draft = delivery(trail, permit, versions, None, Built(held=tuple((subject, reason) for reason in absent.held)))
    withheld = ((subject, reasons),)
    unresolved = int(absent.subject is None)
    return altered(draft, outcome="not-available", reasons=reasons, withheld=withheld, unresolved=unresolved)


def closing(own: Trail, trail: Trail, parts: int | None) -> Draft:
    """The entry that says how it ended: all parts handed to the transport, or a write-back sent. Without it the last
    part counts as delivered, and a write-back as of unknown outcome."""
    common = _common(own.at(trail.match) if trail.match else own)
    return Draft(**common, kind="closing", outcome="released", part_of=trail.id, part=parts)


def _common(trail: Trail) -> dict[str, Any]:
    """What every entry of this transfer says. (As arguments: an entry is made once, on the path of every answer.)"""
    caller, match = trail.caller, trail.match
    common: dict[str, Any] = {
        "id": trail.id,
        "moment": instant(trail.moment),
        "actor": caller.recipient if caller.kind == "recipient" else caller.kind,
        "credential": caller.credential,
        "recipient": caller.recipient,
        "purpose": caller.purpose,
        "policy_version": trail.policy_version,
    }
    if match is None:
        return common
    route, schema = match.route, match.schema
    common["source"] = match.source
    common["schema"] = schema.name
    common["route"] = f"{route.method} {route.path}"
    common["schema_hash"] = schema.text_hash or None
    return common


def _ground(delivery: Delivery) -> str | None:
    ground = delivery.grondslag
    return f"{ground.ground}: {ground.reference}" if ground else None


def _ordered(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each once, the answer in front."""
    unique = list(dict.fromkeys(reasons)) if reasons else ()
    if not unique:
        return ()
    answer = first(unique)
    return (answer, *(reason for reason in unique if reason is not answer))


def _through(trail: Trail) -> tuple[str, ...]:
    """R55."""
    platform = trail.caller.platform
    return (f"through: {platform}",) if platform is not None else ()


def _details(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(f"{finding.reason}: {finding.about}" for finding in findings if finding.about)
