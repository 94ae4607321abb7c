"""The demo school's directory with its key: made once per process, every test gets a copy."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import date
from functools import cache
from pathlib import Path

from gateway.bootstrap.school import create_key
from gateway.bootstrap.templates import SHARE, answered
from gateway.demo.directory import Ports, make_directory
from tests.simulators.database import empty_database

TODAY = date(2026, 11, 22)


def fresh_school(place: Path) -> Path:
    """The directory `school` in `place`, which need not be there; nobody works there, and no LVS is behind it."""
    shutil.copytree(_made(), place, dirs_exist_ok=True)
    return place / "school"


@cache
def _made() -> Path:
    place = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, place)
    directory = place / "school"
    make_directory(directory, SHARE, Ports(8080, 8081, 8082), "secret", TODAY, answered)
    create_key(directory)
    empty_database(directory)
    return place
