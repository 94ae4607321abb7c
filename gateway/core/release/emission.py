"""One answer: who is in it, who is not and why, what it issues, and so what the register must know of it.

Leaves out: who a record speaks of and what is decided about them (`sight`), the shape of a format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from gateway.core.model import Subject, Verdict
from gateway.core.policy.schema import Record
from gateway.core.reasons import Reason
from gateway.core.register import Issue
from gateway.core.release.classified import WAITS, Waiting, released
from gateway.core.release.faults import Fault, Faults, add
from gateway.core.release.sight import Seen, Sight
from gateway.core.release.views import ENDS, UNSURE, Ended, Owner, Views


class Emission:
    """One answer (or one part of one): who is in it, who is not and why, and what it issues for the first time.
    `faults`: where records are not what their schema says; `waiting`: what stayed behind until a person releases it,
    for who looks at it; `views`: where what the recipient last got is remembered."""

    __slots__ = (
        "_blocked",
        "_held",
        "_mapped",
        "_released",
        "_things",
        "_withheld",
        "faults",
        "malformed",
        "sight",
        "unresolved",
        "views",
        "waiting",
    )

    def __init__(self, sight: Sight, views: Views | None = None) -> None:
        self.sight = sight
        self.views = views
        self.malformed = 0
        self.faults = Faults()
        self.unresolved = 0
        self.waiting: list[Waiting] = []
        self._released: list[Seen] = []
        self._withheld: dict[Subject, tuple[Reason, ...]] = {}
        self._held: dict[tuple[Subject, Reason], None] = {}
        self._things: dict[str, Issue] = {}
        self._mapped: dict[tuple[str, str], str] = {}
        self._blocked: dict[Subject, dict[tuple[str, Reason], None]] = {}

    def __repr__(self) -> str:
        return f"<Emission {len(self._released)} released, {len(self._withheld)} withheld>"

    def verdict(self, record: Record, subject: Subject) -> Verdict:
        return self.sight.verdict(record, subject)

    def pseudonym(self, subject: Subject) -> str:
        return self.sight.pseudonym(subject)

    def mapped(self, thing: str, value: str, owner: bytes | None = None) -> str:
        """The recipient's id of a thing; remembered as issued once `confirm` says that it is durable."""
        known = self.sight.named(thing, owned=owner is not None).get(value)
        if known is not None:
            return known
        mapped = self._mapped.get((thing, value))
        if mapped is None:  # a class stands beside each of its pupils
            mapped = self._mapped[thing, value] = self.sight.thing(thing, value)
        if mapped not in self._things or owner is not None:
            sight = self.sight
            issue = Issue(sight.delivery.domain, sight.version, mapped, thing, sight.source, value, owner)
            self._things[mapped] = issue
        return mapped

    def release(self, seen: Iterable[Seen]) -> None:
        self._released.extend(seen)

    def withhold(self, seen: Iterable[Seen], *reasons: Reason) -> None:
        """These persons are not in the answer; `reasons` beside their own."""
        withheld = self._withheld
        for one in dict.fromkeys(seen):
            subject = one.subject
            if subject is not None:
                waits = (*one.held, *(reason for reason in reasons if reason in WAITS))
                self._held |= dict.fromkeys((subject, reason) for reason in waits)
            if subject is None:
                self.unresolved += 1
            elif subject not in withheld and not reasons:
                withheld[subject] = one.reasons
            else:
                withheld[subject] = tuple(dict.fromkeys((*withheld.get(subject, ()), *one.reasons, *reasons)))

    def malform(self, seen: Iterable[Seen], faults: Iterable[Fault]) -> None:
        """One record is not what its schema says, here: these persons are not in the answer for that."""
        self.malformed += 1
        add(self.faults, dict.fromkeys(faults, 1))
        self.withhold(seen, Reason.RECORD_MALFORMED)

    def block(self, subjects: Iterable[Subject], fields: Iterable[tuple[str, Reason]]) -> None:
        """These fields of theirs do not leave in this answer because of what is in them."""
        found = dict.fromkeys(fields)
        for subject in subjects if found else ():
            self._blocked.setdefault(subject, {}).update(found)
            self._held |= dict.fromkeys((subject, reason) for _, reason in found if reason in WAITS)

    def waits(self, one: Waiting) -> bool:
        """D8: whether a person must still release it; then it waits."""
        facts = self.sight.facts.about(one.subject.id)
        if released(facts, self.sight.delivery, one.digest, one.field_class):
            return False
        self.waiting.append(one)
        return True

    def ended(
        self, record: Record, hidden: Mapping[str, Sequence[Sequence[Reason]]], views: Views | None = None
    ) -> list[Ended]:
        """What is told to have ended, once everything else of this answer is known. `hidden`: records of nobody that
        stay behind, and why each of the persons in them does; `views`: others than those of its records."""
        views = views or self.views
        if views is None:
            return []

        def owner(internal: bytes) -> Owner:
            subject = self.sight.roster.by_id(internal)
            if subject is None:
                return UNSURE if self.sight.roster.unsure(internal) else Owner(None)
            verdict = self.sight.verdict(record, subject)
            return Owner(verdict.reasons or self._withheld.get(subject, ()), subject)

        @cache
        def lacking() -> bool:
            """Whether of whom it should show more are missing than told: then it is not believed (R109)."""
            return views.lacks_most({subject.id for subject in self.released}, owner)

        def unlisted(key: str, whose: Owner) -> bool:
            """A person who is available is absent; a thing of theirs, or of nobody, is gone when the source, which can
            be read and believed, does not tell it any more."""
            if key in hidden:
                return all(ENDS.issuperset(reasons) for reasons in hidden[key])
            itself = whose.subject is not None and self.sight.pseudonym(whose.subject) == key
            return bool(self._released) and not itself and not self.malformed and not lacking()

        return views.ended(owner, unlisted)

    @property
    def released(self) -> tuple[Subject, ...]:
        """Each once, in the order of the answer's records."""
        return tuple(dict.fromkeys([seen.subject for seen in self._released if seen.subject is not None]))

    @property
    def withheld(self) -> tuple[tuple[Subject, tuple[Reason, ...]], ...]:
        return tuple(self._withheld.items())

    @property
    def partial(self) -> tuple[tuple[Subject, tuple[tuple[str, Reason], ...]], ...]:
        """Of whom some fields did not leave, and why."""
        found = {seen.subject: seen.fields for seen in self._released if seen.fields and seen.subject is not None}
        if self._blocked:
            here = set(self.released)
            for subject, fields in self._blocked.items():
                if subject in here:
                    found[subject] = tuple(dict.fromkeys((*found.get(subject, ()), *fields)))
        return tuple(found.items())

    @property
    def held(self) -> tuple[tuple[Subject, Reason], ...]:
        """Cases that a person at school must decide (D2), also about fields of somebody who is in the answer."""
        here = [seen for seen in self._released if seen.held]
        fields = ((seen.subject, reason) for seen in here if seen.subject is not None for reason in seen.held)
        return tuple(dict.fromkeys((*self._held, *fields)))

    @property
    def issued(self) -> tuple[Issue, ...]:
        """What leaves in this answer and is not yet known to be durably issued, each once."""
        if not self.sight.unsettled:
            return tuple(self._things.values())
        people = {issue.pseudonym: issue for seen in self._released for issue in seen.issues}
        return (*people.values(), *self._things.values())

    def confirm(self) -> None:
        """The receipt is there: what this answer issued need not be written again."""
        if self.sight.unsettled:
            for seen in self._released:
                self.sight.settle(seen)
        for mapped, issue in self._things.items():
            for owned in (False, True) if issue.owner is not None else (False,):
                known = self.sight.named(issue.thing, owned=owned)
                self.sight.issued.room(known)
                known[issue.value or ""] = mapped
