"""A request body that names one person at one school: `{school: …, student: …}` read strictly, and built anew.

What goes to the LVS is made from what was read, with the LVS's own id in place of the pseudonym; nothing the caller
wrote goes up unread (house rules 1 and 7). Leaves out: whom the ids stand for, and which school may be named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from gateway.core.model import Subject
from gateway.core.policy.schema import NamedSubject, TypedIds
from gateway.core.release.minimised import BROKEN
from gateway.core.release.sight import ECK_ID
from gateway.core.release.statements import BodyRefused
from gateway.formats.json.ids import IdReader, Ids, own_reference

_ENTRY = {"id": "organisationId", "type": "organisationIdType"}
_SCHOOL = {"master": "organisationMasterIdentifier", "ids": "organisationIds"}


class _OrganisationId(msgspec.Struct, forbid_unknown_fields=True, gc=False, rename=_ENTRY):
    id: str
    type: str


class School(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False, rename=_SCHOOL):
    """How Edu-V names a school."""

    master: str | None = None
    ids: list[_OrganisationId] = []

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(type, id)."""
        return tuple((one.type, one.id) for one in self.ids)


@dataclass(frozen=True, slots=True, repr=False)
class NamedRequest:
    """Whom and which school a body names. `ids`: (kind of id, value); `organisation_ids`: (type, id)."""

    organisation_master: str | None
    organisation_ids: tuple[tuple[str, str], ...]
    ids: Ids
    _school: School
    _named: NamedSubject

    def upstream_body(self, subject: Subject) -> bytes:
        """The same question in the LVS's own ids."""
        position = self._named.position
        named = own_ids(subject, position.master, position.typed)
        return msgspec.json.encode({self._named.organisation_key: self._school, self._named.key: named})


def naming(named: NamedSubject, organisation_ids: Iterable[tuple[str, str]]) -> NamedRequest:
    """The request about a person whom the school itself chose, at its organisations with these (type, id)."""
    school = School(ids=[_OrganisationId(value, kind) for kind, value in organisation_ids])
    return NamedRequest(None, school.pairs, (), school, named)


def own_ids(subject: Subject, master: str | None, typed: TypedIds | None) -> dict[str, Any]:
    """A reference by the administration's own key; by the ECK iD when the source has none. Empty when it has neither:
    an LVS then finds nobody."""
    own = subject.ids.get(typed.kinds[typed.own]) if typed else None
    if typed is not None and own is not None:
        return own_reference(typed, own)
    eck = subject.ids.get(ECK_ID)
    return {master: eck} if master is not None and eck is not None else {}


def read_named(body: bytes, named: NamedSubject) -> NamedRequest:
    """Raises BodyRefused."""
    position = named.position
    reader = _reader(named.key, named.organisation_key, position.master, _frozen(position.typed))
    try:
        school, ids = reader.read(body)
    except BROKEN:
        school, ids = None, ()
    if school is None:
        # Raised outside `except`: the cause would hold the body.
        raise BodyRefused("no JSON of the form that this path takes")
    if not ids:
        raise BodyRefused(f"{named.key} holds no id")
    return NamedRequest(school.master, school.pairs, ids, school, named)


_Frozen = tuple[str, str, str, tuple[tuple[str, str], ...], str]


class _Reader:
    """Compiled once per way of naming."""

    def __init__(self, key: str, organisation_key: str, ids: IdReader) -> None:
        self._ids = ids
        body: Any = msgspec.defstruct(
            "Body",
            [("person", Raw), ("school", School)],
            rename={"person": key, "school": organisation_key},
            forbid_unknown_fields=True,
        )
        self._body: msgspec.json.Decoder[Any] = msgspec.json.Decoder(body)

    def read(self, body: bytes) -> tuple[School, Ids]:
        found = self._body.decode(body)
        master, typed = self._ids.reference(found.person)
        return found.school, (*master, *typed)


@lru_cache(maxsize=64)
def _reader(key: str, organisation_key: str, master: str | None, typed: _Frozen | None) -> _Reader:
    return _Reader(key, organisation_key, IdReader(master, _thawed(typed), strict=True))


def _frozen(typed: TypedIds | None) -> _Frozen | None:
    if typed is None:
        return None
    return typed.path, typed.value, typed.type, tuple(typed.kinds.items()), typed.own


def _thawed(typed: _Frozen | None) -> TypedIds | None:
    if typed is None:
        return None
    path, value, kind, kinds, own = typed
    known: Mapping[str, str] = dict(kinds)
    return TypedIds(path, value, kind, known, own)
