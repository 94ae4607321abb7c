"""A zip of files, read without harm: known names only, flat, whole, and no larger than allowed.

Anything a careful sender would not send (a folder, a name twice, an entry that is encrypted, a link) refuses the whole.
What is written has no moments, and no names but those of the schema. Leaves out: what is in the files (`sets`).
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO

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
_SMALL = 65_536  # what is smaller harms nobody, however it is packed
_EPOCH = (1980, 1, 1, 0, 0, 0)


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
        return [bytes(self._buffer)]


def unpacked(body: bytes, wanted: frozenset[str], limits: SetLimits) -> dict[str, bytes]:
    """The files with these names; others in the archive are not read. Raises EnvelopeBroken."""
    if len(body) > limits.archive:
        raise EnvelopeBroken("the archive is larger than allowed")
    if (
        body.count(_ENTRY) > 2 * limits.entries
    ):  # counted before they are read: each costs more memory than it has bytes
        raise EnvelopeBroken("too many entries")
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            found = archive.infolist()
            _judged(found, limits)
            chosen = [one for one in found if one.filename in wanted]
            return {one.filename: archive.read(one) for one in chosen}
    except _BROKEN:
        pass
    # raised outside `except`: the cause may hold a name from outside
    raise EnvelopeBroken("not a whole zip archive")


def files_of(body: bytes, schema: Schema) -> dict[str, bytes]:
    """The files of a set by the record they hold, in the schema's order. Raises EnvelopeBroken."""
    found = unpacked(body, frozenset(f"{name}.csv" for name in schema.records), SetLimits())
    return {name: found[f"{name}.csv"] for name in schema.records if f"{name}.csv" in found}


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


def packed(files: Iterable[tuple[str, bytes]] | Mapping[str, bytes]) -> bytes:
    """The same files always give the same archive."""
    out = BytesIO()
    pairs = files.items() if isinstance(files, Mapping) else files
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in pairs:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o600) << 16
            archive.writestr(entry, text)
    return out.getvalue()
