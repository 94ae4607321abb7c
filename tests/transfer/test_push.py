"""transfer.push: a message that the source hands in goes to the recipient, once, as small as the law has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.formats.xml.addressing import Addressing
from gateway.transfer.ports import Message, NotSent, OutcomeUnknown, UpstreamAnswer, UpstreamFailed
from gateway.transfer.released import Released, Unregistered
from gateway.transfer.request import Request
from tests import builders_push as build
from tests.builders_formats import pupil
from tests.official import needs_standards, problems
from tests.policy.shipped import answered, changed
from tests.simulators.world import School, a_school, caller, policy

pytestmark = pytest.mark.anyio

SYSTEM = Caller("school-1", "school", None, None)
DUO, TEST = "/lvs/push/duo/inschrijving/inschrijving-vo", "/lvs/push/doorstroomtoets/doorstroomtoets/registreren"
SOUTH = "0000000700001AB01000"
EDU = f"edu-to={build.OIN}&edu-from={build.ADMINISTRATION}"
PUPIL = build.known()
TAKEN = UpstreamAnswer(200, "text/xml", build.enveloped(build.receipt()))


def a_pushing_school() -> School:
    compiled = policy(texts=tuple((name, answered(name)) for name in ("duo", "doorstroomtoets")))
    school = a_school(compiled=compiled, pupils=[PUPIL, *(pupil(number) for number in range(2, 7))])
    school.endpoints.answers = lambda message: TAKEN if message.endpoint == "duo" else UpstreamAnswer(202, "", b"")
    return school


@pytest.fixture
def school() -> School:
    return a_pushing_school()


async def push(
    school: School,
    body: bytes | None,
    target: str = DUO,
    *,
    media: str = "text/xml",
    who: Caller = SYSTEM,
    method: str = "POST",
    **headers: str,
) -> Released:
    """`body` None: whoever reads it fails the test."""

    async def read() -> bytes:
        assert body is not None, "the body was read"
        return body

    path, _, query = target.partition("?")
    given_headers = {b"content-type": media.encode(), **{n.encode(): v.encode() for n, v in headers.items()}}
    request = Request(method, path.encode(), query.encode(), given_headers, "203.0.113.7", read)
    answer = await school.transfers.answer(who, request)
    assert isinstance(answer, Released)
    return answer


async def test_pupil_of_another_location_than_the_message_names_does_not_leave_in_it() -> None:
    """R68, R109: the delivery is of both locations, the message of one."""
    text = changed(answered("doorstroomtoets"), ("    locations:\n", "    locations:\n      - zuid\n"))
    school = a_school(compiled=policy(texts=(("doorstroomtoets", text),)), pupils=[pupil(2), pupil(3, location="zuid")])
    school.endpoints.answers = lambda _: UpstreamAnswer(202, "", b"")

    for query, number in ((EDU, 2), (f"edu-to={SOUTH}&edu-from={SOUTH}", 3)):
        assert (await listed(school, build.participants(2, 3), query)).reason is None
        assert school.register.drafts[-2].released == (school.pupils[number],)


async def listed(school: School, body: bytes, query: str = EDU) -> Released:
    return await push(school, body, f"{TEST}?{query}", media="application/json")


def said(document: etree._Element) -> list[tuple[str, str | None]]:
    """Every element, in order, and what it holds."""
    return [(str(one.tag), one.text) for one in document.iter()]


def sent(school: School) -> Message:
    (message,) = school.endpoints.sent
    return message


# -- DUO ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [build.enrolment(), build.removal()])
async def test_message_reaches_duo_valid_with_the_number_as_it_is_and_registered_first(
    school: School, body: bytes
) -> None:
    assert build.valid(etree.fromstring(body))
    kind = "Verwijdering" if b"Verwijdering" in body else ""
    answer = build.enveloped(build.receipt(f"aanleveren{kind}InschrijvingVO_Response"))
    school.endpoints.answers = lambda _: UpstreamAnswer(200, "text/xml", answer)

    told = await push(school, body)

    assert (told.reason, told.status, told.purpose) == (None, 200, "inschrijving")
    document = build.within(sent(school).body)
    assert build.valid(document)
    assert said(document) == said(etree.fromstring(body))
    assert sent(school).endpoint == "duo"
    assert school.journal == ["register transfer released", "send duo", "register closing acknowledged"]


async def test_entry_names_ground_article_and_endpoint(school: School) -> None:
    await push(school, build.enrolment())

    draft, closing = school.register.drafts
    assert draft.grondslag is not None
    assert draft.grondslag.startswith("c: Artikel 6 lid 1 onder c AVG met artikel 12 Wet register onderwijsdeelnemers")
    assert (draft.released, draft.recipient, draft.actor) == ((PUPIL,), "duo", "school")
    assert "endpoint: duo" in draft.detail
    assert (closing.part_of, closing.detail) == (draft.id, ("accepted",))


async def test_answer_comes_back_valid_and_without_what_is_not_in_its_schema(school: School) -> None:
    school.endpoints.answers = lambda _: UpstreamAnswer(
        200,
        "text/xml",
        build.enveloped(build.receipt(more="<naam>Jan</naam>"), f"<a:RelatesTo>{build.MESSAGE}</a:RelatesTo>"),
    )

    bare = await push(school, build.enrolment())
    wrapped = await push(school, build.enveloped(build.enrolment(), f"<a:MessageID>{build.MESSAGE}</a:MessageID>"))

    assert isinstance(bare.body, bytes)
    assert isinstance(wrapped.body, bytes)
    assert build.valid(etree.fromstring(bare.body))
    assert build.valid(build.within(wrapped.body))
    assert b"Jan" not in bare.body + wrapped.body
    assert build.MESSAGE.encode() in wrapped.body


async def test_header_of_the_envelope_keeps_addresses_of_systems_only(school: School) -> None:
    from_us = f"{build.WSA}/anonymous?oin={build.OIN.replace('AB', '00')}"
    header = (
        f"<a:To>https://gateway.example/lvs/push/duo</a:To><a:Action>https://elders.example/iets</a:Action>"
        f"<a:MessageID>{build.MESSAGE}</a:MessageID><a:From><a:Address>{from_us}</a:Address>"
        "<a:Metadata>Jan Jansen</a:Metadata></a:From><a:ReplyTo><a:Address>http://jan.example/</a:Address></a:ReplyTo>"
        "<a:RelatesTo>Jan Jansen</a:RelatesTo><Security>geheim</Security>"
    )

    await push(school, build.enveloped(build.enrolment(), header))

    text = sent(school).body.decode()
    assert {"https://duo.example/ws", build.MESSAGE, from_us, str(sent(school).action)} <= {
        (one.text or "") for one in etree.fromstring(sent(school).body).iter()
    }
    assert not any(word in text for word in ("elders", "Jan", "jan.example", "geheim", "Metadata", "Security"))
    assert "gateway.example" not in text


TO = f"{{{build.WSA}}}To"


@pytest.mark.parametrize(
    "said", ["", "<a:To>https://gateway.example/1/jan</a:To>", f"<a:To>{build.WSA}/anonymous</a:To>"]
)
async def test_message_says_that_it_goes_where_the_school_sends_it(school: School, said: str) -> None:
    header = f"{said}<a:MessageID>{build.MESSAGE}</a:MessageID>"

    await push(school, build.enveloped(build.enrolment(), header))

    assert [one.text for one in etree.fromstring(sent(school).body).iter(TO)] == ["https://duo.example/ws"]


async def test_message_for_an_oin_keeps_it_where_the_recipient_has_no_other(school: School) -> None:
    by_oin = f"{build.WSA}/anonymous?oin=00000000000000000001"
    header = f"<a:To>{by_oin}</a:To><a:MessageID>{build.MESSAGE}</a:MessageID>"

    await push(school, build.enveloped(build.enrolment(), header))

    assert [one.text for one in etree.fromstring(sent(school).body).iter(TO)] == [by_oin]


def test_message_for_an_oin_gets_that_of_the_recipient() -> None:
    by_oin = f"{build.WSA}/anonymous?oin="
    said = Addressing({"To": by_oin + "0" * 20, "MessageID": build.MESSAGE})

    assert said.towards("https://duo.example/ws", build.OIN).said["To"] == by_oin + build.OIN
    assert Addressing().towards("https://duo.example/ws", build.OIN).said == {}


async def test_message_is_known_by_its_uuid_and_what_stands_behind_it_comes_back_only(school: School) -> None:
    school.endpoints.answers = lambda _: UpstreamAnswer(
        200, "text/xml", build.enveloped(build.receipt(), f"<a:RelatesTo>{build.MESSAGE}</a:RelatesTo>")
    )
    header = f"<a:MessageID>{build.MESSAGE}@jan.jansen</a:MessageID>"

    answer = await push(school, build.enveloped(build.enrolment(), header))

    assert b"jan.jansen" not in sent(school).body
    assert build.MESSAGE.encode() in sent(school).body
    assert isinstance(answer.body, bytes)
    assert f"{build.MESSAGE}@jan.jansen<".encode() in answer.body


SPOT = "zz-extra"


def spotted(body: bytes, at: int, kind: str) -> bytes:
    """The message with something extra at its `at`th element: beside, within, before or on it."""
    root = etree.fromstring(body)
    elements = list(root.iter())
    element = elements[at % len(elements)]
    made = etree.Element(f"{{{build.BASIS}}}{SPOT}" if kind == "same" else SPOT)
    made.text = SPOT
    match kind:
        case "attribute":
            element.set(SPOT, SPOT)
        case "type":
            element.set("{http://www.w3.org/2001/XMLSchema-instance}type", SPOT)
        case "comment":
            element.insert(0, etree.Comment(SPOT))
        case "instruction":
            element.insert(0, etree.ProcessingInstruction(SPOT, SPOT))
        case "text":
            element.tail = (element.tail or "") + SPOT if element is not root else None
        case _:
            element.insert(0, made)
    return etree.tostring(root)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.integers(0, 200),
    kind=st.sampled_from(["element", "same", "attribute", "type", "comment", "instruction", "text"]),
    soap=st.booleans(),
)
async def test_one_extra_thing_anywhere_never_leaves(at: int, kind: str, soap: bool) -> None:  # noqa: FBT001 - hypothesis
    school = a_pushing_school()
    body = spotted(build.enveloped(build.enrolment(), "<x/>") if soap else build.enrolment(), at, kind)

    await push(school, body)

    for message in school.endpoints.sent:
        assert SPOT.encode() not in message.body
        assert build.valid(build.within(message.body))


async def test_document_that_is_another_than_is_handed_in_here_goes_nowhere(school: School) -> None:
    for body in (
        build.receipt(),
        b"<iets/>",
        build.enveloped(build.enrolment() + build.removal()),
        b"<!DOCTYPE x><x/>",
    ):
        told = await push(school, body)

        assert told.reason is Reason.BODY_INVALID
    assert school.endpoints.sent == []


async def test_message_that_is_not_as_its_description_says_is_told_apart_from_one_that_may_not_go(
    school: School,
) -> None:
    malformed = await push(school, build.enrolment().replace(b"01AB00</vestiging>", b"A</vestiging>"))
    without = orjson.loads(build.participants(2))
    del without["schooljaar"]
    told = await listed(school, orjson.dumps(without))

    assert malformed.reason is told.reason is Reason.BODY_INVALID
    assert isinstance(malformed, Released)
    assert malformed.about.startswith("the message is not as its description says: ")
    assert "vestiging: expected pattern: " in malformed.about
    assert school.endpoints.sent == []


async def test_message_about_nobody_we_know_or_a_restricted_pupil_stays_behind_with_one_word(school: School) -> None:
    unknown = await push(school, build.enrolment("111222333"))
    school.record(1, Restriction(ground=RestrictionGround.ACCURACY, since=date(2026, 11, 1)))
    restricted = await push(school, build.enrolment())

    assert unknown.reason is restricted.reason is Reason.NOT_AVAILABLE
    assert school.endpoints.sent == []
    assert school.register.drafts[-1].withheld == ((PUPIL, (Reason.PUPIL_RESTRICTED,)),)


async def test_pupil_who_left_is_still_told_to_the_register(school: School) -> None:
    (enrolled,) = PUPIL.enrolments
    school.enrol(replace(PUPIL, enrolments=(replace(enrolled, end=date(2026, 10, 31)),)))

    assert (await push(school, build.enrolment())).reason is None


@pytest.mark.parametrize(
    ("broken", "reason", "state"),
    [
        (NotSent, Reason.NOT_SENT, "not-sent"),
        (OutcomeUnknown, Reason.OUTCOME_UNKNOWN, "unknown"),
        (UpstreamFailed, Reason.OUTCOME_UNKNOWN, "unknown"),
    ],
)
async def test_source_and_register_hear_truthfully_what_became_of_it(
    school: School, broken: Any, reason: Reason, state: str
) -> None:
    school.endpoints.broken = broken

    told = await push(school, build.enrolment())

    assert told.reason is reason
    assert school.register.drafts[-1].outcome == "failed"
    assert school.register.drafts[-1].detail == (state,)
    assert len(school.journal) == 3  # entry, one attempt, its end: nothing is sent again


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (UpstreamAnswer(500, "text/xml", build.fault()), Reason.STATEMENT_REFUSED),
        (UpstreamAnswer(403, "text/html", b"Jan Jansen"), Reason.STATEMENT_REFUSED),
        (UpstreamAnswer(500, "text/html", b"<p>Jan Jansen</p>"), Reason.OUTCOME_UNKNOWN),
        (UpstreamAnswer(302, "", b""), Reason.OUTCOME_UNKNOWN),
        (UpstreamAnswer(200, "text/xml", b"Jan Jansen"), Reason.OUTCOME_UNKNOWN),
        (UpstreamAnswer(200, "text/xml", build.enveloped(b"<x>Jan Jansen</x>")), Reason.OUTCOME_UNKNOWN),
    ],
)
async def test_answer_that_is_no_receipt_is_refused_or_unknown_and_none_of_its_words_come_back(
    school: School, answer: UpstreamAnswer, reason: Reason
) -> None:
    school.endpoints.answers = lambda _: answer

    told = await push(school, build.enrolment())

    assert (told.reason, told.body) == (reason, None)
    assert "Jan" not in told.about


@pytest.mark.parametrize(
    "body", [b"<iets/>", build.enrolment("111222333"), build.enrolment(more="<x>Jan</x>").replace(b"01AB", b"01ABC")]
)
async def test_message_that_does_not_go_is_answered_in_the_shape_of_its_format(school: School, body: bytes) -> None:
    told = await push(school, body)

    assert (told.shape, told.school, told.body) == ("soap", True, None)
    assert told.reason is not None


async def test_end_that_cannot_be_registered_changes_nothing_of_what_is_told(school: School) -> None:
    def no_register(message: Message) -> UpstreamAnswer:
        school.register.unwritable = True
        return TAKEN if message.endpoint == "duo" else UpstreamAnswer(202, "", b"")

    school.endpoints.answers = no_register

    assert (await push(school, build.enrolment())).reason is None


async def test_without_a_register_nothing_is_sent(school: School) -> None:
    school.register.unwritable = True
    path, media = DUO.encode(), {b"content-type": b"text/xml"}

    async def read() -> bytes:
        return build.enrolment()

    answer = await school.transfers.answer(SYSTEM, Request("POST", path, b"", media, "127.0.0.1", read))

    assert isinstance(answer, Unregistered)
    assert school.endpoints.sent == []


async def test_verdict_that_moved_before_the_commit_is_made_again(school: School) -> None:
    restriction = Restriction(ground=RestrictionGround.ACCURACY, since=date(2026, 11, 1))
    school.register.before = lambda _: school.record(1, restriction)

    told = await push(school, build.enrolment())

    assert told.reason is Reason.NOT_AVAILABLE
    assert school.endpoints.sent == []


# -- who, where, how ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"who": caller("uitgever-noord")}, Reason.CALLER_NOT_RECIPIENT),
        ({"who": caller("uitgever-noord"), "target": f"{DUO}/meer"}, Reason.CALLER_NOT_RECIPIENT),
        ({"method": "PUT"}, Reason.METHOD_NOT_ALLOWED),
        ({"target": DUO.replace("/duo/", "/onbekend/")}, Reason.RECIPIENT_UNKNOWN),
        ({"target": DUO.replace("/inschrijving/", "/werving/")}, Reason.PURPOSE_UNKNOWN),
        ({"target": f"{DUO}/meer"}, Reason.ROUTE_UNKNOWN),
        ({"target": f"{DUO}?school=1"}, Reason.PARAMETER_UNKNOWN),
        ({"purpose": "doorstroomtoets"}, Reason.PURPOSE_MISMATCH),
        ({"media": "application/json"}, Reason.MEDIA_TYPE_UNKNOWN),
        ({"media": "text/xml; charset=utf-16"}, Reason.MEDIA_TYPE_UNKNOWN),
        ({"accept": "application/pdf"}, Reason.NOT_ACCEPTABLE),
        ({"target": f"{TEST}?edu-to={build.OIN}", "media": "application/json"}, Reason.PARAMETER_MISSING),
        (
            {"target": f"{TEST}?{EDU.replace('01AB', '09ZZ')}", "media": "application/json"},
            Reason.LOCATION_OUT_OF_SCOPE,
        ),
        ({"target": "/lvs/push/toetsaanbieder/toetsafname/inschrijving-vo"}, Reason.ROUTE_UNKNOWN),
        ({"target": "/lvs/push/toetsaanbieder/toetsafname/results", "media": "application/json"}, Reason.ROUTE_UNKNOWN),
        (
            {"target": f"{TEST}?edu-to={build.OIN}&edu-from=0000000700001AB01000", "media": "application/json"},
            Reason.LOCATION_OUT_OF_SCOPE,
        ),
    ],
)
async def test_request_that_may_not_be_made_is_refused_unread(
    school: School, changes: dict[str, Any], reason: Reason
) -> None:
    told = await push(school, None, **changes)

    assert told.reason is reason
    assert school.register.drafts[-1].kind == "refusal"


async def test_route_of_a_push_is_no_recipients_to_call(school: School) -> None:
    answer = await school.ask("/lvs/inschrijving-vo", body=b"<x/>")

    assert isinstance(answer, Released)
    assert answer.reason is Reason.ROUTE_UNKNOWN


# -- Eindtoetsketen ---------------------------------------------------------------------------------------------


async def test_list_reaches_the_test_provider_under_the_eck_id_and_without_names(school: School) -> None:
    told = await listed(school, build.participants(2, 3))

    assert (told.reason, told.status, told.body) == (None, 202, b"")
    made = orjson.loads(sent(school).body)
    assert sent(school).query == EDU
    assert [one["deelnemerref"] for one in made["deelnemers"]] == [
        [{"label": "ECK-iD", "onderwijsdeelnemerID": f"https://ketenid.example/{number:032x}"}]
        for number in (told_order(made))
    ]
    for word in (b"Achternaam", b"Roepnaam", b"van", b"ABC", b"2014", b"las-", b"Jansen", b"groep-8a"):
        assert word not in sent(school).body
    assert {one["groep"] for one in made["deelnemers"]} == {one["id"] for one in made["groepen"]}


def told_order(made: dict[str, Any]) -> list[int]:
    return [int(one["deelnemerref"][0]["onderwijsdeelnemerID"][-32:], 16) for one in made["deelnemers"]]


@needs_standards
async def test_list_is_as_the_official_api_says_before_and_after(school: School) -> None:
    await listed(school, build.participants(2, 3))

    for body in (build.participants(2, 3), sent(school).body):
        assert problems("eindtoets/eindtoetsketen-openapi.yaml", "Deelnemerslijst", orjson.loads(body)) == []


async def test_pupil_who_may_not_go_is_left_out_and_a_list_of_nobody_is_not_sent(school: School) -> None:
    school.enrol(pupil(2, eck=False))
    await listed(school, build.participants(2, 3))
    alone = await listed(school, build.participants(2))

    assert told_order(orjson.loads(sent(school).body)) == [3]
    assert alone.reason is Reason.NOT_AVAILABLE
    assert len(school.endpoints.sent) == 1


async def test_list_that_nests_too_deep_is_refused(school: School) -> None:
    told = await listed(school, build.participants(2)[:-1] + b',"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}")

    assert (told.reason, told.about) == (Reason.BODY_INVALID, "the body nests too deep")


async def test_sentence_of_the_recipient_does_not_come_back(school: School) -> None:
    school.endpoints.answers = lambda _: UpstreamAnswer(202, "application/json", b'{"melding": "Jan Jansen ontbreekt"}')

    told = await listed(school, build.participants(2))

    assert isinstance(told.body, bytes)
    assert orjson.loads(told.body) == {"melding": "De lijst is ontvangen."}
    assert told.status == 202


async def test_field_that_no_schema_has_never_leaves_wherever_it_stands(school: School) -> None:
    def salted(value: Any) -> Any:
        if isinstance(value, dict):
            return {SPOT: SPOT, **{name: salted(inner) for name, inner in value.items()}}
        return [salted(one) for one in value] if isinstance(value, list) else value

    await listed(school, orjson.dumps(salted(orjson.loads(build.participants(2, 3)))))

    assert SPOT.encode() not in sent(school).body
