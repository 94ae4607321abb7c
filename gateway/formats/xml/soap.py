"""The envelope of SOAP 1.1 round one document: taken off strictly, and built anew.

Of the header nothing is taken over but addresses of WS-Addressing 1.0 that look as Edukoppeling prescribes them: they
name systems and messages, never a pupil. Leaves out: the document within (`minimiser`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.xml.parse import Limits, document

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_WSA = "http://www.w3.org/2005/08/addressing"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_MESSAGE = re.compile(rf"(?:urn:)?(?:uuid:)?{_UUID}(?:@[A-Za-z0-9.-]{{1,100}})?")
_NOBODY = re.compile(rf"{re.escape(_WSA)}/anonymous(?:\?oin=[0-9]{{20}})?")
_PLACE = re.compile(r"https?://[A-Za-z0-9.-]{1,100}(?::[0-9]{1,5})?(?:/[A-Za-z_.-]{0,60}){0,8}(?:\?oin=[0-9]{20})?")
_ACTION = re.compile(r"https?://[A-Za-z0-9.-]{1,100}(?:/[A-Za-z0-9_.-]{1,100}){0,8}")
# The order in which they leave; those of the second kind stand in an Address.
_TEXTS: Mapping[str, re.Pattern[str]] = {
    "To": re.compile(f"{_NOBODY.pattern}|{_PLACE.pattern}"),
    "Action": _ACTION,
    "MessageID": _MESSAGE,
    "RelatesTo": _MESSAGE,
}
_ADDRESSES: Mapping[str, re.Pattern[str]] = {"From": _NOBODY, "ReplyTo": _NOBODY}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What may be said of a message in its header: WS-Addressing's name → text."""

    said: Mapping[str, str] = field(default_factory=dict, repr=False)

    def acting(self, action: str) -> Envelope:
        """The same for a message whose action we know; a header without addresses stays so."""
        return Envelope({**self.said, "Action": action}) if self.said else self


@dataclass(frozen=True, slots=True)
class Opened:
    """One document. `envelope`: what it came in, None when it came bare; `tag`: its element; `fault`: it says that the
    message before it was not taken."""

    body: bytes = field(repr=False)
    tag: str = ""
    envelope: Envelope | None = None

    @property
    def fault(self) -> bool:
        return self.tag == f"{{{_SOAP}}}Fault"


def opened(body: bytes, limits: Limits | None = None) -> Opened:
    """The document in an envelope, or the bare document. Raises EnvelopeBroken."""
    root = document(body, limits or Limits())
    if root.tag != f"{{{_SOAP}}}Envelope":
        return Opened(body, str(root.tag))
    within = [child for one in root.findall(f"{{{_SOAP}}}Body") for child in one]
    if len(within) != 1 or len(root.findall(f"{{{_SOAP}}}Body")) != 1:
        raise EnvelopeBroken("an envelope holds one document")
    header = root.find(f"{{{_SOAP}}}Header")
    said = dict(_said(header)) if header is not None else {}
    return Opened(etree.tostring(within[0], with_tail=False), str(within[0].tag), Envelope(said))


def enclosed(body: bytes, envelope: Envelope) -> bytes:
    """A document of ours in an envelope of our own making."""
    made = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"soap": _SOAP})
    if envelope.said:
        header = etree.SubElement(made, f"{{{_SOAP}}}Header", nsmap={"wsa": _WSA})
        for name, text in envelope.said.items():
            block = etree.SubElement(header, f"{{{_WSA}}}{name}")
            within = etree.SubElement(block, f"{{{_WSA}}}Address") if name in _ADDRESSES else block
            within.text = text
    etree.SubElement(made, f"{{{_SOAP}}}Body").append(document(body, Limits()))
    written: bytes = etree.tostring(made, encoding="UTF-8", xml_declaration=True)
    return written


def _said(header: etree._Element) -> Iterator[tuple[str, str]]:
    """What is known and looks as it should; of anything twice the first."""
    for name, pattern in _TEXTS.items():
        text = (header.findtext(f"{{{_WSA}}}{name}") or "").strip()
        if pattern.fullmatch(text):
            yield name, text
    for name, pattern in _ADDRESSES.items():
        text = (header.findtext(f"{{{_WSA}}}{name}/{{{_WSA}}}Address") or "").strip()
        if pattern.fullmatch(text):
            yield name, text
