"""The gateway as the server under test: a school's directory before the prepared upstream, one worker.

Nothing is switched off: credentials, decision, screening and the durable register work as in production; only the
limits on calls are raised. Leaves out the load (`load`) and the peer (`servers`).
"""

from __future__ import annotations

import json
import shutil
import string
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench import servers
from bench.load import Call
from bench.payloads import ORGANISATION, Prepared
from gateway.adapters.policy.answers import Answer, answers, questions
from gateway.bootstrap import facts, session
from gateway.bootstrap.school import open_school
from gateway.core.facts import DECLARED
from gateway.core.persons import Held, PersonRole

RECIPIENT, PURPOSE = "uitgever-noord", "toegang-leermiddel"
WHY = ("--reason", "a measurement")
MANY = 1_000_000_000
SHIPPED = Path(__file__).parents[1]
SETTINGS = Path(__file__).parent / "gateway.yaml"
COMMAND = Path(sys.executable).with_name("gateway")


@dataclass(frozen=True, slots=True)
class Gateway:
    """The running gateway and the three calls, as this recipient asks them."""

    server: servers.Server
    class_call: Call = field(repr=False)
    page_call: Call = field(repr=False)
    one_call: Call = field(repr=False)


@contextmanager
def gateway(directory: Path, lvs: servers.Server, prepared: Prepared) -> Iterator[Gateway]:
    """`gateway serve --workers 1`, ready, with a credential and the ids it has given out."""
    admin, headers = school(directory, lvs)
    with serving(directory, admin) as server:
        yield Gateway(server, *calls_of(server, prepared, headers))


@contextmanager
def serving(directory: Path, admin: int, core: int = servers.TESTED_CORE) -> Iterator[servers.Server]:
    """The gateway of this directory, from the moment that it is ready."""
    command = [str(COMMAND), "serve", "--workers", "1"]
    port = int(_setting(directory, "listen").rsplit(":", 1)[1])
    with servers.running("gateway", command, core, port, directory) as server:
        _ready(f"http://127.0.0.1:{admin}/readyz")
        yield server


@contextmanager
def bare(directory: Path) -> Iterator[servers.Server]:
    """The same directory, served without decision and register."""
    port = servers.free_port()
    command = [sys.executable, "-m", "bench.bare", str(directory), str(port)]
    with servers.running("bare", command, servers.TESTED_CORE, port, SHIPPED) as server:
        yield server


def school(directory: Path, lvs: servers.Server, change: Callable[[str], str] = str) -> tuple[int, dict[str, str]]:
    """Make the directory, the key, an active recipient and a credential; the admin port and the headers of a call.
    `change`: of the recipient's file."""
    admin = servers.free_port()
    lay_out(directory, [RECIPIENT], lvs.url, admin)
    file = directory / "recipients" / f"{RECIPIENT}.yaml"
    file.write_text(change(file.read_text()))
    run(directory, "key", "new")
    sign_in(directory)
    return admin, join(directory, RECIPIENT)


def sign_in(directory: Path) -> None:
    """The school's first person, signed in at this command line."""
    with open_school(directory) as opened:
        roles = tuple(map(Held, (PersonRole.ADMINISTRATOR, PersonRole.SCHEMA_EDITOR, PersonRole.CONSENT_OFFICER)))
        session.add_first_person(opened, "bench", roles, session.new_credentials())
        session.keep_session(opened, "bench", opened.sign_in_rules())
        session.accept_statement(opened, session.signed_in(opened))
        facts.declare(opened, session.signed_in(opened), DECLARED, opened.settings.organisation.locations, "bench")


def join(directory: Path, recipient: str) -> dict[str, str]:
    """Activate a recipient; the headers of its calls."""
    run(directory, "recipient", "activate", recipient, *WHY)
    made = json.loads(run(directory, "client", "new", "--recipient", recipient, "--purpose", PURPOSE))
    return {"Gateway-Key": made["api_key"]}


def lay_out(directory: Path, recipients: Iterable[str], lvs: str, admin: int) -> None:
    """The three kinds of file of a school, with the templates' questions answered."""
    today = datetime.now(UTC).date()
    (directory / "recipients").mkdir(parents=True)
    shutil.copytree(SHIPPED / "schemas", directory / "schemas", ignore=shutil.ignore_patterns("json"))
    for recipient in recipients:
        text = (SHIPPED / "recipients" / f"{recipient}.yaml").read_text()
        given: dict[int | str, Answer] = {asked.line: _answer(asked.path[-1], today) for asked in questions(text)}
        (directory / "recipients" / f"{recipient}.yaml").write_text(answers(text, given))
    directory.with_name("lvs-secret").write_text("bench\n")
    settings = SETTINGS.read_text()
    filled = string.Template(settings).substitute(
        listen=f"127.0.0.1:{servers.free_port()}", admin=f"127.0.0.1:{admin}", lvs=lvs, many=MANY
    )
    (directory / "gateway.yaml").write_text(filled)


def _answer(key: str, today: date) -> str:
    """What the templates ask: days, the location, and names of people."""
    match key:
        case "until":
            return (today + timedelta(days=300)).isoformat()
        case "signed" | "starts" | "date":
            return (today - timedelta(days=30)).isoformat()
        case "0":
            return "noord"
        case _:
            return "privacy@school.example"


def run(directory: Path, *arguments: str) -> str:
    """One command of the gateway; what it says when it fails ends the measurement."""
    done = subprocess.run([COMMAND, *arguments], cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise servers.CannotMeasure(f"gateway {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def one_pupil(path: str, user_id: str, headers: dict[str, str]) -> Call:
    """`POST /students` for one pupil by the own key: the LVS's for the peer, the pseudonym for the gateway."""
    body = {
        "school": {"organisationIds": [{"organisationId": "01AB00", "organisationIdType": "V_ID"}]},
        "student": {"userIds": [{"userId": user_id, "userIdType": "ASI"}]},
    }
    return Call(path, "POST", {"Content-Type": "application/json", **headers}, json.dumps(body))


def calls_of(server: servers.Server, prepared: Prepared, headers: dict[str, str]) -> tuple[Call, Call, Call]:
    page = Call(f"/lvs/students/school?{ORGANISATION}", headers=headers)
    (_, enrolments) = ask(server, Call(f"/lvs/enrollments/school?{ORGANISATION}", headers=headers))
    subject = next(record["subject"] for record in json.loads(enrolments) if "subject" in record)
    of_class = Call(f"{page.path}&subjectOfferingId={subject}", headers=headers)
    for record in json.loads(ask(server, of_class)[1]):
        # The prepared answer is about one pupil: only under that pupil's pseudonym does it pass the gateway.
        call = one_pupil("/lvs/students", record["userIds"][0]["userId"], headers)
        if ask(server, call)[0] == 200:
            return of_class, page, call
    raise servers.CannotMeasure(f"the gateway released none of the {prepared.class_bytes} bytes of one class")


def ask(server: servers.Server, call: Call) -> tuple[int, bytes]:
    """One call; status and body."""
    body = call.body.encode() if call.body is not None else None
    request = urllib.request.Request(server.url + call.path, body, call.headers, method=call.method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _setting(directory: Path, name: str) -> str:
    lines = (directory / "gateway.yaml").read_text().splitlines()
    return next(line.partition(": ")[2] for line in lines if line.startswith(f"{name}: "))


def _ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise servers.CannotMeasure("the gateway was not ready within a minute")
