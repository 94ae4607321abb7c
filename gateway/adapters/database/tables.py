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


def _table(name: str, *items: Any, rowid: bool = True) -> Table:
    """STRICT: SQLite then refuses a value of another type, as PostgreSQL does."""
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_with_rowid=rowid)


# Five counters: policy, facts, keys, callers, views. Each change moves its counter in its own transaction; workers read
# them at the start of a request, and the register compares the first three when it commits (house rule 4).
version = _table(
    "version",
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

# -- register (core.register) --------------------------------------------------------------------------

roll = _table(
    "roll",
    Column("number", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
)
roll_member = _table(
    "roll_member",
    Column("reference", LargeBinary, nullable=False),
    Column("roll", Integer, ForeignKey("roll.number"), nullable=False),
    PrimaryKeyConstraint("reference", "roll"),
    rowid=False,
)
entry = _table(
    "entry",
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("roll", Integer, ForeignKey("roll.number")),
    Column("body", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("entry_id", "id"),
    Index("entry_roll", "roll"),
)
# What a released pseudonym stands for: look-up value of domain, key version, thing and pseudonym → sealed answer.
issued = _table(
    "issued",
    Column("lookup", LargeBinary, primary_key=True),
    Column("key_version", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    rowid=False,
)

# Where a walk over a long list goes on: look-up value of who asks what, and the offset → sealed place; for a day.
anchor = _table(
    "anchor",
    Column("lookup", LargeBinary, primary_key=True),
    Column("place", LargeBinary, nullable=False),
    Column("moment", Text, nullable=False),
    Index("anchor_moment", "moment"),
    rowid=False,
)

# -- what each recipient last got (adapters.views) -------------------------------------------------------

# One kind of record of one delivery from one source; `revision` moves with every write to its views.
shelf = _table(
    "shelf",
    Column("lookup", LargeBinary, primary_key=True),
    Column("source", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    rowid=False,
)
# `lookup`: of the shelf and the recipient's id of the record; `digest`: of what left. `place`: in which location's
# lists it stands. `payload` is sealed: the recipient's id, whose it is, and what is told when it ends. Without a
# foreign key: nothing may stop the transaction of an entry.
view = _table(
    "view",
    Column("lookup", LargeBinary, primary_key=True),
    Column("shelf", LargeBinary, nullable=False),
    Column("place", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("first", Text, nullable=False),
    Column("changed", Text, nullable=False),
    Column("ended", Text),
    Column("frozen", Text),
    Column("payload", LargeBinary, nullable=False),
    Index("view_place", "shelf", "place"),
    Index("view_ended", "ended"),
    rowid=False,
)

# -- keys (adapters.keys) ------------------------------------------------------------------------------

key_version = _table(
    "key_version",
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started", Text, nullable=False),
    Column("resolves_until", Text),
)
# Proves that the key given at a start is the key this database was written with.
key_proof = _table(
    "key_proof",
    Column("name", Text, primary_key=True),
    Column("proof", LargeBinary, nullable=False),
)

# -- subjects (adapters.pupils.subjects) ----------------------------------------------------------------------

# `reference_key` is the person's own random key, sealed; without it register references lead nowhere.
# `changed`: the value of the facts counter when anything about this person last changed.
subject = _table(
    "subject",
    Column("id", LargeBinary, primary_key=True),
    Column("person", Text, nullable=False),
    Column("reference_key", LargeBinary),
    Column("changed", Integer, nullable=False),
    Index("subject_changed", "changed"),
    rowid=False,
)
# `lookup` is the keyed hash of source, kind and value; `source` is "" for what is the same everywhere (ECK iD, BSN).
# `value` is empty for a BSN: only its keyed hash is kept (D7).
subject_id = _table(
    "subject_id",
    Column("lookup", LargeBinary, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("subject", LargeBinary, ForeignKey("subject.id"), nullable=False),
    Column("changed", Integer, nullable=False),
    Index("subject_id_subject", "subject"),
    rowid=False,
)
roster = _table(
    "roster",
    Column("source", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("subject", LargeBinary, ForeignKey("subject.id"), nullable=False),
    Column("enrolments", Text, nullable=False),
    Column("groups", Text, nullable=False),
    PrimaryKeyConstraint("source", "location", "subject"),
    Index("roster_subject", "subject"),
    rowid=False,
)
# `source` with /pupils: when its pupils' facts were read (`adapters.pupils.details`).
roster_sync = _table(
    "roster_sync",
    Column("source", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("moment", Text, nullable=False),
    PrimaryKeyConstraint("source", "location"),
)
# A pupil from a succeeding source that no known id names: waits until a person links it.
pending_link = _table(
    "pending_link",
    Column("number", Integer, primary_key=True),
    Column("lookup", LargeBinary, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("observation", LargeBinary, nullable=False),
    Column("moment", Text, nullable=False),
)
# What a person at school must look at; `about` holds internal ids and words of ours, never a value from outside.
task = _table(
    "task",
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("moment", Text, nullable=False),
    Column("done_by", Text),
    Column("done", Text),
    Column("reason", Text),
    Index("task_open", "kind", "about"),
)

# -- facts (adapters.facts.store) -----------------------------------------------------------------------

# One act, or one import. Without a version it is being staged and nobody sees it; with one it is valid, since that
# value of the facts counter. `size`: how many facts it enters and ends.
batch = _table(
    "batch",
    Column("number", Integer, primary_key=True),
    Column("version", Integer),
    Column("moment", Text),
    Column("actor", Text),
    Column("act", Text),
    Column("size", Integer, nullable=False),
    Index("batch_version", "version"),
)
# Rows are added, never changed: what is known ends by a row in `fact_end`, valid as soon as its batch is.
fact = _table(
    "fact",
    Column("number", Integer, primary_key=True),
    Column("subject", LargeBinary, ForeignKey("subject.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sealed", Integer, nullable=False),
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
    Column("terms", LargeBinary, nullable=False),
    Column("batch", Integer, ForeignKey("batch.number"), nullable=False),
)
declaration = _table(
    "declaration",
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("location", Text, nullable=False),
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
    Column("subject", LargeBinary, nullable=False),
    Column("fact", Integer, nullable=False),
    Column("occasion", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("secret", Integer, nullable=False),
    Column("once", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("made", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("until", Text, nullable=False),
    Column("used", Text),
    Column("used_by", Text),
    Column("revoked", Text),
    Column("revoked_by", Text),
    Column("review", Text),
    Column("reviewed", Text),
    Column("reviewed_by", Text),
    rowid=False,
)
# `state`: open, released, closed, lapsed. `fact`: the number of the release. `statutory`: due at the statutory term.
hold = _table(
    "hold",
    Column("id", Text, primary_key=True),
    Column("subject", LargeBinary, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("statutory", Integer, nullable=False),
    Column("secret", Integer, nullable=False),
    Column("opened", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("escalated", Text),
    Column("fact", Integer),
    Column("done", Text),
    Column("done_by", Text),
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
    Column("content", LargeBinary, nullable=False),
    Column("closed", LargeBinary),
    Column("moment", Text, nullable=False),
    rowid=False,
)
# `content` is sealed: where its rows stand in the file of the job, the key that alone opens them, and whose they are.
export_part = _table(
    "export_part",
    Column("export", Text, ForeignKey("export.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("export", "number"),
    rowid=False,
)

# -- callers (adapters.access.callers) ------------------------------------------------------------------------

client = _table(
    "client",
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("recipient", Text),
    Column("purpose", Text),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("key_prefix", Text, nullable=False, unique=True),
    Column("key_hash", LargeBinary, nullable=False),
    Column("created", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked", Text),
    Column("revoked_by", Text),
)
token = _table(
    "token",
    Column("hash", LargeBinary, primary_key=True),
    Column("client", Text, ForeignKey("client.id"), nullable=False),
    Column("expires", Text, nullable=False),
    Index("token_expires", "expires"),
    rowid=False,
)

# -- persons (adapters.access.persons) and what waits for a second one (adapters.access.proposals) ---------------------

# `password` is an argon2id text and `totp` the key of the codes, both sealed. `step`: the last 30 seconds of which a
# code was used. `statement`: the moment the confidentiality statement was accepted (R108).
person = _table(
    "person",
    Column("name", Text, primary_key=True),
    Column("password", LargeBinary, nullable=False),
    Column("totp", LargeBinary, nullable=False),
    Column("step", Integer, nullable=False),
    Column("statement", Text),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Text),
    Column("created", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked", Text),
    Column("revoked_by", Text),
    rowid=False,
)
# `location` is "" for a role that is held everywhere.
person_role = _table(
    "person_role",
    Column("person", Text, ForeignKey("person.name"), nullable=False),
    Column("role", Text, nullable=False),
    Column("location", Text, nullable=False),
    PrimaryKeyConstraint("person", "role", "location"),
    rowid=False,
)
# `idle`: seconds without a command after which it ends.
session = _table(
    "session",
    Column("hash", LargeBinary, primary_key=True),
    Column("person", Text, ForeignKey("person.name"), nullable=False),
    Column("seen", Text, nullable=False),
    Column("idle", Integer, nullable=False),
    Column("expires", Text, nullable=False),
    Index("session_expires", "expires"),
    rowid=False,
)
# `content` is sealed: arguments, reason, for whom. `outcome`: confirmed or withdrawn; none while it waits.
proposal = _table(
    "proposal",
    Column("number", Integer, primary_key=True),
    Column("deed", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("proposed_by", Text, ForeignKey("person.name"), nullable=False),
    Column("moment", Text, nullable=False),
    Column("outcome", Text),
    Column("done_by", Text),
    Column("done", Text),
)

# -- policy (adapters.policy.store) --------------------------------------------------------------------

policy_text = _table(
    "policy_text",
    Column("hash", Text, primary_key=True),
    Column("body", Text, nullable=False),
    rowid=False,
)
policy_file = _table(
    "policy_file",
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", Text, ForeignKey("policy_text.hash"), nullable=False),
    Column("problems", Text, nullable=False),
    PrimaryKeyConstraint("kind", "name"),
)
activation = _table(
    "activation",
    Column("number", Integer, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("hash", Text, ForeignKey("policy_text.hash")),
    Column("schemas", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("moment", Text, nullable=False),
    Index("activation_recipient", "recipient"),
)

# -- write-back (adapters.statements) and drift (adapters.lvs.field_seen) -----------------------------------

statement = _table(
    "statement",
    Column("lookup", LargeBinary, primary_key=True),
    Column("source", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("status", Integer),
    Column("moment", Text, nullable=False),
    rowid=False,
)
# `name` stays empty until the field was seen in five records: a key of one record may be a person's name.
field_seen = _table(
    "field_seen",
    Column("lookup", LargeBinary, primary_key=True),
    Column("schema", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("name", Text),
    Column("times", Integer, nullable=False),
    rowid=False,
)
