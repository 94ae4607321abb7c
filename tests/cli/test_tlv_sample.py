"""docs/tlv-sample.md: every command of the page, in its order, from an empty folder to a dossier that may leave."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from lxml import etree

from tests.cli.test_persons import code_of
from tests.commands import invoke
from tests.official import needs_standards, oso_schema

pytestmark = needs_standards

PAGE = (Path(__file__).parents[2] / "docs" / "tlv-sample.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`([a-z]+\.[a-z]+)`:\n\n```[a-z]+\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
SAMPLE = "Voorbeelddossier_PaO_POSWV_full.xml"


class Terminal:
    """Runs the page's commands in a folder; signs in with what `person add` showed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {"GATEWAY_SESSION": str(folder / "anna.session")}
        self._shown: dict[str, str] = {}

    def __call__(self, line: str, wanted: int = 0) -> str:
        words = shlex.split(line)
        if words[0] == "cd":
            os.chdir(self.folder / words[1])
            return ""
        assert words[0] == "gateway"
        typed = self._typed() if words[1] == "login" else ""
        done = invoke(*words[1:], typed=typed, environment=self._environment)
        assert done.exit_code == wanted, (line, done.output)
        if words[1:3] == ["person", "add"]:
            self._shown = orjson.loads(done.output)
        return done.output

    def _typed(self) -> str:
        one = self._shown
        return f"{one['name']}\n{one['password']}\n{code_of(one['totp_secret'])}\nja\n"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    shutil.copy(Path(os.environ["STANDARDS_DIR"]) / "oso" / SAMPLE, tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with contextlib.chdir(tmp_path):
        yield Terminal(tmp_path)


def test_page_takes_the_official_sample_to_a_dossier_that_may_leave(terminal: Terminal, tmp_path: Path) -> None:
    said = [terminal(line) for line in COMMANDS]

    body = (tmp_path / "aanvraag.xml").read_bytes()
    oso_schema().assertValid(etree.fromstring(body))
    for name in (b"bsn", b"iban", b"banknummer", b"geboorteplaats", b"nationaliteit", b"diagnose", b"document"):
        assert b"<" + name not in body
    report = orjson.loads((tmp_path / "verslag.json").read_bytes())
    assert [one["reason"] for one in report["fields_withheld"]] == ["DOCUMENT_NOT_CLASSIFIED"] * 3
    assert "samenwerkingsverband" in said[-1]


def test_without_the_request_nothing_leaves(terminal: Terminal, tmp_path: Path) -> None:
    for line in COMMANDS:
        if "support-request" in line:
            continue
        if "gateway filter" in line:
            assert "PUPIL_NOT_IN_SCOPE" in terminal(line, wanted=3)
            break
        terminal(line)
    assert not (tmp_path / "aanvraag.xml").exists()
