"""The journal of exports. Words of its own, see 0001."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "exports"
down_revision = "cases"


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("closed", sa.LargeBinary(), nullable=True),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "export_part",
        sa.Column("export", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["export"], ["export.id"]),
        sa.PrimaryKeyConstraint("export", "number"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
