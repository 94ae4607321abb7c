"""The records of a list that go the straight way: whom each is about, which plan is theirs, what is told of it.

One lane per minimiser whose records can go so at all: about one person who is the record, or about nobody; no parts
that speak of others, of secrets or of flags. What is said of one record here is what the long way would say
(`minimiser`); whatever is not plainly so raises Unusual and goes that way. Leaves out: the text of a record
(`straight`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lxml import etree

from gateway.core.policy.grants import leaves
from gateway.core.release.circle import Circle
from gateway.core.release.emission import Emission
from gateway.core.release.national_number import may_hold
from gateway.core.release.projection import Projection, subjects
from gateway.core.release.sight import ECK_ID, Memo, Seen
from gateway.core.release.text_guard import Guard
from gateway.core.release.transforms import reference_day
from gateway.formats.xml.places import Place
from gateway.formats.xml.plan import Plan
from gateway.formats.xml.source import Source
from gateway.formats.xml.straight import Found, Kids, Straight, Unusual, children, straight, tags_of

Plans = Callable[[frozenset[str], date], Plan | None]
Read = Callable[[Any, Kids], str | None]


@dataclass(slots=True)
class Row:
    """A record that may leave, and by what a list is sorted (house rule 7). `documents`: how many were dropped;
    `names`: of an item, which groups it refers to (path of their id, the id)."""

    key: str
    body: bytes = field(repr=False)
    documents: int = 0
    names: tuple[tuple[str, str], ...] = ()


Way = tuple[Straight, frozenset[str]]
"""What writes a record, and the tags it looks at."""


@dataclass(slots=True)
class _Bound:
    """What stays true under one sight."""

    reference: date
    memo: Memo = field(default_factory=Memo, repr=False)
    ways: dict[frozenset[str], Way | None] = field(default_factory=dict)


class Lane:
    """Compiled with the minimiser. `place`: whom a record is about; `birth`: the path of that person's birth date."""

    def __init__(
        self, projection: Projection, source: Source, plans: Plans, place: Place | None, birth: str | None, opening: str
    ) -> None:
        names = [*(place.kinds if place else ()), *([birth] if birth else ())]
        order = projection.order
        self._reads: Mapping[str, Read] = {
            name: _read(name, source) for name in [*names, *([order.path] if order else ())]
        }
        self._tags = _elements(self._reads, source)
        self._id_tags = _elements(place.kinds if place else (), source)
        self._projection = projection
        self._source = source
        self._plans = plans
        self._place = place
        self._ids = [self._reads[name] for name in place.kinds] if place else []
        self._birth = self._reads[birth] if birth else None
        self._order = order
        self._opening = opening
        self._counts = source.counts_documents

    def way(self, paths: frozenset[str], reference: date) -> Way | None:
        """What is written without these paths; None when such a record goes the long way."""
        plan = self._plans(paths, reference)
        found = None if plan is None else straight(plan.root, self._source.names, self._opening)
        return None if plan is None or found is None else (found, tags_of(plan.root) | self._tags)

    def row(self, record: etree._Element, emission: Emission, circle: Callable[[], Circle]) -> Row | None:
        """None for a record whose person is withheld. Raises Unusual before anything is told of it."""
        bound: _Bound | None = emission.sight.bound.get(self)
        if bound is None:
            bound = emission.sight.bound[self] = _Bound(reference_day(emission.sight.today))
        if self._place is None:
            return self._written(record, None, bound, emission, circle)
        seen = self._see(record, bound, emission)
        if seen.reasons:
            emission.withhold((seen,))
            return None
        row = self._written(record, seen, bound, emission, circle)
        emission.release((seen,))
        return row

    def _written(
        self,
        record: etree._Element,
        seen: Seen | None,
        bound: _Bound,
        emission: Emission,
        circle: Callable[[], Circle],
    ) -> Row:
        withheld = _NOTHING if seen is None else seen.withheld
        write, wanted = bound.ways.get(withheld) or self._way(bound, withheld)
        kids, found = children(record, wanted)
        if seen is not None and seen.born is not None and self._birth is not None:
            _agrees(seen.born, self._birth(record, kids), found)
        text = write(record, kids, found, seen, emission, lambda: self._guard(emission, seen, circle))
        key = seen.key if self._order is None and seen is not None else self._key(record, kids, emission)
        return Row(key, text.encode(), self._source.documents(record) if self._counts else 0)

    def _way(self, bound: _Bound, paths: frozenset[str]) -> Way:
        if paths not in bound.ways:
            if len(bound.ways) >= _WAYS:
                bound.ways.clear()
            bound.ways[paths] = self.way(paths, bound.reference)
        way = bound.ways[paths]
        if way is None:
            raise Unusual
        return way

    def _see(self, record: etree._Element, bound: _Bound, emission: Emission) -> Seen:
        place = self._place
        assert place is not None
        kids: Kids = {}
        if self._id_tags:
            kids, found = children(record, self._id_tags)
            if found is not None:
                raise Unusual
        texts = tuple([read(record, kids) for read in self._ids])
        seen = bound.memo.get(texts)
        if seen is None:
            ids = place.said(zip(place.kinds.values(), texts, strict=True))
            seen = place.known(ids, emission)
            seen.master = dict(seen.ids).get(ECK_ID)
            seen.typed = next((one for kind, one in seen.ids if kind != ECK_ID), seen.master)
            if place.subject.method == "held" and any(may_hold(one) is not None for _, one in seen.ids):
                raise Unusual  # N1: perhaps a national number
            if not place.counts(ids):
                bound.memo.keep(texts, seen)
        return seen

    def _guard(self, emission: Emission, seen: Seen | None, circle: Callable[[], Circle]) -> Guard:
        about = (seen.subject,) if seen is not None and seen.subject is not None else ()
        return Guard(emission, about, circle, special=self._projection.special)

    def _key(self, record: etree._Element, kids: Kids, emission: Emission) -> str:
        order = self._order
        if order is None:
            return ""
        text = self._reads[order.path](record, kids)
        return emission.sight.thing(order.maps, (text or "").strip())


def lane(
    projection: Projection,
    source: Source,
    plans: Plans,
    places: Sequence[Place],
    births: Mapping[str, str | None],
    tag: str,
) -> Lane | None:
    """None where every record goes the long way."""
    within = any(one.at for one in [*(place.subject for place in places), *subjects(projection.root)])
    refers = any(leaf.refers for _, leaf in leaves(projection.record.fields))
    if source.flags or within or refers:
        return None
    place = places[0] if places else None
    birth = births[place.subject.at] if place else None
    names = [*(place.kinds if place else ()), birth or "", projection.order.path if projection.order else ""]
    if any("." in name or "#" in name for name in names):
        return None
    opening = etree.tostring(source.names.element(tag), encoding="unicode").removesuffix("/>")
    found = Lane(projection, source, plans, place, birth, opening)
    return found if found.way(_NOTHING, date(2000, 10, 1)) is not None else None


def _elements(names: Iterable[str], source: Source) -> frozenset[str]:
    return frozenset(source.names(name) for name in names if not name.startswith("@"))


def _agrees(born: date, text: str | None, found: Found | None) -> None:
    """R109: a record that says another day goes the long way."""
    said = (text or "").strip()[:10]
    if (said and said != born.isoformat()) or found is not None:
        raise Unusual


def _read(name: str, source: Source) -> Read:
    attribute, tag = source.names.attribute(name), source.names(name)

    def said(record: etree._Element, _kids: Kids) -> str | None:
        return record.get(attribute)

    def child(_record: etree._Element, kids: Kids) -> str | None:
        found = kids.get(tag)
        return None if found is None else found.text

    return said if name.startswith("@") else child


_NOTHING = frozenset[str]()
_WAYS = 256
