"""What every release.views.Shelves promises, with the register that writes to it; on the database and the simulator."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.database import Database
from gateway.adapters.register.writer import DatabaseRegister
from gateway.adapters.store_keys import StoreKeys
from gateway.adapters.views import StoredViews, forget
from gateway.core.model import Versions
from gateway.core.release.views import Remembered, Shelf, Shelves, View, Viewed
from gateway.transfer.ports import Register, VersionsChanged
from tests.simulators.database import fresh_database
from tests.simulators.drafts import a_draft
from tests.simulators.register import SimulatedRegister
from tests.simulators.views import SimulatedShelves

pytestmark = pytest.mark.anyio

SHELF = Shelf("lvs", "uitgever-noord", "toegang-leermiddel", "edu-v-students", "Student")
OTHER = SHELF._replace(recipient="uitgever-zuid")
KEYS = StoreKeys(bytes(32))
T1, T2, T3 = (f"2026-11-22T0{hour}:00:00.000Z" for hour in (1, 2, 3))


@dataclass
class World:
    register: Register
    shelves: Shelves
    begin: Callable[[], object] = field(default=lambda: None)
    number: int = 0

    async def write(
        self, key: str, content: bytes, moment: str, *, place: str = "noord", ended: str | None = None
    ) -> None:
        """As an answer would that holds this record."""
        self.begin()
        (found,) = self.shelves.match(SHELF, [key], [content])
        first = found.view.first if found.view else moment
        view = View(found.lookup, found.digest, place, first, moment, ended)
        self.number += 1
        viewed = Viewed(SHELF, view, Remembered(key, b"o" * 16, 1, b"remains of " + key.encode()))
        await self.register.append(a_draft(self.number, views=(viewed,)))
        self.begin()

    def known(self, key: str, content: bytes, shelf: Shelf = SHELF) -> View | None:
        return self.shelves.match(shelf, [key], [content])[0].view


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh_database(tmp_path)
    yield database
    database.close()


@pytest.fixture(params=["database", "simulator"])
def world(request: pytest.FixtureRequest, database: Database) -> Iterator[World]:
    if request.param == "simulator":
        register = SimulatedRegister()
        yield World(register, SimulatedShelves(register))
        return
    stored = DatabaseRegister(database, KEYS)
    yield World(stored, StoredViews(database, KEYS), database.versioned)
    stored.close()


async def test_view_is_found_with_the_same_content_only_as_the_same(world: World) -> None:
    await world.write("p1", b"a", T1)

    same, changed, new = world.shelves.match(SHELF, ["p1", "p1", "p2"], [b"a", b"b", b"a"])

    assert (same.stamp, changed.stamp, new.view) == ((T1, T1, "active"), None, None)
    assert changed.view == same.view
    assert world.shelves.match(SHELF, ["p1"], [b"a"]) == [same]  # also from memory


async def test_view_of_one_shelf_is_no_other_shelfs(world: World) -> None:
    await world.write("p1", b"a", T1)

    (here,), (there,) = (world.shelves.match(shelf, ["p1"], [b"a"]) for shelf in (SHELF, OTHER))

    assert (here.lookup != there.lookup, here.digest != there.digest, there.view) == (True, True, None)
    assert (world.shelves.count(OTHER, None), list(world.shelves.others(OTHER, None, {}))) == (0, [])


async def test_content_that_changed_back_is_compared_with_what_was_written_last(world: World) -> None:
    await world.write("p1", b"a", T1)
    assert world.shelves.match(SHELF, ["p1"], [b"a"])[0].stamp == (T1, T1, "active")
    await world.write("p1", b"b", T2)

    assert [one.stamp for one in world.shelves.match(SHELF, ["p1"], [b"a"])] == [None]
    assert [one.stamp for one in world.shelves.match(SHELF, ["p1"], [b"b"])] == [(T1, T2, "active")]


async def test_others_are_those_of_the_places_that_are_not_seen(world: World) -> None:
    for key, place in [("p1", "noord"), ("p2", "noord"), ("p3", "zuid")]:
        await world.write(key, b"a", T1, place=place)
    (first,) = world.shelves.match(SHELF, ["p1"], [b"a"])

    found = [about for _, about in world.shelves.others(SHELF, frozenset({"noord"}), {first.lookup})]

    assert found == [Remembered("p2", b"o" * 16, 1, b"remains of p2")]
    counts = [world.shelves.count(SHELF, places) for places in (None, frozenset({"noord"}), frozenset({"oost"}))]
    assert counts == [3, 2, 0]


async def test_views_of_a_draft_that_is_refused_are_not_written(world: World) -> None:
    (found,) = world.shelves.match(SHELF, ["p1"], [b"a"])
    view = View(found.lookup, found.digest, "noord", T1, T1)
    draft = a_draft(1, versions=Versions(9, 9, 9), views=(Viewed(SHELF, view, Remembered("p1", None, 1, b"")),))

    with pytest.raises(VersionsChanged):
        await world.register.append(draft)

    world.begin()
    assert world.known("p1", b"a") is None


# -- the database's own ------------------------------------------------------------------------------------------------


@pytest.fixture
def stored(database: Database) -> Iterator[World]:
    register = DatabaseRegister(database, KEYS)
    yield World(register, StoredViews(database, KEYS), database.versioned)
    register.close()


async def test_another_process_sees_what_this_one_wrote_and_the_first_moment_stands(
    stored: World, tmp_path: Path
) -> None:
    """Both saw the change; the later one's moment changes nothing."""
    beside = Database(tmp_path / "gateway.db")
    there = StoredViews(beside, KEYS)
    await stored.write("p1", b"a", T1)
    await stored.write("p1", b"b", T2)
    assert [one.stamp for one in there.match(SHELF, ["p1"], [b"b"])] == [(T1, T2, "active")]
    await stored.write("p1", b"b", T3)

    beside.versioned()
    assert [one.stamp for one in there.match(SHELF, ["p1"], [b"b"])] == [(T1, T2, "active")]
    await stored.write("p1", b"c", T3)
    beside.versioned()
    assert [one.stamp for one in there.match(SHELF, ["p1"], [b"b"])] == [None]
    beside.close()


async def test_table_shows_neither_id_nor_record(stored: World, tmp_path: Path) -> None:
    await stored.write("canary-key", b"canary-record", T1)

    with closing(sqlite3.connect(tmp_path / "gateway.db")) as connection:
        rows = repr(connection.execute("SELECT * FROM view").fetchall())

    assert "canary" not in rows
    assert "remains" not in rows


async def test_ends_are_forgotten_after_thirty_days_and_with_their_delivery(stored: World, database: Database) -> None:
    now = datetime(2026, 12, 22, 1, tzinfo=UTC)
    await stored.write("p1", b"a", T1)
    await stored.write("p2", b"a", T1, ended=T1)

    assert forget(database, now, _never) == 0
    assert forget(database, now + timedelta(seconds=1), _never) == 1
    database.versioned()
    assert [about.key for _, about in stored.shelves.others(SHELF, None, {})] == ["p1"]
    assert forget(database, now, lambda *delivery: delivery == SHELF[1:4]) == 1
    database.versioned()
    assert stored.shelves.count(SHELF, None) == 0


def _never(*_: str) -> bool:
    return False
