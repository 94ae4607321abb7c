"""What an export makes: written beside its place, measured, and there at once or not at all.

Leaves out: what is in it (`bootstrap.export_files`), other places than files (`sftp`, `adapters.endpoints`).
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.adapters.file_output import beside, folder_beside, place, place_folder

_CHUNK = 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Made:
    """A complete file or folder at `path`, whose place is `target`. `sha256`: of a folder, of its files in the order of
    their names."""

    path: Path
    target: Path
    size: int
    sha256: bytes = field(repr=False)

    @classmethod
    def of(cls, path: Path, target: Path | None = None) -> Made:
        """What stands at `path`. Raises OSError."""
        digest, size = hashlib.sha256(), 0
        for one in sorted(path.iterdir()) if path.is_dir() else [path]:
            with one.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        return cls(path, target or path, size, digest.digest())

    def place(self) -> None:
        """Over nothing. Raises OSError (FileExistsError)."""
        if self.path.is_dir():
            place_folder(self.path, self.target)
        else:
            place(self.path, self.target)


@contextmanager
def file_beside(target: Path, texts: Iterable[bytes]) -> Iterator[Made]:
    """Gone when the block ends, unless it was placed. Raises OSError."""
    with beside(target) as write:
        yield Made.of(write(texts), target)


@contextmanager
def folder_made(target: Path, files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[Made]:
    """Files by name. Gone when the block ends, unless it was placed. Raises OSError."""
    with folder_beside(target) as folder:
        for name, texts in files:
            with beside(folder / name) as write:
                place(write(texts), folder / name)
        yield Made.of(folder, target)


@contextmanager
def zip_made(target: Path, files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[Made]:
    """A zip without moments, as the same files always give. Gone when the block ends, unless it was placed. Raises
    OSError."""
    with beside(target) as write:
        path = write(())
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, texts in files:
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (stat.S_IFREG | 0o600) << 16
                with archive.open(entry, "w", force_zip64=True) as file:
                    for text in texts:
                        file.write(text)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        yield Made.of(path, target)
