"""A school's directory and its command line, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from gateway.bootstrap import session
from gateway.bootstrap.school import create_key, legal_today
from gateway.bootstrap.templates import SHARE, answered
from gateway.cli.demo_school import SEED, furnish
from gateway.demo.directory import Ports, make_directory
from gateway.demo.examples import make_examples
from gateway.demo.lvs import make_lvs
from gateway.demo.server import running
from tests.commands import invoke
from tests.servers import counting_bytes
from tests.simulators.school import fresh_school

TODAY = date(2026, 11, 22)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`gateway …` in this directory, as whoever is signed in in the file `session`."""

    directory: Path
    session: Path

    def __call__(self, *arguments: str, answers: Iterable[str] = (), code: int = 0) -> str:
        """What it said; `answers` are the lines of its input."""
        typed = "".join(f"{answer}\n" for answer in answers)
        environment = {"GATEWAY_SESSION": str(self.session)}
        done = invoke(*arguments, "-C", str(self.directory), typed=typed, environment=environment)
        assert done.exit_code == code, done.output
        return done.output

    def beside(self, name: str) -> CommandLine:
        """Another person's, on the same machine."""
        return CommandLine(self.directory, self.session.with_name(f"{name}.session"))


def command_line(place: Path) -> CommandLine:
    """The demo school's directory with its key, and nobody in it."""
    return CommandLine(fresh_school(place), place / "somebody.session")


@pytest.fixture
def gateway(tmp_path: Path) -> CommandLine:
    return command_line(tmp_path)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The demo school as `gateway demo` furnishes it, its LVS in a thread; one for all tests, which leave alone what is
    known of the pupil of its examples."""
    place = tmp_path_factory.mktemp("demo")
    today = legal_today()
    with running(make_lvs(SEED, today, "gateway", "a secret", counting_bytes()).app) as url:
        ports = Ports(0, 0, int(url.rpartition(":")[2]))
        make_directory(place / "demo", SHARE, replace(ports, gateway=8080, admin=8081), "a secret", today, answered)
        create_key(place / "demo")
        asyncio.run(furnish(place / "demo"))
    make_examples(place / "demo", SEED, today)
    return CommandLine(place / "demo", session.session_file(place / "demo"))
