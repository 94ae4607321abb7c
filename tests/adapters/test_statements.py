"""The write-back ledger: once known, never sent again; else sent again; never for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters.database import Database, DatabaseUnavailable
from gateway.adapters.statements import Statements
from gateway.adapters.store_keys import StoreKeys
from gateway.transfer.ledger import Outcome, Plan, Planned, State, Statement
from tests.simulators.database import fresh_database
from tests.simulators.drafts import NOW

ONE = Statement("r-1", b'{"score":7}')
CORRECTED = Statement("r-1", b'{"score":8}')
TWO = Statement("r-2", b'{"score":7}')


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def ledger(database: Database) -> Statements:
    return Statements(database, StoreKeys(bytes(32)))


def settle(ledger: Statements, statement: Statement, state: State, status: int | None = None) -> None:
    ledger.plan("lvs", "toets", [statement], NOW)
    ledger.record("lvs", "toets", [Outcome(statement, state, status)], NOW)


def test_a_new_statement_is_forwarded(ledger: Statements) -> None:
    assert ledger.plan("lvs", "toets", [ONE, TWO], NOW) == [Planned(Plan.FORWARD), Planned(Plan.FORWARD)]


def test_nothing_to_plan_or_record_is_nothing(ledger: Statements) -> None:
    assert ledger.plan("lvs", "toets", [], NOW) == []
    ledger.record("lvs", "toets", [], NOW)


@pytest.mark.parametrize("state", [State.ACCEPTED, State.REFUSED])
def test_a_known_outcome_is_returned(ledger: Statements, state: State) -> None:
    settle(ledger, ONE, state, 201)

    assert ledger.plan("lvs", "toets", [ONE], NOW) == [Planned(Plan.RETURN, state, 201)]


@pytest.mark.parametrize("state", [State.NOT_SENT, State.UNKNOWN])
def test_an_outcome_that_is_not_known_is_forwarded_again(ledger: Statements, state: State) -> None:
    settle(ledger, ONE, state)

    assert ledger.plan("lvs", "toets", [ONE], NOW) == [Planned(Plan.FORWARD, state)]


def test_a_pending_statement_is_forwarded_again_after_a_crash(database: Database, ledger: Statements) -> None:
    ledger.plan("lvs", "toets", [ONE], NOW)
    after = Statements(database, StoreKeys(bytes(32)))

    assert after.plan("lvs", "toets", [ONE], NOW) == [Planned(Plan.FORWARD, State.PENDING)]


def test_another_content_is_forwarded_as_a_correction(ledger: Statements) -> None:
    settle(ledger, ONE, State.ACCEPTED)

    assert ledger.plan("lvs", "toets", [CORRECTED], NOW) == [Planned(Plan.FORWARD, State.ACCEPTED)]


def test_the_outcome_of_a_content_that_was_corrected_meanwhile_changes_nothing(ledger: Statements) -> None:
    ledger.plan("lvs", "toets", [ONE], NOW)
    ledger.plan("lvs", "toets", [CORRECTED], NOW)
    ledger.record("lvs", "toets", [Outcome(ONE, State.ACCEPTED, 201)], NOW)

    assert ledger.plan("lvs", "toets", [CORRECTED], NOW) == [Planned(Plan.FORWARD, State.PENDING)]


def test_an_id_of_another_recipient_stays_its_own_and_the_later_gets_one_of_ours(ledger: Statements) -> None:
    settle(ledger, ONE, State.ACCEPTED, 201)
    one, two = ledger.plan("lvs", "zuid", [ONE, TWO], NOW)
    ledger.record("lvs", "zuid", [Outcome(replace(ONE, under=one.under), State.REFUSED, 400)], NOW)

    assert (one.plan, two) == (Plan.FORWARD, Planned(Plan.FORWARD))
    assert one.under not in (None, "r-1")
    assert ledger.plan("lvs", "zuid", [ONE], NOW) == [Planned(Plan.RETURN, State.REFUSED, 400, one.under)]
    assert ledger.plan("lvs", "toets", [ONE], NOW) == [Planned(Plan.RETURN, State.ACCEPTED, 201)]


def test_three_recipients_with_one_id_have_three_at_the_source(ledger: Statements) -> None:
    names = {ledger.plan("lvs", name, [ONE], NOW)[0].under for name in ("toets", "zuid", "noord")}

    assert len(names) == 3


def test_the_same_id_at_another_source_is_another_statement(ledger: Statements) -> None:
    settle(ledger, ONE, State.ACCEPTED, 201)

    assert ledger.plan("other", "zuid", [ONE], NOW) == [Planned(Plan.FORWARD)]


def test_of_two_with_one_id_in_one_call_the_later_counts(ledger: Statements) -> None:
    assert ledger.plan("lvs", "toets", [ONE, CORRECTED], NOW) == [Planned(Plan.FORWARD)] * 2
    ledger.record("lvs", "toets", [Outcome(CORRECTED, State.ACCEPTED)], NOW)

    assert ledger.plan("lvs", "toets", [CORRECTED], NOW) == [Planned(Plan.RETURN, State.ACCEPTED)]


def test_without_a_database_nothing_is_planned(ledger: Statements, database: Database) -> None:
    database.path.chmod(0o400)

    with pytest.raises(DatabaseUnavailable):
        ledger.plan("lvs", "toets", [ONE], NOW)


def test_ids_and_contents_stand_nowhere_in_the_database(ledger: Statements, database: Database) -> None:
    settle(ledger, Statement("canary-id", b"canary-content"), State.ACCEPTED)

    stored = b"".join(path.read_bytes() for path in database.path.parent.iterdir())
    assert b"canary" not in stored
