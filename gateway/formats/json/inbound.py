"""What a recipient sends back (`POST /results`): a typed allow-list, statement by statement (D9, R15).

What reaches the LVS is built from the delivery's field list; a field that is not granted is not read. Each statement
stands alone: one that cannot be read, or holds what may not stand in text, is refused by itself. Leaves out: whom a
reference stands for, what was forwarded before, what the caller hears (`transfer.writeback`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.model import Subject, Transform
from gateway.core.policy.schema import WriteBack
from gateway.core.release.projection import Branch, DeliveryRefused, Leaf, Many, Node, Projection, Slot
from gateway.formats.json.ids import IdReader, Ids, own_reference
from gateway.formats.json.requests import BodyRefused, School
from gateway.formats.json.shapes import shape

_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `ids`: whom it names, as (kind of id, value); `content`: canonical bytes for its digest;
    `fault`: why it cannot be taken, in our own words (then nothing of it is forwarded)."""

    id: str | None = field(repr=False)
    ids: Ids = field(default=(), repr=False)
    content: bytes = field(default=b"", repr=False)
    fault: str | None = None
    fields: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A body as it was read. `organisation_ids`: (type, id); `fault` as with a statement, for the whole message."""

    organisation_master: str | None = field(repr=False)
    organisation_ids: tuple[tuple[str, str], ...] = field(repr=False)
    statements: tuple[Statement, ...]
    header: Json = field(repr=False)
    fault: str | None = None


class JsonInbound:
    """Compiled with the policy, per delivery that brings something back."""

    def __init__(self, projection: Projection, write: WriteBack) -> None:
        self.projection = projection
        self.write = write
        item = _items(projection.root, write)
        name, person = _person(item)
        if person.subject is None or person.subject.typed is None or person.subject.method not in {"hmac", "eck-id"}:
            raise DeliveryRefused(f"{projection.record.name}: a statement names its pupil by pseudonym or ECK iD only")
        self._name, self._typed = name, person.subject.typed
        self._ids = IdReader(person.subject.master, self._typed)
        header = {key: node for key, node in projection.root.fields.items() if key != write.items}
        content = {key: node for key, node in item.fields.items() if key != name}
        _only_kept((*header.values(), *content.values()), projection.record.name)
        self._header = msgspec.json.Decoder(shape(replace(projection.root, fields=header)).type)
        self._content = msgspec.json.Decoder(shape(replace(item, fields=content)).type)
        self._envelope = msgspec.json.Decoder(_envelope(write))
        self._reference = _field(name, Raw)
        self._id = _field(write.id, str)

    def __repr__(self) -> str:
        return f"<JsonInbound of {self.projection.record.name}>"

    def read(self, body: bytes) -> Message:
        """Raises BodyRefused when the message as a whole does not follow its schema."""
        try:
            envelope, header = self._envelope.decode(body), _plain(self._header.decode(body))
        except _BROKEN:
            envelope, header = None, {}
        if envelope is None:
            # Raised outside `except`: the cause would hold the body.
            raise BodyRefused("the body does not follow its schema")
        keyed = {name: value for name, value in header.items() if name not in self.write.unkeyed}
        statements = tuple(self._statement(raw, keyed) for raw in envelope.items)
        school: School = envelope.school
        return Message(school.master, school.pairs, statements, header, _fault(_texts(header)))

    def own_id(self, subject: Subject) -> str | None:
        """The LVS's own key of a pupil: the only id that is forwarded. None: this source cannot take a statement."""
        return subject.ids.get(self._typed.kinds[self._typed.own])

    def forward(self, message: Message, chosen: Sequence[tuple[Statement, str]]) -> bytes:
        """The message with these statements, each with its pupil's own id (`own_id`)."""
        if message.fault is not None or any(statement.fault is not None for statement, _ in chosen):
            raise ValueError("what has a fault is not forwarded")
        items = [{**one.fields, self._name: own_reference(self._typed, own)} for one, own in chosen]
        return msgspec.json.encode({**message.header, self.write.items: items})

    def _statement(self, raw: Raw, keyed: Json) -> Statement:
        try:
            fields = _plain(self._content.decode(raw))
            master, typed = self._ids.reference(self._reference.decode(raw).one)
        except _BROKEN:
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
        except _BROKEN:
            return None
        return identity


# -- what may not stand in text (D9) -----------------------------------------------------------------------

_PSEUDONYM = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-?[0-9a-f]{4}-?8[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)
# The host is found first and looked into then: in one pattern the time grows with the square of the text.
_HOST = re.compile(r"https?://([^\s/]*)/", re.IGNORECASE)
_KETENID = re.compile(r"ketenid", re.IGNORECASE)
_ECK_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{128}(?![0-9a-f])", re.IGNORECASE)
_NINE = re.compile(r"(?<!\d)(?:\d{9}|\d{4}\.\d{2}\.\d{3}|\d{3}[ .]\d{3}[ .]\d{3})(?!\d)")
_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def contains(text: str, *, number: bool = False) -> str | None:
    """What may not stand in a text that comes in: a pseudonym, an ECK iD, a number that could be a BSN. `number`: the
    text is an id of a test or statement; the 11-proef would refuse one in eleven of nine digits (D7)."""
    if _PSEUDONYM.search(text):
        return "pseudonym"
    if _ECK_ID.search(text) or any(_KETENID.search(found[1]) for found in _HOST.finditer(text)):
        return "ECK iD"
    if not number and any(_eleven(found.group()) for found in _NINE.finditer(text)):
        return "BSN"
    return None


def _is_id(path: str) -> bool:
    """How Edu-V names what is an id: `id`, `assessmentId`, `scoreScaleIds`."""
    name = path.rpartition(".")[2]
    return name == "id" or name.endswith(("Id", "Ids"))


def _eleven(text: str) -> bool:
    """The 11-proef of a burgerservicenummer."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    return any(digits) and sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11 == 0


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


def _items(root: Branch, write: WriteBack) -> Branch:
    many = root.fields.get(write.items)
    if not isinstance(many, Many) or not isinstance(many.item, Branch):
        raise DeliveryRefused(f"{write.items}: no statements are granted")
    return many.item


def _person(item: Branch) -> tuple[str, Branch]:
    found = [
        (name, node) for name, node in item.fields.items() if isinstance(node, Branch) and node.subject is not None
    ]
    if len(found) != 1:
        raise DeliveryRefused("a statement names one person")
    return found[0]


def _only_kept(nodes: Iterable[Node], record: str) -> None:
    """What comes in is taken as it is or not at all: a transform would change what the recipient states."""
    for node in nodes:
        if isinstance(node, Slot) or (isinstance(node, Many) and node.empty):
            raise DeliveryRefused(f"{record}: {node.path} cannot come in")
        if isinstance(node, Leaf):
            if node.transform is not Transform.KEEP or node.maps is not None:
                raise DeliveryRefused(f"{record}: {node.path} comes in as it is or not at all")
        elif isinstance(node, Many):
            _only_kept((node.item,), record)
        elif node.subject is not None:
            raise DeliveryRefused(f"{record}: {node.subject.at} cannot come in")
        else:
            _only_kept(node.fields.values(), record)


def _envelope(write: WriteBack) -> Any:
    return msgspec.defstruct(
        "Envelope",
        [("items", list[Raw]), ("school", School)],
        rename={"items": write.items, "school": write.organisation_key},
    )


def _field(name: str, kind: Any) -> msgspec.json.Decoder[Any]:
    """A reader of one field of an object, and nothing else."""
    one: Any = msgspec.defstruct("One", [("one", kind)], rename={"one": name})
    return msgspec.json.Decoder(one)


def _plain(decoded: Any) -> Json:
    plain: Json = msgspec.to_builtins(decoded)
    return plain
