"""What a recipient sends back (`POST /results`): a typed allow-list, statement by statement (D9, R15).

What reaches the LVS is built from the delivery's field list; a field that is not granted is not read. Each statement
stands alone: one that cannot be read, or holds what may not stand in text, is refused by itself. Leaves out: whom a
reference stands for, what was forwarded before, what the caller hears (`transfer.writeback`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.model import Subject
from gateway.core.policy.schema import WriteBack
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.minimised import BROKEN
from gateway.core.release.projection import Branch, Many, Projection
from gateway.core.release.statements import BodyRefused, Message, Statement, contains, only_kept
from gateway.formats.json.ids import IdReader, id_names, own_reference
from gateway.formats.json.requests import School
from gateway.formats.json.shapes import shape

Json = dict[str, Any]


class JsonInbound:
    """Compiled with the policy, per delivery that brings something back."""

    def __init__(self, projection: Projection, write: WriteBack) -> None:
        self.projection = projection
        self.write = write
        item, self._several = _items(projection.root, write)
        name, person = _person(item)
        if person.subject is None or person.subject.typed is None or person.subject.method not in {"hmac", "eck-id"}:
            raise DeliveryRefused(f"{projection.record.name}: a statement names its pupil by pseudonym or ECK iD only")
        self._name, self._typed = name, person.subject.typed
        self._ids = IdReader(person.subject.master, self._typed)
        header = {key: node for key, node in projection.root.fields.items() if key != write.items}
        about = {name} if name else {*id_names(person.subject.master, self._typed, None)}
        content = {key: node for key, node in item.fields.items() if key not in about}
        only_kept((*header.values(), *content.values()), projection.record.name)
        self._header = msgspec.json.Decoder(shape(replace(projection.root, fields=header)).type)
        self._content = msgspec.json.Decoder(shape(replace(item, fields=content, subject=None)).type)
        self._envelope = msgspec.json.Decoder(_envelope(write, several=self._several))
        self._reference = _field(name, Raw) if name else None
        self._id = _field(write.id, str)

    def __repr__(self) -> str:
        return f"<JsonInbound of {self.projection.record.name}>"

    def read(self, body: bytes) -> Message:
        """Raises BodyRefused when the message as a whole does not follow its schema."""
        try:
            envelope, header = self._envelope.decode(body), _plain(self._header.decode(body))
        except BROKEN:
            envelope, header = None, {}
        if envelope is None:
            # Raised outside `except`: the cause would hold the body.
            raise BodyRefused("no JSON of the form that this path takes")
        keyed = {name: value for name, value in header.items() if name not in self.write.unkeyed}
        raws = envelope.items if self._several else [envelope.items]
        statements = tuple(self._statement(raw, keyed) for raw in raws)
        school: School = envelope.school if self.write.organisation_key else School()
        return Message(school.master, school.pairs, statements, header, _fault(_texts(header)))

    def own_id(self, subject: Subject) -> str | None:
        """The LVS's own key of a pupil: the only id that is forwarded. None: this source cannot take a statement."""
        return subject.ids.get(self._typed.kinds[self._typed.own])

    def forward(self, message: Message, chosen: Sequence[tuple[Statement, str]]) -> bytes:
        """The message with these statements, each with its pupil's own id (`own_id`)."""
        if message.fault is not None or any(statement.fault is not None for statement, _ in chosen):
            raise ValueError("what has a fault is not forwarded")
        items = [{**one.fields, **self._about(own)} for one, own in chosen]
        return msgspec.json.encode({**message.header, self.write.items: items if self._several else items[0]})

    def _about(self, own: str) -> Json:
        reference = own_reference(self._typed, own)
        return {self._name: reference} if self._name else reference

    def _statement(self, raw: Raw, keyed: Json) -> Statement:
        try:
            fields = _plain(self._content.decode(raw))
            master, typed = self._ids.reference(self._reference.decode(raw).one if self._reference else raw)
        except BROKEN:
            return Statement(self._readable_id(raw), fault="does not follow its schema")
        identity = fields.get(self.write.id)
        if not isinstance(identity, str) or not identity:
            return Statement(None, fault="has no id")
        ids = (*master, *typed)
        content = msgspec.json.encode({"header": keyed, "statement": fields, "ids": sorted(ids)}, order="sorted")
        return Statement(identity, ids, content, _fault(_texts(fields)), fields)

    def _readable_id(self, raw: Raw) -> str | None:
        try:
            identity: str = self._id.decode(raw).one
        except BROKEN:
            return None
        return identity


# -- what may not stand in text (D9) -----------------------------------------------------------------------


def _is_id(path: str) -> bool:
    """How Edu-V names what is an id: `id`, `assessmentId`, `scoreScaleIds`."""
    name = path.rpartition(".")[2]
    return name == "id" or name.endswith(("Id", "Ids"))


def _fault(texts: Iterable[tuple[str, str]]) -> str | None:
    for path, text in texts:
        what = contains(text, number=_is_id(path))
        if what is not None:
            return f"{path} holds a {what}"
    return None


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text and whole number with its path; names are our schema's own."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield path, str(value)


# -- compiling ---------------------------------------------------------------------------------------------


def _items(root: Branch, write: WriteBack) -> tuple[Branch, bool]:
    """What a statement holds, and whether there may be several."""
    node = root.fields.get(write.items)
    item = node.item if isinstance(node, Many) else node
    if not isinstance(item, Branch):
        raise DeliveryRefused(f"{write.items}: no statements are granted")
    return item, isinstance(node, Many)


def _person(item: Branch) -> tuple[str, Branch]:
    """The object that names the person, and its name; "" where the statement itself does."""
    if item.subject is not None:
        return "", item
    found = [
        (name, node) for name, node in item.fields.items() if isinstance(node, Branch) and node.subject is not None
    ]
    if len(found) != 1:
        raise DeliveryRefused("a statement names one person")
    return found[0]


def _envelope(write: WriteBack, *, several: bool) -> Any:
    items: Any = list[Raw] if several else Raw
    school: list[Any] = [("school", School)] if write.organisation_key else []
    return msgspec.defstruct(
        "Envelope", [("items", items), *school], rename={"items": write.items, "school": write.organisation_key}
    )


def _field(name: str, kind: Any) -> msgspec.json.Decoder[Any]:
    """A reader of one field of an object, and nothing else."""
    one: Any = msgspec.defstruct("One", [("one", kind)], rename={"one": name})
    return msgspec.json.Decoder(one)


def _plain(decoded: Any) -> Json:
    plain: Json = msgspec.to_builtins(decoded)
    return plain
