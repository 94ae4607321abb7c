"""How tests are shared out when several processes run them: the journeys stay together, as they share one demo.

(xdist's own groups do not work with this pytest, which no longer reads the id that xdist gives a test.)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest


def _together(_: object, nodeid: str) -> str:
    """Every journey to one process; every other test wherever there is room."""
    return "journeys" if nodeid.startswith("tests/journeys/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Any:
    by_scope = import_module("xdist.scheduler").LoadScopeScheduling  # has no types to import
    return type("TogetherScheduling", (by_scope,), {"_split_scope": _together})(config, log)
