"""Files through the demo: what an employee exported, what a system pushes, and a command that is killed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from tests.journeys.canaries import Canaries
from tests.journeys.driving import GATEWAY, Demo, http, until

pytestmark = pytest.mark.journey

MEDIA = {"json": "application/json", "ndjson": "application/x-ndjson"}
FORMATS = sorted(MEDIA)


def example(demo: Demo, form: str) -> dict[str, str]:
    found: dict[str, str] = next(one for one in demo.told["files"] if one["format"] == form)
    return found


def asked(one: dict[str, str]) -> list[str]:
    return [word for name in ("recipient", "purpose", "schema", "record") for word in (f"--{name}", one[name])]


def records(text: bytes) -> list[dict[str, Any]]:
    if text.startswith(b"["):
        found: list[dict[str, Any]] = orjson.loads(text)
        return found
    return [orjson.loads(line) for line in text.splitlines()]


def push(demo: Demo, one: dict[str, str], key: str, body: bytes) -> httpx2.Response:
    query = {name: one[name] for name in ("recipient", "purpose", "schema", "record")}
    headers = {"Gateway-Key": key, "Content-Type": MEDIA[one["format"]]}
    with http(demo.told["gateway"], **headers) as client:
        return client.post("/lvs/filter", params=query, content=body)


@pytest.mark.parametrize("form", FORMATS)
def test_example_comes_out_with_nothing_of_the_lvs_in_it(
    demo: Demo, canaries: Canaries, tmp_path: Path, form: str
) -> None:
    one, out, told = example(demo, form), tmp_path / "uit", tmp_path / "verslag.json"
    demo.gateway("filter", *asked(one), one["path"], "-o", str(out), "--report", str(told))

    report = orjson.loads(told.read_bytes())
    cover = orjson.loads((tmp_path / "uit.cover.json").read_bytes())
    found = records(out.read_bytes())
    assert 0 < len(found) == report["released"] == cover["records"]
    assert report["withheld"]
    for path in (out, told, tmp_path / "uit.cover.json"):
        assert canaries.in_text(path.read_text()) == []


def test_pupils_of_a_file_have_an_entry_and_the_pseudonyms_of_this_recipient(demo: Demo, tmp_path: Path) -> None:
    one, out, told = example(demo, "json"), tmp_path / "uit.json", tmp_path / "verslag.json"
    demo.gateway("filter", *asked(one), one["path"], "-o", str(out), "--report", str(told))

    (transfer,) = orjson.loads(told.read_bytes())["transfers"]
    (entry,) = demo.entries(transfer)
    pseudonyms = [student["userIds"][0]["userId"] for student in records(out.read_bytes())]
    assert entry["released"] == len(pseudonyms)
    assert pseudonyms == sorted(pseudonyms)
    assert not set(pseudonyms) & set(demo.vendor("toetsaanbieder").pseudonyms())


@pytest.mark.parametrize("form", FORMATS)
def test_system_of_the_school_gets_the_same_back(demo: Demo, tmp_path: Path, form: str) -> None:
    one, out = example(demo, form), tmp_path / "uit"
    body = Path(one["path"]).read_bytes()
    demo.gateway("filter", *asked(one), one["path"], "-o", str(out))

    response = push(demo, one, demo.told["school_system"]["api_key"], body)

    assert response.status_code == 200
    assert response.headers["purpose"] == one["purpose"]
    assert demo.entry(response)["credential"] == demo.told["school_system"]["client_id"]
    assert response.content == out.read_bytes()


def test_recipient_who_uploads_learns_nothing(demo: Demo) -> None:
    one = example(demo, "json")
    bodies = (Path(one["path"]).read_bytes(), b"[]", b"<", b"")
    told = [push(demo, one, str(demo.vendor("toetsaanbieder").told["api_key"]), body) for body in bodies]

    assert {(response.status_code, response.content) for response in told} == {(403, told[0].content)}
    assert told[0].headers["gateway-reason"] == "CALLER_NOT_RECIPIENT"


def test_system_of_the_school_reads_nothing(demo: Demo) -> None:
    with http(demo.told["gateway"], **{"Gateway-Key": demo.told["school_system"]["api_key"]}) as client:
        response = client.get("/lvs/students/school", params={"orgId": "01AB00", "orgIdType": "V_ID"})

    assert response.status_code == 403


def test_command_that_is_killed_leaves_no_file_and_its_parts_in_the_register(demo: Demo, tmp_path: Path) -> None:
    one, out = example(demo, "ndjson"), tmp_path / "uit.ndjson"
    known = {entry["id"] for entry in demo.entries()}
    command = [str(GATEWAY), "filter", *asked(one), "-", "-o", str(out), "-C", str(demo.directory)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ)
    assert process.stdin is not None
    try:
        process.stdin.write(Path(one["path"]).read_bytes())
        process.stdin.flush()
        parts = until(lambda: [entry for entry in demo.entries() if entry["id"] not in known and "part_of" in entry])
    finally:
        process.kill()
        process.wait()
        process.stdin.close()

    assert {entry["kind"] for entry in parts} == {"part"}
    assert all(entry["released"] for entry in parts)
    assert list(tmp_path.iterdir()) == []
    assert "in order" in demo.gateway("register", "verify")
