"""An export that is killed at random, again and again, by the operating system: the same file, everybody registered.

By hand with `EXPORT_PUPILS=100000 EXPORT_KILLS=10`; quicker in `tests/bootstrap/test_exports.py`, at every step.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import orjson
import pytest
from lxml import etree

from bench.many_school import command, lvs, make_school
from gateway.bootstrap import acts
from gateway.bootstrap.school import open_school
from gateway.demo.many import Many

pytestmark = [pytest.mark.journey, pytest.mark.slow]

PUPILS, KILLS = int(os.environ.get("EXPORT_PUPILS", "1500")), int(os.environ.get("EXPORT_KILLS", "3"))


@pytest.fixture
def locations() -> int:
    return 3


@pytest.fixture
def directory(tmp_path: Path, locations: int) -> Iterator[Path]:
    many = Many(PUPILS, locations)
    with lvs(many) as port:
        make_school(tmp_path / "school", many, port)
        with (tmp_path / "school" / "gateway.yaml").open("a") as file:
            file.write(f"  part_bytes: {max(50_000, PUPILS * 10)}\n")
        yield tmp_path / "school"


def lines_before_end(directory: Path, output: Path, kill_after: int | None = None) -> int:
    """How many lines it told; killed after so many of them."""
    run = command(directory, output, "--json")
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = 0
        for _ in process.stdout:
            told += 1
            if told == kill_after:
                process.kill()
                break
        process.wait()
        assert process.returncode == (0 if kill_after is None else -9)
        return told


def entries(directory: Path) -> list[dict[str, int]]:
    with open_school(directory) as school:
        assert acts.verify(school, None).ok
        return [entry for entry in acts.entries(school, 1_000_000, None) if entry.get("part_of")]


def pupils(made: Path) -> list[str]:
    """Their pseudonyms."""
    if made.suffix == ".json":
        return [one["userIds"][0]["userId"] for one in orjson.loads(made.read_bytes())]
    root = etree.fromstring(made.read_bytes(), etree.XMLParser(huge_tree=True))
    return [str(one.get("key")) for one in root.iterfind("{*}leerlingen/{*}leerling")]


@pytest.mark.parametrize(("form", "locations"), [("json", 3), ("xml", 1)])
def test_export_killed_at_random_comes_to_the_file_of_an_undisturbed_one(
    directory: Path, tmp_path: Path, form: str
) -> None:
    whole, killed = tmp_path / f"whole.{form}", tmp_path / f"killed.{form}"
    lines, random = lines_before_end(directory, whole), Random(PUPILS)
    before = len(entries(directory))
    for _ in range(KILLS):
        lines_before_end(directory, killed, random.randint(1, max(2, lines // KILLS // 2)))
        assert not killed.exists()
    lines_before_end(directory, killed)

    parts = entries(directory)[before:]
    assert killed.read_bytes() == whole.read_bytes()
    assert len(set(pupils(killed))) == len(pupils(killed)) == PUPILS
    assert sum(entry.get("released", 0) for entry in parts) == PUPILS
    assert len(parts) == before
