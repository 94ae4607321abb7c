"""Steps 10-13 and 18 of the gate: what stops a delivery that is otherwise in order, for one person or some fields.

Court order (R14), child safety and secret address (R33, R100, N39), restriction (R93, C8), objection (R96), dispute
(R115). Pure. Leaves out: the permit that an occasion takes (`occasion`), consent (`consent`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.days import holds
from gateway.core.facts import Mark, Marker, Occasion, Permit, Release, Restriction
from gateway.core.gate.question import Question, Said, together
from gateway.core.model import Category, Ground
from gateway.core.reasons import Reason

# R96, N14: the grounds against which an objection can be made.
OBJECTED = frozenset({Ground.PUBLIC_TASK, Ground.LEGITIMATE_INTEREST})

# Who receives on these occasions is there to protect the child; the permit names what it may know (D4).
_PROTECTS = frozenset({Occasion.POLICE, Occasion.SAFETY})

_INTERNAL_ID = 32  # hexadecimal digits


def court_orders(question: Question) -> Iterator[Said]:
    """R14: above every delivery, consent and permit."""
    for one in question.facts.court_orders:
        if holds(one.since, one.until, question.today) and _addressed(question, one.addressee):
            yield from _forbidden(question, Reason.COURT_ORDER, one.categories)


def _addressed(question: Question, addressee: str | None) -> bool:
    """To everybody, to this recipient, to this parent; a parent who is not named may be any."""
    if addressee in (None, question.delivery.recipient):
        return True
    audience = question.audience
    if not audience.parent:
        return False
    if audience.guardian is None:
        return len(addressee or "") == _INTERNAL_ID
    return addressee == audience.guardian.hex()


def child_safety(question: Question) -> Iterator[Said]:
    """R100: what is marked does not show to a parent. R33: nor anything to one whom the child's interest opposes."""
    if not question.audience.parent:
        return
    for marker in _markers(question, Mark.CHILD_SAFETY):
        yield from _forbidden(question, Reason.CHILD_SAFETY, marker.categories)
    guardian = question.audience.guardian
    for one in question.facts.representatives:
        opposed = not one.informed and guardian in (None, one.person)
        if opposed and holds(one.since, one.until, question.today):
            yield Said(Reason.CHILD_SAFETY)


def secret_address(question: Question) -> Iterator[Said]:
    """N39, D10: what tells where the child is stays behind; on a statutory duty a person decides."""
    if not question.fields.located or question.delivery.conditions.occasion in _PROTECTS:
        return
    for marker in _markers(question, Mark.SECRET_ADDRESS):
        paths = question.fields.located | question.fields.of(marker.categories or frozenset())
        released = question.releases(Reason.SECRET_ADDRESS, marker.number) if question.statutory else ()
        if question.statutory and not released:
            yield Said(Reason.SECRET_ADDRESS, held=True)
        elif rest := paths & question.fields.beyond(together(released)):
            yield Said(Reason.SECRET_ADDRESS, rest)


def _markers(question: Question, mark: Mark) -> Iterator[Marker]:
    """Those in force; one against a certain parent leaves the other parent alone."""
    guardian = question.audience.guardian if question.audience.parent else None
    for one in question.facts.markers:
        other = guardian is not None and one.against is not None and one.against != guardian
        if one.mark is mark and not other and holds(one.since, one.until, question.today):
            yield one


def restrictions(question: Question) -> Iterator[Said]:
    """R93. On a statutory duty or an occasion nothing passes silently and nothing is dropped silently (C8): it is held
    until a person records one of the exceptions of art. 18(2)."""
    waits = question.statutory or question.one_off
    for one in question.facts.restrictions:
        paths = question.reached(one.categories)
        if not holds(one.since, one.until, question.today) or paths == frozenset():
            continue
        passed = _excepted(question, one) if waits else None
        if passed is None:
            yield Said(Reason.PUPIL_RESTRICTED, None if waits else paths, held=waits)
        elif rest := question.fields.beyond(passed) & (question.fields.all if paths is None else paths):
            yield Said(Reason.PUPIL_RESTRICTED, rest)


def _excepted(question: Question, restriction: Restriction) -> frozenset[Category] | None:
    """N13: what leaves after all, by a release of this hold or a permit that records the exception."""
    found: tuple[Permit | Release, ...] = question.releases(Reason.PUPIL_RESTRICTED, restriction.number)
    if question.one_off:
        found = (*found, *question.permits())
    recorded = tuple(one for one in found if one.exception is not None)
    return together(recorded) if recorded else None


def objections(question: Question) -> Iterator[Said]:
    """R96, N14: stops on receipt, until the board decides otherwise. No effect on the grounds a-d or an occasion."""
    if question.ground not in OBJECTED or question.one_off:
        return
    for one in question.facts.objections:
        rejected = one.rejected is not None and one.rejected <= question.today
        if question.meant(one.recipient, one.purpose) and one.received <= question.today and not rejected:
            yield Said(Reason.PUPIL_OBJECTED)


def disputes(question: Question) -> Iterator[Said]:
    """R93 ground 1, R115: what is contested stays until it is settled."""
    for one in question.facts.disputes:
        if holds(one.since, None, question.today):
            yield from _forbidden(question, Reason.FIELD_DISPUTED, one.categories)


def _forbidden(question: Question, reason: Reason, categories: frozenset[Category] | None) -> Iterator[Said]:
    paths = question.reached(categories)
    if paths != frozenset():
        yield Said(reason, paths)
