"""The database: tables, engine and migrations. Adapters import from here."""

from __future__ import annotations

from gateway.adapters.database import tables
from gateway.adapters.database.engine import Database, DatabaseUnavailable, DatabaseUnusable, Versioned, bump
from gateway.adapters.database.opening import open_database

__all__ = ["Database", "DatabaseUnavailable", "DatabaseUnusable", "Versioned", "bump", "open_database", "tables"]
