"""Step 14 of the gate: what needs whose consent, for parents (R31-R33, N32, N37) and for others (R3, R34, R35, R38).

Pure. Leaves out: whether a consent is valid (`consent`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.days import reached
from gateway.core.gate.consent import ADULT, DECIDES, LEGAL, Heard, heard, speakers
from gateway.core.gate.question import Question, Said
from gateway.core.model import Category, Ground, Person
from gateway.core.reasons import Reason

# R32: study progress and results, without which a school cannot speak with parents at all.
PROGRESS = frozenset({Category.RESULTS, Category.ATTENDANCE, Category.ORGANISATION})


def consents(question: Question) -> Iterator[Said]:
    """On an occasion no consent is looked up or asked (D4); where another ground carries the delivery none is needed
    (R3), but for what always needs one."""
    if question.one_off:
        return
    if question.ground is None:
        yield Said(Reason.CONSENT_MISSING)
    elif question.audience.parent and question.subject.person is Person.PUPIL:
        yield from _parent(question)
    elif question.ground is Ground.CONSENT:
        yield from _needed(question, heard(question), None)
    elif question.fields.consent:
        yield from _needed(question, heard(question), question.fields.consent)


def _needed(question: Question, said: Heard, paths: frozenset[str] | None) -> Iterator[Said]:
    """What consent leaves of these paths; None is the whole person (R23: what was added later stays behind)."""
    if said.reason is not None:
        yield Said(said.reason, paths, said.held)
        return
    needed = question.fields.all if paths is None else paths
    refused = question.fields.of(said.refused) & needed
    added = (question.fields.beyond(said.categories) & needed) - refused
    if refused:
        yield Said(Reason.CONSENT_REFUSED, refused, said.held)
    if added:
        yield Said(Reason.CONSENT_SCOPE_CHANGED, added)


def _parent(question: Question) -> Iterator[Said]:
    """Table 5.2. Below 16 everything to who has gezag; then progress only, unless the pupil consents to the rest; from
    18 everything by consent. A parent without gezag, or who is not named, gets progress at most (R33)."""
    guardian, facts, today = question.audience.guardian, question.facts, question.today
    if guardian not in (None, *(one.person for one in facts.representatives)):
        yield Said(Reason.PUPIL_NOT_IN_SCOPE)  # nobody's parent here
    if facts.birth is None:
        yield Said(Reason.BIRTH_DATE_UNKNOWN, held=True)
    elif reached(facts.birth, ADULT, today):
        yield from _needed(question, heard(question), None)
    elif rest := question.fields.beyond(PROGRESS):
        if guardian not in speakers(facts, LEGAL, today):
            yield Said(Reason.PARENT_PROGRESS_ONLY, rest)
        elif reached(facts.birth, DECIDES, today):
            yield from _needed(question, heard(question), rest)
