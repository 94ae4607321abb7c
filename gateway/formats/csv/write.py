"""How a row leaves: its cells as text of the declared encoding, none of which begins a formula where people open it.

Leaves out: what is in the cells (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.policy.schema import Csv
from gateway.core.release.texts import Malformed
from gateway.formats.csv.read import written

# Also as full-width signs, which some programs read alike.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_END = "\r\n"
_BOM = "\ufeff"


def plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def head(names: Iterable[str], dialect: Csv) -> bytes:
    """The first line, with the mark of the encoding where it has one."""
    mark = _BOM if dialect.encoding == "utf-8-sig" else ""
    return (mark + written(tuple(names), dialect.delimiter) + _END).encode()


def line(cells: list[str], dialect: Csv) -> bytes:
    """Raises Malformed for a sign that the encoding does not have: half a name is no name."""
    text = written(cells, dialect.delimiter) + _END
    try:
        return text.encode("cp1252" if dialect.encoding == "cp1252" else "utf-8")
    except UnicodeEncodeError:
        pass
    raise Malformed("", f"signs that {dialect.encoding} has")
