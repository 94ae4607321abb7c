"""A JSON file cut into its records as it arrives: an array, a single record, or NDJSON (one record per line).

Only brackets and texts are looked at here, so that a file of any size is read in the memory of one record; what is in a
record is the minimiser's to judge. Whatever is no list of objects, ends early, or holds a record larger than allowed
breaks the file as a whole. Leaves out: where the bytes come from and go to (`adapters`), XML and CSV.
"""

from __future__ import annotations

import re

from gateway.core.file_forms import Form, OtherFormat
from gateway.core.release.minimised import EnvelopeBroken

# Up to the next bracket that stands in no text; no match when it has not arrived yet. Nothing in it can be tried twice
# (possessive), and what was looked at is not looked at again when more arrives (`_TEXTS`, `_TEXT`).
_TEXTS = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+', re.DOTALL)
_BRACKET = re.compile(_TEXTS.pattern + rb"[\[\]{}]", re.DOTALL)
_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_OPENING = b"[{"
_SPACE = b" \t\r\n"


class JsonFile:
    """`feed` gives the records that are complete, as they stood in the file; `close` when there is no more. Both raise
    EnvelopeBroken. `most`: bytes of one record."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()
        self._at = 0  # everything before has been looked at
        self._begin = -1  # of the record that is open
        self._text = False  # whether that is within a text
        self._depth = 0
        self._array: bool | None = None
        self._ended = False
        self._separated = True
        self._found = 0

    def __repr__(self) -> str:
        return f"<JsonFile after {self._found} records>"

    @property
    def form(self) -> Form:
        """Known for certain when the file is closed; until then NDJSON of one record looks like a single one."""
        if self._array:
            return Form.ARRAY
        return Form.SINGLE if self._found == 1 else Form.LINES

    def feed(self, chunk: bytes) -> list[bytes]:
        self._buffer += chunk
        found: list[bytes] = []
        while self._between() if self._depth == 0 else self._within():
            if self._depth == 0 and self._begin >= 0:
                found.append(_text(self._buffer[self._begin : self._at]))
                self._begin, self._separated = -1, False
                self._found += 1
        self._forget()
        return found

    def piece(self, records: list[bytes]) -> bytes:
        """Records of a file as the minimiser reads them."""
        return b"[" + b",".join(records) + b"]"

    def close(self) -> list[bytes]:
        """Whether it was whole; nothing is left."""
        whole = self._ended if self._array else self._found > 0
        if self._depth or not whole:
            raise EnvelopeBroken("the file ends early")
        return []

    # -- steps -------------------------------------------------------------------------------------------

    def _between(self) -> bool:
        """One step between records; False when more bytes are needed."""
        byte = self._next()
        if byte is None:
            return False
        if self._array is None:
            self._first(byte)
        elif byte == ord("{") and self._separated and not self._ended:
            self._open()
        elif self._array and byte == ord(",") and not self._separated and not self._ended:
            self._separated, self._at = True, self._at + 1
        elif self._array and byte == ord("]") and not self._ended and (self._found == 0 or not self._separated):
            self._ended, self._at = True, self._at + 1
        else:
            raise EnvelopeBroken("no list of records")
        return True

    def _next(self) -> int | None:
        """The first byte that is no white space; a line that ends separates the records of NDJSON."""
        buffer, at = self._buffer, self._at
        while at < len(buffer) and buffer[at] in _SPACE:
            if self._array is False and buffer[at] == ord("\n"):
                self._separated = True
            at += 1
        self._at = at
        return buffer[at] if at < len(buffer) else None

    def _first(self, byte: int) -> None:
        if byte == ord("["):
            self._array, self._at = True, self._at + 1
        elif byte == ord("{"):
            self._array = False
            self._open()
        else:
            raise OtherFormat("neither an array nor an object")

    def _open(self) -> None:
        self._begin, self._depth, self._at = self._at, 1, self._at + 1

    def _within(self) -> bool:
        """Up to the end of the record; False when more bytes are needed."""
        buffer, at, depth = self._buffer, self._at, self._depth
        while depth:
            at = self._past_text(at)
            found = None if self._text else _BRACKET.match(buffer, at)
            if found is not None:
                at = found.end()
                depth += 1 if buffer[at - 1] in _OPENING else -1
            elif self._text or (at := _past(_TEXTS, buffer, at)) == len(buffer):
                break
            else:
                self._text, at = True, at + 1  # one that has not arrived whole
        self._at, self._depth = at, depth
        if (len(buffer) if depth else at) - self._begin > self._most:
            raise EnvelopeBroken("a record is larger than allowed")
        return depth == 0

    def _past_text(self, at: int) -> int:
        """Behind the text that had begun, or at what of it has not arrived."""
        if self._text:
            at = _past(_TEXT, self._buffer, at)
            if self._buffer[at : at + 1] == b'"':
                self._text, at = False, at + 1
        return at

    def _forget(self) -> None:
        """What came out is not kept."""
        gone = self._at if self._begin < 0 else self._begin
        del self._buffer[:gone]
        self._at -= gone
        self._begin = min(0, self._begin)


def _past(what: re.Pattern[bytes], buffer: bytearray, at: int) -> int:
    found = what.match(buffer, at)
    return found.end() if found is not None else at


def _text(record: bytearray) -> bytes:
    """Also what nobody reads is UTF-8, or the file is not what it says it is."""
    try:
        record.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return bytes(record)
    # raised outside `except`: the cause would hold the record
    raise EnvelopeBroken("the text is not UTF-8")
