"""Credentials: client id with secret, API key, and the tokens that a client gets for its secret (R72, R81).

Every secret is 256 random bits, shown once, and kept as its SHA-256: nothing slower is needed for what nobody can
guess. Valid credentials are held in memory and read again when the `callers` counter moves, so that a revoked one is
unknown from the next request on, in every worker. Leaves out: HTTP (`web.identify`, `web.oauth`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from gateway.adapters.database import Database, DatabaseUnavailable, bump, tables
from gateway.adapters.register.acts import Act
from gateway.core.model import Caller
from gateway.transfer.trail import instant

_PREFIX = 11  # characters of an API key that are kept to find its row
_TOKENS = 10_000  # remembered at most


@dataclass(frozen=True, slots=True)
class NewClient:
    """A credential as it is shown, once."""

    id: str
    secret: str = field(repr=False)
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListedClient:
    """A credential as it is listed."""

    id: str
    kind: Literal["recipient", "school"]
    recipient: str | None
    purpose: str | None
    key_prefix: str
    created: str
    created_by: str
    revoked: str | None


@dataclass(frozen=True, slots=True)
class _Client:
    caller: Caller
    secret_hash: bytes = field(repr=False)
    key_hash: bytes = field(repr=False)


def create_client(
    database: Database, recipient: str | None, purpose: str | None, act: Act, random: Callable[[int], bytes]
) -> NewClient:
    """A new credential of a recipient for one purpose, or (both None) of the school itself."""
    if (recipient is None) != (purpose is None):
        raise ValueError("a recipient's credential has a purpose, a school's has neither")
    new = NewClient(f"{recipient or 'school'}-{random(5).hex()}", _secret("gs_", random), _secret("gk_", random))
    with database.write() as connection:
        connection.execute(
            sa.insert(tables.client).values(
                id=new.id,
                kind="recipient" if recipient else "school",
                recipient=recipient,
                purpose=purpose,
                secret_hash=_hash(new.secret),
                key_prefix=new.api_key[:_PREFIX],
                key_hash=_hash(new.api_key),
                created=instant(act.moment),
                created_by=act.by,
            )
        )
        bump(connection, "callers")
        act.register(connection, "client created", recipient=recipient, purpose=purpose, credential=new.id)
    return new


def revoke_client(database: Database, client: str, act: Act) -> bool:
    """No longer valid from the next request on, with every token it got. False when there is none to revoke."""
    table = tables.client
    with database.write() as connection:
        valid = sa.update(table).where(table.c.id == client, table.c.revoked.is_(None))
        row = connection.execute(
            valid.values(revoked=instant(act.moment), revoked_by=act.by).returning(table.c.recipient, table.c.purpose)
        ).first()
        if row is None:
            return False
        connection.execute(sa.delete(tables.token).where(tables.token.c.client == client))
        bump(connection, "callers")
        act.register(connection, "client revoked", recipient=row.recipient, purpose=row.purpose, credential=client)
    return True


def list_clients(database: Database) -> list[ListedClient]:
    """All of them, the revoked too, oldest first."""
    table = tables.client
    columns = [table.c[name] for name in ListedClient.__slots__]
    with database.read() as connection:
        rows = connection.execute(sa.select(*columns).order_by(table.c.created, table.c.id))
        return [ListedClient(*row) for row in rows]


class StoredCallers:
    """web.identify.Callers and web.oauth.TokenIssuer; used by the event loop's thread only."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        random: Callable[[int], bytes],
        lifetime: timedelta,
    ) -> None:
        self._database = database
        self._now = now
        self._random = random
        self._lifetime = lifetime
        self._counter = -1
        self._by_id: Mapping[str, _Client] = {}
        self._by_prefix: Mapping[str, _Client] = {}
        self._tokens: dict[bytes, tuple[Caller, datetime]] = {}

    def by_api_key(self, key: str) -> Caller | None:
        """Raises DatabaseUnavailable."""
        self._follow()
        client = self._by_prefix.get(key[:_PREFIX])
        if client is None or not hmac.compare_digest(client.key_hash, _hash(key)):
            return None
        return client.caller

    def by_token(self, token: str) -> Caller | None:
        """Raises DatabaseUnavailable."""
        self._follow()
        digest = _hash(token)
        known = self._tokens.get(digest) or self._stored_token(digest)
        if known is None or self._now() >= known[1]:
            return None
        return known[0]

    def issue(self, client: str, secret: str) -> tuple[str, int] | None:
        """(token, seconds it lives), or None. Commits to the disk, for some milliseconds. Raises
        DatabaseUnavailable."""
        caller = self.authenticate(client, secret)
        if caller is None:
            return None
        token, now = _secret("gt_", self._random), self._now()
        with self._database.write() as connection:
            connection.execute(sa.delete(tables.token).where(tables.token.c.expires <= instant(now)))
            expires = instant(now + self._lifetime)
            connection.execute(sa.insert(tables.token).values(hash=_hash(token), client=client, expires=expires))
        return token, int(self._lifetime.total_seconds())

    def authenticate(self, client: str, secret: str) -> Caller | None:
        """The caller with this id and secret. Raises DatabaseUnavailable."""
        self._follow()
        known = self._by_id.get(client)
        same = hmac.compare_digest(known.secret_hash if known else bytes(32), _hash(secret))
        return known.caller if known and same else None

    def _stored_token(self, digest: bytes) -> tuple[Caller, datetime] | None:
        rows = self._database.look_up("SELECT client, expires FROM token WHERE hash = ?", (digest,))
        client = self._by_id.get(str(rows[0][0])) if rows else None
        if client is None:
            return None
        if len(self._tokens) >= _TOKENS:
            self._tokens.clear()
        self._tokens[digest] = client.caller, datetime.fromisoformat(str(rows[0][1]))
        return self._tokens[digest]

    def _follow(self) -> None:
        counter = self._database.latest().callers
        if counter == self._counter:
            return
        rows = self._database.look_up(_VALID, ())
        by_id, by_prefix = {}, {}
        for identity, kind, recipient, purpose, secret_hash, prefix, key_hash in rows:
            caller = Caller(str(identity), _kind(kind), _text(recipient), _text(purpose))
            by_id[caller.credential] = by_prefix[str(prefix)] = _Client(caller, secret_hash, key_hash)
        self._by_id, self._by_prefix = by_id, by_prefix
        self._tokens.clear()
        # last: an error above leaves the old counter, and the next request reads again
        self._counter = counter


_VALID = (
    "SELECT id, kind, recipient, purpose, secret_hash, key_prefix, key_hash FROM client "
    "WHERE revoked IS NULL ORDER BY id"
)


def _secret(prefix: str, random: Callable[[int], bytes]) -> str:
    """The prefix lets a scanner for leaked secrets find it in a text."""
    return prefix + base64.urlsafe_b64encode(random(32)).decode("ascii").rstrip("=")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _kind(kind: object) -> Literal["recipient", "school"]:
    if kind == "recipient":
        return "recipient"
    if kind == "school":
        return "school"
    raise DatabaseUnavailable


def _text(value: object) -> str | None:
    return None if value is None else str(value)
