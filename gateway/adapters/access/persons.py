"""Persons at school and the roles they hold (R65, R81). Names are kept for good: the register speaks of them.

A password is kept as argon2id (RFC 9106) and the key of the codes as it is, both sealed with the store key: a stolen
database alone can be guessed at by nobody. Every change ends the person's sessions. Leaves out: signing in
(`adapters.access.sign_in`), what a role may do (`core.persons`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.adapters.database import Database, tables
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys
from gateway.core.persons import Held, PersonRole
from gateway.transfer.trail import instant

MEMORY_KIB, ITERATIONS, LANES = 19_456, 2, 1  # argon2id: about 50 ms
SHORTEST_PASSWORD = 12  # characters
_LONGEST_NAME = 80


class NotPossible(Exception):
    """`why` says it, for the administrator."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person signs in with, as it is shown once."""

    password: str = field(repr=False)
    totp: bytes = field(repr=False)

    @property
    def totp_secret(self) -> str:
        return base64.b32encode(self.totp).decode("ascii")

    def otpauth(self, name: str, issuer: str) -> str:
        """For an authenticator app: RFC 6238 with its usual values (SHA-1, 6 digits, 30 seconds)."""
        asked = urlencode({"secret": self.totp_secret, "issuer": issuer}, quote_via=quote)
        return f"otpauth://totp/{quote(issuer, safe='')}:{quote(name, safe='')}?{asked}"


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person as listed. `statement`: when the confidentiality statement was accepted."""

    name: str
    held: tuple[Held, ...]
    statement: str | None
    created: str
    created_by: str
    revoked: str | None


def new_credentials(random: Callable[[int], bytes], password: str | None = None) -> Credentials:
    """Random ones (80 bits, 160 bits); or with the password that somebody chose."""
    letters = base64.b32encode(random(10)).decode("ascii").lower()
    chosen = password or "-".join(letters[at : at + 4] for at in range(0, 16, 4))
    return Credentials(chosen, random(20))


def any_person(database: Database) -> bool:
    with database.read() as connection:
        return connection.execute(sa.select(tables.person.c.name).limit(1)).first() is not None


def add_person(
    database: Database,
    keys: StoreKeys,
    name: str,
    held: Iterable[Held],
    credentials: Credentials,
    act: Act,
    random: Callable[[int], bytes],
    *,
    first: bool = False,
) -> None:
    """`first`: only as long as there is nobody yet. Raises NotPossible."""
    _check_name(name)
    if len(credentials.password) < SHORTEST_PASSWORD:
        raise NotPossible(f"a password has at least {SHORTEST_PASSWORD} characters")
    row = _sealed(keys, name, credentials, random(16))
    roles = sorted(set(held), key=str)
    with database.write() as connection:
        names = connection.execute(sa.select(tables.person.c.name)).scalars().all()
        if first and names:
            raise NotPossible("there are persons already: sign in first")
        if name.casefold() in {one.casefold() for one in names}:
            raise NotPossible("there is, or was, a person of this name")
        created = {"created": instant(act.moment), "created_by": act.by}
        connection.execute(sa.insert(tables.person).values(name=name, step=-1, failures=0, **row, **created))
        _grant(connection, name, roles)
        act.register(connection, "person added", about={"person": name, "roles": _words(roles)})


def change_roles(database: Database, name: str, add: Iterable[Held], remove: Iterable[Held], act: Act) -> None:
    """From the next command on. Raises NotPossible for an unknown person, or when nobody could manage persons."""
    table = tables.person_role
    with database.write() as connection:
        _known(connection, name)
        now = _held(connection).get(name, set())
        _grant(connection, name, set(add) - now)
        for one in remove:
            same = (table.c.person == name, table.c.role == one.role, table.c.location == (one.location or ""))
            if connection.execute(sa.delete(table).where(*same)).rowcount == 0:
                raise NotPossible("this person does not hold that role")
        _somebody_manages(connection)
        end_sessions(connection, name)
        held = _words(sorted(_held(connection).get(name, set()), key=str))
        act.register(connection, "person changed", about={"person": name, "roles": held})


def revoke_person(database: Database, name: str, act: Act) -> None:
    """No role, no session and no sign-in any more. Raises NotPossible."""
    with database.write() as connection:
        _known(connection, name)
        connection.execute(sa.delete(tables.person_role).where(tables.person_role.c.person == name))
        _somebody_manages(connection)
        gone = {"revoked": instant(act.moment), "revoked_by": act.by}
        connection.execute(sa.update(tables.person).where(tables.person.c.name == name).values(**gone))
        end_sessions(connection, name)
        act.register(connection, "person revoked", about={"person": name})


def renew_credentials(
    database: Database,
    keys: StoreKeys,
    name: str,
    credentials: Credentials,
    act: Act,
    random: Callable[[int], bytes],
) -> None:
    """Another password and another key for the codes; a lock ends with it. Raises NotPossible."""
    row = _sealed(keys, name, credentials, random(16))
    with database.write() as connection:
        _known(connection, name)
        fresh = {**row, "step": -1, "failures": 0, "locked_until": None}
        connection.execute(sa.update(tables.person).where(tables.person.c.name == name).values(**fresh))
        end_sessions(connection, name)
        act.register(connection, "person renewed", about={"person": name})


def list_persons(database: Database) -> list[ListedPerson]:
    """All of them, the revoked too."""
    table = tables.person
    with database.read() as connection:
        held = _held(connection)
        rows = connection.execute(sa.select(table).order_by(table.c.created, table.c.name)).all()
    return [
        ListedPerson(
            row.name,
            tuple(sorted(held.get(row.name, ()), key=str)),
            row.statement,
            row.created,
            row.created_by,
            row.revoked,
        )
        for row in rows
    ]


# -- within a transaction --------------------------------------------------------------------------------


def end_sessions(connection: sa.Connection, name: str) -> None:
    connection.execute(sa.delete(tables.session).where(tables.session.c.person == name))


def held_by(connection: sa.Connection, name: str) -> frozenset[Held]:
    return frozenset(_held(connection).get(name, ()))


def password_row(name: str) -> bytes:
    return b"person\0password\0" + name.encode()


def totp_row(name: str) -> bytes:
    return b"person\0totp\0" + name.encode()


def _sealed(keys: StoreKeys, name: str, credentials: Credentials, salt: bytes) -> dict[str, bytes]:
    argon = Argon2id(salt=salt, length=32, iterations=ITERATIONS, lanes=LANES, memory_cost=MEMORY_KIB)
    text = argon.derive_phc_encoded(credentials.password.encode("utf-8", "surrogatepass"))
    return {
        "password": keys.seal(text.encode("ascii"), password_row(name)),
        "totp": keys.seal(credentials.totp, totp_row(name)),
    }


def _check_name(name: str) -> None:
    if not name.isprintable() or name != name.strip() or not 1 <= len(name) <= _LONGEST_NAME:
        raise NotPossible(f"a name has 1 to {_LONGEST_NAME} printable characters")


def _known(connection: sa.Connection, name: str) -> None:
    table = tables.person
    found = sa.select(table.c.name).where(table.c.name == name, table.c.revoked.is_(None))
    if connection.execute(found).first() is None:
        raise NotPossible("there is no such person, or no longer")


def _grant(connection: sa.Connection, name: str, held: Iterable[Held]) -> None:
    for one in held:
        values = {"person": name, "role": str(one.role), "location": one.location or ""}
        connection.execute(sa.insert(tables.person_role).values(**values))


def _somebody_manages(connection: sa.Connection) -> None:
    role = tables.person_role.c.role
    if connection.execute(sa.select(role).where(role == PersonRole.ADMINISTRATOR)).first() is None:
        raise NotPossible("somebody must stay administrator")


def _held(connection: sa.Connection) -> dict[str, set[Held]]:
    found: dict[str, set[Held]] = {}
    for row in connection.execute(sa.select(tables.person_role)):
        found.setdefault(row.person, set()).add(Held(PersonRole(row.role), row.location or None))
    return found


def _words(held: Iterable[Held]) -> str:
    return ", ".join(map(str, held)) or "none"
