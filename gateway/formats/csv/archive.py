"""A zip of files, read without harm: known names only, flat, whole, and no larger than allowed.

Anything a careful sender would not send (a folder, a name twice, an entry that is encrypted, a link) refuses the whole.
What is written has no moments, and no names but those of the schema. Leaves out: what is in the files (`sets`).
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Container, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from io import BytesIO, RawIOBase
from typing import Any, TypeVar

from gateway.core.file_forms import Form, OtherFormat
from gateway.core.policy.schema import Schema
from gateway.core.release.minimised import EnvelopeBroken

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    UnicodeDecodeError,
    ValueError,
)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_BEGIN = b"PK\x03\x04"
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_CHUNK = 65_536
_SMALL = 65_536  # what is smaller harms nobody, however it is packed
_EPOCH = (1980, 1, 1, 0, 0, 0)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SetLimits:
    """What one zip may be. `archive`: bytes of it; `entries`; `file`, `total`: bytes of one and of all files in it;
    `ratio`: how many times smaller it may be packed than it is (a table is some twenty times smaller, a bomb a thousand
    times)."""

    archive: int = 64 * 1024 * 1024
    entries: int = 64
    file: int = 128 * 1024 * 1024
    total: int = 256 * 1024 * 1024
    ratio: int = 100


class SetFile:
    """`feed` gives nothing until `close`, which gives the archive. Both raise EnvelopeBroken."""

    form = Form.SET

    def __init__(self, limits: SetLimits | None = None) -> None:
        self._limits = limits or SetLimits()
        self._buffer = bytearray()

    def __repr__(self) -> str:
        return f"<SetFile of {len(self._buffer)} bytes>"

    def feed(self, chunk: bytes) -> list[bytes]:
        self._buffer += chunk
        if not _BEGIN.startswith(self._buffer[: len(_BEGIN)]):
            raise OtherFormat("no archive")
        if len(self._buffer) > self._limits.archive:
            raise EnvelopeBroken("the archive is larger than allowed")
        return []

    def piece(self, records: list[bytes]) -> bytes:
        """The archive as the minimiser reads it."""
        return b"".join(records)

    def close(self) -> list[bytes]:
        if not self._buffer:
            raise EnvelopeBroken("the file ends early")
        archive, self._buffer = bytes(self._buffer), bytearray()  # not twice in memory
        return [archive]


class Archive:
    """One that harms nobody: the files in it with these names, chunk by chunk; others are not read. `size`: bytes of
    all of them. Raises EnvelopeBroken, also while it is read."""

    def __init__(self, body: bytes, wanted: Container[str], limits: SetLimits) -> None:
        if len(body) > limits.archive:
            raise EnvelopeBroken("the archive is larger than allowed")
        # counted before they are read: each costs more memory than it has bytes
        if body.count(_ENTRY) > 2 * limits.entries:
            raise EnvelopeBroken("too many entries")
        self._archive = _unbroken(lambda: zipfile.ZipFile(BytesIO(body)))
        found = self._archive.infolist()
        _judged(found, limits)
        self._entries = {one.filename: one for one in found if one.filename in wanted}
        self.size = sum(one.file_size for one in self._entries.values())

    def __repr__(self) -> str:
        return f"<Archive of {self.size} bytes>"

    @property
    def names(self) -> AbstractSet[str]:
        return self._entries.keys()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Whether a file is whole is known at its end."""
        file = _unbroken(lambda: self._archive.open(self._entries[name]))
        while chunk := _unbroken(lambda: file.read(_CHUNK)):
            yield chunk

    def read(self, name: str) -> bytes:
        return b"".join(self.chunks(name))


def _unbroken(work: Callable[[], T]) -> T:
    try:
        return work()
    except _BROKEN:
        pass
    # raised outside `except`: the cause may hold a name from outside
    raise EnvelopeBroken("not a whole zip archive")


def files_of(body: bytes, schema: Schema, limits: SetLimits | None = None) -> dict[str, bytes]:
    """The files of a set by the record they hold, in the schema's order. Raises EnvelopeBroken."""
    archive = Archive(body, frozenset(f"{name}.csv" for name in schema.records), limits or SetLimits())
    return {name: archive.read(f"{name}.csv") for name in schema.records if f"{name}.csv" in archive.names}


def _judged(found: list[zipfile.ZipInfo], limits: SetLimits) -> None:
    """Before anything is unpacked. An entry gives no more bytes than it says it has."""
    names = [one.orig_filename for one in found]
    if len(found) > limits.entries or len({name.casefold() for name in names}) < len(names):
        raise EnvelopeBroken("too many entries, or one name twice")
    if any(_strange(one) for one in found):
        raise EnvelopeBroken("an entry that has no place in a set of files")
    if any(one.file_size > limits.file for one in found) or sum(one.file_size for one in found) > limits.total:
        raise EnvelopeBroken("the files are larger than allowed")
    if any(one.file_size > _SMALL and one.file_size > limits.ratio * one.compress_size for one in found):
        raise EnvelopeBroken("a file is packed smaller than tables are")


def _strange(one: zipfile.ZipInfo) -> bool:
    name = one.orig_filename
    kind = stat.S_IFMT(one.external_attr >> 16)
    return (
        name != one.filename
        or any(sign in name for sign in "/\\:\0")
        or name in ("", ".", "..")
        or bool(one.flag_bits & _ENCRYPTED)
        or one.compress_type not in _METHODS
        or kind not in (0, stat.S_IFREG)
    )


def packed(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """An archive of files by name, as it is made; the same files always give the same."""
    out = _Out()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, texts in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o600) << 16
            with archive.open(entry, "w") as file:
                for text in texts:
                    file.write(text)
                    if out.made:
                        yield out.taken()
    yield out.taken()


class _Out(RawIOBase):
    """What was written, until it is taken."""

    def __init__(self) -> None:
        self.made = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, text: Any) -> int:
        self.made += text
        return len(text)

    def taken(self) -> bytes:
        made, self.made = bytes(self.made), bytearray()
        return made
