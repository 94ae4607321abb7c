"""The one walk over decoded records, written as straight-line Python for one projection.

Closures over the tree cost a third more per record than the same steps written out (bench/minimiser.py), so the steps
are written out: per record look up who it is about, leave out who may not be seen, build what leaves from the
allow-list, map and transform. The text holds no name of a schema: attributes are numbered, everything else is a
constant of the namespace. Leaves out: one object of a record (`build`), decoding (`shapes`), who is meant
(`places`), sorting and encoding (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from textwrap import indent

from gateway.core.model import Person as Kind
from gateway.core.policy.schema import Record
from gateway.core.release.projection import Branch, Leaf, Order, Subject
from gateway.core.release.sight import Sight
from gateway.formats.json import guard
from gateway.formats.json.births import differing
from gateway.formats.json.build import Builder, Person, owner_of
from gateway.formats.json.places import elsewhere, lists_people
from gateway.formats.json.shapes import Shape
from gateway.formats.json.walked import Walk


@dataclass(frozen=True, slots=True)
class Written:
    """A walk, to be bound to a sight, and the text it was made from."""

    bind: Callable[[Sight], Walk]
    text: str


def write(
    record: Record,
    root: Branch,
    shape: Shape,
    order: Order | None,
    reference: date,
    *,
    judged: bool = False,
    viewed: bool = False,
) -> Written:
    """`root`: the tree to walk, the projection's own or a thinner one; `shape`: how its records are decoded; `judged`:
    what is in their values was looked at already; `viewed`: what each recipient last got of them is remembered."""
    builder = Builder(record, reference)
    loop = _Loop(builder, judged=judged, viewed=viewed)
    loop.write(root, shape, order)
    text = loop.text()
    exec(compile(text, "<walk>", "exec"), builder.names)  # noqa: S102 - our own text, without a word from outside
    return Written(builder.names["bind"], text)


_HEAD = """\
def bind(sight):
    here = sight.places
{bound}
    def walk(page, emission, walked):
        mapped = emission.mapped
        add = walked.rows.append
        made_of = walked.sources.append
        order = walked.keys.append
        own = walked.owners.append
        hide = walked.hidden.append
        shown = walked.shown
        show = shown.append
        gone = walked.gone
        drop = gone.append
        suspect = walked.suspects.append
        masked = walked.mask
        harmless = set()
{functions}
        for r in page:
"""

_FLAT = """\
            try:
{steps}
            except MALFORMED:
                walked.malformed.append(r)
    return walk
"""

# Persons deep in a record are shown before it is sure that the record leaves.
_DEEP = """\
            mark, left = len(shown), len(gone)
            try:
{steps}
            except MALFORMED:
                del shown[mark:]
                walked.malformed.append(r)
            except Withheld as deep:
                del shown[mark:]
                drop(deep.seen)
    return walk
"""


class _Loop:
    """Collects the steps for one record: who decides about it, whether it leaves, by what it is sorted."""

    def __init__(self, builder: Builder, *, judged: bool, viewed: bool) -> None:
        self.builder = builder
        self.record = builder.record
        self.judged = judged
        self.viewed = viewed
        self.steps: list[str] = []

    def text(self) -> str:
        functions = self.builder.functions
        body = _DEEP if functions or any("mark" in step for step in self.steps) else _FLAT
        head = _HEAD.format(bound=_block(self.builder.bound, 4), functions=_block(functions, 8))
        return head + body.format(steps=_block(self.steps, 16))

    def write(self, root: Branch, shape: Shape, order: Order | None) -> None:
        self.placed(root, shape, order)
        people = self.people(root, shape)
        self.taught(root, shape, people, order)
        if not self.judged:
            self.suspected(root, shape, people)
            self.apart(people)
        self.contradicted(root, shape, people)
        key = self.key(root, shape, order, people)
        lines, row = self.builder.object(root, shape, "r", people, "del shown[mark:]; continue")
        self.steps += [*lines, f"row = {row}"]
        if not people and lists_people(root):
            # R7, R68: a group of which nobody is in this delivery is none of its business, not even its name
            hidden = f"hide(({key}, gone[left:])); " if self.viewed else ""
            self.steps.append(f"if len(shown) == mark: {hidden}continue")
        self.steps += ["add(row)", "made_of(r)"]
        if self.viewed:
            self.steps.append(f"own({owner_of(people)})")
        if key is not None:
            self.steps.append(f"order({key})")
        for one in people.values():
            self.steps.append(f"if {one.name} is not None: show({one.name})" if one.optional else f"show({one.name})")

    def placed(self, root: Branch, shape: Shape, order: Order | None) -> None:
        """R7, R68: what is elsewhere, or of a group of which nobody is in this delivery, is none of its business. (Of
        the latter nobody knows why, so it has not ended.)"""
        gone = elsewhere(root, shape, "r")
        if self.record.members is not None:
            self.builder.bound.append(f"peopled = partial_of(sight.peopled, {self.builder.constant(self.record)})")
            empty = f"not peopled(r.{shape.attributes[self.record.members]} or '')"
            if self.viewed and order is not None:
                self.steps.append(f"if {empty}: {self.hidden(shape, order)}continue")
            else:
                gone.append(empty)
        if gone:
            self.steps.append(f"if {' or '.join(gone)}: continue")

    def people(self, root: Branch, shape: Shape) -> dict[str, Person]:
        """Look up who decides about the whole record: the root itself and objects directly beneath it."""
        found: dict[str, Person] = {}
        for branch, inner, read in [(root, shape, "r"), *_children(root, shape)]:
            if branch.subject is None or branch.subject.withheld != "record":
                continue
            one = Person(f"s{len(found)}", optional=not branch.required)
            found[branch.subject.at] = one
            self.steps += self.builder.look(branch, inner, read, one)
            there = f"{one.name} is not None and " if one.optional else ""
            self.steps += [f"if {there}{one.name}.reasons:", f"    drop({one.name})", "    continue"]
        return found

    def hidden(self, shape: Shape, order: Order | None) -> str:
        """It stays behind, and has not ended."""
        if not self.viewed or order is None:
            return ""
        key = f"sight.thing({self.builder.constant(order.maps)}, r.{shape.attributes[order.path]} or '')"
        return f"hide(({key}, [EMPTY])); "

    def taught(self, root: Branch, shape: Shape, people: Mapping[str, Person], order: Order | None) -> None:
        """Nor does such a group leave in what is an employee's (R8)."""
        employees = [
            people[branch.subject.at].name
            for branch, _, _ in [(root, shape, "r"), *_children(root, shape)]
            if branch.subject is not None and branch.subject.at in people and _may_be_staff(branch.subject)
        ]
        named = [
            f"alone({one}, {self.builder.constant(maps)}, {read} or '')"
            for one in employees
            for maps, read in _things(root, shape)
        ]
        if named:
            self.builder.bound.append("alone = sight.alone")
            self.steps.append(f"if {' or '.join(named)}: {self.hidden(shape, order)}continue")

    def contradicted(self, root: Branch, shape: Shape, people: Mapping[str, Person]) -> None:
        """A person of whom the record says something else than the school recorded waits (R109)."""
        for branch, inner, read in [(root, shape, "r"), *_children(root, shape)]:
            if branch.subject is not None and branch.subject.at in people:
                one = people[branch.subject.at]
                for differs in differing(self.record, branch, inner, read, one.name, optional=one.optional):
                    self.steps += [f"if {differs}:", f"    drop(contradicted({one.name}))", "    continue"]

    def apart(self, people: Mapping[str, Person]) -> None:
        """A person for whom paths are withheld is walked apart, with a tree that never had them."""
        if not people:
            return
        self.steps += [
            f"paths = {_withheld(people)}",
            "if paths:",
            "    walked.thinner.setdefault(paths, []).append(r)",
            "    continue",
        ]

    def suspected(self, root: Branch, shape: Shape, people: Mapping[str, Person]) -> None:
        """A record whose values must be judged waits (D7, D8)."""
        asked = guard.suspicion(root, shape, "r")
        if asked:
            self.steps += [f"if {' or '.join(asked)}:", f"    suspect((r, {_withheld(people)}))", "    continue"]

    def key(self, root: Branch, shape: Shape, order: Order | None, people: Mapping[str, Person]) -> str | None:
        """Persons by pseudonym, other records by their mapped id (house rule 7); what has no mapped id (periods)
        keeps its order."""
        if order is None:
            return next((f"{one.name}.key" for one in people.values() if not one.optional), None)
        leaf, read = root.fields.get(order.path), f"r.{shape.attributes[order.path]}"
        if isinstance(leaf, Leaf) and leaf.read:
            self.steps.append(f"key = {self.builder.leaf(leaf, read, people)}")
            self.builder.mapped_key = leaf
        else:
            self.steps.append(f"key = sight.thing({self.builder.constant(order.maps)}, {read} or '')")
        return "key or ''"


def _block(lines: list[str], deep: int) -> str:
    return indent("\n".join(lines), " " * deep)


def _withheld(people: Mapping[str, Person]) -> str:
    """The paths withheld for those who decide about the record."""
    each = [f"({one.name} or NOBODY).withheld" if one.optional else f"{one.name}.withheld" for one in people.values()]
    return " | ".join(each) or "NOTHING"


def _may_be_staff(subject: Subject) -> bool:
    return Kind.STAFF in (subject.person, *subject.others)


def _things(root: Branch, shape: Shape) -> Iterator[tuple[str, str]]:
    """What a record names beside itself: the kind of each, and where it is read."""
    for name, node in root.fields.items():
        if isinstance(node, Branch) and node.required and name in shape.children and not shape.children[name].whole:
            inner, read = shape.children[name], f"r.{shape.attributes[name]}"
            found = [(leaf.maps, one) for one, leaf in node.fields.items() if isinstance(leaf, Leaf) and leaf.read]
            yield from ((maps, f"{read}.{inner.attributes[one]}") for maps, one in found if maps is not None)


def _children(root: Branch, shape: Shape) -> list[tuple[Branch, Shape, str]]:
    return [
        (node, shape.children[name], f"r.{shape.attributes[name]}")
        for name, node in root.fields.items()
        if isinstance(node, Branch)
    ]
