"""A file of XML as records to lay beside their schema: objects, lists and texts under the schema's names.

What the schema does not have is called as the file calls it. Leaves out: what is said of it (`transfer.sample`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from gateway.core.policy.schema import Branch, Many, Record
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.xml.parse import Limits, document
from gateway.formats.xml.soap import content_of, is_envelope
from gateway.formats.xml.source import Names

_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"  # what a file says of its own schema is no field


def sample_of(body: bytes, record: Record, namespaces: Mapping[str, str]) -> list[Any]:
    """The records of a file: a list of them, one, or the answer of a service. Raises EnvelopeBroken, whose words may
    hold the name of the file's first element."""
    names = Names(namespaces)
    root = document(body, Limits())
    tag = names(record.element or record.name)
    envelope = names(record.envelope) if record.envelope else ""
    if is_envelope(root):
        return [_object(one, record.fields, names) for one in content_of(root)]
    if root.tag == envelope:
        return [_object(one, record.fields, names) for one in root.iterchildren(tag)]
    if root.tag != tag:
        raise EnvelopeBroken(f"it begins with {_whole(root.tag)}, and the schema says {_whole(envelope or tag)}")
    return [_object(root, record.fields, names)]


def _object(element: etree._Element, branch: Branch, names: Names) -> dict[str, Any]:
    attributes = {names.attribute(name): name for name in branch.fields if name.startswith("@")}
    found: dict[str, Any] = {
        attributes.get(str(name), f"@{_called(name, '')}"): value.strip() or None
        for name, value in element.attrib.items()
        if not str(name).startswith(_INSTANCE)
    }
    text = (element.text or "").strip()
    if text and "#text" in branch.fields:
        found["#text"] = element.text
    usual = etree.QName(names("x")).namespace
    known = {names(name): name for name in branch.fields if name[0] not in "@#"}
    for child in element.iterchildren("{*}*"):
        name = known.get(str(child.tag))
        if name is None:
            found[_called(child.tag, usual)] = ""
        else:
            _put(found, name, _value(child, branch, name, names), many=isinstance(branch.fields[name], Many))
    return found


def _value(child: etree._Element, branch: Branch, name: str, names: Names) -> Any:
    node = branch.fields[name]
    item = node.item if isinstance(node, Many) else node
    if isinstance(item, Branch):
        return _object(child, item, names)
    return {} if len(child) else child.text if (child.text or "").strip() else None


def _put(found: dict[str, Any], name: str, value: Any, *, many: bool) -> None:
    """What stands there a second time is several, also where the schema knows one."""
    if many:
        found.setdefault(name, []).append(value)
    elif name not in found:
        found[name] = value
    else:
        before = found[name]
        found[name] = [*before, value] if isinstance(before, list) else [before, value]


def _called(tag: Any, usual: str | None) -> str:
    """With its namespace, where that is another than is usual here."""
    name = etree.QName(tag)
    return name.localname if (name.namespace or "") == (usual or "") else _whole(tag)


def _whole(tag: Any) -> str:
    name = etree.QName(tag)
    return f"{name.localname} (namespace {name.namespace})" if name.namespace else f"{name.localname} (no namespace)"
