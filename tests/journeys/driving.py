"""Drives a `gateway demo` from outside: the process, the vendors that call it, its LVS, its command line.

Everything is asked over loopback or on the command line; only `Truth` looks inside, to say whom a pseudonym stands
for. Leaves out: what must hold (the tests).
"""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import orjson

from gateway.bootstrap import acts
from gateway.bootstrap.school import open_school
from gateway.core.model import Person
from gateway.core.release import pseudonym
from tests.commands import invoke
from tests.simulators.persons import somebody

GATEWAY = Path(sys.executable).with_name("gateway")
NORTH, SOUTH = {"orgId": "01AB00", "orgIdType": "V_ID"}, {"orgId": "01AB01", "orgIdType": "V_ID"}
SCHOOL = {"organisationIds": [{"organisationId": "DD100401", "organisationIdType": "DD_ID"}]}
UNKNOWN = "00000000-0000-8000-8000-000000000000"
STUDENTS, ENROLMENTS, GROUPS = "/lvs/students/school", "/lvs/enrollments/school", "/lvs/groups/school"
_START = 90.0  # seconds; a machine that runs everything at once is slow
_STOP = 45.0
_ANSWER = 30.0
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # everything is on loopback; the system's trust takes long to read

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = 20.0) -> T:
    """What `condition` gives once it is true; it is asked again and again until the deadline."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.02)


def free_ports() -> int:
    """The first of three neighbouring ports on which nobody listens."""
    while True:
        with closing(socket.create_server(("127.0.0.1", 0))) as first:
            port: int = first.getsockname()[1]
            if port < 65_000 and all(_free(port + more) for more in (1, 2)):
                return port


def _free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def http(base: str, **headers: str) -> httpx2.Client:
    return httpx2.Client(base_url=base, headers=headers, timeout=_ANSWER, trust_env=False, verify=_NO_TLS)


# -- who calls -----------------------------------------------------------------------------------------------------


def held(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a client of Edu-V has once it heard these: not those whose end is told."""
    return [one for one in records if one.get("status") != "tobedeleted"]


@dataclass(slots=True)
class Vendor:
    """One client of a recipient, with its API key. `call` opens a connection of its own each time, so that any worker
    may answer."""

    told: Mapping[str, Any] = field(repr=False)
    gateway: str

    @property
    def recipient(self) -> str:
        return str(self.told["recipient"])

    def get(self, path: str, query: Mapping[str, str] = NORTH, **headers: str) -> httpx2.Response:
        return self.call("GET", path, query=query, **headers)

    def post(self, path: str, body: Any) -> httpx2.Response:
        return self.call("POST", path, body=body)

    def call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None, **headers: str
    ) -> httpx2.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        with http(self.gateway, **{"Gateway-Key": str(self.told["api_key"])}) as client:
            return client.request(method, path, params=query, json=body, headers=given)

    def records(self, path: str, query: Mapping[str, str] = NORTH) -> list[dict[str, Any]]:
        response = self.get(path, query)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()
        return found

    def pseudonyms(self, query: Mapping[str, str] = NORTH) -> list[str]:
        """Of the students whose end is not told, in the order of the answer."""
        return [one["userIds"][0]["userId"] for one in held(self.records(STUDENTS, query))]

    def student(self, pseudonym: str) -> httpx2.Response:
        return self.post("/lvs/students", {"school": SCHOOL, "student": reference(pseudonym)})


def reference(pseudonym: str) -> dict[str, Any]:
    return {"userIds": [{"userId": pseudonym, "userIdType": "ASI"}]}


def same_but_for_the_transfer(*responses: httpx2.Response) -> bool:
    """The same bytes: status, headers and body, apart from the id of the transfer and the server's date."""
    told = {
        (
            one.status_code,
            tuple(pair for pair in one.headers.multi_items() if pair[0] not in ("gateway-transfer", "date")),
            one.content,
        )
        for one in responses
    }
    return len(told) == 1


# -- the LVS -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Lvs:
    """The demo LVS, as its own administrator sees it."""

    url: str
    credentials: Mapping[str, str] = field(repr=False)

    def fault(self, fault: str, times: int = 1, **more: Any) -> None:
        with http(self.url) as client:
            assert client.put("/-/fault", json={"fault": fault, "times": times, **more}).status_code == 204

    def works(self) -> None:
        self.fault("slow", 0)

    def calls(self) -> list[dict[str, Any]]:
        return self._asked("/-/calls")

    def results(self) -> dict[str, dict[str, Any]]:
        """By the id of the statement."""
        return {one["id"]: one for one in self._asked("/-/results")}

    def _asked(self, path: str) -> list[dict[str, Any]]:
        with http(self.url) as client:
            found: list[dict[str, Any]] = client.get(path).json()
            return found

    def everything(self, path: str, **place: str) -> list[dict[str, Any]]:
        """All records of a list of the LVS itself, of every location or of `place` (parameters of the LVS)."""
        form = {"grant_type": "client_credentials", **{k: self.credentials[k] for k in ("client_id", "client_secret")}}
        with http(self.url) as client:
            token = client.post("/oauth/token", data=form).json()["access_token"]
            bearer = {"Authorization": f"Bearer {token}"}
            found: list[dict[str, Any]] = client.get(
                path, params=place or {"orgMasterId": "104A158"}, headers=bearer
            ).json()
            return found


# -- the process ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Demo:
    """A running `gateway demo`."""

    process: subprocess.Popen[bytes]
    told: Mapping[str, Any] = field(repr=False)
    errors: Path

    @property
    def directory(self) -> Path:
        return Path(self.told["directory"])

    @property
    def lvs(self) -> Lvs:
        return Lvs(self.told["lvs"], self.told["lvs_credentials"])

    @property
    def stderr(self) -> str:
        return self.errors.read_text(encoding="utf-8", errors="replace")

    def vendor(self, recipient: str) -> Vendor:
        return Vendor(next(one for one in self.told["clients"] if one["recipient"] == recipient), self.told["gateway"])

    def new_client(self, recipient: str) -> Vendor:
        """Another credential for the same recipient and purpose."""
        known = self.vendor(recipient)
        made = self.gateway("client", "new", "--recipient", recipient, "--purpose", known.told["purpose"], "--by", "t")
        return Vendor({**known.told, **orjson.loads(made)}, known.gateway)

    def gateway(self, *arguments: str, code: int = 0, directory: Path | None = None) -> str:
        """A command beside the demo; what it said."""
        done = run(*arguments, "-C", str(directory or self.directory))
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def activate(self, recipient: str) -> None:
        """As `gateway recipient activate` does (without starting a process)."""
        with open_school(self.directory) as school:
            acts.activate(school, recipient, somebody("directeur"), "opgelost")

    def state(self, recipient: str) -> str:
        """What `gateway recipient list` says of it (without starting a process)."""
        with open_school(self.directory) as school:
            return dict(acts.recipients(school))[recipient]

    def entries(self, transfer: str | None = None) -> list[dict[str, Any]]:
        """The register, oldest entry first, as `gateway register show` gives it (without starting a process)."""
        with open_school(self.directory) as school:
            return acts.entries(school, 100_000, transfer)

    def entry(self, response: httpx2.Response) -> dict[str, Any]:
        """The entry of this answer."""
        (found,) = self.entries(response.headers["gateway-transfer"])
        return found

    def file(self, recipient: str) -> Path:
        return self.directory / "recipients" / f"{recipient}.yaml"

    @contextmanager
    def edited(self, recipient: str, edit: Callable[[str], str]) -> Iterator[None]:
        """Another text in the recipient's file while the block runs."""
        before = self.file(recipient).read_text(encoding="utf-8")
        after = edit(before)
        assert after != before
        replace_text(self.file(recipient), after)
        try:
            yield
        finally:
            replace_text(self.file(recipient), before)
            until(lambda: self.vendor(recipient).get(STUDENTS).status_code == 200)

    def workers(self) -> list[int]:
        """Process ids of the workers that run now."""
        return [child for child in children(self.process.pid) if b"gateway.worker" in _command(child)]

    def stop(self) -> None:
        """Everything it started ends with it."""
        started = [self.process.pid, *children(self.process.pid)]
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(_STOP)
        assert self.process.stdout is not None
        self.process.stdout.close()
        until(lambda: not any(_lives(one) for one in started))


def start(directory: Path, port: int, **environment: str) -> Demo:
    """`gateway demo --json`, once it said that it is ready."""
    errors = directory.with_name(directory.name + ".stderr")
    command = [str(GATEWAY), "demo", "--json", "--port", str(port), "--directory", str(directory)]
    with errors.open("ab") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, env=os.environ | environment, start_new_session=True
        )
    try:
        line = _first_line(process)
        assert line, errors.read_text(encoding="utf-8", errors="replace")
    except BaseException:
        process.kill()
        process.wait()
        raise
    return Demo(process, orjson.loads(line), errors)


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    timer = threading.Timer(_START, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        return process.stdout.readline()
    finally:
        timer.cancel()


def run(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the gateway, in this process: starting one takes longer than what most commands do."""
    done = invoke(*arguments, typed=typed, environment=environment)
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def run_process(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """The same as a process of its own, where that is the point."""
    command = [str(GATEWAY), *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True, check=False, timeout=_START)


def replace_text(path: Path, text: str) -> None:
    """As an editor saves: the whole text at once."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def without(field: str) -> Callable[[str], str]:
    """Takes a field and its lines out of the list."""
    pattern = re.compile(rf"^( *){field}:\n(?:\1 +.*\n)+", re.MULTILINE)
    return lambda text: pattern.sub("", text, count=1)


def children(process: int) -> list[int]:
    """Who has this parent, at any depth."""
    every = {int(one.name): _parent(int(one.name)) for one in Path("/proc").iterdir() if one.name.isdigit()}
    found = [process]
    for one in found:
        found += [child for child, parent in every.items() if parent == one]
    return found[1:]


def _parent(process: int) -> int | None:
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return int(status.rpartition(")")[2].split()[1])


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _lives(process: int) -> bool:
    return bool(_command(process))


# -- inside ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Truth:
    """Whom pseudonyms stand for: pseudonym → the pupil's number in the LVS, → the reference in the register, and → the
    internal id."""

    number: dict[str, str] = field(repr=False)
    reference: dict[str, bytes] = field(repr=False)
    internal: dict[str, bytes] = field(repr=False)


def truth(directory: Path, domain: str, source: str = "lvs") -> Truth:
    """Worked out with the school's own key."""
    with open_school(directory) as school:
        snapshot = school.world().now()
        key = snapshot.keys.domain_key(domain, snapshot.keys.current.number)
        roster: Any = snapshot.rosters[source]
        pupils = [one for one in roster if one.person is Person.PUPIL]
        named = {pseudonym.person(key, one.id, one.person): one for one in pupils}
        return Truth(
            {shown: one.ids["las-key"] for shown, one in named.items()},
            {shown: one.reference for shown, one in named.items()},
            {shown: one.id for shown, one in named.items()},
        )


def pupils_by_transfer(directory: Path) -> dict[str, set[bytes]]:
    """The references of the pupils who were released, by the id of the transfer."""
    with open_school(directory) as school, school.database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT entry.id, roll.body FROM entry LEFT JOIN roll ON roll.number = entry.roll"
        )
        return {row[0]: _released(row[1]) for row in rows}


def _released(roll: bytes | None) -> set[bytes]:
    joined = bytes.fromhex(orjson.loads(roll).get("released", "")) if roll is not None else b""
    return {joined[at : at + 16] for at in range(0, len(joined), 16)}
