"""adapters.sorted_rows: everything comes out in order; on disk it can be read by nobody and has no name."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.sorted_rows import SortedRows
from tests.simulators.drafts import seeded

ROWS = st.lists(st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=9)), max_size=6), max_size=8)


@given(parts=ROWS, memory=st.sampled_from([1, 600, 10**9]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_rows_of_all_parts_come_out_in_order(tmp_path: Path, parts: list[list[tuple[str, bytes]]], memory: int) -> None:
    rows = SortedRows(tmp_path, seeded(), memory=memory)
    for part in parts:
        rows.take(part)

    whole = [row for part in parts for row in part]
    assert list(rows) == [text for _, text in sorted(whole, key=lambda row: row[0])]
    rows.close()


def test_runs_on_disk_have_no_name_and_hold_no_text(tmp_path: Path) -> None:
    rows = SortedRows(tmp_path, seeded(), memory=1)
    rows.take([("b", b"Fatima")])
    rows.take([("a", b"Daan")])

    assert list(tmp_path.iterdir()) == []
    assert rows._file is not None
    rows._file.seek(0)
    stored = rows._file.read()
    assert len(stored) > 40
    assert b"Fatima" not in stored
    assert b"Daan" not in stored
    assert list(rows) == [b"Daan", b"Fatima"]
    rows.close()


def test_run_that_was_changed_does_not_come_out(tmp_path: Path) -> None:
    rows = SortedRows(tmp_path, seeded(), memory=1)
    rows.take([("b", b"Fatima")])
    assert rows._file is not None
    rows._file.seek(20)
    rows._file.write(b"\0")

    with pytest.raises(InvalidTag):
        list(rows)
    rows.close()


def test_memory_is_bounded_by_what_is_kept_before_a_run(tmp_path: Path) -> None:
    rows = SortedRows(tmp_path, seeded(), memory=50_000)

    for number in range(2_000):
        rows.take([(f"{number % 7}", b"x" * 500)])
        assert rows._size < 60_000

    assert sum(1 for _ in rows) == 2_000
    rows.close()


def test_repr_shows_no_row(tmp_path: Path) -> None:
    rows = SortedRows(tmp_path, seeded())
    rows.take([("sleutel", b"Fatima")])

    assert "Fatima" not in repr(rows)
    assert "sleutel" not in repr(rows)
