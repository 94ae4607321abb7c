"""What an export makes: written beside its place, measured, and there at once or not at all.

Leaves out: what is in it (`bootstrap.exports`), other places than files (`sftp`, `endpoint`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.adapters.file_output import beside, place


@dataclass(frozen=True, slots=True)
class Made:
    """A complete file at `path`, whose place is `target`."""

    path: Path
    target: Path
    size: int
    sha256: bytes = field(repr=False)

    @classmethod
    def of(cls, path: Path) -> Made:
        """One that is there."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        return cls(path, path, path.stat().st_size, digest.digest())

    def place(self) -> None:
        """Over nothing. Raises OSError (FileExistsError)."""
        place(self.path, self.target)


@contextmanager
def file_beside(target: Path, texts: Iterable[bytes]) -> Iterator[Made]:
    """Gone when the block ends, unless it was placed. Raises OSError."""
    measured = _Measured(texts)
    with beside(target) as write:
        path = write(measured)
        yield Made(path, target, measured.size, measured.digest.digest())


class _Measured:
    """Texts, counted as they pass."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._texts = texts
        self.size = 0
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for text in self._texts:
            self.size += len(text)
            self.digest.update(text)
            yield text
