"""Policy in the database: the texts, the files as they stand, and what persons activated and suspended (R2, R6, R116).

Every text is kept under its hash and never removed: the register refers to it. One supervisor process takes files over;
workers read everything they compile in one state. Activations and suspensions are rows that are only added, each with
its register entry in the same transaction. Leaves out: reading files (`files`), what the texts mean
(`core.policy.rules`), the intersection of what is active with what stands in the file (`core.policy.narrowing`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from gateway.adapters.database import Database, bump, tables
from gateway.adapters.register.acts import Act
from gateway.transfer.trail import instant


class NotStored(Exception):
    """The text to activate is not one that was taken over."""


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A file as it stands. `kind`: "recipient", "schema" or "school"; `problems`: what the loader said, as shown."""

    kind: str
    name: str
    text: str = field(repr=False)
    problems: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Activation:
    """What a person activated: the recipient's text, and the texts of the schemas it names (name → text)."""

    recipient: str
    hash: str
    text: str = field(repr=False)
    schemas: Mapping[str, str] = field(repr=False)
    by: str
    reason: str
    moment: datetime


@dataclass(frozen=True, slots=True)
class PolicyState:
    """Everything a worker compiles, at one value of the `policy` counter. A recipient in `suspended` has nothing in
    `active`."""

    version: int
    files: tuple[PolicyText, ...]
    active: Mapping[str, Activation]
    suspended: frozenset[str]


def take_over(database: Database, files: Iterable[PolicyText]) -> frozenset[tuple[str, str]]:
    """Make the stored files equal to `files`; (kind, name) of each that is new, changed or gone. The counter moves
    only when there is one. Blocks; for the supervisor."""
    given = {(file.kind, file.name): file for file in files}
    if not _differences(_stored_files(database), given):
        return frozenset()  # most of the time: nobody has to wait for a turn
    table = tables.policy_file
    with database.write() as connection:
        changed = _differences(_files(connection), given)
        for kind, name in sorted(changed):
            connection.execute(sa.delete(table).where(table.c.kind == kind, table.c.name == name))
            file = given.get((kind, name))
            if file is None:
                continue
            _keep(connection, file)
            problems = json.dumps(file.problems, ensure_ascii=False)
            connection.execute(sa.insert(table).values(kind=kind, name=name, hash=file.hash, problems=problems))
        bump(connection, "policy")
    return changed


def activate(database: Database, recipient: str, text_hash: str, schemas: Mapping[str, str], act: Act) -> None:
    """From now on the recipient's text with this hash counts, with these schema texts (name → hash). Raises NotStored
    when one of them was never taken over: a person activates what stands in the database, not what is in an editor."""
    with database.write() as connection:
        wanted = {text_hash, *schemas.values()}
        column = tables.policy_text.c.hash
        if len(connection.execute(sa.select(column).where(column.in_(wanted))).all()) != len(wanted):
            raise NotStored
        _act(connection, recipient, "activate", text_hash, schemas, act)
        act.register(
            connection,
            "recipient activated",
            recipient=recipient,
            recipient_hash=text_hash,
            about={f"schema {name}": digest for name, digest in sorted(schemas.items())},
        )


def suspend(database: Database, recipient: str, act: Act) -> None:
    """Nothing more for this recipient, from the next record on, whatever its file says or lacks."""
    with database.write() as connection:
        _act(connection, recipient, "suspend", None, {}, act)
        act.register(connection, "recipient suspended", recipient=recipient)


def read_policy(database: Database) -> PolicyState:
    """Files, activations and the counter, in one state of the database."""
    table = tables.version
    with database.read() as connection:
        version = connection.execute(sa.select(table.c.value).where(table.c.name == "policy")).scalar_one()
        files = _files(connection)
        acts = _latest_acts(connection)
        texts = _texts(connection, acts)
    active = {row.recipient: _activation(row, texts) for row in acts if row.act == "activate"}
    suspended = frozenset(row.recipient for row in acts if row.act == "suspend")
    return PolicyState(version, tuple(files[key] for key in sorted(files)), active, suspended)


def policy_at(database: Database, moment: datetime) -> PolicyState:
    """What persons had activated by then. Whether a file still said so at that moment is not kept: it counts as the
    text that was activated."""
    table = tables.version
    with database.read() as connection:
        version = connection.execute(sa.select(table.c.value).where(table.c.name == "policy")).scalar_one()
        acts = _latest_acts(connection, instant(moment))
        texts = _texts(connection, acts)
    active = {row.recipient: _activation(row, texts) for row in acts if row.act == "activate"}
    schemas = {PolicyText("schema", name, text) for one in active.values() for name, text in one.schemas.items()}
    files = [*schemas, *(PolicyText("recipient", name, one.text) for name, one in active.items())]
    suspended = frozenset(row.recipient for row in acts if row.act == "suspend")
    return PolicyState(version, tuple(sorted(files, key=lambda file: (file.kind, file.name))), active, suspended)


_Files = Mapping[tuple[str, str], PolicyText]


def _stored_files(database: Database) -> _Files:
    with database.read() as connection:
        return _files(connection)


def _files(connection: sa.Connection) -> _Files:
    file, text = tables.policy_file, tables.policy_text
    statement = sa.select(file.c.kind, file.c.name, text.c.body, file.c.problems).join(text, text.c.hash == file.c.hash)
    return {
        (row.kind, row.name): PolicyText(row.kind, row.name, row.body, tuple(json.loads(row.problems)))
        for row in connection.execute(statement)
    }


def _differences(stored: _Files, given: _Files) -> frozenset[tuple[str, str]]:
    return frozenset(key for key in stored.keys() | given.keys() if stored.get(key) != given.get(key))


def _keep(connection: sa.Connection, file: PolicyText) -> None:
    table = tables.policy_text
    known = connection.execute(sa.select(table.c.hash).where(table.c.hash == file.hash)).first()
    if known is None:
        connection.execute(sa.insert(table).values(hash=file.hash, body=file.text))


def _act(
    connection: sa.Connection, recipient: str, what: str, text_hash: str | None, schemas: Mapping[str, str], act: Act
) -> None:
    connection.execute(
        sa.insert(tables.activation).values(
            recipient=recipient,
            act=what,
            hash=text_hash,
            schemas=json.dumps(dict(schemas), sort_keys=True),
            actor=act.by,
            reason=act.reason,
            moment=instant(act.moment),
        )
    )
    bump(connection, "policy")


def _latest_acts(connection: sa.Connection, until: str | None = None) -> list[sa.Row[tuple[object, ...]]]:
    table = tables.activation
    latest = sa.select(sa.func.max(table.c.number)).group_by(table.c.recipient)
    if until is not None:
        latest = latest.where(table.c.moment <= until)
    return list(connection.execute(sa.select(table).where(table.c.number.in_(latest))))


def _texts(connection: sa.Connection, acts: Iterable[sa.Row[tuple[object, ...]]]) -> dict[str, str]:
    wanted: set[str] = set()
    for row in acts:
        if row.hash is not None:
            wanted |= {row.hash, *json.loads(row.schemas).values()}
    table = tables.policy_text
    rows = connection.execute(sa.select(table).where(table.c.hash.in_(wanted)))
    return {row.hash: row.body for row in rows}


def _activation(row: sa.Row[tuple[object, ...]], texts: Mapping[str, str]) -> Activation:
    return Activation(
        recipient=row.recipient,
        hash=row.hash,
        text=texts[row.hash],
        schemas={name: texts[digest] for name, digest in json.loads(row.schemas).items()},
        by=row.actor,
        reason=row.reason,
        moment=datetime.fromisoformat(row.moment),
    )
