"""What became of a file, as the school reads it: counts, reasons, names of fields; no id of anybody.

Counted part by part as the register was told. Leaves out: what may be shown to whom (`core.persons`), how it is written
down (`bootstrap.files`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.model import Subject
from gateway.core.reasons import Reason
from gateway.core.release.drift import UNNAMED
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Minimised

_REFERENCES = 1_000  # persons who are listed by reference; of the others there is the register
_SHOWN = 5  # records in which a name from outside must stand before it is shown (house rule 8)
_SAMPLE = 64  # records of a part that are searched for fields nobody knows


def sampled(records: list[bytes]) -> list[bytes]:
    """Some, spread over a part, to search for fields nobody knows."""
    return records[:: len(records) // _SAMPLE + 1]


@dataclass(slots=True)
class Tally:
    """Of one file, or of several together. Persons are counted once per part."""

    handed_in: int = 0
    released: int = 0
    persons: int = 0
    unresolved: int = 0
    malformed: int = 0
    documents: int = 0
    withheld: Counter[Reason] = field(default_factory=Counter)
    fields: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    held: Counter[Reason] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter, repr=False)
    references: dict[Subject, tuple[Reason, ...]] = field(default_factory=dict, repr=False)
    more: int = 0

    def add(self, records: int, minimised: Minimised, emission: Emission) -> None:
        """One part that is registered, of so many records."""
        self.handed_in += records
        self.released += minimised.records
        self.malformed += minimised.malformed
        self.persons += len(emission.released)
        self.unresolved += emission.unresolved
        for subject, reasons in emission.withheld:
            self.withheld.update(reasons)
            self._refer(subject, reasons)
        self.fields.update(said for _, fields in emission.partial for said in fields)
        self.documents += minimised.documents
        self.held.update(reason for _, reason in emission.held)

    def join(self, other: Tally) -> None:
        """Another file of the same command."""
        for name in ("handed_in", "released", "persons", "unresolved", "malformed", "documents", "more"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("withheld", "fields", "held", "unknown"):
            getattr(self, name).update(getattr(other, name))
        for subject, reasons in other.references.items():
            self._refer(subject, reasons)

    def unclassified(self) -> Mapping[str, int]:
        """Names of fields that no schema knows; those that stood in few records together as `unnamed`."""
        shown: Counter[str] = Counter()
        for name, times in self.unknown.items():
            shown[name if times >= _SHOWN else UNNAMED] += times
        return dict(sorted(shown.items()))

    def _refer(self, subject: Subject, reasons: tuple[Reason, ...]) -> None:
        if subject in self.references or len(self.references) < _REFERENCES:
            known = self.references.get(subject, ())
            self.references[subject] = tuple(dict.fromkeys((*known, *reasons)))
        else:
            self.more += 1
