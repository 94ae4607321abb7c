"""What is recorded about persons, in a dictionary: ports.FactBook."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.core.facts import NOTHING_KNOWN, Facts, Kind


@dataclass(slots=True)
class SimulatedFacts:
    """ports.FactBook: what was recorded by internal id, everything declared but `undeclared`."""

    people: dict[bytes, Facts] = field(default_factory=dict)
    undeclared: set[tuple[Kind, str]] = field(default_factory=set)

    def about(self, internal: bytes) -> Facts:
        return self.people.get(internal, NOTHING_KNOWN)

    def declared(self, kind: Kind, location: str) -> bool:
        return (kind, location) not in self.undeclared
