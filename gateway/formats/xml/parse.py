"""Reading XML from outside without being harmed by it: no DOCTYPE, no entities, no network, bounds on everything.

The DOCTYPE and the encoding are refused before the parser sees them: an entity that nobody can declare cannot expand.
Leaves out: what the elements mean (`build`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from lxml import etree

from gateway.core.release.minimised import EnvelopeBroken, TooLarge

_DECLARATION = b"<?xml"
_DECLARED = re.compile(rb"\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
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
        raise TooLarge("too many elements")
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


class Arriving:
    """A document as it arrives, of which only the elements with these tags are told, as they begin or end. `feed` and
    `rest` raise EnvelopeBroken; whoever took some of them says so (`took`), and what stood before is gone."""

    def __init__(self, tags: str | tuple[str, ...], events: tuple[Any, ...], limits: Limits) -> None:
        self._limits = limits
        self._parser: Any = etree.XMLPullParser(events=events, tag=tags, **_OPTIONS)
        self._opening: bytes | None = b""  # until there is enough of it to be screened
        self._tail = b""
        self._tags = 0  # since the last record

    def feed(self, chunk: bytes) -> Iterator[tuple[str, etree._Element]]:
        if self._opening is not None:
            self._opening += chunk
            return iter(()) if len(self._opening) < _OPENING else self._told(self._begun())
        if (b"!" in chunk or b"!" in self._tail) and _DOCTYPE in self._tail + chunk:
            raise EnvelopeBroken("a document type")  # one sign is found ten times as fast as nine
        return self._told(chunk)

    def rest(self) -> Iterator[tuple[str, etree._Element]]:
        return iter(()) if self._opening is None else self._told(self._begun())

    def ended(self) -> etree._Element | None:
        """The root; None where the document is not whole."""
        root = _closed(self._parser)
        return None if root is None or root.getroottree().docinfo.internalDTD is not None else root

    def took(self, last: etree._Element | None) -> None:
        """Of what was told last, until this one."""
        above = last.getparent() if last is not None else None
        if last is not None and above is not None:
            self._tags = 0
            _forget(last, above)
        if self._tags > self._limits.elements:
            raise EnvelopeBroken("too many elements in one record")

    def _begun(self) -> bytes:
        opening, self._opening = self._opening or b"", None
        _screen(opening)
        return opening

    def _told(self, chunk: bytes) -> Iterator[tuple[str, etree._Element]]:
        self._tail = (self._tail + chunk)[-len(_DOCTYPE) :] if len(chunk) < len(_DOCTYPE) else chunk[-len(_DOCTYPE) :]
        self._tags += chunk.count(b"<")
        if not _fed(self._parser, chunk):
            raise EnvelopeBroken("no well-formed XML")
        found: Iterator[tuple[str, etree._Element]] = self._parser.read_events()
        return found


class Listed:
    """A list as it arrives: `feed` and `close` give the records that are complete. Both raise EnvelopeBroken."""

    def __init__(self, envelope: str, element: str, limits: Limits) -> None:
        self._envelope = envelope
        self._arriving = Arriving(element, ("end",), limits)
        self._root: etree._Element | None = None

    def feed(self, chunk: bytes) -> Iterator[etree._Element]:
        return self._records(self._arriving.feed(chunk))

    def close(self) -> Iterator[etree._Element]:
        yield from self._records(self._arriving.rest())
        root = self._arriving.ended()
        if root is None or root.tag != self._envelope:
            raise EnvelopeBroken("no well-formed list")

    def _records(self, told: Iterator[tuple[str, etree._Element]]) -> Iterator[etree._Element]:
        last: etree._Element | None = None
        for _, found in told:
            above = found.getparent()
            if self._root is None and above is not None and above.tag == self._envelope and above.getparent() is None:
                self._root = above
            if above is self._root and above is not None:
                yield found
                last = found
        self._arriving.took(last)


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
    return bool(_at_depth(most)(element))


@cache
def _at_depth(most: int) -> etree.XPath:
    """Whether something stands that deep: asked of the parser's own tree, of which not one element is made for it."""
    return etree.XPath(f"boolean({'/'.join('*' * most)})")


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
    "remove_blank_text": True,  # between elements; what a value is made of stays
    "collect_ids": False,
}


def _screen(opening: bytes) -> None:
    """What can be told from the bytes alone."""
    begin = opening[: _OPENING + len(_BOM)].removeprefix(_BOM)
    if begin.startswith(_DECLARATION) and not _is_read(begin):
        raise EnvelopeBroken("an encoding that is not read")
    if b"\x00" in opening[:_OPENING] or _DOCTYPE in opening:
        raise EnvelopeBroken("a document type, or no text")


def _is_read(begin: bytes) -> bool:
    """Whether the declaration ends here, and names no encoding but these."""
    declaration, end, _ = begin.partition(b"?>")
    named = _DECLARED.search(declaration)
    if named is None:
        return bool(end) and b"encoding" not in declaration
    return bool(end) and named.group(1).lower() in _ENCODINGS


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
