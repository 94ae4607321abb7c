"""adapters.access.sign_in: name, password and code; sessions that end; the same answer to every failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.access import persons, sign_in
from gateway.adapters.access.persons import Credentials
from gateway.adapters.access.sign_in import Rules, code_at
from gateway.adapters.database import Database
from gateway.adapters.register.chain import stored_entries
from gateway.adapters.store_keys import StoreKeys
from gateway.core.persons import Actor, Held, PersonRole
from tests.simulators.database import fresh_database
from tests.simulators.drafts import NOW, an_act, an_id, seeded

KEYS = StoreKeys(bytes(32))
RULES = Rules(timedelta(hours=1), timedelta(hours=8), 5, timedelta(minutes=15))
WHO, PASSWORD, TOTP = "j.jansen", "correct horse battery", b"12345678901234567890"
STEP = timedelta(seconds=30)


@dataclass
class Door:
    """A database with one person, and somebody who tries to come in."""

    database: Database
    now: datetime = NOW
    entries: int = 0

    def try_in(self, name: str = WHO, password: str = PASSWORD, code: str | None = None) -> str | None:
        self.entries += 1
        given = code if code is not None else code_at(TOTP, int(self.now.timestamp()) // 30)
        return sign_in.sign_in(
            self.database, KEYS, RULES, name, password, given, an_id(self.entries), self.now, seeded(self.entries)
        )

    def come_in(self) -> str:
        token = self.try_in()
        assert token is not None
        return token

    def who(self, token: str) -> Actor | None:
        return sign_in.signed_in(self.database, token, self.now)

    def told(self) -> list[tuple[str, str, str]]:
        with self.database.read() as connection:
            bodies = [json.loads(entry.body) for entry in stored_entries(connection) if isinstance(entry.body, bytes)]
        return [(body["kind"], body["actor"], body["outcome"]) for body in bodies]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    database = fresh_database(tmp_path)
    held = [Held(PersonRole.ADMINISTRATOR), Held(PersonRole.LOCATION_ADMIN, "noord")]
    persons.add_person(database, KEYS, WHO, held, Credentials(PASSWORD, TOTP), an_act(), seeded())
    yield Door(database)
    database.close()


# RFC 6238, appendix B: the last six of the eight digits given there
@pytest.mark.parametrize(("seconds", "code"), [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")])
def test_code_is_that_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(TOTP, seconds // 30) == code


def test_name_password_and_code_open_a_session_with_the_roles(door: Door) -> None:
    actor = door.who(door.come_in())

    assert actor is not None
    assert actor.name == WHO
    assert actor.held == {Held(PersonRole.ADMINISTRATOR), Held(PersonRole.LOCATION_ADMIN, "noord")}
    assert not actor.confidential


def test_wrong_name_password_or_code_does_not(door: Door) -> None:
    assert door.try_in(name="somebody") is None
    assert door.try_in(password=PASSWORD + "x") is None
    assert door.try_in(code="000000") is None
    assert door.try_in(code="é") is None


@pytest.mark.parametrize(("steps", "opens"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_code_may_be_one_step_early_or_late(door: Door, steps: int, *, opens: bool) -> None:
    code = code_at(TOTP, int((door.now + steps * STEP).timestamp()) // 30)

    assert (door.try_in(code=code) is not None) is opens


def test_code_works_once(door: Door) -> None:
    door.come_in()

    assert door.try_in() is None
    door.now += STEP
    assert door.try_in() is not None


def test_code_before_a_used_one_does_not_work(door: Door) -> None:
    early = code_at(TOTP, int(door.now.timestamp()) // 30 - 1)
    door.come_in()

    assert door.try_in(code=early) is None


def test_five_failures_lock_out_for_a_quarter(door: Door) -> None:
    for _ in range(5):
        door.try_in(password="wrong password")

    assert door.try_in() is None
    door.now += timedelta(minutes=15) - STEP
    assert door.try_in() is None
    door.now += STEP
    assert door.try_in() is not None


def test_failures_while_locked_out_do_not_prolong_it(door: Door) -> None:
    for _ in range(5):
        door.try_in(password="wrong password")
    door.now += timedelta(minutes=14)
    for _ in range(5):
        door.try_in(password="wrong password")
    door.now += timedelta(minutes=1)

    assert door.try_in() is not None


def test_success_starts_the_count_again(door: Door) -> None:
    for _ in range(4):
        door.try_in(password="wrong password")
    door.come_in()
    for _ in range(4):
        door.try_in(password="wrong password")
    door.now += STEP

    assert door.try_in() is not None


def test_sign_ins_and_failures_are_registered_without_what_was_typed(door: Door) -> None:
    """R81."""
    door.come_in()
    door.try_in(password="wrong password")
    door.try_in(name="my password by mistake")

    assert door.told()[1:] == [
        ("session", WHO, "signed in"),
        ("session", WHO, "sign-in refused"),
        ("session", "unknown person", "sign-in refused"),
    ]


def test_unknown_name_costs_the_same_kind_of_work() -> None:
    """No password gives the text that unknown names are compared with, and it is as dear as a real one."""
    nobody = sign_in._NOBODYS_PASSWORD  # the one place where the two could drift apart
    cost = f"m={persons.MEMORY_KIB},t={persons.ITERATIONS},p={persons.LANES}"

    assert nobody.split("$")[3] == cost
    assert not sign_in._same("", nobody)


def test_idle_session_ends(door: Door) -> None:
    token = door.come_in()
    door.now += timedelta(minutes=59)
    assert door.who(token) is not None
    door.now += timedelta(minutes=59)
    assert door.who(token) is not None
    door.now += timedelta(hours=1)

    assert door.who(token) is None


def test_busy_session_ends_too(door: Door) -> None:
    token = door.come_in()
    for _ in range(15):
        door.now += timedelta(minutes=30)
        assert door.who(token) is not None
    door.now += timedelta(minutes=30)

    assert door.who(token) is None


def test_signed_out_session_is_over(door: Door) -> None:
    token = door.come_in()
    sign_in.sign_out(door.database, token, an_act(7))

    assert door.who(token) is None
    assert door.told()[-1][2] == "signed out"


def test_changed_role_ends_the_session(door: Door) -> None:
    token = door.come_in()
    persons.change_roles(door.database, WHO, [Held(PersonRole.FG)], [], an_act(7))

    assert door.who(token) is None


def test_revoked_person_is_out_and_stays_out(door: Door) -> None:
    token = door.come_in()
    other = Credentials("another long password", b"x" * 20)
    persons.add_person(door.database, KEYS, "b", [Held(PersonRole.ADMINISTRATOR)], other, an_act(7), seeded(2))
    persons.revoke_person(door.database, WHO, an_act(8))
    door.now += STEP

    assert door.who(token) is None
    assert door.try_in() is None


def test_renewed_credentials_replace_the_old_and_end_a_lock(door: Door) -> None:
    token = door.come_in()
    for _ in range(5):
        door.try_in(password="wrong password")
    persons.renew_credentials(door.database, KEYS, WHO, Credentials("another password", TOTP), an_act(7), seeded(2))

    assert door.who(token) is None
    assert door.try_in() is None
    assert door.try_in(password="another password") is not None


def test_statement_is_accepted_once_and_dated(door: Door) -> None:
    """R108."""
    token = door.come_in()
    for number in (7, 8):
        sign_in.accept_statement(door.database, replace(an_act(number), by=WHO))

    actor = door.who(token)
    assert actor is not None
    assert actor.confidential
    assert [told[2] for told in door.told()].count("confidentiality accepted") == 1


def test_secrets_do_not_stand_in_the_database(door: Door, tmp_path: Path) -> None:
    token = door.come_in()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("gateway.db*"))

    assert not [secret for secret in (PASSWORD.encode(), TOTP, token.encode(), b"argon2id") if secret in stored]
