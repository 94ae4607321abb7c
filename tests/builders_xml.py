"""A made-up XML format with one of everything that the minimiser knows, for the tests of formats.

Leaves out: the official formats (`tests/formats/test_oso.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from gateway.core.model import Category, FieldClass, Person, PseudonymMethod, Subject
from gateway.core.policy.schema import Branch, Flag, Hidden, KeyIds, Many, Node, Record, SubjectPosition
from gateway.core.policy.terms import Grant
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Minimised
from gateway.core.release.sight import Sight
from gateway.formats.xml import Limits, XmlMinimiser
from tests import builders_formats as build
from tests.builders_csv import leaf
from tests.simulators.facts import SimulatedFacts

SPACE = "urn:example:school"
SPACES = {"": SPACE, "x": "urn:example:extra"}
KEYS = KeyIds({"@key": "las-key", "bsn": "bsn"}, "@key")


def support() -> Branch:
    return Branch(
        {
            "aim": leaf(category=Category.SUPPORT, required=True),
            "file": Many(
                Branch(
                    {
                        "name": leaf(category=Category.SUPPORT, required=True),
                        "content": leaf(category=Category.SUPPORT, field_class=FieldClass.DOCUMENT, required=True),
                    }
                )
            ),
        }
    )


def pupil() -> Record:
    """One pupil, in a document or in a list `pupils`."""
    secret = Hidden(("secret",))
    neutral = Hidden(("hush",), "0000", "kind", {"mail": "none@none.example"})
    contact = Branch({"kind": leaf(), "hush": leaf("boolean"), "value": replace(leaf(required=True), hidden=neutral)})
    parts = Flag(("support",), absent="LEFT-OUT", demanded="DEMANDED", closed=("LEFT-OUT", "FORBIDDEN"))
    fields: dict[str, Node] = {
        "@key": leaf(category=Category.PUPIL_NUMBER, field_class=FieldClass.ID),
        "@x:mark": leaf(),
        "bsn": leaf(category=Category.NATIONAL_NUMBER, field_class=FieldClass.NATIONAL_NUMBER),
        "name": leaf(category=Category.NAME, field_class=FieldClass.DIRECT, required=True),
        "filled": replace(leaf(required=True), filler="-"),
        "born": leaf(category=Category.BIRTH_DATE, form="date"),
        "year": leaf("integer"),
        "size": leaf("number"),
        "new": leaf("boolean"),
        "code": replace(leaf(), pattern="[A-Z]{2}"),
        "sort": replace(leaf(), values=("a", "b")),
        "secret": leaf("boolean"),
        "place": Branch(
            {
                "street": leaf(category=Category.ADDRESS, required=True),
                "land": Branch({"#text": leaf(required=True), "@name": leaf()}),
            },
            hidden=secret,
        ),
        "contact": Many(contact),
        "group": replace(leaf(), maps="group"),
        "has-support": replace(leaf(), values=("DEMANDED", "OPTIONAL", "LEFT-OUT", "FORBIDDEN"), flag=parts),
        "support": support(),
        "note": leaf(field_class=FieldClass.FREE_TEXT),
        "marks": Branch({"what": leaf(required=True), "mark": Many(leaf(), required=True)}, repeats=True),
        "grade": replace(leaf(required=True), choice="result"),
        "word": replace(leaf(required=True), choice="result"),
        "x:extra": leaf(),
    }
    here = SubjectPosition("", Person.PUPIL, "record", None, None, KEYS)
    return Record("pupil", Branch(fields), (here,), element="pupil", envelope="pupils")


def group(*, whole: bool = False) -> Record:
    """A group with its members, each of whom may be withheld alone. `whole`: none without the document."""
    content = leaf(category=Category.SUPPORT, field_class=FieldClass.DOCUMENT, required=whole)
    key = leaf(category=Category.PUPIL_NUMBER, field_class=FieldClass.ID)
    member = Branch({"@key": key, "content": content})
    here = SubjectPosition("member", Person.PUPIL, "item", None, None, KeyIds({"@key": "las-key"}, "@key"))
    return Record("group", Branch({"title": leaf(required=True), "member": Many(member)}), (here,), element="group")


MINIMUM = ("name", "grade")


def grants(*paths: str) -> dict[str, Grant]:
    return build.keep(*MINIMUM, *paths)


ANNE = replace(build.pupil(1), ids={"las-key": "las-1"})
BEN = replace(build.pupil(2), ids={"las-key": "las-2"})


def text(inner: str = "", *, key: str = "las-1", grade: str = "<grade>8</grade>", space: str = SPACE) -> str:
    """A pupil as the source writes it; `inner` stands between the name and the grade."""
    return (
        f'<pupil xmlns="{space}" xmlns:x="urn:example:extra" key="{key}"><name>Anne</name><filled>f</filled>'
        f"{inner}{grade}</pupil>"
    )


@dataclass(slots=True)
class Bench:
    """One delivery of pupils in XML."""

    minimiser: XmlMinimiser
    sight: Sight

    def run(self, body: str | bytes, *, many: bool = False) -> tuple[Minimised, Emission]:
        emission = Emission(self.sight)
        raw = body.encode() if isinstance(body, str) else body
        return self.minimiser.minimise(raw, emission, many=many), emission


def bench(
    granted: Mapping[str, Grant],
    people: Iterable[Subject] = (ANNE, BEN),
    *,
    method: PseudonymMethod = PseudonymMethod.NONE,
    record: Record | None = None,
    facts: SimulatedFacts | None = None,
    limits: Limits | None = None,
    special: bool = False,
) -> Bench:
    record = record or pupil()
    terms = build.delivery({record.name: granted}, method=method)
    projection = compile_projection(record, granted, method, special=special)
    return Bench(XmlMinimiser(projection, SPACES, limits=limits), build.sight(terms, people, facts=facts))


def released(body: str, *paths: str, people: Iterable[Subject] = (ANNE, BEN)) -> etree._Element:
    """What leaves of one pupil when these paths are granted beside the least."""
    found, _ = bench(grants(*paths), people).run(body)
    assert found.records == 1
    return etree.fromstring(found.body)


def shape(element: etree._Element) -> list[str]:
    """Every tag, attribute and text of what left, in order."""
    found = [etree.QName(element).localname, *(f"@{name}={element.get(name)}" for name in map(str, element.attrib))]
    found += [str(element.text)] if element.text else []
    for child in element:
        found += shape(child)
    return found
