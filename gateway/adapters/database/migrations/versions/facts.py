"""Facts: batches, facts and their ends, consent campaigns, declarations of completeness."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "facts"
down_revision = "persons"


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("moment", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("act", sa.Text(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("batch_version", "batch", ["version"], unique=False)
    op.create_table(
        "fact",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subject.id"]),
        sa.ForeignKeyConstraint(["batch"], ["batch.number"]),
        sa.PrimaryKeyConstraint("number"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("fact_subject", "fact", ["subject"], unique=False)
    op.create_index("fact_kind", "fact", ["kind"], unique=False)
    op.create_index("fact_batch", "fact", ["batch"], unique=False)
    op.create_table(
        "fact_end",
        sa.Column("fact", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["fact"], ["fact.number"]),
        sa.ForeignKeyConstraint(["batch"], ["batch.number"]),
        sa.PrimaryKeyConstraint("fact", "batch"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("fact_end_batch", "fact_end", ["batch"], unique=False)
    op.create_table(
        "campaign",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batch.number"]),
        sa.PrimaryKeyConstraint("number"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "declaration",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["batch"], ["batch.number"]),
        sa.ForeignKeyConstraint(["ended"], ["batch.number"]),
        sa.PrimaryKeyConstraint("number"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
