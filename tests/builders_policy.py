"""A made-up school, schema and recipient with nothing wrong, for tests that change one thing.

`A_RECORD` has a field of every class. Leaves out: files (tests/vectors read those).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from gateway.core.gate.decide import Call, Standing
from gateway.core.model import (
    Caller,
    Category,
    Enrolment,
    FieldClass,
    Ground,
    Person,
    PseudonymMethod,
    RecipientKind,
    Role,
    Subject,
    Transform,
)
from gateway.core.policy.schema import Branch, Leaf, Many, Record, Route, Schema, SubjectPosition, TypedIds
from gateway.core.policy.terms import (
    Agreement,
    Authorisation,
    Delivery,
    Dpia,
    Grant,
    Grondslag,
    Location,
    Necessity,
    Organisation,
    Recipient,
    Rows,
    SchoolPolicy,
    Storage,
    Weighing,
)

TODAY = date(2026, 10, 5)
POLICY = SchoolPolicy("1.0", date(2024, 10, 1), date(2024, 9, 17))
ORGANISATION = Organisation(
    frozenset({"104A158"}),
    {name: Location(name, name.title(), frozenset({("V_ID", name)})) for name in ("noord", "zuid")},
)
KEY = ("uitgever", "oefenen", "pupils")
CALLER = Caller("c1", "recipient", "uitgever", "oefenen")
CALL = Call("lvs", "pupils", "Pupil", None, frozenset({"noord"}))


def text(category: Category, field_class: FieldClass, **more: Any) -> Leaf:
    return Leaf("string", category, field_class, **more)


_CATEGORY = {
    FieldClass.ID: Category.PUPIL_NUMBER,
    FieldClass.DIRECT: Category.NAME,
    FieldClass.CONTACT: Category.PHONE,
    FieldClass.QUASI: Category.SEX,
    FieldClass.ORDINARY: Category.ORGANISATION,
    FieldClass.RESULT: Category.RESULTS,
    FieldClass.SUPPORT: Category.SUPPORT,
    FieldClass.MEDICAL: Category.MEDICAL,
    FieldClass.PSYCHOLOGICAL_REPORT: Category.PSYCHOLOGICAL_REPORT,
    FieldClass.SPECIAL: Category.SPECIAL,
    FieldClass.CRIMINAL: Category.CRIMINAL,
    FieldClass.NATIONAL_NUMBER: Category.NATIONAL_NUMBER,
    FieldClass.ABSENCE_REASON: Category.ABSENCE_REASON,
    FieldClass.FINANCIAL: Category.FINANCIAL,
    FieldClass.THIRD_PERSON: Category.GUARDIANS,
    FieldClass.FREE_TEXT: Category.OBSERVATIONS,
    FieldClass.DOCUMENT: Category.OBSERVATIONS,
    FieldClass.IMAGE: Category.IMAGE,
    FieldClass.CREDENTIAL: Category.CREDENTIALS,
    FieldClass.CONFIDENTIAL: Category.CONFIDENTIAL,
}


def _ids(category: Category, field_class: FieldClass) -> dict[str, Leaf | Branch | Many]:
    return {
        "master": text(category, field_class),
        "ids": Many(
            Branch(
                {
                    "value": text(category, field_class, required=True),
                    "type": text(category, field_class, required=True, values=("ASI", "NEPRI")),
                }
            )
        ),
    }


_TYPED = TypedIds("ids", "value", "type", {"ASI": "las-key", "NEPRI": "nepri"}, "ASI")

A_RECORD = Record(
    "Pupil",
    Branch(
        {
            **_ids(Category.PUPIL_NUMBER, FieldClass.ID),
            **{kind.value: text(category, kind) for kind, category in _CATEGORY.items()},
            "born": text(Category.BIRTH_DATE, FieldClass.QUASI, format="date"),
            "changed": text(Category.ORGANISATION, FieldClass.ORDINARY, format="date-time"),
            "postcode": text(Category.ADDRESS, FieldClass.QUASI),
            "sex": text(Category.SEX, FieldClass.QUASI, values=("m", "f")),
            "year": Leaf("integer", Category.ORGANISATION, FieldClass.ORDINARY),
            "share": Leaf("number", Category.ORGANISATION, FieldClass.ORDINARY),
            "adult": Leaf("boolean", Category.ORGANISATION, FieldClass.ORDINARY),
            "group": text(Category.ORGANISATION, FieldClass.ID, maps="group"),
            "presence": text(Category.ATTENDANCE, FieldClass.ORDINARY),
            "tags": Many(text(Category.ORGANISATION, FieldClass.ORDINARY)),
            "teacher": Branch(_ids(Category.STAFF, FieldClass.THIRD_PERSON)),
            "school": Branch(
                {
                    "code": text(Category.ORGANISATION, FieldClass.ORDINARY, required=True),
                    "name": text(Category.ORGANISATION, FieldClass.ORDINARY),
                }
            ),
        }
    ),
    (
        SubjectPosition("", Person.PUPIL, "record", "master", _TYPED),
        SubjectPosition("teacher", Person.STAFF, "record", "master", _TYPED),
    ),
)

SCHEMA = Schema(
    "pupils",
    "Pupils",
    "1.0",
    "json",
    "",
    "pull",
    "problem",
    (Route("GET", "/pupils", "Pupil", many=True),),
    {"Pupil": A_RECORD},
    "hash",
)
SCHEMAS: Mapping[str, Schema] = {"pupils": SCHEMA}


def grant(path: str, transform: Transform = Transform.KEEP, **more: Any) -> Grant:
    return Grant(path, more.pop("reason", "De leerling gaat verder waar die gebleven is."), transform, **more)


def grants(*more: Grant, record: str = "Pupil") -> dict[str, dict[str, Grant]]:
    """The pupil's slot, and what is added."""
    all_of_them = (grant("ids.value", Transform.PSEUDONYM), grant("ids.type"), *more)
    return {record: {one.path: one for one in all_of_them}}


DELIVERY = Delivery(
    recipient="uitgever",
    purpose="oefenen",
    schema="pupils",
    grondslag=Grondslag(Ground.PUBLIC_TASK, "WPO artikel 8"),
    necessity=Necessity("Minder dan een pseudoniem kan niet.", "Licht.", "directeur", date(2026, 8, 15)),
    locations=frozenset({"noord"}),
    rows=Rows(),
    until=date(2027, 7, 31),
    pseudonym=PseudonymMethod.HMAC,
    domain="uitgever",
    channel="api",
    absence="De uitgever sluit de toegang en wist na dertig dagen.",
    grants=grants(),
    authorisation=Authorisation("directeur", date(2026, 8, 1), date(2027, 7, 31)),
)

AGREEMENT = Agreement(
    model="privacyconvenant-4.0",
    signed=date(2026, 8, 1),
    starts=date(2026, 8, 1),
    until=date(2027, 7, 31),
    categories=frozenset(Category),
    storage=(Storage("NL"),),
    bijsluiter="versie 3",
)

RECIPIENT = Recipient(
    name="uitgever",
    title="Uitgever B.V.",
    kind=RecipientKind.TEST_PROVIDER,
    role=Role.PROCESSOR,
    contact="privacy@uitgever.example",
    oin=None,
    group=None,
    agreement=AGREEMENT,
    deliveries=(DELIVERY,),
)

DPIA = Dpia("DPIA 2026-3", "FG akkoord", date(2027, 1, 1))
WEIGHING = Weighing("begeleiding", "Onderwijs.", "Rust.", "school", "directeur", date(2026, 8, 1))


def recipient(delivery: Delivery = DELIVERY, **terms: Any) -> Recipient:
    """The good recipient with one delivery and these terms."""
    return replace(RECIPIENT, deliveries=(delivery,), **terms)


def delivery(*more: Grant, **terms: Any) -> Delivery:
    """The good delivery with these fields added and these terms."""
    return replace(DELIVERY, **({"grants": grants(*more)} | terms))


def standing(one: Delivery = DELIVERY, **terms: Any) -> Standing:
    return Standing(recipient(one, **terms), one)


def pupil(*enrolments: Enrolment, person: Person = Person.PUPIL, groups: frozenset[str] = frozenset()) -> Subject:
    return Subject(b"\1" * 16, person, b"\2" * 16, {}, enrolments, groups)


def enrolled(
    location: str = "noord", year: int | None = 1, begin: date = date(2026, 8, 1), end: date | None = None
) -> Enrolment:
    return Enrolment(location, year, begin, end)
