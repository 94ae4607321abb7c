"""What the demo prints to be pasted, one command after the other; and what it says where it cannot start."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from gateway.cli.demo import _command, _for_people
from tests.commands import invoke
from tests.simulators.process import as_it_was
from tests.simulators.school import fresh_school


def test_printed_commands_of_two_files_of_one_format_write_two_files() -> None:
    asked = dict.fromkeys(("recipient", "purpose", "schema", "record"), "x") | {"format": "xml"}
    written = {_command(asked | {"path": f"/school/{name}.xml"}).split()[-1] for name in ("aanvraag", "overstap")}
    assert written == {"gefilterd-aanvraag.xml", "gefilterd-overstap.xml"}


def told() -> dict[str, Any]:
    named = {"recipient": "r", "purpose": "p", "schema": "s", "record": "o", "format": "xml", "path": "/d/in.xml"}
    call = {"path": "/lvs/a?b=c", "headers": {"Authorization": "Bearer t"}, "body": [{"x": 1}]}
    person = {"name": "fg", "roles": ["fg"], "password": "geheim", "totp_secret": "JBSW"}
    return {
        "gateway": "http://g", "admin": "http://a", "lvs": "http://l", "directory": "/d", "persons": [person],
        "files": [named],
        "school_system": {
            "api_key": "sleutel", "upload": "http://g/lvs/filter",
            "pushes": [{"content_type": "text/xml", "path": "/d/push.xml", "url": "http://g/push"}],
        },
        "clients": [
            {"recipient": "r", "purpose": "p", "client_id": "c1", "client_secret": "c2", "calls": [call]},
        ],
    }  # fmt: skip


def test_everything_that_is_needed_to_call_is_printed() -> None:
    lines = _for_people(told()).splitlines()

    assert "  fg             password geheim  totp_secret JBSW" in lines
    assert "  client_id c1  client_secret c2" in lines
    assert "  gateway filter --recipient r --purpose p --schema s /d/in.xml -o gefilterd-in.xml" in lines
    assert "  curl -s -H 'Authorization: Bearer t' --data-binary '[{\"x\":1}]' 'http://g/lvs/a?b=c'" in lines
    pushed = "-H 'Gateway-Key: sleutel' -H 'Content-Type: text/xml' --data-binary @/d/push.xml 'http://g/push'"
    assert f"  curl -s {pushed}" in lines


def test_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    done = invoke("demo", "--directory", str(tmp_path))

    assert done.exit_code == 2
    assert "holds no gateway.yaml" in done.output
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]


def test_port_that_is_in_use_is_told_and_nothing_stays_behind(tmp_path: Path) -> None:
    """In a directory that is there, the ports that were asked for stand in the surroundings of what is started."""
    school = fresh_school(tmp_path)
    with as_it_was(), socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = invoke("demo", "--directory", str(school), "--port", str(port - 2))
        listens = os.environ["GATEWAY_LISTEN"], os.environ["GATEWAY_SOURCES_LVS_URL"]

    assert done.exit_code == 2
    assert f"http://127.0.0.1:{port}: is its port in use?" in " ".join(done.output.split())
    assert listens == (f"127.0.0.1:{port - 2}", f"http://127.0.0.1:{port}")
