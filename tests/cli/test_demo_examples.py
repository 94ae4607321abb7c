"""The demo school's files: with the facts it has from the start, something of each leaves, and none of the rest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from lxml import etree

from gateway.bootstrap import acts
from gateway.bootstrap.school import open_school
from gateway.demo.examples import EXAMPLES, Example
from tests import builders_push
from tests.cli.conftest import CommandLine
from tests.official import needs_standards, oso_schema


def asked(one: Example) -> list[str]:
    return [word for name in ("recipient", "purpose", "schema") for word in (f"--{name}", getattr(one, name))]


def filtered(demo: CommandLine, tmp_path: Path, one: Example) -> tuple[bytes, dict[str, object]]:
    out, told = tmp_path / "uit", tmp_path / "verslag.json"
    given = str(demo.directory / "examples" / one.name)
    demo("filter", *asked(one), given, "-o", str(out), "--report", str(told))
    return out.read_bytes(), orjson.loads(told.read_bytes())


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_something_of_every_example_leaves(demo: CommandLine, tmp_path: Path, one: Example) -> None:
    body, report = filtered(demo, tmp_path, one)
    assert body
    assert report["released"]


def test_application_leaves_valid_without_what_a_samenwerkingsverband_may_not_have(
    demo: CommandLine, tmp_path: Path
) -> None:
    (one,) = [one for one in EXAMPLES if one.purpose == "toelaatbaarheid"]
    body, report = filtered(demo, tmp_path, one)
    given = (demo.directory / "examples" / one.name).read_bytes()
    for name in (b"bsn", b"iban", b"geboorteplaats", b"nationaliteit", b"diagnose", b"document", b"huisarts"):
        assert b"<" + name in given
        assert b"<" + name not in body
    assert report["documents_dropped"]


@needs_standards
@pytest.mark.parametrize("one", [one for one in EXAMPLES if one.schema == "oso-2019"], ids=lambda one: one.name)
def test_dossier_is_valid_before_and_after(demo: CommandLine, tmp_path: Path, one: Example) -> None:
    body, _ = filtered(demo, tmp_path, one)
    for text in ((demo.directory / "examples" / one.name).read_bytes(), body):
        assert oso_schema().validate(etree.fromstring(text))


def test_document_says_itself_which_of_several_it_is(demo: CommandLine, tmp_path: Path) -> None:
    given, told = tmp_path / "in.xml", tmp_path / "verslag.json"
    enrolled = (demo.directory / "examples" / "inschrijving.xml").read_bytes()
    number = re.findall(rb"<basis:burgerservicenummer>(\d+)", enrolled)[0].decode()
    given.write_bytes(builders_push.removal(number))
    asked = ("--recipient", "duo", "--purpose", "inschrijving", "--schema", "duo-inschrijving-vo")
    demo("filter", *asked, str(given), "-o", str(tmp_path / "uit.xml"), "--report", str(told))
    assert b"aanleverenVerwijderingInschrijvingVO_Request" in (tmp_path / "uit.xml").read_bytes()
    assert orjson.loads(told.read_bytes())["record"] == "verwijdering"


# -- through OnderwijsTransparant (R55) -------------------------------------------------------------------

DOSSIER = ("--schema", "oso-2019")
PLATFORM = ("--recipient", "onderwijstransparant", "--purpose", "toelaatbaarheid", *DOSSIER)


def given(demo: CommandLine) -> str:
    return str(demo.directory / "examples" / "aanvraag.xml")


def last_entry(demo: CommandLine) -> dict[str, Any]:
    with open_school(demo.directory) as school:
        found: list[dict[str, Any]] = acts.entries(school, 1, None)
    return found[0]


def test_platform_without_a_final_recipient_gets_nothing_and_it_is_registered(
    demo: CommandLine, tmp_path: Path
) -> None:
    said = demo("filter", *PLATFORM, given(demo), "-o", str(tmp_path / "uit.xml"), code=3)
    entry = last_entry(demo)
    assert "FINAL_RECIPIENT_MISSING" in said
    assert (entry["recipient"], entry["outcome"], entry["reasons"][0]) == (
        "onderwijstransparant", "refused", "FINAL_RECIPIENT_MISSING",
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_through_the_platform_goes_exactly_what_goes_to_the_final_recipient(demo: CommandLine, tmp_path: Path) -> None:
    final = ("--final-recipient", "samenwerkingsverband")
    demo("filter", *PLATFORM, *final, given(demo), "-o", str(tmp_path / "uit.xml"))
    entry = last_entry(demo)
    direct, _ = filtered(demo, tmp_path, next(one for one in EXAMPLES if one.purpose == "toelaatbaarheid"))
    cover = orjson.loads((tmp_path / "uit.xml.cover.json").read_bytes())
    assert (tmp_path / "uit.xml").read_bytes() == direct
    assert (entry["recipient"], cover["platform"]) == ("samenwerkingsverband", "onderwijstransparant")
    assert "through: onderwijstransparant" in entry["detail"]


@pytest.mark.parametrize(
    ("recipient", "final"),
    [
        ("onderwijstransparant", "school-vovo"),
        ("onderwijstransparant", "onderwijstransparant"),
        ("toetsbureau", "samenwerkingsverband"),
    ],
)
def test_nobody_passes_on_to_whom_no_agreement_names(
    demo: CommandLine, tmp_path: Path, recipient: str, final: str
) -> None:
    asked = ("--recipient", recipient, "--purpose", "toelaatbaarheid", *DOSSIER, "--final-recipient", final)
    said = demo("filter", *asked, given(demo), "-o", str(tmp_path / "uit.xml"), code=3)
    assert "CHANNEL_NOT_ALLOWED" in said


def test_platform_is_explained_by_what_each_final_recipient_gets(demo: CommandLine) -> None:
    purpose = ("--purpose", "toelaatbaarheid")
    through = demo("explain", "--recipient", "onderwijstransparant", *purpose)
    direct = demo("explain", "--recipient", "samenwerkingsverband", *purpose)
    fields = [line for line in direct.splitlines() if line.startswith("    ")]
    assert "mag niet: FINAL_RECIPIENT_MISSING" in through
    assert "Via OnderwijsTransparant aan Samenwerkingsverband passend onderwijs:" in through
    assert fields
    assert [line for line in through.partition("Via ")[2].splitlines() if line.startswith("    ")] == fields
