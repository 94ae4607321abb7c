"""Building a document of lists: its frame by the builder, its items straight where they are ordinary.

In the frame one element stands for each list, whose items are kept as text beside it. So what the builder decides of a
part (whether it must be there, whether anything is left of it) it decides here too, and an item that is in any way out
of the ordinary it makes alone. What refers to something that did not leave goes, as in a document that is built whole
(`references`). Leaves out: how such a document is cut (`items`), the straight way of an item (`item_lane`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from gateway.core.release.faults import REQUIRED
from gateway.core.release.sight import Seen
from gateway.core.release.text_guard import Guard
from gateway.core.release.texts import Malformed
from gateway.formats.xml.build import Builder, Built
from gateway.formats.xml.item_lane import Item, ItemLane, item_lanes
from gateway.formats.xml.items import Left, Section
from gateway.formats.xml.plan import Element, Plan, Step
from gateway.formats.xml.references import References
from gateway.formats.xml.source import Source
from gateway.formats.xml.straight import Unusual


@dataclass(frozen=True, slots=True)
class Lists:
    """Of one plan. `targets`: path of a list → that of the id by which others refer to its items; `lanes`: how those go
    the straight way; `told`: paths of the ids that are asked for."""

    targets: Mapping[str, str]
    lanes: Mapping[str, ItemLane]
    references: References
    told: frozenset[str]


def lists(plan: Plan | None, source: Source, references: References, sections: Iterable[Section]) -> Lists:
    """Of a document with these kinds of items."""
    targets = {f"{one.part}.{one.item}": one.target for one in sections if one.item}
    known = references.known()
    told = frozenset({*known, *known.values()})
    lanes = item_lanes(plan, source, told) if plan is not None else {}
    return Lists(targets, lanes, references, told)


class ListsBuilder(Builder):
    """For one document of lists, or one item of it. `there`: path of a reference → to what it may refer; `counting`: of
    those that say who is in a group → of the id of the group; `left`: what left of the document before."""

    def __init__(
        self,
        source: Source,
        emission: Emission,
        guard: Guard,
        built: Built,
        record: etree._Element,
        lists: Lists,
        there: Mapping[str, Container[str]],
        counting: Mapping[str, str],
        left: Left,
    ) -> None:
        super().__init__(source, emission, guard, built, record)
        self._lists = lists
        self._there = there
        self._counting = counting
        self._left = left
        self._ids: defaultdict[str, set[str]] = defaultdict(set)
        self._kept: dict[etree._Element, tuple[str, list[Item]]] = {}

    def elements(
        self, step: Step, within: etree._Element, items: list[etree._Element], into: etree._Element, seen: Seen | None
    ) -> bool:
        content = step.content
        if not isinstance(content, Element) or content.path not in self._lists.targets:
            return super().elements(step, within, items, into, seen)
        if step.required and not items:
            raise Malformed(content.path, REQUIRED)
        target, lane = self._lists.targets[content.path], self._lists.lanes.get(content.path)
        rows = [row for item in items if (row := self._item(step, within, item, lane)) is not None]
        if step.ordered:
            rows.sort(key=lambda one: one.key)
        if rows:
            self._kept[etree.SubElement(into, step.name)] = target, rows
        for path, text in (one for row in rows for one in row.names):
            self._ids[path].add(text)
        self._left.meet((to, text) for path, to in self._counting.items() for text in self._ids[path])
        if target:
            self._left.name(target, self._ids[target])
        return bool(rows)

    def keep(self, path: str, there: Container[str]) -> None:
        """Take away the items that have another id at this path."""
        for target, rows in self._kept.values():
            if target == path:
                rows[:] = [row for row in rows if all(text in there for one, text in row.names if one == path)]

    def named(self, path: str) -> set[str]:
        """Every id at this path, of those that are asked for."""
        return self._ids[path]

    def whole(self, made: etree._Element) -> bytes:
        """The document that was built into `made`."""
        begin, end = self.source.names.around(str(made.tag))
        inner = b"".join(map(self._part, list(made)))
        return begin + inner + end if inner else etree.tostring(made, encoding="UTF-8", xml_declaration=False)

    def only(self, made: etree._Element) -> Item:
        """The one item that was built into `made`."""
        rows = [row for _, rows in self._kept.values() for row in rows]
        return rows[0] if rows else Item("", b"" if self._kept else b"".join(map(self._part, list(made))))

    # -- one item --------------------------------------------------------------------------------------------

    def _item(self, step: Step, within: etree._Element, item: etree._Element, lane: ItemLane | None) -> Item | None:
        found = self._straight(lane, item) if lane is not None else None
        if isinstance(found, Seen):
            self.built.gone.append(found)
            return None
        if found is None or not self._refer(found):
            return self._by_itself(step, within, item)
        if found.seen is not None:
            self.built.shown.append(found.seen)
        return found

    def _straight(self, lane: ItemLane, item: etree._Element) -> Item | Seen | None:
        try:
            return lane.item(item, self.emission, self._guarding)
        except (Unusual, Malformed):
            return None  # the builder says what is the matter

    def _guarding(self) -> Guard:
        return self.guard

    def _refer(self, item: Item) -> bool:
        """Whether everything it refers to left."""
        there = self._there
        return all(text in there[path] for path, text in item.names if path in there)

    def _by_itself(self, step: Step, within: etree._Element, item: etree._Element) -> Item | None:
        holder = self.source.names.element(str(self.record.tag))
        part = etree.SubElement(holder, within.tag)
        before = len(self.built.shown)
        made = self.element(step, within, item, part, None)
        if made is None:
            return None
        self._lists.references.keep(holder, self._there)
        if not len(part):  # what it refers to is not there, and with it whoever the item is of
            self.emission.withhold(self.built.shown[before:], Reason.NOT_AVAILABLE)
            del self.built.shown[before:]
        names = tuple((path, text) for path in self._lists.told for text in self.source.texts(holder, path))
        key = made[0] or next((text for path, text in names if path in self._lists.targets.values()), "")
        return Item(key, _inner(_inner(_text(holder))) if len(part) else b"", names=names)

    # -- written ---------------------------------------------------------------------------------------------

    def _part(self, part: etree._Element) -> bytes:
        """A part of which all items were taken away is not there either."""
        lists = [self._kept[one][1] for one in part if one in self._kept]
        if not lists:
            alone = self.source.names.element(str(self.record.tag))
            alone.append(part)
            return _inner(_text(alone))
        tag = self.source.names.prefixed(str(part.tag)).encode()
        inner = b"".join([row.body for rows in lists for row in rows])
        return b"<%s>%s</%s>" % (tag, inner, tag) if inner else b""


def _text(element: etree._Element) -> bytes:
    made: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=False)
    return made


def _inner(text: bytes) -> bytes:
    """What stands in the outermost element of this text."""
    return text[text.index(b">") + 1 : text.rindex(b"<")]
