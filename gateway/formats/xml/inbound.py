"""What a recipient sends back in a message of SOAP (UWLR, BrengLeerresultaten): a typed allow-list, statement by
statement (D9, R15).

What reaches the LVS is built from the delivery's field list: what the schema knows and the list does not name is left
out, and what the schema does not know ends the message. Leaves out: whom a reference stands for, what was forwarded
before, what the caller hears (`transfer.writeback`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from lxml import etree

from gateway.core.model import Subject
from gateway.core.policy import schema
from gateway.core.policy.schema import KeyIds, Soap, WriteBack
from gateway.core.release import projection
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.faults import ONCE, REQUIRED
from gateway.core.release.minimised import EnvelopeBroken
from gateway.core.release.projection import Branch, Many, Node, Projection
from gateway.core.release.sight import ECK_ID
from gateway.core.release.statements import BodyRefused, Message, Statement, contains, only_kept
from gateway.core.release.texts import Malformed, reader
from gateway.formats.xml.parse import Limits
from gateway.formats.xml.soap import opened
from gateway.formats.xml.source import Names
from gateway.formats.xml.values import longest, text_of

Fields = dict[str, Any]
_PARTS = {"brin": "brincode", "part": "dependancecode", "key": "schoolkey"}
_SCHEMA = "does not follow its schema"


class XmlInbound:
    """Compiled with the policy, per delivery that brings something back."""

    def __init__(self, found: Projection, write: WriteBack, soap: Soap, names: Names) -> None:
        self.projection = found
        self.write = write
        self._soap = soap
        self._names = names
        self._known = found.record.fields
        self._top = write.items.split(".")[0]
        self._at, person = _person(found)
        self._keys, self._master = person.keys or KeyIds({}, ""), person.master
        if person.keys is None or person.method not in {"hmac", "eck-id"}:
            raise DeliveryRefused(f"{found.record.name}: a statement names its pupil by pseudonym or ECK iD only")
        self._inner = write.items.removeprefix(f"{self._at}.").split(".")
        self._item = _inside(_node(found.root, write.items))
        self._item_known = _known_inside(_known_node(self._known, write.items))
        head = {name: node for name, node in found.root.fields.items() if name != self._top}
        self._head = replace(found.root, fields=head)
        only_kept((self._head, self._item), found.record.name)

    def __repr__(self) -> str:
        return f"<XmlInbound of {self.projection.record.name}>"

    def read(self, body: bytes) -> Message:
        """Raises BodyRefused when the message as a whole does not follow its schema."""
        try:
            root = self._root(body)
            header = self._fields(root, self._head, self._known)
        except EnvelopeBroken as broken:
            raise BodyRefused(str(broken)) from None
        except Malformed:
            raise BodyRefused(f"the body {_SCHEMA}") from None
        keyed = _without(header, self.write.unkeyed)
        statements = tuple(one for person in self._elements(root, self._at) for one in self._of(person, keyed))
        return Message(None, self._schools(root), statements, header, _fault(header))

    def own_id(self, subject: Subject) -> str | None:
        """The LVS's own key of a pupil: the only id that is forwarded. None: this source cannot take a statement."""
        return subject.ids.get(self._keys.kinds[self._keys.own])

    def forward(self, message: Message, chosen: Sequence[tuple[Statement, str]]) -> bytes:
        """The message with these statements, each with its pupil's own id (`own_id`), as the element for the body."""
        if message.fault is not None or any(statement.fault is not None for statement, _ in chosen):
            raise ValueError("what has a fault is not forwarded")
        root = self._names.element(self._names(self._soap.request))
        for name in self._known.fields:
            if name == self._top:
                self._put_statements(root, chosen)
            elif name in message.header:
                self._put(root, name, message.header[name])
        etree.cleanup_namespaces(root)  # those of the schema that nothing of it uses
        return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=False))

    # -- reading -------------------------------------------------------------------------------------------

    def _root(self, body: bytes) -> etree._Element:
        root = opened(body)
        if root.tag != self._names(self._soap.request):
            raise EnvelopeBroken("another request than the SOAPAction says")
        self._only_known(root, self._known)
        return root

    def _only_known(self, element: etree._Element, known: schema.Branch) -> None:
        """Bounded by the depth that was allowed to read at all."""
        tags = {self._names(name): node for name, node in known.fields.items() if name[0] not in "@#"}
        attributes = {self._names.attribute(name) for name in known.fields if name.startswith("@")}
        if set(map(str, element.attrib)) - attributes:
            raise EnvelopeBroken("an attribute that the schema does not know")
        for child in element:
            node = tags.get(str(child.tag))
            if node is None:
                raise EnvelopeBroken("an element that the schema does not know")
            self._only_known(child, _known_inside(node))

    def _elements(self, root: etree._Element, path: str) -> list[etree._Element]:
        found = [root]
        for step in path.split("."):
            found = [child for one in found for child in one.iterchildren(self._names(step))]
        return found

    def _schools(self, root: etree._Element) -> tuple[tuple[str, str], ...]:
        said = {
            what: (root.findtext(f"{self._names(self.write.organisation_key)}/{self._names(name)}") or "").strip()
            for what, name in _PARTS.items()
        }
        if said["brin"] and not said["key"]:
            return ((self._soap.location, said["brin"] + (said["part"] or "00")),)
        return ((self._soap.schoolkey, said["key"]),) if said["key"] and not said["brin"] else ()

    def _of(self, person: etree._Element, keyed: Fields) -> Iterator[Statement]:
        ids = tuple(self._ids(person))
        items = [person]
        for step in self._inner:
            items = [child for one in items for child in one.iterchildren(self._names(step))]
        for item in items:
            yield self._statement(item, ids, keyed)

    def _ids(self, person: etree._Element) -> Iterator[tuple[str, str]]:
        kinds = dict(self._keys.kinds)
        if self._master is not None:
            kinds[self._master] = ECK_ID
        for name, kind in kinds.items():
            for child in person.iterchildren(self._names(name)):
                yield kind, (child.text or "").strip()

    def _statement(self, item: etree._Element, ids: tuple[tuple[str, str], ...], keyed: Fields) -> Statement:
        try:
            fields = self._fields(item, self._item, self._item_known)
        except Malformed:
            return Statement(item.get(self._names.attribute(self.write.id)) or None, fault=_SCHEMA)
        identity = fields.get(self.write.id)
        if not isinstance(identity, str) or not identity:
            return Statement(None, fault="has no id")
        content = msgspec.json.encode({"header": keyed, "statement": fields, "ids": sorted(ids)}, order="sorted")
        return Statement(identity, ids, content, _fault(fields), fields)

    def _fields(self, element: etree._Element, branch: Branch, known: schema.Branch) -> Fields:
        """What is granted of an element. Raises Malformed."""
        found: Fields = {}
        for name, node in branch.fields.items():
            value = self._value(element, name, node, known.fields[name])
            if value is not None:
                found[name] = value
            elif node.required:
                raise Malformed(name, REQUIRED)
        for word in {one.choice for one in known.fields.values() if one.choice is not None}:
            here = [name for name, one in known.fields.items() if one.choice == word]
            if any(known.fields[name].required for name in here) and not found.keys() & set(here):
                raise Malformed(word, REQUIRED)
        return found

    def _value(self, element: etree._Element, name: str, node: Node, known: schema.Node) -> Any:
        inner, inside = (node.item if isinstance(node, Many) else node), _leaf_or_branch(known)
        if name.startswith("@") or name == "#text":
            text = element.get(self._names.attribute(name)) if name.startswith("@") else element.text
            return self._text(text or "", inside)
        children = list(element.iterchildren(self._names(name)))
        if len(children) > 1 and not isinstance(node, Many):
            raise Malformed(name, ONCE)
        made = [one for child in children if (one := self._of_child(child, inner, inside)) is not None]
        return (made or None) if isinstance(node, Many) else next(iter(made), None)

    def _of_child(self, child: etree._Element, inner: Node, inside: schema.Leaf | schema.Branch) -> Any:
        if isinstance(inner, Branch) and isinstance(inside, schema.Branch):
            return self._fields(child, inner, inside) or None
        return self._text(text_of(child, ""), inside)

    def _text(self, text: str, known: schema.Leaf | schema.Branch) -> str | None:
        assert isinstance(known, schema.Leaf)
        return reader(known, longest(known, Limits()), "")(text)

    # -- writing -------------------------------------------------------------------------------------------

    def _put_statements(self, root: etree._Element, chosen: Sequence[tuple[Statement, str]]) -> None:
        """Per pupil one element, with all that is said of them."""
        *above, person = self._at.split(".")
        *between, item = self._inner
        for step in above:
            root = etree.SubElement(root, self._names(step))
        for own in dict.fromkeys(own for _, own in chosen):
            made = etree.SubElement(root, self._names(person))
            etree.SubElement(made, self._names(self._keys.own)).text = own
            for step in between:
                made = etree.SubElement(made, self._names(step))
            for one in (statement for statement, whose in chosen if whose == own):
                self._put(made, item, one.fields)

    def _put(self, above: etree._Element, name: str, value: Any) -> None:
        for one in value if isinstance(value, list) else [value]:
            made = etree.SubElement(above, self._names(name))
            if isinstance(one, dict):
                self._fill(made, one)
            else:
                made.text = one

    def _fill(self, made: etree._Element, fields: Fields) -> None:
        for name, value in fields.items():
            if name.startswith("@"):
                made.set(self._names.attribute(name), value)
            elif name == "#text":
                made.text = value
            else:
                self._put(made, name, value)


# -- compiling ---------------------------------------------------------------------------------------------


def _person(found: Projection) -> tuple[str, projection.Subject]:
    position = next((one for one in found.record.subjects if one.person.value == "pupil"), None)
    branch = _inside(_node(found.root, position.at)) if position is not None else None
    if position is None or branch is None or branch.subject is None:
        raise DeliveryRefused(f"{found.record.name}: a statement names one person")
    return position.at, branch.subject


def _node(root: Branch, path: str) -> Node:
    node: Node = root
    for step in path.split("."):
        fields = _inside(node).fields
        if step not in fields:
            raise DeliveryRefused(f"{path}: no statements are granted")
        node = fields[step]
    return node


def _inside(node: Node) -> Branch:
    inner = node.item if isinstance(node, Many) else node
    if not isinstance(inner, Branch):
        raise DeliveryRefused(f"{inner.path}: no statements are granted")
    return inner


def _known_node(root: schema.Branch, path: str) -> schema.Node:
    node: schema.Node = root
    for step in path.split("."):
        node = _known_inside(node).fields[step]
    return node


def _leaf_or_branch(node: schema.Node) -> schema.Leaf | schema.Branch:
    return node.item if isinstance(node, schema.Many) else node


def _known_inside(node: schema.Node) -> schema.Branch:
    """Of a value: nothing is known within it."""
    inner = _leaf_or_branch(node)
    return inner if isinstance(inner, schema.Branch) else schema.Branch({})


# -- what is in it -----------------------------------------------------------------------------------------


def _without(header: Fields, paths: Sequence[str]) -> Fields:
    """What counts as content (D9): without these, which a message has anew each time."""
    kept = dict(header)
    for path in paths:
        name, _, rest = path.partition(".")
        if rest and isinstance(kept.get(name), dict):
            kept[name] = _without(kept[name], (rest,))
        elif not rest:
            kept.pop(name, None)
    return kept


def _fault(fields: Fields) -> str | None:
    for path, text in _texts(fields, ""):
        what = contains(text, number=path.rpartition(".")[2].endswith(("key", "code", "#text")))
        if what is not None:
            return f"{path} holds a {what}"
    return None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text with its path; names are our schema's own."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)
    else:
        yield path, value
