"""An XML file, read whole: a dossier is one document, and a list is sorted as one.

Leaves out: whether it is well-formed and what may leave of it (`minimiser`); lists larger than may be held.
"""

from __future__ import annotations

from gateway.core.file_forms import Form, OtherFormat
from gateway.core.release.minimised import EnvelopeBroken

_BOM = b"\xef\xbb\xbf"


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
        opening = bytes(self._buffer[:1024]).removeprefix(_BOM).lstrip()
        if opening and not opening.startswith(b"<") and not _BOM.startswith(opening):
            raise OtherFormat("no markup")
        return []

    def piece(self, records: list[bytes]) -> bytes:
        """The document as the minimiser reads it."""
        return b"".join(records)

    def close(self) -> list[bytes]:
        if not self._buffer.strip():
            raise EnvelopeBroken("the file ends early")
        return [bytes(self._buffer)]
