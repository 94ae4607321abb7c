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
