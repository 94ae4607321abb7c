"""Every table the gateway keeps, once, in SQLAlchemy Core. No payload is among them (house rule 8).

What is about a person is a keyed look-up value (16 bytes) or sealed, both with the store key (`adapters.store_keys`).
Moments are text, RFC 3339 in UTC. Leaves out: how the tables came to be (`migrations`), what is done with them
(each adapter has its own).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

metadata = MetaData()

_Type = type[Integer | LargeBinary | Text]


def _table(name: str, *items: Any, rowid: bool = True) -> Table:
    """STRICT: SQLite then refuses a value of another type, as PostgreSQL does."""
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_with_rowid=rowid)


def _required(**columns: _Type) -> list[Column[Any]]:
    """Columns with a value in every row."""
    return [Column(name, kind, nullable=False) for name, kind in columns.items()]


def _optional(**columns: _Type) -> list[Column[Any]]:
    """Columns that may be empty."""
    return [Column(name, kind) for name, kind in columns.items()]


# Five counters: policy, facts, keys, callers, views. Each change moves its counter in its own transaction; workers read
# them at the start of a request, and the register compares the first three when it commits (house rule 4).
version = _table("version", Column("name", Text, primary_key=True), *_required(value=Integer))

# -- register (core.register) --------------------------------------------------------------------------

roll = _table(
    "roll",
    Column("number", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    *_required(body=LargeBinary),
)
roll_member = _table(
    "roll_member",
    *_required(reference=LargeBinary),
    Column("roll", Integer, ForeignKey("roll.number"), nullable=False),
    PrimaryKeyConstraint("reference", "roll"),
    rowid=False,
)
entry = _table(
    "entry",
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    *_required(id=Text),
    Column("roll", Integer, ForeignKey("roll.number")),
    *_required(body=LargeBinary, previous=LargeBinary, hash=LargeBinary),
    Index("entry_id", "id"),
    Index("entry_roll", "roll"),
)
# What a released pseudonym stands for: look-up value of domain, key version, thing and pseudonym → sealed answer.
issued = _table(
    "issued",
    Column("lookup", LargeBinary, primary_key=True),
    *_required(key_version=Integer, payload=LargeBinary),
    rowid=False,
)

# Where a walk over a long list goes on: look-up value of who asks what, and the offset → sealed place; for a day.
anchor = _table(
    "anchor",
    Column("lookup", LargeBinary, primary_key=True),
    *_required(place=LargeBinary, moment=Text),
    Index("anchor_moment", "moment"),
    rowid=False,
)

# -- what each recipient last got (adapters.views) -------------------------------------------------------

# One kind of record of one delivery from one source; `revision` moves with every write to its views.
shelf = _table(
    "shelf",
    Column("lookup", LargeBinary, primary_key=True),
    *_required(source=Text, recipient=Text, purpose=Text, schema=Text, record=Text, revision=Integer),
    rowid=False,
)
# `lookup`: of the shelf and the recipient's id of the record; `digest`: of what left. `place`: in which location's
# lists it stands. `payload` is sealed: the recipient's id, whose it is, and what is told when it ends. Without a
# foreign key: nothing may stop the transaction of an entry.
view = _table(
    "view",
    Column("lookup", LargeBinary, primary_key=True),
    *_required(shelf=LargeBinary, place=Text, digest=LargeBinary, first=Text, changed=Text),
    *_optional(ended=Text, frozen=Text),
    *_required(payload=LargeBinary),
    Index("view_place", "shelf", "place"),
    Index("view_ended", "ended"),
    rowid=False,
)

# -- keys (adapters.keys) ------------------------------------------------------------------------------

key_version = _table(
    "key_version",
    Column("number", Integer, primary_key=True, autoincrement=False),
    *_required(started=Text),
    *_optional(resolves_until=Text),
)
# Proves that the key given at a start is the key this database was written with.
key_proof = _table("key_proof", Column("name", Text, primary_key=True), *_required(proof=LargeBinary))

# -- subjects (adapters.pupils.subjects) ----------------------------------------------------------------------

# `reference_key` is the person's own random key, sealed; without it register references lead nowhere.
# `changed`: the value of the facts counter when anything about this person last changed.
subject = _table(
    "subject",
    Column("id", LargeBinary, primary_key=True),
    *_required(person=Text),
    *_optional(reference_key=LargeBinary),
    *_required(changed=Integer),
    Index("subject_changed", "changed"),
    rowid=False,
)
# `lookup` is the keyed hash of source, kind and value; `source` is "" for what is the same everywhere (ECK iD, BSN).
# `value` is empty for a BSN: only its keyed hash is kept (D7).
subject_id = _table(
    "subject_id",
    Column("lookup", LargeBinary, primary_key=True),
    *_required(source=Text, kind=Text, value=LargeBinary),
    Column("subject", LargeBinary, ForeignKey("subject.id"), nullable=False),
    *_required(changed=Integer),
    Index("subject_id_subject", "subject"),
    rowid=False,
)
roster = _table(
    "roster",
    *_required(source=Text, location=Text),
    Column("subject", LargeBinary, ForeignKey("subject.id"), nullable=False),
    *_required(enrolments=Text, groups=Text),
    PrimaryKeyConstraint("source", "location", "subject"),
    Index("roster_subject", "subject"),
    rowid=False,
)
# `source` with /pupils: when its pupils' facts were read (`adapters.pupils.details`).
roster_sync = _table(
    "roster_sync", *_required(source=Text, location=Text, moment=Text), PrimaryKeyConstraint("source", "location")
)
# A pupil from a succeeding source that no known id names: waits until a person links it.
pending_link = _table(
    "pending_link",
    Column("number", Integer, primary_key=True),
    Column("lookup", LargeBinary, nullable=False, unique=True),
    *_required(source=Text, location=Text, observation=LargeBinary, moment=Text),
)
# What a person at school must look at; `about` holds internal ids and words of ours, never a value from outside.
task = _table(
    "task",
    Column("number", Integer, primary_key=True),
    *_required(kind=Text, about=Text, moment=Text),
    *_optional(done_by=Text, done=Text, reason=Text),
    Index("task_open", "kind", "about"),
)

# -- facts (adapters.facts.store) -----------------------------------------------------------------------

# One act, or one import. Without a version it is being staged and nobody sees it; with one it is valid, since that
# value of the facts counter. `size`: how many facts it enters and ends.
batch = _table(
    "batch",
    Column("number", Integer, primary_key=True),
    *_optional(version=Integer, moment=Text, actor=Text, act=Text),
    *_required(size=Integer),
    Index("batch_version", "version"),
)
# Rows are added, never changed: what is known ends by a row in `fact_end`, valid as soon as its batch is.
fact = _table(
    "fact",
    Column("number", Integer, primary_key=True),
    Column("subject", LargeBinary, ForeignKey("subject.id"), nullable=False),
    *_required(kind=Text, body=LargeBinary, sealed=Integer),
    Column("batch", Integer, ForeignKey("batch.number"), nullable=False),
    Index("fact_subject", "subject"),
    Index("fact_kind", "kind"),
    Index("fact_batch", "batch"),
)
fact_end = _table(
    "fact_end",
    Column("fact", Integer, ForeignKey("fact.number"), nullable=False),
    Column("batch", Integer, ForeignKey("batch.number"), nullable=False),
    PrimaryKeyConstraint("fact", "batch"),
    Index("fact_end_batch", "batch"),
    rowid=False,
)
campaign = _table(
    "campaign",
    Column("number", Integer, primary_key=True),
    *_required(terms=LargeBinary),
    Column("batch", Integer, ForeignKey("batch.number"), nullable=False),
)
declaration = _table(
    "declaration",
    Column("number", Integer, primary_key=True),
    *_required(kind=Text, location=Text),
    Column("batch", Integer, ForeignKey("batch.number"), nullable=False),
    Column("ended", Integer, ForeignKey("batch.number")),
)

# -- cases for a person: permits and holds (adapters.register.permits, .holds) -----------------------------------------

# Named by keyed look-up values, not by numbers: in a list of which somebody may not see all, a gap would tell.
# `fact`: the number of its fact; `content` is sealed: the items, and the outcome of the review. `secret`: releaser and
# FG only. `once`: one handing over, which is `used_by`. Subjects without a foreign key: a case must never stop the
# transaction of an entry.
permit = _table(
    "permit",
    Column("id", Text, primary_key=True),
    *_required(subject=LargeBinary, fact=Integer, occasion=Text, recipient=Text, purpose=Text, secret=Integer),
    *_required(once=Integer, content=LargeBinary, made=Text, made_by=Text, until=Text),
    *_optional(used=Text, used_by=Text, revoked=Text, revoked_by=Text, review=Text, reviewed=Text, reviewed_by=Text),
    rowid=False,
)
# `state`: open, released, closed, lapsed. `fact`: the number of the release. `statutory`: due at the statutory term.
hold = _table(
    "hold",
    Column("id", Text, primary_key=True),
    *_required(subject=LargeBinary, recipient=Text, purpose=Text, reason=Text, statutory=Integer),
    *_required(secret=Integer, opened=Text, state=Text),
    *_optional(escalated=Text, fact=Integer, done=Text, done_by=Text),
    Index(
        "hold_case",
        "subject",
        "recipient",
        "reason",
        unique=True,
        sqlite_where=text("state IN ('open', 'closed')"),
        postgresql_where=text("state IN ('open', 'closed')"),
    ),
    rowid=False,
)

# -- exports that run, or were killed (adapters.exports.journal) ------------------------------------------------------

# `content` is sealed: who asked for what, and where it goes. The rows of a job are gone when it has ended.
export = _table(
    "export",
    Column("id", Text, primary_key=True),
    *_required(content=LargeBinary),
    *_optional(closed=LargeBinary),
    *_required(moment=Text),
    rowid=False,
)
# `content` is sealed: where its rows stand in the file of the job, the key that alone opens them, and whose they are.
export_part = _table(
    "export_part",
    Column("export", Text, ForeignKey("export.id"), nullable=False),
    *_required(number=Integer, content=LargeBinary),
    PrimaryKeyConstraint("export", "number"),
    rowid=False,
)

# -- callers (adapters.access.callers) ------------------------------------------------------------------------

client = _table(
    "client",
    Column("id", Text, primary_key=True),
    *_required(kind=Text),
    *_optional(recipient=Text, purpose=Text),
    *_required(secret_hash=LargeBinary),
    Column("key_prefix", Text, nullable=False, unique=True),
    *_required(key_hash=LargeBinary, created=Text, created_by=Text),
    *_optional(revoked=Text, revoked_by=Text),
)
token = _table(
    "token",
    Column("hash", LargeBinary, primary_key=True),
    Column("client", Text, ForeignKey("client.id"), nullable=False),
    *_required(expires=Text),
    Index("token_expires", "expires"),
    rowid=False,
)

# -- persons (adapters.access.persons) and what waits for a second one (adapters.access.proposals) ---------------------

# `password` is an argon2id text and `totp` the key of the codes, both sealed. `step`: the last 30 seconds of which a
# code was used. `statement`: the moment the confidentiality statement was accepted (R108).
person = _table(
    "person",
    Column("name", Text, primary_key=True),
    *_required(password=LargeBinary, totp=LargeBinary, step=Integer),
    *_optional(statement=Text),
    *_required(failures=Integer),
    *_optional(locked_until=Text),
    *_required(created=Text, created_by=Text),
    *_optional(revoked=Text, revoked_by=Text),
    rowid=False,
)
# `location` is "" for a role that is held everywhere.
person_role = _table(
    "person_role",
    Column("person", Text, ForeignKey("person.name"), nullable=False),
    *_required(role=Text, location=Text),
    PrimaryKeyConstraint("person", "role", "location"),
    rowid=False,
)
# `idle`: seconds without a command after which it ends.
session = _table(
    "session",
    Column("hash", LargeBinary, primary_key=True),
    Column("person", Text, ForeignKey("person.name"), nullable=False),
    *_required(seen=Text, idle=Integer, expires=Text),
    Index("session_expires", "expires"),
    rowid=False,
)
# `content` is sealed: arguments, reason, for whom. `outcome`: confirmed or withdrawn; none while it waits.
proposal = _table(
    "proposal",
    Column("number", Integer, primary_key=True),
    *_required(deed=Text, content=LargeBinary),
    Column("proposed_by", Text, ForeignKey("person.name"), nullable=False),
    *_required(moment=Text),
    *_optional(outcome=Text, done_by=Text, done=Text),
)

# -- policy (adapters.policy.store) --------------------------------------------------------------------

policy_text = _table("policy_text", Column("hash", Text, primary_key=True), *_required(body=Text), rowid=False)
policy_file = _table(
    "policy_file",
    *_required(kind=Text, name=Text),
    Column("hash", Text, ForeignKey("policy_text.hash"), nullable=False),
    *_required(problems=Text),
    PrimaryKeyConstraint("kind", "name"),
)
activation = _table(
    "activation",
    Column("number", Integer, primary_key=True),
    *_required(recipient=Text, act=Text),
    Column("hash", Text, ForeignKey("policy_text.hash")),
    *_required(schemas=Text, actor=Text, reason=Text, moment=Text),
    Index("activation_recipient", "recipient"),
)

# -- write-back (adapters.statements) and drift (adapters.lvs.field_seen) -----------------------------------

statement = _table(
    "statement",
    Column("lookup", LargeBinary, primary_key=True),
    *_required(source=Text, recipient=Text, digest=LargeBinary, state=Text),
    *_optional(status=Integer),
    *_required(moment=Text),
    rowid=False,
)
# `name` stays empty until the field was seen in five records: a key of one record may be a person's name.
field_seen = _table(
    "field_seen",
    Column("lookup", LargeBinary, primary_key=True),
    *_required(schema=Text, record=Text),
    *_optional(name=Text),
    *_required(times=Integer),
    rowid=False,
)
