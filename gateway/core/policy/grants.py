"""Where a grant's path leads in a schema's record: pure walks over the tree of nodes.

A path goes through arrays without a sign: "students.userIds.userId". Leaves out: whether the grant is allowed
(`rules_fields`), and what the value becomes (`transforms`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.core.model import FieldClass, Person
from gateway.core.policy.schema import Branch, Leaf, Many, Node, Record, SubjectPosition
from gateway.core.policy.terms import Grant


def node_at(root: Branch, path: str) -> Node | None:
    """The node that a path names; an array stays an array, so that `empty` can be told from a field."""
    node: Node = root
    for step in path.split("."):
        inside = node.item if isinstance(node, Many) else node
        if not isinstance(inside, Branch) or step not in inside.fields:
            return None
        node = inside.fields[step]
    return node


def leaf_at(root: Branch, path: str) -> Leaf | None:
    """The scalar that a path names, also when it is the item of an array; None for objects and unknown paths."""
    node = node_at(root, path)
    inside = node.item if isinstance(node, Many) else node
    return inside if isinstance(inside, Leaf) else None


def granted_leaves(record: Record, grants: Mapping[str, Grant]) -> Iterator[tuple[str, Leaf, Grant]]:
    """Every granted path that names a scalar of this record."""
    for path, grant in grants.items():
        leaf = leaf_at(record.fields, path)
        if leaf is not None:
            yield path, leaf, grant


def nodes_along(root: Branch, path: str) -> Iterator[Node]:
    """The nodes from the record down to what the path names, the parents without their children."""
    node: Node = root
    for step in path.split("."):
        inside = node.item if isinstance(node, Many) else node
        if not isinstance(inside, Branch) or step not in inside.fields:
            return
        node = inside.fields[step]
        yield node


def leaves(root: Branch, prefix: str = "") -> Iterator[tuple[str, Leaf]]:
    """Every scalar of a record with its path, in the schema's order."""
    for name, node in root.fields.items():
        path = f"{prefix}{name}"
        inside = node.item if isinstance(node, Many) else node
        if isinstance(inside, Leaf):
            yield path, inside
        else:
            yield from leaves(inside, f"{path}.")


ECK_ID = "eck-id"
"""The kind of id that the chain of learning material and tests has in common."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a person's ids stand in a record, as paths from its root; None where the format has no such leaf. `chain`:
    the ECK iD has no leaf of its own and stands among the others, by its type."""

    person: Person
    master: str | None
    value: str | None
    type: str | None
    chain: bool = False

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(path for path in (self.master, self.value, self.type) if path)


def slots(record: Record) -> tuple[Slot, ...]:
    """The id slots of every subject position."""
    return tuple(slot_of(position) for position in record.subjects)


def slot_of(position: SubjectPosition) -> Slot:
    at = f"{position.at}." if position.at else ""
    typed, keys = position.typed, position.keys
    master = f"{at}{position.master}" if position.master else None
    if keys is not None:
        return Slot(position.person, master, f"{at}{keys.own}" if keys.own else None, None)
    if typed is None:
        return Slot(position.person, master, None, None)
    ids = f"{at}{typed.path}."
    return Slot(position.person, master, f"{ids}{typed.value}", f"{ids}{typed.type}", in_chain(position))


def in_chain(position: SubjectPosition) -> bool:
    """Whether the ECK iD stands among the typed ids of this position."""
    typed = position.typed
    return position.master is None and typed is not None and ECK_ID in typed.kinds.values()


@dataclass(frozen=True, slots=True)
class Group:
    """A group of persons in a record: the path of its id, the `kind` of thing it is, and in XML the paths by which
    persons in the same document refer to it."""

    path: str
    kind: str
    named_by: tuple[str, ...] = ()


def groups(record: Record) -> tuple[Group, ...]:
    """The record itself, where it says so (`members`) or only lists persons; else what the persons in it refer to."""
    listing = bool(record.subjects) and all(one.withheld == "item" for one in record.subjects)
    path = record.members or (record.order if listing else None)
    own = leaf_at(record.fields, path) if path else None
    if path and own is not None and own.maps:
        return (Group(path, own.maps),)
    known = dict(leaves(record.fields)) if listing else {}
    within = tuple(f"{one.at}." for one in record.subjects)
    referring = [(leaf.refers, path) for path, leaf in known.items() if leaf.refers and path.startswith(within)]
    found = {target: known[target].maps or "" for target, _ in referring if target in known}
    return tuple(
        Group(target, kind, tuple(path for named, path in referring if named == target))
        for target, kind in found.items()
        if kind
    )


def kinds_given(record: Record, granted: Container[str]) -> Iterator[str]:
    """The kinds of id of a pupil that leave as they are: by no other is a recipient told of anybody."""
    for one in (position for position in record.subjects if position.person is Person.PUPIL):
        at = f"{one.at}." if one.at else ""
        if one.typed is not None and f"{at}{one.typed.path}.{one.typed.value}" in granted:
            yield from one.typed.kinds.values()
        for leaf, kind in one.keys.kinds.items() if one.keys is not None else ():
            if f"{at}{leaf}" in granted:
                yield kind
        if f"{at}{one.master}" in granted:
            yield ECK_ID


def persons_told(records: Iterable[Record], grants: Mapping[str, Mapping[str, Grant]]) -> frozenset[Person]:
    """The kinds of person of whom something of these records is granted."""
    return frozenset(
        kind
        for record in records
        for one in record.subjects
        if any(not one.at or f"{path}.".startswith(f"{one.at}.") for path in grants.get(record.name, ()))
        for kind in (one.person, *one.others)
    )


def beside_person(record: Record, at: str) -> frozenset[str]:
    """Paths in the object that speaks of a person which tell more of the person than that they are there: not of
    somebody of another kind who may stand there too (`SubjectPosition.others`)."""
    ids = frozenset[str]().union(*(slot.paths for slot in slots(record)))
    prefix = f"{at}." if at else ""
    return frozenset(
        path
        for path, leaf in leaves(record.fields)
        if path.startswith(prefix) and path not in ids and leaf.field_class is not FieldClass.ORDINARY
    )
