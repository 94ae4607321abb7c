"""The addresses of WS-Addressing 1.0 in the envelope round one document: read, and written in an envelope of our own.

Of the header nothing else is taken over, and only what looks as Edukoppeling prescribes it: it names systems and
messages, never a pupil. A message is known to the other side by its UUID alone: what its maker wrote behind that is
free, and comes back in the answer only. Leaves out: the envelope itself (`soap`), the document within (`minimiser`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lxml import etree

from gateway.formats.xml.parse import Limits, document
from gateway.formats.xml.soap import content_of, enveloped, is_envelope, soap

_WSA = "http://www.w3.org/2005/08/addressing"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_MESSAGE = re.compile(rf"((?:urn:)?(?:uuid:)?{_UUID})(?:@[A-Za-z0-9.-]{{1,100}})?")
_NOBODY = re.compile(rf"{re.escape(_WSA)}/anonymous(?:\?oin=[0-9]{{20}})?")
_BY_OIN = f"{_WSA}/anonymous?oin="
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
class Addressing:
    """What may be said of a message in its header: WS-Addressing's name → text. `called`: its id as its maker
    wrote it."""

    said: Mapping[str, str] = field(default_factory=dict, repr=False)
    called: str = field(default="", repr=False)

    def acting(self, action: str) -> Addressing:
        """The same for a message whose action we know; a header without addresses stays so."""
        return replace(self, said={**self.said, "Action": action}) if self.said else self

    def towards(self, address: str, oin: str | None) -> Addressing:
        """The same for whom it is sent to, as the school's own settings and the recipient's file know them: whatever
        its maker wrote, as the address of the gateway. Said by an OIN, as Edukoppeling does, it stays so."""
        to = self.said.get("To", "")
        if to.startswith(_BY_OIN):
            return replace(self, said={**self.said, "To": f"{_BY_OIN}{oin}"}) if oin else self
        return replace(self, said={"To": address, **self._but("To")}) if self.said and address else self

    def _but(self, name: str) -> Mapping[str, str]:
        return {key: text for key, text in self.said.items() if key != name}

    def answering(self, asked: Addressing) -> Addressing:
        """The same for who asked, by the id they know."""
        known = asked.said.get("MessageID", "") == self.said.get("RelatesTo")
        return replace(self, said={**self.said, "RelatesTo": asked.called}) if known else self


@dataclass(frozen=True, slots=True)
class Opened:
    """One document. `addressing`: of the envelope it came in, None when it came bare; `tag`: its element; `fault`: it
    says that the message before it was not taken."""

    body: bytes = field(repr=False)
    tag: str = ""
    addressing: Addressing | None = None

    @property
    def fault(self) -> bool:
        return self.tag == soap("Fault")


def opened(body: bytes) -> Opened:
    """The document in an envelope, or the bare document. Raises EnvelopeBroken."""
    root = document(body, Limits())
    if not is_envelope(root):
        return Opened(body, str(root.tag))
    content, header = content_of(root), root.find(soap("Header"))
    addressing = Addressing() if header is None else Addressing(dict(_said(header)), _text(header, "MessageID"))
    return Opened(etree.tostring(content, with_tail=False), str(content.tag), addressing)


def enclosed(body: bytes, addressing: Addressing) -> bytes:
    """A document of ours in an envelope of our own making."""
    blocks = b"".join(etree.tostring(_block(name, text)) for name, text in addressing.said.items())
    return enveloped(etree.tostring(document(body, Limits()), encoding="UTF-8", xml_declaration=False), blocks)


def _block(name: str, text: str) -> etree._Element:
    block = etree.Element(f"{{{_WSA}}}{name}", nsmap={"wsa": _WSA})
    within = etree.SubElement(block, f"{{{_WSA}}}Address") if name in _ADDRESSES else block
    within.text = text
    return block


def _said(header: etree._Element) -> Iterator[tuple[str, str]]:
    """What is known and looks as it should; of anything twice the first."""
    for name, pattern in _TEXTS.items():
        found = pattern.fullmatch(_text(header, name))
        if found is not None:
            yield name, found[1] if pattern is _MESSAGE else found[0]
    for name, pattern in _ADDRESSES.items():
        text = (header.findtext(f"{{{_WSA}}}{name}/{{{_WSA}}}Address") or "").strip()
        if pattern.fullmatch(text):
            yield name, text


def _text(header: etree._Element, name: str) -> str:
    return (header.findtext(f"{{{_WSA}}}{name}") or "").strip()
