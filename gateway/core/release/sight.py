"""Who is seen while answers are built: resolved, screened, pseudonymised.

A `Sight` holds what stays true under one set of versions on one day for one delivery from one source (verdicts,
pseudonyms), so that a request costs look-ups; the transfer layer drops it when a version or the day moves (house
rule 4). Leaves out: one answer (`emission`), the rules about a person (`screening`), the shape of a format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from gateway.core.facts import Facts
from gateway.core.gate.question import Audience
from gateway.core.gate.screening import screen, screen_inbound
from gateway.core.gate.screening_fields import FieldTerms, field_terms
from gateway.core.model import KeyVersion, Person, Subject, Verdict
from gateway.core.policy import grants
from gateway.core.policy.grants import beside_person, leaf_at, persons_told
from gateway.core.policy.schema import Record
from gateway.core.policy.terms import Delivery
from gateway.core.reasons import Reason
from gateway.core.register import Issue
from gateway.core.release import pseudonym
from gateway.core.release.national_number import numbers_in, passes
from gateway.core.release.projection import Subject as Position

ECK_ID, BSN = grants.ECK_ID, "bsn"

_REMEMBERED = 200_000  # keys of one position: an LVS that never says the same twice must not fill the memory


class People(Protocol):
    """The roster, as far as an emission asks it."""

    def find(self, kind: str, value: str) -> Subject | None: ...

    def by_id(self, internal: bytes) -> Subject | None: ...

    def unsure(self, internal: bytes) -> bool: ...

    def digest(self, number: str) -> bytes: ...

    def members(self, group: str) -> Iterable[Subject]: ...


class FactBook(Protocol):
    """What is known about persons, as far as an emission asks it."""

    def about(self, internal: bytes) -> Facts: ...


class Keys(Protocol):
    """The pseudonym keys, as far as an emission asks them."""

    @property
    def current(self) -> KeyVersion: ...

    def domain_key(self, domain: str, version: int) -> bytes: ...


@dataclass(slots=True, eq=False, repr=False)
class Seen:
    """One person at one position. `reasons`: why withheld (empty: available), `held`: those of them that wait for a
    decision; `withheld`: paths that do not leave for this person, `fields`: why; `key`: what orders a list; `ids`: what
    leaves, as (kind of id, value); `born`: the day of birth that the school recorded. `master`, `typed`, `own` and
    `whole` are a format's own forms of it, made once."""

    subject: Subject | None
    reasons: tuple[Reason, ...]
    withheld: frozenset[str] = frozenset()
    key: str = ""
    ids: tuple[tuple[str, str], ...] = ()
    issues: tuple[Issue, ...] = ()
    master: Any = None
    typed: Any = None
    own: Any = None
    whole: Any = None
    fields: tuple[tuple[str, Reason], ...] = ()
    held: tuple[Reason, ...] = ()
    born: date | None = None


def contradicted(seen: Seen) -> Seen:
    """R109: the record says something else of this person than the school recorded; a person decides."""
    return Seen(seen.subject, (Reason.FACTS_CONTRADICTED,), held=(Reason.FACTS_CONTRADICTED,))


class Memo(dict[Any, Seen]):
    """What an id, exactly as the LVS writes it, stands for at one position."""

    def keep(self, key: Any, seen: Seen) -> Seen:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[key] = seen
        return seen


@dataclass(slots=True, repr=False)
class Issued:
    """What is durably known to have been issued, per source, domain and key version: it need not be written again.
    Outlives a `Sight`; one per process. What is forgotten because there is too much is written again, which changes
    nothing. Things whose owner is known too stand apart as `owned`: a thing seen first where nothing tells whose it is
    gets its owner later."""

    persons: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    things: dict[tuple[str, str, int, str, bool], dict[str, str]] = field(default_factory=dict)
    most: int = _REMEMBERED

    def people(self, domain: str, version: int) -> set[str]:
        return self.persons.setdefault((domain, version), set())

    def named(self, source: str, domain: str, version: int, thing: str, *, owned: bool) -> dict[str, str]:
        return self.things.setdefault((source, domain, version, thing, owned), {})

    def room(self, known: dict[str, str] | set[str]) -> None:
        """Emptied in place: others hold it."""
        if len(known) >= self.most:
            known.clear()


PUPILS = frozenset({Person.PUPIL})


def _nobodys(_thing: str, _mapped: str) -> None:
    """Nothing was issued."""


def _owned(record: Record) -> str | None:
    """The kind of the things that these records are, where each is somebody's."""
    order = leaf_at(record.fields, record.order) if record.order else None
    return order.maps if order is not None and any(one.withheld == "record" for one in record.subjects) else None


def _grouped(record: Record) -> str | None:
    """The kind of the groups that these records are."""
    own = leaf_at(record.fields, record.members) if record.members else None
    return own.maps if own is not None else None


class Sight:
    """One delivery from one source to one audience, under one set of versions, on one day (`now` where permits end at a
    moment, `permit`: the number of the one that is handed over). `base`: the URL under which the source is found here;
    `places`: how it names the delivery's locations; `records`: of its schema. `owners`: whose a thing (kind, mapped id)
    that was issued is. `bound`: what a format made for it; `unsettled`: how many persons have ids that are not yet
    durably issued."""

    def __init__(
        self,
        delivery: Delivery,
        source: str,
        roster: People,
        facts: FactBook,
        keys: Keys,
        today: date,
        issued: Issued | None = None,
        *,
        audience: Audience,
        now: datetime | None = None,
        permit: int | None = None,
        base: str = "",
        places: frozenset[str] = frozenset(),
        records: Iterable[Record] = (),
        owners: Callable[[str, str], bytes | None] = _nobodys,
    ) -> None:
        self.base = base
        self.records = tuple(records)
        self._owner_of = owners
        self._owned = {thing: one for one in self.records if (thing := _owned(one)) is not None}
        self._grouping = {thing: one for one in self.records if (thing := _grouped(one)) is not None}
        self._owners: dict[tuple[str, str], bytes] = {}
        self.places = places
        self.delivery = delivery
        self.source = source
        self.roster = roster
        self.facts = facts
        self.today = today
        self.audience = audience
        self.now = now
        self.permit = permit
        self.version = keys.current.number
        self.key = keys.domain_key(delivery.domain, self.version)
        self.issued = issued or Issued()
        self._people = self.issued.people(delivery.domain, self.version)
        self.bound: dict[Any, Any] = {}
        self.unsettled = 0
        self._things: dict[tuple[str, bool], dict[str, str]] = {}
        self._terms: dict[tuple[str, Person], FieldTerms] = {}
        self._verdicts: dict[tuple[str, bytes], Verdict] = {}
        self._pseudonyms: dict[bytes, str] = {}
        self._peopled: dict[tuple[str, str], bool] = {}
        self._kinds: dict[str, frozenset[Person]] = {}

    def __repr__(self) -> str:
        return f"<Sight of {self.delivery.schema} …>"

    def named(self, thing: str, *, owned: bool = False) -> dict[str, str]:
        """The LVS's id → the mapped id, of those that are durably issued; `owned`: together with whose they are."""
        found = self._things.get((thing, owned))
        if found is None:
            found = self.issued.named(self.source, self.delivery.domain, self.version, thing, owned=owned)
            self._things[thing, owned] = found
        return found

    def see(
        self, record: Record, position: Position, ids: Sequence[tuple[str, str]], held: Sequence[tuple[str, str]] = ()
    ) -> Seen:
        """Resolve, screen and pseudonymise the person whom these (kind, value) ids name. `held`: those of them that
        would leave as they are (only where the delivery says so)."""
        subject = self.resolve(ids, position.person, position.others)
        if subject is None:
            return Seen(None, (Reason.PUPIL_UNRESOLVED,))
        verdict = self.verdict(record, subject)
        key = self.pseudonym(subject)
        leaving = self._leaving(position, subject, held, key)
        if leaving is None:
            return Seen(subject, (*verdict.reasons, Reason.PUPIL_UNRESOLVED), held=verdict.held)
        fresh = tuple(self._issue(subject, value) for _, value in leaving if value not in self._people)
        self.unsettled += bool(fresh)
        seen = Seen(subject, verdict.reasons, verdict.withheld, key, leaving, fresh)
        seen.fields, seen.held = verdict.fields, verdict.held
        if subject.person is not position.person:
            seen.withheld |= beside_person(record, position.at) & self._fields(record, subject.person).all
        seen.born = self.facts.about(subject.id).birth
        return seen

    def resolve(
        self, ids: Sequence[tuple[str, str]], person: Person, others: tuple[Person, ...] = ()
    ) -> Subject | None:
        """The one person all these ids stand for. Nobody when none is known, when two name different persons, or when
        the roster knows another value of the same kind (a record that mixes pupils is nobody's)."""
        subjects = [found for kind, value in ids if (found := self.roster.find(kind, value)) is not None]
        if not subjects:
            return None
        subject = subjects[0]
        same = all(other.id == subject.id for other in subjects)
        agrees = all(subject.ids.get(kind, value) == value for kind, value in ids)
        return subject if same and agrees and subject.person in (person, *others) else None

    def numbers_somebody(self, value: object) -> bool:
        """Whether this holds the national number of anybody whom the source knows, in this answer or not (D7)."""
        find = self.roster.find
        return any(passes(one) and find(BSN, one) is not None for one in numbers_in(str(value)))

    def verdict(self, record: Record, subject: Subject) -> Verdict:
        key = (record.name, subject.id)
        found = self._verdicts.get(key)
        if found is None:
            facts, terms = self.facts.about(subject.id), self._fields(record, subject.person)
            found = self._verdicts[key] = screen(
                self.delivery,
                subject,
                facts,
                self.today,
                terms,
                audience=self.audience,
                now=self.now,
                permit=self.permit,
            )
        return found

    def peopled(self, record: Record, group: str) -> bool:
        """R7, R68: whether somebody in this group of the source is in this delivery."""
        found = self._peopled.get((record.name, group))
        if found is None:
            told = self._told(record)
            members = (one for one in self.roster.members(group) if one.person in told)
            found = self._peopled[record.name, group] = any(self.verdict(record, one).available for one in members)
        return found

    def _told(self, record: Record) -> frozenset[Person]:
        """Who counts: a teacher of whom nothing leaves is in no group of this delivery, and beside pupils a teacher
        does not make it theirs, as the rows are of pupils (R8)."""
        found = self._kinds.get(record.name)
        if found is None:
            speaking = (record,) if record.subjects else self.records
            told = persons_told(speaking, self.delivery.grants)
            found = self._kinds[record.name] = PUPILS if Person.PUPIL in told else told
        return found

    def alone(self, seen: Seen, thing: str, value: str) -> bool:
        """Whether this is an employee's, and of a group of which nobody is in this delivery."""
        record = self._grouping.get(thing)
        staff = seen.subject is not None and seen.subject.person is Person.STAFF
        return staff and record is not None and not self.peopled(record, value)

    def leads(self, thing: str, value: str) -> bool:
        """Whether the id of a thing would lead this recipient anywhere: one of a person does while its own record is
        granted, once it is known whose it is, and as long as that person may be seen."""
        record = self._owned.get(thing)
        if record is None:
            return True
        owner = self._owner(thing, value) if self.delivery.grants.get(record.name) else None
        subject = None if owner is None else self.roster.by_id(owner)
        return subject is not None and self.verdict(record, subject).available

    def _owner(self, thing: str, value: str) -> bytes | None:
        owner = self._owners.get((thing, value)) or self._owner_of(thing, self.thing(thing, value))
        if owner is not None:
            self._owners[thing, value] = owner
        return owner

    @property
    def groups(self) -> tuple[str, ...]:
        """Those of which that was asked and is so."""
        return tuple(group for (_, group), here in self._peopled.items() if here)

    def inbound_verdict(self, record: Record, subject: Subject) -> Verdict:
        """About what comes back (D9); a message names a person once, so nothing is remembered."""
        terms = self._fields(record, subject.person)
        return screen_inbound(self.delivery, subject, self.facts.about(subject.id), self.today, terms)

    def _fields(self, record: Record, person: Person) -> FieldTerms:
        found = self._terms.get((record.name, person))
        if found is None:
            found = self._terms[record.name, person] = field_terms(self.delivery, record, person)
        return found

    def pseudonym(self, subject: Subject) -> str:
        found = self._pseudonyms.get(subject.id)
        if found is None:
            found = self._pseudonyms[subject.id] = pseudonym.person(self.key, subject.id, subject.person)
        return found

    def thing(self, thing: str | None, value: str) -> str:
        """What it is called in this domain; itself, when it is called the same everywhere."""
        return value if thing is None else pseudonym.thing(self.key, thing, self.source, value)

    def _leaving(
        self, position: Position, subject: Subject, held: Sequence[tuple[str, str]], key: str
    ) -> tuple[tuple[str, str], ...] | None:
        """The ids that leave; None where the one that must leave does not exist (no ECK iD, no record; none by which a
        notice could name the pupil, R94: every list would wait for that notice)."""
        match position.method:
            case "hmac":
                return ((position.typed.own if position.typed else "", key),)
            case "eck-id":
                eck = subject.ids.get(ECK_ID)
                return None if eck is None else ((ECK_ID, eck),)
            case "held":
                named = not self.delivery.notices or any(kind in subject.ids for kind, _ in held)
                return tuple(held) if named or subject.person is not Person.PUPIL else None
            case None:
                return ()

    def _issue(self, subject: Subject, value: str) -> Issue:
        return Issue(self.delivery.domain, self.version, value, subject.person.value, None, None, subject.id)

    def settle(self, seen: Seen) -> None:
        """What this person's ids are is durably issued."""
        if seen.issues:
            self.issued.room(self._people)
            self._people.update(issue.pseudonym for issue in seen.issues)
            self.unsettled -= 1
            seen.issues = ()
