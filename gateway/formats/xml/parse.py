"""Reading XML from outside without being harmed by it: no DOCTYPE, no entities, no network, bounds on everything.

The DOCTYPE and the encoding are refused before the parser sees them: an entity that nobody can declare cannot expand.
Leaves out: what the elements mean (`build`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from gateway.core.release.minimised import EnvelopeBroken

_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
# In these a DOCTYPE is written in the bytes of ASCII, so that none can hide.
_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1", b"iso-8859-15", b"windows-1252"})
_BOM = b"\xef\xbb\xbf"
_DOCTYPE = b"<!DOCTYPE"
_OPENING = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one record may be. `elements`: tags in it; `depth`: of a document, read whole (of a record in a list nothing
    is looked at but what leaves, and the parser itself refuses 256); `text`: signs of one value; `attachment`: of a
    document within it (the parser itself refuses ten million)."""

    elements: int = 400_000
    depth: int = 64
    text: int = 100_000
    attachment: int = 10_000_000


def document(body: bytes, limits: Limits) -> etree._Element:
    """The root of a whole document. Raises EnvelopeBroken."""
    _screen(body)
    if body.count(b"<") > limits.elements:
        raise EnvelopeBroken("too many elements")
    root = _parsed(body)
    # Raised here, outside of `except`: the cause would hold words of the body.
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise EnvelopeBroken("no well-formed XML")
    if too_deep(root, limits.depth):
        raise EnvelopeBroken("nested too deeply")
    return root


def records(chunks: Iterable[bytes], envelope: str, element: str, limits: Limits) -> Iterator[etree._Element]:
    """The records of a list one by one, while it is read; each is gone when the next is asked for. Raises
    EnvelopeBroken, also after some of them."""
    listed = Listed(envelope, element, limits)
    for chunk in chunks:
        yield from listed.feed(chunk)
    yield from listed.close()


class Listed:
    """A list as it arrives: `feed` and `close` give the records that are complete. Both raise EnvelopeBroken."""

    def __init__(self, envelope: str, element: str, limits: Limits) -> None:
        self._envelope = envelope
        self._limits = limits
        self._parser: Any = etree.XMLPullParser(events=("end",), tag=element, **_OPTIONS, **_QUICK)
        self._root: etree._Element | None = None
        self._opening: bytes | None = b""  # until there is enough of it to be screened
        self._tail = b""
        self._tags = 0  # since the last record

    def feed(self, chunk: bytes) -> Iterator[etree._Element]:
        if self._opening is not None:
            self._opening += chunk
            if len(self._opening) < _OPENING:
                return
            chunk = self._begun()
        elif (b"!" in chunk or b"!" in self._tail) and _DOCTYPE in self._tail + chunk:
            raise EnvelopeBroken("a document type")  # one sign is found ten times as fast as nine
        self._tail = (self._tail + chunk)[-len(_DOCTYPE) :] if len(chunk) < len(_DOCTYPE) else chunk[-len(_DOCTYPE) :]
        yield from self._records(chunk)

    def close(self) -> Iterator[etree._Element]:
        if self._opening is not None:
            yield from self._records(self._begun())
        ended = _closed(self._parser)
        if ended is None or ended.tag != self._envelope or ended.getroottree().docinfo.internalDTD is not None:
            raise EnvelopeBroken("no well-formed list")

    def _begun(self) -> bytes:
        opening, self._opening = self._opening or b"", None
        _screen(opening)
        return opening

    def _records(self, chunk: bytes) -> Iterator[etree._Element]:
        if not _fed(self._parser, chunk):
            raise EnvelopeBroken("no well-formed XML")
        last: etree._Element | None = None
        for _, found in self._parser.read_events():
            above = found.getparent()
            if self._root is None and above is not None and above.tag == self._envelope and above.getparent() is None:
                self._root = above
            if above is self._root and above is not None:
                yield found
                last = found
        if self._root is not None and last is not None:
            _forget(last, self._root)
        self._tags = self._tags + chunk.count(b"<") if last is None else 0
        if self._tags > self._limits.elements:
            raise EnvelopeBroken("too many elements in one record")


def started(opening: bytes, element: str) -> etree._Element | None:
    """The first such element that is whole within these first bytes of a document."""
    try:
        _screen(opening)
    except EnvelopeBroken:
        return None
    parser: Any = etree.XMLPullParser(events=("end",), tag=element, **_OPTIONS)
    if not _fed(parser, opening):
        return None
    return next((found for _, found in parser.read_events()), None)


def too_deep(element: etree._Element, most: int) -> bool:
    """Whether more than `most` elements stand within each other. Looks no deeper than that."""
    level = [element]
    for _ in range(most):
        level = [child for one in level for child in one]
        if not level:
            return False
    return True


_OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "recover": False,
    "remove_comments": True,
    "remove_pis": True,
}


# Of a list: text between elements is not kept, nor where ids stand.
_QUICK: dict[str, Any] = {"remove_blank_text": True, "collect_ids": False}


def _screen(opening: bytes) -> None:
    """What can be told from the bytes alone."""
    declared = _DECLARED.match(opening.removeprefix(_BOM))
    if declared is not None and declared.group(1).lower() not in _ENCODINGS:
        raise EnvelopeBroken("an encoding that is not read")
    if b"\x00" in opening[:_OPENING] or _DOCTYPE in opening:
        raise EnvelopeBroken("a document type, or no text")


def _parsed(body: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(body, etree.XMLParser(**_OPTIONS))
    except (etree.LxmlError, ValueError):
        return None


def _fed(parser: Any, chunk: bytes) -> bool:
    try:
        parser.feed(chunk)
    except (etree.LxmlError, ValueError):
        return False
    return True


def _closed(parser: Any) -> etree._Element | None:
    try:
        root: etree._Element = parser.close()
    except (etree.LxmlError, ValueError):
        return None
    return root


def _forget(last: etree._Element, above: etree._Element) -> None:
    """The records so far: memory stays flat. The last stays, empty, for the parser stands behind it."""
    last.clear()
    del above[: above.index(last)]
