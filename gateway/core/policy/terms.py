"""Who receives, and under which terms: a recipient, its agreement, its deliveries, the fields that may leave.

Data only; a recipient file becomes these values in `adapters.policy.recipient_forms`. What makes them acceptable is
`rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from gateway.core.facts import Occasion
from gateway.core.model import Category, Ground, PseudonymMethod, RecipientKind, Role, Transform


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
class Profiling:
    """R98, N16: since when pupils and parents know, and who looks again at an outcome. `no_effect`: why it has no
    legal or similar effect; without that it needs consent."""

    informed: date
    human_review: str
    no_effect: str | None = None


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
class Conditions:
    """What must be known about a pupil beside the terms. `occasion`: a one-off permit (D4). `open_request`: at the
    samenwerkingsverband (R54). `inzage`: seen by the parents, else held (R57). `destination`: BRIN of the receiving
    school, where the pupil must be registered to go (R109, N25). `final_recipients`: this is a platform, which passes
    on to one of these and gets nothing itself (R55)."""

    occasion: Occasion = Occasion.STANDING
    open_request: bool = False
    inzage: bool = False
    destination: str | None = None
    final_recipients: frozenset[str] = frozenset()

    @property
    def one_off(self) -> bool:
        """Nothing leaves but on a permit for one pupil, handed over by a person of the school (D4)."""
        return self.occasion is not Occasion.STANDING


@dataclass(frozen=True, slots=True)
class Grant:
    """One field that may leave: its path in the record ("students.userIds.userId"), why, and its transform.
    `value` belongs to `fixed`."""

    path: str
    reason: str
    transform: Transform = Transform.KEEP
    value: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """R45: only counts leave, of pupils by the values of these fields; none of fewer than `minimum`."""

    by: tuple[str, ...]
    minimum: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """Recipient × purpose × schema. `grants`: record name → path → Grant; a record that is not named is not
    part of the delivery, one with an empty mapping releases empty records (house rule 1). `endpoint`: where a push
    goes, by its name in gateway.yaml. `notices`: the
    recipient deletes who is missing, and fetches notices: who must be deleted, and whose data it must keep and not use
    (art. 19 AVG)."""

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
    profiling: Profiling | None = None
    deviation: str | None = None
    class_list: str | None = None
    eck_login: bool = False
    conditions: Conditions = Conditions()
    aggregate: Aggregate | None = None
    notices: bool = False
    endpoint: str | None = None


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
    """The school's regulation (R117, R118): in force from, the participation council's consent, and the day the board
    adopted it for good."""

    version: str
    in_force: date
    instemming: date | None
    evaluation: date | None = None
    adopted: date | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A vestiging: its name in policy files, and its (id type, id) pairs in the LVS. `state_exams`: pupils there take
    state exams (R51)."""

    name: str
    title: str
    ids: frozenset[tuple[str, str]]
    state_exams: bool = False


@dataclass(frozen=True, slots=True)
class Organisation:
    """The school: master identifiers that stand for every location, and its locations by name."""

    master: frozenset[str]
    locations: Mapping[str, Location]

    def __hash__(self) -> int:  # a mapping has none of its own
        return hash((self.master, frozenset(self.locations)))
