"""A school's directory and its command line, in this process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.bootstrap.school import create_key
from gateway.bootstrap.templates import SHARE, answered
from gateway.cli.app import app
from gateway.demo.directory import Ports, make_directory

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
        done = CliRunner().invoke(app, [*arguments, "-C", str(self.directory)], input=typed, env=environment)
        assert done.exit_code == code, done.output
        return done.output

    def beside(self, name: str) -> CommandLine:
        """Another person's, on the same machine."""
        return CommandLine(self.directory, self.session.with_name(f"{name}.session"))


def command_line(place: Path) -> CommandLine:
    """The demo school's directory with its key, and nobody in it."""
    directory = place / "school"
    make_directory(directory, SHARE, Ports(8080, 8081, 8082), "secret", TODAY, answered)
    create_key(directory)
    return CommandLine(directory, place / "somebody.session")


@pytest.fixture
def gateway(tmp_path: Path) -> CommandLine:
    return command_line(tmp_path)
