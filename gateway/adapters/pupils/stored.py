"""ports.Roster for who reads everybody once: a person is looked up when asked for, and few are remembered.

The memory of a million pupils is a gigabyte, and a worker needs it; a command that reads them all in a row does not.
Of everybody only who is in which group is kept, once it is asked, as internal ids and no more.
What is read may be newer than the snapshot it is used under; then the versions differ when the register commits, and
everybody is screened again (house rule 4).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping

from gateway.adapters.pupils.memory import MemoryRoster
from gateway.adapters.pupils.observed import decode_enrolments, decode_groups
from gateway.adapters.pupils.subjects import BSN, id_lookup, reference
from gateway.core.model import Person, Subject

_MOST = 500  # persons remembered

_WHO = "SELECT subject FROM subject_id WHERE lookup = ?"
_PERSON = "SELECT person, reference_key FROM subject WHERE id = ?"
_IDS = (
    "SELECT lookup, source, kind, value FROM subject_id WHERE subject = ? AND source IN ('', ?) "
    "ORDER BY changed, lookup"
)
_PRESENT = "SELECT enrolments, location, groups FROM roster WHERE subject = ? AND source = ?"
_GROUPS = (
    "SELECT subject, location, groups FROM roster WHERE source = ? AND (subject, location) > (?, ?) "
    "ORDER BY subject, location LIMIT 2000"
)
_ID = 16  # bytes of an internal id


class StoredRoster(MemoryRoster):
    """Finds whom MemoryRoster finds."""

    _grouped: Mapping[str, bytes | bytearray] | None = None

    def follow(self) -> None:
        """What was remembered may have changed."""
        self._grouped = None
        self._forget_all()

    def _forget_all(self) -> None:
        self._by_id.clear()
        self._by_kind.clear()
        self._by_group.clear()
        self._others.clear()

    def find(self, kind: str, value: str) -> Subject | None:
        known = super().find(kind, value)
        if known is not None:
            return known
        rows = self._database.look_up(_WHO, (id_lookup(self._keys, self._source, kind, value),))
        return self.by_id(rows[0][0]) if rows else None

    def by_id(self, internal: bytes) -> Subject | None:
        known = super().by_id(internal)
        if known is None:
            if len(self) >= _MOST:
                self._forget_all()
            self._look_up(internal)
        return super().by_id(internal)

    def members(self, group: str) -> Iterator[Subject]:
        if self._grouped is None:
            self._grouped = self._groups()
        ids = self._grouped.get(group, b"")
        found = (self.by_id(bytes(ids[at : at + _ID])) for at in range(0, len(ids), _ID))
        return (subject for subject in found if subject is not None)

    def _groups(self) -> Mapping[str, bytearray]:
        """Of each group the internal ids, one after another: a set of them would take ten times as much."""
        found: dict[str, bytearray] = defaultdict(bytearray)
        at: tuple[bytes, str] = (b"", "")
        while rows := self._database.look_up(_GROUPS, (self._source, *at)):
            for subject, location, text in rows:
                for group in decode_groups(self._groups_of.open(location, text)):
                    found[group] += subject
            at = rows[-1][:2]
        return found

    def _look_up(self, internal: bytes) -> None:
        rows = self._database.look_up(_PERSON, (internal,))
        if not rows or rows[0][1] is None:
            return
        person, sealed = rows[0]
        named, here = self._named(internal)
        present = self._database.look_up(_PRESENT, (internal, self._source))
        if not here and not present:
            return  # known here by a national id only: of another source
        enrolments = tuple(one for text, _, _ in present for one in decode_enrolments(text))
        groups = frozenset[str]().union(
            *(decode_groups(self._groups_of.open(place, text)) for _, place, text in present)
        )
        ids = {kind: value for kind, value in named if kind != BSN}
        numbers = frozenset(bytes.fromhex(value) for kind, value in named if kind == BSN)
        known = reference(self._keys, internal, sealed)
        self._keep(Subject(internal, Person(person), known, ids, enrolments, groups, numbers), named)

    def _named(self, internal: bytes) -> tuple[list[tuple[str, str]], bool]:
        """The ids as (kind, value), the newest last; and whether one is of this source."""
        found, here = [], False
        for lookup, source, kind, value in self._database.look_up(_IDS, (internal, self._source)):
            plain = lookup.hex() if kind == BSN else self._keys.open(value, lookup).decode()
            found.append((sys.intern(kind), plain))
            here = here or source == self._source
        return found, here
