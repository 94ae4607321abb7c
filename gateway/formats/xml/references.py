"""References within a document: what names something that did not leave does not leave either, or a standard's own keys
would not hold; and a group that nobody in the document is in does not. Leaves out: mapping the ids themselves
(`build`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping

from lxml import etree

from gateway.core.model import Person
from gateway.core.policy.grants import Group, groups, leaves, slots
from gateway.core.policy.schema import Record
from gateway.core.release.emission import Emission
from gateway.core.release.sight import Seen
from gateway.formats.xml.source import Source


class References:
    """Of one record: where an id stands, and where what it names bears that id."""

    def __init__(self, record: Record, source: Source) -> None:
        self._source = source
        self._known = [(path, leaf.refers) for path, leaf in leaves(record.fields) if leaf.refers is not None]
        self._people = frozenset[str]().union(*(slot.paths for slot in slots(record)))
        self._places = [f"{one.at}." if one.at else "" for one in record.subjects]
        self._of_people = any(target in self._people for _, target in self._known)

    def known(self, parts: Collection[str] | None = None, leaving: Collection[str] | None = None) -> Mapping[str, str]:
        """Path of a reference → of the id it names. A message without the part that is referred to (`parts`: those it
        has) names what another message holds. Where persons are described without the id by which they are referred
        to (`leaving`: what leaves), nobody can say who is missing."""
        return {
            path: to
            for path, to in self._known
            if (parts is None or to.split(".")[0] in parts)
            and (leaving is None or to in leaving or to not in self._people)
        }

    def gone(self, made: etree._Element, leaving: Collection[str], shown: Collection[Seen]) -> list[Seen]:
        """Who of these stands nowhere any more, as far as the ids that leave can tell."""
        telling = [path for path in self._people if path in leaving]
        if not self._of_people or any(_silent(at, telling, leaving) for at in self._places):
            return []
        here = {text for path in telling for text in self._source.texts(made, path)}
        return [one for one in shown if one.ids and here.isdisjoint(dict(one.ids).values())]

    def mend(self, made: etree._Element, known: Mapping[str, str]) -> None:
        """Take away what refers to nothing, and what is then empty above it."""
        for path, target in known.items():
            _keep(self._source, made, path, set(self._source.texts(made, target)))

    def keep(self, made: etree._Element, there: Mapping[str, Container[str]]) -> None:
        """Take away what refers to something else than it may, by the path of the reference."""
        for path, here in there.items():
            _keep(self._source, made, path, here)


def _silent(at: str, telling: Collection[str], leaving: Collection[str]) -> bool:
    """Whether something of these persons leaves, and not who they are."""
    return any(one.startswith(at) for one in leaving) and not any(one.startswith(at) for one in telling)


class Groups:
    """Of one record: what has a mapped id that its persons refer to, such as a class. One of which nobody is in this
    delivery is none of its business, not even its name (R7, R68); beside pupils a teacher does not make it theirs (R8).
    `leaving`: of a whole document."""

    def __init__(self, record: Record, source: Source, leaving: Collection[str]) -> None:
        self._record = record
        self._source = source
        self._known = groups(record)
        self._pupils = tuple(f"{one.at}." for one in record.subjects if one.person is Person.PUPIL)
        self._leaving = leaving
        self._told = [(path, one.path) for one in self._known for path in self._counting(one, leaving)]

    def mend(self, made: etree._Element, record: etree._Element, leaving: Collection[str], emission: Emission) -> None:
        """Take away groups that nobody who leaves refers to."""

        def named(path: str) -> Iterable[str]:
            return self._source.texts(made, path)

        for path, there in self.peopled(record, leaving, emission, named).items():
            _keep(self._source, made, path, there)

    def peopled(
        self,
        record: etree._Element,
        leaving: Collection[str],
        emission: Emission,
        named: Callable[[str], Iterable[str]],
    ) -> Mapping[str, Container[str]]:
        """Path of the id of a group → of those with somebody in them, by what refers to them (`named`). Where no
        reference leaves with them, the roster tells."""
        found: dict[str, Container[str]] = {}
        for group in self._known:
            chosen = self._counting(group, leaving)
            if group.path in leaving and chosen:
                found[group.path] = {text for path in chosen for text in named(path)}
            elif group.path in leaving:
                found[group.path] = self._peopled(record, group, group.path, emission)
        return found

    def apart(
        self, record: etree._Element, parts: Collection[str] | None, leaving: Collection[str], emission: Emission
    ) -> Mapping[str, Container[str]]:
        """Path of a teacher's reference to a group that another message holds → the groups with somebody in them, as
        the roster tells."""
        return {
            path: self._peopled(record, group, path, emission)
            for group in self._known
            if parts is not None and group.path.split(".")[0] not in parts
            for path in group.named_by
            if path in leaving and not path.startswith(self._pupils)
        }

    def _counting(self, group: Group, leaving: Collection[str]) -> list[str]:
        """The references that say who is in it: of pupils, where theirs leave."""
        chosen = [path for path in group.named_by if path in leaving]
        return [path for path in chosen if path.startswith(self._pupils)] or chosen

    def beside(self, leaving: Collection[str] | None = None) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Path of a reference → of the id of the group: of those that say who is in it, and of the others."""
        chosen = self._leaving if leaving is None else leaving
        counting = {path: one.path for one in self._known for path in self._counting(one, chosen)}
        named = {path: one.path for one in self._known for path in one.named_by if path in chosen}
        return counting, {path: to for path, to in named.items() if path not in counting}

    def said(self, names: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Which groups an item refers to by these ids (path, id): (path of the group's own, the id)."""
        return tuple((target, text) for path, target in self._told for one, text in names if one == path)

    def waits(self, target: str) -> bool:
        """Whether a group with its id at this path leaves only where somebody refers to it."""
        return any(target == one for _, one in self._told)

    def _peopled(self, record: etree._Element, group: Group, path: str, emission: Emission) -> set[str]:
        """`path`: where their ids stand."""
        keys = {key.strip() for key in self._source.texts(record, path)}
        here = [key for key in keys if emission.sight.peopled(self._record, key)]
        return {emission.sight.thing(group.kind, key) for key in here}


def _keep(source: Source, made: etree._Element, path: str, there: Container[str]) -> None:
    """Take away what bears another id at this path."""
    at, _, last = path.rpartition(".")
    for element in source.elements(made, at):
        if any(text not in there for text in source.texts(element, last)):
            _take(element, made)


def _take(element: etree._Element, root: etree._Element) -> None:
    above = element.getparent()
    if above is None or element is root:
        return
    above.remove(element)
    if len(above) == 0 and not above.attrib:
        _take(above, root)
