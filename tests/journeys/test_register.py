"""No register entry, no delivery; one changed byte in any row is found and located."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.bootstrap import acts
from gateway.bootstrap.school import open_school
from tests.journeys.driving import NORTH, STUDENTS, Demo, held, http, pupils_by_transfer, truth, until

pytestmark = pytest.mark.journey


@contextmanager
def unwritable(demo: Demo) -> Iterator[None]:
    database = demo.directory / "gateway.db"
    database.chmod(0o400)
    try:
        yield
    finally:
        database.chmod(0o600)
        until(lambda: demo.vendor("uitgever-noord").get(STUDENTS).status_code == 200)


def test_answer_has_its_entry_with_every_pupil_in_it(demo: Demo) -> None:
    response = demo.vendor("uitgever-zuid").get(STUDENTS)

    references = truth(demo.directory, "uitgever-zuid").reference
    shown = {references[one["userIds"][0]["userId"]] for one in held(response.json())}
    assert pupils_by_transfer(demo.directory)[response.headers["gateway-transfer"]] == shown


def test_unwritable_register_delivers_nothing(demo: Demo) -> None:
    """R85."""
    with unwritable(demo):
        for path in (STUDENTS, "/lvs/nothing"):
            response = demo.vendor("uitgever-noord").get(path)

            assert (response.status_code, response.headers["gateway-reason"]) == (503, "REGISTER_UNAVAILABLE")
            assert response.headers["retry-after"] == "5"
            assert "userId" not in response.text


def test_unwritable_register_gives_no_token(demo: Demo) -> None:
    told = demo.vendor("uitgever-noord").told
    form = {"grant_type": "client_credentials", **{key: told[key] for key in ("client_id", "client_secret")}}
    with unwritable(demo), http(demo.told["gateway"]) as client:
        response = client.post("/oauth/token", data=form)

        assert (response.status_code, response.headers["retry-after"]) == (503, "5")


def test_anonymous_refusals_are_registered_without_the_address(demo: Demo) -> None:
    before = len(refused_to_nobody(demo))
    with http(demo.told["gateway"]) as nobody:
        for _ in range(20):
            assert nobody.get(STUDENTS, params=NORTH).status_code == 401

    entries = refused_to_nobody(demo)
    assert entries
    assert len(entries) - before < 8  # of each worker the first of a minute, and the count of the minute before
    assert all(entry["actor"].startswith("origin:") and "127.0.0.1" not in str(entry) for entry in entries)


def refused_to_nobody(demo: Demo) -> list[dict[str, Any]]:
    return [entry for entry in demo.entries() if entry.get("reasons") == ["CALLER_UNAUTHENTICATED"]]


def test_register_as_it_stands_is_in_order(demo: Demo) -> None:
    assert "entries in order" in demo.gateway("register", "verify")


# -- tampering -------------------------------------------------------------------------------------------------------


@pytest.fixture
def copied(demo: Demo) -> Iterator[Path]:
    """A copy of the directory beside it, so that the key's place is the same."""
    copy = demo.directory.with_name("copy")
    copy.mkdir()
    for name in ("gateway.yaml",):
        (copy / name).write_bytes((demo.directory / name).read_bytes())
    source, target = sqlite3.connect(demo.directory / "gateway.db"), sqlite3.connect(copy / "gateway.db")
    with closing(source), closing(target):
        source.backup(target)
    (copy / "gateway.db").chmod(0o600)
    yield copy
    for path in sorted(copy.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    copy.rmdir()


def spread(rows: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The first, the last and some between: each costs a walk over everything."""
    found = list(rows)
    return [*found[:: max(1, len(found) // 10)], found[-1]]


def flipped(value: bytes) -> bytes:
    middle = len(value) // 2
    return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]


def test_one_changed_byte_in_a_row_is_found_and_located(copied: Path) -> None:
    """N40."""
    missed = []
    with open_school(copied) as school, closing(sqlite3.connect(copied / "gateway.db", isolation_level=None)) as rows:
        assert acts.verify(school, None).ok
        stored = [("entry", "sequence", *row) for row in spread(rows.execute("SELECT sequence, body FROM entry"))]
        stored += [("roll", "number", *row) for row in spread(rows.execute("SELECT number, body FROM roll"))]
        for table, key, number, body in stored:
            update = f"UPDATE {table} SET body = ? WHERE {key} = ?"
            rows.execute(update, (flipped(body), number))
            found = acts.verify(school, None)
            rows.execute(update, (body, number))
            if found.ok or not any(str(number) in problem.where for problem in found.problems):
                missed.append((table, number))
        assert acts.verify(school, None).ok

    assert len(stored) > 10
    assert missed == []


def test_changed_byte_is_told_by_the_command_line(demo: Demo, copied: Path) -> None:
    with closing(sqlite3.connect(copied / "gateway.db", isolation_level=None)) as rows:
        (body,) = rows.execute("SELECT body FROM entry WHERE sequence = 7").fetchone()
        rows.execute("UPDATE entry SET body = ? WHERE sequence = 7", (flipped(body),))

    assert "entry 7" in demo.gateway("register", "verify", directory=copied, code=1)


def test_cut_off_end_is_found_by_a_head_kept_elsewhere(demo: Demo, copied: Path) -> None:
    head = demo.gateway("register", "verify", directory=copied).rpartition("head ")[2].strip()
    with closing(sqlite3.connect(copied / "gateway.db", isolation_level=None)) as rows:
        rows.execute("DELETE FROM entry WHERE sequence = (SELECT MAX(sequence) FROM entry)")

    assert "is not the entry" in demo.gateway("register", "verify", "--head", head, directory=copied, code=1)


def test_entry_shown_names_nobody(demo: Demo) -> None:
    vendor = demo.vendor("uitgever-noord")
    transfer = vendor.get(STUDENTS).headers["gateway-transfer"]
    shown = demo.gateway("register", "show", "--id", transfer)

    assert '"route":"GET /students/school"' in shown
    assert not [one for one in vendor.pseudonyms() if one in shown]
