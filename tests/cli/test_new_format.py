"""docs/new-format.md: its schemas and recipient, written from a description, take its examples to files."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
from pathlib import Path

import orjson
import pytest
from lxml import etree

from tests.cli.test_tlv_sample import Terminal

PAGE = (Path(__file__).parents[2] / "docs" / "new-format.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def files() -> dict[str, str]:
    """Each file that stands on the page, by the last name of a file before it."""
    found: dict[str, str] = {}
    for before, text in re.findall(r"((?:(?!```).)*?)```(?:yaml|json|csv|xml)\n(.*?)```", PAGE, re.DOTALL):
        names = re.findall(r"`([a-z]+\.(?:yaml|json|csv|xml))`", before)
        found[names[-1]] = text
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every command of the page was given, once for all tests."""
    path = tmp_path_factory.mktemp("page")
    for name, text in files().items():
        (path / name).write_text(text, encoding="utf-8")
    with contextlib.chdir(path):
        follow(Terminal(path))
    return path


def follow(terminal: Terminal) -> None:
    """Each does what it says; the samples hold something that their schemas do not have."""
    for line in COMMANDS:
        if "--sample" in line:
            (terminal.folder / f"{shlex.split(line)[-1]}.said").write_text(terminal(line, 1), encoding="utf-8")
        elif line.startswith(("gateway ", "cd ")):
            terminal(line)
        else:
            subprocess.run(shlex.split(line), check=True)


def test_page_takes_a_format_that_nobody_prepared_to_a_file_that_may_leave(folder: Path) -> None:
    text = (folder / "uit.json").read_text(encoding="utf-8")
    records = orjson.loads(text)
    assert {key for one in records for key in one} == {"leerling", "metingen"}
    assert {key for one in records for key in one["leerling"]} == {"nummer"}
    measured = sorted([(each["niveau"], each["dag"]) for each in one["metingen"]] for one in records)
    assert measured == [[("E4", "2026-01-01")], [("E5", "2026-01-01"), ("M6", "2026-01-01")]]
    for kept in ('"1001"', '"1002"', "Jop", "Bakker", '"6a"', "dyslexie", "graag", "nieuw"):
        assert kept not in text


def test_check_says_of_the_example_what_its_schema_does_not_have_and_who_is_in_it(folder: Path) -> None:
    assert (folder / "leesmeter.said").read_text(encoding="utf-8").splitlines() == [
        "leeskaart: 3 records in the sample",
        "  not in the schema, so it never leaves:",
        "    nieuw (in 1 record)",
        "  who it is about:",
        "    leerling, pupil: 3 by las-key",
    ]
    assert "avi: expected pattern: [ME][3-7] (1 time)" in (folder / "uitleen.said").read_text(encoding="utf-8")


def test_report_of_the_page_counts_the_unknown_pupil_and_the_unclassified_field(folder: Path) -> None:
    report = orjson.loads((folder / "verslag.json").read_bytes())
    assert (report["records"], report["released"], report["unresolved"]) == (3, 2, 1)
    assert report["unclassified"] == {"unnamed": 1}


def test_page_takes_an_xml_document_with_references_to_one_that_may_leave(folder: Path) -> None:
    text = (folder / "uit.xml").read_text(encoding="utf-8")
    root = etree.fromstring(text.encode())
    names = {"u": "urn:example:uitleen"}
    pupils = {one["leerling"]["nummer"] for one in orjson.loads((folder / "uit.json").read_bytes())}

    assert {str(one.get("nr")) for one in root.iterfind("u:leden/u:lid", names)} == pupils
    lent = [(str(one.get("lid")), one.findtext("u:avi", None, names)) for one in root.iterfind(".//u:uitlening", names)]
    assert {who for who, _ in lent} == pupils
    assert sorted(str(level) for _, level in lent) == ["E5", "M6"]
    assert {etree.QName(one).localname for one in root.iter()} == {
        "uitleen", "leden", "lid", "uitleningen", "uitlening", "avi"
    }  # fmt: skip
    for kept in ("1001", "1002", "9999", "Jop", "999990019", "iVBOR", "rood", "boete", "zes", "Pietersen", "versie"):
        assert kept not in text


def test_report_of_the_xml_document_counts_who_is_unknown_and_what_is_malformed(folder: Path) -> None:
    report = orjson.loads((folder / "verslagxml.json").read_bytes())

    assert (report["released"], report["unresolved"], report["malformed"]) == (1, 2, 1)
    assert report["unclassified"] == {"unnamed": 1, "leden.lid.unnamed": 1, "uitleningen.uitlening.unnamed": 1}
