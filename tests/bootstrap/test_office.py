"""bootstrap.office: whatever one source says, the supervisor goes on."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from gateway.adapters.roster import RosterSync
from gateway.bootstrap.office import open_office

pytestmark = pytest.mark.anyio


class Broken:
    """A sync that fails as nobody foresaw."""

    async def run_source(self, name: str, now: object) -> tuple[()]:
        raise OverflowError


async def test_source_that_fails_as_nobody_foresaw_is_asked_again(directory: Path, tmp_path: Path) -> None:
    async with open_office(directory, tmp_path) as office:
        office.sync = cast("RosterSync", Broken())

        assert 0 < await office.synchronise("lvs") < 60
