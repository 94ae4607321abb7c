"""The words every layer speaks: categories, classes, grounds; persons, verdicts, callers, versions.

Data only. What a format contains is `schema`; who receives under which terms is `terms`; what decides about a call is
`decide`, about one pupil `screening`. All values are frozen; a `repr` never shows the id of a person (house rule 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from zlib import crc32

from gateway.core.reasons import Reason


class Category(StrEnum):
    """What agreements, consents and retention speak of; the same for all formats (requirements 5.1)."""

    NAME = "name"
    ADDRESS = "address"
    PHONE = "phone"
    PRIVATE_EMAIL = "private-email"
    SCHOOL_EMAIL = "school-email"
    ORGANISATION = "organisation"
    BIRTH_DATE = "birth-date"
    SEX = "sex"
    BIRTH_PLACE = "birth-place"
    PUPIL_NUMBER = "pupil-number"
    NATIONALITY = "nationality"
    GUARDIANS = "guardians"
    MEDICAL = "medical"
    SUPPORT = "support"
    RESULTS = "results"
    OBSERVATIONS = "observations"
    ATTENDANCE = "attendance"
    ABSENCE_REASON = "absence-reason"
    TIMETABLE = "timetable"
    FINANCIAL = "financial"
    IMAGE = "image"
    STAFF = "staff"
    NATIONAL_NUMBER = "national-number"
    SPECIAL = "special"
    CRIMINAL = "criminal"
    PSYCHOLOGICAL_REPORT = "psychological-report"
    CONFIDENTIAL = "confidential"
    CREDENTIALS = "credentials"


class FieldClass(StrEnum):
    """How sensitive one field is; a field without a class never leaves (R9)."""

    ID = "id"
    DIRECT = "direct"
    CONTACT = "contact"
    QUASI = "quasi"
    ORDINARY = "ordinary"
    RESULT = "result"
    SUPPORT = "support"
    MEDICAL = "medical"
    PSYCHOLOGICAL_REPORT = "psychological-report"
    SPECIAL = "special"
    CRIMINAL = "criminal"
    NATIONAL_NUMBER = "national-number"
    ABSENCE_REASON = "absence-reason"
    FINANCIAL = "financial"
    THIRD_PERSON = "third-person"
    FREE_TEXT = "free-text"
    DOCUMENT = "document"
    IMAGE = "image"
    CREDENTIAL = "credential"
    CONFIDENTIAL = "confidential"


class Ground(StrEnum):
    """Art. 6(1) AVG, by its letter."""

    CONSENT = "a"
    CONTRACT = "b"
    STATUTORY_DUTY = "c"
    VITAL_INTEREST = "d"
    PUBLIC_TASK = "e"
    LEGITIMATE_INTEREST = "f"


class Person(StrEnum):
    """Kinds of subject (D13)."""

    PUPIL = "pupil"
    GUARDIAN = "guardian"
    STAFF = "staff"


class IdKind(StrEnum):
    """By which a person is known, the same for all formats: another finds nobody."""

    LAS_KEY = "las-key"
    ECK_ID = "eck-id"
    NEPRI = "nepri"
    NEPPI = "neppi"
    BPI = "bpi"
    EDUID = "eduid"
    BSN = "bsn"
    GUARDIAN_KEY = "guardian-key"


class Transform(StrEnum):
    """What a released leaf becomes. `fixed` says the same for everybody; `empty` releases an empty list; `view` is the
    gateway's own word: when what this recipient has of the record first left or last changed, or whether it ended."""

    KEEP = "keep"
    PSEUDONYM = "pseudonym"
    YEAR = "year"
    AGE_BAND = "age-band"
    INITIALS = "initials"
    PC4 = "pc4"
    FIXED = "fixed"
    FIRST_LETTER = "first-letter"
    REDACT = "redact"
    MASK = "mask"
    EMPTY = "empty"
    VIEW = "view"


class PseudonymMethod(StrEnum):
    """What stands in the id slot: our HMAC, the chain's ECK iD (N3), or the real id (recorded deviation)."""

    HMAC = "hmac"
    ECK_ID = "eck-id"
    NONE = "none"


class RecipientKind(StrEnum):
    """Who receives; the kind decides what is impossible even with consent (N1, R44, R61)."""

    PUBLISHER = "publisher"
    DISTRIBUTOR = "distributor"
    ASSISTANT = "assistant"
    TEST_PROVIDER = "test-provider"
    SAMENWERKINGSVERBAND = "samenwerkingsverband"
    SCHOOL = "school"
    DUO = "duo"
    GOVERNMENT = "government"
    INSPECTIE = "inspectie"
    LEERPLICHT = "leerplicht"
    CARE = "care"
    RESEARCH = "research"
    PARENT = "parent"
    ACCOUNTANT = "accountant"
    PLATFORM = "platform"
    OTHER = "other"


class Role(StrEnum):
    """R67: decides which paper is needed."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"
    JOINT_CONTROLLER = "joint-controller"
    DATA_SUBJECT = "data-subject"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One enrolment as the roster knows it (dates in Europe/Amsterdam; `end` is the last day)."""

    location: str
    year: int | None
    begin: date
    end: date | None


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A person the gateway knows: random internal `id` (16 bytes), `reference` for the register (16 bytes,
    derived with the person's own key), `ids` by kind in this source, and what the roster says. `numbers`: keyed digests
    of the person's national numbers, which are kept in no other form (D7)."""

    id: bytes
    person: Person
    reference: bytes
    ids: Mapping[str, str] = field(repr=False)
    enrolments: tuple[Enrolment, ...] = ()
    groups: frozenset[str] = frozenset()
    numbers: frozenset[bytes] = field(default=frozenset(), repr=False)

    def __repr__(self) -> str:
        return f"<{self.person} …>"


NOBODIES = tuple(Subject(bytes([*bytes(15), n]), Person.PUPIL, bytes([*bytes(15), n]), {}) for n in range(256))


def nobody(named: str) -> Subject:
    """Stands in for whom an unknown pseudonym names: looked up, screened and registered as anybody, so that the time of
    an answer does not tell an unknown one from a withheld one (house rule 5). Many, as pupils are many: entries about
    one would lie together in the register's index. There it is a reference of zeros but for its last byte."""
    return NOBODIES[crc32(named.encode("utf-8", "surrogatepass")) & 255]


@dataclass(frozen=True, slots=True)
class Verdict:
    """About one subject under one delivery: withheld for `reasons`, or available but for `withheld` paths. `fields`:
    why each path is withheld, for the school. `held`: those of `reasons` that wait for a person to decide (D2)."""

    reasons: tuple[Reason, ...] = ()
    withheld: frozenset[str] = frozenset()
    fields: tuple[tuple[str, Reason], ...] = ()
    held: tuple[Reason, ...] = ()

    @property
    def available(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that spoke: the reason and, for the school, what it is about (never a value from outside)."""

    reason: Reason
    about: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the credential's id, the recipient and purpose it is bound to. A `school` credential has
    neither and names them per call. `platform`: through whom it reaches the recipient, when through anybody (R55)."""

    credential: str
    kind: Literal["recipient", "school"]
    recipient: str | None
    purpose: str | None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """The three version numbers a verdict was made under; the register compares them when it commits."""

    policy: int
    facts: int
    keys: int


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """A pseudonym key's life: in use from `started`, resolving until `resolves_until` (None: in use)."""

    number: int
    started: datetime
    resolves_until: datetime | None = None
