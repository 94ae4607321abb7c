"""Rows from a file: CSV (RFC 4180; comma or semicolon; UTF-8 with or without BOM, or Windows-1252) and JSON (an array
of objects, or one object per line). Everything is text, `00123` stays, and an empty cell is an absent one.

Streams: a file of a million rows takes the memory of one. What is wrong with one row is a `Flaw` in its place and the
next row follows; what makes the rest unreadable is one flaw, the last. No flaw quotes a value (house rule 8).
Leaves out: which columns there are and what they mean (`rows`).
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, NoReturn, TextIO

MAX_ROW = 65_536  # characters of one row; the longest lawful one, a supplementary statement, has some thousands
_CHUNK = 65_536
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BLANK = re.compile(r"[ \t\r\n]*")
Values = Mapping[str, Any]
Form = Literal["csv", "json", "ndjson"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row and the line it begins on. JSON keeps its lists; in CSV every value is text."""

    line: int
    values: Values = field(repr=False)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with the shape of the file, and where."""

    line: int
    message: str
    rule: str = "form"


class _Unreadable(Exception):
    """Nothing after this line can be read with any meaning."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.flaw = Flaw(line, message)


def read_rows(file: BinaryIO, columns: frozenset[str], form: Form | None = None) -> Iterator[Row | Flaw]:
    """Every row of a seekable file, with the columns that may stand in it. Without a `form` its beginning tells."""
    text = _text(file)
    if text is None:
        yield Flaw(1, "neither UTF-8 nor Windows-1252, or no text at all")
        return
    try:
        kind = form or _form(text)
        if kind == "csv":
            yield from _csv_rows(text, columns)
        else:
            yield from _Array(text).rows() if kind == "json" else _json_lines(text)
    except _Unreadable as unreadable:
        yield unreadable.flaw
    finally:
        text.detach()  # the file stays open: it is the caller's


def _text(file: BinaryIO) -> io.TextIOWrapper | None:
    """The file as text. UTF-8 is recognised by all of it: a text in another encoding is never UTF-8 by chance for
    long, and a name must not come in half."""
    for encoding in ("utf-8-sig", "cp1252"):
        file.seek(0)
        if _decodes(file, encoding):
            file.seek(0)
            return io.TextIOWrapper(file, encoding, newline="")
    return None


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(_CHUNK):
            if b"\0" in chunk:
                return False
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _form(text: TextIO) -> Form:
    """By the first character that is not blank; the file then stands at its beginning again."""
    first = text.read(_CHUNK).lstrip()[:1]
    text.seek(0)
    return "json" if first == "[" else "ndjson" if first == "{" else "csv"


# -- CSV -------------------------------------------------------------------------------------------------


def _csv_rows(text: TextIO, columns: frozenset[str]) -> Iterator[Row | Flaw]:
    lines = _Lines(text)
    header = next(lines, "")
    delimiter = ";" if ";" in header else ","
    names = next(csv.reader([header], delimiter=delimiter, strict=False), [])
    names = [name.strip() for name in names]
    flaws = list(_header_flaws(names, columns))
    if flaws:
        yield from flaws
        return
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begin = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            raise _Unreadable(begin, "not CSV as in RFC 4180: a quote that does not close, or stands alone") from None
        if cells is None:
            return
        if not any(cells):
            continue  # an empty line, or what a spreadsheet leaves below its table
        if len(cells) == len(names):
            kept = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
            yield Row(begin, {name: cell for name, cell in kept.items() if cell})
        else:
            yield Flaw(begin, f"{len(cells)} values under {len(names)} columns")


def _header_flaws(names: list[str], columns: frozenset[str]) -> Iterator[Flaw]:
    if not any(names):
        yield Flaw(1, "the file is empty: the first line names the columns")
        return
    for at, name in enumerate(names, 1):
        if name not in columns:
            # a file without a header has a pupil's number or name here: only a column's name beside others is repeated
            header = _COLUMN.fullmatch(name) and not columns.isdisjoint(names)
            shown = f"'{name}'" if header else f"number {at}"
            yield Flaw(1, f"column {shown} does not belong here; possible are {', '.join(sorted(columns))}")
        elif name in names[: at - 1]:
            yield Flaw(1, f"column '{name}' stands here twice")


class _Lines:
    """The lines of the file, counted as they are taken; none is longer than a row may be, and no row is."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_ROW + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > MAX_ROW:
            raise _Unreadable(self.number, "the row is too long; is a quote not closed?")
        return line


# -- JSON ------------------------------------------------------------------------------------------------


class _Twice(ValueError):
    """A key stands twice in one object: which one counts depends on the reader."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def _json_lines(text: TextIO) -> Iterator[Row | Flaw]:
    lines = _Lines(text)
    for line in lines:
        if line.strip():
            try:
                yield _json_row(lines.number, _DECODER.decode(line))
            except (ValueError, RecursionError):
                yield Flaw(lines.number, "not one JSON object on one line, or a key stands in it twice")


def _json_row(line: int, value: Any) -> Row | Flaw:
    if not isinstance(value, dict):
        return Flaw(line, "not a JSON object")
    return Row(line, {name: one for name, one in value.items() if one is not None})


class _Array:
    """The objects of one JSON array, each decoded as soon as all of it was read."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._held = ""
        self._at = 0
        self._line = 1

    def rows(self) -> Iterator[Row | Flaw]:
        self._take("[")
        if self._peek() == "]":
            self._at += 1
        else:
            yield self._row()
            while self._take(",]") == ",":
                yield self._row()
        if self._peek():
            raise _Unreadable(self._line, "something stands after the end of the array")

    def _row(self) -> Row | Flaw:
        if self._peek() != "{":
            raise _Unreadable(self._line, "not a JSON object")
        begin = self._line
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except _Twice:
                raise _Unreadable(begin, "a key stands twice in this object") from None
            except RecursionError:
                raise _Unreadable(begin, "nested too deeply") from None
            except ValueError:
                # not all of it is here yet, or it is no JSON: the longest row there may be tells
                if len(self._held) - self._at > MAX_ROW or not self._more():
                    raise _Unreadable(begin, "not JSON, or an object that is too long") from None
                continue
            self._line += self._held.count("\n", self._at, end)
            self._at = end
            return _json_row(begin, value)

    def _take(self, expected: str) -> str:
        found = self._peek()
        if not found or found not in expected:
            raise _Unreadable(self._line, f"not a JSON array: one of {' '.join(expected)} should stand here")
        self._at += 1
        return found

    def _peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            found = _BLANK.match(self._held, self._at)
            assert found is not None, "the pattern matches nothing too"
            self._line += self._held.count("\n", self._at, found.end())
            self._at = found.end()
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        chunk = self._text.read(_CHUNK)
        self._held, self._at = self._held[self._at :] + chunk, 0
        return bool(chunk)
