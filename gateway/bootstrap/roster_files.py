"""The roster of a source that is not asked for it, brought in as a file by a person.

Of each location that the file names the file is the whole roster: whoever it does not name has left there, however
many, as a person says so. A file of EDEXML names one. Leaves out: reading the file (`adapters.pupils.roster_file`), a
source that is asked (`rosters`).
"""

from __future__ import annotations

from typing import BinaryIO

from gateway.adapters.pupils.roster_file import read_roster
from gateway.adapters.pupils.subjects import Subjects
from gateway.adapters.register.acts import note
from gateway.bootstrap.fact_acts import door
from gateway.bootstrap.pupils import source_of
from gateway.bootstrap.rosters import tells_where
from gateway.bootstrap.school import Refused, School, clock, random
from gateway.core.persons import Actor, Deed


def import_roster(
    school: School, actor: Actor, source: str | None, file: BinaryIO, name: str, reason: str
) -> dict[str, int]:
    """Location → how many pupils it has now. Raises Refused, and FileWrong with everything that is wrong."""
    act = school.act(actor, Deed.ROSTER_SYNC, reason)
    named = source_of(school, source)
    if tells_where(school.settings.sources[named]):
        raise Refused(["this source is asked for its roster: gateway roster sync"])
    seen = read_roster(file, name, school.settings.organisation.locations, door(school))
    if not seen:
        raise Refused(["the file names no pupil"])
    succeeding = frozenset(one.name for one in school.settings.sources.values() if one.succeeds)
    note(school.database, act, "roster imported", kind="change", about={"source": named, "locations": " ".join(seen)})
    book = Subjects(school.database, school.store_keys, succeeding, school.settings.organisation.locations)
    left_out = book.learn(named, seen, clock(), random, believed=seen)
    return {location: len(observations) - (left_out.get(location) or 0) for location, observations in seen.items()}
