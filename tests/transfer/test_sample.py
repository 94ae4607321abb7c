"""A sample laid beside its schema: what neither knows of the other, for who writes the schema."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from gateway.adapters.policy.files import load_schema
from gateway.core.policy.schema import Schema
from gateway.transfer.sample import NoSample, Sample, samples_of
from tests.cli.test_new_format import files
from tests.official import needs_standards
from tests.policy.shipped import schema_text

PAGE = files()


def schema(name: str) -> Schema:
    """Of the page, or one that ships."""
    text = PAGE[f"{name}.yaml"] if f"{name}.yaml" in PAGE else schema_text(name)
    found = load_schema(text, f"{name}.yaml")
    assert isinstance(found, Schema), found
    return found


def laid(name: str, body: str | bytes, record: str | None = None) -> Sample:
    (found,) = samples_of(schema(name), record, body.encode() if isinstance(body, str) else body)
    return found


def faults(sample: Sample) -> list[str]:
    return sorted(f"{one} {times}" for one, times in sample.faults.items())


# -- JSON ----------------------------------------------------------------------------------------------------


def test_field_that_the_schema_does_not_have_is_named() -> None:
    assert laid("leesmeter", PAGE["voorbeeld.json"]).unknown == {"nieuw": 1}


def test_field_within_an_item_is_named_with_its_path() -> None:
    assert laid("leesmeter", '{"leerling": {"nummer": "1"}, "metingen": [{"soort": 1}]}').unknown == {
        "metingen.soort": 1
    }


def test_field_that_never_stood_in_the_sample_is_named() -> None:
    sample = laid("leesmeter", '[{"leerling": {"nummer": "1"}}]')

    assert sample.never == ["leerling.naam", "groep", "metingen.niveau", "metingen.dag", "metingen.hulp", "opmerking"]


def test_values_that_do_not_fit_are_counted_and_not_shown() -> None:
    sample = laid("leesmeter", '{"leerling": {"nummer": "1"}, "metingen": [{"niveau": "canary"}, {"niveau": 5}]}')

    assert faults(sample) == [
        "metingen.dag: expected required: true 2",
        "metingen.niveau: expected values: M3, E3, M4, E4, M5, E5, M6, E6, M7, E7 2",
    ]
    assert "canary" not in str(sample)


@pytest.mark.parametrize("name", ["items", "leerling-en"])
def test_records_in_an_envelope_are_found_in_it(name: str) -> None:
    sample = laid("leesmeter", f'{{"jaar": "2026", "{name}": [{{"leerling": {{"nummer": "1"}}}}]}}')

    assert (sample.records, sample.within, sample.fits) == (1, name, True)


def test_single_record_with_a_list_in_it_is_no_envelope() -> None:
    sample = laid("leesmeter", '{"leerling": {"nummer": "1"}, "metingen": [{"niveau": "E5", "dag": "2026-10-05"}]}')

    assert (sample.records, sample.within, sample.fits) == (1, "", True)


def test_lines_of_json_are_a_sample_too() -> None:
    assert laid("leesmeter", '{"leerling": {"nummer": "1"}}\n{"leerling": {"nummer": "2"}}\n').records == 2


def test_id_that_is_a_number_is_told() -> None:
    assert faults(laid("leesmeter", '{"leerling": {"nummer": 1}}')) == [
        "leerling.nummer: expected type: string, as every id 1"
    ]


def test_who_is_named_is_counted_by_kind_of_id() -> None:
    (pupil,) = laid("leesmeter", PAGE["voorbeeld.json"]).people

    assert (pupil.at, pupil.kind, pupil.ids, pupil.without) == ("leerling", "pupil", {"las-key": 3}, 0)


def test_who_has_no_id_is_counted() -> None:
    sample = laid("leesmeter", '[{"leerling": {"naam": "x"}}, {"leerling": {"nummer": ""}}]')

    assert ([one.without for one in sample.people], sample.fits) == ([2], False)


def test_typed_ids_are_counted_by_the_kinds_that_the_schema_knows() -> None:
    body = '{"userIds": [{"userId": "1", "userIdType": "ASI"}, {"userId": "2", "userIdType": "canary"}]}'
    (pupil,) = laid("edu-v-students", body, "Student").people

    assert pupil.ids == {"las-key": 1}


# -- XML -----------------------------------------------------------------------------------------------------


def test_names_of_another_namespace_are_told_with_it() -> None:
    own = "(namespace urn:example:eigen)"

    assert laid("uitleen", PAGE["uitleen.xml"]).unknown == {
        f"@versie {own}": 1,
        f"leden.lid.@kleur {own}": 1,
        f"uitleningen.uitlening.boete {own}": 1,
    }


def test_xml_value_that_does_not_fit_and_whoever_is_named_are_told() -> None:
    sample = laid("uitleen", PAGE["uitleen.xml"])

    assert faults(sample) == ["uitleningen.uitlening.avi: expected pattern: [ME][3-7] 1"]
    assert [(one.at, dict(one.ids)) for one in sample.people] == [
        ("leden.lid", {"las-key": 3, "bsn": 1}),
        ("uitleningen.uitlening", {"las-key": 4}),
        ("balie.medewerker", {"neppi": 1}),
    ]


def test_element_that_stands_twice_where_the_schema_has_one_is_told() -> None:
    body = PAGE["uitleen.xml"].replace("<naam>Noor Bakker</naam>", "<naam>Noor</naam><naam>Bakker</naam>")

    assert "leden.lid.naam: expected one, where it has no items 1" in faults(laid("uitleen", body))


def test_document_of_another_namespace_says_which_it_has_and_which_it_should() -> None:
    with pytest.raises(
        NoSample, match=r"begins with uitleen .namespace urn:ander.*says uitleen .namespace urn:example"
    ):
        laid("uitleen", PAGE["uitleen.xml"].replace("urn:example:uitleen", "urn:ander"))


@needs_standards
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("edexml-2-1", "edexml-2.1/EDEXML.Voorbeeld.2.1.xml"),
        ("oso-2019", "oso/Voorbeelddossier_PaO_POSWV_full.xml"),
    ],
)
def test_official_sample_fits_the_schema_that_ships(name: str, path: str) -> None:
    sample = laid(name, (Path(os.environ["STANDARDS_DIR"]) / path).read_bytes())

    assert (sample.unknown, sample.faults, sample.fits) == ({}, {}, True)


# -- CSV -----------------------------------------------------------------------------------------------------

USERS = b"sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName,eigen\r\n"


def test_columns_of_a_row_are_laid_beside_the_schema() -> None:
    sample = laid("oneroster-csv", USERS + b"u1,active,ooit,true,o1,student,a,A,B,canary\r\n", "users")

    assert sample.unknown == {"eigen": 1}
    assert [one for one in faults(sample) if "dateLastModified" in one]
    assert "canary" not in str(sample)


def test_set_of_files_is_laid_beside_the_schema_file_by_file() -> None:
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("users.csv", USERS + b"u1,active,ooit,true,o1,student,a,A,B,x\r\n")
        archive.writestr("orgs.csv", b"sourcedId\r\no1\r\n")

    found = samples_of(schema("oneroster-csv"), None, packed.getvalue())

    assert sorted(one.record for one in found) == ["orgs", "users"]


# -- what is no sample ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "record", "body"),
    [
        ("leesmeter", None, b"<a/>"),
        ("leesmeter", None, b""),
        ("leesmeter", None, b"[]"),
        ("leesmeter", "boek", b"{}"),
        ("somtoday", None, b"{}"),
        ("uitleen", None, b"{}"),
        ("uitleen", None, b'<!DOCTYPE a [<!ENTITY b "c">]><a/>'),
        ("oneroster-csv", None, b"no archive"),
        ("oneroster-csv", "users", b"a,b\r\n1\r\n"),
        ("leesmeter", None, b"[" * 100_000),
        ("leesmeter", None, b'[{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}]"),
    ],
)
def test_what_is_no_sample_says_so(name: str, record: str | None, body: bytes) -> None:
    with pytest.raises(NoSample):
        samples_of(schema(name), record, body)
