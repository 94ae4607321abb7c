"""A projection beside its schema, compiled to what the builder of elements follows: one step per field, in order.

Made once per set of withheld paths. Leaves out: values (`values`), the walk itself (`build`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from gateway.core.model import Transform
from gateway.core.policy import schema
from gateway.core.policy.schema import Hidden
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.projection import Branch, Leaf, Many, Node, Slot, leaves, without
from gateway.core.release.texts import Read, becomes, is_plain, reader
from gateway.formats.xml.parse import Limits
from gateway.formats.xml.places import Place
from gateway.formats.xml.source import Names, Source
from gateway.formats.xml.values import longest

_VARIANTS = 256  # sets of fields that are withheld of one person, kept compiled


@dataclass(frozen=True, slots=True)
class Value:
    """A text that leaves: as `leaf` says, or (`slot`) the id of whom the object speaks of. `plain`: any text of at most
    `most` signs; `listed`: one of `leaf.values`, as they stand there."""

    path: str
    leaf: Leaf
    read: Read
    becomes: Callable[[str], str] | None
    slot: Slot | None = None
    most: int = 0
    plain: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """An element with something in it. `steps`: what leaves, in the order of the schema; `known`: tag → every field the
    schema has, for rows (`repeats`); `place`: whom it speaks of, `thinner`: the same without some paths, for one of
    them; `mapped`: the attribute that holds its own mapped id."""

    path: str
    steps: tuple[Step, ...]
    order: Mapping[str, int]
    choices: Mapping[str, Choice]
    place: Place | None = None
    withheld: str = ""
    repeats: bool = False
    mapped: str = ""
    thinner: Callable[[frozenset[str]], Element | None] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Fields of which one is there, or (`several`) at least one. `required`: one of them must be."""

    required: bool
    tags: frozenset[str]
    several: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One field of an element. `name`: its tag, or the name of an attribute; `sorted`: its items leave in the order of
    their ids."""

    name: str
    kind: str
    content: Value | Element
    many: bool
    required: bool
    hidden: Hidden | None
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """`root`: of the record; `leaving`: the path of every value in it."""

    root: Element
    leaving: tuple[str, ...]

    def any_of(self, paths: tuple[str, ...]) -> bool:
        """Whether something at or beneath one of these paths may leave."""
        return any(one == path or one.startswith(f"{path}.") for one in self.leaving for path in paths)


class Planner:
    """Compiles the trees of one record."""

    def __init__(self, record: schema.Record, source: Source, limits: Limits) -> None:
        self.record = record
        self.source = source
        self.names: Names = source.names
        self.limits = limits

    def plan(self, root: Branch, reference: date) -> Plan:
        """Raises DeliveryRefused for what XML cannot carry."""
        element = _Compiler(self, reference).element(root, self.record.fields, "")
        return Plan(element, tuple(_paths(element)))


@dataclass(slots=True)
class _Compiler:
    planner: Planner
    reference: date

    def element(self, branch: Branch, known: schema.Branch, path: str) -> Element:
        names = self.planner.names
        prefix = f"{path}." if path else ""
        steps = [
            self.step(name, node, known.fields[name], f"{prefix}{name}")
            for name, node in branch.fields.items()
            if leaves(node)
        ]
        subject = branch.subject
        place = Place(self.planner.record, subject, self.planner.source) if subject is not None else None
        order = {names(name): number for number, name in enumerate(known.fields)}
        item = subject is not None and subject.withheld == "item"
        return Element(
            path,
            tuple(steps),
            order,
            _choices(known, names),
            place,
            subject.withheld if subject else "",
            known.repeats,
            next((one.name for one in steps if one.kind == "attribute" and _maps(one)), ""),
            self.thinner(branch, known, path) if item else None,
        )

    def thinner(self, branch: Branch, known: schema.Branch, path: str) -> Callable[[frozenset[str]], Element | None]:
        """For somebody of whom some fields do not leave; each set of paths is compiled once."""

        @lru_cache(maxsize=_VARIANTS)
        def thinner(paths: frozenset[str]) -> Element | None:
            found = without(branch, paths, f"{path}.")
            return None if found is None or not found.released else self.element(found, known, path)

        return thinner

    def step(self, name: str, node: Node, known: schema.Node, path: str) -> Step:
        many = isinstance(node, Many)
        item = node.item if isinstance(node, Many) else node
        inside = known.item if isinstance(known, schema.Many) else known
        if isinstance(node, Many) and node.empty:
            raise DeliveryRefused(f"{self.planner.record.name}: {path} cannot leave as an empty list in XML")
        attribute = name.startswith("@")
        kind = "text" if name == "#text" else "attribute" if attribute else "element"
        wire = self.planner.names.attribute(name) if attribute else self.planner.names(name)
        content: Value | Element
        if isinstance(item, Branch) and isinstance(inside, schema.Branch):
            content = self.element(item, inside, path)
        else:
            assert isinstance(item, Leaf | Slot)
            assert isinstance(inside, schema.Leaf)
            content = self.value(item, inside, path)
        speaks = isinstance(content, Element) and content.place is not None
        mapped = isinstance(item, Leaf) and item.maps is not None
        named = isinstance(content, Element) and bool(content.mapped)
        ordered = many and (speaks or mapped or named)
        return Step(wire, kind, content, many, node.required, known.hidden, ordered=ordered)

    def value(self, node: Leaf | Slot, known: schema.Leaf, path: str) -> Value:
        most = longest(known, self.planner.limits)
        read, plain = reader(known, most, path), is_plain(known)
        if isinstance(node, Slot):
            return Value(path, Leaf(path, "string", node.required), read, None, node, most, plain)
        own = node.transform in (Transform.FIXED, Transform.MASK) or node.maps is not None
        how = None if own else becomes(node, self.reference)
        listed = bool(node.values) and known.type == "string" and known.pattern is None and known.format is None
        return Value(path, node, read, how, None, most, plain, listed)


def _choices(known: schema.Branch, names: Names) -> dict[str, Choice]:
    """Word of a choice → which fields it is between."""
    found: dict[str, Choice] = {}
    for name, node in known.fields.items():
        if node.choice is not None:
            before = found.get(node.choice, Choice(required=False, tags=frozenset()))
            several = before.several or (isinstance(node, schema.Leaf) and node.several)
            found[node.choice] = Choice(before.required or node.required, before.tags | {names(name)}, several)
    return found


def _maps(step: Step) -> bool:
    return isinstance(step.content, Value) and step.content.leaf.maps is not None


def _paths(element: Element) -> Iterator[str]:
    for step in element.steps:
        if isinstance(step.content, Element):
            yield from _paths(step.content)
        else:
            yield step.content.path


def values(branch: Branch) -> Iterator[Leaf]:
    """Every value of a tree that leaves."""
    for node in branch.fields.values():
        item = node.item if isinstance(node, Many) else node
        if isinstance(item, Branch):
            yield from values(item)
        elif isinstance(item, Leaf):
            yield item
