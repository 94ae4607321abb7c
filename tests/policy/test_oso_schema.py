"""The shipped schema of OSO holds every element of the official XSD, in its order, as required and as often."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import etree

from gateway.adapters.policy.files import load_schema
from gateway.core.model import FieldClass
from gateway.core.policy.schema import Branch, Leaf, Many, Node
from tests.policy.shipped import changed, leaves_of, schema_text, schemas, told

XS = "{http://www.w3.org/2001/XMLSchema}"
needs_standards = pytest.mark.skipif(
    "STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the folder of the official files"
)


class Place(NamedTuple):
    """One element or attribute: how it is written, whether it must be there, how often, and beside what it is a
    choice."""

    path: str
    kind: str
    required: bool
    many: bool
    beside: frozenset[str] = frozenset()


@cache
def xsd() -> etree._Element:
    return etree.parse(Path(os.environ["STANDARDS_DIR"]) / "oso" / "OSO_gegevensset.xsd").getroot()


def named(name: str | None, *tags: str) -> etree._Element | None:
    return next((one for one in xsd() if one.get("name") == name and one.tag in [f"{XS}{tag}" for tag in tags]), None)


def official() -> list[Place]:
    root = named("dossier", "element")
    assert root is not None
    return list(content(type_of(root), ""))


def type_of(element: etree._Element) -> etree._Element | None:
    if element.get("type"):
        return named(element.get("type"), "complexType", "simpleType")
    return next((one for one in element if one.tag in (f"{XS}complexType", f"{XS}simpleType")), None)


def content(of: etree._Element | None, above: str, choice: etree._Element | None = None) -> Iterator[Place]:
    for one in of if of is not None else ():
        tag = str(one.tag).removeprefix(XS)
        if tag == "element":
            yield from place(one, above, choice)
        elif tag == "choice":
            yield from content(one, above, one)
        elif tag == "extension":
            yield from content(named(one.get("base"), "complexType"), above)
            yield from content(one, above)
        elif tag == "simpleContent":
            yield from simple(one[0], above)
        elif tag in ("sequence", "complexContent"):
            yield from content(one, above)


def place(element: etree._Element, above: str, choice: etree._Element | None) -> Iterator[Place]:
    real = named(element.get("ref"), "element") if element.get("ref") else element
    assert real is not None
    path = f"{above}.{real.get('name')}" if above else str(real.get("name"))
    required = (element if choice is None else choice).get("minOccurs", "1") != "0"
    siblings = [] if choice is None else [one.get("name") or one.get("ref") or "" for one in choice]
    of = type_of(real)
    inner = list(content(of, path)) if of is not None and of.tag == f"{XS}complexType" else []
    kind = "object" if inner else facets(real.get("type") or of)
    if len(inner) == 1 and inner[0].path.endswith("#text"):
        kind, inner = inner[0].kind, []
    many = element.get("maxOccurs", "1") != "1"
    yield Place(path, kind, required, many, frozenset(siblings))
    yield from inner


def simple(extension: etree._Element, above: str) -> Iterator[Place]:
    """An element with a text and attributes. A text that may be empty need not be there."""
    base = extension.get("base") or ""
    yield Place(f"{above}.#text", facets(base), not base.startswith("xs:"), many=False)
    for one in extension.iterchildren(f"{XS}attribute"):
        path = f"{above}.@{one.get('name')}"
        yield Place(path, facets(one.get("type") or ""), one.get("use") == "required", many=False)


def facets(of: str | etree._Element | None) -> str:
    """The plain type beneath all restrictions."""
    while of is not None and not (isinstance(of, str) and of.startswith("xs:")):
        found = named(of, "simpleType") if isinstance(of, str) else of
        assert found is not None
        restriction = found.find(f"{XS}restriction")
        assert restriction is not None
        of = restriction.get("base") or restriction.find(f"{XS}simpleType")
    plain = {"xs:int": "integer", "xs:decimal": "number", "xs:date": "date"}
    return plain.get(str(of), str(of).removeprefix("xs:"))


def ours(node: Node, path: str = "", *, many: bool = False) -> Iterator[Place]:
    if isinstance(node, Many):
        for number, one in enumerate(ours(node.item, path, many=True)):
            yield one._replace(required=node.required) if number == 0 else one
        return
    if path:
        kind = (node.format or node.type) if isinstance(node, Leaf) else "object"
        yield Place(path, kind, node.required, many)
    fields = node.fields if isinstance(node, Branch) else {}
    for name, child in fields.items():
        beside = {other for other, one in fields.items() if one.choice is not None and one.choice == child.choice}
        for number, one in enumerate(ours(child, f"{path}.{name}" if path else name)):
            yield one._replace(beside=frozenset(beside)) if number == 0 else one


@needs_standards
def test_every_element_of_the_official_description_stands_here_in_its_order() -> None:
    found = list(ours(schemas()["oso-2019"].records["dossier"].fields))
    assert found == official()


def test_every_category_of_the_dossier_has_a_flag_and_no_field_has_two() -> None:
    record = schemas()["oso-2019"].records["dossier"]
    flags = [leaf.flag for _, leaf in leaves_of(record.fields) if leaf.flag is not None]
    assert len(flags) == 16
    of = [path for flag in flags for path in flag.of]
    assert len(of) == len(set(of))
    loose = {
        path
        for path, _ in leaves_of(record.fields)
        if not any(f"{path}.".startswith(f"{one}.") for one in of) and "categorie_uitlevering" not in path
    }
    assert loose == {"overdrachtsoort"}


def test_numbers_accounts_and_origin_have_the_class_that_keeps_them_in() -> None:
    found = {
        path.rsplit("leerling.", 1)[-1]: leaf.field_class
        for path, leaf in leaves_of(schemas()["oso-2019"].records["dossier"].fields)
    }
    assert found["bsn"] == found["onderwijsnummer"] == FieldClass.NATIONAL_NUMBER
    assert found["verzorger.iban"] == found["verzorger.banknummer"] == FieldClass.FINANCIAL
    assert found["nnca"] == FieldClass.SPECIAL
    assert found["onderwijsondersteuning.diagnose.code"] == FieldClass.MEDICAL
    documents = [one for path, one in found.items() if path.endswith("bestandsinhoud")]
    assert set(documents) == {FieldClass.DOCUMENT}


TEXT = re.sub(r", claim: \{[^}]*\}", "", schema_text("oso-2019"))  # which are one problem more in another format


@pytest.mark.parametrize(
    ("old", "new", "near", "rule"),
    [
        ("of: [inzage]", "of: [inzagen]", "cat_ouderinzage:", "form"),
        ("by: [geheim]", "by: [soort]", "nummer: {type: string", "form"),
        ("by: [adresgeheim]", "by: [geheim]", "adreslijst:", "form"),
        ('pattern: "[0-9][0-9]"', 'pattern: "[0-9"', "vestigingscode:", "form"),
        ("own: leerlingid", "own: nummer", "own:", "form"),
    ],
)
def test_what_contradicts_the_rest_of_the_file_is_refused_at_its_line(old: str, new: str, near: str, rule: str) -> None:
    text = changed(TEXT, (old, new))
    loaded = load_schema(text, "schemas/oso-2019.yaml")
    assert isinstance(loaded, list)
    assert len(loaded) == 1
    assert told(loaded)[0][1] == rule
    assert near in "\n".join(text.splitlines()[loaded[0].line - 4 : loaded[0].line + 2])
