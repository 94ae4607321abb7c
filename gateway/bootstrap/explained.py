"""Why one pupil's data may leave in a delivery or not, for who may know; now, or as it was known at a past moment.

Leaves out: the rules (`core.gate.screening`), what each reader sees (`core.gate.explain_pupil`), the past (`past`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from gateway.bootstrap.acts import compiled
from gateway.bootstrap.past import as_known_at
from gateway.bootstrap.pupils import looked_at
from gateway.bootstrap.school import Refused, School, clock
from gateway.core.days import dutch_clock
from gateway.core.facts import Facts
from gateway.core.gate.explain_pupil import explain_pupil
from gateway.core.model import Subject
from gateway.core.persons import WITHHELD, Actor, shown
from gateway.core.reasons import Reason
from gateway.transfer.compiled import Compiled


@dataclass(frozen=True, slots=True)
class Asked:
    """About which pupil and delivery. `at`: an aware moment; None: now."""

    recipient: str
    purpose: str
    las_key: str = field(repr=False)
    source: str | None = None
    at: datetime | None = None


def explained(school: School, actor: Actor, asked: Asked, reason: str) -> list[str]:
    """Every rule that spoke or passed about this pupil, once the view is registered (R80). Raises Refused."""
    subject = looked_at(school, actor, asked.source, asked.las_key, reason, {"recipient": asked.recipient})
    policy, facts, moment = _known(school, asked.at, subject)
    lines = list(_lines(policy, asked, actor, (subject, facts, moment)))
    if not lines:
        raise Refused(["this recipient has no such delivery"])
    return lines


def _known(school: School, at: datetime | None, subject: Subject) -> tuple[Compiled, Facts, datetime]:
    """What the decision stands on: now, or as it was known then."""
    if at is None:
        return compiled(school), school.world().now().facts.about(subject.id), clock()
    if at > clock():
        raise Refused(["--at lies in the future"])
    then = as_known_at(school, at)
    return then.compiled, then.facts.about(subject.id), at


def _lines(policy: Compiled, asked: Asked, actor: Actor, known: tuple[Subject, Facts, datetime]) -> Iterator[str]:
    def seen(reason: Reason) -> bool:
        return shown(reason, actor.roles) != WITHHELD

    subject, facts, moment = known
    for key, standing in sorted(policy.standings.items()):
        if key[:2] == (asked.recipient, asked.purpose):
            yield f"{standing.recipient.title} · {asked.purpose} · {key[2]} · zoals bekend op {dutch_clock(moment)}"
            yield from explain_pupil(standing, policy.schemas[key[2]], subject, facts, moment, seen)
