"""The one walk over decoded records, written as straight-line Python for one projection.

Closures over the tree cost a third more per record than the same steps written out (bench/minimiser.py), so the steps
are written out: per record look up who it is about, leave out who may not be seen, build what leaves from the
allow-list, map and transform. The text holds no name of a schema: attributes are numbered, everything else is a
constant of the namespace. Leaves out: decoding (`shapes`), who is meant (`places`), sorting and encoding (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from operator import attrgetter, itemgetter
from textwrap import indent
from typing import Any
from urllib.parse import quote

import msgspec

from gateway.core.model import Transform
from gateway.core.policy.schema import Link, Record
from gateway.core.reasons import Reason
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.projection import Branch, Leaf, Many, Node, Order, Slot, leaves
from gateway.core.release.sight import Seen, Sight, contradicted
from gateway.core.release.transforms import change
from gateway.formats.json import guard
from gateway.formats.json.births import differing
from gateway.formats.json.places import Place, elsewhere, lists_people, may_be_missing
from gateway.formats.json.shapes import MALFORMED, Shape, id_fields
from gateway.formats.json.walked import Walk, Withheld


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
    writer = _Writer(record, reference, judged=judged, viewed=viewed)
    writer.loop(root, shape, order)
    text = writer.text()
    exec(compile(text, "<walk>", "exec"), writer.names)  # noqa: S102 - our own text, without a word from outside
    return Written(writer.names["bind"], text)


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

_REFERENCES = """\
def {name}(references):
    seen = [{find}(comma((x,))) or {see}(x) for x in references]
    here = [s for s in seen if not s.reasons]
    if len(here) < len(seen):
        gone.extend([s for s in seen if s.reasons])
    here.sort(key=by_key)
    shown.extend(here)
    return [s.whole for s in here]"""


class _Writer:
    """Collects the text's parts (`bound`: look-ups made once per sight; `functions`: one per object within a record
    that is not taken as decoded) and the constants that they name."""

    def __init__(self, record: Record, reference: date, *, judged: bool, viewed: bool) -> None:
        self.record = record
        self.reference = reference
        self.judged = judged
        self.viewed = viewed
        self.names: dict[str, Any] = {
            "comma": b",".join,
            "MALFORMED": MALFORMED,
            "Withheld": Withheld,
            "by_key": attrgetter("key"),
            "first": itemgetter(0),
            "ABSENT": frozenset({b"", b"null"}),
            "NOBODY": Seen(None, ()),
            "EMPTY": Seen(None, (Reason.NOT_AVAILABLE,)),
            "NOTHING": frozenset(),
            "contradicted": contradicted,
            "partial_of": partial,
            "quoted": partial(quote, safe=""),
            **guard.NAMES,
        }
        self.bound: list[str] = []
        self.functions: list[str] = []
        self.steps: list[str] = []
        self.mapped_key: Leaf | None = None
        self._things: dict[tuple[str, bool], str] = {}

    def text(self) -> str:
        body = _DEEP if self.functions or any("mark" in step for step in self.steps) else _FLAT
        bound, functions = indent("\n".join(self.bound), " " * 4), indent("\n".join(self.functions), " " * 8)
        steps = indent("\n".join(self.steps), " " * 16)
        return _HEAD.format(bound=bound, functions=functions) + body.format(steps=steps)

    def constant(self, value: Any) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    # -- one record ----------------------------------------------------------------------------------------

    def loop(self, root: Branch, shape: Shape, order: Order | None) -> None:
        self.placed(root, shape, order)
        people = self.people(root, shape)
        if not self.judged:
            self.suspected(root, shape, people)
            self.apart(people)
        self.contradicted(root, shape, people)
        key = self.key(root, shape, order, people)
        lines, row = self.object(root, shape, "r", people, "del shown[mark:]; continue")
        self.steps += [*lines, f"row = {row}"]
        if not people and lists_people(root):
            # R7, R68: a group of which nobody is in this delivery is none of its business, not even its name
            hidden = f"hide(({key}, gone[left:])); " if self.viewed else ""
            self.steps.append(f"if len(shown) == mark: {hidden}continue")
        self.steps += ["add(row)", "made_of(r)"]
        if self.viewed:
            self.steps.append(f"own({_owner(people)})")
        if key is not None:
            self.steps.append(f"order({key})")
        for one in people.values():
            self.steps.append(f"if {one.name} is not None: show({one.name})" if one.optional else f"show({one.name})")

    def placed(self, root: Branch, shape: Shape, order: Order | None) -> None:
        """R7, R68: what is elsewhere, or of a group of which nobody is in this delivery, is none of its business. (Of
        the latter nobody knows why, so it has not ended.)"""
        gone = elsewhere(root, shape, "r")
        if self.record.members is not None:
            self.bound.append(f"peopled = partial_of(sight.peopled, {self.constant(self.record)})")
            empty = f"not peopled(r.{shape.attributes[self.record.members]} or '')"
            if self.viewed and order is not None:
                key = f"sight.thing({self.constant(order.maps)}, r.{shape.attributes[order.path]} or '')"
                self.steps.append(f"if {empty}: hide(({key}, [EMPTY])); continue")
            else:
                gone.append(empty)
        if gone:
            self.steps.append(f"if {' or '.join(gone)}: continue")

    def people(self, root: Branch, shape: Shape) -> dict[str, _Person]:
        """Look up who decides about the whole record: the root itself and objects directly beneath it."""
        found: dict[str, _Person] = {}
        for branch, inner, read in [(root, shape, "r"), *_children(root, shape)]:
            if branch.subject is None or branch.subject.withheld != "record":
                continue
            one = _Person(f"s{len(found)}", optional=not branch.required)
            found[branch.subject.at] = one
            self.steps += self.look(branch, inner, read, one)
            guard = f"{one.name} is not None and " if one.optional else ""
            self.steps += [f"if {guard}{one.name}.reasons:", f"    drop({one.name})", "    continue"]
        return found

    def contradicted(self, root: Branch, shape: Shape, people: Mapping[str, _Person]) -> None:
        """A person of whom the record says something else than the school recorded waits (R109)."""
        for branch, inner, read in [(root, shape, "r"), *_children(root, shape)]:
            if branch.subject is not None and branch.subject.at in people:
                one = people[branch.subject.at]
                for differs in differing(self.record, branch, inner, read, one.name, optional=one.optional):
                    self.steps += [f"if {differs}:", f"    drop(contradicted({one.name}))", "    continue"]

    def look(self, branch: Branch, shape: Shape, read: str, one: _Person) -> list[str]:
        """Lines that name the person of `branch`; `read` is the decoded object, or its raw text."""
        find, see = self.place(branch)
        parts = read if shape.whole else ", ".join(f"{read}.{shape.attributes[name]}" for name in id_fields(branch))
        found = f"{find}(comma(({parts},))) or {see}({parts})"
        if not one.optional:
            return [f"{one.name} = {found}"]
        absent = f"comma(({read},)) in ABSENT" if shape.whole else f"{read} is None"
        return [f"{one.name} = None if {absent} else {found}"]

    def place(self, branch: Branch) -> tuple[str, str]:
        place = self.constant(Place(self.record, branch))
        self.bound.append(f"find_{place}, see_{place} = {place}.on(sight)")
        return f"find_{place}", f"see_{place}"

    def apart(self, people: Mapping[str, _Person]) -> None:
        """A person for whom paths are withheld is walked apart, with a tree that never had them."""
        if not people:
            return
        self.steps += [
            f"paths = {_withheld(people)}",
            "if paths:",
            "    walked.thinner.setdefault(paths, []).append(r)",
            "    continue",
        ]

    def suspected(self, root: Branch, shape: Shape, people: Mapping[str, _Person]) -> None:
        """A record whose values must be judged waits (D7, D8)."""
        asked = guard.suspicion(root, shape, "r")
        if asked:
            self.steps += [f"if {' or '.join(asked)}:", f"    suspect((r, {_withheld(people)}))", "    continue"]

    def key(self, root: Branch, shape: Shape, order: Order | None, people: Mapping[str, _Person]) -> str | None:
        """Persons by pseudonym, other records by their mapped id (house rule 7); what has no mapped id (periods)
        keeps its order."""
        if order is None:
            return next((f"{one.name}.key" for one in people.values() if not one.optional), None)
        leaf, read = root.fields.get(order.path), f"r.{shape.attributes[order.path]}"
        if isinstance(leaf, Leaf) and leaf.read:
            self.steps.append(f"key = {self.leaf(leaf, read, people)}")
            self.mapped_key = leaf
        else:
            self.steps.append(f"key = sight.thing({self.constant(order.maps)}, {read} or '')")
        return "key or ''"

    # -- one object ----------------------------------------------------------------------------------------

    def object(
        self, branch: Branch, shape: Shape, read: str, people: Mapping[str, _Person], leave: str
    ) -> tuple[list[str], str]:
        """Lines to run first, and the expression that builds what leaves. `leave`: what to do when somebody without
        whom this object cannot leave is withheld."""
        if shape.passes and branch == shape.branch:
            return [], read
        lines: list[str] = []
        values: dict[str, str] = {}
        for name, node in branch.fields.items():
            value = self.value(node, branch, shape, name, read, people)
            if may_be_missing(node):
                local = f"v{len(lines)}"
                lines += [f"{local} = {value}", f"if {local} is None: {leave}"]
                value = local
            if leaves(node):
                values[name] = value
            elif value not in {one.whole for one in people.values()}:
                lines.append(value)  # looked at only: whoever is withheld there stops the record
        return lines, f"{self.constant(_output(tuple(values)))}({', '.join(values.values())})"

    def value(
        self, node: Node, branch: Branch, shape: Shape, name: str, read: str, people: Mapping[str, _Person]
    ) -> str:
        if isinstance(node, Slot):
            return f"{people[branch.subject.at].name if branch.subject else ''}.{node.form}"
        inner = f"{read}.{shape.attributes[name]}" if name in shape.attributes else ""
        if isinstance(node, Leaf) and node.link is not None:
            return self.link(node.link, branch, shape, read, people)
        if isinstance(node, Leaf):
            return self.leaf(node, inner, people)
        if isinstance(node, Many) and node.empty:
            return self.constant([])
        if isinstance(node, Many) and (node.filled or not node.required):
            return f"({self.array(node, shape, name, inner)}) or None"  # as one that is withheld (house rule 5)
        if isinstance(node, Many):
            return self.array(node, shape, name, inner)
        child = shape.children[name]
        if node.subject is not None and node.subject.at in people:
            one = people[node.subject.at]
            if child.whole:
                return one.whole
            made = f"{self.function(node, child, one)}({inner}, {one.name})"
        elif child.passes and node == child.branch:
            return inner
        else:
            made = f"{self.function(node, child)}({inner})"
        absent = f"comma(({inner},)) in ABSENT" if child.whole else f"{inner} is None"
        return made if node.required else f"None if {absent} else {made}"

    def array(self, many: Many, shape: Shape, name: str, read: str) -> str:
        if isinstance(many.item, Leaf):
            return self.leaves(many, many.item, read)
        child = shape.children[name]
        if child.passes and many.item == child.branch:
            return read
        made = f"{self.many(many.item, child)}({read})"
        return made if many.required else f"None if {read} is None else {made}"

    def link(self, link: Link, branch: Branch, shape: Shape, read: str, people: Mapping[str, _Person]) -> str:
        """A URL of the gateway that leads to what leaves in the field beside it."""
        beside = branch.fields.get(link.beside)
        if beside is None:
            raise DeliveryRefused(f"{self.record.name}: a link needs {link.beside} beside it")
        base = f"base{len(self.names)}"
        self.bound.append(f"{base} = sight.base + {self.constant(f'{link.path}/')}")
        if isinstance(beside, Slot):
            assert branch.subject is not None
            return f"{base} + quoted({people[branch.subject.at].name}.ids[-1][1])"
        return f"{base} + quoted({self.value(beside, branch, shape, link.beside, read, people)})"

    def leaf(self, leaf: Leaf, read: str, people: Mapping[str, _Person]) -> str:
        if not leaf.read:
            return self.constant(leaf.value)
        if leaf is self.mapped_key:
            return "key"
        made = self.made(leaf, read, _owner(people) if leaf.path == self.record.order else None)
        return made if leaf.required or made == read else f"None if {read} is None else {made}"

    def leaves(self, many: Many, leaf: Leaf, read: str) -> str:
        made = self.made(leaf, "x")
        if made == "x":
            return read
        # Mapped ids leave in their own order, not in the LVS's (house rule 7).
        array = f"sorted([{made} for x in {read}])" if leaf.maps else f"[{made} for x in {read}]"
        return array if many.required else f"None if {read} is None else {array}"

    def made(self, leaf: Leaf, read: str, owner: str | None = None) -> str:
        if leaf.maps is not None:
            of = f", {owner}.subject.id" if owner else ""
            known = self.known(leaf.maps, owned=owner is not None)
            return f"({known}({read}) or mapped({self.constant(leaf.maps)}, {read}{of}))"
        if leaf.transform is Transform.MASK:
            return f"masked({read})"
        how = change(leaf.transform, leaf.format, self.reference)
        return read if how is None else f"{self.constant(how)}({read})"

    def known(self, maps: str, *, owned: bool) -> str:
        """The look-up of what is durably issued for one kind of thing."""
        if (maps, owned) not in self._things:
            name = self._things[maps, owned] = f"known{len(self._things)}"
            self.bound.append(f"{name} = sight.named({self.constant(maps)}, owned={owned}).get")
        return self._things[maps, owned]

    # -- objects within ------------------------------------------------------------------------------------

    def many(self, item: Branch, shape: Shape) -> str:
        """A function for an array of objects; those that speak of persons leave in pseudonym order."""
        subject = item.subject
        if shape.whole and subject is not None and subject.withheld == "item":
            find, see = self.place(item)
            name = f"references_{find}"
            self.functions.append(_REFERENCES.format(name=name, find=find, see=see))
            return name
        build = self.function(item, shape, keyed=True)
        name = f"many_{build}"
        lines = [f"rows = [row for x in objects if (row := {build}(x)) is not None]"]
        lines += ["rows.sort(key=first)"] if subject is not None else []
        self.define(f"{name}(objects)", [*lines, "return [row for _, row in rows]"])
        return name

    def function(self, branch: Branch, shape: Shape, given: _Person | None = None, *, keyed: bool = False) -> str:
        """A function that builds one object, or gives None when it may not leave. `given`: its person is looked up
        already; `keyed`: it gives (sort key, object)."""
        name = f"build{len(self.functions)}_{len(self.names)}"
        self.names[name] = None  # reserves the number
        lines: list[str] = []
        people: dict[str, _Person] = {}
        if branch.subject is not None:
            one = given or _Person("s", optional=False)
            people = {branch.subject.at: one}
            lines += [] if given else self.met(branch, shape, one)
        away = [] if shape.whole else elsewhere(branch, shape, "x")
        lines += [f"if {' or '.join(away)}: return None"] if away else []
        if shape.whole:
            row = next(iter(people.values())).whole
        else:
            before, row = self.object(branch, shape, "x", people, "del shown[here:]; return None")
            lines += ["here = len(shown)", *before] if before else []
        lines += ["show(s)"] if people and not given else []
        key = next((f"{one.name}.key" for one in people.values()), "''")
        lines.append(f"return ({key}, {row})" if keyed else f"return {row}")
        self.define(f"{name}(x{f', {given.name}' if given else ''})", lines)
        return name

    def define(self, signature: str, lines: list[str]) -> None:
        self.functions.append("\n".join([f"def {signature}:", *(f"    {line}" for line in lines)]))

    def met(self, branch: Branch, shape: Shape, one: _Person) -> list[str]:
        """Somebody deep in a record: an item goes alone, else the record goes with them."""
        assert branch.subject is not None
        goes = "drop(s); return None" if branch.subject.withheld == "item" else "raise Withheld(s)"
        return [*self.look(branch, shape, "x", one), f"if s.reasons: {goes}"]


@dataclass(frozen=True, slots=True)
class _Person:
    """A local name for whom an object speaks of; `optional`: nobody may stand there."""

    name: str
    optional: bool

    @property
    def whole(self) -> str:
        return f"({self.name} or NOBODY).whole" if self.optional else f"{self.name}.whole"


def _owner(people: Mapping[str, _Person]) -> str | None:
    """The person to whom a record belongs; the pupil of a coach's assignment, where there is one, before the coach."""
    always = next((one.name for one in people.values() if not one.optional), None)
    maybe = next((one.name for one in people.values() if one.optional), None)
    return f"({maybe} or {always})" if always and maybe else always


def _withheld(people: Mapping[str, _Person]) -> str:
    """The paths withheld for those who decide about the record."""
    each = [f"({one.name} or NOBODY).withheld" if one.optional else f"{one.name}.withheld" for one in people.values()]
    return " | ".join(each) or "NOTHING"


def _children(root: Branch, shape: Shape) -> list[tuple[Branch, Shape, str]]:
    return [
        (node, shape.children[name], f"r.{shape.attributes[name]}")
        for name, node in root.fields.items()
        if isinstance(node, Branch)
    ]


def _output(names: tuple[str, ...]) -> Any:
    """The type of what leaves: exactly these fields; None is absent."""
    attributes = {f"a{number}": name for number, name in enumerate(names)}
    return msgspec.defstruct(
        "Released", [(one, Any, None) for one in attributes], rename=attributes, omit_defaults=True, gc=False
    )
