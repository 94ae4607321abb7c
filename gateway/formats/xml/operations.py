"""One operation of SOAP: what a request asks, the request that goes to the source, and the answer that may leave.

A request is read strictly by the paths that its route declares and built anew; of an answer only the record of the
operation is looked at. Leaves out: the envelope (`soap`), what leaves of a record (`minimiser`), whom ids stand for
(`transfer`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lxml import etree

from gateway.core.policy.schema import Soap
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import EnvelopeBroken, Minimised
from gateway.formats.xml.minimiser import XmlMinimiser
from gateway.formats.xml.soap import ENVELOPE, enveloped, opened
from gateway.formats.xml.source import Names

Pairs = Sequence[tuple[str, str]]
"""(path from the request, text), in the order of the request."""

_NOTHING, _UNCHANGED = "geengegevens", "geenwijzigingen"
_MOST = 2_000  # values in one request


class Operation:
    """Of one route."""

    def __init__(self, soap: Soap, namespaces: Mapping[str, str]) -> None:
        self.soap = soap
        self._names = Names(namespaces)

    @property
    def above(self) -> tuple[str, ...]:
        """What stands around the record in an answer."""
        return f"{{{ENVELOPE}}}Envelope", f"{{{ENVELOPE}}}Body", self._names(self.soap.answer)

    def asked(self, body: bytes, known: Iterable[str]) -> Pairs:
        """What the request says, by the paths `known`. Raises EnvelopeBroken for anything else that stands in it."""
        content = opened(body)
        if content.tag != self._names(self.soap.request):
            raise EnvelopeBroken("another request than the SOAPAction says")
        found = [*self._read(content, "", tuple(known))]
        if len(found) > _MOST:
            raise EnvelopeBroken("too many values")
        return found

    def _read(self, element: etree._Element, prefix: str, known: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        inside = {path.removeprefix(prefix).split(".")[0] for path in known if path.startswith(prefix)}
        attributes = {self._names.attribute(name): name for name in inside if name.startswith("@")}
        tags = {self._names(name): name for name in inside if not name.startswith("@")}
        if set(map(str, element.attrib)) - attributes.keys() or (inside and (element.text or "").strip()):
            raise EnvelopeBroken("something that the schema does not know")
        for wire, name in attributes.items():
            yield f"{prefix}{name}", element.get(wire, "")
        for child in element:
            name = tags.get(str(child.tag), "")
            if not name or (child.tail or "").strip():
                raise EnvelopeBroken("something that the schema does not know")
            path = f"{prefix}{name}"
            if path in known:
                yield path, self._text(child)
            else:
                yield from self._read(child, f"{path}.", known)

    def _text(self, element: etree._Element) -> str:
        if len(element) or element.attrib:
            raise EnvelopeBroken("a value with something in it")
        return (element.text or "").strip()

    def request(self, pairs: Pairs) -> bytes:
        """The element for the source's body."""
        root = self._names.element(self._names(self.soap.request))
        for path, text in pairs:
            self._put(root, path.split("."), text)
        return _written(root)

    def _put(self, root: etree._Element, steps: list[str], text: str) -> None:
        """What holds others is made once; what holds a value, or an attribute, for every value."""
        attribute = steps.pop() if steps[-1].startswith("@") else ""
        at = root
        for step in steps[:-1]:
            found = at.find(self._names(step))
            at = found if found is not None else etree.SubElement(at, self._names(step))
        made = etree.SubElement(at, self._names(steps[-1]))
        if not attribute:
            made.text = text
        elif text:
            made.set(self._names.attribute(attribute), text)

    def answer(self, body: bytes, xml: XmlMinimiser, emission: Emission) -> Minimised:
        """What may leave of the source's answer, in an envelope. Raises EnvelopeBroken."""
        content = opened(body)
        if content.tag != self._names(self.soap.answer) or len(content) != 1:
            raise EnvelopeBroken("another answer than the operation has")
        record = content[0]
        if record.tag == self._names(_NOTHING):
            return Minimised(self.nothing(), 0, 0)
        if record.tag != self._names(self.soap.element):
            raise EnvelopeBroken("another answer than the operation has")
        made = xml.part(record, emission, str(record.tag), frozenset(self.soap.parts))
        if (
            made.malformed and not made.records
        ):  # that there is nothing would be a lie, after which a client deletes everybody
            raise EnvelopeBroken("nothing can be read", emission.faults)
        made.body = self._answered(made.body) if made.records else self.nothing()
        return made

    def nothing(self) -> bytes:
        """The answer when there is nothing to say."""
        return self._answered(f"<{_NOTHING}/>".encode())

    def unchanged(self) -> bytes:
        """The answer when it would be the same as before."""
        return self._answered(f"<{_UNCHANGED}/>".encode())

    def confirms(self, body: bytes) -> bool:
        """Whether this is the answer of an operation that only confirms. Raises EnvelopeBroken."""
        return bool(opened(body).tag == self._names(self.soap.answer))

    def empty(self) -> bytes:
        """The answer of an operation that only confirms."""
        return enveloped(_written(self._names.element(self._names(self.soap.answer))))

    def _answered(self, content: bytes) -> bytes:
        opening = self._names.element(self._names(self.soap.answer))
        opening.text = " "  # an element with an end of its own
        begin, end = _written(opening).rsplit(b" ", 1)
        return enveloped(begin + content + end)


def _written(made: etree._Element) -> bytes:
    """With no namespace of the schema that it does not use."""
    etree.cleanup_namespaces(made)
    return bytes(etree.tostring(made, encoding="UTF-8", xml_declaration=False))
