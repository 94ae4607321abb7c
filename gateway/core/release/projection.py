"""The small tree of what may leave of one record: Leaf, Slot, Branch, Many.

Independent of a format: the compilers of `formats` turn it into a minimiser. It holds who the record is about
(`Subject` on the object that speaks of a person), which slot carries the person's id, what is mapped, what is fixed,
and how a list is ordered. What is not in the tree does not leave (house rules 1 and 2). Leaves out: how it follows
from the grants (`compiler`), which pupils (`screening`), values (`transforms`, `sight`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from gateway.core.model import Category, FieldClass, Person, Transform
from gateway.core.policy.schema import KeyIds, LeafType, Link, Record, Told, TypedIds


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar that leaves. `fixed` and `empty` read nothing: `value` leaves for everybody; nor does a `link`. `view`:
    which of the gateway's own words leaves."""

    path: str
    type: LeafType
    required: bool
    transform: Transform = Transform.KEEP
    format: str | None = None
    values: tuple[str, ...] = ()
    maps: str | None = None
    value: str | int | float | bool | None = None
    field_class: FieldClass = FieldClass.ORDINARY
    filler: str | None = None
    view: Told | None = None
    link: Link | None = None
    pattern: str | None = None

    @property
    def read(self) -> bool:
        return self.transform not in (Transform.FIXED, Transform.VIEW)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the id of the person stands whom the enclosing object speaks of. `typed`: an array with the one
    {value, type}; `master`: the leaf of the ECK iD; `own`: the leaf of the administration's own key."""

    path: str
    form: Literal["typed", "master", "own"]
    required: bool = False


Method = Literal["hmac", "eck-id", "held"]
"""What the slot holds: our HMAC, the ECK iD, or (`held`, a recorded deviation) the ids as the LVS has them."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A person the enclosing object speaks of. Resolved and screened also when no id leaves (`method` None)."""

    at: str
    person: Person
    withheld: Literal["record", "item"]
    master: str | None
    typed: TypedIds | None
    method: Method | None
    keys: KeyIds | None = None
    others: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """An object. `released`: something of it leaves; otherwise it is only looked at for its subject or its `place`, the
    field that names a location."""

    fields: Mapping[str, Node]
    required: bool = False
    subject: Subject | None = None
    place: str | None = None

    @property
    def released(self) -> bool:
        return any(leaves(node) for node in self.fields.values())


@dataclass(frozen=True, slots=True)
class Many:
    """An array. `empty`: it leaves as [] for everybody, and nothing is read."""

    path: str
    item: Leaf | Branch
    required: bool = False
    empty: bool = False
    filled: bool = False


Node = Leaf | Slot | Branch | Many


def leaves(node: Node) -> bool:
    """Whether anything of this node leaves; an object without may still be looked at for whom it speaks of."""
    if isinstance(node, Many):
        return node.empty or leaves(node.item)
    return not isinstance(node, Branch) or node.released


def subjects(branch: Branch) -> Iterator[Subject]:
    """Everybody a tree speaks of."""
    if branch.subject is not None:
        yield branch.subject
    for node in branch.fields.values():
        inner = node.item if isinstance(node, Many) else node
        if isinstance(inner, Branch):
            yield from subjects(inner)


@dataclass(frozen=True, slots=True)
class Order:
    """By which id a list is sorted, also when it stays behind, and that id's kind of thing; None where it is the same
    for everybody."""

    path: str
    maps: str | None


@dataclass(frozen=True, slots=True)
class Projection:
    """What may leave of one record. `paths` and `categories`: what the register must name. `special`: something of a
    special category leaves for this purpose, so a masked text waits for a person (D8). `views`: what each recipient
    last got of it is remembered, because the delivery tells it or the format asks for it."""

    record: Record
    root: Branch
    order: Order | None
    paths: tuple[str, ...]
    categories: tuple[Category, ...]
    special: bool = False
    views: bool = False


def without(branch: Branch, paths: frozenset[str], prefix: str = "") -> Branch | None:
    """The same tree without these paths and all beneath them: a field withheld for one person looks as it looks when
    the LVS has no value, or as the standard fills it (house rule 5). None when a required field would go: then the
    whole object goes."""
    kept: dict[str, Node] = {}
    for name, node in branch.fields.items():
        path = f"{prefix}{name}"
        thinner = _filled(node) if _named(node, path, paths) else _thinner(node, paths, f"{path}.")
        if thinner is not None:
            kept[name] = thinner
        elif node.required:
            return None
    return replace(branch, fields=kept)


def _filled(node: Node) -> Leaf | None:
    if not isinstance(node, Leaf) or node.filler is None:
        return None
    return Leaf(node.path, node.type, node.required, Transform.FIXED, value=node.filler, filler=node.filler)


def _named(node: Node, path: str, paths: frozenset[str]) -> bool:
    """A slot goes as a whole when one of its leaves does."""
    return path in paths or (isinstance(node, Slot) and any(one.startswith(f"{path}.") for one in paths))


def _thinner(node: Node, paths: frozenset[str], prefix: str) -> Node | None:
    if isinstance(node, Branch):
        thinner = without(node, paths, prefix)
        return None if thinner is None or (node.released and not thinner.released) else thinner
    if isinstance(node, Many) and isinstance(node.item, Branch):
        item = without(node.item, paths, prefix)
        return None if item is None else replace(node, item=item)
    return node
