"""`gateway init`, `gateway answer` and `gateway roster import`: from nothing to a directory that is in order."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import stat
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from gateway.adapters.policy.answers import questions
from gateway.bootstrap import acts, session
from gateway.bootstrap.pupils import pupil
from gateway.bootstrap.school import Unusable, open_school
from gateway.core.persons import Held, PersonRole
from gateway.supervisor import _listen
from tests.commands import invoke
from tests.policy.shipped import ANSWERED, RECIPIENTS
from tests.simulators.persons import somebody

ANSWERS = """\
gateway.yaml:
  school: School
  policy.version: "1.0"
  policy.in_force: 2026-08-01
  policy.instemming: 2026-06-15
  organisation.locations.*.title: Locatie
  organisation.locations.oost.ids.0.id: 00YY00
  organisation.locations.west.ids.0.id: 00YY01
recipients/dyslexiebureau.yaml:
  contact: fg@bureau.example
  agreement.signed: 2026-08-01
  agreement.starts: 2026-08-01
  agreement.until: 2027-07-31
  deliveries.*.necessity.by: privacy officer
  deliveries.*.necessity.date: 2026-08-01
  deliveries.*.locations.0: [oost, west]
  deliveries.*.until: 2027-07-31
"""
INIT = ("init", "school", "--recipient", "dyslexiebureau", "--location", "oost", "--location", "west", "--no-lvs")
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """`gateway …` in an empty folder."""

    def one(*arguments: str, typed: str = "", code: int = 0) -> str:
        environment = {"GATEWAY_SESSION": str(tmp_path / "school.session")}
        done = invoke(*arguments, typed=typed, environment=environment)
        assert done.exit_code == code, done.output
        return done.output

    with contextlib.chdir(tmp_path):
        yield one


@pytest.fixture
def answered(run: Run, tmp_path: Path) -> Path:
    run(*INIT)
    (tmp_path / "antwoorden.yaml").write_text(ANSWERS, encoding="utf-8")
    run("answer", "antwoorden.yaml", "-C", "school")
    return tmp_path / "school"


def test_fresh_directory_works_for_nobody(run: Run, tmp_path: Path) -> None:
    assert "questions are open" in run(*INIT)
    assert "this is not answered yet" in run("check", "-C", "school", code=1)
    assert "this is not answered yet" in run("person", "add", "a", "-C", "school", code=2)
    assert stat.S_IMODE((tmp_path / "school.key").stat().st_mode) == 0o600


def test_fresh_directory_has_the_schemas_its_recipients_need_and_those_of_the_roster(run: Run, tmp_path: Path) -> None:
    run("init", "a", "--recipient", "samenwerkingsverband", "--no-lvs")
    run("init", "b", "--recipient", "samenwerkingsverband")
    run("init", "c")
    found = {name: {one.stem for one in (tmp_path / name / "schemas").glob("*")} for name in "abc"}
    assert found["a"] == {"oso-2019"}
    assert found["b"] == {"oso-2019", "edu-v-students", "edu-v-association", "edu-v-results"}
    assert found["b"] < found["c"]


def test_nothing_is_written_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "school.key").write_text("ours")
    run(*INIT, code=2)
    assert [one.name for one in tmp_path.iterdir()] == ["school.key"]  # nothing half made is left
    assert (tmp_path / "school.key").read_text() == "ours"
    assert "not empty" in run("init", str(tmp_path), code=2)
    assert "samenwerkingsverband" in run("init", "x", "--recipient", "onbekend", code=2)


def test_directory_that_is_there_and_empty_is_filled(run: Run, tmp_path: Path) -> None:
    (tmp_path / "school").mkdir()
    before = (tmp_path / "school").stat().st_ino
    run(*INIT)

    assert (tmp_path / "school").stat().st_ino == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["school", "school.key"]


def test_answers_from_a_file_put_the_directory_in_order(run: Run, answered: Path) -> None:
    assert "in order" in run("check", "-C", str(answered))


def test_certificate_that_is_not_there_is_warned_of_and_nothing_is_served(run: Run, answered: Path) -> None:
    text = "endpoints:\n  duo: {url: 'https://duo.example/ws', certificate: file:../none.pem}\n"
    (answered / "gateway.yaml").write_text((answered / "gateway.yaml").read_text() + text)

    assert "none.pem (warning)" in run("check", "-C", str(answered))
    assert "no certificate at file:" in run("serve", "-C", str(answered), code=2)


def test_address_that_is_taken_is_told_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
        with pytest.raises(Unusable) as found:
            _listen(address)

    assert found.value.problems == [f"127.0.0.1:{address[1]}: Address already in use"]


def test_answers_are_asked_once_each_and_an_empty_one_leaves_the_question_open(run: Run, tmp_path: Path) -> None:
    run(*INIT)
    left = run("answer", "-C", "school", typed="Mijn school\n1.0\n\n2026-06-15\n")
    text = (tmp_path / "school" / "gateway.yaml").read_text(encoding="utf-8")
    assert 'school: "Mijn school"' in text
    assert "instemming: 2026-06-15" in text
    assert text.count("ASK: Vanaf welke dag geldt") == 1
    assert "questions are open" in left


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gateway.yaml: {schol: x}\n", "not asked in this file: schol"),
        ("recipients/x.yaml: {contact: x}\n", "no file recipients/x.yaml"),
        ("- x\n", "names files"),
    ],
)
def test_answers_that_nobody_asked_are_refused_whole(run: Run, tmp_path: Path, text: str, said: str) -> None:
    run(*INIT)
    before = (tmp_path / "school" / "gateway.yaml").read_bytes()
    (tmp_path / "a.yaml").write_text(f"{text}")
    assert said in run("answer", "a.yaml", "-C", "school", code=2)
    assert (tmp_path / "school" / "gateway.yaml").read_bytes() == before


def general(text: str) -> dict[str, object]:
    """What a school answers, whatever it is asked, by the question's path."""
    given = {
        "school": "School",
        "policy.version": "1.0",
        "policy.in_force": "2026-08-01",
        "policy.instemming": "2026-06-15",
        "organisation.locations.noord.title": "Noord",
        "organisation.locations.noord.ids.0.id": "27XY00",
        **{f"organisation.locations.noord.ids.{n}.id": f"0000000700000YY00{n:03}" for n in (1, 2)},
        **ANSWERED,
    }
    same = {path: re.sub(r"^deliveries\.\d+", "deliveries.0", path) for path in asked(text)}
    return {path: given[known] for path, known in same.items() if known in given}


def asked(text: str) -> list[str]:
    return [".".join(one.path) for one in questions(text)]


@pytest.mark.parametrize(
    "names",
    [["duo"], ["doorstroomtoets"], ["school-bb"], RECIPIENTS],
    ids=["duo", "doorstroomtoets", "school-bb", "all"],
)
def test_every_template_is_in_order_once_its_twelve_questions_are_answered(
    run: Run, tmp_path: Path, names: list[str]
) -> None:
    chosen = [part for name in names for part in ("--recipient", name)]
    run("init", "school", *chosen, "--location", "noord", "--no-lvs")
    files = ["gateway.yaml", *(f"recipients/{name}.yaml" for name in names)]
    texts = {file: (tmp_path / "school" / file).read_text(encoding="utf-8") for file in files}
    (tmp_path / "antwoorden.yaml").write_text(json.dumps({file: general(text) for file, text in texts.items()}))
    run("answer", "antwoorden.yaml", "-C", "school")

    told = {name: {one.question for one in questions(texts[f"recipients/{name}.yaml"])} for name in names}
    assert max(map(len, told.values())) <= 12
    said = run("check", "-C", "school")
    assert "in order" in said
    assert ("1 recipient:" if len(names) == 1 else f"{len(names)} recipients:") in said


@pytest.mark.parametrize(
    ("recipient", "asked", "schemas"),
    [
        ("oefenprogramma", ("type: vestiging", "client_secret"), "[somtoday]"),
        ("uwlr-smalle-set", ("type: V_ID", "klantcode"), "[uwlr-2-2, uwlr-2-2-leerresultaten]"),
        ("uitgever-noord", ("type: V_ID", "client_secret"), "[edu-v-association, edu-v-results, edu-v-students]"),
    ],
)
def test_directory_asks_what_the_format_of_its_recipient_needs(
    run: Run, tmp_path: Path, recipient: str, asked: tuple[str, str], schemas: str
) -> None:
    run("init", "school", "--recipient", recipient)
    text = (tmp_path / "school" / "gateway.yaml").read_text("utf-8")

    assert f"    schemas: {schemas}\n" in text
    named = ("type: V_ID", "type: vestiging", "type: sourcedId", "klantcode", "client_secret")
    assert {one for one in named if one in text} == set(asked)


# -- the roster of a source that is not called ----------------------------------------------------------


@pytest.fixture
def signed_in(answered: Path) -> Path:
    with open_school(answered) as school:
        session.add_first_person(school, "a", [Held(PersonRole.ADMINISTRATOR)], session.new_credentials())
        session.accept_statement(school, somebody("a"))
        session.keep_session(school, "a", school.sign_in_rules())
    return answered


def imported(run: Run, directory: Path, text: str, code: int = 0) -> str:
    (directory.parent / "roster.csv").write_text(text, encoding="utf-8")
    file = str(directory.parent / "roster.csv")
    return run("roster", "import", file, "--reason", "begin", "-C", str(directory), code=code)


def test_roster_from_a_file_says_who_is_where(run: Run, signed_in: Path) -> None:
    text = "pupil,location,begin,end,year,groups\n00123,oost,2026-08-01,,7,g1 g2\n7,west,2026-08-01,2026-09-01,,\n"
    assert "oost\t1" in imported(run, signed_in, text)
    with open_school(signed_in) as school:
        found = pupil(school, "lvs", "00123")
        assert [(one.location, one.year) for one in found.enrolments] == [("oost", 7)]
        assert found.groups == {"g1", "g2"}
        assert pupil(school, "lvs", "7").enrolments[0].end is not None
        assert acts.entries(school, 10, None)[-1]["outcome"] == "roster imported"


def test_source_that_is_called_in_a_format_that_nobody_prepared_has_its_roster_from_a_file(
    run: Run, signed_in: Path
) -> None:
    text = (signed_in / "gateway.yaml").read_text(encoding="utf-8")
    line = next(one for one in text.splitlines() if one.startswith("    schemas: "))
    called = text.replace(line, "    url: https://lvs.example\n    schemas: [eigen-formaat]")
    (signed_in / "gateway.yaml").write_text(called, encoding="utf-8")

    assert "oost\t1" in imported(run, signed_in, "pupil,location,begin\n1,oost,2026-08-01\n")


def test_whoever_a_later_file_does_not_name_has_left_that_location_only(run: Run, signed_in: Path) -> None:
    imported(run, signed_in, "pupil,location,begin\n1,oost,2026-08-01\n2,west,2026-08-01\n")
    imported(run, signed_in, "pupil,location,begin\n3,oost,2026-08-01\n")
    with open_school(signed_in) as school:
        there = [[one.location for one in pupil(school, "lvs", number).enrolments] for number in "123"]
    assert there == [[], ["west"], ["oost"]]


def test_file_with_problems_is_told_whole_and_changes_nothing(run: Run, signed_in: Path) -> None:
    text = "pupil,location,begin,end\n1,oost,2026-08-01,2026-07-01\n2,noord,2026-08-01,\n3,oost,gisteren,\n"
    said = imported(run, signed_in, text, code=1)
    assert "3 problems" in said
    assert "roster.csv:3: 'location' is none of gateway.yaml (R68)" in said
    assert "gisteren" not in said
    assert "names no pupil" in imported(run, signed_in, "pupil,location,begin\n", code=3)


EDEX = """<?xml version="1.0" encoding="UTF-8"?>
<EDEX><school><brincode>00YY</brincode>{part}</school><leerlingen><leerling key="00123"><jaargroep>7</jaargroep>
<groep key="g1"/><instroomdatum>2026-08-01</instroomdatum></leerling></leerlingen></EDEX>"""


@pytest.mark.parametrize(("part", "place"), [("", "oost"), ("<dependancecode>01</dependancecode>", "west")])
def test_roster_from_edexml_is_that_of_the_location_it_names(run: Run, signed_in: Path, part: str, place: str) -> None:
    assert f"{place}\t1" in imported(run, signed_in, EDEX.format(part=part))
    with open_school(signed_in) as school:
        found = pupil(school, "lvs", "00123")
    assert [(one.location, one.year) for one in found.enrolments] == [(place, 7)]
    assert found.groups == {"g1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (EDEX.format(part="<dependancecode>09</dependancecode>"), "'school' is no location of gateway.yaml"),
        ("<EDEX><school>", "no document of EDEXML that can be read whole"),
        ("<!DOCTYPE a><EDEX/>", "no document of EDEXML that can be read whole"),
    ],
)
def test_document_of_another_school_and_one_that_cannot_be_read_change_nothing(
    run: Run, signed_in: Path, text: str, said: str
) -> None:
    assert said in imported(run, signed_in, text, code=1)


def test_source_that_is_not_called_is_not_synchronised(run: Run, signed_in: Path) -> None:
    assert "roster import" in run("roster", "sync", "lvs", "-C", str(signed_in), code=2)


def test_version_is_the_installed_packages() -> None:
    assert invoke("--version").stdout == f"{metadata.version('dataminimalisatie-gateway')}\n"
