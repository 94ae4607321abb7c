"""A CSV file cut into its rows as it arrives: RFC 4180, and what Dutch schools make of it.

UTF-8 with or without BOM, or Windows-1252; the first sign beyond ASCII tells, and what contradicts it afterwards breaks
the file. Everything is text. A row that cannot be told from the next breaks the file too, for then no cell is known to
stand under its column. Leaves out: which columns there are and what they mean (`minimiser`).
"""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass, field

from gateway.core.file_forms import Form, OtherFormat
from gateway.core.policy.schema import Csv
from gateway.core.release.minimised import EnvelopeBroken

_BOM = codecs.BOM_UTF8
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_LONGEST = 4  # bytes of one sign in UTF-8


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may be. `row`: signs of one row (no cell is longer); `columns`."""

    row: int = 65_536
    columns: int = 512


@dataclass(frozen=True, slots=True)
class Table:
    """A file as names of columns and rows of cells; a row can have too many or too few of them."""

    names: tuple[str, ...]
    rows: list[list[str]] = field(repr=False)


class Text:
    """Bytes to text, chunk by chunk. Raises EnvelopeBroken."""

    def __init__(self) -> None:
        self._held = b""
        self._begun = False
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes, *, last: bool = False) -> str:
        if b"\0" in chunk:
            raise OtherFormat("no text")
        held, self._held = self._held + chunk, b""
        try:
            return self._decoded(held, last=last)
        except UnicodeDecodeError:
            pass
        # raised outside `except`: the cause would hold the text
        raise EnvelopeBroken("neither UTF-8 nor Windows-1252")

    def _decoded(self, held: bytes, *, last: bool) -> str:
        if self._decoder is None and not self._begun and not last and len(held) < len(_BOM):
            self._held = held
            return ""
        if self._decoder is None and not self._begun and held.startswith(_BOM):
            self._decoder, held = _decoder("utf-8"), held[len(_BOM) :]
        self._begun = True
        if self._decoder is not None:
            return self._decoder.decode(held, last)
        found = _BEYOND_ASCII.search(held)
        if found is None:
            return held.decode("ascii")
        at = found.start()
        if len(held) - at < _LONGEST and not last:
            self._held = held[at:]
            return held[:at].decode("ascii")
        self._decoder = _decoder("utf-8" if _is_utf_8(held[at : at + _LONGEST]) else "cp1252")
        return self._decoder.decode(held, last)


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)()


def _is_utf_8(begin: bytes) -> bool:
    """Whether these bytes begin with a sign in UTF-8."""
    size = next((size for size, lead in ((2, 0xC2), (3, 0xE0), (4, 0xF0)) if lead <= begin[0] < _ENDS[size]), 0)
    try:
        return size > 0 and len(begin[:size].decode("utf-8")) == 1
    except UnicodeDecodeError:
        return False


_ENDS = {2: 0xE0, 3: 0xF0, 4: 0xF5}


class CsvFile:
    """`feed` gives the rows that are complete, as UTF-8 without the end of the line; `close` the last one. Both raise
    EnvelopeBroken. `names`: the columns, once the first line is there."""

    form = Form.TABLE

    def __init__(self, dialect: Csv, limits: Limits | None = None) -> None:
        self.names: tuple[str, ...] = ()
        self._dialect = dialect
        self._limits = limits or Limits()
        self._text = Text()
        self._line = ""  # begun, its end has not arrived
        self._row: list[str] = []  # lines of a row with a line end within quotes
        self._size = 0
        self._quoted = False

    def __repr__(self) -> str:
        return f"<CsvFile of {len(self.names)} columns>"

    def feed(self, chunk: bytes) -> list[bytes]:
        return [row.encode() for row in self.texts(chunk)]

    def close(self) -> list[bytes]:
        return [row.encode() for row in self.texts(b"", last=True)]

    def piece(self, rows: list[bytes]) -> bytes:
        """Some rows as a file of their own, as the minimiser reads it."""
        head = written(self.names, self._dialect.delimiter).encode()
        return b"\r\n".join([head, *rows])

    def texts(self, chunk: bytes, *, last: bool = False) -> list[str]:
        lines = (self._line + self._text.feed(chunk, last=last)).split("\n")
        self._line = "" if last else lines.pop()
        self._bounded(len(self._line))
        found = [row for line in lines if (row := self._taken(line)) is not None]
        if last and (self._row or not self.names):
            raise EnvelopeBroken("the file ends early")
        return found

    def _taken(self, line: str) -> str | None:
        """The row that ends with this line; None while it goes on, for the first row and for an empty line."""
        if not self._row and not line.strip():
            return None
        self._bounded(len(line))
        self._row.append(line)
        self._size += len(line) + 1
        self._quoted ^= line.count('"') % 2 == 1
        if self._quoted:
            return None
        row, self._row, self._size = "\n".join(self._row).removesuffix("\r"), [], 0
        if self.names:
            return row
        self.names = self._header(row)
        return None

    def _bounded(self, more: int) -> None:
        if self._size + more > self._limits.row:
            raise EnvelopeBroken("a row is longer than allowed")

    def _header(self, row: str) -> tuple[str, ...]:
        names = tuple(name.strip() for name in cells([row], self._dialect)[0])
        if len(names) > self._limits.columns or len(set(names)) < len(names) or not any(names):
            raise EnvelopeBroken("no header, or a column stands in it twice")
        return names


def cells(rows: list[str], dialect: Csv) -> list[list[str]]:
    """The cells of each of these rows. Raises EnvelopeBroken when one is not one row."""
    try:
        found = list(csv.reader(rows, delimiter=dialect.delimiter, strict=True))
    except csv.Error:
        found = []
    if len(found) != len(rows):
        # raised outside `except`: what the reader says may hold a word of the file
        raise EnvelopeBroken("not CSV: a quote that does not close, or a line that ends within a cell")
    return found


def table(body: bytes, dialect: Csv, limits: Limits | None = None) -> Table:
    """A whole file; rows of which every cell is empty are what a spreadsheet leaves below its table. Raises
    EnvelopeBroken."""
    file = CsvFile(dialect, limits)
    texts = file.texts(body) + file.texts(b"", last=True)
    return Table(file.names, [row for row in cells(texts, dialect) if any(row)])


def written(row: tuple[str, ...] | list[str], delimiter: str) -> str:
    """Cells as one line, without its end."""
    line = delimiter.join(_cell(cell, delimiter) for cell in row)
    return line or '""'


def _cell(text: str, delimiter: str) -> str:
    if delimiter in text or not text.isprintable() or '"' in text or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text
