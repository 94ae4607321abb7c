"""Building what leaves of one record, element by element, from the plan (house rule 2: never delete in place).

A field that may not leave is left out; where the standard requires it, the nearest optional element around it goes
(`Gone`). What the source wrote otherwise than the schema says makes the record malformed; in a list of persons that is
about nobody itself, the person alone. Leaves out: whose record it is, and its flags (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from gateway.core.model import Transform
from gateway.core.policy.schema import Hidden
from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from gateway.core.release.faults import ONCE, REQUIRED, Fault
from gateway.core.release.sight import ECK_ID, Seen
from gateway.core.release.text_guard import Guard
from gateway.core.release.texts import Malformed, written
from gateway.formats.xml.plan import Element, Step, Value
from gateway.formats.xml.source import Source
from gateway.formats.xml.values import text_of


class Gone(Exception):
    """An element cannot leave without what may not leave of it."""


class RecordGone(Exception):
    """Somebody deep in a record is withheld, and the whole record with them."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen


@dataclass(slots=True)
class Built:
    """What building one record did. `people`: seen already, by their element; `flags`: what leaves in flags, and what
    the school recorded, by path; `malformed`: of whom the source wrote what cannot be read, and where; `blocked`:
    what stayed behind because of what is in it."""

    people: dict[etree._Element, Seen]
    flags: Mapping[str, str]
    shown: list[Seen] = field(default_factory=list)
    gone: list[Seen] = field(default_factory=list)
    malformed: list[tuple[Seen, Fault]] = field(default_factory=list)
    blocked: dict[tuple[str, Reason], None] = field(default_factory=dict)


class Builder:
    """For one record of one answer."""

    def __init__(self, source: Source, emission: Emission, guard: Guard, built: Built, record: etree._Element) -> None:
        self.source = source
        self.emission = emission
        self.guard = guard
        self.built = built
        self.record = record

    def fill(self, plan: Element, found: etree._Element, into: etree._Element) -> str:
        """Build `into` from `found`; gives what orders it among others. Raises Gone and Malformed."""
        seen, plan = self._person(plan, found)
        for row in self._rows(plan, found):
            there = {step.name for step in plan.steps if self._step(step, found, row, into, seen)}
            self._chosen(plan, row, there)
        if seen is not None:
            return seen.key
        return into.get(plan.mapped, "") if plan.mapped else ""

    # -- one element ---------------------------------------------------------------------------------------

    def _rows(self, plan: Element, found: etree._Element) -> Iterator[dict[str, list[etree._Element]]]:
        """The known children by tag; several times where they may repeat as a row: a tag that stands before the last
        one begins a new row."""
        row: dict[str, list[etree._Element]] = {}
        order, last, repeats = plan.order, -1, plan.repeats
        for child in found:
            tag = child.tag
            if tag not in order:
                continue
            if repeats:
                if order[tag] < last:
                    yield row
                    row = {}
                last = order[tag]
            if tag in row:
                row[tag].append(child)
            else:
                row[tag] = [child]
        yield row

    def _chosen(self, plan: Element, row: Mapping[str, list[etree._Element]], there: set[str]) -> None:
        for choice in plan.choices.values():
            if not choice.several and sum(tag in row for tag in choice.tags) > 1:
                raise Malformed(plan.path, "one of what it has as choice")
            if choice.required and not there & choice.tags:
                raise Gone

    def _person(self, plan: Element, found: etree._Element) -> tuple[Seen | None, Element]:
        """Whoever this element speaks of, and what leaves of it. An item goes alone, else the record goes with them."""
        if plan.place is None:
            return None, plan
        seen = self.built.people.get(found)
        if seen is not None:
            return seen, plan
        seen = plan.place.see(found, self.emission)
        thinner = plan if seen.reasons else thinned(plan, seen)
        if thinner is None:
            seen = Seen(seen.subject, (Reason.NOT_AVAILABLE,))
        if seen.reasons or thinner is None:
            if plan.withheld == "record":
                raise RecordGone(seen)
            self.built.gone.append(seen)
            raise Gone
        self.built.shown.append(seen)
        return seen, thinner

    # -- one field -----------------------------------------------------------------------------------------

    def _step(
        self,
        step: Step,
        within: etree._Element,
        row: Mapping[str, list[etree._Element]],
        into: etree._Element,
        seen: Seen | None,
    ) -> bool:
        """Whether it is there now."""
        if step.kind == "element":
            there = self.elements(step, within, row.get(step.name, []), into, seen)
        else:
            there = self._text(step, within, into, seen)
        if step.required and not there:
            raise Gone
        return there

    def _text(self, step: Step, within: etree._Element, into: etree._Element, seen: Seen | None) -> bool:
        """An attribute, or the text of the element itself."""
        assert isinstance(step.content, Value)
        raw = within.get(step.name) if step.kind == "attribute" else text_of(within, step.content.path)
        text = self._value(step, step.content, within, raw, seen)
        if text is None:
            return False
        if step.kind == "attribute":
            into.set(step.name, text)
        else:
            into.text = text
        return True

    def elements(
        self, step: Step, within: etree._Element, items: list[etree._Element], into: etree._Element, seen: Seen | None
    ) -> bool:
        if len(items) > 1 and not step.many:
            raise Malformed(step.content.path, ONCE)
        content = step.content
        if isinstance(content, Value) and content.leaf.transform is Transform.FIXED and not step.many:
            etree.SubElement(into, step.name).text = written(content.leaf.value)
            return True
        if isinstance(content, Value) and not items and not step.many and self.built.flags.get(content.path):
            etree.SubElement(into, step.name).text = self.built.flags[content.path]
            return True
        if step.required and not items:
            raise Malformed(step.content.path, REQUIRED)
        made = [one for item in items if (one := self.element(step, within, item, into, seen)) is not None]
        if step.ordered:
            made.sort(key=lambda one: one[0])
            into.extend([one for _, one in made])  # each moves to its place at the end
        return bool(made)

    def element(
        self, step: Step, within: etree._Element, item: etree._Element, into: etree._Element, seen: Seen | None
    ) -> tuple[str, etree._Element] | None:
        """(what orders it, the element); None when it may not leave."""
        if isinstance(step.content, Value):
            text = self._value(step, step.content, within, text_of(item, step.content.path), seen)
            if text is None:
                return None
            made = etree.SubElement(into, step.name)
            made.text = text
            return text, made
        if step.hidden is not None and self._hides(step.hidden, within):
            return None
        made = etree.SubElement(into, step.name)
        kept = len(self.built.shown)
        try:
            key = self.fill(step.content, item, made)
        except (Gone, Malformed) as left:
            if isinstance(left, Malformed):
                self._alone(step.content, kept, left)
            del self.built.shown[kept:]
            into.remove(made)
            return None
        if not step.required and _is_empty(made):
            into.remove(made)
            return None
        return key, made

    def _alone(self, plan: Element, kept: int, left: Malformed) -> None:
        """House rule 2: a person who is a record of their own goes alone. Raises `left` for any other element."""
        if plan.withheld != "item" or self.built.people:
            raise left
        self.built.malformed += [(seen, left.fault) for seen in self.built.shown[kept : kept + 1]]

    # -- one value -----------------------------------------------------------------------------------------

    def _value(
        self, step: Step, value: Value, within: etree._Element, raw: str | None, seen: Seen | None
    ) -> str | None:
        leaf = value.leaf
        if leaf.transform is Transform.FIXED:
            return written(leaf.value)
        if value.path in self.built.flags:
            return self.built.flags[value.path] or None
        if value.slot is not None and value.slot.form == "master":
            return self._id(value, seen)  # the roster may know the ECK iD where the source leaves it out
        text = value.read(raw) if raw is not None else None
        if text is None:
            if step.required:
                raise Malformed(value.path, REQUIRED)
            return None
        if step.hidden is not None and self._hides(step.hidden, within):
            return self._neutral(step.hidden, within)
        if value.slot is not None:
            return self._id(value, seen)
        if leaf.maps is not None:
            owner = seen.subject.id if seen is not None and seen.subject is not None else None
            return self.emission.mapped(leaf.maps, text, owner)
        return self._judged(value, text, seen)

    def _id(self, value: Value, seen: Seen | None) -> str | None:
        """Also one that leaves as the source has it is no national number (N1)."""
        text = _id(value, seen)
        if text is not None and self.guard.names(text):
            self._block(value, Reason.BSN_NOT_ALLOWED, seen)
            return None
        return text

    def _block(self, value: Value, reason: Reason, seen: Seen | None) -> None:
        """Told of who decides about the record; where nobody does, of whom this stood with."""
        self.built.blocked[value.path, reason] = None
        if seen is not None and seen.subject is not None and not self.built.people:
            self.emission.block((seen.subject,), ((value.path, reason),))

    def _judged(self, value: Value, text: str, seen: Seen | None) -> str | None:
        passed = self.guard.passed(value.leaf, text)
        if isinstance(passed, Reason):
            self._block(value, passed, seen)
            return None
        made = value.becomes(passed) if value.becomes is not None else passed
        return made or None

    def _hides(self, hidden: Hidden, within: etree._Element) -> bool:
        return any(self.source.says(self.record, within, path) for path in hidden.by)

    def _neutral(self, hidden: Hidden, within: etree._Element) -> str | None:
        kinds = self.source.texts(within, hidden.kind) if hidden.kind else iter(())
        return next((hidden.values[kind.strip()] for kind in kinds if kind.strip() in hidden.values), hidden.value)


def thinned(plan: Element, seen: Seen) -> Element | None:
    """Without what does not leave of this person; None when nothing can leave then."""
    within = f"{plan.path}."
    paths = frozenset(path for path in seen.withheld if path.startswith(within))
    if not paths:
        return plan
    return plan.thinner(paths) if plan.thinner is not None else None


def _is_empty(made: etree._Element) -> bool:
    return len(made) == 0 and not made.text and not made.attrib


def _id(value: Value, seen: Seen | None) -> str | None:
    """What stands in the slot of a person's id. Where the ECK iD leaves, it fills the own key that the format requires
    too (N3)."""
    assert value.slot is not None
    if seen is None or not seen.ids:
        return None
    eck = dict(seen.ids).get(ECK_ID)
    if value.slot.form == "master":
        return eck
    return next((one for kind, one in seen.ids if kind != ECK_ID), eck)
