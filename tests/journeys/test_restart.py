"""The same after a restart: pseudonyms, policy, the directory; and after the pupils move to a second source."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.driving import (
    ENROLMENTS,
    SCHOOL,
    STUDENTS,
    Demo,
    free_ports,
    replace_text,
    run_process,
    start,
    truth,
    without,
)

pytestmark = pytest.mark.journey

SECOND = """\
  lvs2:
    url: {url}
    schemas: [edu-v-students, edu-v-association]
    token: {{url: "{url}/oauth/token", client_id: gateway, client_secret: "file:../{secret}"}}
    roster: {{every: 5m, stale_after: 72h}}
    succeeds: lvs
"""


@dataclass(slots=True)
class Restarted:
    """A demo that was stopped, given a second source and changed files, and started again."""

    demo: Demo
    pseudonyms: dict[str, str] = field(repr=False)
    enrolments: list[dict[str, Any]] = field(repr=False)
    files: dict[str, bytes] = field(repr=False)
    said: str = field(repr=False)
    persons: list[dict[str, Any]] = field(repr=False)


def files_of(directory: Path) -> dict[str, bytes]:
    beside = [directory.with_name(directory.name + end) for end in (".key", ".lvs-secret")]
    return {str(path): path.read_bytes() for path in (*directory.rglob("*.yaml"), *beside)}


@contextmanager
def second_lvs(secret: Path) -> Iterator[str]:
    """Another administration with the same pupils."""
    command = [sys.executable, "-m", "gateway.demo.lvs", "--seed", "1"]
    environment = os.environ | {"DEMO_LVS_SECRET": secret.read_text().strip()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restarted]:
    directory = tmp_path_factory.mktemp("restarted") / "school"
    port = free_ports()
    first = start(directory, port)
    try:
        pseudonyms = truth(directory, "uitgever-zuid").number
        enrolments = first.vendor("uitgever-zuid").records(ENROLMENTS)
    finally:
        first.stop()
    secret = directory.with_name("school.lvs-secret")
    with second_lvs(secret) as url:
        settings = directory / "gateway.yaml"
        added = SECOND.format(url=url, secret=secret.name)
        replace_text(settings, settings.read_text().replace("sources:\n", f"sources:\n{added}"))
        noord, toets = (directory / "recipients" / f"{name}.yaml" for name in ("uitgever-noord", "toetsaanbieder"))
        replace_text(noord, without("studyYear")(noord.read_text()))
        replace_text(toets, "broken: [\n" + toets.read_text())
        files = files_of(directory)
        again = start(directory, port)
        try:
            yield Restarted(again, pseudonyms, enrolments, files, again.stderr, first.told["persons"])
        finally:
            again.stop()


def test_restart_leaves_the_directory_as_it_was(restarted: Restarted) -> None:
    assert files_of(restarted.demo.directory) == restarted.files


def test_restart_keeps_every_pseudonym(restarted: Restarted) -> None:
    assert truth(restarted.demo.directory, "uitgever-zuid").number == restarted.pseudonyms
    assert set(restarted.demo.vendor("uitgever-zuid").pseudonyms()) <= set(restarted.pseudonyms)


def test_restart_answers_the_same(restarted: Restarted) -> None:
    assert restarted.demo.vendor("uitgever-zuid").records(ENROLMENTS) == restarted.enrolments


def test_restart_narrowed_file_stays_narrowed(restarted: Restarted) -> None:
    records = restarted.demo.vendor("uitgever-noord").records(ENROLMENTS)

    assert records
    assert not any("studyYear" in one for one in records)


def test_restart_broken_file_gives_nothing(restarted: Restarted) -> None:
    with httpx2.Client(trust_env=False) as client:
        vendors = [one for one in restarted.demo.told["clients"] if one["recipient"] == "toetsaanbieder"]
        headers = {"Gateway-Key": vendors[0]["api_key"]} if vendors else {}
        url = f"{restarted.demo.told['gateway']}{STUDENTS}?orgId=01AB00&orgIdType=V_ID"
        response = client.get(url, headers=headers)

    assert response.status_code in (401, 403)
    assert "userId" not in response.text


def test_restart_prints_the_same_persons_and_leaves_one_signed_in(restarted: Restarted) -> None:
    assert restarted.demo.told["persons"] == restarted.persons
    assert "demo" in restarted.demo.gateway("person", "list")


def test_restart_register_goes_on(restarted: Restarted) -> None:
    assert "entries in order" in restarted.demo.gateway("register", "verify")


def test_second_source_has_the_same_pseudonyms(restarted: Restarted) -> None:
    records = restarted.demo.vendor("uitgever-zuid").records("/lvs2/students/school")

    numbers = truth(restarted.demo.directory, "uitgever-zuid", "lvs2").number
    found = {one["userIds"][0]["userId"]: numbers[one["userIds"][0]["userId"]] for one in records}
    assert len(found) > 250
    assert found.items() <= restarted.pseudonyms.items()


def test_second_source_pupil_whom_no_id_names_waits_for_a_person(restarted: Restarted) -> None:
    waiting = restarted.demo.gateway("pupil", "waiting").splitlines()

    assert waiting
    vendor = restarted.demo.vendor("uitgever-zuid")
    there = {one["userIds"][0]["userId"] for one in vendor.records("/lvs2/students/school")}
    assert there < set(vendor.pseudonyms())


def test_second_source_pseudonym_resolves_at_either(restarted: Restarted) -> None:
    vendor = restarted.demo.vendor("uitgever-zuid")
    shown = vendor.records("/lvs2/students/school")[0]["userIds"]
    asked = {"school": SCHOOL, "student": {"userIds": shown}}
    answers = [vendor.post(f"/{source}/students", asked) for source in ("lvs", "lvs2")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [one.json()[0]["userIds"] for one in answers] == [shown, shown]


def test_directory_that_is_not_the_demos_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "somebody.txt").write_text("else's")
    done = run_process("demo", "--directory", str(tmp_path))

    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["somebody.txt"]
