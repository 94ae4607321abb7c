"""The keys: where they are read from, and what is derived from them. No key is ever in the directory of the school, in
the database or in a backup of either; without the key nothing starts.

The key text has one line `store <base64>` and one line `<number> <base64>` per pseudonym key version, 32 bytes each
(N6). It comes from `file:PATH` (readable by its owner only) or `env:NAME`. The database holds a proof of each key, so
that a start with another key fails instead of giving every pupil a new pseudonym, and the moment each version started.
Leaves out: how a pseudonym is made (`core.release.pseudonym`), what the store key is for (`adapters.store_keys`).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters.database import Database, bump, tables
from gateway.adapters.register.acts import Act
from gateway.adapters.store_keys import StoreKeys, derived
from gateway.core.model import KeyVersion
from gateway.core.release.pseudonym import domain_key
from gateway.transfer.trail import instant

_SIZE = 32  # bytes


class KeyUnusable(Exception):
    """No key, a key that others can read, or the key of another database: no start."""


# -- the key text ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """What the key text holds; its `repr` does not."""

    store: bytes = field(repr=False)
    versions: Mapping[int, bytes] = field(repr=False)

    def text(self) -> str:
        lines = [f"{number} {_encoded(key)}" for number, key in sorted(self.versions.items())]
        return "\n".join([f"store {_encoded(self.store)}", *lines]) + "\n"


def new_material(random: Callable[[int], bytes]) -> KeyMaterial:
    return KeyMaterial(random(_SIZE), {1: random(_SIZE)})


def with_version(material: KeyMaterial, number: int, random: Callable[[int], bytes]) -> KeyMaterial:
    """The same with one version more; unchanged when it is there already (a rotation that was broken off)."""
    if number in material.versions:
        return material
    return KeyMaterial(material.store, {**material.versions, number: random(_SIZE)})


def parse(text: str) -> KeyMaterial:
    """Lines, or for one environment variable parts with `;` between them. Raises KeyUnusable, which names a line by
    its number only."""
    found: dict[str, bytes] = {}
    lines = [line.strip() for line in text.replace(";", "\n").splitlines()]
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        name, _, encoded = line.partition(" ")
        known = name == "store" or (name.isascii() and name.isdigit() and not name.startswith("0"))
        if not known or name in found:
            raise KeyUnusable(f"line {number} of the key is not `store KEY` or `NUMBER KEY`, or comes twice")
        found[name] = _decoded(encoded, number)
    versions = {int(name): key for name, key in found.items() if name != "store"}
    if "store" not in found or not versions:
        raise KeyUnusable("the key needs a line `store KEY` and at least one line `1 KEY`")
    if len(set(found.values())) != len(found):
        raise KeyUnusable("the key holds the same value twice")
    return KeyMaterial(found["store"], versions)


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _decoded(encoded: str, line: int) -> bytes:
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _SIZE:
        raise KeyUnusable(f"line {line} of the key does not hold {_SIZE} bytes in base64")
    return key


# -- where the key text is -------------------------------------------------------------------------------


def read_key(source: str, directory: Path, environment: Mapping[str, str]) -> KeyMaterial:
    """The key at `file:PATH` (relative to `directory`) or `env:NAME`. Raises KeyUnusable."""
    scheme, _, name = source.partition(":")
    if scheme == "env":
        if name not in environment:
            raise KeyUnusable(f"the environment has no variable {name} with the key")
        return parse(environment[name])
    return parse(_read(key_path(source, directory)))


def key_path(source: str, directory: Path) -> Path:
    """The file of `file:PATH`. Raises KeyUnusable for anything else, and for a path inside `directory`: whoever copies
    the directory must not copy the key."""
    scheme, _, name = source.partition(":")
    if scheme != "file" or not name:
        raise KeyUnusable("`key` must be file:PATH or env:NAME")
    path = (directory / name).resolve()
    if path.is_relative_to(directory.resolve()):
        raise KeyUnusable("the key file may not be inside the directory of the school")
    return path


def _read(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyUnusable("the key file may be read by its owner only (chmod 600)")
            return file.read(65_536)
    except (OSError, UnicodeDecodeError):
        raise KeyUnusable(
            "the key file cannot be read: put it back where `key` says, or make one (gateway key new)"
        ) from None


def create_key_file(path: Path, material: KeyMaterial) -> None:
    """A new file, readable by its owner only. Raises FileExistsError: a key is never overwritten."""
    _write(path, material)


def replace_key_file(path: Path, material: KeyMaterial) -> None:
    """The whole text at once: a file beside it, synchronised, renamed over it."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    _write(beside, material)
    beside.replace(path)


def _write(path: Path, material: KeyMaterial) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(material.text())
        file.flush()
        os.fsync(file.fileno())


# -- in use ---------------------------------------------------------------------------------------------


class KeyRing:
    """ports.PseudonymKeys, as of one value of the `keys` counter: load it again when the counter moves."""

    def __init__(self, versions: tuple[KeyVersion, ...], material: Mapping[int, bytes]) -> None:
        self.versions = versions
        self.current = versions[-1]
        self._material = material
        self._domains: dict[tuple[str, int], bytes] = {}

    def domain_key(self, domain: str, version: int) -> bytes:
        key = self._domains.get((domain, version))
        if key is None:
            key = self._domains[domain, version] = domain_key(self._material[version], domain)
        return key

    def resolving(self, now: datetime) -> tuple[int, ...]:
        """The versions whose pseudonyms still lead back, the current first."""
        alive = [v.number for v in self.versions if v.resolves_until is None or now < v.resolves_until]
        return tuple(reversed(alive))

    def __repr__(self) -> str:
        return f"<KeyRing, version {self.current.number}>"


# -- the keys of this database ---------------------------------------------------------------------------


def load_keys(database: Database, material: KeyMaterial, now: datetime) -> KeyRing:
    """The key ring of this database. A database that knows no key yet takes these (version 1 starts `now`). Raises
    KeyUnusable when a key is missing or is not the one the database was written with."""
    with database.read() as connection:
        empty = connection.execute(sa.select(tables.key_proof.c.name).limit(1)).first() is None
    if empty:
        _adopt(database, material, now)
    with database.read() as connection:
        proofs = {row.name: row.proof for row in connection.execute(sa.select(tables.key_proof))}
        rows = connection.execute(sa.select(tables.key_version).order_by(tables.key_version.c.number)).all()
    for name, proof in proofs.items():
        if not hmac.compare_digest(proof, _proofs(material).get(name, b"")):
            raise KeyUnusable(f"key `{name}` is missing, or is not the key of this database")
    versions = tuple(KeyVersion(row.number, _moment(row.started), _until(row.resolves_until)) for row in rows)
    return KeyRing(versions, material.versions)


def _adopt(database: Database, material: KeyMaterial, now: datetime) -> None:
    proofs = _proofs(material)
    first = min(material.versions)
    with database.write() as connection:
        if connection.execute(sa.select(tables.key_proof.c.name).limit(1)).first() is not None:
            return  # another process was first
        known = [{"name": name, "proof": proofs[name]} for name in ("store", str(first))]
        connection.execute(sa.insert(tables.key_proof), known)
        connection.execute(sa.insert(tables.key_version).values(number=first, started=instant(now)))
        bump(connection, "keys")


def rotate(
    database: Database,
    material: KeyMaterial,
    overlap: timedelta | None,
    act: Act,
) -> KeyVersion:
    """Start the next version at one stored moment, that of the act. Pseudonyms of the version before it resolve until
    `overlap` has passed; with None (the key was compromised) those of all versions resolve no longer than now. Raises
    KeyUnusable when `material` lacks the next version: it is written to the key file first, so that no version can be
    in use that is nowhere kept."""
    with database.write() as connection:
        latest = connection.execute(sa.select(sa.func.max(tables.key_version.c.number))).scalar_one()
        number = int(latest) + 1
        if number not in material.versions:
            raise KeyUnusable(f"the key has no version {number} yet")
        until = instant(act.moment + (overlap or timedelta()))
        column = tables.key_version.c.resolves_until
        ends = column.is_(None) if overlap else sa.or_(column.is_(None), column > until)
        connection.execute(sa.update(tables.key_version).where(ends).values(resolves_until=until))
        connection.execute(sa.insert(tables.key_version).values(number=number, started=instant(act.moment)))
        proof = _proofs(material)[str(number)]
        connection.execute(sa.insert(tables.key_proof).values(name=str(number), proof=proof))
        bump(connection, "keys")
        ended = "compromised" if overlap is None else until
        act.register(connection, "key rotated", about={"version": str(number), "earlier versions resolve until": ended})
    return KeyVersion(number, act.moment)


def next_version(database: Database) -> int:
    """The number that the next rotation takes."""
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.max(tables.key_version.c.number))).scalar_one()) + 1


def versions(database: Database) -> list[tuple[int, str, str | None]]:
    """(number, started, resolves until) of every version, the first one first; None: it is in use."""
    table = tables.key_version
    with database.read() as connection:
        rows = connection.execute(sa.select(table).order_by(table.c.number)).all()
    return [(row.number, row.started, row.resolves_until) for row in rows]


def _proofs(material: KeyMaterial) -> dict[str, bytes]:
    versions = {
        str(number): hmac.digest(derived(key, b"pseudonym/v1 proof", _SIZE), b"proof", "sha256")
        for number, key in material.versions.items()
    }
    return {"store": StoreKeys(material.store).proof, **versions}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _until(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)
