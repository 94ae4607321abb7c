"""Migrations: `env.py` is run by Alembic, `versions` hold one revision each and are never changed afterwards."""
