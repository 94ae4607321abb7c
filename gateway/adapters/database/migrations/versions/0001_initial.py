"""The tables of the first release, as they were then: kept in words of its own, never derived from `tables`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "client",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("key_prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("revoked", sa.Text(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_prefix"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "field_seen",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lookup"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "issued",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lookup"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key_proof",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "key_version",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started", sa.Text(), nullable=False),
        sa.Column("resolves_until", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "pending_link",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("observation", sa.LargeBinary(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("lookup"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "policy_text",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "roll",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("digest"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "roster_sync",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "location"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "statement",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("lookup"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subject",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("reference_key", sa.LargeBinary(), nullable=True),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("subject", schema=None) as batch_op:
        batch_op.create_index("subject_changed", ["changed"], unique=False)

    op.create_table(
        "task",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("done", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("task_open", ["kind", "about"], unique=False)

    op.create_table(
        "version",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "activation",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.Column("schemas", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hash"],
            ["policy_text.hash"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    with op.batch_alter_table("activation", schema=None) as batch_op:
        batch_op.create_index("activation_recipient", ["recipient"], unique=False)

    op.create_table(
        "entry",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("roll", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["roll"],
            ["roll.number"],
        ),
        sa.PrimaryKeyConstraint("sequence"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.create_index("entry_id", ["id"], unique=False)
        batch_op.create_index("entry_roll", ["roll"], unique=False)

    op.create_table(
        "policy_file",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hash"],
            ["policy_text.hash"],
        ),
        sa.PrimaryKeyConstraint("kind", "name"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "roll_member",
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("roll", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["roll"],
            ["roll.number"],
        ),
        sa.PrimaryKeyConstraint("reference", "roll"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "roster",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("enrolments", sa.Text(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject"],
            ["subject.id"],
        ),
        sa.PrimaryKeyConstraint("source", "location", "subject"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("roster", schema=None) as batch_op:
        batch_op.create_index("roster_subject", ["subject"], unique=False)

    op.create_table(
        "subject_id",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject"],
            ["subject.id"],
        ),
        sa.PrimaryKeyConstraint("lookup"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("subject_id", schema=None) as batch_op:
        batch_op.create_index("subject_id_subject", ["subject"], unique=False)

    op.create_table(
        "token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("expires", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client"],
            ["client.id"],
        ),
        sa.PrimaryKeyConstraint("hash"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.create_index("token_expires", ["expires"], unique=False)
    # the counters start at one, so that nothing that was never read can equal them
    op.execute("INSERT INTO version (name, value) VALUES ('policy', 1), ('facts', 1), ('keys', 1), ('callers', 1)")
