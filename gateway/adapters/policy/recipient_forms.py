"""The form of recipients/NAME.yaml and its translation to `core.model.Recipient`.

One item of `deliveries` has one purpose and one set of terms, and names several schemas, so that terms are typed
once; it becomes one Delivery per schema. Leaves out: whether the terms are lawful (`core.policy.rules`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from gateway.adapters.policy.forms import (
    AgreedCategory,
    Asking,
    Begin,
    Brin,
    Contact,
    Country,
    End,
    Flag,
    Form,
    GroundLetter,
    Key,
    KindName,
    MethodName,
    Name,
    Number,
    OccasionName,
    Oin,
    Reason,
    RoleName,
    Scalar,
    Text,
    TransformName,
    is_wildcard,
)
from gateway.adapters.policy.schema_fields import Fault
from gateway.core.facts import Occasion
from gateway.core.model import PseudonymMethod, Transform
from gateway.core.policy.grants import node_at
from gateway.core.policy.rules_aggregate import SMALLEST_CELL
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import (
    Aggregate,
    Agreement,
    Authorisation,
    Conditions,
    Delivery,
    Dpia,
    Grant,
    Grondslag,
    Necessity,
    Profiling,
    Recipient,
    Rows,
    Storage,
    SubProcessor,
    Weighing,
)

# The rule that a missing key breaks.
RULES = {
    "reason": "R4",
    "purpose": "R1",
    "ground": "R2",
    "reference": "R2",
    "until": "R8",
    "role": "R67",
    "kind": "R67",
    "categories": "R10",
    "storage": "N20",
    "country": "N20",
    "subsidiarity": "R6",
    "proportionality": "R6",
    "locations": "R68",
    "channel": "R50",
    "schemas": "R7",
    "human_review": "R98",
    "informed": "R98",
    "fg_advice": "R114",
    "review": "R114",
}

T = TypeVar("T")


def _place_name(value: object) -> object:
    """R68: locations are named one by one."""
    if isinstance(value, str) and is_wildcard(value):
        raise PydanticCustomError("policy", "name each location: a wildcard names nothing", {"rule": "R68"})
    return value


PlaceName = Annotated[Name, BeforeValidator(_place_name)]
Group = Annotated[str, StringConstraints(min_length=1, max_length=200), Asking("nog-niet-beantwoord")]


class GrondslagForm(Form):
    """R2. `article9`: the basis for special categories (N9); `national_number`: for a BSN (N1)."""

    ground: GroundLetter
    reference: Text
    article9: Text | None = None
    national_number: Text | None = None


class NecessityForm(Form):
    """R6: could it be done with less, and does the aim outweigh the intrusion?

    The day is `date` in the file: `on` is a truth value to many a YAML reader."""

    subsidiarity: Text
    proportionality: Text
    by: Text
    on: Begin = Field(alias="date")


class WeighingForm(Form):
    """R5: the balancing test of ground f."""

    aim: Text
    school_interest: Text
    pupil_interest: Text
    outcome: Annotated[Literal["school", "pupil"], Asking("school")]
    by: Text
    on: Begin = Field(alias="date")


class AuthorisationForm(Form):
    """R12: the school's permission to this supplier for this purpose."""

    by: Text
    on: Begin = Field(alias="date")
    until: End


class DpiaForm(Form):
    """R114."""

    reference: Text
    fg_advice: Text
    review: End


class ProfilingForm(Form):
    """R98, N16: since when pupils and parents know of it, who looks again at an outcome; `no_effect`: why it touches
    nobody's rights, without which it needs consent."""

    informed: Begin
    human_review: Text
    no_effect: Text | None = None


class StorageForm(Form):
    """N20: where data are stored or seen from; `basis` is needed outside the EEA."""

    country: Country
    basis: Text | None = None


class SubProcessorForm(Form):
    """R75."""

    name: Text
    country: Country
    basis: Text | None = None


class AgreementForm(Form):
    """R69-R71. `items`: deviations from the model, or the eight items of R70 by name where there is no model."""

    model: Text
    bijsluiter: Text | None = None
    signed: Begin
    starts: Begin
    until: End
    categories: list[AgreedCategory]
    storage: list[StorageForm]
    sub_processors: list[SubProcessorForm] = Field(default_factory=list)
    endpoints: list[Text] = Field(default_factory=list)
    items: dict[Key, Text] = Field(default_factory=dict)


class RowsForm(Form):
    """Which pupils: study years, and group ids of the administration. What is absent does not limit."""

    years: list[Number] | None = None
    groups: list[Group] | None = None


class ConditionsForm(Form):
    """What must be known about a pupil. `occasion`: the one-off permit it takes (D4); `open_request`: at the
    samenwerkingsverband (R54); `inzage`: recorded before it leaves (R57); `destination`: BRIN of the receiving school
    (R109). `final_recipients`: to whom this platform passes on; it gets nothing itself (R55)."""

    occasion: OccasionName = Occasion.STANDING
    open_request: Flag = False
    inzage: Flag = False
    destination: Brin | None = None
    final_recipients: list[Key] = Field(default_factory=list)


class AggregateForm(Form):
    """R45: counts of pupils by these fields instead of records; a count under `minimum`, or that gives one away, does
    not leave."""

    by: list[Text]
    minimum: Number = SMALLEST_CELL


class GrantForm(Form):
    """One field: why it is needed (R4), and what becomes of it. `value` belongs to `fixed`."""

    reason: Reason
    transform: TransformName = Transform.KEEP
    value: Scalar | None = None


Grants = dict[str, dict[str, GrantForm]]


class DeliveryForm(Form):
    """One purpose with its terms. `schemas`: schema → record → field → grant; what is not named never leaves.
    `endpoint`: of the channel push, where it goes, by its name in gateway.yaml."""

    purpose: Key
    grondslag: GrondslagForm | None = None
    necessity: NecessityForm | None = None
    weighing: WeighingForm | None = None
    authorisation: AuthorisationForm | None = None
    dpia: DpiaForm | None = None
    locations: list[PlaceName]
    rows: RowsForm = RowsForm()
    until: End
    pseudonym: MethodName = PseudonymMethod.HMAC
    domain: Key | None = None
    channel: Key
    absence: Text
    profiling: ProfilingForm | None = None
    deviation: Text | None = None
    class_list: Text | None = None
    eck_login: Flag = False
    conditions: ConditionsForm = ConditionsForm()
    aggregate: AggregateForm | None = None
    notices: Flag = False
    endpoint: Key | None = None
    schemas: dict[str, Grants]


class RecipientForm(Form):
    """recipients/NAME.yaml: who receives, the agreement, and what is delivered for which purpose."""

    recipient: Key
    title: Text
    kind: KindName
    role: RoleName
    contact: Contact
    oin: Oin | None = None
    group: Name | None = None
    agreement: AgreementForm | None = None
    deliveries: list[DeliveryForm]


def build(form: RecipientForm, asks: tuple[tuple[int, str], ...], text_hash: str) -> Recipient:
    """The form as the rest of the gateway speaks of it."""
    return Recipient(
        name=form.recipient,
        title=form.title,
        kind=form.kind,
        role=form.role,
        contact=form.contact,
        oin=form.oin,
        group=form.group,
        agreement=_agreement(form.agreement) if form.agreement else None,
        deliveries=tuple(delivery for item in form.deliveries for delivery in _deliveries(form.recipient, item)),
        asks=asks,
        text_hash=text_hash,
    )


def _agreement(form: AgreementForm) -> Agreement:
    return Agreement(
        model=form.model,
        signed=form.signed,
        starts=form.starts,
        until=form.until,
        categories=frozenset(form.categories),
        storage=tuple(Storage(place.country, place.basis) for place in form.storage),
        sub_processors=tuple(SubProcessor(party.name, party.country, party.basis) for party in form.sub_processors),
        endpoints=tuple(form.endpoints),
        bijsluiter=form.bijsluiter,
        items=dict(form.items),
    )


def _deliveries(recipient: str, form: DeliveryForm) -> Iterator[Delivery]:
    for schema, records in form.schemas.items():
        yield Delivery(
            recipient=recipient,
            purpose=form.purpose,
            schema=schema,
            grondslag=Grondslag(**form.grondslag.model_dump()) if form.grondslag else None,
            necessity=Necessity(**form.necessity.model_dump()) if form.necessity else None,
            locations=frozenset(form.locations),
            rows=Rows(_set(form.rows.years), _set(form.rows.groups)),
            until=form.until,
            pseudonym=form.pseudonym,
            domain=form.domain or recipient,
            channel=form.channel,
            absence=form.absence,
            grants={record: dict(_grants(fields)) for record, fields in records.items()},
            weighing=Weighing(**form.weighing.model_dump()) if form.weighing else None,
            authorisation=Authorisation(**form.authorisation.model_dump()) if form.authorisation else None,
            dpia=Dpia(**form.dpia.model_dump()) if form.dpia else None,
            profiling=Profiling(**form.profiling.model_dump()) if form.profiling else None,
            deviation=form.deviation,
            class_list=form.class_list,
            eck_login=form.eck_login,
            conditions=_conditions(form.conditions),
            aggregate=Aggregate(tuple(form.aggregate.by), form.aggregate.minimum) if form.aggregate else None,
            notices=form.notices,
            endpoint=form.endpoint,
        )


def _conditions(form: ConditionsForm) -> Conditions:
    return Conditions(**form.model_dump() | {"final_recipients": frozenset(form.final_recipients)})


def _grants(fields: Mapping[str, GrantForm]) -> Iterator[tuple[str, Grant]]:
    for path, grant in fields.items():
        yield path, Grant(path, grant.reason, grant.transform, grant.value)


def _set(values: list[T] | None) -> frozenset[T] | None:
    return None if values is None else frozenset(values)


# -- what must agree with the rest of the file and with the schemas ------------------------------------


def faults(form: RecipientForm, schemas: Mapping[str, Schema]) -> Iterator[Fault]:
    """(where, message, rule) of everything that names what does not exist. Whether what exists may leave, and in
    this form, is `core.policy.rules`'s."""
    for index, delivery in enumerate(form.deliveries):
        for name, records in delivery.schemas.items():
            where = ("deliveries", index, "schemas", name)
            if is_wildcard(name):
                yield where, "name each schema: a wildcard names nothing", "R4, R7"
            elif schema := schemas.get(name):
                yield from _record_faults(where, records, schema)
            # An unknown schema stops its own delivery only: that is `core.policy.rules`'s to say.


def _record_faults(where: tuple[str | int, ...], records: Grants, schema: Schema) -> Iterator[Fault]:
    for name, fields in records.items():
        record = schema.records.get(name)
        if is_wildcard(name):
            yield (*where, name), "name each record: a wildcard names nothing", "R4, R7"
        elif record is None:
            yield (*where, name), "the schema has no record of this name", "R9"
        for path in fields:
            if record is not None and node_at(record.fields, path) is not None:
                continue  # also where the standard calls a field "overig"
            if any(is_wildcard(step) for step in path.split(".")):
                message = "name each field with its own reason: a wildcard or 'enzovoort' names nothing"
                yield (*where, name, path), message, "R4, R7, R10"
            elif record is not None:
                yield (*where, name, path), "the schema has no field of this name, so it is not classified", "R9"
