"""The files of the school's policy while something runs: taken over when one of them is not what it was.

Leaves out: taking over (`acts`), when it is looked (`supervisor`, `exports`).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from gateway.adapters.database import DatabaseUnavailable
from gateway.bootstrap.acts import take_over_policy
from gateway.bootstrap.school import School


@dataclass(slots=True)
class PolicyFiles:
    """Looked at again and again: microseconds for each file, as long as none changes."""

    school: School
    _seen: object = field(default=None, init=False)

    def look(self) -> frozenset[tuple[str, str]]:
        """What changed since the last look."""
        seen = _signature(self.school.directory)
        if seen == self._seen:
            return frozenset()
        with contextlib.suppress(DatabaseUnavailable):  # looked at again at the next turn
            changed = take_over_policy(self.school)
            self._seen = seen
            return changed
        return frozenset()


def _signature(directory: Path) -> object:
    """Changes whenever a policy file does."""
    found = []
    for folder in ("schemas", "recipients"):
        for path in sorted((directory / folder).glob("*.yaml")):
            with contextlib.suppress(OSError):
                state = path.stat()
                found.append((str(path), state.st_mtime_ns, state.st_size, state.st_ino))
    return found
