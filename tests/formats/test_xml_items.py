"""formats.xml.items: a document read item by item is the document that is read whole; what is no such document is
refused as it comes."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.core.model import FieldClass
from gateway.core.policy.schema import Branch, Leaf, Record
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.xml import Left, Names, XmlItems, XmlItemsFile, document_of, leaving, named_in, sections
from tests.builders_uwlr import Bench, answering, bench, moved, people, sample
from tests.policy.shipped import schemas

pytestmark = pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the files")

SCHEMA = "uwlr-2-2"


def record() -> Record:
    return schemas()[SCHEMA].records["leerlinggegevens"]


def reader(above: tuple[str, ...] = (), most: int = 1_000_000) -> XmlItemsFile:
    return XmlItemsFile(record(), Names(schemas()[SCHEMA].namespaces), most, above)


def read(body: bytes, chunk: int = 500) -> list[bytes]:
    file = reader()
    found = [one for at in range(0, len(body), chunk) for one in file.feed(body[at : at + chunk])]
    return found + file.close()


def by_items(on: Bench, body: bytes, size: int, chunk: int = 500) -> tuple[bytes, list[Emission]]:
    items, left, rows, told = XmlItems(on.minimiser), Left(), list[tuple[str, bytes]](), list[Emission]()
    records, head = read(body, chunk), b""
    for at in range(0, len(records), size):
        emission = Emission(on.sight)
        made = items.minimise(reader().piece(records[at : at + size]), emission, left)
        left.recall(on.minimiser.sections, made.rows)
        rows += made.rows
        told.append(emission)
        head = made.head
    kept = sorted(leaving(rows, named_in(rows)))
    return b"".join(document_of((row for _, row in kept), head)), told


def canonical(body: bytes) -> bytes:
    return etree.tostring(etree.fromstring(body), method="c14n")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(size=st.integers(1, 20), chunk=st.integers(50, 5_000), gone=st.sets(st.integers(0, 2), max_size=2))
def test_document_in_pieces_is_the_whole_document(size: int, chunk: int, gone: set[int]) -> None:
    known = [one for number, one in enumerate(people()) if number not in gone]
    on = bench("uwlr-smalle-set", SCHEMA, known)

    whole, _ = on.run(moved(sample()))
    made, _ = by_items(on, moved(sample()), size, chunk)

    assert canonical(made) == canonical(whole.body)


def test_teachers_stay_behind_where_no_pupil_leaves() -> None:
    """The standard demands pupils: such a document cannot be."""
    on = bench("uwlr-smalle-set", SCHEMA, people()[3:])

    _, told = by_items(on, moved(sample()), 1)

    assert [one.released for one in told if one.released] == []
    assert sum(len(one.withheld) for one in told) == 3


def test_pupil_whom_the_source_wrote_wrongly_stays_behind_alone() -> None:
    on = bench("uwlr-smalle-set", SCHEMA)
    body = moved(sample()).replace(b"<roepnaam>", b"<roepnaam>x</roepnaam><roepnaam>", 1)

    _, told = by_items(on, body, 100)

    assert (sum(one.malformed for one in told), len(told[0].released)) == (1, 5)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_number_of_a_pupil_who_comes_later_does_not_leave_in_a_name_of_a_group(size: int) -> None:
    """Whose it is stands in another part of the document, which is not at hand."""
    on, number = bench("uwlr-smalle-set", SCHEMA), b"111222333"
    body = moved(sample()).replace(b"<naam>", b"<naam>" + number + b" ")

    made, _ = by_items(on, body, size)

    assert number in body
    assert number not in made


def test_answer_without_data_has_no_items() -> None:
    above = (
        "{http://schemas.xmlsoap.org/soap/envelope/}Envelope",
        "{http://schemas.xmlsoap.org/soap/envelope/}Body",
        "{http://www.edustandaard.nl/leerresultaten/2/leerlinggegevens}leerlinggegevens_antwoord",
    )
    nothing, some = reader(above), reader(above)

    assert nothing.feed(answering(None)) + nothing.close() == []
    assert len(some.feed(answering(moved(sample()))) + some.close()) == 17


PUPILS = b"<leerlingen>"


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda body: body[:-20],
        lambda body: body.replace(b"</leerlinggegevens>", b"<leerlingen/></leerlinggegevens>"),
        lambda body: body.replace(b"<school>", b"<leerlingen/><school>", 1),
        lambda body: b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + body,
        lambda body: body.replace(PUPILS, PUPILS + b"<!DOCTYPE a>", 1),
        lambda body: b"<x>" + body + b"</x>",
        lambda body: body.replace(b"leerlinggegevens", b"andere"),
        lambda body: body.replace(PUPILS, PUPILS + b"<nieuw>" + b"x" * 2_000_000 + b"</nieuw>", 1),
        lambda body: body.replace(PUPILS, PUPILS + b"<a/>" * 400_001, 1),
        lambda body: body.replace(PUPILS, PUPILS + b"<a>" * 50_000, 1),
        lambda body: body[:400],
    ],
    ids=["cut", "a part twice", "out of order", "entity", "doctype", "within", "other", "long", "many", "deep", "end"],
)  # fmt: skip
def test_what_is_no_such_document_is_refused(spoilt: object) -> None:
    assert callable(spoilt)
    with pytest.raises(EnvelopeBroken):
        read(spoilt(moved(sample())), 65_536)


def test_document_of_lists_in_which_documents_may_stand_is_read_whole() -> None:
    """How many stayed behind is counted in what is built whole (D8)."""
    parts = record().fields
    school = parts.fields["school"]
    assert isinstance(school, Branch)
    year = school.fields["schooljaar"]
    assert isinstance(year, Leaf)
    attached = replace(school, fields={**school.fields, "bijlage": replace(year, field_class=FieldClass.DOCUMENT)})

    assert sections(record())
    assert not sections(replace(record(), fields=replace(parts, fields={**parts.fields, "school": attached})))


def test_only_documents_of_lists_are_read_so() -> None:
    known = {name: [one for one in schema.records.values() if sections(one)] for name, schema in schemas().items()}

    assert sorted(name for name, found in known.items() if found) == ["edexml-2-1", SCHEMA, "uwlr-2-2-leerresultaten"]
