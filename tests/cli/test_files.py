"""`gateway filter`: a file in, a file out with its cover, a report; nothing at all when something is wrong."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import acts, facts, session
from gateway.bootstrap.files import Given, filter_files
from gateway.bootstrap.school import Refused, clock, legal_today, open_school, random
from gateway.core.model import Enrolment, Person
from gateway.core.persons import Held, PersonRole
from gateway.transfer.filing import Wanted
from gateway.transfer.ports import Observation
from tests.builders_oneroster import files, unzipped, user, zipped
from tests.cli.conftest import CommandLine
from tests.commands import invoke
from tests.simulators.persons import somebody

ASKED = ("--recipient", "toetsbureau", "--purpose", "papieren-toets", "--schema", "edu-v-students")
COMMON = ("filter", *ASKED)
PUPILS = 4


@pytest.fixture
def gateway(gateway: CommandLine) -> CommandLine:
    """Pupils 1-4 at noord, the bureau activated, facts declared, a releaser signed in."""
    with open_school(gateway.directory) as school:
        _enrol(Subjects(school.database, school.store_keys))
        acts.activate(school, "toetsbureau", somebody(), "toets")
        for kind, place, declared, _ in facts.status(school).declared:
            if declared is None:
                facts.declare(school, somebody(), [kind], [place], "begin")
        session.add_first_person(school, "r", [Held(PersonRole.RELEASER)], session.new_credentials())
        session.accept_statement(school, somebody("r"))
        session.keep_session(school, "r", school.sign_in_rules())
        return CommandLine(gateway.directory, session.session_file(gateway.directory))


def _enrol(subjects: Subjects) -> None:
    enrolment = Enrolment("noord", 1, legal_today() - timedelta(days=30), None)
    seen = [Observation(Person.PUPIL, {"las-key": f"las-{n}"}, (enrolment,)) for n in range(1, PUPILS + 1)]
    subjects.learn("lvs", {"noord": seen}, clock(), random)
    subjects.learn("lvs", {"zuid": []}, clock(), random)


def student(number: int) -> dict[str, Any]:
    return {
        "userIds": [{"userId": f"las-{number}", "userIdType": "ASI"}],
        "givenName": f"Geheim{number}",
        "familyName": "Achternaam",
        "bsn": "999990019",
        "toestemming": {"beeld": True},
        "status": "active",
        "dateCreated": "2024-08-01T00:00:00Z",
        "dateLastModified": "2024-08-01T00:00:00Z",
    }


def a_file(folder: Path, *numbers: int, name: str = "Achternaam, Geheim1.json") -> Path:
    path = folder / name
    path.write_bytes(orjson.dumps([student(number) for number in numbers or range(1, PUPILS + 1)]))
    return path


def entries(gateway: CommandLine) -> list[dict[str, Any]]:
    with open_school(gateway.directory) as school:
        return acts.entries(school, 100, None)


def test_file_comes_out_with_its_cover_and_report(gateway: CommandLine, tmp_path: Path) -> None:
    out, told = tmp_path / "uit.json", tmp_path / "verslag.json"
    said = gateway(*COMMON, str(a_file(tmp_path, 1, 2, 3, 4, 9)), "-o", str(out), "--report", str(told))

    cover = orjson.loads((tmp_path / "uit.json.cover.json").read_bytes())
    report = orjson.loads(told.read_bytes())
    entry = next(one for one in entries(gateway) if one["kind"] == "transfer")
    assert len(orjson.loads(out.read_bytes())) == PUPILS
    assert cover["purpose"] == "papieren-toets"
    assert cover["channel"] == "portaal-toetsbureau"
    assert cover["ground"]["article6"] == "e"
    assert cover["transfers"] == report["transfers"] == [entry["id"]]
    assert (report["records"], report["released"], report["unresolved"]) == (5, 4, 1)
    assert (entry["actor"], entry["released"], entry["recipient"]) == ("r", 4, "toetsbureau")
    assert "5 records, 4 gaan mee" in said
    assert "1 van niemand die de leerlinglijst kent: PUPIL_UNRESOLVED" in said


def test_nothing_that_was_withheld_stands_in_what_was_made_or_said(gateway: CommandLine, tmp_path: Path) -> None:
    given = a_file(tmp_path)
    out, told = tmp_path / "uit.json", tmp_path / "verslag.json"
    said = gateway(*COMMON, str(given), "-o", str(out), "--report", str(told))

    made = [*tmp_path.glob("uit*"), told]
    texts = said + "".join(one.read_text() for one in made)
    assert len(made) == 3
    for word in ("Geheim", "Achternaam", "999990019", "las-", "beeld"):
        assert word not in texts
    assert {stat.S_IMODE(one.stat().st_mode) for one in made} == {0o600}


def test_recipient_whose_file_was_taken_away_gets_nothing_though_nothing_serves(
    gateway: CommandLine, tmp_path: Path
) -> None:
    (gateway.directory / "recipients" / "toetsbureau.yaml").unlink()
    said = gateway(*COMMON, str(a_file(tmp_path)), "-o", str(tmp_path / "uit.json"), code=3)
    assert "SCHEMA_NOT_ACTIVE" in said
    assert not (tmp_path / "uit.json").exists()


def test_standard_input_goes_to_standard_output(gateway: CommandLine, tmp_path: Path) -> None:
    lines = b"".join(orjson.dumps(student(number)) + b"\n" for number in (1, 2))

    environment = {"GATEWAY_SESSION": str(gateway.session)}
    done = invoke(*COMMON, "-", "-C", str(gateway.directory), typed=lines, environment=environment)

    assert done.exit_code == 0
    assert len([orjson.loads(line) for line in done.stdout.splitlines()]) == 2
    assert list(tmp_path.glob("*.cover.json")) == []


def test_folder_comes_out_whole_with_numbered_files(gateway: CommandLine, tmp_path: Path) -> None:
    given, out = tmp_path / "in", tmp_path / "uit"
    given.mkdir()
    for number in (1, 2, 3):
        a_file(given, number, name=f"Geheim{number}.json")
    (given / "Kapot Kind.json").write_bytes(b"[{")
    told = tmp_path / "verslag.json"

    said = gateway(*COMMON, str(given), "-o", str(out), "--report", str(told), code=1)

    assert sorted(one.name for one in out.iterdir()) == ["0001.json", "0002.json", "0003.json"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert orjson.loads(told.read_bytes())["refused"][0]["file"] == 4
    assert len(orjson.loads((tmp_path / "uit.cover.json").read_bytes())["transfers"]) == 3
    assert "Kind" not in said + told.read_text()


def test_folder_whose_place_is_taken_meanwhile_is_registered_as_not_left(gateway: CommandLine, tmp_path: Path) -> None:
    out = tmp_path / "uit"

    def taking() -> Iterator[bytes]:
        (out / "iets").mkdir(parents=True)
        yield orjson.dumps([student(1)])

    wanted = Wanted("lvs", "edu-v-students", "toetsbureau", "papieren-toets")
    with open_school(gateway.directory) as school, pytest.raises(Refused):
        filter_files(school, somebody("r"), wanted, "toets", Given((taking(),), folder=True), out)

    assert {"refusal", "transfer"} <= {one["kind"] for one in entries(gateway)}
    assert not (tmp_path / "uit.cover.json").exists()


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        (b"[{", 3, "BODY_INVALID"),
        (b"<OSO/>", 3, "MEDIA_TYPE_UNKNOWN"),
        (orjson.dumps([student(9)]), 3, "0 gaan mee"),
        (b"[]", 3, "0 gaan mee"),
    ],
)
def test_file_of_which_nothing_leaves_makes_nothing(
    gateway: CommandLine, tmp_path: Path, text: bytes, code: int, reason: str
) -> None:
    given, out = tmp_path / "in.json", tmp_path / "uit"
    out.mkdir()
    given.write_bytes(text)

    assert reason in gateway(*COMMON, str(given), "-o", str(out / "uit.json"), code=code)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("part_bytes", [1_000_000, 50])
def test_archives_in_a_folder_come_out_as_archives(gateway: CommandLine, tmp_path: Path, part_bytes: int) -> None:
    with (gateway.directory / "gateway.yaml").open("a") as file:
        file.write(f"  part_bytes: {part_bytes}\n")
    with open_school(gateway.directory) as school:
        acts.activate(school, "digitale-leeromgeving", somebody(), "set")
    folder, out = tmp_path / "sets", tmp_path / "uit"
    folder.mkdir()
    users = [{**user(n), "sourcedId": f"las-{n}"} for n in (1, 2)]
    for name in ("Anne.zip", "Ben.zip"):
        (folder / name).write_bytes(zipped({"orgs": files()["orgs"], "users": users}))
    asked = ("--recipient", "digitale-leeromgeving", "--purpose", "klassen-inrichten", "--schema", "oneroster-csv")

    said = gateway("filter", *asked, str(folder), "-o", str(out))

    assert sorted(one.name for one in out.iterdir()) == ["0001.zip", "0002.zip"]
    assert [len(unzipped(one.read_bytes())["users"]) for one in out.iterdir()] == [2, 2]
    assert "Anne" not in said
    assert orjson.loads((tmp_path / "uit.cover.json").read_bytes())["record"] == "*"


def test_delivery_that_the_recipient_calls_for_takes_no_file(gateway: CommandLine, tmp_path: Path) -> None:
    asked = ("--recipient", "uitgever-zuid", "--purpose", "toegang-leermiddel", "--schema", "edu-v-students")
    with open_school(gateway.directory) as school:
        acts.activate(school, "uitgever-zuid", somebody(), "toets")

    said = gateway("filter", *asked, str(a_file(tmp_path)), "-o", str(tmp_path / "uit.json"), code=3)

    assert "CHANNEL_NOT_ALLOWED" in said
    assert "recipients/, als channel" in said
    assert entries(gateway)[-1]["reasons"] == ["CHANNEL_NOT_ALLOWED"]


def test_what_is_there_is_not_written_over(gateway: CommandLine, tmp_path: Path) -> None:
    before = len(entries(gateway))
    asked = [*COMMON, str(a_file(tmp_path)), "-o", str(tmp_path / "uit.json")]
    for name in ("uit.json", "uit.json.cover.json", "verslag.json"):
        (tmp_path / name).write_bytes(b"ours")
        said = gateway(*asked, "--report", str(tmp_path / "verslag.json"), code=2)
        assert f"{name} exists already" in said
        (tmp_path / name).unlink()

    assert len(entries(gateway)) == before


def test_only_a_releaser_filters_and_the_attempt_is_registered(gateway: CommandLine, tmp_path: Path) -> None:
    with open_school(gateway.directory) as school:
        session.change_roles(school, somebody(), "r", [Held(PersonRole.FG)], [Held(PersonRole.RELEASER)], "weg")
        session.keep_session(school, "r", school.sign_in_rules())

    said = gateway(*COMMON, str(a_file(tmp_path)), "-o", str(tmp_path / "uit.json"), code=3)

    assert "needs the role releaser" in said
    assert "deed: file.filter" in entries(gateway)[-1]["detail"]
    assert not (tmp_path / "uit.json").exists()


def test_kind_of_record_is_asked_for_where_there_are_several(gateway: CommandLine, tmp_path: Path) -> None:
    asked = ("--recipient", "toetsaanbieder", "--purpose", "toetsafname", "--schema", "edu-v-association")
    with open_school(gateway.directory) as school:
        acts.activate(school, "toetsaanbieder", somebody(), "toets")

    said = gateway("filter", *asked, str(a_file(tmp_path)), "-o", str(tmp_path / "uit.json"), code=3)

    assert "record: Enrollment, Group" in said


def test_set_of_csv_files_is_not_exported_and_the_reason_is_told(gateway: CommandLine, tmp_path: Path) -> None:
    with open_school(gateway.directory) as school:
        acts.activate(school, "digitale-leeromgeving", somebody(), "afgesproken")
    asked = ("--recipient", "digitale-leeromgeving", "--purpose", "klassen-inrichten", "--schema", "oneroster-csv")

    said = gateway("export", *asked, "-o", str(tmp_path / "uit.zip"), code=3)

    assert "ROUTE_UNKNOWN" in said
    assert "de bron geeft van deze records geen lijst per locatie" in said


def test_missing_input_and_folder_are_bad_usage(gateway: CommandLine, tmp_path: Path) -> None:
    missing = gateway(*COMMON, str(tmp_path / "none.json"), code=2)
    nowhere = gateway(*COMMON, str(a_file(tmp_path)), "-o", str(tmp_path / "none" / "uit.json"), code=2)
    folder = gateway(*COMMON, str(tmp_path), code=2)

    assert missing == "there is no such file or folder\n"
    assert nowhere == "there is no folder for uit.json: make it first\n"
    assert folder == "a folder of files takes -o FOLDER\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_folder_in_which_nothing_may_be_written_is_told_before_anything_is_read(
    gateway: CommandLine, tmp_path: Path
) -> None:
    given, closed = a_file(tmp_path), tmp_path / "closed"
    closed.mkdir(mode=0o500)

    said = gateway(*COMMON, str(given), "-o", str(closed / "uit.json"), code=2)

    assert said == "you may not write in the folder of uit.json: give another\n"


@pytest.mark.parametrize(
    ("option", "name", "meant"),
    [
        ("--recipient", "toetsburo", "bedoelt u toetsbureau"),
        ("--purpose", "papieren-tots", "bedoelt u papieren-toets?"),
        ("--recipient", "xyzzy", "gateway recipient list"),
    ],
)
def test_misspelt_name_is_told_with_what_is_much_like_it(
    gateway: CommandLine, tmp_path: Path, option: str, name: str, meant: str
) -> None:
    asked = list(ASKED)
    asked[asked.index(option) + 1] = name

    said = gateway("filter", *asked, str(a_file(tmp_path)), "-o", str(tmp_path / "uit.json"), code=3)

    assert f"{option.removeprefix('--').upper()}_UNKNOWN" in said
    assert meant in said


def test_explanation_of_a_misspelt_recipient_says_what_is_much_like_it(gateway: CommandLine) -> None:
    said = gateway("explain", "--recipient", "toetsburo", "--purpose", "papieren-toets")

    assert "RECIPIENT_UNKNOWN" in said
    assert "Bedoelt u toetsbureau" in said


def test_what_was_refused_in_a_folder_says_what_to_do_next(gateway: CommandLine, tmp_path: Path) -> None:
    given = tmp_path / "in"
    given.mkdir()
    (given / "1.json").write_bytes(b"<dossier/>")
    (given / "2.json").write_bytes(b"[{")

    said = gateway(*COMMON, str(given), "-o", str(tmp_path / "uit"), code=3)

    assert "de bestanden zijn genummerd in de volgorde van hun namen" in said
    assert "klopt --schema?" in said
    assert "Haal het anders opnieuw op" in said
    assert "(het bestand is niet af)" in said


def test_interrupt_ends_the_waiting_for_standard_input() -> None:
    with subprocess.Popen([sys.executable, "-c", _WAITS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waits\n"
        assert _ended_by_interrupts(process) not in (None, 0)


def _ended_by_interrupts(process: subprocess.Popen[bytes]) -> int | None:
    """Python drops one that falls into a finaliser; a person presses the keys again."""
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(20)
    process.kill()
    return None


_WAITS = """
import asyncio, time
from gateway.bootstrap.files import streamed
class File:
    def read(self, size):
        print("waits", flush=True)
        time.sleep(60)
async def main():
    for chunk in streamed(File()).files[0]:
        pass
asyncio.run(main())
"""
