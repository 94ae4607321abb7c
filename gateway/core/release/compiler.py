"""Compiles a delivery's grants for one record to the tree of what may leave (`projection`); a request never does.

It settles which slot carries a person's id, what is mapped, what is fixed, and refuses grants of which no valid record
could come. Leaves out: whether a grant is lawful (`policy`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from gateway.core.model import Category, PseudonymMethod, Transform
from gateway.core.policy import schema
from gateway.core.policy.grants import leaf_at, nodes_along, slot_of
from gateway.core.policy.schema import KeyIds, LeafType, Record, SubjectPosition
from gateway.core.policy.terms import Grant
from gateway.core.release.projection import Branch, Leaf, Many, Method, Node, Order, Projection, Slot, Subject, leaves


class DeliveryRefused(Exception):
    """These grants cannot be compiled: nothing of this delivery may run. Names paths of policy files only."""


def compile_projection(
    record: Record,
    grants: Mapping[str, Grant],
    method: PseudonymMethod,
    *,
    special: bool = False,
    whole: bool = True,
    notices: bool = False,
) -> Projection:
    """Raises DeliveryRefused for a path that is no leaf, a second number, or a record that could not validate. `whole`
    False: records only to be counted, which are never written. `notices`: the recipient fetches them."""
    builder = _Builder(record, grants, method, whole)
    root = builder.branch(record.fields, "")
    builder.finish()
    return Projection(
        record=record,
        root=replace(root, required=True),
        order=_order(record),
        paths=tuple(path for path in builder.used),
        categories=tuple(sorted(builder.categories)),
        special=special,
        views=whole and (record.since or notices or any(one.transform is Transform.VIEW for one in grants.values())),
    )


def _order(record: Record) -> Order | None:
    if record.order is None:
        return None
    node: schema.Node = record.fields
    for name in record.order.split("."):
        if not isinstance(node, schema.Branch) or name not in node.fields:
            raise DeliveryRefused(f"{record.name}: order {record.order} is no field")
        node = node.fields[name]
    if not isinstance(node, schema.Leaf):
        raise DeliveryRefused(f"{record.name}: order {record.order} is no id")
    return Order(record.order, node.maps)


@dataclass(slots=True)
class _Builder:
    """Walks a record's tree once, keeps what is granted, and remembers which grants it used."""

    record: Record
    grants: Mapping[str, Grant]
    method: PseudonymMethod
    whole: bool = True
    used: dict[str, None] = field(default_factory=dict)
    categories: set[Category] = field(default_factory=set)

    def finish(self) -> None:
        """A grant that named nothing would be a silent hole in what the school agreed to: refuse."""
        unknown = [path for path in self.grants if path not in self.used]
        if unknown:
            raise self.refusal(unknown[0], "is no field that can be released")

    def refusal(self, path: str, why: str) -> DeliveryRefused:
        return DeliveryRefused(f"{self.record.name}: {path or 'the record'} {why}")

    def branch(self, branch: schema.Branch, at: str) -> Branch:
        prefix = f"{at}." if at else ""
        subject = self.subject(branch, at)
        fields: dict[str, Node] = {}
        for name, node in branch.fields.items():
            kept = self.slot(subject, name, node, prefix) or self.node(node, f"{prefix}{name}")
            if kept is not None:
                fields[name] = kept
        found = Branch(fields, branch.required and branch.choice is None, subject, self.place(at))
        return self.complete(branch, found, at) if self.whole and (found.released or not at) else found

    def complete(self, branch: schema.Branch, found: Branch, at: str) -> Branch:
        """Every required field of a released object leaves too, or the record could not validate; what the standard
        fills leaves filled."""
        prefix = f"{at}." if at else ""
        kept = {name for name, node in found.fields.items() if leaves(node)}
        chosen = {branch.fields[name].choice for name in kept} - {None}
        fields: dict[str, Node] = {}
        for name, node in branch.fields.items():
            filler = _filler(node, f"{prefix}{name}") if name not in kept and found.released else None
            if filler is not None:
                fields[name] = filler
            elif name in found.fields:
                fields[name] = found.fields[name]
            if name in kept or filler is not None or not node.required or node.choice in chosen:
                continue
            if found.released or self.grants:
                raise self.refusal(f"{prefix}{name}", "is required by the format and not granted")
        return replace(found, fields=fields)

    def node(self, node: schema.Node, path: str) -> Node | None:
        if isinstance(node, schema.Leaf):
            return self.leaf(node, path)
        if isinstance(node, schema.Branch):
            found = self.branch(node, path)
            return found if _matters(found) else None
        return self.many(node, path)

    def many(self, many: schema.Many, path: str) -> Many | None:
        grant = self.grants.get(path)
        if grant is not None and grant.transform is Transform.EMPTY:
            self.used[path] = None
            return Many(path, Leaf(path, "string", required=False), required=many.required, empty=True)
        item: Leaf | Branch | None
        if isinstance(many.item, schema.Leaf):
            if grant is not None and grant.transform is Transform.FIXED:
                raise self.refusal(path, "is an array of which only the values could be fixed: use `empty`")
            item = self.leaf(many.item, path)
        else:
            found = self.branch(many.item, path)
            item = found if _matters(found) else None
        return None if item is None else Many(path, item, many.required and many.choice is None, filled=many.filled)

    def leaf(self, leaf: schema.Leaf, path: str) -> Leaf | None:
        grant = self.grants.get(path)
        if grant is None:
            return None
        misfit = _misfit(leaf, grant)
        if misfit is not None:
            raise self.refusal(path, misfit)
        self.used[path] = None
        if grant.transform is Transform.FIXED:
            return Leaf(path, leaf.type, leaf.required, Transform.FIXED, value=grant.value)
        if leaf.view is not None:
            return Leaf(path, leaf.type, leaf.required, Transform.VIEW, leaf.format, view=leaf.view)
        self.use(path, leaf)
        if leaf.maps is not None:
            # House rule 7: an id of a thing leaves as the recipient's own, whatever the grant says.
            return Leaf(path, "string", leaf.required, maps=leaf.maps)
        return Leaf(
            path,
            leaf.type,
            leaf.required and leaf.choice is None,
            grant.transform,
            leaf.format,
            leaf.values,
            field_class=leaf.field_class,
            filler=leaf.filler,
            pattern=leaf.pattern,
        )

    def use(self, path: str, leaf: schema.Leaf) -> None:
        self.used[path] = None
        self.categories.add(leaf.category)

    def place(self, at: str) -> str | None:
        """The field of the object at this path that names a location."""
        within = f"{at}." if at else ""
        beneath = [one.removeprefix(within) for one in self.record.places if one.startswith(within)]
        return next((name for name in beneath if "." not in name), None)

    # -- who the object is about --------------------------------------------------------------------------

    def subject(self, branch: schema.Branch, at: str) -> Subject | None:
        position = next((one for one in self.record.subjects if one.at == at), None)
        if position is None:
            return None
        for name in (position.master, position.typed and position.typed.path, *(position.keys or _NO_KEYS).kinds):
            if name is not None and name not in branch.fields:
                raise self.refusal(f"{at}.{name}", "holds an id according to the schema, but is no field of it")
        method = self.granted(position, at)
        whole = position.withheld == "record" or not at or self.indispensable(at)
        goes: Literal["record", "item"] = "record" if whole else "item"
        found = position.master, position.typed, method, position.keys, position.others
        return Subject(at, position.person, goes, *found)

    def indispensable(self, at: str) -> bool:
        """A required object that stands in no array: without it the record goes too."""
        return all(isinstance(node, schema.Branch) and node.required for node in nodes_along(self.record.fields, at))

    def granted(self, position: SubjectPosition, at: str) -> Method | None:
        """Which slot the grants fill. Never two numbers of one person (N3)."""
        slot = slot_of(position)
        master, value, kind = (self.grants.get(path) if path else None for path in (slot.master, slot.value, slot.type))
        if master is None and value is None and kind is None:
            return None
        typed = f"{at}.{position.typed.path}".removeprefix(".") if position.typed else at
        if slot.type is not None and (value is None) != (kind is None):
            raise self.refusal(typed, "leaves with both its leaves or not at all")
        if self.method is PseudonymMethod.NONE:
            return "held"
        # one number in two slots is no second number: the format may require its own key beside the ECK iD (N3)
        same = self.method is PseudonymMethod.ECK_ID and position.keys is not None
        if master is None:
            if value is None or value.transform is not Transform.PSEUDONYM or same:
                raise self.refusal(typed, "leaves as a pseudonym only (N3)")
            return "eck-id" if self.method is PseudonymMethod.ECK_ID and slot.chain else "hmac"
        if value is not None and not same:
            raise self.refusal(master.path, "is a second number of the same person (N3)")
        if self.method is not PseudonymMethod.ECK_ID:
            raise self.refusal(master.path, "leaves only where the pseudonym is the ECK iD (N3)")
        return "eck-id"

    def slot(self, subject: Subject | None, name: str, node: schema.Node, prefix: str) -> Slot | None:
        """The id slot in place of the id fields; the real ids are never part of the tree."""
        if subject is None:
            return None
        typed, path = subject.typed, f"{prefix}{name}"
        if subject.keys is not None and name == subject.keys.own and path in self.grants:
            return self.filled(Slot(path, "own", node.required), (path,))
        if name == subject.master and path in self.grants:
            return self.filled(Slot(path, "master", node.required), (path,))
        if typed is not None and name == typed.path and f"{path}.{typed.value}" in self.grants:
            return self.filled(Slot(path, "typed", node.required), (f"{path}.{typed.value}", f"{path}.{typed.type}"))
        return None

    def filled(self, slot: Slot, paths: tuple[str, ...]) -> Slot:
        for path in paths:
            leaf = leaf_at(self.record.fields, path)
            if leaf is None:
                raise self.refusal(path, "is no field that can be released")
            self.use(path, leaf)
        return slot


_NO_KEYS = KeyIds({}, "")


def _filler(node: schema.Node, path: str) -> Leaf | None:
    if not isinstance(node, schema.Leaf) or (node.filler is None and node.link is None) or not node.required:
        return None
    if node.link is not None:
        return Leaf(path, node.type, required=True, transform=Transform.FIXED, link=node.link)
    return Leaf(path, node.type, required=True, transform=Transform.FIXED, value=node.filler, filler=node.filler)


def _misfit(leaf: schema.Leaf, grant: Grant) -> str | None:
    """Why this field cannot have this grant."""
    transform = grant.transform
    if leaf.link is not None:
        return "is made by the gateway where its object leaves: it cannot be granted"
    if transform is Transform.EMPTY:
        return "is no array: `empty` cannot be its transform"
    if transform is Transform.FIXED:
        return _misvalue(leaf, grant)
    if (leaf.view is None) is (transform is Transform.VIEW) or (leaf.view is not None and "." in grant.path):
        return "says of the record's life what only the gateway knows: `view` or `fixed`"
    if leaf.maps is not None:
        mapped = leaf.type == "string" and transform in (Transform.KEEP, Transform.PSEUDONYM)
        return None if mapped else "is an id that is mapped: it can have no transform but `pseudonym`"
    if transform is Transform.PSEUDONYM:
        return "is no id of a person: `pseudonym` cannot be its transform"
    if transform not in (Transform.KEEP, Transform.VIEW) and (leaf.type != "string" or leaf.values):
        return "is no free text: it can only be kept or fixed"
    return None


def _misvalue(leaf: schema.Leaf, grant: Grant) -> str | None:
    """A fixed value has the type of its field, and is one of the values the field can have."""
    value = grant.value
    if not isinstance(value, _TYPES[leaf.type]) or isinstance(value, bool) != (leaf.type == "boolean"):
        return "has a fixed value of another type"
    return "has a fixed value that the format does not know" if leaf.values and value not in leaf.values else None


_TYPES: Mapping[LeafType, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def _matters(branch: Branch) -> bool:
    """Also an object of which nothing leaves, when whom it speaks of, or its place, decides about the whole."""
    decides = branch.subject is not None and branch.subject.withheld == "record"
    return bool(branch.fields) or decides or (branch.place is not None and branch.required)
