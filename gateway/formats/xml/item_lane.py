"""The items of a document that go the straight way: whose each is, which code writes it, which ids stand in it.

As the records of a list do (`lane`), with what a document asks beside that: an item is known by its id, and refers to
others by theirs. Whatever is not plainly so raises Unusual and the builder makes that item. Leaves
out: what an item may refer to, and its place in the document (`lists`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from gateway.core.release.emission import Emission
from gateway.core.release.sight import Seen
from gateway.core.release.text_guard import Guard
from gateway.formats.xml.build import thinned
from gateway.formats.xml.lane import Read, Way, Whose, agrees, is_simple, reading, remembered, tags_named
from gateway.formats.xml.plan import Element, Plan, Step
from gateway.formats.xml.source import Source
from gateway.formats.xml.straight import Named, Unusual, children, straight, tags_of

_NOTHING = frozenset[str]()


@dataclass(slots=True)
class Item:
    """One that leaves, and by what its list is sorted. `seen`: whose it is; `names`: the ids in it by which it is
    known, or refers to others; an empty `body`: nothing of it is left."""

    key: str
    body: bytes = field(repr=False)
    seen: Seen | None = None
    names: tuple[Named, ...] = ()


class ItemLane:
    """Of the items of one list, in one plan. `told`: paths of the ids that are asked for."""

    def __init__(self, step: Step, source: Source, told: frozenset[str]) -> None:
        assert isinstance(step.content, Element)
        self._plan = step.content
        self._names = source.names
        self._opening = f"<{source.names.prefixed(step.name)}"
        self._nothing = "" if step.required else f"{self._opening}/>"
        self._whose = Whose(self._plan.place, source) if self._plan.place is not None else None
        birth = self._plan.place.birth if self._plan.place is not None else None
        self._birth: Read | None = reading(birth, source) if birth is not None else None
        self._tags = tags_named([birth] if birth is not None else [], source)
        self._own = _own_id(self._plan)
        self._told = told | {self._own}
        self._ways: dict[frozenset[str], Way | None] = {}

    def item(self, element: etree._Element, emission: Emission, guard: Callable[[], Guard]) -> Item | Seen:
        """Or who stays behind. Raises Unusual and Malformed; then nothing was told of it."""
        seen = self._whose.see(element, emission) if self._whose is not None else None
        if seen is not None and seen.reasons:
            return seen
        withheld = _NOTHING if seen is None else seen.withheld
        write, wanted = self._ways.get(withheld) or self._way(withheld, seen)
        kids, found = children(element, wanted)
        if seen is not None and seen.born is not None and self._birth is not None:
            agrees(seen.born, self._birth(element, kids), found)
        names: list[Named] = []
        text = write(element, kids, found, seen, emission, guard, names.append)
        if text == self._nothing:
            raise Unusual  # it need not be there
        key = seen.key if seen is not None else next((one for path, one in names if path == self._own), "")
        return Item(key, text.encode(), seen, tuple(names))

    def _way(self, withheld: frozenset[str], seen: Seen | None) -> Way:
        thinner = self._plan if seen is None else thinned(self._plan, seen)
        return remembered(self._ways, withheld, lambda: self._made(thinner))

    def _made(self, plan: Element | None) -> Way | None:
        written = straight(plan, self._names, self._opening, self._told) if plan is not None else None
        return None if plan is None or written is None else (written, tags_of(plan) | self._tags)


def _own_id(plan: Element) -> str:
    """The path of the mapped id of an item that has one."""
    named = (one for one in plan.steps if one.kind == "attribute" and one.name == plan.mapped)
    return next((one.content.path for one in named), "")


def item_lanes(plan: Plan, source: Source, told: frozenset[str]) -> Mapping[str, ItemLane]:
    """Path of a list → how its items go the straight way, where they do."""
    parts = [one.content for one in plan.root.steps if isinstance(one.content, Element)]
    lists = [step for part in parts for step in part.steps if _is_list(step)]
    return {step.content.path: ItemLane(step, source, told) for step in lists}


def _is_list(step: Step) -> bool:
    """Of items that leave in the order of their ids, each of whom speaks of nobody but itself."""
    content = step.content
    if not isinstance(content, Element) or not step.ordered or step.hidden is not None:
        return False
    place = content.place
    return place is None or (content.withheld == "item" and is_simple(place.kinds))
