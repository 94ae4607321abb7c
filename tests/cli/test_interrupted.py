"""Ctrl-C: no traceback, whatever was going on."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from gateway.cli import INTERRUPTED
from gateway.cli.rows import file_told

_WHILE_LOADING = """
import sys
class Pressed:
    def find_spec(self, name, *_):
        if name == "gateway.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
from gateway.cli import main
main()
"""


def test_interrupted_while_it_loads_says_nothing_and_tells_the_shell() -> None:
    done = subprocess.run([sys.executable, "-c", _WHILE_LOADING], capture_output=True, check=False, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (INTERRUPTED, b"", b"")


def test_interrupted_import_says_that_nothing_was_brought_in(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, file_told():
        raise KeyboardInterrupt

    assert ended.value.exit_code == INTERRUPTED
    assert capsys.readouterr().err == "interrupted: nothing was brought in\n"
