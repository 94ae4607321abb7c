"""What the demo prints to be pasted, one command after the other."""

from __future__ import annotations

from gateway.cli.demo import _command


def test_printed_commands_of_two_files_of_one_format_write_two_files() -> None:
    asked = dict.fromkeys(("recipient", "purpose", "schema", "record"), "x") | {"format": "xml"}
    written = {_command(asked | {"path": f"/school/{name}.xml"}).split()[-1] for name in ("aanvraag", "overstap")}
    assert written == {"gefilterd-aanvraag.xml", "gefilterd-overstap.xml"}
