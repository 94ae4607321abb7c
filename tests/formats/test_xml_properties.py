"""Whatever the source writes: refused, or built of what is granted alone; a list is read as far as it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.core.release.circle import Circle
from gateway.core.release.emission import Emission
from gateway.core.release.masking import Mask
from gateway.core.release.minimised import EnvelopeBroken
from tests import builders_xml as xml

CANARY = "kanarie7f3a"
PATHS = "born", "year", "place.street", "contact.kind", "contact.value", "x:extra"
BENCH = xml.bench(xml.grants(*PATHS))
INNER = (
    "<born>2015-03-01</born><year>3</year><place><street>Dam</street><land name='NL'>6030</land></place>"
    "<contact><kind>mail</kind><hush>true</hush><value>a@b.example</value></contact>"
)
GOOD = f'<?xml version="1.0" encoding="UTF-8"?>{xml.text(INNER)}'.encode()
PIECES = st.sampled_from(
    b"< > & ]]> <!-- --> <![CDATA[ <!DOCTYPE <?a ?> &#0; &#x41; </name> <year> </year> xmlns='' xmlns:q='u'".split()
)
EDITS = st.lists(
    st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), PIECES | st.binary(max_size=6)), min_size=1, max_size=4
)
ALLOWED = {"name", "filled", "grade", "born", "year", "place", "street", "contact", "kind", "value", "extra", "pupil"}


@settings(max_examples=400, deadline=None)
@given(edits=EDITS)
def test_a_broken_document_is_refused_or_built_of_what_is_granted(edits: list[tuple[int, int, bytes]]) -> None:
    body = GOOD
    for at, cut, piece in edits:
        body = body[:at] + piece + body[at + cut :]
    try:
        found, _ = BENCH.run(body)
    except EnvelopeBroken:
        return
    if found.body:
        out = etree.fromstring(found.body)
        assert {etree.QName(one).localname for one in out.iter()} <= ALLOWED
        assert not any(one.attrib for one in out.iter())


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_nothing_that_was_slipped_in_survives(data: st.DataObject) -> None:
    root = etree.fromstring(xml.text(INNER))
    where = data.draw(st.sampled_from(list(root.iter())))
    match data.draw(st.sampled_from(["element", "attribute", "tail", "comment", "instruction"])):
        case "element":
            etree.SubElement(
                where, data.draw(st.sampled_from(["vreemd", f"{{{xml.SPACE}}}note", "{urn:o}name"]))
            ).text = CANARY
        case "attribute":
            where.set(data.draw(st.sampled_from(["vreemd", "{urn:o}key", f"{{{xml.SPACE}}}key"])), CANARY)
        case "tail":
            if where is not root:
                where.tail = CANARY
        case "comment":
            where.append(etree.Comment(CANARY))
        case _:
            where.append(etree.ProcessingInstruction("vreemd", CANARY))
    found, _ = BENCH.run(etree.tostring(root))
    assert CANARY.encode() not in found.body


def test_a_list_is_read_as_far_as_its_records_are_asked_for() -> None:
    read = 0

    def chunks() -> Iterator[bytes]:
        nonlocal read
        yield f'<pupils xmlns="{xml.SPACE}">'.encode()
        for _ in range(1_000):
            read += 1
            yield xml.text(INNER).encode()
        yield b"</pupils>"

    rows = BENCH.minimiser.rows(chunks(), Emission(BENCH.sight), lambda: Circle(Mask(()), frozenset()))
    assert all(row is not None for row in islice(rows, 3))
    assert read <= 4
    assert sum(row is not None for row in rows) == 997
