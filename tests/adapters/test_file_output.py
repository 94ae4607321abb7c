"""adapters.file_output: a file is there whole or not at all, for its owner only, over nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.file_output import beside, chunks_of, folder_beside, place, place_folder
from gateway.core.reasons import Reason
from gateway.transfer.request import Stop


def test_file_appears_at_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "uit.json"
    with beside(path) as write:
        made = write([b"[", b"]"])
        assert not path.exists()
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        place(made, path)

    assert path.read_bytes() == b"[]"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def _broken() -> Iterator[bytes]:
    yield b"half"
    raise RuntimeError


def test_file_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), beside(tmp_path / "uit.json") as write:
        write(_broken())

    assert list(tmp_path.iterdir()) == []


def test_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "uit.json"
    path.write_bytes(b"ours")

    with pytest.raises(FileExistsError), beside(path) as write:
        place(write([b"other"]), path)

    assert path.read_bytes() == b"ours"
    assert list(tmp_path.iterdir()) == [path]


def _begun(path: Path) -> None:
    with folder_beside(path) as made:
        (made / "0001.json").write_bytes(b"{}")
        raise RuntimeError


def test_folder_appears_at_once_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "uit"
    with folder_beside(path) as made:
        (made / "0001.json").write_bytes(b"{}")
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
        assert not path.exists()
        place_folder(made, path)
    with pytest.raises(RuntimeError):
        _begun(tmp_path / "weg")

    assert [one.name for one in tmp_path.iterdir()] == ["uit"]


@pytest.mark.parametrize("name", ["", "none.json"])
def test_input_that_is_no_file_stops_the_transfer_without_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(Stop) as caught:
        list(chunks_of(tmp_path / name))

    assert caught.value.reason is Reason.BODY_INVALID
    assert "none" not in str(caught.value)
    assert "none" not in caught.value.about


def test_input_comes_in_chunks(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_bytes(b"x" * 2_500_000)

    found = list(chunks_of(path))

    assert b"".join(found) == path.read_bytes()
    assert max(map(len, found)) <= 1024 * 1024
