"""Fixtures of the adapters' tests: a permit as `decide` gives it, and a demo LVS on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from gateway.core.gate.decide import Call, Permit, Standing, decide
from gateway.core.model import Caller, Category, Ground, PseudonymMethod, RecipientKind, Role
from gateway.core.policy.terms import (
    Agreement,
    Authorisation,
    Delivery,
    Grondslag,
    Location,
    Necessity,
    Organisation,
    Recipient,
    Rows,
    SchoolPolicy,
    Storage,
)
from tests.servers import TODAY, RunningLvs, demo_lvs

UNTIL = date(2027, 7, 31)


def make_permit(source: str = "lvs") -> Permit:
    """A permit of a delivery in order: the adapters only look at its source."""
    delivery = Delivery(
        recipient="uitgever-noord", purpose="toegang-leermiddel", schema="edu-v-students",
        grondslag=Grondslag(Ground.PUBLIC_TASK, "WVO 2020 artikel 2.1"),
        necessity=Necessity("geen ander middel", "alleen wat nodig is", "directeur", TODAY),
        locations=frozenset({"noord"}), rows=Rows(), until=UNTIL, pseudonym=PseudonymMethod.HMAC,
        domain="uitgever-noord", channel="api", absence="niets", grants={"Student": {}},
        authorisation=Authorisation("directeur", TODAY, UNTIL),
    )  # fmt: skip
    agreement = Agreement(
        "privacyconvenant-4.0", TODAY, TODAY, UNTIL, frozenset(Category), (Storage("NL"),), bijsluiter="2026-1"
    )
    recipient = Recipient(
        "uitgever-noord", "Uitgever Noord", RecipientKind.PUBLISHER, Role.PROCESSOR, "privacy@uitgever.example",
        "00000001234567890000", None, agreement, (delivery,),
    )  # fmt: skip
    key = (recipient.name, delivery.purpose, delivery.schema)
    verdict = decide(
        Caller("credential", "recipient", recipient.name, delivery.purpose),
        Call(source, delivery.schema, "Student", None, frozenset({"noord"})),
        {key: Standing(recipient, delivery)},
        SchoolPolicy("1.0", date(2024, 10, 1), date(2024, 9, 17), UNTIL),
        Organisation(frozenset({"104A158"}), {"noord": Location("noord", "Noord", frozenset({("V_ID", "01AB00")}))}),
        TODAY,
    )
    assert isinstance(verdict, Permit), verdict
    return verdict


@pytest.fixture(scope="session")
def permit() -> Permit:
    return make_permit()


@pytest.fixture(scope="session")
def serving() -> Iterator[RunningLvs]:
    with demo_lvs() as one:
        yield one


@pytest.fixture
def lvs(serving: RunningLvs) -> Iterator[RunningLvs]:
    """The session's LVS, with nothing remembered and nothing broken."""
    serving.reset()
    yield serving
    serving.reset()
