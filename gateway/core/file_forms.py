"""What a file can be, whatever its format: the words that readers, filter and output share, and how rows become one.

Leaves out: reading a file (`formats`), writing it down (`adapters.file_output`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from gateway.core.release.minimised import EnvelopeBroken


class Form(StrEnum):
    """An array of records, a single record or document, a record per line, rows below a header, elements in one, an
    archive of files, a document of lists that is built item by item."""

    ARRAY = "array"
    SINGLE = "single"
    LINES = "lines"
    TABLE = "table"
    LIST = "list"
    SET = "set"
    DOCUMENT = "document"


class OtherFormat(EnvelopeBroken):
    """The first bytes are another format's, or another encoding's."""


def in_form(form: Form, rows: Iterable[bytes], head: bytes = b"") -> Iterator[bytes]:
    """A file of the same form with these records. `head`: of a table, the line above them; of a list of elements, what
    it is without any."""
    if form in (Form.TABLE, Form.LIST):
        yield from _around(form, rows, head)
        return
    before = b"[" if form is Form.ARRAY else b""
    after = b"\n" if form is Form.LINES else b""
    for row in rows:
        yield before + row + after
        before = b"," if form is Form.ARRAY else b""
    if form is Form.ARRAY:
        yield b"[]" if before == b"[" else b"]"


def ends(form: Form, head: bytes = b"") -> tuple[bytes, bytes]:
    """What stands before and after the records of a file of this form."""
    if form is Form.ARRAY:
        return b"[", b"]"
    end = head.rindex(b"</") if form is Form.LIST else len(head)
    return head[:end], head[end:]


def _around(form: Form, rows: Iterable[bytes], head: bytes) -> Iterator[bytes]:
    before, after = ends(form, head)
    yield before
    yield from rows
    yield after
