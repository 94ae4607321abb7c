"""From what a request names to whom and what it is: mapped ids to the source's own, pseudonyms to persons.

Only what was issued to this recipient leads back, and inside the gateway only (R41, R42), and a person is screened
before anything is fetched, so that unknown, foreign, out of rows and withheld are one and the same from outside (house
rule 5). Leaves out: reading the request (`request`, `formats`), the rules of screening (`core`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.core.model import NOBODIES, Person, PseudonymMethod, Subject, Verdict, nobody
from gateway.core.policy.grants import ECK_ID
from gateway.core.policy.schema import Leaf, Parameter, Record
from gateway.core.reasons import Reason
from gateway.core.release.sight import Sight
from gateway.transfer.ports import Roster, World


@dataclass(frozen=True, slots=True)
class Absent:
    """A request that names what this recipient cannot have. `subject` None: nobody known, `stand_in` takes the place.
    `listed`: only the filter of a list named it, and a list never says so. `held`: those of `reasons` that wait for a
    person to decide (D2)."""

    reasons: tuple[Reason, ...]
    subject: Subject | None = None
    stand_in: Subject = field(default=NOBODIES[0], compare=False)
    listed: bool = False
    held: tuple[Reason, ...] = ()


UNKNOWN = Absent((Reason.PSEUDONYM_UNKNOWN,))


@dataclass(frozen=True, slots=True)
class Resolver:
    """One delivery's way back, from one source, under one set of versions. `groups`: kinds of things that are groups of
    persons, with the record that tells of them; `inbound`: for what comes back, which is screened on its own (D9)."""

    world: World
    sight: Sight
    roster: Roster
    record: Record
    groups: Mapping[str, Record] = field(default_factory=dict)
    inbound: bool = False

    def things(self, named: Iterable[tuple[Parameter, str]], *, many: bool) -> Mapping[str, str] | Absent:
        """Parameter name → the source's id, for all mapped ids that a path or query names."""
        found: dict[str, str] = {}
        for parameter, value in named:
            thing = self.thing(parameter.maps or "", value)
            if isinstance(thing, Absent):
                return replace(thing, listed=many and parameter.place == "query")
            found[parameter.name] = thing
        return found

    def thing(self, kind: str, mapped: str) -> str | Absent:
        """The source's id behind a mapped one; when it belongs to a person, that person is screened, and a group of
        which everybody is withheld is none (R7)."""
        issue = self.world.issued(self.sight.delivery.domain, mapped, kind)
        if issue is None or issue.value is None or issue.source != self.sight.source:
            return self._nobody(mapped)
        if self._deserted(kind, issue.value):
            return replace(self._nobody(mapped), reasons=(Reason.PUPIL_NOT_IN_SCOPE,))
        if issue.owner is None:
            return self._nobody(mapped) if self._of_persons(kind) else issue.value
        owner = self.screened(issue.owner)
        return owner if isinstance(owner, Absent) else issue.value

    def people(self, named: Iterable[tuple[Parameter, str]]) -> Mapping[str, Subject] | Absent:
        """Parameter name → the person whose pseudonym it is, for all that a path names."""
        found: dict[str, Subject] = {}
        for parameter, value in named:
            owners = [
                self._owner(value, kind) for kind in parameter.persons
            ]  # all kinds: the same work for every answer
            owner = next((one for one in owners if one is not None), None)
            person = self._nobody(value) if owner is None else self.screened(owner)
            if isinstance(person, Absent):
                return person
            if parameter.kind not in person.ids:
                return self._nobody(value)
            found[parameter.name] = person
        return found

    def _of_persons(self, kind: str) -> bool:
        """Whether such a thing is somebody's: then it leads nowhere while nobody knows whose (it stood in a group)."""
        order = self.record.fields.fields.get(self.record.order or "")
        own = isinstance(order, Leaf) and order.maps == kind
        return own and any(one.withheld == "record" for one in self.record.subjects)

    def _deserted(self, kind: str, group: str) -> bool:
        record = self.groups.get(kind)
        if record is None:
            return False
        if record.members is None and not list(self.roster.members(group)):
            return False  # its own record tells who is in it, and may be newer than the roster
        return not self.sight.peopled(record, group)

    def person(self, ids: Iterable[tuple[str, str]], kind: Person) -> Subject | Absent:
        """The one person whom all these (kind of id, value) stand for, if available to this delivery."""
        named = [value for _, value in ids]
        owners = {self._owner(value, kind) for value in named}
        owner = owners.pop() if len(owners) == 1 else None
        return self._nobody("".join(named)) if owner is None else self.screened(owner)

    def _nobody(self, named: str) -> Absent:
        """The same steps as for anybody."""
        stand_in = nobody(named)
        self.roster.by_id(stand_in.id)
        self._verdict(stand_in)
        return Absent(UNKNOWN.reasons, stand_in=stand_in)

    def screened(self, internal: bytes) -> Subject | Absent:
        subject = self.roster.by_id(internal)
        if subject is None:
            return Absent((Reason.PUPIL_NOT_IN_SCOPE,))
        verdict = self._verdict(subject)
        return subject if verdict.available else Absent(verdict.reasons, subject, held=verdict.held)

    def _verdict(self, subject: Subject) -> Verdict:
        judge = self.sight.inbound_verdict if self.inbound else self.sight.verdict
        return judge(self.record, subject)

    def _owner(self, pseudonym: str, kind: Person) -> bytes | None:
        issue = self.world.issued(self.sight.delivery.domain, pseudonym, kind.value)
        owner = issue.owner if issue is not None else None
        if kind is not Person.PUPIL or self.sight.delivery.pseudonym is not PseudonymMethod.ECK_ID:
            return owner
        bearer = self.roster.find(ECK_ID, pseudonym)  # the LVS may have corrected it since it left (R109)
        return owner if bearer is not None and bearer.id == owner else None
