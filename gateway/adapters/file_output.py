"""Files that leave: there whole or not at all, for their owner only, over nothing; and files that come in, in chunks.

Until a file is complete it stands beside its place under another name, which is removed when anything goes wrong.
Leaves out: what is written (`transfer.filter`), its order (`sorted_rows`).
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gateway.core.reasons import Reason
from gateway.transfer.request import Stop

_CHUNK = 64 * 1024


def chunks_of(path: Path) -> Iterator[bytes]:
    """What is in a file; Stop when it cannot be read, or is no file."""
    try:
        if not path.is_file():
            raise Stop(Reason.BODY_INVALID, "this is no file")
        with path.open("rb") as file:
            yield from chunks_from(file)
    except OSError:
        raise Stop(Reason.BODY_INVALID, "the file cannot be read") from None


def chunks_from(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def chunks_typed(file: BinaryIO) -> Iterator[bytes]:
    """Of standard input. Ctrl-C ends the waiting for it: an event loop hears of it once a chunk is there."""
    chunks = chunks_from(file)
    while True:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            chunk = next(chunks, None)
        finally:
            signal.signal(signal.SIGINT, before)
        if chunk is None:
            return
        yield chunk


@contextmanager
def beside(path: Path) -> Iterator[Callable[[Iterable[bytes]], Path]]:
    """A function that writes into a file beside `path`; what it wrote is gone when the block ends, unless `place` gave
    it its name. Raises OSError."""
    made = path.with_name(f".{path.name}.{os.getpid()}.part")

    def write(texts: Iterable[bytes]) -> Path:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(texts)
            file.flush()
            os.fsync(file.fileno())
        return made

    try:
        yield write
    finally:
        made.unlink(missing_ok=True)


def place(made: Path, path: Path) -> None:
    """At once, and over nothing. Raises OSError (FileExistsError)."""
    path.hardlink_to(made)
    _settle(path.parent)


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """A new folder beside `path`, for its owner only; gone when the block ends, unless `place_folder` gave it its
    name. Raises OSError."""
    made = path.with_name(f".{path.name}.{os.getpid()}.part")
    made.mkdir(mode=0o700)
    try:
        yield made
    finally:
        with suppress(FileNotFoundError):
            shutil.rmtree(made)


def place_folder(made: Path, path: Path) -> None:
    """At once, and over nothing but an empty folder. Raises OSError."""
    made.rename(path)
    _settle(path.parent)


def _settle(directory: Path) -> None:
    """The name itself is durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
