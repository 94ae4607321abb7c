"""The build keeps the layers: the contracts hold, and each of them fails when it is broken.

The probes run import-linter and ruff on a copy with one line too many. Leaves out what the layers are;
pyproject.toml says that.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent

CROSSINGS = [
    ("core/probe.py", "import gateway.formats", "Imports point down"),
    ("core/probe.py", "import gateway.transfer.ports", "Imports point down"),
    ("formats/probe.py", "import gateway.adapters", "Imports point down"),
    ("transfer/probe.py", "import gateway.adapters", "Imports point down"),
    ("transfer/probe.py", "import gateway.web", "Imports point down"),
    ("web/probe.py", "import gateway.adapters", "Imports point down"),
    ("adapters/probe.py", "import gateway.web", "Imports point down"),
    ("demo/probe.py", "import gateway.adapters", "Imports point down"),
    ("probe.py", "ANYTHING = 1", "Imports point down"),
    ("core/probe.py", "import os", "core and formats do no I/O"),
    ("core/probe.py", "from pathlib import Path", "core and formats do no I/O"),
    ("core/probe.py", "import logging", "core and formats do no I/O"),
    ("formats/probe.py", "import asyncio", "core and formats do no I/O"),
    ("formats/probe.py", "import sqlalchemy", "core and formats do no I/O"),
    ("cli/probe.py", "import gateway.adapters", "Only bootstrap and settings know the adapters"),
    ("worker.py", "import gateway.web", "Only bootstrap and settings know the adapters"),
    ("bootstrap/probe.py", "from sqlalchemy import select", "Bootstrap wires and asks"),
    ("transfer/probe.py", "import httpx2", "transfer knows the outside world by its ports only"),
    ("transfer/probe.py", "import sqlalchemy", "transfer knows the outside world by its ports only"),
]


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    command = [str(TOOLS / "lint-imports"), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def ruff(directory: Path, name: str, text: str) -> str:
    command = [str(TOOLS / "ruff"), "check", "--no-cache", "--output-format", "concise", "--stdin-filename", name, "-"]
    return subprocess.run(command, cwd=directory, input=text, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "gateway", tmp_path / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_layers_as_committed_are_kept() -> None:
    result = lint_imports(ROOT)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("path", "line", "contract"), CROSSINGS)
def test_layers_one_crossing_import_breaks_its_contract(copy: Path, path: str, line: str, contract: str) -> None:
    (copy / "gateway" / path).write_text(f"{line}\n")

    result = lint_imports(copy)

    assert result.returncode == 1
    assert [row for row in result.stdout.splitlines() if contract in row and "BROKEN" in row]


@pytest.mark.parametrize(
    "call",
    [
        "import datetime\n\nMOMENT = datetime.datetime.now(datetime.UTC)",
        "import time\n\nMOMENT = time.time()",
        "import os\n\nBYTES = os.urandom(16)",
        "import secrets\n\nWORD = secrets.token_urlsafe()",
        "import uuid\n\nNAME = uuid.uuid4()",
        "from unittest import mock\n\nTHING = mock.Mock()",
    ],
)
def test_banned_call_outside_bootstrap_is_a_lint_error(call: str) -> None:
    assert "TID251" in ruff(ROOT, "gateway/adapters/probe.py", f"{call}\n")


def test_clock_inside_bootstrap_is_allowed() -> None:
    text = "import datetime\n\nMOMENT = datetime.datetime.now(datetime.UTC)\n"

    assert "TID251" not in ruff(ROOT, "gateway/bootstrap.py", text)
