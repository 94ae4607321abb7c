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
from operator import itemgetter
from typing import Any

from gateway.adapters.pupils.doubt import in_doubt
from gateway.adapters.pupils.ids import BSN, id_lookup, reference
from gateway.adapters.pupils.memory import MemoryRoster
from gateway.adapters.pupils.observed import decode_enrolments, decode_groups
from gateway.adapters.pupils.vanished import doubted
from gateway.core.model import Person, Subject

_MOST = 500  # persons remembered
_Row = tuple[Any, ...]

# All of one person in one statement: each takes longer to begin than to read.
_PERSON = (
    "SELECT 'person', id, person, reference_key, NULL, NULL FROM subject WHERE id = ?1 "
    "UNION ALL SELECT 'id', lookup, source, kind, value, changed FROM subject_id "
    "WHERE subject = ?1 AND source IN ('', ?2) "
    "UNION ALL SELECT 'presence', enrolments, location, groups, NULL, NULL FROM roster "
    "WHERE subject = ?1 AND source = ?2"
)
_WHO = _PERSON.replace("?1", "(SELECT subject FROM subject_id WHERE lookup = ?1)")
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
        self.doubted = doubted(self._database, self._source)
        with self._database.read() as connection:
            self._unsure = in_doubt(connection)

    def _forget_all(self) -> None:
        self._by_id.clear()
        self._by_kind.clear()
        self._by_group.clear()
        self._others.clear()

    def find(self, kind: str, value: str) -> Subject | None:
        known = super().find(kind, value)
        return known or self._look_up(_WHO, id_lookup(self._keys, self._source, kind, value))

    def by_id(self, internal: bytes) -> Subject | None:
        return super().by_id(internal) or self._look_up(_PERSON, internal)

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
            for subject, location, text in (row for row in rows if row[1] in self._locations):
                for group in decode_groups(self._groups_of.open(location, text)):
                    found[group] += subject
            at = rows[-1][:2]
        return found

    def _look_up(self, statement: str, asked: bytes) -> Subject | None:
        found: dict[str, list[_Row]] = {"person": [], "id": [], "presence": []}
        for what, *row in self._database.look_up(statement, (asked, self._source)):
            found[what].append(tuple(row))
        present = [row for row in found["presence"] if row[1] in self._locations]
        return self._read_person(found["person"][0], found["id"], present) if found["person"] else None

    def _read_person(self, about: _Row, stored: list[_Row], present: list[_Row]) -> Subject | None:
        internal, person, sealed, *_ = about
        here = any(source == self._source for _, source, *_ in stored)
        if sealed is None or self.unsure(internal) or not (here or present):
            return None  # forgotten; in doubt; or known here by a national id only: of another source
        named = [self._opened(row) for row in sorted(stored, key=itemgetter(4, 0))]  # the newest last
        enrolments = tuple(one for text, *_ in present for one in decode_enrolments(text))
        groups = frozenset[str]().union(
            *(decode_groups(self._groups_of.open(place, text)) for _, place, text, *_ in present)
        )
        ids = {kind: value for kind, value in named if kind != BSN}
        numbers = frozenset(bytes.fromhex(value) for kind, value in named if kind == BSN)
        known = reference(self._keys, internal, sealed)
        subject = Subject(internal, Person(person), known, ids, enrolments, groups, numbers)
        if len(self) >= _MOST:
            self._forget_all()
        self._keep(subject, named)
        return subject

    def _opened(self, row: _Row) -> tuple[str, str]:
        """An id as (kind, value)."""
        lookup, _, kind, value, _ = row
        return sys.intern(kind), lookup.hex() if kind == BSN else self._keys.open(value, lookup).decode()
