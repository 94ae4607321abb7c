"""A school of any size whose roster is known, before an administration that makes its pupils when asked for them.

For `bench.export` and the tests by hand. Leaves out: what is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import acts, facts, session
from gateway.bootstrap.school import School, clock, create_key, legal_today, open_school, random
from gateway.bootstrap.templates import SHARE, answered
from gateway.core.model import Enrolment, Person
from gateway.core.persons import Actor, Held, PersonRole
from gateway.demo.directory import Ports, make_directory
from gateway.demo.many import Many, ids, organisation_id
from gateway.transfer.ports import Observation

ASKED = ("--recipient", "toetsbureau", "--purpose", "papieren-toets", "--schema", "edu-v-students")
RECIPIENTS = ("toetsbureau", "uwlr-smalle-set")
RELEASER = Actor(
    "r", frozenset({Held(role) for role in PersonRole if role is not PersonRole.LOCATION_ADMIN}), confidential=True
)


ASKED_XML = ("--recipient", "uwlr-smalle-set", "--purpose", "methodetoetsen", "--schema", "uwlr-2-2")


def make_school(directory: Path, many: Many, lvs: int) -> None:
    """Everybody known, the bureau activated for all locations, `r` signed in."""
    make_directory(directory, SHARE, Ports(1, 2, lvs), "demo", legal_today(), answered)
    settings = directory / "gateway.yaml"
    text = settings.read_text(encoding="utf-8")
    begin, end = text.index("  locations:\n"), text.index("sources:\n")
    settings.write_text(text[:begin] + _locations(many) + text[end:], encoding="utf-8")
    _narrowed_to(directory, many)
    create_key(directory)
    with open_school(directory) as school:
        _learn(school, many)
        _allow(school, many)
        session.add_first_person(school, RELEASER.name, RELEASER.held, session.new_credentials())
        session.accept_statement(school, RELEASER)
        session.keep_session(school, RELEASER.name, school.sign_in_rules())


def _locations(many: Many) -> str:
    lines = ["  locations:"]
    for name in many.names():
        kind, value = organisation_id(name)
        lines += [f"    {name}:", f"      title: Vestiging {name}", "      ids:"]
        lines += [f'        - {{type: {kind}, id: "{value}"}}']
    return "\n".join(lines) + "\n"


def _narrowed_to(directory: Path, many: Many) -> None:
    """One recipient for JSON and one for XML, at all locations, by files."""
    for one in (directory / "recipients").iterdir():
        if one.stem not in RECIPIENTS:
            one.unlink()
            continue
        text = one.read_text(encoding="utf-8").replace("channel: api", "channel: sftp")
        one.write_text(text, encoding="utf-8")
        _everywhere(one, many)


def _everywhere(recipient: Path, many: Many) -> None:
    lines = recipient.read_text(encoding="utf-8").splitlines()
    at = lines.index("    locations:")
    after = next(n for n in range(at + 1, len(lines)) if not lines[n].startswith("      -"))
    lines[at:after] = ["    locations:", *(f"      - {name}" for name in many.names())]
    recipient.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _learn(school: School, many: Many) -> None:
    subjects = Subjects(school.database, school.store_keys)
    since = legal_today() - timedelta(days=60)
    for name in many.names():
        stay = (Enrolment(name, 1, since, None),)
        subjects.learn("lvs", {name: [Observation(Person.PUPIL, ids(n), stay) for n in many.at(name)]}, clock(), random)


def _allow(school: School, many: Many) -> None:
    for name in RECIPIENTS:
        acts.activate(school, name, RELEASER, "bench")
    kinds = {kind for kind, *_ in facts.status(school).declared}
    facts.declare(school, RELEASER, sorted(kinds), many.names(), "bench")


@contextmanager
def lvs(many: Many) -> Iterator[int]:
    """The administration as a process of its own; its port."""
    command = [sys.executable, "-m", "gateway.demo.many", "--pupils", str(many.pupils)]
    command += ["--locations", str(many.locations)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.terminate()


_RUN = """
import atexit, sys
from pathlib import Path
from gateway.cli import main
status = Path("/proc/self/status")
atexit.register(lambda: sys.stderr.write(next(line for line in status.read_text().splitlines() if "VmHWM" in line)))
main()
"""


def command(directory: Path, output: Path, *more: str) -> list[str]:
    """`gateway export`, in a process of its own."""
    what = ASKED_XML if output.suffix == ".xml" else (*ASKED, "--record", "Student")
    return measured("export", *what, "-o", str(output), "-C", str(directory), *more)


def measured(*asked: str) -> list[str]:
    """`gateway …` in a process of its own, that ends with the most memory it had. (What the kernel tells of a child
    counts its parent's before the child began.)"""
    return [sys.executable, "-c", _RUN, *asked]


def peak(told: str) -> float:
    """Of what it wrote on standard error, in MB."""
    return int(told.rpartition("VmHWM:")[2].split()[0]) / 1_000
