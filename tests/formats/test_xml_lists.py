"""A document of lists of which the items are written straight is the document that is built whole, to the letter; and
most items do go the straight way."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.core.facts import CourtOrder, Facts
from gateway.core.model import Category, Person, PseudonymMethod, Transform
from gateway.core.policy.schema import Branch, Hidden, Many
from gateway.core.policy.terms import Delivery, Grant
from gateway.core.reasons import Reason
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import EnvelopeBroken, Share
from gateway.core.release.sight import Seen
from gateway.core.release.texts import Malformed
from gateway.formats.xml import Left, Names, XmlItems, XmlItemsFile, XmlMinimiser, document_of, leaving, named_in
from gateway.formats.xml.item_lane import Item, item_lanes
from gateway.formats.xml.plan import Element, Value
from gateway.formats.xml.straight import Unusual
from tests import builders_formats as build
from tests.builders_uwlr import SPACE, Bench, bench
from tests.policy.shipped import schemas
from tests.simulators.facts import SimulatedFacts

SCHEMA = "uwlr-2-2"
ANNE = replace(build.pupil(1), ids={"las-key": "l1"}, groups=frozenset({"g1"}))
BEN = replace(build.pupil(2), ids={"las-key": "l2"}, numbers=frozenset({build.Roster().digest("111222333")}))
COR = replace(build.pupil(3, year=2), ids={"las-key": "l3"})  # not in this delivery
DIRK = replace(build.pupil(11), person=Person.STAFF, ids={"neppi": "t1"})
PEOPLE = [ANNE, BEN, COR, DIRK]
BORN_ELSEWHEN = Facts(birth=date(2014, 1, 1))
NOT_BORN = Facts(court_orders=(CourtOrder(categories=frozenset({Category.BIRTH_DATE})),))
NOT_GROUPED = Facts(court_orders=(CourtOrder(categories=frozenset({Category.ORGANISATION})),))
WIDE = (
    "school.schooljaar", "vestigingen.vestiging.@key", "vestigingen.vestiging.naam", "groepen.groep.@key",
    "groepen.groep.naam", "groepen.groep.jaargroep", "groepen.samengestelde_groep.@key",
    "groepen.samengestelde_groep.naam", "leerlingen.leerling.achternaam", "leerlingen.leerling.voornamen",
    "leerlingen.leerling.roepnaam", "leerlingen.leerling.geboortedatum", "leerlingen.leerling.groep.@key",
    "leerlingen.leerling.samengestelde_groepen.samengestelde_groep.@key", "leerlingen.leerling.vestiging.@key",
    "leerkrachten.leerkracht.achternaam", "leerkrachten.leerkracht.roepnaam",
    "leerkrachten.leerkracht.groepen.groep.@key", "leerkrachten.leerkracht.groepen.groep.rol",
)  # fmt: skip
SLOTS = "leerlingen.leerling.@key", "leerkrachten.leerkracht.@key"
PARTS = (
    None,
    frozenset({"school", "vestigingen", "groepen"}),
    frozenset({"school", "leerlingen"}),
    frozenset({"school", "leerkrachten"}),
)


@cache
def minimiser(kind: str, *, whole: bool) -> tuple[XmlMinimiser, Delivery]:
    """`kind`: of a shipped template, or the method by which nearly everything leaves as it is. `whole`: without the
    straight way."""
    if kind in {"none", "hmac"}:
        method, record = PseudonymMethod(kind), schemas()[SCHEMA].records["leerlinggegevens"]
        slot = Grant("", "needed", Transform.KEEP if kind == "none" else Transform.PSEUDONYM)
        granted = build.keep(*WIDE) | {path: replace(slot, path=path) for path in SLOTS}
        terms = build.delivery({record.name: granted}, method=method, years=frozenset({1}))
        projection = compile_projection(record, granted, method)
        found = XmlMinimiser(projection, schemas()[SCHEMA].namespaces)
    else:
        shipped = bench(kind, SCHEMA, ())
        found, terms = shipped.minimiser, shipped.sight.delivery
    found._of_lists_alone = not whole
    return found, terms


def made(kind: str, facts: SimulatedFacts | None = None, *, whole: bool = False) -> Bench:
    found, terms = minimiser(kind, whole=whole)
    return Bench(found, build.sight(terms, PEOPLE, facts=facts))


def told(on: Bench, body: str, parts: frozenset[str] | None = None) -> Any:
    emission = Emission(on.sight)
    try:
        if parts is None:
            found = on.minimiser.minimise(body.encode(), emission, many=False)
        else:
            found = on.minimiser.part(etree.fromstring(body), emission, f"{{{SPACE}}}antwoord", parts)
    except EnvelopeBroken:
        return None
    said = (emission.released, sorted_withheld(emission), emission.partial, emission.held, emission.unresolved)
    return found.body, found.records, found.malformed, dict(emission.faults), said, sorted(map(repr, emission.issued))


def sorted_withheld(emission: Emission) -> Any:
    return sorted((subject.id, reasons) for subject, reasons in emission.withheld)


# -- documents ----------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["Anne", " a ", "a&amp;b", "x &lt; y", "", "111222333", "12345678", "2015-03-01", "5", "5a", "<b/>", "é", "&#13;"]
)
KEYS = st.sampled_from(["g1", "g2", "g3", "s1", "", " g1", "a&quot;b"])
NOISE = st.sampled_from(["", "<x>kanarie</x>", "<fotourl>kanarie</fotourl>", "<!-- kanarie -->", "<?a kanarie?>"])


def field(*names: str) -> st.SearchStrategy[str]:
    return st.builds(lambda name, text: f"<{name}>{text}</{name}>", st.sampled_from(names), WORDS)


def named(tag: str, keys: st.SearchStrategy[str], inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda key, text: f'<{tag} key="{key}">{text}</{tag}>', keys, inner)


def several(one: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(one, max_size=most).map("".join)


def within(tag: str, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return inner.map(lambda text: f"<{tag}>{text}</{tag}>")


GROUP = named(
    "groep", KEYS, st.just("<naam>5a</naam><jaargroep>5</jaargroep>") | several(field("naam", "jaargroep"), 3)
)
CROSSING = named("samengestelde_groep", KEYS, st.just("<naam>x</naam>") | several(field("naam", "omschrijving"), 2))
PLACE = named("vestiging", KEYS, st.just("<naam>Noord</naam>") | several(field("naam"), 2))
REFERS = named("groep", KEYS, st.just(""))
CROSSES = within("samengestelde_groepen", several(named("samengestelde_groep", KEYS, st.just("")), 3))
ORDINARY = st.just(
    "<achternaam>Jansen</achternaam><roepnaam>Naam</roepnaam><geboortedatum>2015-03-01</geboortedatum>"
    '<groep key="g1"/><bsn>123456782</bsn>'
)
FIELDS = field("achternaam", "roepnaam", "voornamen", "geboortedatum", "geslacht", "jaargroep", "bsn")
PUPIL = named(
    "leerling",
    st.sampled_from(["l1", "l2", "l3", "l9", ""]),
    st.tuples(ORDINARY, st.just("") | CROSSES | named("vestiging", KEYS, st.just("")) | FIELDS, NOISE).map("".join)
    | several(FIELDS | REFERS | CROSSES | NOISE, 5),
)
TEACHES = within("groepen", several(named("groep", KEYS, st.just("") | field("rol")) | CROSSING, 2))
TEACHER = named("leerkracht", st.sampled_from(["t1", "t9"]), several(field("achternaam", "roepnaam") | TEACHES, 3))
SCHOOL = within("school", st.just("<schooljaar>2024-2025</schooljaar>") | several(field("schooljaar", "auteur"), 2))
DOCUMENT = st.tuples(
    st.lists(st.sampled_from(range(6)), max_size=2),  # parts that are left out, twice or in another place
    st.booleans(),
    SCHOOL,
    within("vestigingen", several(PLACE, 2)) | st.just(""),
    within("groepen", several(GROUP | CROSSING | NOISE, 4)),
    within("leerlingen", several(PUPIL, 4)),
    within("leerkrachten", several(TEACHER, 2)) | st.just(""),
)

KNOWN = "<achternaam>Jansen</achternaam><roepnaam>Naam</roepnaam><groep key='g1'/></leerling>"
IN_ORDER = st.tuples(
    st.just([]),
    st.just(False),
    st.just("<school><schooljaar>2024-2025</schooljaar></school>"),
    within("vestigingen", several(PLACE, 1)) | st.just(""),
    within("groepen", several(GROUP | CROSSING | NOISE, 4)),
    within("leerlingen", several(PUPIL, 4).map(lambda text: f"{text}<leerling key='l1'>{KNOWN}")),
    within("leerkrachten", several(TEACHER, 2)) | st.just(""),
)


def written(drawn: tuple[Any, ...]) -> str:
    odd, twice, *parts = drawn
    for number in odd:
        part = parts.pop(number % len(parts))
        parts += [part, part] if twice else []
    return f'<leerlinggegevens xmlns="{SPACE}">{"".join(parts)}</leerlinggegevens>'


KINDS = st.sampled_from(["uwlr-smalle-set", "uwlr-lvs-set", "none", "hmac"])
FACTS = st.sampled_from([{}, {ANNE.id: BORN_ELSEWHEN}, {ANNE.id: NOT_BORN}, {ANNE.id: NOT_GROUPED, BEN.id: NOT_BORN}])


@settings(max_examples=400, deadline=None)
@given(document=DOCUMENT.map(written), kind=KINDS, facts=FACTS, parts=st.sampled_from(PARTS))
def test_both_ways_give_the_same(document: str, kind: str, facts: Any, parts: frozenset[str] | None) -> None:
    known = SimulatedFacts(facts)

    straight = told(made(kind, known), document, parts)

    assert straight == told(made(kind, known, whole=True), document, parts)
    assert straight is None or b"kanarie" not in straight[0]


def in_pieces(on: Bench, body: bytes, size: int) -> tuple[bytes, list[Emission]]:
    """Of so many items each, as parts of their own."""
    record, left = schemas()[SCHEMA].records["leerlinggegevens"], Left()
    file = XmlItemsFile(record, Names(schemas()[SCHEMA].namespaces), 100_000)
    rows: list[tuple[str, bytes]] = []
    emissions: list[Emission] = []
    head = b""
    items = file.feed(body) + file.close()
    for at in range(0, len(items), size):
        emissions.append(Emission(on.sight))
        made = XmlItems(on.minimiser).minimise(file.piece(items[at : at + size]), emissions[-1], left, TOLERANT)
        left.recall(on.minimiser.sections, made.rows)
        rows += made.rows
        head = made.head
    leave = sorted(leaving(rows, named_in(rows)), key=itemgetter(0))
    return b"".join(document_of((row for _, row in leave), head)), emissions


TOLERANT = Share(tolerated=100)


@settings(max_examples=400, deadline=None)
@given(document=IN_ORDER.map(written), kind=KINDS, facts=FACTS, size=st.integers(1, 6))
def test_document_in_pieces_is_the_whole_one_and_each_piece_says_who_is_in_it(
    document: str, kind: str, facts: Any, size: int
) -> None:
    on = made(kind, SimulatedFacts(facts))
    whole, emission = None, Emission(on.sight)
    with suppress(EnvelopeBroken):
        whole = on.minimiser.minimise(document.encode(), emission, many=False)
    assume(whole is not None and whole.body)
    assert whole is not None

    body, emissions = in_pieces(on, document.encode(), size)

    assert etree.canonicalize(body.decode()) == etree.canonicalize(whole.body.decode())
    assert {one for each in emissions for one in each.released} == set(emission.released)
    assert {one for each in emissions for one, _ in each.withheld} >= {one for one, _ in emission.withheld}


# -- the straight way -----------------------------------------------------------------------------------------

SCHOOL_PART = "<school><schooljaar>2024-2025</schooljaar></school>"
GROUPS = (
    '<groepen><groep key="g1"><naam>5a</naam><jaargroep>5</jaargroep></groep>'
    '<groep key="g2"><naam>5b</naam><jaargroep>5</jaargroep></groep></groepen>'
)


def pupil(inner: str = '<groep key="g1"/>', key: str = "l1", name: str = "Jansen") -> str:
    return f'<leerling key="{key}"><achternaam>{name}</achternaam><roepnaam>Naam</roepnaam>{inner}</leerling>'


def document(*pupils: str, groups: str = GROUPS) -> str:
    inner = f"{SCHOOL_PART}{groups}<leerlingen>{''.join(pupils)}</leerlingen>"
    return f'<leerlinggegevens xmlns="{SPACE}">{inner}</leerlinggegevens>'


def on_lane(on: Bench, path: str, item: str) -> Item | Seen | None:
    """What the straight way makes of an item; None where it leaves that to the builder."""
    lane = on.minimiser._lists(on.sight.today).lanes[path]
    element = etree.fromstring(f'<x xmlns="{SPACE}">{item}</x>')[0]
    try:
        return lane.item(element, Emission(on.sight), lambda: pytest.fail("nothing is suspect"))
    except (Unusual, Malformed):
        return None


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("leerlingen.leerling", pupil()),
        ("groepen.groep", '<groep key="g1"><naam>5a</naam><jaargroep>5</jaargroep></groep>'),
        ("leerkrachten.leerkracht", '<leerkracht key="t1"><groepen><groep key="g1"/></groepen></leerkracht>'),
    ],
)
@pytest.mark.parametrize("template", ["uwlr-smalle-set", "uwlr-lvs-set"])
def test_an_ordinary_item_goes_the_straight_way(template: str, path: str, item: str) -> None:
    assert isinstance(on_lane(made(template), path, item), Item)


@pytest.mark.parametrize(
    "inner", ["<roepnaam>x</roepnaam>", "<geboortedatum>x</geboortedatum>", "<groep/>", "<voornamen><b/></voornamen>"]
)
def test_an_item_that_is_out_of_the_ordinary_is_the_builders(inner: str) -> None:
    assert on_lane(made("hmac"), "leerlingen.leerling", pupil(inner)) is None


def test_who_is_withheld_stays_behind_alone() -> None:
    found, emission = made("hmac").run(document(pupil(), pupil(key="l3")).encode())

    assert found.body.count(b"<leerling ") == 1
    assert [subject for subject, _ in emission.withheld] == [COR]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("kind", ["uwlr-smalle-set", "hmac"])
def test_who_is_told_to_be_born_on_another_day_than_the_school_recorded_waits(kind: str, *, whole: bool) -> None:
    """R109: the record may be another pupil's."""
    facts = SimulatedFacts({one.id: Facts(birth=date(2015, 3, 1)) for one in (ANNE, BEN)})
    said = {"l1": "2015-03-01", "l2": "2015-03-02"}
    pupils = [pupil(f"<geboortedatum>{day}</geboortedatum>", key) for key, day in said.items()]

    found, emission = made(kind, facts, whole=whole).run(document(*pupils).encode())

    assert found.body.count(b"<leerling ") == 1
    assert emission.withheld == ((BEN, (Reason.FACTS_CONTRADICTED,)),)
    assert emission.held == ((BEN, Reason.FACTS_CONTRADICTED),)


def test_a_number_of_a_pupil_in_the_document_is_held_back_on_the_straight_way_too() -> None:
    found, emission = made("hmac").run(document(pupil(key="l2", name="Jansen 111222333")).encode())

    assert b"111222333" not in found.body
    assert [subject for subject, _ in emission.partial] == [BEN]


def test_what_refers_to_nothing_goes_and_a_group_of_nobody_too() -> None:
    found, _ = made("none").run(document(pupil('<groep key="g1"/>'), pupil('<groep key="g7"/>', "l2")).encode())

    root = etree.fromstring(found.body)
    assert [one.findtext("{*}naam") for one in root.iterfind("{*}groepen/{*}groep")] == ["5a"]
    assert len(root.findall("{*}leerlingen/{*}leerling")) == 2
    assert len(root.findall("{*}leerlingen/{*}leerling/{*}groep")) == 1


@pytest.mark.parametrize("whole", [True, False])
def test_group_of_which_no_pupil_leaves_stays_behind_whoever_teaches_it(*, whole: bool) -> None:
    """R8: beside pupils a teacher does not make a group one of this delivery."""
    pupils = pupil('<groep key="g1"/>'), pupil('<groep key="g2"/>', "l3")
    teaches = '<groepen><groep key="g1"/><groep key="g2"/></groepen>'
    teacher = f'<leerkracht key="t1"><achternaam>Jansen</achternaam><roepnaam>Naam</roepnaam>{teaches}</leerkracht>'
    body = document(*pupils).replace("</leerlingen>", f"</leerlingen><leerkrachten>{teacher}</leerkrachten>")

    found, emission = made("none", whole=whole).run(body.encode())

    root = etree.fromstring(found.body)
    assert [one.findtext("{*}naam") for one in root.iterfind("{*}groepen/{*}groep")] == ["5a"]
    assert len(root.findall("{*}leerkrachten/{*}leerkracht/{*}groepen/{*}groep")) == 1
    assert set(emission.released) == {ANNE, DIRK}


@pytest.mark.parametrize("whole", [True, False])
def test_message_of_teachers_alone_names_no_group_of_which_no_pupil_is_in_the_delivery(*, whole: bool) -> None:
    """R8: there the roster tells who is in it."""
    teaches = '<groepen><groep key="g1"/><groep key="g2"/></groepen>'
    teacher = f'<leerkracht key="t1"><achternaam>Jansen</achternaam><roepnaam>Naam</roepnaam>{teaches}</leerkracht>'
    body = f'<leerlinggegevens xmlns="{SPACE}">{SCHOOL_PART}<leerkrachten>{teacher}</leerkrachten></leerlinggegevens>'
    on = made("none", whole=whole)

    found = on.minimiser.part(etree.fromstring(body), Emission(on.sight), f"{{{SPACE}}}x", PARTS[3])

    named = etree.fromstring(found.body).findall("{*}leerkrachten/{*}leerkracht/{*}groepen/{*}groep")
    assert [one.get("key") for one in named] == [on.sight.thing("group", "g1")]


def optional(*, item: bool) -> tuple[XmlMinimiser, Delivery]:
    """Of teachers only their groups leave; nothing of a teacher is required, nor (`item`) that there is one."""
    record = schemas()[SCHEMA].records["leerlinggegevens"]
    part = record.fields.fields["leerkrachten"]
    assert isinstance(part, Branch)
    listed = part.fields["leerkracht"]
    assert isinstance(listed, Many)
    assert isinstance(listed.item, Branch)
    inner = {name: replace(one, required=False) for name, one in listed.item.fields.items()}
    free = replace(listed, item=replace(listed.item, fields=inner), required=item)
    parts = {**record.fields.fields, "leerkrachten": replace(part, fields={"leerkracht": free})}
    record = replace(record, fields=replace(record.fields, fields=parts))
    told = [path for path in WIDE if not path.startswith("leerkrachten")]
    granted = build.keep(*told, SLOTS[0], "leerkrachten.leerkracht.groepen.groep.@key")
    terms = build.delivery({record.name: granted}, method=PseudonymMethod.NONE, years=frozenset({1}))
    projection = compile_projection(record, granted, PseudonymMethod.NONE)
    return XmlMinimiser(projection, schemas()[SCHEMA].namespaces), terms


@pytest.mark.parametrize("item", [True, False])
def test_who_only_refers_to_what_is_not_there_stays_behind(*, item: bool) -> None:
    found, terms = optional(item=item)
    teacher = '<leerkrachten><leerkracht key="t1"><groepen><groep key="g7"/></groepen></leerkracht></leerkrachten>'
    body = document(pupil()).replace("</leerlingen>", f"</leerlingen>{teacher}")

    left, emission = Bench(found, build.sight(terms, PEOPLE)).run(body.encode())

    assert b"leerkracht" not in left.body
    assert (emission.released, dict(emission.withheld)) == ((ANNE,), {DIRK: (Reason.NOT_AVAILABLE,)})


@pytest.mark.parametrize("whole", [True, False])
def test_item_of_which_nothing_is_left_and_that_need_not_be_there_is_not(*, whole: bool) -> None:
    found, terms = optional(item=False)
    found._of_lists_alone = not whole
    teacher = '<leerkrachten><leerkracht key="t1"/></leerkrachten>'
    body = document(pupil()).replace("</leerlingen>", f"</leerlingen>{teacher}")

    left, _ = Bench(found, build.sight(terms, PEOPLE)).run(body.encode())

    assert b"leerkracht" not in left.body


def test_who_of_whom_less_leaves_goes_the_straight_way_without_it() -> None:
    facts = SimulatedFacts({ANNE.id: NOT_BORN})
    item = on_lane(made("hmac", facts), "leerlingen.leerling", pupil("<geboortedatum>2015-03-01</geboortedatum>"))

    assert isinstance(item, Item)
    assert b"geboortedatum" not in item.body


def test_items_of_whom_some_may_be_secret_have_no_straight_way() -> None:
    on = made("hmac").minimiser
    plan = on.plan(frozenset(), date(2026, 11, 1))
    assert plan is not None
    secret = [replace(one, content=_hidden(one.content)) for one in plan.root.steps]

    assert item_lanes(plan, on._source, frozenset())
    assert not item_lanes(replace(plan, root=replace(plan.root, steps=tuple(secret))), on._source, frozenset())


def _hidden(content: Value | Element) -> Value | Element:
    assert isinstance(content, Element)
    return replace(content, steps=tuple(replace(one, hidden=Hidden(("secret",))) for one in content.steps))
