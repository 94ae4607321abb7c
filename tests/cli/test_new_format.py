"""docs/new-format.md: its schema and recipient, written from a description, take its example from nothing to a file."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.cli.test_tlv_sample import Terminal

PAGE = (Path(__file__).parents[2] / "docs" / "new-format.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def files() -> dict[str, str]:
    """Each file that stands on the page, by the last name of a file before it."""
    found: dict[str, str] = {}
    for before, text in re.findall(r"((?:(?!```).)*?)```(?:yaml|json|csv)\n(.*?)```", PAGE, re.DOTALL):
        names = re.findall(r"`([a-z]+\.(?:yaml|json|csv))`", before)
        found[names[-1]] = text
    return found


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    for name, text in files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with contextlib.chdir(tmp_path):
        yield Terminal(tmp_path)


def follow(terminal: Terminal) -> None:
    for line in COMMANDS:
        if line.startswith(("gateway ", "cd ")):
            terminal(line)
        else:
            subprocess.run(shlex.split(line), check=True)


def test_page_takes_a_format_that_nobody_prepared_to_a_file_that_may_leave(terminal: Terminal, tmp_path: Path) -> None:
    follow(terminal)

    text = (tmp_path / "uit.json").read_text(encoding="utf-8")
    records = orjson.loads(text)
    assert {key for one in records for key in one} == {"leerling", "metingen"}
    assert {key for one in records for key in one["leerling"]} == {"nummer"}
    measured = sorted([(each["niveau"], each["dag"]) for each in one["metingen"]] for one in records)
    assert measured == [[("E4", "2026-01-01")], [("E5", "2026-01-01"), ("M6", "2026-01-01")]]
    for kept in ('"1001"', '"1002"', "Jop", "Bakker", '"6a"', "dyslexie", "graag", "nieuw"):
        assert kept not in text


def test_report_of_the_page_counts_the_unknown_pupil_and_the_unclassified_field(
    terminal: Terminal, tmp_path: Path
) -> None:
    follow(terminal)

    report = orjson.loads((tmp_path / "verslag.json").read_bytes())
    assert (report["records"], report["released"], report["unresolved"]) == (3, 2, 1)
    assert report["unclassified"] == {"unnamed": 1}
