"""Where a grant's path leads in a schema's record: pure walks over the tree of nodes.

A path goes through arrays without a sign: "students.userIds.userId". Leaves out: whether the grant is allowed
(`rules_fields`), and what the value becomes (`transforms`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.core.model import Branch, Grant, Leaf, Many, Node, Record


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
