"""Where a JSON record names a person: reading the ids there, and writing what leaves in their slot.

The raw text of the ids is the key of the memory of who is meant; it is read strictly the first time and never
written. Leaves out: who that is and whether they may be seen (`core.release.sight`).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Raw

from gateway.core.model import Subject
from gateway.core.policy.schema import Record
from gateway.core.reasons import Reason
from gateway.core.release.projection import Branch, Many, Node, Slot
from gateway.core.release.sight import Memo, Seen, Sight
from gateway.formats.json.ids import TEXT, IdReader, Ids
from gateway.formats.json.shapes import Shape, names_only


class Place:
    """One subject position of one record."""

    def __init__(self, record: Record, branch: Branch) -> None:
        if branch.subject is None:
            raise ValueError("a place speaks of a person")
        self.record = record
        self.subject = branch.subject
        self.whole = names_only(branch)
        self.slots = {node.form: name for name, node in branch.fields.items() if isinstance(node, Slot)}
        self._read = IdReader(self.subject.master, self.subject.typed, self.subject.keys)

    def on(self, sight: Sight) -> tuple[Callable[[bytes], Seen | None], Callable[..., Seen]]:
        """Look up by key (the raw parts joined by a comma), and see for the first time, in this sight."""
        bound: tuple[Callable[[bytes], Seen | None], Callable[..., Seen]] | None = sight.bound.get(self)
        if bound is None:
            memo = Memo()

            def see(*parts: Raw) -> Seen:
                return memo.keep(b",".join(parts), self.see(sight, *parts))

            bound = sight.bound[self] = memo.get, see
        return bound

    def see(self, sight: Sight, *parts: Raw) -> Seen:
        """Raises msgspec.DecodeError for ids of another type than the format's."""
        master, typed = self._read.reference(*parts) if self.whole else self._read.parts(*parts)
        seen = sight.see(self.record, self.subject, (*master, *typed), self._held(master, typed))
        if not seen.reasons:
            self._write(seen, master, typed)
        return seen

    def who(self, sight: Sight, *parts: Raw) -> Subject | None:
        """Whom these ids stand for. Raises msgspec.DecodeError as `see` does."""
        master, typed = self._read.reference(*parts) if self.whole else self._read.parts(*parts)
        return sight.resolve((*master, *typed), self.subject.person)

    def _held(self, master: Ids, typed: Ids) -> Ids:
        keys = self.subject.keys
        own = keys.kinds[keys.own] if keys is not None and "own" in self.slots else None
        others = typed if "typed" in self.slots else tuple(one for one in typed if one[0] == own)
        return (*(master if "master" in self.slots else ()), *others)

    def _write(self, seen: Seen, master: Ids, typed: Ids) -> None:
        """The JSON of the slots, made once per person."""
        within = f"{self.subject.at}."
        if self.subject.withheld == "item" and any(path.startswith(within) for path in seen.withheld):
            # Within an item nothing is withheld singly: the item goes.
            seen.reasons = (Reason.NOT_AVAILABLE,)
            return
        if self.subject.keys is not None and "own" in self.slots:
            seen.own = Raw(msgspec.json.encode(seen.ids[-1][1])) if seen.ids else None
            seen.master = self._json_master(master) if self.subject.method == "held" else None
        elif self.subject.method == "held":
            seen.master, seen.typed = self._json_master(master), self._json_typed(typed)
        elif self.subject.method == "eck-id":
            if "master" in self.slots:
                seen.master = self._json_master(seen.ids)
            else:
                seen.typed = self._json_typed(seen.ids)
        elif self.subject.method == "hmac":
            seen.typed = self._json_own(seen.ids)
        if self.whole:
            seen.whole = self._json_whole(seen)

    def _json_master(self, ids: Ids) -> Raw | None:
        return Raw(msgspec.json.encode(ids[0][1])) if ids else None

    def _json_own(self, ids: Ids) -> Raw:
        assert self.subject.typed is not None
        shape = self.subject.typed
        return Raw(msgspec.json.encode([{shape.value: value, shape.type: shape.own} for _, value in ids]))

    def _json_typed(self, ids: Ids) -> Raw | None:
        if not ids or self.subject.typed is None:
            return None
        shape = self.subject.typed
        wire = {kind: name for name, kind in shape.kinds.items()}
        return Raw(msgspec.json.encode([{shape.value: value, shape.type: wire[kind]} for kind, value in ids]))

    def _json_whole(self, seen: Seen) -> Raw:
        if self.slots.get("own") == TEXT:
            return seen.own if isinstance(seen.own, Raw) else Raw(b"null")
        forms = {"master": seen.master, "typed": seen.typed, "own": seen.own}
        return Raw(
            msgspec.json.encode({name: forms[form] for form, name in self.slots.items() if forms[form] is not None})
        )


def lists_people(root: Branch) -> bool:
    """Whether a record is about the persons in its arrays, and about nobody else."""
    items = [node.item for node in root.fields.values() if isinstance(node, Many)]
    return any(isinstance(item, Branch) and item.subject is not None for item in items)


def may_be_missing(node: Node) -> bool:
    """A required reference to somebody who may be withheld singly, or a list that may not be empty: the enclosing item
    cannot leave without it."""
    if isinstance(node, Many):
        return node.filled and node.required
    if not isinstance(node, Branch) or not node.required:
        return False
    single = node.subject is not None and node.subject.withheld == "item"
    return single or any(may_be_missing(inner) for inner in node.fields.values())


def elsewhere(branch: Branch, shape: Shape, read: str) -> list[str]:
    """Expressions over a decoded object, each true when it, or what it cannot be without, names a location that is none
    of the delivery's (R68)."""
    found = [f"{read}.{shape.attributes[branch.place]} not in here"] if branch.place is not None else []
    for name, node in branch.fields.items():
        if isinstance(node, Branch) and node.required and name in shape.children and not shape.children[name].whole:
            found += elsewhere(node, shape.children[name], f"{read}.{shape.attributes[name]}")
    return found
