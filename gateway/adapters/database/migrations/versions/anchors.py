"""Where walks over long lists go on. Words of its own, see 0001."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "anchors"
down_revision = "views"


def upgrade() -> None:
    op.create_table(
        "anchor",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("lookup"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("anchor_moment", "anchor", ["moment"])
