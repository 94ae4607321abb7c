"""Signing in with name, password and code, and the session that follows (R81).

An unknown name, a wrong password, a wrong code, a used code and a locked person get the same answer after the same
work. A code is that of RFC 6238 (SHA-1, 6 digits, 30 seconds), one step early or late, each step once. A session is an
opaque token, kept as its hash; it ends when it is idle, when it is old, and when roles or credentials of its person
change. Leaves out: where the token is kept (`bootstrap.session`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from gateway.adapters.access.persons import ITERATIONS, LANES, MEMORY_KIB, held_by, password_row, totp_row
from gateway.adapters.database import Database, tables
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.core.persons import Actor
from gateway.transfer.trail import instant

STEP = 30  # seconds
_UNKNOWN = "unknown person"
_SEEN_EVERY = timedelta(minutes=1)  # how often "last seen" is written

# What an unknown name is compared with: it costs what a known one costs, and no password gives it.
_NOBODYS_PASSWORD = f"$argon2id$v=19$m={MEMORY_KIB},t={ITERATIONS},p={LANES}${'A' * 22}${'A' * 43}"
_NOBODYS_KEY = bytes(20)


@dataclass(frozen=True, slots=True)
class Rules:
    """How long a session lives, and how many failures lock a person out for how long."""

    idle: timedelta
    lifetime: timedelta
    attempts: int
    lockout: timedelta


def code_at(key: bytes, step: int) -> str:
    """The code of this step of 30 seconds."""
    return TOTP(key, 6, SHA1(), STEP).generate(step * STEP).decode("ascii")  # noqa: S303 - RFC 6238, what apps know


def sign_in(
    database: Database,
    keys: StoreKeys,
    rules: Rules,
    name: str,
    password: str,
    code: str,
    entry: str,
    now: datetime,
    random: Callable[[int], bytes],
) -> str | None:
    """The token of a new session; None when this is not that person. Registered either way, under the id `entry`."""
    table = tables.person
    with database.read() as connection:
        row = connection.execute(sa.select(table).where(table.c.name == name, table.c.revoked.is_(None))).first()
    stored = keys.open(row.password, password_row(row.name)).decode() if row else _NOBODYS_PASSWORD
    key = keys.open(row.totp, totp_row(row.name)) if row else _NOBODYS_KEY
    right, step = _same(password, stored), _step(key, code, now)
    act = Act(entry, row.name if row else _UNKNOWN, "sign-in", now)
    with database.write() as connection:
        if row and right and step is not None and _take_step(connection, row.name, step, now):
            act.register(connection, "signed in", kind="session")
            return _open(connection, rules, row.name, now, random)
        if row:
            _count_failure(connection, rules, row.name, now)
        act.register(connection, "sign-in refused", kind="session")
    return None


def _same(password: str, stored: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password.encode("utf-8", "surrogatepass"), stored)
    except InvalidKey:
        return False
    return True


def _step(key: bytes, code: str, now: datetime) -> int | None:
    """The step this code belongs to; every candidate is compared."""
    current, found = int(now.timestamp()) // STEP, None
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(code_at(key, step).encode(), code.strip().encode("utf-8", "surrogatepass")):
            found = step
    return found


def _take_step(connection: sa.Connection, name: str, step: int, now: datetime) -> bool:
    """Whether this step was still unused, and nobody is locked out: then it is used now."""
    table = tables.person
    unlocked = sa.or_(table.c.locked_until.is_(None), table.c.locked_until <= instant(now))
    fresh = sa.update(table).where(table.c.name == name, table.c.step < step, table.c.revoked.is_(None), unlocked)
    return connection.execute(fresh.values(step=step, failures=0, locked_until=None)).rowcount == 1


def _count_failure(connection: sa.Connection, rules: Rules, name: str, now: datetime) -> None:
    """A failure while locked out counts for nothing: nobody can keep somebody else out for longer."""
    table = tables.person
    unlocked = sa.or_(table.c.locked_until.is_(None), table.c.locked_until <= instant(now))
    counted = sa.update(table).where(table.c.name == name, unlocked).values(failures=table.c.failures + 1)
    failures = connection.execute(counted.returning(table.c.failures)).scalar()
    if failures is not None and failures >= rules.attempts:
        locked = {"failures": 0, "locked_until": instant(now + rules.lockout)}
        connection.execute(sa.update(table).where(table.c.name == name).values(**locked))


# -- sessions ------------------------------------------------------------------------------------------


def open_session(
    database: Database, rules: Rules, name: str, entry: str, now: datetime, random: Callable[[int], bytes]
) -> str:
    """A session without a sign-in, for a demo; registered as what it is."""
    with database.write() as connection:
        Act(entry, name, "demo", now).register(connection, "signed in by the demo", kind="session")
        return _open(connection, rules, name, now, random)


def _open(connection: sa.Connection, rules: Rules, name: str, now: datetime, random: Callable[[int], bytes]) -> str:
    table = tables.session
    connection.execute(sa.delete(table).where(table.c.expires <= instant(now)))
    token = "gp_" + base64.urlsafe_b64encode(random(32)).decode("ascii").rstrip("=")
    values = {"seen": instant(now), "idle": int(rules.idle.total_seconds()), "expires": instant(now + rules.lifetime)}
    connection.execute(sa.insert(table).values(hash=_hash(token), person=name, **values))
    return token


def signed_in(database: Database, token: str, now: datetime) -> Actor | None:
    """Whose session this is, with the roles held now."""
    person, session = tables.person, tables.session
    joined = sa.select(session, person.c.statement).join(person, person.c.name == session.c.person)
    with database.read() as connection:
        mine = joined.where(session.c.hash == _hash(token), person.c.revoked.is_(None))
        row = connection.execute(mine).first()
        if row is None or instant(now) >= row.expires:
            return None
        quiet = now - datetime.fromisoformat(row.seen)
        if quiet >= timedelta(seconds=row.idle):
            return None
        actor = Actor(row.person, held_by(connection, row.person), row.statement is not None)
    if quiet >= _SEEN_EVERY:
        with database.write() as connection:
            seen = sa.update(session).where(session.c.hash == row.hash).values(seen=instant(now))
            connection.execute(seen)
    return actor


def person_now(database: Database, name: str) -> Actor | None:
    """This person with the roles held now, signed in or not: whoever proposed what another confirms."""
    table = tables.person
    with database.read() as connection:
        row = connection.execute(sa.select(table).where(table.c.name == name, table.c.revoked.is_(None))).first()
        return Actor(name, held_by(connection, name), row.statement is not None) if row else None


def accept_statement(database: Database, act: Act) -> None:
    """R108: this person is bound to confidentiality, from this moment."""
    table = tables.person
    with database.write() as connection:
        first = sa.update(table).where(table.c.name == act.by, table.c.statement.is_(None))
        if connection.execute(first.values(statement=instant(act.moment))).rowcount:
            act.register(connection, "confidentiality accepted")


def sign_out(database: Database, token: str, act: Act) -> None:
    with database.write() as connection:
        gone = sa.delete(tables.session).where(tables.session.c.hash == _hash(token))
        if connection.execute(gone).rowcount:
            act.register(connection, "signed out", kind="session")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
