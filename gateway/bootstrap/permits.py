"""One-off permits at the command line: made, shown, used, revoked, reviewed (D4, R13, R48, R56, R97, N31).

Each is an act of a signed-in person with its register entry; what two persons must carry waits for the second (R116).
Leaves out: what a permit must say (`core.gate.permits`), how data leave on one (`handover`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from gateway.adapters.facts.store import known
from gateway.adapters.policy.yaml_text import read
from gateway.adapters.register import permits as stored
from gateway.adapters.register.permits import KeptPermit, NotPossible
from gateway.bootstrap.acts import compiled
from gateway.bootstrap.proposals import carries, propose
from gateway.bootstrap.pupils import as_registered, numbers, pupil
from gateway.bootstrap.school import Refused, School, Unusable, clock, legal_today
from gateway.core.facts import Occasion, Permit
from gateway.core.gate.permits import Asked, Items, judged, weights
from gateway.core.model import Finding, Subject
from gateway.core.persons import Actor, Deed, needs_two, sees_secrets
from gateway.core.policy.terms import Delivery

__all__ = ["Items", "KeptPermit", "Made", "Wanted", "find", "listed", "make", "review", "revoke", "shown", "stated_in"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for. `las_key`: the pupil's number in the administration."""

    occasion: Occasion
    recipient: str
    purpose: str | None
    source: str | None
    las_key: str = field(repr=False)
    items: Items = field(repr=False)


@dataclass(frozen=True, slots=True)
class Made:
    """A permit by its name, or the number of the proposal that waits for a second person."""

    permit: str | None = None
    proposal: int | None = None


def stated_in(path: Path) -> dict[str, Any]:
    """The items of a YAML or JSON file, by name. Raises Unusable."""
    try:
        document = read(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError):
        raise Unusable([f"{path.name} cannot be read"]) from None
    if document.problems or not isinstance(document.value, dict):
        raise Unusable(document.problems or [f"{path.name}: items by name"])
    return document.value


def make(school: School, actor: Actor, wanted: Wanted, reason: str) -> Made:
    """Raises Refused; what was asked is then in the register as well."""
    act = school.act(actor, Deed.PERMIT_MAKE, reason)
    delivery = _delivery(school, wanted.occasion, wanted.recipient, wanted.purpose)
    subject = pupil(school, wanted.source, wanted.las_key)
    asked = _asked(school, delivery, subject.id, wanted.items, reason)
    permit = judged(asked)
    if not isinstance(permit, Permit):
        stored.attempt(school.database, act, delivery, subject, permit, secret=asked.secret)
        raise Refused(_said(permit))
    if needs_two(Deed.PERMIT_MAKE, weights(permit)):
        return Made(proposal=propose(school, actor, Deed.PERMIT_MAKE, _arguments(wanted, delivery, subject), reason))
    return Made(stored.keep(school.database, school.store_keys, act, subject.id, permit, wanted.items))


def _arguments(wanted: Wanted, delivery: Delivery, subject: Subject) -> dict[str, Any]:
    return {
        "about": str(wanted.occasion),
        "recipient": delivery.recipient,
        "purpose": delivery.purpose,
        "subject": subject.id.hex(),
        "items": msgspec.to_builtins(wanted.items),
    }


@carries(Deed.PERMIT_MAKE)
def _make_confirmed(school: School, actor: Actor, arguments: Mapping[str, Any], reason: str) -> None:
    """Everything is asked again: an order may have been withdrawn, a pupil restricted, since it was proposed."""
    act = school.act(actor, Deed.PERMIT_MAKE, reason)
    delivery = _delivery(school, Occasion(arguments["about"]), arguments["recipient"], arguments["purpose"])
    items = msgspec.convert(arguments["items"], Items)
    subject = bytes.fromhex(arguments["subject"])
    permit = judged(_asked(school, delivery, subject, items, reason))
    if not isinstance(permit, Permit):
        raise Refused(_said(permit))
    stored.keep(school.database, school.store_keys, act, subject, permit, items)


def _delivery(school: School, occasion: Occasion, recipient: str, purpose: str | None) -> Delivery:
    """The recipient's delivery of this occasion. Raises Refused."""
    standings = [one for key, one in compiled(school).standings.items() if key[0] == recipient]
    fitting = [one for one in standings if one.delivery.conditions.occasion is occasion]
    fitting = [one for one in fitting if purpose in (None, one.delivery.purpose)]
    if not fitting:
        raise Refused([f"no recipient of this name receives on the occasion {occasion}; see recipients/"])
    if len({one.delivery.purpose for one in fitting}) > 1:
        raise Refused(["this recipient has several purposes: name one with --purpose"])
    if fitting[0].findings:
        raise Refused(_said(fitting[0].findings))
    return fitting[0].delivery


def _asked(school: School, delivery: Delivery, subject: bytes, items: Items, reason: str) -> Asked:
    facts = known(school.database, school.store_keys, subject)
    emergency = timedelta(seconds=school.settings.limits.emergency_seconds)
    return Asked(delivery, items, reason, facts, clock(), legal_today(), emergency)


def _said(findings: Iterable[Finding]) -> list[str]:
    return [f"{one.reason}: {one.about}; {one.reason.meaning.school}" for one in findings]


# -- what there is ---------------------------------------------------------------------------------------


def listed(school: School, actor: Actor) -> list[KeptPermit]:
    """The newest first, those this person may see. Raises Refused."""
    school.look(actor, Deed.PERMIT_VIEW, "list permits", about={"permit": "list"})
    found = stored.kept(school.database, school.store_keys)
    return [one for one in found if sees_secrets(actor.roles) or not one.secret]


def find(school: School, actor: Actor, name: str) -> KeptPermit:
    """Who may not see it learns no more than that there is none. Raises Refused."""
    found = stored.kept(school.database, school.store_keys, name)
    if not found or (found[0].secret and not sees_secrets(actor.roles)):
        raise Refused(["there is no such permit"])
    return found[0]


def shown(school: School, actor: Actor, name: str, reason: str) -> dict[str, Any]:
    """One permit with its items and the pupil's number, once the view is registered (R80). Raises Refused."""
    permit = find(school, actor, name)
    about = {"permit": name, **({"secret": "yes"} if permit.secret else {})}
    school.look(actor, Deed.PERMIT_VIEW, reason, as_registered(school, permit.subject), about=about)
    return {
        "permit": permit.id,
        "occasion": permit.occasion,
        "recipient": permit.recipient,
        "purpose": permit.purpose,
        "pupil": numbers(school, permit.subject),
        "state": permit.state(clock()),
        "made": permit.made.isoformat(),
        "made_by": permit.made_by,
        "until": permit.until.isoformat(),
        "reason": permit.reason,
        "secret": permit.secret,
        "first_used": permit.used,
        "review": permit.review if permit.reviewed else ("open" if permit.to_review else None),
        "items": msgspec.to_builtins(permit.items),
    }


def revoke(school: School, actor: Actor, name: str, reason: str) -> None:
    """Raises Refused."""
    act = school.act(actor, Deed.PERMIT_MAKE, reason)
    try:
        stored.revoke(school.database, school.store_keys, find(school, actor, name), act)
    except NotPossible:
        raise Refused(["this permit was revoked before"]) from None


def review(school: School, actor: Actor, name: str, outcome: str, reason: str) -> None:
    """The FG's judgement of a break-glass (R13). Raises Refused."""
    act = school.act(actor, Deed.PERMIT_REVIEW, reason)
    permit = find(school, actor, name)
    if permit.occasion is not Occasion.BREAK_GLASS:
        raise Refused(["only break-glass is reviewed afterwards"])
    if not outcome.strip():
        raise Refused(["say what came of the review: --outcome"])
    try:
        stored.review(school.database, permit, outcome, act)
    except NotPossible:
        raise Refused(["this permit was reviewed before"]) from None
