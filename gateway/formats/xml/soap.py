"""The envelope of SOAP 1.1: opening one from outside, writing one, a fault, and the authorisation in UWLR's header.

In a message of an operation it resolves no type that the sender names (`xsi:type`) and knows no header but UWLR's own.
Leaves out: what an operation asks and answers (`operations`), WS-Addressing and a document that is pushed
(`addressing`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.xml.parse import Limits, document, started

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
AUTHORISATION = "http://www.edustandaard.nl/leerresultaten/2/autorisatie"
HEADER_BYTES = 16_384
"""More of a message is not looked at to find out who sends it, and a longer header is refused."""

_OPENING = f"<?xml version='1.0' encoding='UTF-8'?>\n<soap:Envelope xmlns:soap=\"{ENVELOPE}\">".encode()
_LIMITS = Limits(depth=32)
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_LONGEST = 64  # tpString64 of the standard


@dataclass(frozen=True, slots=True)
class Authorisation:
    """`autorisatie` of UWLR: the key, and the code of whoever has it."""

    key: str = field(repr=False)
    code: str


def soap(name: str) -> str:
    """This name in SOAP's namespace."""
    return f"{{{ENVELOPE}}}{name}"


def is_envelope(root: etree._Element) -> bool:
    """Whether this document is a message."""
    return bool(root.tag == soap("Envelope"))


def opened(body: bytes) -> etree._Element:
    """The one element in the body of a message. Raises EnvelopeBroken."""
    root = document(body, _LIMITS)
    if not is_envelope(root):
        raise EnvelopeBroken("no envelope of SOAP 1.1")
    if any(one.get(_TYPE) is not None for one in root.iter()):
        raise EnvelopeBroken("xsi:type names a type of the sender's own")
    content = content_of(root)
    parts = [one.tag for one in root]
    if len(set(parts)) != len(parts) or set(parts) - {soap("Header"), soap("Body")}:
        raise EnvelopeBroken("something beside header and body")
    header = root.find(soap("Header"))
    if header is not None:
        _look_at(header)
    return content


def content_of(root: etree._Element) -> etree._Element:
    """The one element in the one body of an envelope. Raises EnvelopeBroken."""
    bodies = root.findall(soap("Body"))
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise EnvelopeBroken("not one element in the body")
    return bodies[0][0]


def _look_at(header: etree._Element) -> None:
    """SOAP 1.1 section 4.2.3: what must be understood and is not ends the message; the rest is passed over."""
    if len(etree.tostring(header)) > HEADER_BYTES:
        raise EnvelopeBroken("the header is too large")
    unknown = [one for one in header if one.tag != _authorisation("autorisatie")]
    if any(one.get(soap("mustUnderstand")) in ("1", "true") for one in unknown):
        raise EnvelopeBroken("a header that must be understood is not known here")


def authorisation(opening: bytes) -> Authorisation | None:
    """What the first bytes of a message say of its sender; None where they do not say it whole and once."""
    found = started(opening[:HEADER_BYTES], soap("Header"))
    if found is None or (root := found.getparent()) is None or not is_envelope(root):
        return None
    blocks = found.findall(_authorisation("autorisatie"))
    if len(blocks) != 1:
        return None
    key, code = (_text(blocks[0], name) for name in ("autorisatiesleutel", "klantcode"))
    return Authorisation(key, code) if key and code else None


def _text(block: etree._Element, name: str) -> str:
    found = block.findall(_authorisation(name))
    text = (found[0].text or "").strip() if len(found) == 1 else ""
    return text if len(text) <= _LONGEST and text.isascii() else ""


def enveloped(content: bytes, header: bytes = b"") -> bytes:
    """A message with this element in its body."""
    head = b"<soap:Header>" + header + b"</soap:Header>" if header else b""
    within = head + b"<soap:Body>" + content + b"</soap:Body>"
    return _OPENING + within + b"</soap:Envelope>"


def authorised(key: str, code: str, name: str) -> bytes:
    """The header by which the school's own gateway is known to its administration."""
    block = etree.Element(_authorisation("autorisatie"), nsmap=_prefixes(AUTHORISATION))
    for tag, text in (("autorisatiesleutel", key), ("klantcode", code), ("klantnaam", name)):
        etree.SubElement(block, _authorisation(tag)).text = text
    return bytes(etree.tostring(block, encoding="UTF-8", xml_declaration=False))


def fault(code: str, word: str, sentence: str, about: str = "", each: Iterable[tuple[str, str]] = ()) -> bytes:
    """A message that says why there is no answer. `code`: "Client" or "Server" (section 4.4.1); `each`: of which
    statement (its sender's own id) and the word for it."""
    detail = f'<reden xmlns="urn:dataminimalisatie-gateway"><woord>{escape(word)}</woord>'
    detail += f"<toelichting>{escape(about)}</toelichting></reden>" if about else "</reden>"
    told = "".join(f"<uitspraak key={quoteattr(key)}>{escape(one)}</uitspraak>" for key, one in each)
    detail += f'<uitspraken xmlns="urn:dataminimalisatie-gateway">{told}</uitspraken>' if told else ""
    text = (
        f"<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{escape(word)}: {escape(sentence)}</faultstring>"
        f"<detail>{detail}</detail></soap:Fault>"
    )
    return enveloped(text.encode())


def faultcode(body: bytes) -> str | None:
    """The first part of the code of a fault ("Client.Authentication" is "Client"); None when it is no fault."""
    try:
        content = opened(body)
    except EnvelopeBroken:
        return None
    if content.tag != soap("Fault"):
        return None
    return (content.findtext("faultcode") or "").strip().rpartition(":")[2].partition(".")[0]


def _prefixes(namespace: str) -> Any:
    return {None: namespace}


def _authorisation(name: str) -> str:
    return f"{{{AUTHORISATION}}}{name}"
