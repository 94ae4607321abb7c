"""The text of an element or attribute of XML: what it may hold. Not: what a field may be (`core.release.texts`)."""

from __future__ import annotations

from lxml import etree

from gateway.core.model import FieldClass
from gateway.core.policy import schema
from gateway.core.release.faults import TEXT
from gateway.core.release.texts import Malformed
from gateway.formats.xml.parse import Limits


def longest(leaf: schema.Leaf, limits: Limits) -> int:
    """How long the text of this field may be."""
    return limits.attachment if leaf.field_class is FieldClass.DOCUMENT else limits.text


def text_of(element: etree._Element, path: str) -> str:
    """The text of an element that is a value; elements in it make the record malformed (house rule 2)."""
    if len(element):
        raise Malformed(path, f"{TEXT}, with no element in it")
    return element.text or ""
