"""A directory as `gateway demo` makes it, without any server."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.bootstrap.school import create_key
from gateway.bootstrap.templates import SHARE, answered
from gateway.demo.directory import Ports, make_directory

TODAY = date(2026, 11, 22)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The demo school's directory with its key, and no LVS."""
    made = tmp_path / "school"
    make_directory(made, SHARE, Ports(8080, 8081, 8082), "secret", TODAY, answered)
    create_key(made)
    return made
