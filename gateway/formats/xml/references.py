"""References within a document: what names something that did not leave does not leave either, or a standard's own keys
would not hold. Leaves out: mapping the ids themselves (`build`)."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from gateway.core.policy.grants import leaves
from gateway.core.policy.schema import Record
from gateway.formats.xml.source import Source


class References:
    """Of one record: where an id stands, and where what it names bears that id."""

    def __init__(self, record: Record, source: Source) -> None:
        self._source = source
        self._known = [(path, leaf.refers) for path, leaf in leaves(record.fields) if leaf.refers is not None]

    def mend(self, made: etree._Element, parts: frozenset[str] | None) -> None:
        """Take away what refers to nothing, and what is then empty above it. A message without the part that is
        referred to names what another message holds."""
        for path, target in self._known:
            if parts is not None and target.split(".")[0] not in parts:
                continue
            there = set(self._source.texts(made, target))
            for element in list(self._bearers(made, path, there)):
                _take(element, made)

    def _bearers(self, made: etree._Element, path: str, there: set[str]) -> Iterator[etree._Element]:
        at, _, last = path.rpartition(".")
        for element in self._source.elements(made, at):
            if any(text not in there for text in self._source.texts(element, last)):
                yield element


def _take(element: etree._Element, root: etree._Element) -> None:
    above = element.getparent()
    if above is None or element is root:
        return
    above.remove(element)
    if len(above) == 0 and not above.attrib:
        _take(above, root)
