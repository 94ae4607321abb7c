"""Credentials: shown once, kept as hashes, revoked from the next request on, in every worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.access.callers import StoredCallers, create_client, list_clients, revoke_client
from gateway.adapters.database import Database, DatabaseUnavailable
from gateway.adapters.register.writer import verify_register
from gateway.core.model import Caller
from tests.simulators.database import fresh_database
from tests.simulators.drafts import NOW, an_act, seeded
from tests.simulators.stored import last_bodies


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh_database(tmp_path)
    yield database
    database.close()


class Clock:
    """Shows what it was set to."""

    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


def worker(database: Database, clock: Clock) -> StoredCallers:
    return StoredCallers(database, clock, seeded(7), timedelta(hours=1))


RANDOM = seeded()


def test_new_client_is_known_by_its_api_key(database: Database, clock: Clock) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(), RANDOM)

    assert worker(database, clock).by_api_key(new.api_key) == Caller(new.id, "recipient", "uitgever-noord", "toegang")


def test_school_credential_has_neither_recipient_nor_purpose(database: Database, clock: Clock) -> None:
    new = create_client(database, None, None, an_act(), RANDOM)

    assert worker(database, clock).by_api_key(new.api_key) == Caller(new.id, "school", None, None)


@pytest.mark.parametrize(("recipient", "purpose"), [("uitgever-noord", None), (None, "toegang")])
def test_credential_with_half_a_binding_is_not_made(
    database: Database, recipient: str | None, purpose: str | None
) -> None:
    with pytest.raises(ValueError, match="purpose"):
        create_client(database, recipient, purpose, an_act(), RANDOM)


def test_wrong_api_keys_are_unknown(database: Database, clock: Clock) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(), RANDOM)
    callers = worker(database, clock)

    for wrong in (new.api_key[:-1], new.api_key + "x", new.api_key[:11], "", new.secret, "gk_é\udc80", new.id):
        assert callers.by_api_key(wrong) is None


def test_token_is_the_client_it_was_issued_to_in_every_worker(database: Database, clock: Clock) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(), RANDOM)
    one, other = worker(database, clock), worker(database, clock)

    issued = one.issue(new.id, new.secret)

    assert issued is not None
    assert issued[1] == 3600
    assert (
        one.by_token(issued[0]) == other.by_token(issued[0]) == Caller(new.id, "recipient", "uitgever-noord", "toegang")
    )


def test_token_is_not_issued_for_a_wrong_secret(database: Database, clock: Clock) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(), RANDOM)
    callers = worker(database, clock)

    for client, secret in ((new.id, "x"), (new.id, ""), (new.id, new.api_key), ("x", new.secret), ("", "")):
        assert callers.issue(client, secret) is None


def test_token_ends_at_its_moment(database: Database, clock: Clock) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(), RANDOM)
    callers = worker(database, clock)
    token = (callers.issue(new.id, new.secret) or ("", 0))[0]

    clock.moment = NOW + timedelta(hours=1, microseconds=-1)
    assert callers.by_token(token) is not None
    clock.moment = NOW + timedelta(hours=1)
    assert callers.by_token(token) is None


def test_ended_tokens_are_cleared_away(database: Database, clock: Clock) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(), RANDOM)
    callers = worker(database, clock)
    callers.issue(new.id, new.secret)
    clock.moment = NOW + timedelta(hours=2)
    callers.issue(new.id, new.secret)

    assert database.look_up("SELECT count(*) FROM token", ()) == [(1,)]


def test_revoked_client_is_unknown_at_once_in_every_worker(database: Database, clock: Clock) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(), RANDOM)
    workers = [worker(database, clock), worker(database, clock)]
    token = (workers[0].issue(new.id, new.secret) or ("", 0))[0]
    assert all(each.by_token(token) and each.by_api_key(new.api_key) for each in workers)

    assert revoke_client(database, new.id, an_act(2))

    database.versioned()  # the next request begins
    for each in workers:
        assert (each.by_token(token), each.by_api_key(new.api_key), each.issue(new.id, new.secret)) == (
            None,
            None,
            None,
        )


def test_other_clients_stay_when_one_is_revoked(database: Database, clock: Clock) -> None:
    one = create_client(database, "uitgever-noord", "toegang", an_act(1), RANDOM)
    other = create_client(database, "uitgever-noord", "toegang", an_act(2), RANDOM)
    callers = worker(database, clock)
    token = (callers.issue(other.id, other.secret) or ("", 0))[0]

    revoke_client(database, one.id, an_act(3))

    assert callers.by_token(token) == Caller(other.id, "recipient", "uitgever-noord", "toegang")
    assert callers.by_api_key(other.api_key) == callers.by_token(token)


def test_revoking_what_is_not_there_is_told(database: Database) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(1), RANDOM)

    assert not revoke_client(database, "x", an_act(2))
    assert revoke_client(database, new.id, an_act(3))
    assert not revoke_client(database, new.id, an_act(4))


def test_list_tells_who_made_each_and_whether_it_is_revoked(database: Database) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(1), RANDOM)
    revoke_client(database, new.id, an_act(2))

    [listed] = list_clients(database)

    assert (listed.id, listed.created_by, listed.key_prefix) == (new.id, "p.officer", new.api_key[:11])
    assert listed.revoked is not None


def test_secrets_stand_nowhere_in_the_database_or_in_a_repr(database: Database, clock: Clock) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(1), RANDOM)
    token = (worker(database, clock).issue(new.id, new.secret) or ("", 0))[0]
    stored = b"".join(path.read_bytes() for path in database.path.parent.iterdir())

    for secret in (new.secret, new.api_key, token):
        assert secret.encode() not in stored
        assert secret not in repr(new)


def test_making_and_revoking_stand_in_the_register(database: Database) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(1), RANDOM)
    revoke_client(database, new.id, an_act(2))

    entries = [json.loads(body) for body in last_bodies(database, 9)]
    assert [(entry["outcome"], entry["actor"], entry["credential"]) for entry in entries] == [
        ("client revoked", "p.officer", new.id),
        ("client created", "p.officer", new.id),
    ]
    assert verify_register(database).ok


def test_nobody_is_known_while_the_database_is_away(database: Database, clock: Clock, tmp_path: Path) -> None:
    new = create_client(database, "uitgever-noord", "toegang", an_act(1), RANDOM)
    callers = worker(database, clock)
    assert callers.by_api_key(new.api_key)
    database.path.rename(tmp_path / "moved")

    with pytest.raises(DatabaseUnavailable):
        database.versioned()  # the next request begins
    (tmp_path / "moved").rename(database.path)
    assert callers.by_api_key(new.api_key)
