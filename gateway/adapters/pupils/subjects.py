"""Who is who: one random internal id per person, and the ids it is known by (design: who is this record about).

`learn` takes over what roster answers show: ids seen together are one person, the ECK iD is the same person in every
source, and whoever might be two is nobody until that is settled. A change moves the `facts` counter, and only a change
does. Leaves out: asking the LVS (`adapters.pupils.roster`), the roster in memory (`adapters.pupils.memory`), acts of
persons (`adapters.pupils.linking`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from gateway.adapters.database import Database, tables
from gateway.adapters.pupils import vanished
from gateway.adapters.pupils.doubt import in_doubt, sure
from gateway.adapters.pupils.ids import Sighting, sighting
from gateway.adapters.pupils.learning import Learning
from gateway.adapters.store_keys import StoreKeys
from gateway.transfer.ports import Observation
from gateway.transfer.trail import instant


class Subjects:
    """transfer.ports.RosterBook. `succeeds`: sources that follow another, in which a pupil without a known id waits for
    a person to link it; `locations`: those of gateway.yaml, as what is known of one that is there no more says nothing
    (None: of any). Blocks; for the supervisor."""

    def __init__(
        self,
        database: Database,
        keys: StoreKeys,
        succeeds: frozenset[str] = frozenset(),
        locations: Collection[str] | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._succeeds = succeeds
        self._locations = locations

    def learn(
        self,
        source: str,
        told: Mapping[str, Sequence[Observation]],
        moment: datetime,
        random: Callable[[int], bytes],
        *,
        believed: Collection[str] = (),
    ) -> Mapping[str, int | None]:
        """See the port: a transaction for each location, and whoever is not in what is told of one has left it, who
        went to another once they are there. Raises DatabaseUnavailable."""
        seen = {
            location: [sighting(self._keys, source, one) for one in observations if one.ids]
            for location, observations in told.items()
        }
        certain = sure(self._database, source, seen, moment, self._locations)
        awaited = _lookups(certain) if len(certain) > 1 else frozenset[bytes]()
        left_out, moving = dict[str, int | None](), dict[str, set[bytes]]()
        for location, sightings in certain.items():
            with self._database.write() as connection:
                unsure = set(in_doubt(connection))
                learning = Learning(connection, self._keys, source, location, moment, random, unsure)
                doubted = location not in believed and learning.lacks_most(seen)
                if doubted:
                    vanished.begin(connection, source, location, moment)
                else:
                    learning.learn(sightings, waits=source in self._succeeds)
                    moving[location] = learning.replace_roster(awaited)
                    learning.finish()
                    vanished.end(connection, source, location, moment)
                # it was read, also where it is in doubt: that nothing leaves of this location stops no other
                _synchronised(connection, source, location, moment)
            left_out[location] = None if doubted else len(seen[location]) - len(sightings)
        for location in filter(moving.get, moving):
            with self._database.write() as connection:
                learning = Learning(connection, self._keys, source, location, moment, random)
                learning.leave(moving[location])
                learning.finish()
        return left_out


def _lookups(told: Mapping[str, Sequence[Sighting]]) -> frozenset[bytes]:
    return frozenset(lookup for sightings in told.values() for one in sightings for lookup in one.lookups)


def synchronised_now(database: Database, source: str, location: str, moment: datetime) -> None:
    """This part of the source was read whole."""
    with database.write() as connection:
        _synchronised(connection, source, location, moment)


def _synchronised(connection: sa.Connection, source: str, location: str, moment: datetime) -> None:
    table = tables.roster_sync
    connection.execute(sa.delete(table).where(table.c.source == source, table.c.location == location))
    connection.execute(sa.insert(table).values(source=source, location=location, moment=instant(moment)))


def synchronised(database: Database) -> list[tuple[str, str, str]]:
    """(source, location, moment) of every location that was learned."""
    table = tables.roster_sync
    with database.read() as connection:
        rows = connection.execute(sa.select(table).order_by(table.c.source, table.c.location)).all()
    return [(row.source, row.location, row.moment) for row in rows]
