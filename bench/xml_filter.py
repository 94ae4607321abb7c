"""A list of 1,000,000 records in XML through `gateway filter`: how much memory, how fast; adds to XML.md.

A directory as a school has it, in a temporary place; the command runs as a process of its own. The records are of
PUPILS pupils, each many times: how much memory the roster takes is measured apart (`bench.facts`). Run from the
repository's root, after `bench.xml`: python -m bench.xml_filter [records]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import acts, facts, session
from gateway.bootstrap.school import clock, legal_today, open_school, random
from gateway.core.model import Enrolment, Person
from gateway.core.persons import Held, PersonRole
from gateway.transfer.ports import Observation
from tests import builders_lists as lists
from tests.cli.conftest import command_line
from tests.simulators.persons import somebody

PUPILS = 1_000
RESULTS = Path(__file__).with_name("XML.md")
_HEADING = "\n## A whole file\n"


def directory(place: Path) -> tuple[Path, Path]:
    """A school whose source also speaks the list; and the session of who may filter."""
    made = command_line(place).directory
    (made / "schemas" / "lijst.yaml").write_text(lists.SCHEMA, encoding="utf-8")
    (made / "recipients" / f"{lists.NAME}.yaml").write_text(lists.recipient(), encoding="utf-8")
    settings = made / "gateway.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("- edu-v-students", "- edu-v-students\n      - lijst", 1), encoding="utf-8")
    with open_school(made) as school:
        enrolment = Enrolment("noord", 1, legal_today() - timedelta(days=30), None)
        seen = [Observation(Person.PUPIL, {"las-key": f"l{n}"}, (enrolment,)) for n in range(PUPILS)]
        subjects = Subjects(school.database, school.store_keys)
        subjects.learn("lvs", "noord", seen, clock(), random)
        subjects.learn("lvs", "zuid", [], clock(), random)
        acts.activate(school, lists.NAME, somebody(), "meten")
        for kind, location, declared, _ in facts.status(school).declared:
            if declared is None:
                facts.declare(school, somebody(), [kind], [location], "begin")
        session.add_first_person(school, "r", [Held(PersonRole.RELEASER)], session.new_credentials())
        session.accept_statement(school, somebody("r"))
        session.keep_session(school, "r", school.sign_in_rules())
    return made, session.session_file(made)


def write(path: Path, records: int) -> None:
    with path.open("wb") as file:
        begin, end = lists.listed("").split(b"></", 1)
        file.write(begin + b">")
        for number in range(records):
            file.write(lists.pupil(f"l{number % PUPILS}").encode())
        file.write(b"</" + end)


def run(records: int) -> str:
    with tempfile.TemporaryDirectory() as place:
        made, held = directory(Path(place))
        given, out = Path(place, "in.xml"), Path(place, "out.xml")
        write(given, records)
        asked = ("--recipient", lists.NAME, "--purpose", lists.PURPOSE, "--schema", "lijst", "-C", str(made))
        command = [
            sys.executable,
            "-c",
            "from gateway.cli import main; main()",
            "filter",
            *asked,
            str(given),
            "-o",
            str(out),
        ]
        begun = perf_counter()
        process = subprocess.Popen(command, env={**os.environ, "GATEWAY_SESSION": str(held)})
        _, status, usage = os.wait4(process.pid, 0)
        took = perf_counter() - begun
        assert status == 0, status
        size = given.stat().st_size / 1e6
        return (
            f"{records:,} records ({size:.0f} MB) of {PUPILS:,} pupils through `gateway filter` in a"
            f" process of its own: {took:.0f} s,\n{records / took:,.0f} records a second, at most"
            f" {usage.ru_maxrss / 1024:.0f} MB of memory."
        )


def main() -> None:
    told = run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    print(told)
    kept = RESULTS.read_text(encoding="utf-8").partition(_HEADING)[0]
    RESULTS.write_text(f"{kept}{_HEADING}\nWritten by `python -m bench.xml_filter`. {told}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
