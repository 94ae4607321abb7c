"""One-off permits and holds on the demo, from outside: what leaves on one, and who sees anything of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.journeys.driving import STUDENTS, Demo, Vendor, free_ports, replace_text, run, start, until
from tests.journeys.office import Colleague
from tests.transfer.test_review import TEXT as CARE

pytestmark = pytest.mark.journey

SAFETY = ("permit", "make", "safety", "--recipient", "veilig-thuis", "--category", "name", "--category", "address")
WHY = ("--reason", "vermoeden van mishandeling, stap 5 van de meldcode")
POLICE = {
    "order": "126nd",
    "authority": "officier van justitie te Noordstad",
    "issued": "2026-01-15",
    "case": "PL-2026-0001",
    "document": "ab" * 32,
    "categories": ["name", "address"],
}
NO = {
    "giver": "moeder-1",
    "capacity": "parent",
    "extract": "2026-01-01",
    "answer": "no",
    "given": "2026-01-15T09:00:00+01:00",
    "recipients": "veilig-thuis",
    "purpose": "melding-kindveiligheid",
    "categories": "name",
    "text": "2026-1",
    "form": "written",
}
INVESTIGATION = ("permit", "make", "investigation", "--recipient", "inspectie-onderzoek", "--category", "name")


@dataclass
class Case:
    """The demo at its command line, with pupils of noord that no other test names."""

    demo: Demo
    pupils: Iterator[dict[str, Any]]

    def __call__(self, *arguments: str, typed: str = "", code: int = 0) -> str:
        done = run(*arguments, "-C", str(self.demo.directory), typed=typed)
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout if code == 0 else done.stderr

    def made(self, *arguments: str, las_key: str, more: str = "") -> str:
        """The permit's name."""
        return self(*arguments, typed=f"{las_key}\n{more}").split()[-1]

    def record(self, kind: str, las_key: str, folder: Path, **columns: str) -> None:
        file = folder / f"{kind}.json"
        file.write_text(json.dumps([{"pupil": las_key, **columns}]))
        self(kind, "import", str(file), "--reason", "test")

    def holds(self) -> list[list[str]]:
        return [line.split("\t") for line in self("hold", "list").splitlines()]


def las_key(record: dict[str, Any]) -> str:
    return str(next(one["userId"] for one in record["userIds"] if one["userIdType"] == "ASI"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A school of its own: pupils are restricted here whom other journeys expect in their lists."""
    running = start(tmp_path_factory.mktemp("permits") / "school", free_ports())
    yield running
    running.stop()


@pytest.fixture(scope="module")
def case(demo: Demo) -> Case:
    noord = demo.lvs.everything("/students/school", orgId="01AB00", orgIdType="V_ID", filterByOrgId="true")
    return Case(demo, (one for one in noord if one["status"] == "active" and one.get("medicalNote")))


@pytest.fixture(scope="module")
def colleagues(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Colleague]]:
    """Those who may not know of a child's safety."""
    folder = tmp_path_factory.mktemp("sessions")
    found = {name: Colleague(demo, name, folder / f"{name}.session") for name in ("toestemming", "bestuur")}
    yield found
    for one in found.values():
        one("logout")


@pytest.fixture(scope="module")
def second(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Colleague]:
    colleague = Colleague(demo, "tweede", tmp_path_factory.mktemp("second") / "tweede.session")
    yield colleague
    colleague("logout")


def test_report_passes_for_a_restricted_pupil_whose_mother_refused_and_nobody_else_hears_of_it(
    case: Case, colleagues: dict[str, Colleague], tmp_path: Path
) -> None:
    student = next(case.pupils)
    case.record("restriction", las_key(student), tmp_path, ground="accuracy")
    case.record("guardian", las_key(student), tmp_path, guardian="moeder-1", capacity="parent")
    case.record("consent", las_key(student), tmp_path, **NO)
    hidden = {name: _heard(one) for name, one in colleagues.items()}

    assert "PUPIL_RESTRICTED" in case(*SAFETY, *WHY, typed=las_key(student) + "\n", code=3)
    permit = case.made(*SAFETY, *WHY, "--exception", "public-interest", las_key=las_key(student))
    case("permit", "deliver", permit, "-o", str(tmp_path / "melding.json"))

    handed = orjson.loads((tmp_path / "melding.json").read_bytes())
    (record,) = handed["data"]["edu-v-students"]["Student"]
    assert (record["givenName"], record["address"]["street"]) == (student["givenName"], student["address"]["street"])
    assert not {"medicalNote", "dateOfBirth", "userIds", "bsn"} & record.keys()
    assert (tmp_path / "melding.json").stat().st_mode & 0o777 == 0o600
    assert case.demo.entries(handed["transfers"][0])[0]["actor"] == "demo"
    for name, colleague in colleagues.items():
        colleague("permit", "list", code=3)
        colleague("permit", "show", permit, "--reason", "x", code=3)
        assert _heard(colleague) == hidden[name]


def _heard(colleague: Colleague) -> list[str]:
    """Everything this person is shown that could tell of a report, but for their own looking."""
    heard = []
    for command in (["hold", "list", "--all"], ["register", "show", "--last", "100000"], ["proposal", "list"]):
        directory = str(colleague.demo.directory)
        done = run(*command, "-C", directory, GATEWAY_SESSION=str(colleague.session))
        for line in done.stdout.splitlines():
            told = orjson.loads(line) if line.startswith("{") else {}
            if told.get("kind") in {"view", "session"} or "rows of" in str(told.get("detail")):
                continue
            if told.get("outcome") in {"refused", "facts entered"} and told.get("kind") == "change":
                continue
            heard.append(line)
    return heard


def test_police_without_an_order_get_nothing_and_the_request_is_registered(case: Case) -> None:
    student = next(case.pupils)
    asked = ("permit", "make", "police", "--recipient", "politie", "--category", "address", "--reason", "wijkagent")
    said = case(*asked, typed=f"{las_key(student)}\n", code=3)

    entry = case.demo.entries()[-1]
    assert "NO_VORDERING" in said
    assert (entry["kind"], entry["reasons"], entry["recipient"]) == ("refusal", ["NO_VORDERING"], "politie")


def test_police_with_an_order_get_what_it_names_once_a_second_person_confirmed(
    case: Case, second: Colleague, tmp_path: Path
) -> None:
    student = next(case.pupils)
    (tmp_path / "vordering.json").write_text(json.dumps(POLICE))
    asked = ("permit", "make", "police", "--recipient", "politie", "--items", str(tmp_path / "vordering.json"))
    said = case(*asked, "--reason", "vordering van 15 januari", typed=f"{las_key(student)}\n")
    number = next(word for word in said.split() if word.isdigit())
    case("proposal", "confirm", number, code=3)
    second("proposal", "confirm", number)

    permit = next(line.split("\t")[0] for line in case("permit", "list").splitlines() if "\tpolice\t" in line)
    (record,) = orjson.loads(case("permit", "deliver", permit))["data"]["edu-v-students"]["Student"]
    silent = {"status", "dateCreated", "dateLastModified"}
    assert record.keys() - silent <= {"givenName", "familyName", "familyNamePrefix", "address"}
    assert record["familyName"] == student["familyName"]


def test_emergency_opens_the_smallest_profile_at_once_and_waits_for_the_fg(case: Case) -> None:
    student = next(case.pupils)
    made = ("permit", "make", "break-glass", "--recipient", "hulpdiensten", "--reason", "ongeval op het schoolplein")
    permit = case.made(*made, las_key=las_key(student))

    (record,) = orjson.loads(case("permit", "deliver", permit))["data"]["edu-v-students"]["Student"]
    assert record["medicalNote"] == student["medicalNote"]
    assert not {"dateOfBirth", "address", "bsn"} & record.keys()
    assert "review is open" in next(one for one in case("permit", "list").splitlines() if one.startswith(permit))
    case("permit", "review", permit, "--outcome", "terecht", code=3)
    assert permit not in case("task", "list")  # the FG's, not the releaser's
    case("permit", "revoke", permit, "--reason", "voorbij")
    assert "BREAKGLASS_NOT_GRANTED" in case("permit", "deliver", permit, code=3)


def test_recipient_with_a_credential_is_refused_where_a_permit_is_needed(case: Case) -> None:
    arguments = ("client", "new", "--recipient", "hulpdiensten", "--purpose", "noodhulp")
    told = {"recipient": "hulpdiensten", **orjson.loads(case(*arguments))}
    response = Vendor(told, case.demo.told["gateway"]).get("/lvs/students/school")

    assert (response.status_code, response.headers["gateway-reason"]) == (403, "BREAKGLASS_NOT_GRANTED")


def test_pupil_restricted_after_the_permit_is_held_until_a_person_releases(
    case: Case, colleagues: dict[str, Colleague], second: Colleague, tmp_path: Path
) -> None:
    student = next(case.pupils)
    permit = case.made(*INVESTIGATION, "--reason", "onderzoek 2026-77", las_key=las_key(student), more="IvhO 2026-77\n")
    case.record("restriction", las_key(student), tmp_path, ground="accuracy")
    assert "PUPIL_RESTRICTED" in case("permit", "deliver", permit, code=3)

    (hold,) = [one for one in case.holds() if one[1] == "inspectie-onderzoek"]
    assert (hold[3], hold[4]) == ("PUPIL_RESTRICTED", "open")
    assert hold[0] in colleagues["bestuur"]("hold", "list")
    release = ("hold", "release", hold[0], "--category", "name", "--until", "2099-01-01", "--reason", "besluit")
    case(*release, code=3)  # N13: an exception of art. 18(2) is needed
    said = case(*release, "--exception", "public-interest")
    second("proposal", "confirm", next(word for word in said.split() if word.isdigit()))

    (record,) = orjson.loads(case("permit", "deliver", permit))["data"]["edu-v-students"]["Student"]
    assert record["givenName"] == student["givenName"]
    assert [one[4] for one in case.holds() if one[1] == "inspectie-onderzoek"] == []


def test_note_beside_a_diagnosis_leaves_once_two_persons_released_that_text(case: Case, second: Colleague) -> None:
    vendor = a_care_provider(case, second)
    noted = next(one for one in case.pupils if one.get("note") and not re.search(r"\d{8}", one["note"]))
    about = ("--recipient", "zorg", "--purpose", "begeleiding", "--reason", "hulp is nodig")

    assert not [one for one in vendor.get(STUDENTS).json() if one.get("note")]
    assert ["zorg", "begeleiding", "FREE_TEXT_BLOCKED", "open"] in [one[1:5] for one in case.holds()]
    waits = orjson.loads(case("text", "review", *about, typed=las_key(noted) + "\n"))
    assert not set(re.findall(r"\w+", waits["text"])) & {noted["givenName"], noted["familyName"]}
    case("text", "release", "00", *about, typed=las_key(noted) + "\n", code=3)
    case("text", "release", "geen", *about, typed=las_key(noted) + "\n", code=2)
    said = case("text", "release", waits["digest"], *about, typed=las_key(noted) + "\n")
    assert not [one for one in vendor.get(STUDENTS).json() if one.get("note")]
    second("proposal", "confirm", next(word for word in said.split() if word.isdigit()))

    (found,) = [one for one in vendor.get(STUDENTS).json() if one.get("note")]
    assert (found["familyName"], "[naam]" in found["note"]) == (noted["familyName"], "[naam]" in waits["text"])
    assert case("text", "review", *about, typed=las_key(noted) + "\n") == ""
    stored = b"".join(path.read_bytes() for path in case.demo.directory.glob("*.sqlite*"))
    assert waits["text"].encode() not in stored


def a_care_provider(case: Case, second: Colleague) -> Vendor:
    """A recipient with a standing delivery of diagnoses and notes, which two persons activated."""
    signed = re.search(r"signed: \"?([0-9-]+)", case.demo.file("uitgever-zuid").read_text(encoding="utf-8"))
    assert signed is not None
    end = (date.fromisoformat(signed.group(1)) + timedelta(days=200)).isoformat()
    text = CARE.replace("2026-01-01", signed.group(1)).replace("2027-07-31", end).replace("2028-01-01", end)
    replace_text(case.demo.file("zorg"), text)
    until(lambda: "zorg" in case("recipient", "list"))
    said = case("recipient", "activate", "zorg", "--reason", "overeenkomst van januari")
    second("proposal", "confirm", next(word for word in said.split() if word.isdigit()))
    made = orjson.loads(case("client", "new", "--recipient", "zorg", "--purpose", "begeleiding"))
    vendor = Vendor({"recipient": "zorg", "purpose": "begeleiding", **made}, case.demo.told["gateway"])
    until(lambda: vendor.get(STUDENTS).status_code == 200)
    return vendor


def test_secret_hold_is_no_case_for_the_board(case: Case, colleagues: dict[str, Colleague], tmp_path: Path) -> None:
    student = next(case.pupils)
    permit = case.made(*SAFETY, *WHY, las_key=las_key(student))
    case.record("restriction", las_key(student), tmp_path, ground="accuracy")
    case("permit", "deliver", permit, code=3)

    (hold,) = [one for one in case.holds() if one[1] == "veilig-thuis"]
    assert hold[0] not in colleagues["bestuur"]("hold", "list", "--all")
    colleagues["bestuur"]("hold", "show", hold[0], "--reason", "x", code=3)


def test_request_of_a_mother_of_an_older_pupil_is_refused(case: Case, tmp_path: Path) -> None:
    student = next(case.pupils)
    case.record("pupil", las_key(student), tmp_path, birth_date=student["dateOfBirth"])
    asked = ("permit", "make", "request", "--recipient", "op-verzoek", "--category", "name", "--reason", "naar het mbo")
    who = "representative\npaspoort getoond\n2026-01-15\nparent\n"

    said = case(*asked, typed=f"{las_key(student)}\n{who}", code=3)

    assert "CONSENT_GIVER_NOT_ENTITLED" in said
