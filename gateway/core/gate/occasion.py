"""What a pupil's delivery must have beside its terms: the permit of an occasion (D4), the recorded inzage (R57).

Pure. Leaves out: who grants a permit and what it must hold (the acts of persons).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.core.days import holds
from gateway.core.facts import Facts, Inzage
from gateway.core.gate.decide import LACKS
from gateway.core.gate.question import Question, Said, together
from gateway.core.model import Person
from gateway.core.policy.terms import Delivery
from gateway.core.reasons import Reason


def permit(question: Question) -> Iterator[Said]:
    """R13, R48, R56, R97, N31: only what a permit for this pupil names, as long as it holds."""
    if not question.one_off:
        return
    lacks = LACKS[question.delivery.conditions.occasion]
    permits = question.permits()
    if not permits:
        yield Said(lacks)
    elif rest := question.fields.beyond(together(permits)):
        yield Said(lacks, rest)


def recorded_inzage(facts: Facts, delivery: Delivery, today: date) -> Inzage | None:
    """The last one of what goes to this recipient."""
    found = [
        one for one in facts.inzagen if one.recipient in (None, delivery.recipient) and holds(one.day, None, today)
    ]
    return max(found, key=lambda one: (one.day, one.number), default=None)


def inzage(question: Question) -> Iterator[Said]:
    """R57, N26: the parents (or the pupil of 16) have seen what goes; a "no" does not stop it."""
    if not question.delivery.conditions.inzage or question.subject.person is not Person.PUPIL:
        return
    if recorded_inzage(question.facts, question.delivery, question.today) is not None:
        return
    released = question.releases(Reason.INZAGE_NOT_RECORDED, 0)
    if not released:
        yield Said(Reason.INZAGE_NOT_RECORDED, held=True)
    elif rest := question.fields.beyond(together(released)):
        yield Said(Reason.INZAGE_NOT_RECORDED, rest)
