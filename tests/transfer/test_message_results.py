"""Results by UWLR: under the pseudonym to the right pupil, once, and with a truthful confirmation (R42, D9)."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest
from lxml import etree

from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.formats.xml.soap import faultcode
from gateway.transfer.compiled import Compiled
from gateway.transfer.ledger import State
from gateway.transfer.ports import NotSent, OutcomeUnknown, UpstreamAnswer, UpstreamFailed
from gateway.transfer.released import Released
from tests.builders_uwlr import (
    BRENG,
    LR,
    TEST,
    answered_with,
    answering,
    asking,
    bringing,
    content_of,
    keys_in,
    message,
    moved,
    people,
    result,
    results_wrong,
    sample,
    taken,
)
from tests.policy.shipped import answered
from tests.simulators.world import School, a_request, a_school, policy

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the files"),
]

PATH = "/uwlr/leerresultaten"
CALLER = Caller("client of smalle set", "recipient", "uwlr-smalle-set", "methodetoetsen")
CONFIRMED = UpstreamAnswer(200, "text/xml", message(f'<leerresultaten_bevestiging xmlns="{LR}"/>'))
SOAP = "xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'"


def fault(code: str) -> UpstreamAnswer:
    said = message(f"<s:Fault {SOAP}><faultcode>s:{code}</faultcode><faultstring>Anne</faultstring></s:Fault>")
    return UpstreamAnswer(500, "text/xml", said)


@cache
def compiled() -> Compiled:
    return policy(texts=(("uwlr-smalle-set", answered("uwlr-smalle-set")),))


@pytest.fixture
async def school() -> School:
    found = a_school(compiled=compiled(), pupils=people())
    found.upstream.raw["/uwlr/leerlinggegevens"] = answering(moved(sample()))
    found.upstream.writes = lambda _: CONFIRMED
    return found


async def send(school: School, body: bytes, action: str = BRENG, path: str = PATH) -> Released:
    given: dict[str, Any] = {"content_type": "text/xml; charset=utf-8", "soapaction": f'"{action}"'}
    answer = await school.transfers.answer(CALLER, a_request(f"/lvs{path}", body=body, **given))
    assert isinstance(answer, Released)
    return answer


async def shown(school: School) -> list[str]:
    """The pseudonyms of the pupils in the official example, as they were released."""
    answer = await send(school, asking(), "HaalLeerlinggegevens", "/uwlr/leerlinggegevens")
    assert isinstance(answer.body, bytes)
    school.upstream.calls.clear()
    school.journal.clear()
    return keys_in(answered_with(answer.body), "leerlingen/leerling")


def sent(school: School) -> etree._Element:
    (call,) = school.upstream.calls
    assert call.action == BRENG
    assert call.body is not None
    assert results_wrong(call.body) == []
    return etree.fromstring(call.body)


def whose(root: etree._Element) -> dict[str, list[str]]:
    """The administration's own number → the keys of the results."""
    space = f"{{{LR}}}"
    return {
        str(one.findtext(f"{space}leerlingid")): [str(each.get("key")) for each in one.iter(f"{space}resultaat")]
        for one in root.iter(f"{space}toetsafname")
    }


def told(answer: Released) -> dict[str, str]:
    assert isinstance(answer.body, bytes)
    return {str(one.get("key")): str(one.text) for one in etree.fromstring(answer.body).iter("{*}uitspraak")}


async def test_results_reach_the_pupils_under_the_administration_s_own_numbers(school: School) -> None:
    pseudonyms = await shown(school)
    answer = await send(school, bringing(*(taken(one, result(f"r{at}")) for at, one in enumerate(pseudonyms))))

    found = whose(sent(school))
    assert sorted(found) == ["00001", "00002", "12345"]
    assert (answer.status, answer.reason, answer.media) == (200, None, b"text/xml; charset=utf-8")
    assert isinstance(answer.body, bytes)
    assert results_wrong(etree.tostring(content_of(answer.body))) == []
    by_pseudonym = {pseudonyms[int(keys[0][1:])]: number for number, keys in found.items()}
    for subject in school.pupils.values():
        if "las-key" in subject.ids:
            issue = next(one for one in school.register.issued.values() if one.owner == subject.id)
            assert by_pseudonym[issue.pseudonym] == subject.ids["las-key"]
    assert school.journal == ["register transfer released", f"write POST {PATH}", "register closing acknowledged"]


async def test_message_and_its_confirmation_name_no_namespace_that_they_do_not_use(school: School) -> None:
    pupil, *_ = await shown(school)
    answer = await send(school, bringing(taken(pupil, result("r1"))))

    assert isinstance(answer.body, bytes)
    assert b"oso" not in answer.body + etree.tostring(sent(school))


async def test_nothing_but_what_is_granted_reaches_the_administration(school: School) -> None:
    pupil, *_ = await shown(school)
    linked = result("r1", more="<infourl>https://x.example/1</infourl>")
    by = "<resultaatverwerkerid>LK1</resultaatverwerkerid>"
    body = bringing(taken(pupil, linked, more=by), more="<auteur>Anne Hof</auteur>")
    await send(school, body)

    call = etree.tostring(sent(school))
    assert not any(word in call for word in (b"infourl", b"LK1", b"Anne", pupil.encode()))


@pytest.mark.parametrize("pupil", ["00001", "never issued", ""])
async def test_pseudonym_that_leads_nowhere_is_not_available_and_sends_nothing(school: School, pupil: str) -> None:
    await shown(school)
    answer = await send(school, bringing(taken(pupil or "x", result("r1"))))

    assert (answer.reason, answer.status, told(answer)) == (Reason.NOT_AVAILABLE, 500, {"r1": "NOT_AVAILABLE"})
    assert school.upstream.calls == []


async def test_pupil_who_left_looks_the_same_as_one_who_never_was(school: School) -> None:
    pseudonyms = await shown(school)
    for number in (1, 2, 3):
        school.leaves(number)
    gone = await send(school, bringing(taken(pseudonyms[0], result("r1"))))
    never = await send(school, bringing(taken("x", result("r1"))))

    assert gone.body == never.body


async def test_each_statement_stands_alone_and_the_fault_names_each(school: School) -> None:
    pupil, *_ = await shown(school)
    body = bringing(
        taken(pupil, result("good"), result("torn", "<score>seven</score>"), result("none", "")),
        taken("x", result("nobody")),
    )
    answer = await send(school, body)

    assert list(whose(sent(school)).values()) == [["good"]]
    assert told(answer) == {
        "good": "ACCEPTED",
        "torn": "BODY_INVALID",
        "none": "BODY_INVALID",
        "nobody": "NOT_AVAILABLE",
    }


async def test_same_result_again_is_not_sent_again_and_a_correction_is(school: School) -> None:
    pupil, *_ = await shown(school)
    once = bringing(taken(pupil, result("r1")))
    await send(school, once)
    later = once.replace(b"2026-11-21T10:00:00", b"2026-11-22T10:00:00")
    assert (await send(school, later)).reason is None
    assert len(school.upstream.calls) == 1
    await send(school, bringing(taken(pupil, result("r1", "<score>8</score>"))))
    assert len(school.upstream.calls) == 2


@pytest.mark.parametrize(
    ("answer", "reason", "again"),
    [
        (fault("Client"), Reason.STATEMENT_REFUSED, False),
        (fault("Client.Schema"), Reason.STATEMENT_REFUSED, False),
        (fault("Server"), Reason.UPSTREAM_FAILED, True),
        (UpstreamAnswer(200, "text/xml", b"<a/>"), Reason.UPSTREAM_FAILED, True),
        (UpstreamAnswer(200, "text/xml", b"{"), Reason.UPSTREAM_FAILED, True),
    ],
)
async def test_outcome_is_told_as_the_source_says_it(
    school: School,
    answer: UpstreamAnswer,
    reason: Reason,
    again: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    pupil, *_ = await shown(school)
    school.upstream.writes = lambda _: answer
    found = await send(school, bringing(taken(pupil, result("r1"))))

    assert found.reason is reason
    assert b"Anne" not in (found.body if isinstance(found.body, bytes) else b"")
    await send(school, bringing(taken(pupil, result("r1"))))
    assert len(school.upstream.calls) == 1 + again


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (NotSent, Reason.NOT_SENT),
        (OutcomeUnknown, Reason.OUTCOME_UNKNOWN),
        (UpstreamFailed, Reason.UPSTREAM_FAILED),
    ],
)
async def test_failure_on_the_way_is_told_truthfully(school: School, broken: Any, reason: Reason) -> None:
    pupil, *_ = await shown(school)
    school.upstream.broken = broken
    assert (await send(school, bringing(taken(pupil, result("r1"))))).reason is reason


HOSTILE = [
    (bringing(taken("x", result("r1")), tests=TEST + "<vreemd/>"), Reason.BODY_INVALID),
    (bringing(taken("x", result("r1"), more="<naam>Anne</naam>")), Reason.BODY_INVALID),
    (bringing(taken("x", result("r1")).replace("<toetsafname>", '<toetsafname bsn="1">')), Reason.BODY_INVALID),
    (bringing(taken("x", result("r1"), result("r1"))), Reason.BODY_INVALID),
    (bringing(taken("x", result("r1"))).replace(b"<brincode>01AB", b"<brincode>01XX"), Reason.LOCATION_OUT_OF_SCOPE),
    (
        bringing(taken("x", result("r1"))).replace(
            b"<brincode>01AB</brincode><dependancecode>00</dependancecode>", b""
        ),
        Reason.LOCATION_OUT_OF_SCOPE,
    ),
    (
        bringing(
            taken(
                "x",
                result(
                    "r1",
                    '<anderresultaat xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="eigen"/>',
                ),
            )
        ),
        Reason.BODY_INVALID,
    ),
    (b"<!DOCTYPE a>" + bringing(taken("x", result("r1"))), Reason.BODY_INVALID),
    (asking(), Reason.BODY_INVALID),
]


@pytest.mark.parametrize(("body", "reason"), HOSTILE)
async def test_message_that_is_not_what_the_schema_says_is_refused_whole(
    school: School, body: bytes, reason: Reason
) -> None:
    answer = await send(school, body)

    assert (answer.reason, answer.shape) == (reason, "soap")
    assert school.upstream.calls == []


async def test_text_with_a_number_or_a_pseudonym_in_it_is_refused(school: School) -> None:
    pupil, *_ = await shown(school)
    named = bringing(taken(pupil, result("r1")), tests=TEST.replace("Rekenen", "van 111222333"))
    assert (await send(school, named)).reason is Reason.BODY_INVALID
    other = bringing(taken(pupil, result("r1")), tests=TEST.replace("Rekenen", pupil))
    assert (await send(school, other)).reason is Reason.BODY_INVALID
    assert school.upstream.calls == []


def test_fault_has_a_code() -> None:
    assert faultcode(fault("Client.Schema").body) == "Client"


async def test_key_that_another_recipient_uses_is_confirmed_and_another_at_the_source(school: School) -> None:
    (one, *_) = await shown(school)
    school.ledger.rows["lvs", "r1"] = ("another", b"", State.ACCEPTED, None)
    answer = await send(school, bringing(taken(one, result("r1"), result("r2"))))

    ((first, second),) = whose(sent(school)).values()
    assert (answer.status, answer.reason) == (200, None)
    assert (first != "r1", second) == (True, "r2")
