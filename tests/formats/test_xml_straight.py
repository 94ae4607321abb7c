"""The straight way through a list gives what the long way gives, to the letter; and most records do go it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.core.facts import Facts
from gateway.core.model import Category, FieldClass, Person, PseudonymMethod, Transform
from gateway.core.policy.schema import Branch, KeyIds, Many, Node, Record, SubjectPosition
from gateway.core.policy.terms import Grant
from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import EnvelopeBroken
from gateway.core.release.sight import ECK_ID, Memo
from gateway.core.release.texts import Malformed
from gateway.formats.xml.straight import Unusual
from tests import builders_formats as build
from tests import builders_xml as xml
from tests.builders_csv import leaf
from tests.simulators.facts import SimulatedFacts

DAY = "2015-03-01"
PATHS = (
    "@key", "@x:mark", "born", "year", "size", "new", "code", "sort", "group", "note", "x:extra", "filled",
    "place.street", "place.land.#text", "place.land.@name", "contact.kind", "contact.value",
)  # fmt: skip


def record() -> Record:
    """A pupil of whom nothing is secret, with no flags."""
    known = xml.pupil()
    fields = dict(known.fields.fields)
    del fields["has-support"], fields["support"], fields["marks"]
    place = fields["place"]
    assert isinstance(place, Branch)
    fields["place"] = replace(place, hidden=None)
    fields["contact"] = Many(Branch({"kind": leaf(), "value": leaf(required=True)}))
    return replace(known, fields=Branch(fields))


def bench(granted: dict[str, Grant], **more: Any) -> xml.Bench:
    return xml.bench(granted, record=record(), **more)


def long(made: xml.Bench) -> xml.Bench:
    """The same without the straight way."""
    made.minimiser._lane = None
    return made


def listed(*inner: str) -> str:
    return f'<pupils xmlns="{xml.SPACE}">{"".join(inner)}</pupils>'


def told(made: xml.Bench, body: str) -> Any:
    try:
        found, emission = made.run(body, many=True)
    except EnvelopeBroken:
        return None
    said = (emission.released, emission.withheld, emission.partial, emission.held, emission.unresolved)
    return found.body, found.records, found.malformed, said, emission.issued


def lane_takes(made: xml.Bench, text: str) -> bool:
    lane = made.minimiser._lane
    assert lane is not None
    try:
        return (
            lane.row(etree.fromstring(text), Emission(made.sight), lambda: pytest.fail("nothing is suspect"))
            is not None
        )
    except (Unusual, Malformed):
        return False


WORDS = st.sampled_from(
    ["Anne", " van den Berg ", "a&amp;b", "x &lt; y", "&#13;", "é☃", "", " ", "5", "12345678", "111222333", "3,5",
     "2015-3-1",
     DAY, f"{DAY}Z", "2015-W10-1", "true", "NL", "a", "9" * 40, "<b>x</b>", "<!-- c -->z", "<![CDATA[<q>&]]>"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["name", "born", "year", "size", "new", "code", "sort", "note", "group", "x:extra", "bsn", "word", "other"]
)
LEAVES = st.builds(lambda name, text: f"<{name}>{text}</{name}>", NAMES, WORDS)
PLACES = st.builds(
    lambda street, land, name: f"<place><street>{street}</street><land name='{name}'>{land}</land></place>",
    WORDS, WORDS, st.sampled_from(["Nederland", "a&amp;&quot;b", "x&#10;y"]),
)  # fmt: skip
CONTACTS = st.builds(
    lambda kind, value: f"<contact>{kind}<value>{value}</value></contact>",
    st.sampled_from(["", "<kind>a</kind>"]),
    WORDS,
)
INNER = st.lists(LEAVES | PLACES | CONTACTS, max_size=6).map("".join)
RECORDS = st.builds(
    lambda inner, key, grade: xml.text(inner, key=key, grade=grade),
    INNER, st.sampled_from(["las-1", "las-2", "las-3", ""]),
    st.sampled_from(["<grade>8</grade>", "<grade/>", "", "<word>w</word>"]),
)  # fmt: skip
GRANTED = st.lists(st.sampled_from(PATHS), unique=True)


@settings(max_examples=600, deadline=None)
@given(records=st.lists(RECORDS, min_size=1, max_size=5), granted=GRANTED, data=st.data())
def test_both_ways_give_the_same(records: list[str], granted: list[str], data: st.DataObject) -> None:
    grants, method = xml.grants(*granted), PseudonymMethod.NONE
    if "@key" in granted and data.draw(st.booleans()):
        grants["@key"], method = Grant("@key", "needed", Transform.PSEUDONYM), PseudonymMethod.HMAC
    if "born" in grants and data.draw(st.booleans()):
        grants["born"] = Grant("born", "needed", Transform.YEAR)
    for needs, path in (("place.street", "place"), ("place.land.#text", "place.land"), ("contact.value", "contact")):
        if needs not in grants:
            grants = {one: grant for one, grant in grants.items() if not one.startswith(f"{path}.")}
    facts = SimulatedFacts({xml.ANNE.id: Facts(birth=date(2015, 3, 1))})
    body = listed(*records)
    assert told(bench(grants, method=method, facts=facts), body) == told(
        long(bench(grants, method=method, facts=facts)), body
    )


ORDINARY = xml.text(f"<born>{DAY}</born><place><street>Dam</street></place><contact><value>1</value></contact>")
EVERYTHING = xml.grants("born", "place.street", "contact.value", "note")


def test_an_ordinary_record_goes_the_straight_way() -> None:
    assert lane_takes(bench(EVERYTHING), ORDINARY)


@pytest.mark.parametrize(
    "inner",
    ["<born>x</born>", "<born>2015-03-01</born><born>2015-03-01</born>", "<place/>", "<note><b/></note>", "<contact/>"],
)
def test_a_record_that_is_out_of_the_ordinary_goes_the_long_way(inner: str) -> None:
    assert not lane_takes(bench(EVERYTHING), xml.text(inner))


def test_a_number_of_the_pupil_is_held_back_on_the_straight_way_too() -> None:
    body = listed(xml.text("<bsn>111222333</bsn><code>AB</code><note>111222333</note>"))
    found, emission = bench(xml.grants("note")).run(body, many=True)
    assert b"111222333" not in found.body
    assert emission.partial == ((xml.ANNE, (("note", Reason.BSN_NOT_ALLOWED),)),)


def test_a_birth_date_that_contradicts_holds_the_record() -> None:
    facts = SimulatedFacts({xml.ANNE.id: Facts(birth=date(2014, 1, 1))})
    found, emission = bench(xml.grants(), facts=facts).run(listed(xml.text(f"<born>{DAY}</born>")), many=True)
    assert found.records == 0
    assert emission.withheld == ((xml.ANNE, (Reason.FACTS_CONTRADICTED,)),)


def test_a_national_number_is_not_remembered() -> None:
    made = bench(xml.grants())
    made.run(listed(xml.text("<bsn>111222333</bsn>")), many=True)
    assert "111222333" not in str([list(one) for one in made.sight.bound.values() if isinstance(one, Memo)])


@pytest.mark.parametrize("known", [xml.pupil(), xml.group()])
def test_a_record_with_flags_or_with_persons_within_has_no_straight_way(known: Record) -> None:
    granted = xml.grants() if known.name == "pupil" else build.keep("title", "member.@key")
    assert xml.bench(granted, record=known).minimiser._lane is None


def room(*, order: str | None = None) -> Record:
    """A list about nobody: rooms with their words, their groups and what stands in them."""
    thing = Branch({"@x:mark": leaf(), "#text": leaf(required=True)})
    fields: dict[str, Node] = {
        "code": replace(leaf(required=True), maps="room"),
        "word": Many(leaf()),
        "group": Many(replace(leaf(), maps="group"), required=True),
        "size": leaf("number"),
        "thing": Many(thing),
    }
    return Record("room", Branch(fields), (), order=order, element="room", envelope="rooms")


GROUPS = "<group>g2</group><group>g1</group>"
ROOMS = [
    f"<room><code>{code}</code>{inner}</room>"
    for code, inner in (
        ("b", f"<word>a&amp;b</word><word> </word>{GROUPS}<thing x:mark='1'>12345678</thing>"),
        ("a", f"<group>g1</group><thing>{DAY}</thing><size>1.5</size>"),
        ("c", f"<word>1</word>{GROUPS}<thing>x<b/></thing>"),
        ("d", "<word>no group</word>"),
        ("e", "<group>g1</group><thing/>"),
        ("b", f"{GROUPS}<code>twice</code>"),
    )
]


@pytest.mark.parametrize("order", [None, "code"])
def test_a_list_about_nobody_is_the_same_both_ways(order: str | None) -> None:
    granted = build.keep("code", "word", "group", "size", "thing.#text", "thing.@x:mark")
    body = f'<rooms xmlns="{xml.SPACE}" xmlns:x="urn:example:extra">{"".join(ROOMS)}</rooms>'

    made = xml.bench(granted, record=room(order=order))
    found, _ = made.run(body, many=True)

    assert made.minimiser._lane is not None
    assert told(made, body) == told(long(xml.bench(granted, record=room(order=order))), body)
    assert found.records >= 2


def test_a_plan_with_masked_text_has_no_straight_way() -> None:
    granted = xml.grants() | build.changed(Transform.MASK, "note")
    assert bench(granted).minimiser._lane is None


def test_both_ways_give_the_eck_id_that_the_source_leaves_out() -> None:
    known = record()
    keys = KeyIds({"@key": "las-key"}, "@key")
    eck = leaf(category=Category.PUPIL_NUMBER, field_class=FieldClass.ID)
    here = SubjectPosition("", Person.PUPIL, "record", "@eck", None, keys)
    known = replace(known, fields=Branch({"@eck": eck, **known.fields.fields}), subjects=(here,))
    anne = replace(xml.ANNE, ids={**xml.ANNE.ids, ECK_ID: "https://ketenid.nl/1"})
    granted = {**xml.grants(), "@eck": Grant("@eck", "needed", Transform.PSEUDONYM)}
    for body in (listed(xml.text()), listed(xml.text().replace("<pupil ", '<pupil eck="" '))):
        made = [xml.bench(granted, [anne], record=known, method=PseudonymMethod.ECK_ID) for _ in range(2)]
        assert lane_takes(made[0], xml.text())
        assert b"ketenid" in told(made[0], body)[0]
        assert told(made[0], body) == told(long(made[1]), body)


def test_an_id_as_the_source_has_it_that_is_the_pupils_number_leaves_on_neither_way() -> None:
    anne = replace(xml.ANNE, ids={"las-key": "123456782"}, numbers=frozenset({build.Roster().digest("123456782")}))
    body = listed(xml.text(key="123456782"))
    made = [bench(xml.grants("@key"), people=[anne]) for _ in range(2)]
    assert b"123456782" not in told(made[0], body)[0]
    assert told(made[0], body) == told(long(made[1]), body)


@pytest.mark.parametrize("more", ["", "<name>Bea</name>", "<note>12345678</note>", "<vreemd>kanarie</vreemd>"])
def test_a_record_of_which_little_is_asked_is_the_same_both_ways(more: str) -> None:
    inner = "".join(f"<note>{number}</note><contact><value>{number}</value></contact>" for number in range(20))
    body = listed(xml.text(inner + more), xml.text(inner, key="las-2"))

    straight = told(bench(xml.grants()), body)

    assert straight == told(long(bench(xml.grants())), body)
    assert straight is None or b"kanarie" not in straight[0]
