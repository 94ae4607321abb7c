"""The records of a list that go the straight way: whom each is about, which plan is theirs, what is told of it.

One lane per minimiser whose records can go so at all: about one person who is the record, or about nobody; no parts
that speak of others, of secrets or of flags. What is said of one record here is what the long way would say
(`minimiser`); whatever is not plainly so raises Unusual and goes that way. Leaves out: the text of a record
(`straight`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
from gateway.formats.xml.straight import Found, Kids, Named, Straight, Unusual, children, straight, tags_of

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


class Whose:
    """The person whom a record, or an item of a document, is about: by the ids that stand in itself. Remembered under
    one sight."""

    def __init__(self, place: Place, source: Source) -> None:
        self._place = place
        self._reads = [reading(name, source) for name in place.kinds]
        self._tags = tags_named(place.kinds, source)

    def see(self, record: etree._Element, emission: Emission) -> Seen:
        """Raises Unusual where the long way must say."""
        kids: Kids = {}
        if self._tags:
            kids, found = children(record, self._tags)
            if found is not None:
                raise Unusual
        memo: Memo | None = emission.sight.bound.get(self)
        if memo is None:
            memo = emission.sight.bound[self] = Memo()
        texts = tuple([read(record, kids) for read in self._reads])
        return memo.get(texts) or self._first(texts, memo, emission)

    def _first(self, texts: tuple[str | None, ...], memo: Memo, emission: Emission) -> Seen:
        place = self._place
        ids = place.said(zip(place.kinds.values(), texts, strict=True))
        seen = place.known(ids, emission)
        seen.master = dict(seen.ids).get(ECK_ID)
        seen.typed = next((one for kind, one in seen.ids if kind != ECK_ID), seen.master)
        if place.subject.method == "held" and any(may_hold(one) is not None for _, one in seen.ids):
            raise Unusual  # N1: perhaps a national number
        return seen if place.counts(ids) else memo.keep(texts, seen)


@dataclass(slots=True)
class _Bound:
    """What stays true under one sight."""

    reference: date
    ways: dict[frozenset[str], Way | None] = field(default_factory=dict)


class Lane:
    """Compiled with the minimiser. `place`: whom a record is about; `birth`: the path of that person's birth date."""

    def __init__(
        self, projection: Projection, source: Source, plans: Plans, place: Place | None, birth: str | None, opening: str
    ) -> None:
        order = projection.order
        names = [*(place.kinds if place else ()), *([birth] if birth else ()), *([order.path] if order else ())]
        self._tags = tags_named(names, source)
        self._projection = projection
        self._source = source
        self._plans = plans
        self._whose = Whose(place, source) if place else None
        self._birth = reading(birth, source) if birth else None
        self._order = reading(order.path, source) if order else None
        self._things = order.maps if order else None
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
        if self._whose is None:
            return self._written(record, None, bound, emission, circle)
        seen = self._whose.see(record, emission)
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
            agrees(seen.born, self._birth(record, kids), found)
        text = write(record, kids, found, seen, emission, lambda: self._guard(emission, seen, circle), _unasked)
        key = seen.key if self._order is None and seen is not None else self._key(record, kids, emission)
        return Row(key, text.encode(), self._source.documents(record) if self._counts else 0)

    def _way(self, bound: _Bound, paths: frozenset[str]) -> Way:
        return remembered(bound.ways, paths, lambda: self.way(paths, bound.reference))

    def _guard(self, emission: Emission, seen: Seen | None, circle: Callable[[], Circle]) -> Guard:
        about = (seen.subject,) if seen is not None and seen.subject is not None else ()
        return Guard(emission, about, circle, special=self._projection.special)

    def _key(self, record: etree._Element, kids: Kids, emission: Emission) -> str:
        if self._order is None:
            return ""
        return emission.sight.thing(self._things, (self._order(record, kids) or "").strip())


def lane(
    projection: Projection,
    source: Source,
    plans: Plans,
    places: Sequence[Place],
    tag: str,
) -> Lane | None:
    """None where every record goes the long way."""
    within = any(one.at for one in [*(place.subject for place in places), *subjects(projection.root)])
    refers = any(leaf.refers for _, leaf in leaves(projection.record.fields))
    if source.flags or within or refers:
        return None
    place = places[0] if places else None
    birth = place.birth if place else None
    names = [*(place.kinds if place else ()), birth or "", projection.order.path if projection.order else ""]
    if not is_simple(names):
        return None
    opening = etree.tostring(source.names.element(tag), encoding="unicode").removesuffix("/>")
    found = Lane(projection, source, plans, place, birth, opening)
    return found if found.way(_NOTHING, date(2000, 10, 1)) is not None else None


def remembered(ways: dict[frozenset[str], Way | None], paths: frozenset[str], made: Callable[[], Way | None]) -> Way:
    """The way without these paths, made once. Raises Unusual where there is none."""
    if paths not in ways:
        if len(ways) >= _WAYS:
            ways.clear()
        ways[paths] = made()
    way = ways[paths]
    if way is None:
        raise Unusual
    return way


def tags_named(names: Iterable[str], source: Source) -> frozenset[str]:
    return frozenset(source.names(name) for name in names if not name.startswith("@"))


def agrees(born: date, text: str | None, found: Found | None) -> None:
    """R109: a record that says another day goes the long way."""
    said = (text or "").strip()[:10]
    if (said and said != born.isoformat()) or found is not None:
        raise Unusual


def reading(name: str, source: Source) -> Read:
    attribute, tag = source.names.attribute(name), source.names(name)

    def said(record: etree._Element, _kids: Kids) -> str | None:
        return record.get(attribute)

    def child(_record: etree._Element, kids: Kids) -> str | None:
        found = kids.get(tag)
        return None if found is None else found.text

    return said if name.startswith("@") else child


def _unasked(_named: Named) -> None:
    """No id is asked for in a list."""


def is_simple(names: Iterable[str]) -> bool:
    """Whether all of these stand in the record itself."""
    return not any("." in name or "#" in name for name in names)


_NOTHING = frozenset[str]()
_WAYS = 256
