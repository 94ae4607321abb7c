"""Log lines: JSON on standard error, with an allow-list of keys (R82, house rule 8).

A key that is not listed is dropped, so that nobody can log a value by accident. Of what libraries log only the name of
the logger and the kind of the exception is kept: their texts hold URLs, paths and what a source said.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

KEYS = frozenset(
    ["event", "level", "timestamp", "worker", "kind", "name", "source", "location", "persons", "failure", "logger"]
)


def configure() -> None:
    """For a process that serves; once."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _listed_keys,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Kinds()], level=logging.WARNING, force=True)


def _listed_keys(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in event.items() if key in KEYS}


class _Kinds(logging.Handler):
    """A library's record, without its text."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        structlog.get_logger().warning("library", logger=record.name, kind=kind)
