"""`gateway export` over the demo's LVS: whole or not at all, gone on with after a kill, everybody once."""

from __future__ import annotations

import asyncio
import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from gateway.adapters.database import tables
from gateway.adapters.facts.store import Entered, enter
from gateway.bootstrap import acts, exports, facts, session
from gateway.bootstrap.export_jobs import forget_old, jobs_of
from gateway.bootstrap.office import open_office, synchronise
from gateway.bootstrap.school import Refused, create_key, legal_today, open_school
from gateway.bootstrap.templates import SHARE, answered
from gateway.cli.exports import interrupted
from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.file_forms import Form
from gateway.core.persons import Held, PersonRole
from gateway.core.reasons import Reason
from gateway.demo.control import Fault
from gateway.demo.directory import Ports, make_directory
from gateway.demo.lvs import DemoLvs, make_lvs
from gateway.demo.server import running
from gateway.transfer.filing import Wanted
from gateway.transfer.pages import Exported, Progress
from tests.commands import Said, invoke
from tests.servers import Turn, answer, counting_bytes, free_port, scripted
from tests.simulators.persons import somebody
from tests.simulators.sftp import sftp_server

WANTED = Wanted("lvs", "edu-v-students", "toetsbureau", "papieren-toets")
WHO = somebody("j.jansen")
FORMS = {".ndjson": Form.LINES, ".csv": Form.TABLE}


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Exporting:
    """A school with the demo's LVS, of which exports are made."""

    directory: Path
    folder: Path
    lvs: DemoLvs

    def run(
        self,
        output: str | None = "uit.json",
        watch: Callable[[Progress], None] = lambda _: None,
        *,
        to: str | None = None,
        anew: bool = False,
    ) -> tuple[Exported, bool]:
        form = FORMS.get(Path(output or "").suffix, Form.ARRAY)
        with open_school(self.directory) as school:
            order = exports.Order(WANTED, form, self.folder / output if output else None, to, anew, ("Student",))
            return exports.export(school, WHO, order, "toets", watch)

    def make(self, output: str, schema: str, form: Form, container: str, *records: str) -> tuple[Exported, bool]:
        """In a zip or a folder."""
        with open_school(self.directory) as school:
            wanted = replace(WANTED, schema=schema)
            order = exports.Order(wanted, form, self.folder / output, None, False, records, container)
            return exports.export(school, WHO, order, "toets", lambda _: None)

    def get_groups(self) -> None:
        """The bureau gets them too, as the test provider does."""
        recipients = self.directory / "recipients"
        provider = (recipients / "toetsaanbieder.yaml").read_text()
        groups = provider[provider.index("        Group:\n") : provider.index("      edu-v-results:\n")]
        with (recipients / "toetsbureau.yaml").open("a") as file:
            file.write(groups)
        with open_school(self.directory) as school:
            acts.activate(school, "toetsbureau", somebody(), "afgesproken")

    def agree(self, url: str, *, listed: bool = True, more: str = "") -> None:
        """The bureau takes files at this address; `listed`: as the agreement says; `more`: of the endpoint."""
        settings, recipient = self.directory / "gateway.yaml", self.directory / "recipients" / "toetsbureau.yaml"
        edited(settings, "endpoints:\n", f"endpoints:\n  bureau:\n    url: {url}/drop\n{more}")
        if listed:
            edited(recipient, "  sub_processors: []\n", "  endpoints: [bureau]\n  sub_processors: []\n")
            with open_school(self.directory) as school:
                acts.activate(school, "toetsbureau", somebody(), "afgesproken")

    def killed(
        self, at: int, output: str = "uit.json", then: Callable[[], None] = lambda: None, doing: str = ""
    ) -> bool:
        """Whether a run was killed at this step (of those that do this)."""
        steps = 0

        def watch(how_far: Progress) -> None:
            nonlocal steps
            steps += how_far.doing.startswith(doing)
            if steps == at:
                then()
                raise Killed

        try:
            self.run(output, watch)
        except Killed:
            return True
        return False

    def entries(self) -> list[dict[str, Any]]:
        with open_school(self.directory) as school:
            return acts.entries(school, 100_000, None)

    def parts(self) -> list[dict[str, Any]]:
        """What the register says of all exports."""
        return [entry for entry in self.entries() if "part_of" in entry]

    def left(self) -> list[Path]:
        """What is kept of jobs that are not over."""
        return list((self.directory / "exports").iterdir())

    def restrict(self, pseudonym: str) -> None:
        """The pupil whom the bureau knows so."""
        with open_school(self.directory) as school:
            issue = school.world().issued("toetsbureau", pseudonym, "pupil")
            assert issue is not None
            assert issue.owner is not None
            restriction = Entered(issue.owner, Restriction(ground=RestrictionGround.ACCURACY))
            enter(school.database, school.store_keys, school.told(somebody(), "bezwaar"), [restriction])

    def made(self, output: str = "uit.json") -> bytes:
        return (self.folder / output).read_bytes()


def edited(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def pseudonyms(text: bytes) -> list[str]:
    """In the order in which they leave."""
    return [one["userIds"][0]["userId"] for one in orjson.loads(text)]


@pytest.fixture(scope="module")
def lvs() -> Iterator[tuple[DemoLvs, int]]:
    made = make_lvs(1, legal_today(), "gateway", "secret", counting_bytes())
    with running(made.app) as url:
        yield made, int(url.rpartition(":")[2])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, lvs: tuple[DemoLvs, int]) -> Path:
    """The roster is known, the bureau activated, the facts are declared."""
    place, port = tmp_path_factory.mktemp("prepared"), lvs[1]
    directory = place / "school"
    make_directory(directory, SHARE, Ports(port + 1, port + 2, port), "secret", legal_today(), answered)
    with (directory / "gateway.yaml").open("a") as file:
        file.write("  part_bytes: 200000\n")
    create_key(directory)
    asyncio.run(synchronise(directory, "lvs"))
    with open_school(directory) as school:
        acts.activate(school, "toetsbureau", somebody(), "toets")
        for kind, location, declared, _ in facts.status(school).declared:
            if declared is None:
                facts.declare(school, somebody(), [kind], [location], "begin")
        session.add_first_person(school, WHO.name, [Held(PersonRole.RELEASER)], session.new_credentials())
        session.accept_statement(school, WHO)
        session.keep_session(school, WHO.name, school.sign_in_rules())
    (place / "out").mkdir()
    return place


@pytest.fixture
def exporting(tmp_path: Path, prepared: Path, lvs: tuple[DemoLvs, int]) -> Exporting:
    shutil.copytree(prepared, tmp_path / "copy")
    return Exporting(tmp_path / "copy" / "school", tmp_path / "copy" / "out", lvs[0])


def test_everybody_leaves_once_in_pseudonym_order_with_an_entry(exporting: Exporting) -> None:
    exported, goes_on = exporting.run()

    found = pseudonyms(exporting.made())
    assert (exported.stop, goes_on) == (None, False)
    assert found == sorted(set(found))
    assert len(found) == exported.tally.released > 500
    assert sum(entry.get("released", 0) for entry in exporting.parts()) >= len(found)
    assert sorted(one.name for one in exporting.folder.iterdir()) == ["uit.json", "uit.json.cover.json"]


def test_register_tells_parts_and_a_closing_with_what_was_handed_over(exporting: Exporting) -> None:
    exported, _ = exporting.run()

    *parts, closing = exporting.parts()
    assert {entry["kind"] for entry in parts} == {"part"}
    assert [entry["part"] for entry in parts] == list(range(1, exported.parts + 1))
    assert (closing["kind"], closing["records"]) == ("closing", exported.tally.released)
    assert closing["bytes"] == len(exporting.made())
    assert {entry["actor"] for entry in (*parts, closing)} == {"j.jansen"}


def test_run_killed_at_any_step_comes_to_the_same_file(exporting: Exporting) -> None:
    exporting.run("een.json")
    at = 1
    while exporting.killed(at, f"{at}.json"):
        assert not (exporting.folder / f"{at}.json").exists()
        exporting.run(f"{at}.json")
        assert exporting.made(f"{at}.json") == exporting.made("een.json")
        at += 1

    assert at > 8
    assert exporting.left() == []
    with open_school(exporting.directory) as school:
        assert acts.verify(school, None).ok


def test_run_that_is_killed_after_every_part_registers_nobody_twice(exporting: Exporting) -> None:
    whole, _ = exporting.run("een.json")
    for _ in range(whole.parts):
        assert exporting.killed(1, doing="part")
    exporting.run()

    assert exporting.made() == exporting.made("een.json")
    assert len(exporting.parts()) == 2 * (whole.parts + 1)


def test_restriction_set_while_it_was_killed_counts_for_whom_it_concerns(exporting: Exporting) -> None:
    exporting.run("een.json")
    before = pseudonyms(exporting.made("een.json"))
    assert exporting.killed(3, doing="part", then=lambda: exporting.restrict(before[0]))

    exported, _ = exporting.run()

    assert pseudonyms(exporting.made()) == before[1:]
    assert exported.tally.withheld[Reason.PUPIL_RESTRICTED] > 0


def test_restriction_set_before_it_is_handed_over_is_seen_in_the_last_look(exporting: Exporting) -> None:
    exporting.run("een.json")
    first, *others = pseudonyms(exporting.made("een.json"))
    restricted: list[str] = []

    def watch(how_far: Progress) -> None:
        if how_far.doing == "writing" and not restricted:
            restricted.append(first)
            exporting.restrict(first)

    exported, _ = exporting.run(watch=watch)

    assert (exported.stop, pseudonyms(exporting.made())) == (None, others)
    assert "FACTS_CHANGED" in {reason for entry in exporting.parts() for reason in entry.get("reasons", [])}


def test_suspended_recipient_gets_nothing_of_a_run_that_was_begun(exporting: Exporting) -> None:
    def watch(how_far: Progress) -> None:
        if how_far.doing == "writing":
            with open_school(exporting.directory) as school:
                acts.suspend(school, "toetsbureau", somebody(), "lek")

    exported, goes_on = exporting.run(watch=watch)

    assert exported.stop is not None
    assert not goes_on
    assert list(exporting.folder.iterdir()) == exporting.left() == []


def test_file_of_the_recipient_that_is_narrowed_while_it_runs_holds_for_all_of_it(exporting: Exporting) -> None:
    exporting.run("een.json")
    recipient = exporting.directory / "recipients" / "toetsbureau.yaml"

    def watch(how_far: Progress) -> None:
        if how_far.doing == "part" and "rows" not in recipient.read_text():
            edited(recipient, "    pseudonym: hmac\n", "    rows: {years: [1]}\n    pseudonym: hmac\n")

    exported, _ = exporting.run(watch=watch)

    assert exported.stop is None
    assert 0 < len(pseudonyms(exporting.made())) < len(pseudonyms(exporting.made("een.json")))


def test_recipient_whose_file_is_taken_away_before_it_is_handed_over_gets_nothing(exporting: Exporting) -> None:
    def watch(how_far: Progress) -> None:
        if how_far.doing == "looking":
            (exporting.directory / "recipients" / "toetsbureau.yaml").unlink(missing_ok=True)

    exported, goes_on = exporting.run(watch=watch)

    assert exported.stop is not None
    assert exported.stop.reason is Reason.SCHEMA_NOT_ACTIVE
    assert not goes_on
    assert list(exporting.folder.iterdir()) == exporting.left() == []


def test_file_of_a_job_opens_for_nobody_and_is_gone_at_the_end(exporting: Exporting) -> None:
    assert exporting.killed(3, doing="part")
    (rows,) = exporting.left()
    assert rows.stat().st_size > 1_000
    assert b"userId" not in rows.read_bytes()

    exporting.run()

    assert exporting.left() == []


def test_job_can_be_begun_anew(exporting: Exporting) -> None:
    assert exporting.killed(3, doing="part")

    exported, _ = exporting.run(anew=True)

    assert exported.stop is None
    assert "export dropped" in {entry["outcome"] for entry in exporting.entries()}


async def housekeeping(exporting: Exporting) -> None:
    async with open_office(exporting.directory, exporting.folder) as office:
        office.forget_exports()


def grow_old(exporting: Exporting) -> None:
    with open_school(exporting.directory) as school, school.database.write() as connection:
        connection.execute(sa.update(tables.export).values(moment="2020-01-01T00:00:00.000000Z"))


def test_job_that_was_killed_a_day_ago_is_gone_though_nobody_exports(exporting: Exporting) -> None:
    assert exporting.killed(3, doing="part")
    (rows,) = exporting.left()
    rows.with_name(f".{rows.stem}.json.x.part").write_bytes(b"[]")  # killed while it wrote what it would send

    asyncio.run(housekeeping(exporting))
    assert len(exporting.left()) == 2
    grow_old(exporting)
    asyncio.run(housekeeping(exporting))

    assert exporting.left() == []
    with open_school(exporting.directory) as school:
        assert jobs_of(school).open() == []
    assert ("gateway", "export dropped") in {(entry["actor"], entry["outcome"]) for entry in exporting.entries()}


def test_job_that_runs_for_a_day_is_left_alone(exporting: Exporting) -> None:
    def watch(how_far: Progress) -> None:
        if how_far.doing == "writing":
            grow_old(exporting)
            with open_school(exporting.directory) as school:
                assert forget_old(school) == 0

    exported, _ = exporting.run(watch=watch)

    assert exported.stop is None
    assert pseudonyms(exporting.made())


def test_source_that_fails_lets_the_same_command_go_on(exporting: Exporting) -> None:
    def watch(how_far: Progress) -> None:
        if how_far.doing == "part" and not exporting.lvs.control.calls[-1]["path"].startswith("/-/"):
            exporting.lvs.control.fault = Fault("broken-before", 1)

    stopped, goes_on = exporting.run(watch=watch)
    exporting.lvs.control.fault = None
    exported, _ = exporting.run()

    assert stopped.stop is not None
    assert (stopped.stop.reason, goes_on) == (Reason.UPSTREAM_FAILED, True)
    assert (exported.stop, exported.parts > stopped.parts) == (None, True)


def test_what_is_there_is_not_written_over(exporting: Exporting) -> None:
    (exporting.folder / "uit.json").write_bytes(b"ours")

    with pytest.raises(Refused):
        exporting.run()

    assert exporting.made() == b"ours"


def test_table_for_a_spreadsheet_has_a_row_for_everybody(exporting: Exporting) -> None:
    exported, _ = exporting.run("uit.csv")

    head, *rows = exporting.made("uit.csv").decode("utf-8-sig").splitlines()
    assert head.startswith("userIds.userId;userIds.userIdType;")
    assert len(rows) == exported.tally.released
    assert len({row.partition(";")[0] for row in rows}) == len(rows)


def test_endpoint_of_the_agreement_gets_the_cover_and_then_the_file(exporting: Exporting) -> None:
    created = answer(b"", status=b"201 Created")
    with scripted(Turn([created]), Turn([created])) as server:
        exporting.agree(server.url)
        exported, goes_on = exporting.run(None, to="bureau")

    cover, file = (request.partition(b"\r\n\r\n") for request in server.requests)
    name = f"/drop/{exported.trail.id}.json"
    assert (exported.stop, goes_on) == (None, False)
    assert file[0].startswith(f"PUT {name} HTTP/1.1\r\n".encode())
    assert cover[0].startswith(f"PUT {name}.cover.json HTTP/1.1\r\n".encode())
    assert orjson.loads(cover[2])["purpose"] == "papieren-toets"
    assert len(pseudonyms(file[2])) == exported.tally.released
    assert exporting.left() == []


def test_endpoint_gets_a_zip_with_a_table_for_each_kind_of_record(exporting: Exporting) -> None:
    exporting.get_groups()
    created = answer(b"", status=b"201 Created")
    with scripted(Turn([created]), Turn([created])) as server:
        exporting.agree(server.url)
        asked = ["--to", "bureau", "--zip", "--record", "Enrollment", "--record", "Group"]
        done = cli(exporting, *asked, schema="edu-v-association")

    head, _, body = server.requests[1].partition(b"\r\n\r\n")
    assert done.exit_code == 0, done.output
    assert b".zip HTTP/1.1\r\n" in head
    assert b"content-type: application/zip" in head.lower()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert set(archive.namelist()) == {"Enrollment.csv", "Group.csv"}


def test_sftp_server_of_the_agreement_gets_a_zip_and_its_cover(exporting: Exporting, tmp_path: Path) -> None:
    exporting.get_groups()
    with sftp_server(tmp_path) as server:
        (server.folder / "drop").mkdir()
        exporting.agree(server.url, more=f'    host_key: "{server.host_key}"\n    identity: file:{server.identity}\n')
        asked = ["--to", "bureau", "--zip", "--record", "Enrollment", "--record", "Group"]
        done = cli(exporting, *asked, schema="edu-v-association")

    assert done.exit_code == 0, done.output
    taken = {one.name: one.read_bytes() for one in (server.folder / "drop").iterdir()}
    (name,) = (one for one in taken if one.endswith(".zip"))
    assert set(taken) == {name, f"{name}.cover.json"}
    assert orjson.loads(taken[f"{name}.cover.json"])["purpose"] == "papieren-toets"
    with zipfile.ZipFile(io.BytesIO(taken[name])) as archive:
        assert set(archive.namelist()) == {"Enrollment.csv", "Group.csv"}
    assert [entry["kind"] for entry in exporting.parts()][-1] == "closing"
    assert exporting.left() == []


def test_endpoint_that_was_not_reached_is_tried_again_by_the_same_command(exporting: Exporting) -> None:
    exporting.agree(f"http://127.0.0.1:{free_port()}")
    stopped, goes_on = exporting.run(None, to="bureau")
    registered = len(exporting.parts())

    again, _ = exporting.run(None, to="bureau")

    assert stopped.stop is not None
    assert (stopped.stop.reason, goes_on) == (Reason.NOT_SENT, True)
    assert again.trail.id == stopped.trail.id
    assert {entry["kind"] for entry in exporting.parts()[registered:]} == {"closing", "refusal"}


def test_endpoint_that_nobody_described_is_no_endpoint(exporting: Exporting) -> None:
    with pytest.raises(Refused):
        exporting.run(None, to="elders")


def test_run_that_was_killed_when_all_was_done_is_done(exporting: Exporting) -> None:
    exporting.run("een.json")

    def watch(how_far: Progress) -> None:
        if how_far.doing == "handing over":
            (exporting.folder / "uit.json").hardlink_to(exporting.folder / "een.json")
            raise Killed

    with pytest.raises(Killed):
        exporting.run(watch=watch)
    exported, goes_on = exporting.run()

    assert (exported.stop, goes_on) == (None, False)
    assert exported.tally.released == len(pseudonyms(exporting.made()))
    assert exporting.left() == []


def test_endpoint_that_the_agreement_does_not_list_gets_nothing(exporting: Exporting) -> None:
    """R75, R109."""
    exporting.agree(f"http://127.0.0.1:{free_port()}", listed=False)
    before = len(exporting.lvs.control.calls)

    exported, _ = exporting.run(None, to="bureau")

    assert exported.stop is not None
    assert exported.stop.reason is Reason.SUBPROCESSOR_UNKNOWN
    assert len(exporting.lvs.control.calls) == before
    assert exporting.entries()[-1]["reasons"] == ["SUBPROCESSOR_UNKNOWN"]


def test_zip_holds_a_table_for_each_kind_of_record(exporting: Exporting) -> None:
    exporting.get_groups()
    exported, _ = exporting.make("uit.zip", "edu-v-association", Form.TABLE, "zip", "Enrollment", "Group")

    with zipfile.ZipFile(exporting.folder / "uit.zip") as archive:
        tables = {name: archive.read(name).decode("utf-8-sig").splitlines() for name in archive.namelist()}
    cover = orjson.loads(exporting.made("uit.zip.cover.json"))
    assert tables.keys() == {"Enrollment.csv", "Group.csv"}
    assert sum(len(rows) - 1 for rows in tables.values()) == exported.tally.released == cover["records"]
    assert cover["record"] == ["Enrollment", "Group"]


def test_folder_is_there_whole_with_numbered_files(exporting: Exporting) -> None:
    exporting.run("een.json")
    exported, _ = exporting.make("uit", "edu-v-students", Form.ARRAY, "folder", "Student")

    assert [one.name for one in (exporting.folder / "uit").iterdir()] == ["0001.json"]
    assert exporting.made("uit/0001.json") == exporting.made("een.json")
    assert exported.stop is None


def test_what_a_killed_run_had_begun_to_write_is_gone(exporting: Exporting) -> None:
    left = exporting.folder / ".uit.json.4711.part"
    left.write_bytes(b"half")

    exporting.run()

    assert not left.exists()


# -- the command line ------------------------------------------------------------------------------------


def cli(exporting: Exporting, *arguments: str, recipient: str = "toetsbureau", schema: str = "edu-v-students") -> Said:
    asked = ["--recipient", recipient, "--purpose", "papieren-toets", "--schema", schema]
    where = ["-C", str(exporting.directory)]
    return invoke("export", *asked, *arguments, *where)


def test_command_tells_how_far_it_is_and_what_became_of_it(exporting: Exporting) -> None:
    output, report = exporting.folder / "uit.json", exporting.folder / "verslag.json"
    done = cli(exporting, "-o", str(output), "--report", str(report), "--json")

    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0, done.output
    assert {"reading", "part", "writing", "looking", "handing over", "done"} == {line["doing"] for line in lines}
    assert lines[-1]["report"] == orjson.loads(report.read_bytes())
    assert lines[-1]["report"]["released"] == len(pseudonyms(exporting.made()))


def test_command_without_a_terminal_tells_lines(exporting: Exporting) -> None:
    done = cli(exporting, "-o", str(exporting.folder / "uit.csv"))

    assert done.exit_code == 0, done.output
    assert "overdragen: " in done.output
    assert "in het register als " in done.output
    assert "in meer dan één lijst, die één keer meegaat" in done.output


def test_command_that_is_interrupted_says_that_it_goes_on(
    exporting: Exporting, capsys: pytest.CaptureFixture[str]
) -> None:
    def hangs_up(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), interrupted():
        exporting.run("uit.json", hangs_up)

    assert "dezelfde opdracht gaat hier binnen een dag verder" in capsys.readouterr().err
    assert exporting.run("uit.json")[1] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ["--to", "bureau", "--zip", "--folder"],
        [],
        ["-o", "uit.json", "--to", "bureau"],
        ["-o", "uit"],
        ["-o", "none/uit.json"],
        ["--to", "bureau", "--folder"],
    ],
)
def test_command_that_says_no_place_is_bad_usage(exporting: Exporting, arguments: list[str]) -> None:
    assert cli(exporting, *arguments).exit_code == 2


def test_command_that_is_refused_says_why_and_makes_nothing(exporting: Exporting) -> None:
    done = cli(exporting, "-o", str(exporting.folder / "uit.json"), recipient="onbekend")

    assert done.exit_code == 3
    assert "RECIPIENT_UNKNOWN" in done.output
    assert list(exporting.folder.iterdir()) == exporting.left() == []


def test_only_a_releaser_exports_and_the_attempt_is_registered(exporting: Exporting) -> None:
    with open_school(exporting.directory) as school:
        session.change_roles(school, somebody(), WHO.name, [Held(PersonRole.FG)], [Held(PersonRole.RELEASER)], "weg")
        session.keep_session(school, WHO.name, school.sign_in_rules())

    done = cli(exporting, "-o", str(exporting.folder / "uit.json"))

    assert done.exit_code == 3
    assert "deed: records.export" in exporting.entries()[-1]["detail"]
