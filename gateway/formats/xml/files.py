"""An XML file: a dossier is one document, read whole; a list is cut into its records as it arrives.

Leaves out: what may leave of it (`minimiser`), and whether a document is well-formed; a list is known to be when it is
cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from lxml import etree

from gateway.core.file_forms import Form, OtherFormat
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.xml.parse import Arriving, Limits, Listed

_BOM = b"\xef\xbb\xbf"
OPENING = 1024


def first_element(opening: bytes) -> str:
    """Its tag; empty where these first bytes of a file have none."""
    arriving = Arriving("*", ("start",), Limits())
    try:
        told = next(chain(arriving.feed(opening), arriving.rest()), None)
    except EnvelopeBroken:
        return ""
    return str(told[1].tag) if told is not None else ""


class XmlFile:
    """`feed` gives nothing until `close`, which gives the document. Both raise EnvelopeBroken. `most`: its bytes."""

    form = Form.SINGLE

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()

    def __repr__(self) -> str:
        return f"<XmlFile of {len(self._buffer)} bytes>"

    def feed(self, chunk: bytes) -> list[bytes]:
        self._buffer += chunk
        if len(self._buffer) > self._most:
            raise EnvelopeBroken("a document is larger than allowed")
        sniffed(bytes(self._buffer[:OPENING]))
        return []

    def piece(self, records: list[bytes]) -> bytes:
        """The document as the minimiser reads it."""
        return b"".join(records)

    def close(self) -> list[bytes]:
        if not self._buffer.strip():
            raise EnvelopeBroken("the file ends early")
        return [bytes(self._buffer)]


class XmlListFile:
    """`feed` and `close` give the records that are complete, each with its namespaces, so that a file of any size is
    read in the memory of one record. Both raise EnvelopeBroken. `most`: bytes of one record."""

    form = Form.LIST

    def __init__(self, envelope: str, element: str, most: int, limits: Limits | None = None) -> None:
        self._most = most
        self._opening = b""
        self._since = 0
        self._listed = Listed(envelope, element, limits or Limits())
        name = etree.QName(envelope)
        prefixes: Any = {None: name.namespace} if name.namespace else None
        empty = etree.Element(envelope, nsmap=prefixes)
        self._begin, self._end = etree.tostring(empty).replace(b"/>", b">"), f"</{name.localname}>".encode()

    def __repr__(self) -> str:
        return f"<XmlListFile, {self._since} bytes after a record>"

    def feed(self, chunk: bytes) -> list[bytes]:
        if len(self._opening) < OPENING:
            self._opening += chunk[:OPENING]
            sniffed(self._opening)
        self._since += len(chunk)
        found = self._written(self._listed.feed(chunk))
        self._since = 0 if found else self._since
        if self._since > self._most:
            raise EnvelopeBroken("a record is larger than allowed")
        return found

    def piece(self, records: list[bytes]) -> bytes:
        """Records as a list of their own, as the minimiser reads it."""
        return b"".join([self._begin, *records, self._end])

    def close(self) -> list[bytes]:
        return self._written(self._listed.close())

    def _written(self, records: Iterable[etree._Element]) -> list[bytes]:
        found = [etree.tostring(record, encoding="UTF-8", with_tail=False) for record in records]
        if any(len(text) > self._most for text in found):
            raise EnvelopeBroken("a record is larger than allowed")
        return found


def sniffed(opening: bytes) -> None:
    """Whether this can be XML."""
    begin = opening.removeprefix(_BOM).lstrip()
    if begin and not begin.startswith(b"<") and not _BOM.startswith(begin):
        raise OtherFormat("no markup")
