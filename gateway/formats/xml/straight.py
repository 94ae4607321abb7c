"""The straight way through a list: what most of its records are, written out as code for one plan.

Its parts are read from the parsed record and written as text, with no element made for them (`bench/xml.py`). A record
that is in any way out of the ordinary (a field twice, one that is missing or is not what the schema says, a value that
the guard takes something from) is `Unusual`: then the builder decides what becomes of it, as of every record of a plan
that says more than this can (flags, secrets, persons within, rows, masked text, documents). So no rule stands here:
what comes out is what the builder would have built, or nothing. The text holds no name of a schema: they are constants
of the namespace. Leaves out: whose record it is (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import count
from operator import itemgetter
from textwrap import indent
from typing import Any

from lxml import etree

from gateway.core.model import FieldClass, Transform
from gateway.core.release.emission import Emission
from gateway.core.release.national_number import may_hold
from gateway.core.release.sight import Seen
from gateway.core.release.text_guard import Guard, guarded
from gateway.core.release.texts import written
from gateway.formats.xml.plan import Element, Step, Value
from gateway.formats.xml.source import Names

Kids = Mapping[str, Any]
"""Tag → the child element."""

Found = list[tuple[str, Any]]

Named = tuple[str, str]
"""The path of an id of a thing, and the id that leaves there."""

Straight = Callable[[Any, Kids, Found | None, Seen | None, Emission, Callable[[], Guard], Callable[[Named], None]], str]
"""The text of what leaves of one record; the last is told of the ids that were asked for. Raises Unusual."""


class Unusual(Exception):
    """This record goes the long way."""


def straight(root: Element, names: Names, opening: str, told: frozenset[str] = frozenset()) -> Straight | None:
    """For records of this plan; None where they always go the long way. `opening`: of the record's own tag, without its
    end, with the namespaces of all beneath it; `told`: paths of the ids that are asked for."""
    if not _is_straight(root, root):
        return None
    writer = _Writer(names, told)
    lines, made, _ = writer.element(root, opening, root=True)
    text = _TEXT.format(functions="\n".join(writer.functions), steps="\n".join(_in(lines)), made=made)
    exec(compile(text, "<straight>", "exec"), writer.constants)  # noqa: S102 - our own text, without a word from outside
    found: Straight = writer.constants["record"]
    return found


def children(element: etree._Element, wanted: frozenset[str]) -> tuple[Kids, Found | None]:
    """The children with these tags, by tag; and where one comes several times, all of them in their order."""
    few = wanted and len(element) > 3 * len(wanted)  # then it pays to have the others passed over unseen
    among = element.iterchildren(*wanted) if few else element
    found = [(tag, child) for child in among if (tag := child.tag) in wanted]
    kids = dict(found)
    return kids, found if len(kids) < len(found) else None


def _is_straight(element: Element, root: Element) -> bool:
    person = element.place is not None and element is not root
    return not (person or element.repeats) and all(_is_plain(step, root) for step in element.steps)


def _is_plain(step: Step, root: Element) -> bool:
    if step.hidden is not None:
        return False
    if isinstance(step.content, Element):
        return _is_straight(step.content, root)
    leaf = step.content.leaf
    document = leaf.field_class is FieldClass.DOCUMENT
    fixed = leaf.transform is Transform.FIXED and step.many
    return not (document or fixed or leaf.transform is Transform.MASK)


_TEXT = """\
{functions}
def record(r, kids, found, seen, emission, guard, name):
    mapped, said = emission.mapped, []
    say = said.append
{steps}
    return {made}
"""

_FUNCTION = """\
def {name}(r, say, mapped, name):
    kids, found = {children}
{steps}
    return {made}
"""

# What the guard must look at: only where somewhere a number may stand.
_GUARD = """\
whole = {joined}
if holds(whole) is not None:
    passed = guard().passed
    for leaf, t in {pairs}:
        if t is not None and passed(leaf, t) != t: raise Unusual"""

_ESCAPE = """\
if "&" in whole or "<" in whole or ">" in whole or "\\r" in whole:
{each}"""


class _Writer:
    """Collects functions, one per element within the record, and the constants that the text names."""

    def __init__(self, names: Names, told: frozenset[str]) -> None:
        self.names = names
        self.told = told
        self.functions: list[str] = []
        self.constants: dict[str, Any] = {
            "Unusual": Unusual,
            "children": children,
            "escaped": escaped,
            "quoted": quoted,
            "grouped": _grouped,
            "holds": may_hold,
            "first": itemgetter(0),
            "NONE": {},
        }
        self._locals = count()

    def constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def local(self) -> str:
        return f"v{next(self._locals)}"

    def element(self, element: Element, opening: str, *, root: bool) -> tuple[list[str], str, str]:
        """Lines to run first, the expression of its text, and the condition under which there is any."""
        parts = [_Part(step, self.local()) for step in element.steps]
        several = frozenset(one.step.name for one in parts if one.step.many)
        lines = [f"more = grouped(found, {self.constant(several)}) if found is not None else None"]
        for part in parts:
            lines += self.read(part, "seen" if root else "None")
        lines += [
            f"own = {one.name}" for one in parts if one.step.kind == "attribute" and one.step.name == element.mapped
        ]
        lines += [*self.chosen(element, parts), *self.judged(parts, root=root), *self.escaped(parts, root=root)]
        attributes = "".join(self.attribute(one) for one in parts if one.step.kind == "attribute")
        inner = "".join(self.inner(one) for one in parts if one.step.kind != "attribute")
        tag = self.constant(f"</{opening[1:].split(' ', 1)[0]}>")
        begin, empty = self.constant(opening), self.constant("/>")
        lines += [f'inside = f"{inner}"', f'around = f"{attributes}"']
        made = f'f"{{{begin}}}{{around}}>{{inside}}{{{tag}}}" if inside else f"{{{begin}}}{{around}}{{{empty}}}"'
        return lines, made, "inside or around"

    # -- reading a field: None, its text or (what is within, and arrays) its markup -----------------------------

    def read(self, part: _Part, seen: str) -> list[str]:
        step, name = part.step, part.name
        if isinstance(step.content, Value) and step.content.leaf.transform is Transform.FIXED:
            fixed = written(step.content.leaf.value)
            return [f"{name} = {self.constant(fixed if step.kind == 'attribute' else escaped(fixed))}"]
        if step.kind == "attribute":
            return self.value(step, f"r.get({self.constant(step.name)})", name, seen)
        if step.kind == "text":
            return ["if len(r): raise Unusual", *self.value(step, "r.text", name, seen)]
        tag = self.constant(step.name)
        if step.many:
            return self.many(step, tag, name)
        lines = [f"{name} = kids.get({tag})"]
        if isinstance(step.content, Element):
            within = [f"{name} = {self.function(step, step.content)}({name}, say, mapped, name)"]
        else:
            within = [f"if len({name}): raise Unusual", *self.value(step, f"{name}.text", name, seen)]
        absent = [f"if {name} is None: raise Unusual"] if step.required else []
        return [*lines, *absent, f"if {name} is not None:", *_in(within)]

    def many(self, step: Step, tag: str, name: str) -> list[str]:
        item = self.local()
        lines = [
            f"{name} = []",
            f"for {item} in more[{tag}] if more is not None else (kids[{tag}],) if {tag} in kids else ():",
        ]
        if isinstance(step.content, Element):
            within = [f"{name}.append({self.function(step, step.content)}({item}, say, mapped, name))"]
        else:
            assert isinstance(step.content, Value)
            begin, end = self.tags(step)
            made = f'f"{{{begin}}}{{escaped({item})}}{{{end}}}"'
            within = [f"if len({item}): raise Unusual", *self.value(step, f"{item}.text", item, "None")]
            if _is_guarded(step.content):
                within.append(f"if {item} is not None: say(({self.constant(step.content.leaf)}, {item}))")
            within.append(f"if {item} is not None: {name}.append({made})")
        lines += _in(within)
        if step.ordered:
            keyed = isinstance(step.content, Element)
            lines.append(f"{name}.sort(key=first)" if keyed else f"{name}.sort()")
        if step.required:
            lines.append(f"if not {name}: raise Unusual")
        markup = f"[one[1] for one in {name}]" if step.ordered and isinstance(step.content, Element) else name
        return [*lines, f'{name} = "".join({markup})']

    def value(self, step: Step, raw: str, into: str, seen: str) -> list[str]:
        """The text that leaves, or None; where it is asked for, it is told."""
        assert isinstance(step.content, Value)
        lines, path = self.leaving(step, raw, into, seen), step.content.path
        return [*lines, f"if {into} is not None: name(({self.constant(path)}, {into}))"] if path in self.told else lines

    def leaving(self, step: Step, raw: str, into: str, seen: str) -> list[str]:
        assert isinstance(step.content, Value)
        if step.content.slot is not None and step.content.slot.form == "master":  # also where the source leaves it out
            return [f"{into} = {seen}.master", *([f"if {into} is None: raise Unusual"] if step.required else [])]
        lines = [f"{into} = {raw}", f"if {into} is not None:", *_in(self.known(step.content, into))]
        lines += [f"if {into} is None: raise Unusual"] if step.required else []
        made = self.made(step.content, into, seen)
        if made:
            lines += [f"if {into} is not None: {into} = {made}"]
            lines += [f"if {into} is None: raise Unusual"] if step.required else []
        return lines

    def known(self, value: Value, text: str) -> list[str]:
        """As `Value.read` does; what is as the schema says at first sight need not be read further."""
        read = f"{text} = {self.constant(value.read)}({text})"
        if value.listed:
            return [f"if {text} not in {self.constant(frozenset(value.leaf.values))}: {read}"]
        if value.leaf.format == "date":
            return [f"if {text} not in {self.constant(_days())}: {read}"]
        if not value.plain:
            return [read]
        return [f"if len({text}) > {value.most}: raise Unusual", f"if not {text} or {text}.isspace(): {text} = None"]

    def made(self, value: Value, text: str, seen: str) -> str:
        leaf = value.leaf
        if value.slot is not None:
            return f"{seen}.master" if value.slot.form == "master" else f"{seen}.typed"
        if leaf.maps is not None:
            owner = f"{seen}.subject.id if {seen} is not None else None" if seen != "None" else "None"
            return f"mapped({self.constant(leaf.maps)}, {text}, {owner})"
        return "" if leaf.transform is Transform.KEEP else f"{self.constant(value.becomes)}({text}) or None"

    # -- together ------------------------------------------------------------------------------------------------

    def chosen(self, element: Element, parts: list[_Part]) -> list[str]:
        lines = []
        for choice in element.choices.values():
            if not choice.several:
                lines.append(f"if sum([tag in kids for tag in {self.constant(choice.tags)}]) > 1: raise Unusual")
            there = [one.name for one in parts if one.step.name in choice.tags]
            lines += [f"if not ({' or '.join(there) or None}): raise Unusual"] if choice.required else []
        return lines

    def judged(self, parts: list[_Part], *, root: bool) -> list[str]:
        """The record's own texts together, with those of the elements within."""
        leaves = {one.name: self.constant(one.value.leaf) for one in parts if one.value}
        here = _guarded_in(parts)
        pairs = "".join(f"({leaves[name]}, {name}), " for name in here)
        if not root:
            return [f"for p in ({pairs}):", "    if p[1] is not None: say(p)"] if here else []
        lines = []
        if any(isinstance(one.step.content, Element) or one.step.many for one in parts):
            lines += ["if said:", *_in([_GUARD.format(joined='"|".join([t for _, t in said])', pairs="said")])]
        return lines + ([_GUARD.format(joined=_joined(here), pairs=f"({pairs})")] if here else [])

    def escaped(self, parts: list[_Part], *, root: bool) -> list[str]:
        here = [one.name for one in parts if one.value and one.step.kind != "attribute" and not _is_bare(one.value)]
        if not here:
            return []
        each = [f"if {name} is not None: {name} = escaped({name})" for name in here]
        whole = [] if root and here == _guarded_in(parts) else [f"whole = {_joined(here)}"]
        return [*whole, _ESCAPE.format(each="\n".join(_in(each)))]

    def attribute(self, part: _Part) -> str:
        before, after = self.constant(f' {self.names.prefixed(part.step.name)}="'), self.constant('"')
        return f"{{f'{{{before}}}{{quoted({part.name})}}{{{after}}}' if {part.name} is not None else ''}}"

    def inner(self, part: _Part) -> str:
        if part.value is None:
            return f"{{{part.name} or ''}}"
        if part.step.kind == "text":
            return f"{{{part.name} if {part.name} is not None else ''}}"
        begin, end = self.tags(part.step)
        return f"{{f'{{{begin}}}{{{part.name}}}{{{end}}}' if {part.name} is not None else ''}}"

    # -- tags ------------------------------------------------------------------------------------------------

    def function(self, step: Step, element: Element) -> str:
        name, place = f"f{len(self.functions)}", len(self.functions)
        self.functions.append("")
        lines, made, there = self.element(element, f"<{self.names.prefixed(step.name)}", root=False)
        if not step.required:
            made = f"({made}) if {there} else ''"
        if step.ordered:
            made = f"(own or '', {made})"
        tags, steps = tags_of(element), "\n".join(_in(lines))
        found = f"children(r, {self.constant(tags)})" if tags else "NONE, None"
        self.functions[place] = _FUNCTION.format(name=name, children=found, steps=steps, made=made)
        return name

    def tags(self, step: Step) -> tuple[str, str]:
        tag = self.names.prefixed(step.name)
        return self.constant(f"<{tag}>"), self.constant(f"</{tag}>")


@dataclass(frozen=True, slots=True)
class _Part:
    """A step and the local that holds what it gives."""

    step: Step
    name: str

    @property
    def value(self) -> Value | None:
        """Of a single text; None where it is markup already."""
        content = self.step.content
        return content if isinstance(content, Value) and not self.step.many else None


def _is_guarded(value: Value) -> bool:
    return value.slot is None and guarded(value.leaf)


def _guarded_in(parts: list[_Part]) -> list[str]:
    """The locals of the texts that the guard looks at."""
    return [one.name for one in parts if one.value and _is_guarded(one.value)]


def _is_bare(value: Value) -> bool:
    """Whether such a text holds no sign that is written otherwise."""
    if value.leaf.transform is Transform.FIXED:
        return True  # written so once
    kept = value.leaf.transform is Transform.KEEP and value.slot is None and value.leaf.maps is None
    fixed = all(escaped(one) == one for one in value.leaf.values)
    return kept and (value.leaf.format == "date" or (value.listed and fixed))


@cache
def _days() -> frozenset[str]:
    """The days that pupils and their years have, as they are written."""
    return frozenset((date(1985, 1, 1) + timedelta(days)).isoformat() for days in range(20_000))


def _joined(names: list[str]) -> str:
    """One text of several, between which no number runs on."""
    return 'f"' + "|".join(f"{{{name}}}" for name in names) + '"'


def _in(lines: list[str]) -> list[str]:
    return indent("\n".join(lines), "    ").split("\n")


def tags_of(element: Element) -> frozenset[str]:
    """Of the children that anything is asked of."""
    chosen = (choice.tags for choice in element.choices.values())
    return frozenset(one.name for one in element.steps if one.kind == "element").union(*chosen)


def escaped(text: str) -> str:
    """As the serialiser writes it within an element."""
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return text


def quoted(text: str) -> str:
    """As the serialiser writes it within an attribute."""
    made = escaped(text)
    if '"' in made or "\n" in made or "\t" in made:
        return made.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return made


def _grouped(found: Found, several: frozenset[str]) -> Mapping[str, list[etree._Element]]:
    """Those that may come several times."""
    more: dict[str, list[etree._Element]] = {tag: [] for tag in several}
    once = set()
    for tag, child in found:
        if tag in more:
            more[tag].append(child)
        elif tag in once:
            raise Unusual
        once.add(tag)
    return more
