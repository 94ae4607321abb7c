"""What leaves of a record in XML: exactly what is granted, in the order of the schema, and valid (house rule 2)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import date
from hashlib import sha256

import pytest
from lxml import etree

from gateway.core.facts import Document, Facts
from gateway.core.model import Category, FieldClass, Person, PseudonymMethod, Transform
from gateway.core.policy.schema import Branch, KeyIds, Many, Node, Record, SubjectPosition
from gateway.core.policy.terms import Aggregate, Grant
from gateway.core.reasons import Reason
from gateway.core.release.circle import Circle
from gateway.core.release.classified import of_text
from gateway.core.release.compiler import DeliveryRefused, compile_projection
from gateway.core.release.masking import Mask
from gateway.core.release.minimised import EnvelopeBroken
from gateway.core.release.projection import Leaf
from gateway.core.release.text_guard import Guard
from gateway.formats.xml import Limits, XmlMinimiser
from tests import builders_formats as build
from tests import builders_xml as xml
from tests.builders_csv import leaf
from tests.simulators.facts import SimulatedFacts

CONTENT = b64encode(b"a report").decode()
HMAC = PseudonymMethod.HMAC
SUPPORT = "support.aim", "support.file.name", "support.file.content"


def support(*, demand: str = "OPTIONAL") -> str:
    return (
        f"<has-support>{demand}</has-support><support><aim>read</aim>"
        f"<file><name>r.pdf</name><content>{CONTENT}</content></file></support>"
    )


def classified(field_class: FieldClass = FieldClass.SUPPORT, *, content: bytes = b"a report") -> SimulatedFacts:
    document = Document(sha256(content).digest(), "toegang", field_class)
    return SimulatedFacts({xml.ANNE.id: Facts(documents=(document,))})


# -- the allow-list ------------------------------------------------------------------------------------------


def test_what_is_not_granted_stays_behind() -> None:
    inner = "<born>2015-03-01</born><year>3</year><unknown>secret</unknown><place><street>Dam</street></place>"
    assert xml.shape(xml.released(xml.text(inner))) == ["pupil", "name", "Anne", "filled", "-", "grade", "8"]


def test_a_granted_attribute_leaves_and_others_do_not() -> None:
    body = xml.text('<place><street>Dam</street><land name="Nederland" more="x">6030</land></place>')
    out = xml.released(body, "place.street", "place.land.#text", "place.land.@name")
    assert xml.shape(out)[5:11] == ["place", "street", "Dam", "land", "@name=Nederland", "6030"]


def test_an_element_of_another_namespace_is_not_the_one_of_the_schema() -> None:
    out = xml.released(xml.text('<y:year xmlns:y="urn:other">3</y:year><year xmlns="">4</year>'), "year")
    assert "3" not in xml.shape(out)
    assert "4" not in xml.shape(out)


def test_a_name_with_a_prefix_of_the_schema_leaves_whatever_prefix_the_source_has() -> None:
    body = xml.text('<grade>8</grade><q:extra xmlns:q="urn:example:extra">yes</q:extra>', grade="")
    out = xml.released(body, "x:extra")
    assert out.findtext("{urn:example:extra}extra") == "yes"


def test_comments_instructions_and_stray_text_stay_behind() -> None:
    out = xml.released(xml.text("stray<!-- secret --><year>3</year><?php secret?>more"), "year")
    assert xml.shape(out)[5:7] == ["year", "3"]
    assert b"secret" not in etree.tostring(out)
    assert b"stray" not in etree.tostring(out)


def test_a_type_that_the_source_names_itself_stays_behind() -> None:
    said = '<year xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="other">3</year>'
    out = xml.released(xml.text(said), "year")
    assert b"type" not in etree.tostring(out)


def test_fields_leave_in_the_order_of_the_schema() -> None:
    out = xml.released(xml.text("<new>true</new><year>3</year>"), "year", "new")
    assert xml.shape(out)[5:9] == ["year", "3", "new", "true"]


def test_each_of_a_repeated_element_leaves() -> None:
    contacts = "<contact><value>1</value></contact><contact><value>2</value></contact>"
    assert [one.text for one in xml.released(xml.text(contacts), "contact.value").iter("{*}value")] == ["1", "2"]


def test_rows_that_repeat_keep_their_order() -> None:
    rows = "<marks><what>a</what><mark>1</mark><mark>2</mark><what>b</what><mark>3</mark></marks>"
    out = xml.released(xml.text(rows), "marks.what", "marks.mark")
    assert xml.shape(out)[5:16] == ["marks", "what", "a", "mark", "1", "mark", "2", "what", "b", "mark", "3"]


def test_a_transform_changes_what_leaves() -> None:
    granted = {**xml.grants(), "born": Grant("born", "needed", Transform.YEAR)}
    out, _ = xml.bench(granted).run(xml.text("<born>2015-03-01</born>"))
    assert b"<born>2015-01-01</born>" in out.body


# -- what the standard demands -------------------------------------------------------------------------------


def test_a_required_field_that_is_not_granted_refuses_the_delivery() -> None:
    with pytest.raises(DeliveryRefused, match=r"place\.street is required"):
        xml.bench(xml.grants("place.land.#text"))


def test_one_of_a_choice_is_enough() -> None:
    with pytest.raises(DeliveryRefused, match="required"):
        xml.bench(build.keep("name"))
    out, _ = xml.bench(build.keep("name", "word")).run(xml.text(grade="<word>good</word>"))
    assert b"<word>good</word>" in out.body


def test_a_choice_of_which_the_other_is_not_granted_leaves_nothing_that_could_not_validate() -> None:
    found, emission = xml.bench(build.keep("name", "word")).run(xml.text())
    assert (found.body, found.records) == (b"", 0)
    assert emission.withheld == ((xml.ANNE, (Reason.NOT_AVAILABLE,)),)


def test_two_of_a_choice_are_malformed() -> None:
    found, emission = xml.bench(xml.grants()).run(xml.text(grade="<grade>8</grade><word>good</word>"))
    assert (found.body, found.malformed) == (b"", 1)
    assert emission.withheld == ((xml.ANNE, (Reason.RECORD_MALFORMED,)),)


def test_a_filler_stands_where_the_standard_wants_something() -> None:
    assert xml.released(xml.text()).findtext("{*}filled") == "-"
    out, _ = xml.bench(xml.grants("filled")).run(xml.text())
    assert b"<filled>f</filled>" in out.body


def test_an_unclassified_document_goes_with_its_own_element_alone() -> None:
    found, emission = xml.bench(xml.grants(*SUPPORT)).run(xml.text(support()))
    assert [etree.QName(one).localname for one in etree.fromstring(found.body).iterfind("{*}support/*")] == ["aim"]
    assert emission.partial == ((xml.ANNE, (("support.file.content", Reason.DOCUMENT_NOT_CLASSIFIED),)),)
    assert found.documents == 1


def test_a_document_that_a_person_classified_leaves() -> None:
    out, _ = xml.bench(xml.grants(*SUPPORT), facts=classified()).run(xml.text(support()))
    assert CONTENT.encode() in out.body
    assert out.documents == 0


@pytest.mark.parametrize(
    "facts",
    [
        classified(content=b"another"),
        classified(FieldClass.MEDICAL),
        classified(FieldClass.PSYCHOLOGICAL_REPORT),
        classified(FieldClass.CONFIDENTIAL),
        SimulatedFacts({xml.BEN.id: classified().about(xml.ANNE.id)}),
    ],
)
def test_a_document_stays_behind_unless_classified_as_free_for_this_pupil(facts: SimulatedFacts) -> None:
    out, _ = xml.bench(xml.grants(*SUPPORT), facts=facts).run(xml.text(support()))
    assert out.records == 1
    assert CONTENT.encode() not in out.body


def test_a_flag_keeps_what_the_source_says_of_a_part_that_leaves() -> None:
    out = xml.released(xml.text(support()), "has-support", "support.aim")
    assert out.findtext("{*}has-support") == "OPTIONAL"


def test_a_flag_tells_that_its_part_was_left_out() -> None:
    out = xml.released(xml.text(support()), "has-support")
    assert out.findtext("{*}has-support") == "LEFT-OUT"
    assert out.find("{*}support") is None


def test_a_part_that_the_standard_demands_and_nobody_granted_holds_the_record_back() -> None:
    found, emission = xml.bench(xml.grants("has-support")).run(xml.text(support(demand="DEMANDED")))
    assert found.body == b""
    assert emission.withheld == ((xml.ANNE, (Reason.FORMAT_DEMANDS_MORE,)),)


@pytest.mark.parametrize("said", ["LEFT-OUT", "FORBIDDEN"])
def test_a_part_that_the_source_says_is_not_there_stays_behind_when_it_is(said: str) -> None:
    out = xml.released(xml.text(support(demand=said)), "has-support", "support.aim")
    assert out.findtext("{*}has-support") == said
    assert out.find("{*}support") is None


def test_a_secret_address_stays_behind_whether_the_mark_is_granted_or_not() -> None:
    for mark in ("true", "1", "True", "ja", "J", "on", "<b/>true", "<value>true</value>"):
        out = xml.released(xml.text(f"<secret>{mark}</secret><place><street>Dam</street></place>"), "place.street")
        assert out.find("{*}place") is None
    for mark in ("false", " 0 ", ""):
        out = xml.released(xml.text(f"<secret>{mark}</secret><place><street>Dam</street></place>"), "place.street")
        assert out.findtext("{*}place/{*}street") == "Dam"


def test_a_secret_number_leaves_as_the_neutral_one_of_its_kind() -> None:
    said = (
        "<contact><kind>phone</kind><hush>true</hush><value>06</value></contact>"
        "<contact><kind>mail</kind><hush>true</hush><value>a@b.example</value></contact>"
        "<contact><kind>mail</kind><hush>false</hush><value>c@d.example</value></contact>"
    )
    out = xml.released(xml.text(said), "contact.value")
    assert [one.text for one in out.iter("{*}value")] == ["0000", "none@none.example", "c@d.example"]


# -- what the source wrote otherwise than the schema says ----------------------------------------------------


@pytest.mark.parametrize(
    "inner",
    [
        "<year>three</year>",
        "<year>3.5</year>",
        "<size>1e5</size>",
        "<new>yes</new>",
        "<born>01-03-2015</born>",
        "<born>2015-02-31</born>",
        "<code>abc</code>",
        "<sort>c</sort>",
        "<year>3</year><year>4</year>",
        "<year><deep>3</deep></year>",
        "<place><land>1</land></place>",
    ],
)
def test_a_record_unlike_its_schema_is_withheld_whole(inner: str) -> None:
    paths = "year", "size", "new", "born", "code", "sort", "place.street", "place.land.#text"
    found, emission = xml.bench(xml.grants(*paths)).run(xml.text(inner))
    assert (found.body, found.malformed) == (b"", 1)
    assert emission.withheld == ((xml.ANNE, (Reason.RECORD_MALFORMED,)),)


def test_a_field_that_is_not_granted_is_not_judged() -> None:
    assert xml.released(xml.text("<year>three</year>")).findtext("{*}name") == "Anne"


def test_a_number_and_a_day_leave_as_they_were_written() -> None:
    inner = "<born> 2015-03-01+01:00 </born><year>007</year><size>+1.50</size><new> 1 </new>"
    out = xml.released(xml.text(inner), "born", "year", "size", "new")
    assert [one.text for one in out][2:6] == ["2015-03-01", "007", "+1.50", "1"]


def test_a_text_longer_than_the_limit_is_malformed() -> None:
    bench = xml.bench(xml.grants("x:extra"), limits=Limits(text=10))
    assert bench.run(xml.text(grade="<grade>8</grade><x:extra>12345678901</x:extra>"))[0].malformed == 1
    assert bench.run(xml.text(grade="<grade>8</grade><x:extra>1234567890</x:extra>"))[0].malformed == 0


# -- who it is about -----------------------------------------------------------------------------------------


def test_a_pseudonym_stands_in_the_slot_of_the_own_key() -> None:
    granted = {**xml.grants(), **build.changed(Transform.PSEUDONYM, "@key")}
    bench = xml.bench(granted, method=PseudonymMethod.HMAC)
    found, emission = bench.run(xml.text())
    key = etree.fromstring(found.body).get("key")
    assert key == emission.pseudonym(xml.ANNE)
    assert [one.pseudonym for one in emission.issued] == [key]


def test_the_own_key_leaves_as_it_is_by_a_recorded_deviation() -> None:
    out, _ = xml.bench(xml.grants("@key")).run(xml.text())
    assert etree.fromstring(out.body).get("key") == "las-1"


def test_an_unknown_pupil_stays_behind() -> None:
    found, emission = xml.bench(xml.grants()).run(xml.text(key="nobody"))
    assert (found.body, emission.unresolved) == (b"", 1)


def test_a_pupil_is_found_by_the_national_number() -> None:
    anne = replace(xml.ANNE, ids={"las-key": "las-1", "bsn": "123456782"})
    body = xml.text("<bsn>123456782</bsn>", key="")
    assert xml.bench(xml.grants(), [anne]).run(body)[0].records == 1


def test_a_record_with_the_number_of_another_is_nobodys() -> None:
    anne = replace(xml.ANNE, numbers=frozenset({build.Roster().digest("123456782")}))
    found, emission = xml.bench(xml.grants(), [anne]).run(xml.text("<bsn>111222333</bsn>"))
    assert (found.body, emission.unresolved) == (b"", 1)
    assert xml.bench(xml.grants(), [anne]).run(xml.text("<bsn>123456782</bsn>"))[0].records == 1


def test_another_birth_date_than_the_one_recorded_waits_for_a_person() -> None:
    facts = SimulatedFacts({xml.ANNE.id: Facts(birth=date(2014, 1, 1))})
    found, emission = xml.bench(xml.grants(), facts=facts).run(xml.text("<born>2015-03-01</born>"))
    assert found.body == b""
    assert emission.withheld == ((xml.ANNE, (Reason.FACTS_CONTRADICTED,)),)
    assert emission.held == ((xml.ANNE, Reason.FACTS_CONTRADICTED),)


def test_an_id_of_a_thing_leaves_as_the_recipients_own() -> None:
    found, emission = xml.bench(xml.grants("group")).run(xml.text("<group>5A</group>"))
    assert etree.fromstring(found.body).findtext("{*}group") == emission.sight.thing("group", "5A")


# -- what is in a value --------------------------------------------------------------------------------------


def test_the_pupils_own_number_does_not_leave_in_another_field() -> None:
    body = xml.text("<bsn>123456782</bsn><code>AB</code>", grade="<grade>8</grade><x:extra>123 456 782</x:extra>")
    found, emission = xml.bench(xml.grants("code", "x:extra")).run(body)
    assert b"782" not in found.body
    assert emission.partial == ((xml.ANNE, (("x:extra", Reason.BSN_NOT_ALLOWED),)),)


@pytest.mark.parametrize("many", [False, True])
def test_a_number_of_a_pupil_who_is_not_in_this_part_of_a_list_does_not_leave(many: bool) -> None:  # noqa: FBT001 - a parameter of the test
    ben = replace(xml.BEN, numbers=frozenset({build.Roster().digest("123456782")}))
    body = xml.text(grade="<grade>8</grade><x:extra>nr 123456782</x:extra>")
    body = f'<pupils xmlns="{xml.SPACE}">{body}</pupils>' if many else body
    found, emission = xml.bench(xml.grants("x:extra"), [xml.ANNE, ben]).run(body, many=many)
    assert (found.records, b"123456782" in found.body) == (1, False)
    assert emission.partial == ((xml.ANNE, (("x:extra", Reason.BSN_NOT_ALLOWED),)),)


def test_a_number_of_somebody_who_stands_in_a_list_does_not_leave_beside_them() -> None:
    anne = replace(xml.ANNE, numbers=frozenset({build.Roster().digest("123456782")}))
    group = xml.group()
    member = group.fields.fields["member"]
    assert isinstance(member, Many)
    assert isinstance(member.item, Branch)
    login = leaf(category=Category.NAME, field_class=FieldClass.DIRECT)
    fields = {**group.fields.fields, "member": Many(Branch({**member.item.fields, "login": login}))}
    made = xml.bench(build.keep("title", "member.login"), [anne, xml.BEN], record=replace(group, fields=Branch(fields)))
    body = (
        f'<group xmlns="{xml.SPACE}"><title>5A</title><member key="las-1"><login>123456782</login></member>'
        '<member key="las-2"><login>ben</login></member></group>'
    )
    found, emission = made.run(body)
    assert b"123456782" not in found.body
    assert b"ben" in found.body
    assert emission.partial == ((anne, (("member.login", Reason.BSN_NOT_ALLOWED),)),)


def test_a_number_that_stands_before_whoever_it_is_does_not_leave() -> None:
    anne = replace(xml.ANNE, numbers=frozenset({build.Roster().digest("123456782")}))
    group = xml.group()
    fields = {"by": leaf(category=Category.NAME, field_class=FieldClass.DIRECT), **group.fields.fields}
    made = xml.bench(build.keep("by", "title", "member.@key"), [anne], record=replace(group, fields=Branch(fields)))
    body = f'<group xmlns="{xml.SPACE}"><by>l123456782</by><title>5A</title><member key="las-1"/></group>'

    found, _ = made.run(body)

    assert found.records == 1
    assert b"123456782" not in found.body


@pytest.mark.parametrize("many", [False, True])
def test_an_id_that_leaves_as_the_source_has_it_is_no_national_number(many: bool) -> None:  # noqa: FBT001 - a parameter of the test
    anne = replace(xml.ANNE, ids={"las-key": "123456782"}, numbers=frozenset({build.Roster().digest("123456782")}))
    body = xml.text(key="123456782")
    body = f'<pupils xmlns="{xml.SPACE}">{body}</pupils>' if many else body
    found, emission = xml.bench(xml.grants("@key"), [anne]).run(body, many=many)
    assert (found.records, b"123456782" in found.body) == (1, False)
    assert emission.partial == ((anne, (("@key", Reason.BSN_NOT_ALLOWED),)),)


def test_a_text_leaves_without_the_names_in_it() -> None:
    granted = {**xml.grants(), **build.changed(Transform.MASK, "note")}
    found, _ = xml.bench(granted).run(xml.text("<note>Gisteren was Anne blij.</note>"))
    assert etree.fromstring(found.body).findtext("{*}note") == "Gisteren was [naam] blij."


def test_a_masked_text_beside_something_special_waits_for_a_person() -> None:
    granted = {**xml.grants(), **build.changed(Transform.MASK, "note")}
    found, emission = xml.bench(granted, special=True).run(xml.text("<note>Gisteren was Anne blij.</note>"))
    assert b"note" not in found.body
    assert emission.partial == ((xml.ANNE, (("note", Reason.FREE_TEXT_BLOCKED),)),)
    assert emission.held == ((xml.ANNE, Reason.FREE_TEXT_BLOCKED),)
    assert [one.shown for one in emission.waiting] == ["Gisteren was [naam] blij."]


def test_a_text_or_document_about_nobody_is_released_by_nobody() -> None:
    note = Leaf("note", "string", required=False, transform=Transform.MASK, field_class=FieldClass.FREE_TEXT)
    file = Leaf("file", "string", required=False, field_class=FieldClass.DOCUMENT)
    _, emission = xml.bench(xml.grants()).run(xml.text(""))
    guard = Guard(emission, (), lambda: Circle(Mask([]), frozenset()), special=True)
    assert guard.passed(note, "Gisteren.") is Reason.FREE_TEXT_BLOCKED
    assert guard.passed(file, CONTENT) is Reason.DOCUMENT_NOT_CLASSIFIED


def test_a_text_that_a_person_released_leaves_masked() -> None:
    granted = {**xml.grants(), **build.changed(Transform.MASK, "note")}
    released = Document(of_text("Gisteren was Anne blij."), "toegang", FieldClass.FREE_TEXT)
    facts = SimulatedFacts({xml.ANNE.id: Facts(documents=(released,))})
    found, _ = xml.bench(granted, special=True, facts=facts).run(xml.text("<note>Gisteren was Anne blij.</note>"))
    assert etree.fromstring(found.body).findtext("{*}note") == "Gisteren was [naam] blij."


# -- records about several -----------------------------------------------------------------------------------


def members(*keys: str) -> str:
    inner = "".join(f'<member key="{key}"><content>{CONTENT}</content></member>' for key in keys)
    return f'<group xmlns="{xml.SPACE}"><title>5A</title>{inner}</group>'


GROUP = {**build.keep("title"), **build.changed(Transform.PSEUDONYM, "member.@key")}


def test_member_of_a_group_who_is_withheld_goes_alone() -> None:
    bench = xml.bench(GROUP, record=xml.group(), method=PseudonymMethod.HMAC)
    found, emission = bench.run(members("las-1", "nobody", "las-2"))
    keys = [one.get("key") or "" for one in etree.fromstring(found.body).iterfind("{*}member")]
    assert keys == sorted([emission.pseudonym(xml.ANNE), emission.pseudonym(xml.BEN)])
    assert (emission.released, emission.unresolved) == ((xml.ANNE, xml.BEN), 1)


def test_group_of_which_nobody_leaves_is_none_of_the_recipients_business() -> None:
    bench = xml.bench(GROUP, record=xml.group(), method=PseudonymMethod.HMAC)
    assert bench.run(members("nobody"))[0].body == b""


def test_member_who_cannot_leave_whole_is_not_said_to_have_left() -> None:
    granted = {**GROUP, **build.keep("member.content")}
    bench = xml.bench(granted, record=xml.group(whole=True), method=PseudonymMethod.HMAC, facts=classified())
    found, emission = bench.run(members("las-1", "las-2"))
    assert (found.body, emission.released) == (b"", ())


# -- lists -----------------------------------------------------------------------------------------------------


def listed(*pupils: str) -> str:
    return f'<pupils xmlns="{xml.SPACE}">{"".join(pupils)}</pupils>'


def test_a_list_leaves_in_the_order_of_its_pseudonyms() -> None:
    people = [replace(build.pupil(n), ids={"las-key": f"las-{n}"}) for n in range(1, 20)]
    granted = {**xml.grants(), **build.changed(Transform.PSEUDONYM, "@key")}
    bench = xml.bench(granted, people, method=PseudonymMethod.HMAC)
    found, _ = bench.run(listed(*(xml.text(key=f"las-{n}") for n in range(1, 20))), many=True)
    keys = [one.get("key") or "" for one in etree.fromstring(found.body)]
    assert found.records == 19
    assert keys == sorted(keys)


def test_a_list_without_anybody_is_an_empty_list() -> None:
    found, emission = xml.bench(xml.grants()).run(listed(xml.text(key="nobody")), many=True)
    assert xml.shape(etree.fromstring(found.body)) == ["pupils"]
    assert (found.records, emission.unresolved) == (0, 1)


def library(*, turned: bool = False) -> Record:
    """Members, and what each lent; `turned`: in the other order, so that it is built whole."""
    key = leaf(category=Category.PUPIL_NUMBER, field_class=FieldClass.ID, required=True)
    members = Branch({"member": Many(Branch({"@key": key, "year": leaf("integer")}))})
    loans = Branch({"loan": Many(Branch({"@who": replace(key, refers="members.member.@key"), "book": leaf()}))})
    places = (("members.member", "@key"), ("loans.loan", "@who"))
    people = [
        SubjectPosition(at, Person.PUPIL, "item", None, None, KeyIds({own: "las-key"}, own)) for at, own in places
    ]
    fields: dict[str, Node] = {"loans": loans, "members": members} if turned else {"members": members, "loans": loans}
    return Record("library", Branch(fields), tuple(people), element="library")


LENT = (
    f'<library xmlns="{xml.SPACE}"><members><member key="las-1"><year>three</year></member>'
    '<member key="las-2"/></members>'
    '<loans><loan who="las-1"><book>a</book></loan><loan who="las-2"><book>b</book></loan></loans></library>'
)
IDS = build.changed(Transform.PSEUDONYM, "members.member.@key", "loans.loan.@who") | build.keep("loans.loan.book")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("method", [PseudonymMethod.HMAC, PseudonymMethod.NONE])
def test_what_refers_to_a_malformed_person_of_the_document_goes_too(method: PseudonymMethod, *, turned: bool) -> None:
    bench = xml.bench(IDS | build.keep("members.member.year"), record=library(turned=turned), method=method)
    found, emission = bench.run(LENT)
    out = etree.fromstring(found.body)
    assert [one.text for one in out.iter("{*}book")] == ["b"]
    assert len(list(out.iter("{*}member"))) == 1
    assert emission.malformed == 1
    ((who, why),) = emission.withheld
    assert (who, set(why)) == (xml.ANNE, {Reason.RECORD_MALFORMED, Reason.NOT_AVAILABLE})
    assert emission.released == (xml.BEN,)


def test_who_is_malformed_where_they_are_named_stays_where_they_are_described() -> None:
    body = LENT.replace("<year>three</year>", "").replace("<book>a</book>", "<book><a/></book>")
    found, emission = xml.bench(IDS, record=library(), method=HMAC).run(body)
    assert len(list(etree.fromstring(found.body).iter("{*}member"))) == 2
    assert (emission.malformed, len(emission.released)) == (1, 2)


@pytest.mark.parametrize("turned", [False, True])
def test_references_stay_where_nothing_that_leaves_describes_the_person(*, turned: bool) -> None:
    found, _ = xml.bench(
        {name: one for name, one in IDS.items() if "loan" in name}, record=library(turned=turned), method=HMAC
    ).run(LENT)
    assert [one.text for one in etree.fromstring(found.body).iter("{*}book")] in (["a", "b"], ["b", "a"])


def test_one_malformed_record_of_a_list_is_withheld_alone() -> None:
    bench = xml.bench(xml.grants("year"))
    found, _ = bench.run(listed(xml.text("<year>x</year>"), xml.text("<year>3</year>", key="las-2")), many=True)
    assert (found.records, found.malformed) == (1, 1)


def test_a_list_of_which_too_much_is_malformed_is_unusable() -> None:
    bodies = [xml.text("<year>x</year>") for _ in range(6)]
    with pytest.raises(EnvelopeBroken):
        xml.bench(xml.grants("year")).run(listed(*bodies), many=True)


def test_a_name_elsewhere_in_the_list_is_masked_too() -> None:
    granted = {**xml.grants(), **build.changed(Transform.MASK, "note")}
    first = xml.text("<note>dan speelt hij met zwerver</note>")
    second = xml.text(key="las-2").replace("<name>Anne</name>", "<name>Zwerver</name>")
    found, _ = xml.bench(granted).run(listed(first, second), many=True)
    assert b"dan speelt hij met [naam]" in found.body


def test_records_that_stand_elsewhere_than_in_the_list_are_none_of_it() -> None:
    for inner in (f"<other>{xml.text()}</other>", f"<other>{listed(xml.text())}</other>"):
        found, _ = xml.bench(xml.grants()).run(listed(inner), many=True)
        assert found.records == 0


def test_a_field_withheld_for_one_pupil_looks_as_if_there_were_none() -> None:
    bench = xml.bench(xml.grants("place.street", "filled"))
    plan = bench.minimiser.plan(frozenset({"place.street"}), build.TODAY)
    assert plan is not None
    assert not plan.any_of(("place",))
    assert bench.minimiser.plan(frozenset({"name"}), build.TODAY) is None
    assert bench.minimiser.plan(frozenset({"filled"}), build.TODAY) is not None


def test_counts_of_pupils_do_not_exist_in_xml() -> None:
    projection = compile_projection(xml.pupil(), xml.grants(), PseudonymMethod.NONE)
    with pytest.raises(DeliveryRefused, match="counted"):
        XmlMinimiser(projection, xml.SPACES, Aggregate(("year",), 5))
