"""The shipped schemas of DUO and of the Eindtoetsketen hold every field of the official descriptions, as required."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree

from gateway.adapters.policy.files import load_schema
from gateway.core.policy.schema import Branch, Many, Node
from tests.official import needs_standards
from tests.policy.shipped import changed, schema_text, schemas, told

XS = "{http://www.w3.org/2001/XMLSchema}"
BASIS = "DUO_VOBasisschema_Inschrijving_V1.xsd"
MAIN = "DUO_VOAanlevering_InschrijvingVO_V1.xsd"
Place = tuple[str, bool, bool]
"""Path, required, several."""


def ours(branch: Branch, above: str = "") -> Iterator[Place]:
    for name, node in branch.fields.items():
        yield f"{above}{name}", node.required, isinstance(node, Many)
        inner: Node = node.item if isinstance(node, Many) else node
        if isinstance(inner, Branch):
            yield from ours(inner, f"{above}{name}.")


# -- DUO: types extend each other over two files ---------------------------------------------------------------


@cache
def types() -> Mapping[str, tuple[etree._Element, str]]:
    """Name of a type → the type, and the prefix that our file has for names of its namespace."""
    found: dict[str, tuple[etree._Element, str]] = {}
    for file, prefix in ((BASIS, "basis:"), (MAIN, "")):
        root = etree.parse(Path(os.environ["STANDARDS_DIR"]) / "duo-vo" / file).getroot()
        for one in root.iterchildren(f"{XS}complexType"):
            found[str(one.get("name"))] = one, prefix
    return found


def official(name: str, above: str = "") -> Iterator[Place]:
    kind, prefix = types()[name]
    for extension in kind.iter(f"{XS}extension"):
        yield from official(str(extension.get("base")).rpartition(":")[2], above)
    for one in kind.iter(f"{XS}element"):
        path, inner = f"{above}{prefix}{one.get('name')}", str(one.get("type")).rpartition(":")[2]
        yield path, one.get("minOccurs", "1") == "1", one.get("maxOccurs", "1") != "1"
        if inner in types():
            yield from official(inner, f"{path}.")


@needs_standards
@pytest.mark.parametrize("record", ["inschrijving", "verwijdering", "inschrijving-ontvangen", "verwijdering-ontvangen"])
def test_every_element_of_duo_is_there_in_its_order(record: str) -> None:
    known = schemas()["duo-inschrijving-vo"].records[record]

    assert list(ours(known.fields)) == list(official(f"A{known.element[1:]}"))


# -- Eindtoetsketen --------------------------------------------------------------------------------------------


def properties(api: Any, name: str, above: str = "") -> Iterator[Place]:
    one = api["components"]["schemas"][name]
    for field, value in one["properties"].items():
        inner = value.get("items", value)
        yield f"{above}{field}", field in one.get("required", ()), "items" in value
        if "$ref" in inner:
            yield from properties(api, inner["$ref"].rpartition("/")[2], f"{above}{field}.")


@needs_standards
@pytest.mark.parametrize("record", ["Deelnemerslijst", "Ontvangstmelding", "Leerlingresultaat"])
def test_every_field_of_the_eindtoetsketen_is_there(record: str) -> None:
    text = (Path(os.environ["STANDARDS_DIR"]) / "eindtoets" / "eindtoetsketen-openapi.yaml").read_text("utf-8")
    known = schemas()["eindtoets" if record != "Leerlingresultaat" else "eindtoets-resultaten"].records[record]

    assert set(ours(known.fields)) == set(properties(yaml.CSafeLoader(text).get_single_data(), record))


# -- the form of a push ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    answer: Ontvangstmelding\n", ""),
        ("    answer: Ontvangstmelding\n", "    answer: Iets\n"),
        ("    answer: Ontvangstmelding\n", "    answer: Deelnemerslijst\n"),
        ("  - method: POST\n", "  - method: GET\n"),
        ("    many: false\n", "    many: true\n"),
        ("direction: push", "direction: pull"),
        ("    answer: Ontvangstmelding\n", "    answer: Ontvangstmelding\n    action: urn:iets\n"),
    ],
)
def test_push_that_is_none_is_refused(old: str, new: str) -> None:
    loaded = load_schema(changed(schema_text("eindtoets"), (old, new)), "schemas/eindtoets.yaml")

    assert isinstance(loaded, list)
    assert {rule for _, rule in told(loaded)} == {"form"}


def test_document_may_come_to_one_path_once() -> None:
    text = schema_text("duo-inschrijving-vo")
    twice = changed(text, ("    record: verwijdering\n", "    record: inschrijving\n"))

    assert isinstance(load_schema(twice, "schemas/duo-inschrijving-vo.yaml"), list)


def test_result_that_names_no_school_or_names_it_twice_is_refused() -> None:
    text = schema_text("eindtoets-resultaten")
    for old, new in (
        ("    uses: [edukoppeling]\n", ""),
        ("unkeyed: [datumtijd]", "organisation_key: school"),
        ("{meaning: organisation-oin, required: true}\n\nroutes", "{meaning: plain}\n\nroutes"),
    ):
        loaded = load_schema(changed(text, (old, new)), "schemas/eindtoets-resultaten.yaml")
        if "plain" in new:
            assert not isinstance(loaded, list)  # the other of the two still names it
        else:
            assert isinstance(loaded, list)
            assert {rule for _, rule in told(loaded)} == {"R68"}
