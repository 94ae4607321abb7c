"""How tests are shared out when several processes run them: journeys that share a demo stay together, and those with
the most of them begin first.

(xdist's own groups do not work with this pytest, which no longer reads the id that xdist gives a test.)
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[1]


def _together(_: object, nodeid: str) -> str:
    """A journey to the process that has its demo; every other test wherever there is room."""
    module = nodeid.partition("::")[0]
    return _demo_of(module) if module.startswith("tests/journeys/") else nodeid


@lru_cache(maxsize=64)
def _demo_of(module: str) -> str:
    """One of the two demos that all share, or, where the module starts its own, the module."""
    text = (_ROOT / module).read_text(encoding="utf-8")
    if " start(" in text:
        return module
    return "journeys on changing" if "changing: Demo" in text else "journeys on demo"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Any:
    by_scope = import_module("xdist.scheduler").LoadScopeScheduling  # has no types to import
    return type("TogetherScheduling", (by_scope,), {"_split_scope": _together})(config, log)
