"""Where a JSON record names a person: reading the ids there, and writing what leaves in their slot.

The raw text of the ids is the key of the memory of who is meant; it is read strictly the first time and never
written. Leaves out: who that is and whether they may be seen (`core.emission`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.emission import ECK_ID, Memo, Seen, Sight
from gateway.core.model import Record
from gateway.core.projection import Branch, Slot
from gateway.core.reasons import Reason
from gateway.formats.json.shapes import ABSENT, id_fields, names_only

Ids = tuple[tuple[str, str], ...]
_NOTHING = {b"", b"null"}


class Place:
    """One subject position of one record."""

    def __init__(self, record: Record, branch: Branch) -> None:
        if branch.subject is None:
            raise ValueError("a place speaks of a person")
        self.record = record
        self.subject = branch.subject
        self.whole = names_only(branch)
        self.slots = {node.form: name for name, node in branch.fields.items() if isinstance(node, Slot)}
        self._fields = id_fields(branch)
        self._reference = msgspec.json.Decoder(_reference_type(self._fields))
        self._master = msgspec.json.Decoder(str | None)
        self._typed = msgspec.json.Decoder(self._typed_type())

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
        if self.whole:
            parts = self._parts(*parts)
        master, typed = self._ids(parts)
        seen = sight.see(self.record, self.subject, (*master, *typed), self._held(master, typed))
        if not seen.reasons:
            self._write(seen, master, typed)
        return seen

    def _parts(self, reference: Raw) -> tuple[Raw, ...]:
        if bytes(reference) == b"":
            return ()
        found = self._reference.decode(reference)
        return tuple(getattr(found, f"a{number}") for number in range(len(self._fields)))

    def _ids(self, parts: Sequence[Raw]) -> tuple[Ids, Ids]:
        """(kind, value) of the ECK iD's leaf and of the typed ids. Types the schema does not know name nobody."""
        master: Ids = ()
        typed: Ids = ()
        for field, part in zip(self._fields, parts, strict=False):
            if bytes(part) in _NOTHING:
                continue
            if field == self.subject.master:
                value = self._master.decode(part)
                master = ((ECK_ID, value),) if value else ()
            elif self.subject.typed is not None:
                kinds = self.subject.typed.kinds
                found = self._typed.decode(part)
                typed = tuple((kinds[one.type], one.value) for one in found if one.type in kinds and one.value)
        return master, typed

    def _held(self, master: Ids, typed: Ids) -> Ids:
        return (*(master if "master" in self.slots else ()), *(typed if "typed" in self.slots else ()))

    def _write(self, seen: Seen, master: Ids, typed: Ids) -> None:
        """The JSON of the slots, made once per person."""
        prefix = f"{self.subject.at}." if self.subject.at else ""
        if self.subject.withheld == "item" and any(path.startswith(prefix) for path in seen.withheld):
            # Within an item nothing is withheld singly: the item goes.
            seen.reasons = (Reason.NOT_AVAILABLE,)
            return
        if self.subject.method == "held":
            seen.master, seen.typed = self._json_master(master), self._json_typed(typed)
        elif self.subject.method == "eck-id":
            seen.master = self._json_master(seen.ids)
        elif self.subject.method == "hmac":
            seen.typed = self._json_own(seen.ids)
        if self.whole:
            seen.whole = self._json_whole(seen)

    def _json_master(self, ids: Ids) -> Raw | None:
        return Raw(msgspec.json.encode(ids[0][1])) if ids and "master" in self.slots else None

    def _json_own(self, ids: Ids) -> Raw:
        assert self.subject.typed is not None
        shape = self.subject.typed
        return Raw(msgspec.json.encode([{shape.value: value, shape.type: shape.own} for _, value in ids]))

    def _json_typed(self, ids: Ids) -> Raw | None:
        if not ids or self.subject.typed is None or "typed" not in self.slots:
            return None
        shape = self.subject.typed
        wire = {kind: name for name, kind in shape.kinds.items()}
        return Raw(msgspec.json.encode([{shape.value: value, shape.type: wire[kind]} for kind, value in ids]))

    def _json_whole(self, seen: Seen) -> Raw:
        forms = {"master": seen.master, "typed": seen.typed}
        return Raw(
            msgspec.json.encode({name: forms[form] for form, name in self.slots.items() if forms[form] is not None})
        )

    def _typed_type(self) -> Any:
        typed = self.subject.typed
        if typed is None:
            return None
        entry = msgspec.defstruct(
            "Entry", [("value", str), ("type", str)], rename={"value": typed.value, "type": typed.type}, gc=False
        )
        return list[entry]  # type: ignore[valid-type]


def _reference_type(fields: Sequence[str]) -> Any:
    attributes = {f"a{number}": name for number, name in enumerate(fields)}
    return msgspec.defstruct("Reference", [(name, Raw, ABSENT) for name in attributes], rename=attributes, gc=False)
