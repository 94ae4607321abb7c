"""What is asked at a real terminal: a question that may stay open is asked once, and says which words it takes."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Sequence

import pytest

_LONGEST = 20.0  # seconds without a word
_RECORD = """
from gateway.bootstrap.fact_acts import columns_of
from gateway.cli.rows import _asked
print([_asked(one) for one in columns_of("restriction")[1:]])
"""
_REQUIRED = "from gateway.cli.persons import asked; print('said', asked('name?'))"


def typed(program: str, lines: Sequence[str]) -> str:
    """What a terminal shows when these lines are typed, each once something was asked."""
    ours, theirs = os.openpty()
    with subprocess.Popen([sys.executable, "-c", program], stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        try:
            shown = _until_asked(ours)
            for line in lines:
                os.write(ours, line.encode() + b"\n")
                shown += _until_asked(ours)
        finally:
            process.kill()
            os.close(ours)
    return shown


def _until_asked(terminal: int) -> str:
    """Up to a question, or the end."""
    shown = b""
    while not shown.endswith((b": ", b"? ", b"]\r\n")):
        if not select.select([terminal], [], [], _LONGEST)[0]:
            pytest.fail("nothing more was said")
        try:
            shown += os.read(terminal, 1024)
        except OSError:  # the program ended
            break
    return shown.decode()


def test_column_that_may_be_empty_is_asked_once() -> None:
    shown = typed(_RECORD, ["", "", "accuracy", "", "", ""])

    assert shown.count("source (may be empty)") == 1
    assert "ground (accuracy, unlawful, legal-claim, objection): " in shown
    assert "['', '', 'accuracy', '', '', '']" in shown


def test_what_must_be_said_is_asked_until_it_is() -> None:
    assert typed(_REQUIRED, ["", "jan"]).count("name? ") == 2
