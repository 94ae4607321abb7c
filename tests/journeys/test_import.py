"""A large import from outside: one bad line changes nothing and is named, and deliveries go on while it runs (R68)."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.journeys.driving import NORTH, STUDENTS, Demo, run_process
from tests.journeys.office import number_of

pytestmark = pytest.mark.journey

ROWS, BAD = 20_000, 15_777


def written(demo: Demo, file: Path) -> None:
    """So many objections against another recipient; in one line the day does not exist."""
    numbers = sorted(number_of(one) for one in demo.lvs.everything("/students/school"))
    with file.open("w", encoding="utf-8") as text:
        text.write("pupil,received,recipient\n")
        for line in range(2, ROWS + 2):
            day = "2026-02-30" if line == BAD else f"2026-01-{line % 28 + 1:02}"
            text.write(f"{numbers[line % len(numbers)]},{day},onderwijsassistent\n")


def test_import_with_one_bad_line_changes_nothing_names_it_and_stops_no_delivery(
    changing: Demo, tmp_path: Path
) -> None:
    written(changing, tmp_path / "objections.csv")
    vendor, other = changing.vendor("onderwijsassistent"), changing.vendor("uitgever-noord")
    before, done, statuses = vendor.pseudonyms(), threading.Event(), []

    def deliver() -> None:
        while not done.wait(0.05):
            statuses.append(other.get(STUDENTS, NORTH).status_code)

    calling = threading.Thread(target=deliver)
    calling.start()
    try:
        said = run_process(
            "objection",
            "import",
            str(tmp_path / "objections.csv"),
            "--reason",
            "bezwaren",
            "-C",
            str(changing.directory),
        )
    finally:
        done.set()
        calling.join()

    assert said.returncode == 1
    (line,) = (one for one in said.stderr.splitlines() if "objections.csv" in one)
    assert f"objections.csv:{BAD}" in line
    assert "2026-02-30" not in said.stderr
    assert vendor.pseudonyms() == before
    assert "0 known" in changing.gateway("objection", "list")
    assert len(statuses) > 10
    assert set(statuses) == {200}
