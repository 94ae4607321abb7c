"""The school as it was known at a past moment: what a decision then stood on, for `--at`.

Facts, declarations and activations as they were; the rosters and the keys as they are now, as neither keeps its past.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.adapters.facts.memory import PastFacts
from gateway.adapters.policy.compiler import compile_state
from gateway.adapters.policy.store import policy_at
from gateway.bootstrap.school import School
from gateway.transfer.compiled import Compiled


@dataclass(frozen=True, slots=True)
class Then:
    """What was known and in force at `moment`."""

    moment: datetime
    facts: PastFacts
    compiled: Compiled


def as_known_at(school: School, moment: datetime) -> Then:
    """`moment` is aware."""
    sources = {name: source.schemas for name, source in school.settings.sources.items()}
    compiled = compile_state(policy_at(school.database, moment), school.settings.organisation, sources)
    return Then(moment, PastFacts(school.database, school.store_keys, moment), compiled)
