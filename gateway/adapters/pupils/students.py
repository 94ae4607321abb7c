"""What the Edu-V Students API tells of pupils beside where they are: birth dates, and a BSN where the LVS sends it.

Edu-V knows no guardians, only e-mail addresses of parents, so guardians come by import. Leaves out what becomes of it
(`details`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.association import Reference, pupil_ids, read_list
from gateway.adapters.pupils.roster import Detail, Fetch, RosterSource
from gateway.core.policy.terms import Location

SCHEMA = "edu-v-students"


class _Student(Reference, frozen=True, rename="camel"):
    """Strict where it is read; `bsn` is an extension of some LVSs, `date_of_birth` may be absent."""

    date_of_birth: str | None = None
    bsn: str | None = None

    def __repr__(self) -> str:
        return "<Student …>"


class Students:
    """roster.Details of Edu-V's Students API."""

    def __init__(self, fetch: Fetch, limits: Limits) -> None:
        self._fetch = fetch
        self._limits = limits

    async def details(self, source: RosterSource, location: Location, _today: date) -> Sequence[Detail]:
        read = await read_list(self._fetch, source, location, "students", list[_Student], self._limits)
        return [Detail(pupil_ids(one), one.date_of_birth, one.bsn) for one in read]
