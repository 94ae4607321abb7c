"""What a source sends in XML and the schema does not know is told by name, never by value (R9, house rule 8)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.formats.xml import unknown_fields
from tests import builders_xml as xml
from tests.policy.shipped import schemas


def found(body: str, *, many: bool = False) -> dict[str, int]:
    return dict(unknown_fields(body.encode(), xml.pupil(), xml.SPACES, many=many))


def test_a_known_record_has_nothing_new() -> None:
    assert found(xml.text("<place><street>Dam</street><land name='NL'>1</land></place>")) == {}


def test_new_elements_and_attributes_are_told_by_their_path() -> None:
    body = xml.text("<shoe>38</shoe><place dry='1'><city>Urk</city></place><year x='1'>3</year><q:name xmlns:q='u'/>")
    assert found(body) == {"shoe": 1, "place.@dry": 1, "place.city": 1, "year.@x": 1, "name": 1}


def test_a_name_that_could_be_somebodys_is_not_shown() -> None:
    assert found(xml.text("<Zoë-de-Boer/><p123456782/>")) == {"unnamed": 1}


def test_a_list_counts_in_how_many_records_a_field_stands() -> None:
    body = "".join(xml.text("<shoe/><shoe/>" if number else "") for number in range(3))
    assert found(f'<pupils xmlns="{xml.SPACE}">{body}</pupils>', many=True) == {"shoe": 2}


@pytest.mark.parametrize("body", ["", "<pupil", "<!DOCTYPE p><p/>"])
def test_what_cannot_be_read_has_nothing(body: str) -> None:
    assert found(body) == found(body, many=True) == {}


@pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the official files")
@pytest.mark.parametrize("name", ["OV_POPO_full", "OV_POPO_opt_out", "PaO_POSWV_full", "PaO_POSWV_opt_out"])
def test_the_official_dossiers_hold_nothing_that_the_schema_does_not_know(name: str) -> None:
    schema = schemas()["oso-2019"]
    body = (Path(os.environ["STANDARDS_DIR"]) / "oso" / f"Voorbeelddossier_{name}.xml").read_bytes()
    assert unknown_fields(body, schema.records["dossier"], schema.namespaces, many=False) == {}
