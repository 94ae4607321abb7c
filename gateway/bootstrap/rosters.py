"""The roster sync of every source that is asked who is where, by what it speaks.

Leaves out: when it runs (`office`), a source that is not asked (`roster_files`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.adapters.lvs.upstream import HttpUpstream
from gateway.adapters.pupils.details import PupilSync
from gateway.adapters.pupils.dialects import DETAILS, ROSTERS, telling_births, telling_where
from gateway.adapters.pupils.roster import RosterSource, RosterSync
from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap.school import School, random, wire_limits
from gateway.settings import Settings, Source


def roster_syncs(school: School, upstream: HttpUpstream) -> Mapping[str, RosterSync]:
    """By source."""
    settings, limits = school.settings, wire_limits(school.settings)
    succeeding = frozenset(name for name, source in settings.sources.items() if source.succeeds)
    book = Subjects(school.database, school.store_keys, succeeding, settings.organisation.locations)
    dialects = {name: make(upstream, limits) for name, make in ROSTERS.items()}
    telling = [(one, telling_where(source.schemas)) for source, one in _called(settings)]
    return {one.name: RosterSync(dialects[schema], book, [one], random) for one, schema in telling if schema}


def tells_where(source: Source) -> bool:
    """Whether the gateway reads there who is where; of any other source a person brings it in."""
    return source.url is not None and telling_where(source.schemas) is not None


def pupil_sync(school: School, upstream: HttpUpstream) -> PupilSync:
    """Of the sources that tell more of their pupils."""
    limits = wire_limits(school.settings)
    telling = [(one, telling_births(source.schemas)) for source, one in _called(school.settings)]
    read = [(one, DETAILS[schema](upstream, limits)) for one, schema in telling if schema and one.name in school.births]
    return PupilSync(school.database, school.store_keys, read, school.new_id)


def _called(settings: Settings) -> Iterator[tuple[Source, RosterSource]]:
    locations = tuple(settings.organisation.locations.values())
    for name, one in settings.sources.items():
        if one.url is not None:
            yield one, RosterSource(name, locations, one.numbers)
