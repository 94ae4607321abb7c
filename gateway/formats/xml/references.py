"""References within a document: what names something that did not leave does not leave either, or a standard's own keys
would not hold; and a group that nobody in the document is in does not. Leaves out: mapping the ids themselves
(`build`)."""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree

from gateway.core.policy.grants import Group, groups, leaves
from gateway.core.policy.schema import Record
from gateway.core.release.emission import Emission
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
            _keep(self._source, made, path, there)


class Groups:
    """Of one record: what has a mapped id that its persons refer to, such as a class. One of which nobody is in this
    delivery is none of its business, not even its name (R7, R68)."""

    def __init__(self, record: Record, source: Source) -> None:
        self._record = record
        self._source = source
        self._known = groups(record)

    def mend(self, made: etree._Element, record: etree._Element, leaving: Collection[str], emission: Emission) -> None:
        """Take away groups that nobody who leaves refers to. Where no reference leaves with `made`, the roster tells
        whether somebody is in them."""
        for group in self._known:
            chosen = [path for path in group.named_by if path in leaving]
            if group.path in leaving:
                named = {text for path in chosen for text in self._source.texts(made, path)}
                _keep(self._source, made, group.path, named if chosen else self._peopled(record, group, emission))

    def _peopled(self, record: etree._Element, group: Group, emission: Emission) -> set[str]:
        keys = {key.strip() for key in self._source.texts(record, group.path)}
        here = [key for key in keys if emission.sight.peopled(self._record, key)]
        return {emission.sight.thing(group.kind, key) for key in here}


def _keep(source: Source, made: etree._Element, path: str, there: set[str]) -> None:
    """Take away what bears another id at this path."""
    at, _, last = path.rpartition(".")
    for element in source.elements(made, at):
        if any(text not in there for text in source.texts(element, last)):
            _take(element, made)


def _take(element: etree._Element, root: etree._Element) -> None:
    above = element.getparent()
    if above is None or element is root:
        return
    above.remove(element)
    if len(above) == 0 and not above.attrib:
        _take(above, root)
