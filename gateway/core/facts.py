"""What must be known about a person to decide (design, "Facts"): one frozen value per fact, gathered per person.

Data only. A fact is never overwritten: it is ended, and another is entered (`known from–to` is kept by whoever stores
it). `since` and `until` say when it holds, in dates of Europe/Amsterdam, both days counting; None is open. Persons are
named by their internal id, recipients and purposes by their names in the policy files. Leaves out: what follows from
a fact (`consent`, `screening`), how facts are stored (`adapters.facts`) and come in (`adapters.facts.rows`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from gateway.core.model import Category, FieldClass
from gateway.core.reasons import Reason


class Kind(StrEnum):
    """The kinds of fact, as the command line and the tables name them."""

    BIRTH = "birth"
    ADMISSION = "admission"
    REPRESENTATIVE = "representative"
    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    COURT_ORDER = "court-order"
    MARKER = "marker"
    DISPUTE = "dispute"
    STATEMENT = "statement"
    SUPPORT_REQUEST = "support-request"
    INZAGE = "inzage"
    DOCUMENT = "document"
    RELEASE = "release"
    PERMIT = "permit"


# Of these, absence counts only where a named person declared the kind complete for the location (FACTS_NOT_DECLARED).
DECLARED = (Kind.RESTRICTION, Kind.OBJECTION, Kind.COURT_ORDER, Kind.MARKER)


class Capacity(StrEnum):
    """In which capacity somebody speaks for a pupil (D5). `parent` has gezag; `parent-without-gezag` has not (R29,
    R33); `voogd` may be a gecertificeerde instelling; `court` is vervangende toestemming."""

    PARENT = "parent"
    PARENT_WITHOUT_GEZAG = "parent-without-gezag"
    VOOGD = "voogd"
    CURATOR = "curator"
    MENTOR = "mentor"
    PUPIL = "pupil"
    COURT = "court"


class Form(StrEnum):
    """The act of consent (R20): on paper, in an authenticated portal; oral is a note and no consent."""

    WRITTEN = "written"
    PORTAL = "portal"
    ORAL = "oral"


class Answer(StrEnum):
    """R21: asked and not answered is no."""

    YES = "yes"
    NO = "no"
    ASKED = "asked"


class RestrictionGround(StrEnum):
    """R93, art. 18(1): accuracy contested, unlawful, needed for a legal claim, objection pending."""

    ACCURACY = "accuracy"
    UNLAWFUL = "unlawful"
    LEGAL_CLAIM = "legal-claim"
    OBJECTION = "objection"


class Exception18(StrEnum):
    """N13, art. 18(2): why a restricted pupil's data may leave after all."""

    CONSENT = "consent"
    LEGAL_CLAIM = "legal-claim"
    RIGHTS_OF_ANOTHER = "rights-of-another"
    PUBLIC_INTEREST = "public-interest"


class Mark(StrEnum):
    """R100 (restricted visibility) and N39."""

    CHILD_SAFETY = "child-safety"
    SECRET_ADDRESS = "secret-address"  # noqa: S105 - a marker, not a password


class Occasion(StrEnum):
    """What a delivery needs beside its terms: nothing, or a permit for this pupil at this time (D4)."""

    STANDING = "standing"
    POLICE = "police"
    BREAK_GLASS = "break-glass"
    SAFETY = "safety"
    INVESTIGATION = "investigation"
    REQUEST = "request"


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """`number`: the fact's own, given by whoever stores it; 0 while it is not stored."""

    number: int = 0


class Birth(Fact, frozen=True, tag=Kind.BIRTH.value):
    """The day of birth; of a pupil one is known at a time."""

    day: date

    def __repr__(self) -> str:
        return "<Birth …>"


class Admission(Fact, frozen=True, tag=Kind.ADMISSION.value):
    """R92, R109: `admitted` False is an applicant who was not admitted; `destination`: BRIN of the school the pupil is
    registered to go to."""

    admitted: bool = True
    since: date | None = None
    until: date | None = None
    destination: str | None = None


class Representative(Fact, frozen=True, tag=Kind.REPRESENTATIVE.value):
    """Who speaks for the pupil: `person` is the guardian's internal id; `extract`: date of the document that says so;
    `informed` False: the child's interest opposes informing this parent (R33)."""

    person: bytes
    capacity: Capacity
    since: date | None = None
    until: date | None = None
    extract: date | None = None
    informed: bool = True


class ConsentTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was consented to, as the information text said (R23, R24); shared by everybody in one campaign (D6)."""

    recipients: frozenset[str]
    purpose: str
    categories: frozenset[Category]
    text: str
    form: Form
    evidence: str | None = None
    until: date | None = None


class Consent(Fact, frozen=True, tag=Kind.CONSENT.value):
    """One answer of one giver (R18). `terms` or the `campaign` they stand in; `giver` is None for the pupil and the
    court. `extract`: date of the document the capacity was read from."""

    capacity: Capacity
    answer: Answer
    given: datetime
    giver: bytes | None = None
    extract: date | None = None
    terms: ConsentTerms | None = None
    campaign: int | None = None


class Withdrawal(Fact, frozen=True, tag=Kind.WITHDRAWAL.value):
    """R26, D5: by the pupil at any age or any one representative. None: of every recipient, every purpose."""

    moment: datetime
    recipient: str | None = None
    purpose: str | None = None


class Restriction(Fact, frozen=True, tag=Kind.RESTRICTION.value):
    """R93. `categories` None: of everything."""

    ground: RestrictionGround
    categories: frozenset[Category] | None = None
    since: date | None = None
    until: date | None = None


class Objection(Fact, frozen=True, tag=Kind.OBJECTION.value):
    """R96: stops on receipt; `rejected` is the board's decision that compelling grounds prevail, with its day."""

    received: date
    recipient: str | None = None
    purpose: str | None = None
    rejected: date | None = None


class CourtOrder(Fact, frozen=True, tag=Kind.COURT_ORDER.value):
    """R14. `addressee`: a recipient's name, a guardian's internal id in hexadecimal, or None for everybody."""

    addressee: str | None = None
    categories: frozenset[Category] | None = None
    since: date | None = None
    until: date | None = None


class Marker(Fact, frozen=True, tag=Kind.MARKER.value):
    """R100, N39; seen by releaser and FG only. `against`: the guardian to whom nothing may show; None: any parent."""

    mark: Mark
    categories: frozenset[Category] | None = None
    against: bytes | None = None
    since: date | None = None
    until: date | None = None


class Dispute(Fact, frozen=True, tag=Kind.DISPUTE.value):
    """R93 ground 1, R115: these data are contested and stay until it is settled."""

    categories: frozenset[Category]
    since: date | None = None


class Statement(Fact, frozen=True, tag=Kind.STATEMENT.value):
    """R90: the supplementary statement to these data, which travels with them."""

    categories: frozenset[Category]
    text: str

    def __repr__(self) -> str:
        return "<Statement …>"


class SupportRequest(Fact, frozen=True, tag=Kind.SUPPORT_REQUEST.value):
    """R54: an open request at the samenwerkingsverband."""

    recipient: str
    purpose: str | None = None
    since: date | None = None
    until: date | None = None


class Inzage(Fact, frozen=True, tag=Kind.INZAGE.value):
    """R57, N26: the parents (or the pupil of 16) have seen what goes to `recipient` (None: any), with their remark.
    `agreed`: whether with its content (None: they did not say)."""

    day: date
    recipient: str | None = None
    remark: str | None = None
    agreed: bool | None = None

    def __repr__(self) -> str:
        return "<Inzage …>"


class Document(Fact, frozen=True, tag=Kind.DOCUMENT.value):
    """D8: a document, or a masked text, that a named person classified by content hash for this purpose."""

    digest: bytes
    purpose: str
    field_class: FieldClass
    recipient: str | None = None


class Release(Fact, frozen=True, tag=Kind.RELEASE.value):
    """D2: a hold that a person released: for these categories, until that day, because of `exception` (N13). Lapses
    with the fact `cause` that made the hold. `purpose`: of the delivery that was held; None: any, as written before."""

    recipient: str
    reason: Reason
    categories: frozenset[Category]
    until: date
    cause: int = 0
    exception: Exception18 | None = None
    purpose: str | None = None


class Permit(Fact, frozen=True, tag=Kind.PERMIT.value):
    """D4: one occasion, one recipient, these categories, by this channel, until then. `exception`: the recorded art.
    18(2) reason that passes a restriction; `secret`: seen by releaser and FG only."""

    occasion: Occasion
    recipient: str
    purpose: str
    categories: frozenset[Category]
    channel: str
    until: datetime
    exception: Exception18 | None = None
    secret: bool = False


AnyFact = (
    Birth
    | Admission
    | Representative
    | Consent
    | Withdrawal
    | Restriction
    | Objection
    | CourtOrder
    | Marker
    | Dispute
    | Statement
    | SupportRequest
    | Inzage
    | Document
    | Release
    | Permit
)


class Facts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known about one person now."""

    birth: date | None = None
    admissions: tuple[Admission, ...] = ()
    representatives: tuple[Representative, ...] = ()
    consents: tuple[Consent, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    objections: tuple[Objection, ...] = ()
    court_orders: tuple[CourtOrder, ...] = ()
    markers: tuple[Marker, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    statements: tuple[Statement, ...] = ()
    support_requests: tuple[SupportRequest, ...] = ()
    inzagen: tuple[Inzage, ...] = ()
    documents: tuple[Document, ...] = ()
    releases: tuple[Release, ...] = ()
    permits: tuple[Permit, ...] = ()

    def __repr__(self) -> str:
        return "<Facts …>"


NOTHING_KNOWN = Facts()

_PLACES: dict[type[Fact], str] = {
    Admission: "admissions",
    Representative: "representatives",
    Consent: "consents",
    Withdrawal: "withdrawals",
    Restriction: "restrictions",
    Objection: "objections",
    CourtOrder: "court_orders",
    Marker: "markers",
    Dispute: "disputes",
    Statement: "statements",
    SupportRequest: "support_requests",
    Inzage: "inzagen",
    Document: "documents",
    Release: "releases",
    Permit: "permits",
}


def gathered(facts: Iterable[AnyFact]) -> Facts:
    """The facts of one person, each kind in its place, in the order given; of several births the last."""
    birth: date | None = None
    found: dict[str, Any] = {}
    for fact in facts:
        if isinstance(fact, Birth):
            birth = fact.day
        else:
            found.setdefault(_PLACES[type(fact)], []).append(fact)
    if birth is None and not found:
        return NOTHING_KNOWN
    return Facts(birth=birth, **{place: tuple(several) for place, several in found.items()})
