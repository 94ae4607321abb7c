"""Reading the ids of a person in JSON: an ECK iD's leaf, an array of {value, type}, leaves of their own. Writing them
back in that form.

Pure shape: whom the ids stand for is `core.release.sight`'s business. Types the schema does not know name nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from types import GenericAlias
from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.policy.schema import KeyIds, TypedIds
from gateway.core.release.sight import ECK_ID

Ids = tuple[tuple[str, str], ...]
"""(kind of id, value)."""

ABSENT = Raw(b"")
TEXT = "#text"
"""The one field of an object that is no object in JSON: a text that is an id."""
_NOTHING = frozenset({b"", b"null"})


class IdReader:
    """The ids of one kind of reference. `strict` refuses what the schema does not know, and an id type too."""

    def __init__(
        self, master: str | None, typed: TypedIds | None, keys: KeyIds | None = None, *, strict: bool = False
    ) -> None:
        self.master = master
        self.typed = typed
        self.strict = strict
        self.fields = id_names(master, typed, keys)
        self._keys: Mapping[str, str] = keys.kinds if keys else {}
        self._kinds: Mapping[str, str] = typed.kinds if typed else {}
        self._reference = msgspec.json.Decoder(self._struct("Reference", self.fields, Raw, ABSENT))
        self._parts = tuple(attrgetter(f"a{number}") for number in range(len(self.fields)))
        self._one = msgspec.json.Decoder(str)
        entry = self._struct("Entry", (typed.value, typed.type) if typed else (), str)
        self._many = msgspec.json.Decoder(array_of(entry))

    def reference(self, raw: Raw) -> tuple[Ids, Ids]:
        """The ids in a whole reference; raises msgspec.DecodeError for another shape."""
        if bytes(raw) == b"":
            return (), ()
        if self.fields == (TEXT,):
            return self.parts(raw)
        found = self._reference.decode(raw)
        return self.parts(*[part(found) for part in self._parts])

    def parts(self, *parts: Raw) -> tuple[Ids, Ids]:
        """The ids in the fields by themselves: of the ECK iD's leaf, and the others."""
        master: Ids = ()
        typed: Ids = ()
        for field, part in zip(self.fields, parts, strict=True):
            if bytes(part) in _NOTHING:
                continue
            if field == self.master:
                value = self._one.decode(part)
                master = ((ECK_ID, value),) if value else ()
            elif field in self._keys:
                value = self._one.decode(part)
                typed += ((self._keys[field], value),) if value else ()
            else:
                typed = self._typed(part)
        return master, typed

    def _typed(self, part: Raw) -> Ids:
        found = [(one.a1, one.a0) for one in self._many.decode(part)]
        if self.strict and any(kind not in self._kinds for kind, _ in found):
            raise msgspec.ValidationError("an id type that the schema does not know")
        return tuple((self._kinds[kind], value) for kind, value in found if kind in self._kinds and value)

    def _struct(self, name: str, fields: tuple[str, ...], kind: Any, *default: Any) -> Any:
        attributes = {f"a{number}": field for number, field in enumerate(fields)}
        return msgspec.defstruct(
            name,
            [(attribute, kind, *default) for attribute in attributes],
            rename=attributes,
            forbid_unknown_fields=self.strict,
            gc=False,
        )


def id_names(master: str | None, typed: TypedIds | None, keys: KeyIds | None) -> tuple[str, ...]:
    """The fields that name a person: first the ECK iD's, then the others."""
    names = (master, typed.path if typed else None, *(keys.kinds if keys else ()))
    return tuple(name for name in names if name is not None)


def array_of(kind: Any) -> Any:
    """`list[kind]` for a type made while running."""
    return GenericAlias(list, (kind,))


def own_reference(typed: TypedIds, value: str) -> dict[str, Any]:
    """A reference to a person by the administration's own key."""
    return {typed.path: [{typed.value: value, typed.type: typed.own}]}
