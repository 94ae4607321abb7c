"""Run by Alembic, on the connection that `opening` gives it; one transaction for the whole upgrade."""

from __future__ import annotations

from alembic import context

from gateway.adapters.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot ALTER a column in place
)
with context.begin_transaction():
    context.run_migrations()
