"""Elements and attributes that the source sends and the schema does not know (R9): their names, counted per record,
never a value. Leaves out: when to look, and when a name was seen often enough to be shown (`transfer`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from lxml import etree

from gateway.core.policy.schema import Branch, Many, Record
from gateway.core.release.drift import shown
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.xml.parse import Limits, document, records
from gateway.formats.xml.soap import is_envelope
from gateway.formats.xml.source import Names

_RECORDS = 64  # looked at in one list: a field that only few records have turns up in another sample


def unknown_fields(
    body: bytes, record: Record, namespaces: Mapping[str, str], *, many: bool, limits: Limits | None = None
) -> Mapping[str, int]:
    """Path of every unknown field → in how many records it stood. A body that cannot be read has none."""
    names, bounds = Names(namespaces), limits or Limits()
    counts: Counter[str] = Counter()
    try:
        for one in _records(body, record, names, bounds, many=many):
            counts.update(set(_unknown(one, record.fields, names, "")))
    except EnvelopeBroken:
        return {}
    return dict(counts)


def _records(body: bytes, record: Record, names: Names, limits: Limits, *, many: bool) -> Iterable[etree._Element]:
    if not many:
        root = document(body, limits)
        return [root] if not is_envelope(root) else root.iterfind("*/*/*")  # in an answer, in the body of a message
    return islice(records([body], names(record.envelope), names(record.element or record.name), limits), _RECORDS)


def _unknown(element: etree._Element, branch: Branch, names: Names, prefix: str) -> Iterator[str]:
    known = {names(name): (name, node) for name, node in branch.fields.items() if name[0] not in "@#"}
    attributes = {names.attribute(name) for name in branch.fields if name.startswith("@")}
    for attribute in map(str, element.attrib):
        if attribute not in attributes:
            yield f"{prefix}@{shown(etree.QName(attribute).localname)}"
    for child in element:
        found = known.get(str(child.tag))
        if found is None:
            yield f"{prefix}{shown(etree.QName(child).localname)}"
            continue
        name, node = found
        item = node.item if isinstance(node, Many) else node
        inner = item if isinstance(item, Branch) else Branch({})
        yield from _unknown(child, inner, names, f"{prefix}{name}.")
