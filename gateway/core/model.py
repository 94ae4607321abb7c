"""The values every layer speaks: schema, recipient, delivery, subject, verdict.

Data only. What makes a delivery acceptable is `policy`; what decides a call is `decide`; what decides about
one pupil is `screening`. All values are frozen; a `repr` never shows the id of a person (house rule 8).
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


class Transform(StrEnum):
    """What a released leaf becomes. `fixed` says the same for everybody; `empty` releases an empty list."""

    KEEP = "keep"
    PSEUDONYM = "pseudonym"
    YEAR = "year"
    AGE_BAND = "age-band"
    INITIALS = "initials"
    PC4 = "pc4"
    FIXED = "fixed"
    FIRST_LETTER = "first-letter"
    REDACT = "redact"
    EMPTY = "empty"


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
    CARE = "care"
    RESEARCH = "research"
    PARENT = "parent"
    OTHER = "other"


class Role(StrEnum):
    """R67: decides which paper is needed."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"
    JOINT_CONTROLLER = "joint-controller"
    DATA_SUBJECT = "data-subject"


# -- schema: what one LVS format contains --------------------------------------------------------------

LeafType = Literal["string", "integer", "number", "boolean"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar. `maps` names the kind of thing (group, enrolment, …) whose id this is: mapped per recipient.
    `unlisted`: an extension the official format does not know (a vendor's own field)."""

    type: LeafType
    category: Category
    field_class: FieldClass
    required: bool = False
    maps: str | None = None
    format: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """An object."""

    fields: Mapping[str, Node]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """An array of leaves or objects."""

    item: Leaf | Branch
    required: bool = False


Node = Leaf | Branch | Many


@dataclass(frozen=True, slots=True)
class TypedIds:
    """An array of {value, type} ids: `path` of the array, names of its two leaves, wire type → kind of id
    (`kinds`), and the wire type that stands for the administration's own key (`own`)."""

    path: str
    value: str
    type: str
    kinds: Mapping[str, str]
    own: str


@dataclass(frozen=True, slots=True)
class SubjectPosition:
    """Where a record speaks of a person. `at`: path of the object from the record's root ("" is the root,
    "students" an array whose items are references). `master`: leaf that holds the ECK iD (kind `eck-id`).
    `withheld`: what goes when the person is withheld."""

    at: str
    person: Person
    withheld: Literal["record", "item"]
    master: str | None
    typed: TypedIds | None


@dataclass(frozen=True, slots=True)
class Record:
    """One kind of record. `order`: path of the mapped id by which a list is sorted when the record is not
    itself a person (house rule 7)."""

    name: str
    fields: Branch
    subjects: tuple[SubjectPosition, ...] = ()
    order: str | None = None


Meant = Literal[
    "organisation-master", "organisation-id", "organisation-id-type", "organisation-filter", "thing", "plain"
]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path or query parameter. `meaning` "thing": the mapped id of a `maps`; "plain" goes up as it is."""

    name: str
    place: Literal["path", "query"]
    meaning: Meant
    type: LeafType = "string"
    maps: str | None = None
    values: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class NamedSubject:
    """A request body that names one person: JSON keys of the person's reference and of the organisation's,
    the shape of the reference, and the kind of person."""

    key: str
    organisation_key: str
    position: SubjectPosition


@dataclass(frozen=True, slots=True)
class WriteBack:
    """A request body that brings statements: array `items`, key of a statement's id, key of the
    organisation's reference; what is named in `unkeyed` is left out of the content digest (D9)."""

    items: str
    id: str
    organisation_key: str
    unkeyed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template (`/groups/school/{id}`). `many`: the body is an array of records."""

    method: str
    path: str
    record: str
    many: bool
    parameters: tuple[Parameter, ...] = ()
    named: NamedSubject | None = None
    write: WriteBack | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """What one LVS format contains. `text_hash`: SHA-256 (hex) of the file. `errors`: shape of an error."""

    name: str
    title: str
    version: str
    format: Literal["json", "xml", "csv"]
    base_path: str
    direction: Literal["pull", "push"]
    errors: Literal["problem", "edu-v", "edu-v-list"]
    routes: tuple[Route, ...]
    records: Mapping[str, Record]
    text_hash: str = ""


# -- recipient: who receives, and under which terms ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grondslag:
    """R2: letter and reference. `article9`: basis for special categories (N9). `national_number`: basis
    for a BSN (N1)."""

    ground: Ground
    reference: str
    article9: str | None = None
    national_number: str | None = None


@dataclass(frozen=True, slots=True)
class Necessity:
    """R6: the two tests, who answered them and when."""

    subsidiarity: str
    proportionality: str
    by: str
    on: date


@dataclass(frozen=True, slots=True)
class Weighing:
    """R5: the balancing test. `outcome`: which interest prevails."""

    aim: str
    school_interest: str
    pupil_interest: str
    outcome: Literal["school", "pupil"]
    by: str
    on: date


@dataclass(frozen=True, slots=True)
class Authorisation:
    """R12, C14: the school's permission to a supplier; never a parent's consent."""

    by: str
    on: date
    until: date


@dataclass(frozen=True, slots=True)
class Dpia:
    """R114."""

    reference: str
    fg_advice: str
    review: date


@dataclass(frozen=True, slots=True)
class Storage:
    """N20: where data are stored or seen from (ISO 3166 alpha-2); `basis` is needed outside the EEA."""

    country: str
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class SubProcessor:
    """R75."""

    name: str
    country: str
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """R69-R71: a verwerkersovereenkomst or an exchange arrangement. With the Privacyconvenant model and its
    bijsluiter version `items` holds only deviations; otherwise the eight items of R70 by name."""

    model: str
    signed: date
    starts: date
    until: date
    categories: frozenset[Category]
    storage: tuple[Storage, ...]
    sub_processors: tuple[SubProcessor, ...] = ()
    endpoints: tuple[str, ...] = ()
    bijsluiter: str | None = None
    items: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rows:
    """Which pupils: study years and group ids of the LVS; None means no limit on that side."""

    years: frozenset[int] | None = None
    groups: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """One field that may leave: its path in the record ("students.userIds.userId"), why, and its transform.
    `value` belongs to `fixed`."""

    path: str
    reason: str
    transform: Transform = Transform.KEEP
    value: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Recipient × purpose × schema. `grants`: record name → path → Grant; a record that is not named is not
    part of the delivery, one with an empty mapping releases empty records (house rule 1)."""

    recipient: str
    purpose: str
    schema: str
    grondslag: Grondslag | None
    necessity: Necessity | None
    locations: frozenset[str]
    rows: Rows
    until: date
    pseudonym: PseudonymMethod
    domain: str
    channel: str
    absence: str
    grants: Mapping[str, Mapping[str, Grant]]
    weighing: Weighing | None = None
    authorisation: Authorisation | None = None
    dpia: Dpia | None = None
    profiling: bool = False
    deviation: str | None = None
    class_list: str | None = None
    eck_login: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who receives. `group`: the group of companies (one pseudonym method in one group, N3). `asks`: open
    `ASK:` answers as (line, question); with one open the file cannot be activated."""

    name: str
    title: str
    kind: RecipientKind
    role: Role
    contact: str
    oin: str | None
    group: str | None
    agreement: Agreement | None
    deliveries: tuple[Delivery, ...]
    asks: tuple[tuple[int, str], ...] = ()
    text_hash: str = ""


@dataclass(frozen=True, slots=True)
class SchoolPolicy:
    """The school's regulation (R117, R118): in force from, and the participation council's consent."""

    version: str
    in_force: date
    instemming: date | None
    evaluation: date | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A vestiging: its name in policy files, and its (id type, id) pairs in the LVS."""

    name: str
    title: str
    ids: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Organisation:
    """The school: master identifiers that stand for every location, and its locations by name."""

    master: frozenset[str]
    locations: Mapping[str, Location]


# -- subjects and verdicts -----------------------------------------------------------------------------


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
    derived with the person's own key), `ids` by kind in this source, and what the roster says."""

    id: bytes
    person: Person
    reference: bytes
    ids: Mapping[str, str] = field(repr=False)
    enrolments: tuple[Enrolment, ...] = ()
    groups: frozenset[str] = frozenset()

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
    """About one subject under one delivery: withheld for `reasons`, or available but for `withheld` paths."""

    reasons: tuple[Reason, ...] = ()
    withheld: frozenset[str] = frozenset()

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
    neither and names them per call."""

    credential: str
    kind: Literal["recipient", "school"]
    recipient: str | None
    purpose: str | None


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
