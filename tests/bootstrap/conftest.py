"""A directory as `gateway demo` makes it, without any server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulators.school import fresh_school


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The demo school's directory with its key, and no LVS."""
    return fresh_school(tmp_path)
