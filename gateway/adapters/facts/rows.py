"""The kinds of row about a pupil, by the name they have at the command line and in the admin API.

Here: pupils and guardians, and what a pupil's rights and safety ask (restriction, objection, court order, marker,
dispute, statement, support request, inzage). Consent is `consent_rows`. Leaves out: what a fact does (`core`), and
facts that nobody imports (documents, releases, permits: acts of their own).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.adapters.facts.consent_rows import CampaignForm, ConsentRow, WithdrawalRow
from gateway.adapters.facts.row_forms import (
    BrinCode,
    BsnText,
    CapacityName,
    Categories,
    Day,
    Door,
    FactRow,
    Slug,
    Value,
    Words,
    Wrong,
    YesNo,
    is_bsn,
    order_wrong,
)
from gateway.adapters.policy.forms import Form, member
from gateway.core.facts import (
    Admission,
    AnyFact,
    Birth,
    Capacity,
    CourtOrder,
    Dispute,
    Inzage,
    Kind,
    Mark,
    Marker,
    Objection,
    Representative,
    Restriction,
    RestrictionGround,
    Statement,
    SupportRequest,
)
from gateway.core.model import Category

GroundName = Annotated[RestrictionGround, member(RestrictionGround)]
MarkName = Annotated[Mark, member(Mark)]
_SPEAKS = frozenset(Capacity) - {Capacity.PUPIL, Capacity.COURT}


class PupilRow(FactRow):
    """A day of birth, and an admission where `admitted`, `since`, `until` or `destination` is given (R92, R109). Of
    the `bsn` only a keyed digest is kept (D7). Nobody becomes a pupil by it: that is the roster's."""

    birth_date: Day | None = None
    bsn: BsnText | None = None
    admitted: YesNo | None = None
    since: Day | None = None
    until: Day | None = None
    destination: BrinCode | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from order_wrong(self.since, self.until)
        if self.birth_date is not None and self.birth_date > door.today:
            yield "'birth_date' lies in the future", "R27"
        if self.bsn is not None and not is_bsn(self.bsn):
            yield "'bsn' is no BSN", "R39"
        if self.birth_date is None and self.bsn is None and not self._admission():
            yield "the row says nothing about this pupil", "form"

    def _admission(self) -> bool:
        return (self.admitted, self.since, self.until, self.destination) != (None, None, None, None)

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        found: list[AnyFact] = []
        if self.birth_date is not None:
            found.append(Birth(day=self.birth_date))
        if self._admission():
            admitted = self.admitted is not False
            found.append(Admission(admitted=admitted, since=self.since, until=self.until, destination=self.destination))
        return tuple(found)


class GuardianRow(FactRow):
    """Who speaks for the pupil, in which capacity, from when to when. `informed` no: the child's interest opposes
    informing this parent (R33)."""

    GUARDIAN: ClassVar[str | None] = "guardian"

    guardian: Value
    capacity: CapacityName
    since: Day | None = None
    until: Day | None = None
    extract: Day | None = None
    informed: YesNo = Field(default=True, json_schema_extra={"default": "yes"})

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from order_wrong(self.since, self.until)
        if self.capacity not in _SPEAKS:
            yield f"'capacity': a {self.capacity.value} is nobody's guardian", "D5"
        if self.extract is not None and self.extract > door.today:
            yield "'extract' lies in the future", "R19"

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        assert guardian is not None, "the column is required"
        fact = Representative(
            person=guardian,
            capacity=self.capacity,
            since=self.since,
            until=self.until,
            extract=self.extract,
            informed=self.informed,
        )
        return (fact,)


class RestrictionRow(FactRow):
    """R93. Without `categories`: of everything."""

    ground: GroundName
    categories: Categories | None = None
    since: Day | None = None
    until: Day | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from order_wrong(self.since, self.until)

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        categories = _set(self.categories)
        return (Restriction(ground=self.ground, categories=categories, since=self.since, until=self.until),)


class ObjectionRow(FactRow):
    """R96: it stops what it is against on receipt; the board decides later. Without `recipient` and `purpose`: against
    everything."""

    received: Day
    recipient: Slug | None = None
    purpose: Slug | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from door.whom_wrong(self.recipient, self.purpose)
        if self.received > door.today:
            yield "'received' lies in the future", "R96"

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        return (Objection(received=self.received, recipient=self.recipient, purpose=self.purpose),)


class CourtOrderRow(FactRow):
    """R14. Addressed to a `recipient`, to a `guardian`, or, with neither, to everybody; of everything without
    `categories`."""

    GUARDIAN: ClassVar[str | None] = "guardian"

    recipient: Slug | None = None
    guardian: Value | None = None
    categories: Categories | None = None
    since: Day | None = None
    until: Day | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from order_wrong(self.since, self.until)
        yield from door.whom_wrong(self.recipient, None)
        if self.recipient is not None and self.guardian is not None:
            yield "an order is addressed to a recipient or to a guardian: give each a row", "R14"

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        addressee = self.recipient if guardian is None else guardian.hex()
        categories = _set(self.categories)
        return (CourtOrder(addressee=addressee, categories=categories, since=self.since, until=self.until),)


class MarkerRow(FactRow):
    """R100, N39. `guardian`: to whom nothing of it may show; without, to no parent."""

    GUARDIAN: ClassVar[str | None] = "guardian"

    mark: MarkName
    guardian: Value | None = None
    categories: Categories | None = None
    since: Day | None = None
    until: Day | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from order_wrong(self.since, self.until)

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        categories = _set(self.categories)
        fact = Marker(mark=self.mark, categories=categories, against=guardian, since=self.since, until=self.until)
        return (fact,)


class DisputeRow(FactRow):
    """R93 ground 1, R115."""

    categories: Categories
    since: Day | None = None

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        return (Dispute(categories=frozenset(self.categories), since=self.since),)


class StatementRow(FactRow):
    """R90: the supplementary statement that travels with these data."""

    categories: Categories
    text: Words

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        return (Statement(categories=frozenset(self.categories), text=self.text),)


class SupportRequestRow(FactRow):
    """R54: an open request at the samenwerkingsverband."""

    recipient: Slug
    purpose: Slug | None = None
    since: Day | None = None
    until: Day | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from order_wrong(self.since, self.until)
        yield from door.whom_wrong(self.recipient, self.purpose)

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        fact = SupportRequest(recipient=self.recipient, purpose=self.purpose, since=self.since, until=self.until)
        return (fact,)


class InzageRow(FactRow):
    """R57, N26: the parents (or the pupil of 16) have seen what goes to `recipient`, with their remark, and whether
    they agree with its content."""

    day: Day
    recipient: Slug | None = None
    remark: Words | None = None
    agreed: YesNo | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from door.whom_wrong(self.recipient, None)
        if self.day > door.today:
            yield "'day' lies in the future", "R57"

    def facts(self, guardian: bytes | None) -> tuple[AnyFact, ...]:
        return (Inzage(day=self.day, recipient=self.recipient, remark=self.remark, agreed=self.agreed),)


def _set(categories: tuple[Category, ...] | None) -> frozenset[Category] | None:
    return None if categories is None else frozenset(categories)


ROWS: Mapping[str, type[FactRow]] = {
    "pupil": PupilRow,
    "guardian": GuardianRow,
    "consent": ConsentRow,
    "withdrawal": WithdrawalRow,
    "restriction": RestrictionRow,
    "objection": ObjectionRow,
    "court-order": CourtOrderRow,
    "marker": MarkerRow,
    "dispute": DisputeRow,
    "statement": StatementRow,
    "support-request": SupportRequestRow,
    "inzage": InzageRow,
}
"""Every kind of row, in the order in which a new school enters them."""

MAKES: Mapping[str, tuple[Kind, ...]] = {
    "pupil": (Kind.BIRTH, Kind.ADMISSION),
    "guardian": (Kind.REPRESENTATIVE,),
    "consent": (Kind.CONSENT,),
    "withdrawal": (Kind.WITHDRAWAL,),
    "restriction": (Kind.RESTRICTION,),
    "objection": (Kind.OBJECTION,),
    "court-order": (Kind.COURT_ORDER,),
    "marker": (Kind.MARKER,),
    "dispute": (Kind.DISPUTE,),
    "statement": (Kind.STATEMENT,),
    "support-request": (Kind.SUPPORT_REQUEST,),
    "inzage": (Kind.INZAGE,),
}
"""The kinds of fact that a kind of row becomes."""

REPLACES = frozenset({Kind.BIRTH, Kind.ADMISSION})
"""Of these a pupil has one at a time: a new one ends the one before."""


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each kind of row and of a campaign, by name, and of what they refer to."""
    forms: dict[str, type[Form]] = {**ROWS, "campaign": CampaignForm}
    wanted: list[tuple[type[Form], JsonSchemaMode]] = [(form, "validation") for form in forms.values()]
    of, shared = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    found = dict(shared.get("$defs", {}))
    for name, form in forms.items():
        found[name] = found.pop(of[form, "validation"]["$ref"].rpartition("/")[2])
    return found
