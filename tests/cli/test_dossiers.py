"""Dossiers through `gateway filter`: whatever a file says of itself, the school's own facts decide.

R54, R57, R58, R109, N26.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.bootstrap import fact_acts
from gateway.bootstrap.school import legal_today, open_school
from gateway.cli.demo_school import SEED
from gateway.demo.dossiers import dossier
from gateway.demo.examples import applicant, example_facts
from gateway.demo.school import Pupil, School, make_school
from tests.cli.conftest import CommandLine
from tests.simulators.persons import somebody

TLV = ("--recipient", "samenwerkingsverband", "--purpose", "toelaatbaarheid", "--schema", "oso-2019")
MOVE = ("--recipient", "school-vovo", "--purpose", "overstap", "--schema", "oso-2019")


@pytest.fixture(scope="module")
def school() -> School:
    return make_school(SEED, legal_today())


@pytest.fixture(scope="module")
def others(school: School) -> Callable[[], Pupil]:
    """Each time another pupil like the one of the examples, of whom nothing is known."""
    like = (one for one in school.pupils if one.year == 2 and not one.left and len(one.stays) == 1)
    rest = (one for one in like if one is not applicant(school))
    return lambda: next(rest)


def know(demo: CommandLine, school: School, pupil: Pupil, *kinds: str) -> None:
    """Of this pupil the same as of that of the examples, of these kinds."""
    before = str(applicant(school).number)
    with open_school(demo.directory) as opened:
        for kind, rows in example_facts(school):
            if kind in kinds:
                (row,) = rows
                said = {name: str(value).replace(before, str(pupil.number)) for name, value in row.items()}
                fact_acts.record(opened, somebody(), kind, said, "toets")


def handed_in(
    demo: CommandLine, folder: Path, asked: tuple[str, ...], text: bytes, code: int = 0
) -> tuple[bytes, dict[str, Any]]:
    """What left, and what the school is told."""
    given, out, told = folder / "in.xml", folder / "uit.xml", folder / "verslag.json"
    given.write_bytes(text)
    demo("filter", *asked, str(given), "-o", str(out), "--report", str(told), code=code)
    return out.read_bytes() if out.exists() else b"", orjson.loads(told.read_bytes())


def test_application_for_a_pupil_without_an_open_request_is_withheld(
    demo: CommandLine, school: School, others: Callable[[], Pupil], tmp_path: Path
) -> None:
    body, report = handed_in(demo, tmp_path, TLV, dossier(school, others(), "VOSWV"), code=3)
    assert body == b""
    assert report["withheld"] == {"PUPIL_NOT_IN_SCOPE": 1}


def test_dossier_that_claims_its_own_consent_is_withheld_without_one(
    demo: CommandLine, school: School, others: Callable[[], Pupil], tmp_path: Path
) -> None:
    pupil = others()
    know(demo, school, pupil, "guardian", "pupil", "inzage")
    text = dossier(school, pupil, "VOVO")
    assert b"<toestemming>Ja<" in text
    body, report = handed_in(demo, tmp_path, MOVE, text, code=3)
    assert body == b""
    assert report["withheld"] == {"CONSENT_MISSING": 1}


def test_dossier_that_claims_its_own_inzage_is_held_before_the_inzage(
    demo: CommandLine, school: School, others: Callable[[], Pupil], tmp_path: Path
) -> None:
    pupil = others()
    know(demo, school, pupil, "guardian", "pupil", "consent")
    text = dossier(school, pupil, "VOVO")
    assert b"<inzage>true<" in text
    body, report = handed_in(demo, tmp_path, MOVE, text, code=3)
    assert body == b""
    assert report["waiting_for_a_decision"] == {"INZAGE_NOT_RECORDED": 1}


@pytest.mark.parametrize(
    ("said", "denies"),
    [(b"<inzage>true<", b"<inzage>false<"), (b"<toestemming>Ja<", b"<toestemming>Nee<")],
    ids=["inzage", "consent"],
)
def test_dossier_that_denies_what_the_school_recorded_is_held(
    demo: CommandLine, school: School, tmp_path: Path, said: bytes, denies: bytes
) -> None:
    text = dossier(school, applicant(school), "VOVO").replace(said, denies)
    body, report = handed_in(demo, tmp_path, MOVE, text, code=3)
    assert body == b""
    assert report["waiting_for_a_decision"] == {"FACTS_CONTRADICTED": 1}


def test_dossier_with_another_birth_date_is_held(demo: CommandLine, school: School, tmp_path: Path) -> None:
    pupil = applicant(school)
    born = pupil.birth.isoformat().encode()
    text = dossier(school, pupil, "VOVO").replace(b"<geboortedatum>" + born, b"<geboortedatum>2001-01-01")
    _, report = handed_in(demo, tmp_path, MOVE, text, code=3)
    assert report["waiting_for_a_decision"] == {"FACTS_CONTRADICTED": 1}


def test_recorded_inzage_and_remark_travel_with_the_dossier_and_not_what_the_file_says(
    demo: CommandLine, school: School, tmp_path: Path
) -> None:
    facts = dict(example_facts(school))["inzage"][0]
    body, _ = handed_in(demo, tmp_path, MOVE, dossier(school, applicant(school), "VOVO"))
    assert f"<inzagedatum>{facts['day']}</inzagedatum>".encode() in body
    assert f"<redennietakkoord>{facts['remark']}</redennietakkoord>".encode() in body
    assert b"De samenvatting van het gesprek" not in body


def test_remark_travels_where_the_file_has_none(demo: CommandLine, school: School, tmp_path: Path) -> None:
    text = dossier(school, applicant(school), "VOVO")
    begin, end = text.index(b"<redennietakkoord>"), text.index(b"</redennietakkoord>")
    body, _ = handed_in(demo, tmp_path, MOVE, text[:begin] + text[end + len(b"</redennietakkoord>") :])
    assert b"<redennietakkoord>Graag bellen" in body


def test_unclassified_document_is_dropped_from_an_application_and_listed(
    demo: CommandLine, school: School, tmp_path: Path
) -> None:
    text = dossier(school, applicant(school), "VOSWV")
    body, report = handed_in(demo, tmp_path, TLV, text)
    listed = {one["field"].split(".")[-3]: one["reason"] for one in report["fields_withheld"]}
    assert b"<document>" not in body
    assert report["documents_dropped"] == text.count(b"<document>")
    assert listed == {"toelichting_onderwijsbehoeften": "DOCUMENT_NOT_CLASSIFIED", "opp": "DOCUMENT_NOT_CLASSIFIED"}


def test_next_school_that_is_not_where_the_pupil_goes_gets_nothing(
    demo: CommandLine, school: School, others: Callable[[], Pupil], tmp_path: Path
) -> None:
    pupil = others()
    know(demo, school, pupil, "guardian", "inzage", "consent")
    _, report = handed_in(demo, tmp_path, MOVE, dossier(school, pupil, "VOVO"), code=3)
    assert report["withheld"] == {"PUPIL_NOT_IN_SCOPE": 1}


def test_document_that_a_person_classified_in_the_file_leaves_and_no_other(
    demo: CommandLine, school: School, others: Callable[[], Pupil], tmp_path: Path
) -> None:
    pupil, asked = others(), TLV[:4]
    know(demo, school, pupil, "support-request")
    text = dossier(school, pupil, "VOSWV")
    file = tmp_path / "aanvraag.xml"
    file.write_bytes(text)
    look = ("--file", str(file), "--reason", "aanvraag")

    said = demo("text", "review", *asked, *look, answers=[str(pupil.number)])
    waiting = [orjson.loads(line) for line in said.splitlines()]
    (opp,) = [one for one in waiting if ".opp." in one["fields"][0]]
    demo("text", "release", opp["digest"], *asked, *look, "--class", "support", answers=[str(pupil.number)])
    body, report = handed_in(demo, tmp_path, TLV, text)

    assert len(waiting) == 2
    assert body.count(b"<document>") == 1
    assert b"<opp>" in body
    assert [one["field"].split(".")[-3] for one in report["fields_withheld"]] == ["toelichting_onderwijsbehoeften"]


def test_document_that_stands_in_two_fields_is_shown_once_with_both(
    demo: CommandLine, school: School, others: Callable[[], Pupil], tmp_path: Path
) -> None:
    pupil, asked = others(), TLV[:4]
    know(demo, school, pupil, "support-request")
    text = dossier(school, pupil, "VOSWV")
    contents = re.findall(rb"<bestandsinhoud>[^<]*</bestandsinhoud>", text)
    for content in contents:
        text = text.replace(content, contents[0])
    file = tmp_path / "aanvraag.xml"
    file.write_bytes(text)
    look = ("--file", str(file), "--reason", "aanvraag")

    one = orjson.loads(demo("text", "review", *asked, *look, answers=[str(pupil.number)]))
    demo("text", "release", one["digest"], *asked, *look, "--class", "support", answers=[str(pupil.number)])
    body, _ = handed_in(demo, tmp_path, TLV, text)

    assert [path.split(".")[-3] for path in one["fields"]] == ["toelichting_onderwijsbehoeften", "opp"]
    assert body.count(b"<document>") == len(one["fields"])


def test_file_is_not_looked_at_for_a_pupil_of_whom_nothing_would_leave(
    demo: CommandLine, school: School, others: Callable[[], Pupil], tmp_path: Path
) -> None:
    pupil = others()
    file = tmp_path / "in.xml"
    file.write_bytes(dossier(school, pupil, "VOSWV"))
    look = ("--file", str(file), "--reason", "aanvraag")
    said = demo("text", "review", *TLV[:4], *look, answers=[str(pupil.number)], code=3)
    assert "PUPIL_NOT_IN_SCOPE" in said
