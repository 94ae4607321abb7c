"""`gateway …` in this process. Typer's own runner makes the tree of commands anew for each call; here it is made
once, and an exception that would have been a traceback is raised."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from typer.main import get_command
from typer.testing import CliRunner

from gateway.cli.app import app

_GATEWAY = get_command(app)


@dataclass(frozen=True, slots=True)
class Said:
    """`output`: both streams, as a person sees them."""

    exit_code: int
    stdout: str
    stderr: str
    output: str


def invoke(*arguments: str, typed: str | bytes | None = None, environment: Mapping[str, str] | None = None) -> Said:
    """`typed`: its standard input."""
    code: object = 0
    with CliRunner().isolation(input=typed, env=environment) as streams:
        try:
            _GATEWAY.main([*arguments], prog_name="gateway")
        except SystemExit as ended:
            code = ended.code or 0
        sys.stdout.flush()
        sys.stderr.flush()
        stdout, stderr, output = (stream.getvalue().decode().replace("\r\n", "\n") for stream in streams)
    assert isinstance(code, int)
    return Said(code, stdout, stderr, output)
