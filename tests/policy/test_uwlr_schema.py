"""The shipped schemas of UWLR and EDEXML hold every element and attribute of the official XSDs, in their order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from gateway.core.model import FieldClass
from gateway.core.policy.schema import Branch, Leaf, Many, Node
from tests.policy.shipped import leaves_of, schemas

pytestmark = pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the files")

XS = "{http://www.w3.org/2001/XMLSchema}"
# schema, record, and where the official description of it stands: folder, file, element
SHIPPED = [
    ("edexml-2-1", "EDEX", "edexml-2.1", "EDEXML.structuur.xsd", "EDEX"),
    ("uwlr-2-2", "leerlinggegevens", "uwlr-2.2/Schemas", "UWLR_Leerlinggegevens_v2p2.xsd", "leerlinggegevens"),
    (
        "uwlr-2-2-leerresultaten", "leerresultaten", "uwlr-2.2/Schemas", "UWLR_Leerresultaten_v2p2.xsd",
        "leerresultaten_verzoek",
    ),
]  # fmt: skip


class Official:
    """One XSD with what it includes and imports."""

    def __init__(self, folder: Path, file: str) -> None:
        self._named: dict[tuple[str, str], etree._Element] = {}
        self._load(folder, file)

    def _load(self, folder: Path, file: str) -> None:
        for one in etree.parse(folder / file).getroot():
            if one.get("schemaLocation") and one.get("schemaLocation") != "SOAP_Envelope.xsd":
                self._load(folder, str(one.get("schemaLocation")))
            elif one.get("name"):
                self._named.setdefault((str(one.tag).removeprefix(XS), str(one.get("name"))), one)

    def named(self, kind: str, name: str | None) -> etree._Element | None:
        return self._named.get((kind, (name or "").rpartition(":")[2]))

    def paths(self, element: str) -> list[str]:
        root = self.named("element", element)
        assert root is not None
        return list(self._of(root, ""))

    def _of(self, element: etree._Element, path: str) -> Iterator[str]:
        """Attributes first, as our schemas write them."""
        inside = self._type(element)
        parts = list(self._within(inside, path)) if inside is not None else []
        attributes = [part for part in parts if part.removeprefix(f"{path}.").startswith("@")]
        text = inside is not None and self._is_text(inside)
        if not parts and path:
            yield path
            return
        # what two alternatives share stands after both
        later = list(dict.fromkeys(reversed([part for part in parts if part not in attributes])))[::-1]
        yield from [*([f"{path}.#text"] if text else []), *attributes, *later]

    def _is_text(self, of: etree._Element) -> bool:
        """Text with attributes, also by what it extends."""
        extended = of.find(f"{XS}complexContent/{XS}extension")
        base = self.named("complexType", extended.get("base")) if extended is not None else None
        return of.find(f"{XS}simpleContent") is not None or (base is not None and self._is_text(base))

    def _type(self, element: etree._Element) -> etree._Element | None:
        inline = element.find(f"{XS}complexType")
        return inline if inline is not None else self.named("complexType", element.get("type"))

    def _within(self, of: etree._Element, path: str) -> Iterator[str]:
        prefix = f"{path}." if path else ""
        for one in of:
            tag = str(one.tag).removeprefix(XS)
            if tag == "element":
                real = self.named("element", one.get("ref")) if one.get("ref") else one
                assert real is not None
                yield from self._of(real, f"{prefix}{real.get('name')}")
            elif tag == "attribute":
                yield f"{prefix}@{one.get('name')}"
            elif tag in ("group", "attributeGroup"):
                found = self.named(tag, one.get("ref"))
                assert found is not None
                yield from self._within(found, path)
            elif tag == "extension":
                base = self.named("complexType", one.get("base"))
                yield from self._within(base, path) if base is not None else ()
                yield from self._within(one, path)
            elif tag in ("sequence", "choice", "complexContent", "simpleContent"):
                yield from self._within(one, path)


@cache
def official(folder: str, file: str) -> Official:
    return Official(Path(os.environ["STANDARDS_DIR"]) / folder, file)


def ours(node: Node, path: str = "") -> Iterator[str]:
    inner = node.item if isinstance(node, Many) else node
    if isinstance(inner, Leaf):
        yield path
        return
    assert isinstance(inner, Branch)
    for name, child in inner.fields.items():
        yield from ours(child, f"{path}.{name}" if path else name)


@pytest.mark.parametrize(("schema", "record", "folder", "file", "element"), SHIPPED)
def test_every_element_and_attribute_is_there_in_the_order_of_the_standard(
    schema: str, record: str, folder: str, file: str, element: str
) -> None:
    found = [path.replace("oso:", "") for path in ours(schemas()[schema].records[record].fields)]
    # of a vendor's own block only what the standard itself gives as an example is known
    known = [path for path in found if not path.endswith(".opmerking")]
    wanted = official(folder, file).paths(element)

    assert set(known) == set(wanted)
    assert known == wanted


@pytest.mark.parametrize("schema", ["edexml-2-1", "uwlr-2-2"])
def test_additions_never_leave(schema: str) -> None:
    ((_, record),) = schemas()[schema].records.items()
    found = {leaf.field_class for path, leaf in leaves_of(record.fields) if ".toevoegingen." in f".{path}."}
    assert found == {FieldClass.CONFIDENTIAL}
