"""The lines that build one object of what leaves: its fields from the allow-list, mapped and transformed, and the
objects within it.

Leaves out: whether the record leaves at all, and who decides about it (`walk`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any
from urllib.parse import quote

import msgspec

from gateway.core.model import Transform
from gateway.core.policy.schema import Link, Record
from gateway.core.reasons import Reason
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.projection import Branch, Leaf, Many, Node, Slot, leaves
from gateway.core.release.sight import Seen, contradicted
from gateway.core.release.transforms import change
from gateway.formats.json import guard
from gateway.formats.json.births import differing
from gateway.formats.json.places import Place, elsewhere, may_be_missing
from gateway.formats.json.shapes import MALFORMED, Shape, id_fields
from gateway.formats.json.walked import Withheld

_REFERENCES = """\
def {name}(references):
    seen = [{find}(comma((x,))) or {see}(x) for x in references]
    here = [s for s in seen if not s.reasons]
    if len(here) < len(seen):
        gone.extend([s for s in seen if s.reasons])
    here.sort(key=by_key)
    shown.extend(here)
    return [s.whole for s in here]"""


class Builder:
    """Collects parts of the walk's text (`bound`: look-ups made once per sight; `functions`: one per object within a
    record that is not taken as decoded) and the constants that they name."""

    def __init__(self, record: Record, reference: date) -> None:
        self.record = record
        self.reference = reference
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
        self.mapped_key: Leaf | None = None
        self.leads = False  # whether what leads somewhere is asked
        self._things: dict[tuple[str, bool], str] = {}

    def constant(self, value: Any) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def look(self, branch: Branch, shape: Shape, read: str, one: Person) -> list[str]:
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

    def object(
        self, branch: Branch, shape: Shape, read: str, people: Mapping[str, Person], leave: str
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
        self, node: Node, branch: Branch, shape: Shape, name: str, read: str, people: Mapping[str, Person]
    ) -> str:
        if isinstance(node, Slot):
            return f"{people[branch.subject.at].name if branch.subject else ''}.{node.form}"
        inner = f"{read}.{shape.attributes[name]}" if name in shape.attributes else ""
        if isinstance(node, Leaf):
            link = node.link
            return self.link(link, branch, shape, read, people) if link is not None else self.leaf(node, inner, people)
        if isinstance(node, Many):
            return self.array(node, shape, name, inner)
        return self.child(node, shape.children[name], inner, people)

    def child(self, branch: Branch, shape: Shape, read: str, people: Mapping[str, Person]) -> str:
        if branch.subject is not None and branch.subject.at in people:
            one = people[branch.subject.at]
            if shape.whole:
                return one.whole
            made = f"{self.function(branch, shape, one)}({read}, {one.name})"
        elif shape.passes and branch == shape.branch:
            return read
        else:
            made = f"{self.function(branch, shape)}({read})"
        absent = f"comma(({read},)) in ABSENT" if shape.whole else f"{read} is None"
        return made if branch.required else f"None if {absent} else {made}"

    def array(self, many: Many, shape: Shape, name: str, read: str) -> str:
        if many.empty:
            return self.constant([])
        made = self.items(many, shape, name, read)
        return f"({made}) or None" if many.filled or not many.required else made  # as withheld (house rule 5)

    def items(self, many: Many, shape: Shape, name: str, read: str) -> str:
        if isinstance(many.item, Leaf):
            return self.leaves(many, many.item, read)
        child = shape.children[name]
        if child.passes and many.item == child.branch:
            return read
        made = f"{self.many(many.item, child)}({read})"
        return made if many.required else f"None if {read} is None else {made}"

    def link(self, link: Link, branch: Branch, shape: Shape, read: str, people: Mapping[str, Person]) -> str:
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

    def leaf(self, leaf: Leaf, read: str, people: Mapping[str, Person]) -> str:
        if not leaf.read:
            return self.constant(leaf.value)
        if leaf is self.mapped_key:
            return "key"
        made = self.made(leaf, read, owner_of(people) if leaf.path == self.record.order else None)
        return made if leaf.required or made == read else f"None if {read} is None else {made}"

    def leaves(self, many: Many, leaf: Leaf, read: str) -> str:
        made = self.made(leaf, "x")
        if made == "x":
            return read
        # Mapped ids leave in their own order, not in the LVS's (house rule 7).
        array = f"[{made} for x in {read}]"
        if leaf.maps is not None:
            self.bound += [] if self.leads else ["leads = sight.leads"]
            self.leads = True
            array = f"sorted([{made} for x in {read} if leads({self.constant(leaf.maps)}, x)])"
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

    def function(self, branch: Branch, shape: Shape, given: Person | None = None, *, keyed: bool = False) -> str:
        """A function that builds one object, or gives None when it may not leave. `given`: its person is looked up
        already; `keyed`: it gives (sort key, object)."""
        name = f"build{len(self.functions)}_{len(self.names)}"
        self.names[name] = None  # reserves the number
        lines: list[str] = []
        people: dict[str, Person] = {}
        if branch.subject is not None:
            one = given or Person("s", optional=False)
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

    def met(self, branch: Branch, shape: Shape, one: Person) -> list[str]:
        """Somebody deep in a record: an item goes alone, else the record goes with them. Who is told to be born on
        another day than the school recorded waits (R109)."""
        assert branch.subject is not None
        goes = "drop(s); return None" if branch.subject.withheld == "item" else "raise Withheld(s)"
        differs = differing(self.record, branch, shape, "x", one.name, optional=False)
        waits = [f"if not s.reasons and {one}: s = contradicted(s)" for one in differs]
        return [*self.look(branch, shape, "x", one), *waits, f"if s.reasons: {goes}"]


@dataclass(frozen=True, slots=True)
class Person:
    """A local name for whom an object speaks of; `optional`: nobody may stand there."""

    name: str
    optional: bool

    @property
    def whole(self) -> str:
        return f"({self.name} or NOBODY).whole" if self.optional else f"{self.name}.whole"


def owner_of(people: Mapping[str, Person]) -> str | None:
    """The person to whom a record belongs; the pupil of a coach's assignment, where there is one, before the coach."""
    always = next((one.name for one in people.values() if not one.optional), None)
    maybe = next((one.name for one in people.values() if one.optional), None)
    return f"({maybe} or {always})" if always and maybe else always


def _output(names: tuple[str, ...]) -> Any:
    """The type of what leaves: exactly these fields; None is absent."""
    attributes = {f"a{number}": name for number, name in enumerate(names)}
    return msgspec.defstruct(
        "Released", [(one, Any, None) for one in attributes], rename=attributes, omit_defaults=True, gc=False
    )
