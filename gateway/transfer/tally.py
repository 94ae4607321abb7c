"""What became of a file, as the school reads it: counts, reasons, names of fields; no id of anybody.

Counted part by part as the register was told. Leaves out: what may be shown to whom (`core.persons`), how it is written
down (`bootstrap.files`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from gateway.core.policy.grants import node_at
from gateway.core.policy.schema import Schema
from gateway.core.reasons import Reason
from gateway.core.release.drift import UNNAMED
from gateway.core.release.emission import Emission
from gateway.core.release.faults import Fault, Faults, add
from gateway.core.release.minimised import Minimised

_REFERENCES = 1_000  # persons who are listed by reference; of the others there is the register
_SHOWN = 5  # records in which a name from outside must stand before it is shown (house rule 8)
_SAMPLE = 64  # records of a part that are searched for fields nobody knows


Unknown = tuple[str, str]
"""Path of what the schema knows, and the whole path of what it does not know beneath it."""


def placed(schema: Schema, record: str, counts: Mapping[str, int]) -> Counter[Unknown]:
    """Unknown fields of a record, below what is known of it; of a set ("") each below its record."""
    return Counter({(_within(schema, record, path), path): times for path, times in counts.items()})


def _within(schema: Schema, record: str, path: str) -> str:
    if not record:
        first = path.partition(".")[0]
        return first if first in schema.records else ""
    above = path
    while above := above.rpartition(".")[0]:
        if node_at(schema.records[record].fields, above) is not None:
            return above
    return ""


def sampled(records: list[bytes]) -> list[bytes]:
    """Some, spread over a part, to search for fields nobody knows."""
    return records[:: len(records) // _SAMPLE + 1]


@dataclass(slots=True)
class Tally:
    """Of one file, or of several together. Persons are counted once per part. `twice`: records that were released
    and stood there already; `faults`: where records are malformed, and in how many."""

    handed_in: int = 0
    released: int = 0
    persons: int = 0
    unresolved: int = 0
    malformed: int = 0
    documents: int = 0
    withheld: Counter[Reason] = field(default_factory=Counter)
    fields: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    held: Counter[Reason] = field(default_factory=Counter)
    unknown: Counter[Unknown] = field(default_factory=Counter, repr=False)
    faults: Faults = field(default_factory=dict)
    references: dict[bytes, tuple[Reason, ...]] = field(default_factory=dict, repr=False)
    more: int = 0
    twice: int = 0

    def add(self, records: int, minimised: Minimised, emission: Emission) -> None:
        """One part that is registered, of so many records."""
        self.handed_in += records
        self.released += minimised.records
        self.malformed += minimised.malformed
        self.persons += len(emission.released)
        self.unresolved += emission.unresolved
        for subject, reasons in emission.withheld:
            self.withheld.update(reasons)
            self._refer(subject.reference, reasons)
        self.fields.update(said for _, fields in emission.partial for said in fields)
        self.documents += minimised.documents
        add(self.faults, emission.faults)
        self.held.update(reason for _, reason in emission.held)

    def join(self, other: Tally) -> None:
        """Another file of the same command."""
        for name in (*_NUMBERS, "twice"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("withheld", "fields", "held", "unknown"):
            getattr(self, name).update(getattr(other, name))
        add(self.faults, other.faults)
        for reference, reasons in other.references.items():
            self._refer(reference, reasons)

    def unclassified(self) -> Mapping[str, int]:
        """Names of fields that no schema knows; those that stood in few records together as `unnamed`, each below what
        the schema does know."""
        shown: Counter[str] = Counter()
        for (within, name), times in self.unknown.items():
            shown[name if times >= _SHOWN else f"{within}.{UNNAMED}" if within else UNNAMED] += times
        return dict(sorted(shown.items()))

    def _refer(self, reference: bytes, reasons: tuple[Reason, ...]) -> None:
        if reference in self.references or len(self.references) < _REFERENCES:
            known = self.references.get(reference, ())
            self.references[reference] = tuple(dict.fromkeys((*known, *reasons)))
        else:
            self.more += 1


class _Kept(msgspec.Struct, array_like=True):
    numbers: tuple[int, ...]
    withheld: list[tuple[Reason, int]]
    fields: list[tuple[str, Reason, int]]
    held: list[tuple[Reason, int]]
    unknown: list[tuple[Unknown, int]]
    references: list[tuple[bytes, tuple[Reason, ...]]]
    faults: list[tuple[str, str, int]] = []


_NUMBERS = ("handed_in", "released", "persons", "unresolved", "malformed", "documents", "more")


def kept(tally: Tally) -> bytes:
    """To be sealed and read again by a later run of the same command."""
    return msgspec.msgpack.encode(
        _Kept(
            tuple(getattr(tally, name) for name in _NUMBERS),
            list(tally.withheld.items()),
            [(path, reason, times) for (path, reason), times in tally.fields.items()],
            list(tally.held.items()),
            list(tally.unknown.items()),
            list(tally.references.items()),
            [(*fault, times) for fault, times in tally.faults.items()],
        )
    )


def recalled(content: bytes) -> Tally:
    """What was kept."""
    found = msgspec.msgpack.decode(content, type=_Kept)
    tally = Tally()
    for name, number in zip(_NUMBERS, found.numbers, strict=True):
        setattr(tally, name, number)
    tally.withheld.update(dict(found.withheld))
    tally.fields.update({(path, reason): times for path, reason, times in found.fields})
    tally.held.update(dict(found.held))
    tally.unknown.update(dict(found.unknown))
    tally.references.update(found.references)
    tally.faults.update({Fault(path, expected): times for path, expected, times in found.faults})
    return tally
