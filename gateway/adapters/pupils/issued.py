"""The way back from a pseudonym: an index of what was issued, sealed (R42).

A row is written in the transaction of the entry that first releases the pseudonym: what was never issued is never
found. A look-up costs the same whether it finds something or not, down to the opening of a seal, so that time does not
tell a caller which pseudonyms exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from gateway.adapters.database import Database, DatabaseUnavailable
from gateway.adapters.store_keys import StoreKeys
from gateway.core.register import Issue

INSERT_ISSUED = "INSERT INTO issued (lookup, key_version, payload) VALUES "
# The same pseudonym always stands for the same; what may come later is whose it is, and that makes a payload longer.
ON_CONFLICT = (
    " ON CONFLICT (lookup) DO UPDATE SET payload = excluded.payload WHERE length(excluded.payload) > length(payload)"
)


class _Payload(msgspec.Struct, array_like=True):
    """What is sealed: fields are only added, at the end, with a default."""

    source: str | None
    value: str | None
    owner: bytes | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Payload).decode


def issued_values(keys: StoreKeys, issues: Iterable[Issue]) -> list[object]:
    """Three values per row of `INSERT_ISSUED`."""
    values: list[object] = []
    for issue in issues:
        lookup = _lookup(keys, issue.domain, issue.key_version, issue.thing, issue.pseudonym)
        payload = _encode(_Payload(issue.source, issue.value, issue.owner))
        values += (lookup, issue.key_version, keys.seal(payload, lookup))
    return values


def _lookup(keys: StoreKeys, domain: str, version: int, thing: str, pseudonym: str) -> bytes:
    return keys.look_up("issued", domain, str(version), thing, pseudonym)


class IssuedPseudonyms:
    """Finds back what was issued; used by the event loop's thread only."""

    def __init__(self, database: Database, keys: StoreKeys) -> None:
        self._database = database
        self._keys = keys
        self._nothing = keys.seal(_encode(_Payload(None, None, bytes(16))), b"")

    def find(self, domain: str, pseudonym: str, thing: str, versions: Sequence[int]) -> Issue | None:
        """What it stands for, issued in this domain under one of `versions` (those that still resolve:
        `KeyRing.resolving`). Raises DatabaseUnavailable."""
        found: Issue | None = None
        for version in versions:  # all of them, also after a find: the same work for every answer
            lookup = _lookup(self._keys, domain, version, thing, pseudonym)
            rows = self._database.look_up("SELECT payload FROM issued WHERE lookup = ?", (lookup,))
            sealed, row = (rows[0][0], lookup) if rows else (self._nothing, b"")
            try:
                payload = _decode(self._keys.open(sealed, row))
            except ValueError:  # a row that somebody changed stands for nobody
                raise DatabaseUnavailable from None
            if rows and found is None:
                found = Issue(domain, version, pseudonym, thing, payload.source, payload.value, payload.owner)
        return found
