"""By which of the formats that a source speaks it tells who is where."""

from __future__ import annotations

import pytest

from gateway.adapters.pupils.dialects import telling_births, telling_where


@pytest.mark.parametrize(
    ("schemas", "where", "births"),
    [
        (["edu-v-students", "uwlr-2-2"], "edu-v-association", "edu-v-students"),
        (["somtoday"], "somtoday", "somtoday"),
        (["uwlr-2-2", "uwlr-2-2-leerresultaten", "edexml-2-1"], "uwlr-2-2", "uwlr-2-2"),
        (["oneroster", "oneroster-csv"], "oneroster", None),
        (["oso-2019"], None, None),
    ],
)
def test_source_tells_by_what_it_speaks(schemas: list[str], where: str | None, births: str | None) -> None:
    assert (telling_where(schemas), telling_births(schemas)) == (where, births)
