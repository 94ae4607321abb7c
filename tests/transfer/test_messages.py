"""UWLR live: messages of SOAP through a transfer, from request to what leaves, and what never gets that far."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from lxml import etree

from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.transfer.compiled import Compiled
from gateway.transfer.ports import UpstreamFailed, UpstreamTooLarge
from gateway.transfer.released import Released
from tests.builders_uwlr import (
    HAAL,
    OPERATIONS,
    PUPILS_OF,
    SMALL,
    SPACE,
    STRUCTURE,
    TEACHERS_OF,
    answered_with,
    answering,
    asking,
    content_of,
    groups,
    keys_in,
    message,
    moved,
    names_in,
    people,
    sample,
    wrong,
)
from tests.policy.shipped import answered
from tests.simulators.world import School, a_request, a_school, policy

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the files"),
]

PATH = "/uwlr/leerlinggegevens"
CALLER = Caller("client of smalle set", "recipient", "uwlr-smalle-set", "methodetoetsen")


@cache
def compiled() -> Compiled:
    return policy(texts=(("uwlr-smalle-set", answered("uwlr-smalle-set")),))


@pytest.fixture
def school() -> School:
    found = a_school(compiled=compiled(), pupils=people())
    found.upstream.raw[PATH] = answering(moved(sample()))
    return found


async def ask(school: School, body: bytes, action: str = HAAL, **headers: Any) -> Released:
    given = {"content_type": "text/xml; charset=utf-8", "soapaction": f'"{action}"'} | headers
    answer = await school.transfers.answer(CALLER, a_request(f"/lvs{PATH}", body=body, **given))
    assert isinstance(answer, Released)
    return answer


def body_of(answer: Released) -> bytes:
    assert isinstance(answer.body, bytes), answer.reason
    return answer.body


async def test_answer_is_a_valid_message_of_the_profile(school: School) -> None:
    answer = await ask(school, asking())

    found = content_of(body_of(answer))
    assert (answer.reason, answer.media, answer.purpose) == (None, b"text/xml; charset=utf-8", "methodetoetsen")
    assert wrong(etree.tostring(found)) == []
    assert names_in(answered_with(body_of(answer))) <= SMALL
    assert len(keys_in(answered_with(body_of(answer)), "leerlingen/leerling")) == 3
    assert school.journal == [f"fetch POST {PATH}", "register transfer released"]


async def test_request_is_built_anew_without_what_the_administration_need_not_know(school: School) -> None:
    more = "<gegevenssetid>set-1</gegevenssetid><laatstontvangengegevens>2026-09-01T00:00:00</laatstontvangengegevens>"
    await ask(school, asking(HAAL, more, header="<x xmlns='urn:x'>of the caller</x>"))

    (call,) = school.upstream.calls
    assert (call.method, call.path, call.query, call.action) == ("POST", PATH, "", HAAL)
    assert call.body is not None
    found = etree.fromstring(call.body)
    assert [(etree.QName(one).localname, one.text) for one in found] == [
        ("schooljaar", "2026-2027"), ("brincode", "01AB"), ("dependancecode", "00"), ("xsdversie", "2.2"),
    ]  # fmt: skip
    assert wrong(call.body) == []


@pytest.mark.parametrize("action", OPERATIONS)
async def test_each_operation_answers_with_its_own_part(school: School, action: str) -> None:
    await ask(school, asking())
    known = keys_in(answered_with(body_of(await ask(school, asking()))), "groepen/groep")
    school.upstream.raw[PATH] = answering(moved(sample()), action)
    named = groups(*known) if action not in (HAAL, STRUCTURE) else ""
    answer = await ask(school, asking(action, named), action)

    content = content_of(body_of(answer))
    assert etree.QName(content).localname == f"{OPERATIONS[action][0]}_antwoord"
    assert etree.QName(content[0]).localname == OPERATIONS[action][1]
    assert wrong(etree.tostring(content)) == []
    if named:
        assert b"GRP4B" in (school.upstream.calls[-1].body or b"")
        assert not any(key.encode() in (school.upstream.calls[-1].body or b"") for key in known)


async def test_part_that_the_operation_does_not_have_never_leaves(school: School) -> None:
    """An administration that answers more than was asked."""
    whole = answering(moved(sample()), STRUCTURE).replace(
        b"</leerlinggegevens-structuur>",
        b'<leerlingen><leerling key="00001"><roepnaam>W</roepnaam></leerling></leerlingen>'
        b"</leerlinggegevens-structuur>",
    )
    school.upstream.raw[PATH] = whole
    answer = await ask(school, asking(STRUCTURE), STRUCTURE)

    assert wrong(etree.tostring(content_of(body_of(answer)))) == []
    assert b"leerling " not in body_of(answer)


@pytest.mark.parametrize("key", ["GRP4A", "unknown"])
async def test_groups_that_lead_nowhere_give_nothing_and_ask_nobody(school: School, key: str) -> None:
    answer = await ask(school, asking(PUPILS_OF, groups(key)), PUPILS_OF)

    assert etree.QName(etree.fromstring(answered_with(body_of(answer)))).localname == "geengegevens"
    assert answer.reason is None
    assert school.upstream.calls == []


@pytest.mark.parametrize("there", [True, False])
async def test_nobody_there_and_everybody_withheld_look_the_same(school: School, there: bool) -> None:  # noqa: FBT001 - a parameter of the test
    for number in (1, 2, 3):
        school.leaves(number)
    if not there:
        school.upstream.raw[PATH] = answering(None)
    answer = await ask(school, asking())

    assert wrong(etree.tostring(content_of(body_of(answer)))) == []
    assert body_of(answer).count(b"<geengegevens/>") == 1
    assert len(body_of(answer)) < 400
    assert school.register.drafts[-1].outcome == "empty"


@pytest.mark.parametrize("nothing", [True, False])
async def test_message_without_a_pupil_is_a_broken_source_where_the_roster_knows_some(
    school: School,
    nothing: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """R109: a client that hears `geengegevens` deletes everybody."""
    without = re.sub(rb"<leerling key.*</leerling>", b"", sample(), flags=re.DOTALL)
    school.upstream.raw[PATH] = answering(None if nothing else moved(without))

    answer = await ask(school, asking())

    assert (answer.reason, answer.body) == (Reason.UPSTREAM_FAILED, None)


async def test_message_without_a_pupil_is_one_where_another_year_is_asked(school: School) -> None:
    school.upstream.raw[PATH] = answering(None)

    answer = await ask(school, asking().replace(b"2026-2027", b"2027-2028"))

    assert b"<geengegevens/>" in body_of(answer)


async def test_source_that_says_nothing_changed_was_not_asked_that(school: School) -> None:
    school.upstream.raw[PATH] = answering(None).replace(b"geengegevens", b"geenwijzigingen")
    assert (await ask(school, asking())).reason is Reason.UPSTREAM_FAILED


CODES = b"<brincode>01AB</brincode><dependancecode>00</dependancecode>"
UNDERSTOOD = "<x xmlns='urn:x' xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' s:mustUnderstand='1'/>"
SOAP_12 = b"www.w3.org/2003/05/soap-envelope"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (asking(brin="01XX"), Reason.LOCATION_OUT_OF_SCOPE),
        (asking().replace(CODES, b""), Reason.PARAMETER_MISSING),
        (asking().replace(b"<schooljaar>2026-2027</schooljaar>", b""), Reason.PARAMETER_MISSING),
        (asking().replace(b"<xsdversie>", b"<xsdversie>2.2</xsdversie><xsdversie>"), Reason.PARAMETER_INVALID),
        (asking(HAAL, "<leerling>1</leerling>"), Reason.BODY_INVALID),
        (asking(HAAL, '<x xmlns="urn:other">1</x>'), Reason.BODY_INVALID),
        (asking().replace(b"<xsdversie>", b'<xsdversie vendor="1">'), Reason.BODY_INVALID),
        (asking().replace(b"<schooljaar>", b"stray<schooljaar>"), Reason.BODY_INVALID),
        (asking(STRUCTURE), Reason.BODY_INVALID),
        (
            asking().replace(
                b"<schooljaar>",
                b'<schooljaar xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="i:string">',
            ),
            Reason.BODY_INVALID,
        ),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + asking(), Reason.BODY_INVALID),
        (asking(header="<x xmlns='urn:x'>" + "y" * 20_000 + "</x>"), Reason.BODY_INVALID),
        (asking(header=UNDERSTOOD), Reason.BODY_INVALID),
        (asking().replace(b"schemas.xmlsoap.org/soap/envelope/", SOAP_12), Reason.BODY_INVALID),
        (message("<a/><b/>"), Reason.BODY_INVALID),
        (asking()[:-10], Reason.BODY_INVALID),
        (b"{}", Reason.BODY_INVALID),
        (b"<a>" * 5_000 + b"</a>" * 5_000, Reason.BODY_INVALID),
        (asking(HAAL, f"<gegevenssetid>{'x' * 600}</gegevenssetid>"), Reason.PARAMETER_INVALID),
    ],
)  # fmt: skip
async def test_request_that_is_not_what_the_schema_says_is_refused_and_asks_nobody(
    school: School, body: bytes, reason: Reason
) -> None:
    answer = await ask(school, body)

    assert (answer.reason, answer.shape, answer.body) == (reason, "soap", None)
    assert school.upstream.calls == []


@pytest.mark.parametrize("action", ["", "BrengAlles", STRUCTURE + "x"])
async def test_wrong_action_is_no_route(school: School, action: str) -> None:
    assert (await ask(school, asking(), action)).reason is Reason.ROUTE_UNKNOWN


async def test_json_is_no_message(school: School) -> None:
    assert (await ask(school, asking(), content_type="application/json")).reason is Reason.MEDIA_TYPE_UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [
        b"<html/>",
        message("<s:Fault xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><faultcode>s:Server</faultcode></s:Fault>"),
        message(f'<structuur_antwoord xmlns="{SPACE}"><geengegevens/></structuur_antwoord>'),
        message(f'<leerlinggegevens_antwoord xmlns="{SPACE}"/>'),
        message(f'<leerlinggegevens_antwoord xmlns="{SPACE}"><alles/></leerlinggegevens_antwoord>'),
    ],
)  # fmt: skip
async def test_answer_of_another_kind_is_a_broken_source(school: School, answer: bytes) -> None:
    school.upstream.raw[PATH] = answer
    assert (await ask(school, asking())).reason is Reason.UPSTREAM_FAILED


async def test_pupil_who_cannot_be_read_stays_behind_alone(school: School) -> None:
    school.upstream.raw[PATH] = school.upstream.raw[PATH].replace(b"<geboortedatum>", b"<geboortedatum>x", 1)

    answer = await ask(school, asking())

    found = answered_with(body_of(answer))
    assert wrong(etree.tostring(content_of(body_of(answer)))) == []
    assert len(keys_in(found, "leerlingen/leerling")) == 2
    (draft,) = school.register.drafts
    assert [reasons for _, reasons in draft.withheld] == [(Reason.RECORD_MALFORMED,)]
    assert draft.malformed == 1


async def test_message_in_which_nobody_can_be_read_is_not_said_to_be_nothing(school: School) -> None:
    """A client that hears `geengegevens` deletes everybody."""
    twice = rb"\1<jaargroep>x</jaargroep><jaargroep>x</jaargroep>"
    school.upstream.raw[PATH] = re.sub(rb"(<leerling key[^>]*>)", twice, school.upstream.raw[PATH])

    answer = await ask(school, asking())

    assert (answer.reason, answer.body) == (Reason.UPSTREAM_FAILED, None)


async def test_message_of_which_much_cannot_be_read_is_a_broken_source(school: School) -> None:
    body = school.upstream.raw[PATH]
    found = re.search(rb'<leerling key="00001".*?</leerling>', body, re.DOTALL)
    assert found is not None
    broken = found[0].replace(b"<geboortedatum>", b"<geboortedatum>x")
    school.upstream.raw[PATH] = body.replace(found[0], found[0] + broken * 6)

    assert (await ask(school, asking())).reason is Reason.UPSTREAM_FAILED


@pytest.mark.parametrize("withheld", [False, True])
async def test_group_of_which_nobody_leaves_is_in_no_message(school: School, withheld: bool) -> None:  # noqa: FBT001 - a parameter of the test
    if withheld:
        school.leaves(1)
    found = etree.fromstring(answered_with(body_of(await ask(school, asking()))))

    listed = {one.get("key") for one in found.iterfind("{*}groepen/*")}
    named = {one.get("key") for part in ("leerlingen", "leerkrachten") for one in found.iterfind(f"{{*}}{part}/*//*")}
    assert listed == named - {None}
    assert len(listed) < len(keys_in(moved(sample()), "groepen/*"))


async def test_group_of_which_everybody_is_withheld_gives_nothing_and_asks_nobody(school: School) -> None:
    key = etree.fromstring(answered_with(body_of(await ask(school, asking())))).find(
        "{*}groepen/{*}groep/[{*}naam='4B']"
    )
    assert key is not None
    school.enrol(replace(school.pupils[1], groups=frozenset({"GRP4B"}), enrolments=()))
    school.upstream.calls.clear()

    asked = [await ask(school, asking(PUPILS_OF, groups(one)), PUPILS_OF) for one in (str(key.get("key")), "unknown")]

    assert body_of(asked[0]) == body_of(asked[1])
    assert school.upstream.calls == []


async def test_structure_holds_groups_in_which_the_roster_knows_somebody_of_the_delivery(school: School) -> None:
    """R7, R68: of another group not even the name."""
    school.upstream.raw[PATH] = answering(moved(sample()), STRUCTURE)
    school.enrol(replace(school.pupils[1], groups=frozenset({"GRP4B"})))
    before = answered_with(body_of(await ask(school, asking(STRUCTURE), STRUCTURE)))
    school.leaves(1)
    after = answered_with(body_of(await ask(school, asking(STRUCTURE), STRUCTURE)))

    assert len(keys_in(before, "groepen/groep")) == 1
    assert b">4B<" in before
    assert keys_in(after, "groepen/*") == []


async def test_teachers_name_groups_in_which_the_roster_knows_somebody_of_the_delivery(school: School) -> None:
    """R7, R8: their message holds no pupil that could say so."""
    school.enrol(replace(school.pupils[1], groups=frozenset({"GRP4A"})))
    school.upstream.raw[PATH] = answering(moved(sample()), STRUCTURE)
    known = keys_in(answered_with(body_of(await ask(school, asking(STRUCTURE), STRUCTURE))), "groepen/groep")
    school.upstream.raw[PATH] = answering(moved(sample()), TEACHERS_OF)
    found = answered_with(body_of(await ask(school, asking(TEACHERS_OF, groups(*known)), TEACHERS_OF)))

    assert len(keys_in(found, "leerkrachten/leerkracht")) == 3
    assert {*keys_in(found, "leerkrachten/leerkracht/groepen/*")} == {*known}
    assert len(known) == 1


async def test_source_that_fails_is_told_as_such(school: School) -> None:
    school.upstream.broken = UpstreamFailed
    assert (await ask(school, asking())).reason is Reason.UPSTREAM_FAILED


async def test_answer_that_is_too_large_says_what_to_ask_instead(school: School) -> None:
    school.upstream.raw[PATH] = answering(moved(sample()).replace(b"</naam>", b"</naam>" + b"<a/>" * 400_001, 1))
    many = await ask(school, asking())
    school.upstream.broken = UpstreamTooLarge
    long = await ask(school, asking())

    for answer in (many, long):
        assert answer.reason is Reason.UPSTREAM_FAILED
        assert "some groups, or have it exported" in answer.about


async def test_unknown_element_of_the_source_is_reported(school: School) -> None:
    for number in range(5):
        school.upstream.raw[PATH] = answering(moved(sample())).replace(
            b"<naam>4B</naam>", b"<naam>4B</naam>" + b"<nieuw>x</nieuw>" * (number + 1)
        )
        await ask(school, asking())
        await school.drift.settled()

    (found,) = [one for one in school.register.drafts if one.kind == "finding"]
    assert found.detail == ("leerlinggegevens.groepen.groep.nieuw",)
