"""What each recipient last got of each record. Words of its own, see 0001."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "views"
down_revision = "exports"


def upgrade() -> None:
    op.create_table(
        "shelf",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lookup"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "view",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("shelf", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("frozen", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lookup"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("view_place", "view", ["shelf", "place"])
    op.create_index("view_ended", "view", ["ended"])
    op.execute("INSERT INTO version (name, value) VALUES ('views', 1)")
