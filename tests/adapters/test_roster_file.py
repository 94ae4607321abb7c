"""The roster of a source that is not called: what of a file is refused as a whole."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from gateway.adapters.facts.imports import FileWrong
from gateway.adapters.facts.row_forms import Door
from gateway.adapters.pupils.roster_file import read_roster
from gateway.core.policy.terms import Location

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PLACES = {name: Location(name, name, frozenset()) for name in ("noord", "zuid")}


def read(*rows: str) -> dict[str, int]:
    text = "\n".join(["pupil,location,begin,eck_id", *rows]) + "\n"
    seen = read_roster(io.BytesIO(text.encode()), "roster.csv", PLACES, Door(NOW, NOW.date(), {}))
    return {place: len(persons) for place, persons in seen.items()}


def test_pupil_of_two_locations_is_at_both() -> None:
    assert read("1,noord,2026-08-01,e-1", "1,zuid,2026-08-01,e-1", "2,zuid,2026-08-01,") == {"noord": 1, "zuid": 2}


@pytest.mark.parametrize("where", ["noord", "zuid"])
def test_eck_id_given_to_two_pupils_is_refused(where: str) -> None:
    """Joined, one pupil's records would leave as the other's."""
    with pytest.raises(FileWrong):
        read("1,noord,2026-08-01,e-1", f"2,{where},2026-08-01,e-1")
