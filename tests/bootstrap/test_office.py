"""bootstrap.office: whatever one source says, the supervisor goes on."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa

from gateway.adapters.database import tables
from gateway.adapters.pupils.roster import RosterSync
from gateway.bootstrap.office import open_office
from gateway.bootstrap.school import open_school

pytestmark = pytest.mark.anyio


async def test_import_that_died_is_swept_at_the_start(directory: Path, tmp_path: Path) -> None:
    with open_school(directory) as school, school.database.write() as connection:
        connection.execute(sa.insert(tables.batch).values(size=0))

    async with open_office(directory, tmp_path) as office:
        with office.school.database.read() as connection:
            left = connection.execute(sa.select(tables.batch)).all()

    assert left == []


class Broken:
    """A sync that fails as nobody foresaw."""

    async def run_source(self, name: str, now: object) -> tuple[()]:
        raise OverflowError


async def test_source_that_fails_as_nobody_foresaw_is_asked_again(directory: Path, tmp_path: Path) -> None:
    async with open_office(directory, tmp_path) as office:
        office.sync = {"lvs": cast("RosterSync", Broken())}

        assert 0 < await office.synchronise("lvs") < 60


async def test_ends_that_were_told_are_forgotten_and_the_view_of_a_file_that_cannot_be_read_is_not(
    directory: Path, tmp_path: Path
) -> None:
    async with open_office(directory, tmp_path) as office:
        shelf = {"lookup": b"s", "source": "lvs", "recipient": "weg", "purpose": "p", "schema": "edu-v-students"}
        view = {"shelf": b"s", "place": "noord", "digest": b"d", "first": "2020", "changed": "2020", "payload": b""}
        with office.school.database.write() as connection:
            connection.execute(sa.insert(tables.shelf).values(**shelf, record="Student", revision=1))
            connection.execute(sa.insert(tables.view).values(**view, lookup=b"1", ended="2020-01-01T00:00:00.000Z"))
            connection.execute(sa.insert(tables.view).values(**view, lookup=b"2"))

        office.forget_views()

        with office.school.database.read() as connection:
            assert connection.execute(sa.select(tables.view.c.lookup)).scalars().all() == [b"2"]
