"""bootstrap.holds: what two persons release is what both weighed (D2, R116)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.adapters.database import tables
from gateway.adapters.facts.store import known
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import fact_acts, holds, proposals, session
from gateway.bootstrap.holds import Terms
from gateway.bootstrap.school import Refused, School, clock, legal_today, open_school, random
from gateway.core.facts import Exception18
from gateway.core.model import Category, Enrolment, Person
from gateway.core.persons import Actor, Held, PersonRole
from gateway.core.reasons import Reason
from gateway.transfer.ports import Observation
from gateway.transfer.trail import instant
from tests.simulators.persons import somebody

OFFICER = somebody("toestemming", PersonRole.CONSENT_OFFICER)
RELEASER = somebody("vrijgever", PersonRole.RELEASER)


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    """With a pupil who is restricted, held for the law's sake, and a releaser who can be a proposer."""
    with open_school(directory) as opened:
        book = Subjects(opened.database, opened.store_keys)
        stay = (Enrolment("noord", 1, date(2026, 8, 1), None),)
        book.learn("lvs", {"noord": [Observation(Person.PUPIL, {"las-key": "100001"}, stay)]}, clock(), random)
        session.add_first_person(opened, "a", [Held(PersonRole.RELEASER)], session.new_credentials())
        restrict(opened, "accuracy")
        hold(opened)
        yield opened


def restrict(school: School, ground: str) -> None:
    row = f"pupil,ground\n100001,{ground}\n".encode()
    fact_acts.bring_in(school, OFFICER, "restriction", io.BytesIO(row), "r.csv", "a reason")


def pupil(school: School) -> bytes:
    table = tables.subject_id
    lookup = id_lookup(school.store_keys, "lvs", "las-key", "100001")
    with school.database.read() as connection:
        return bytes(connection.execute(sa.select(table.c.subject).where(table.c.lookup == lookup)).scalar_one())


def hold(school: School) -> None:
    values = {
        "id": "h",
        "subject": pupil(school),
        "recipient": "duo",
        "purpose": "p",
        "reason": Reason.PUPIL_RESTRICTED,
    }
    state = {"statutory": 1, "secret": 0, "opened": instant(clock()), "state": "open"}
    with school.database.write() as connection:
        connection.execute(sa.insert(tables.hold).values(**values, **state))


def proposer(school: School) -> Actor:
    session.keep_session(school, "a", school.sign_in_rules())
    session.accept_statement(school, session.signed_in(school))
    return session.signed_in(school)


def proposed(school: School) -> int:
    terms = Terms(frozenset({Category.NAME}), legal_today() + timedelta(days=3), Exception18.PUBLIC_INTEREST)
    number = holds.release(school, proposer(school), "h", terms, "a reason")
    assert number is not None
    return number


def test_release_that_both_weighed_is_carried_out(school: School) -> None:
    proposals.confirm(school, proposed(school), RELEASER)

    assert len(known(school.database, school.store_keys, pupil(school)).releases) == 1


def test_release_of_what_was_restricted_again_since_is_not_what_was_proposed(school: School) -> None:
    number = proposed(school)
    restrict(school, "legal-claim")

    with pytest.raises(Refused):
        proposals.confirm(school, number, RELEASER)
    assert known(school.database, school.store_keys, pupil(school)).releases == ()
