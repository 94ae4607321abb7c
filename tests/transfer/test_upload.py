"""transfer.upload: records that a system of the school pushes; to a recipient the route says nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.transfer.released import Released
from gateway.transfer.request import Request
from gateway.transfer.steps import Sizes
from tests.builders_formats import student_json
from tests.policy.shipped import answered, changed
from tests.simulators.world import SIZES, School, a_school, caller, policy

pytestmark = pytest.mark.anyio

NAME, PURPOSE = "toetsbureau", "papieren-toets"
SYSTEM = Caller("school-1", "school", None, None)
QUERY = f"recipient={NAME}&purpose={PURPOSE}&schema=edu-v-students"
JSON, LINES = "application/json", "application/x-ndjson"


def bureau(sizes: Sizes = SIZES) -> School:
    return a_school(compiled=policy(texts=((NAME, answered(NAME)),)), sizes=sizes)


@pytest.fixture
def school() -> School:
    return bureau()


def students(school: School, *numbers: int) -> list[dict[str, Any]]:
    return [student_json(school.pupils[number]) for number in numbers or school.pupils]


def lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in records)


async def push(
    school: School,
    body: bytes | None,
    *,
    media: str = JSON,
    query: str = QUERY,
    method: str = "POST",
    who: Caller = SYSTEM,
    **headers: str,
) -> Released:
    """`body` None: whoever reads it fails the test."""

    async def read() -> bytes:
        assert body is not None, "the body was read"
        return body

    given = {b"content-type": media.encode(), **{n.replace("_", "-").encode(): v.encode() for n, v in headers.items()}}
    request = Request(method, b"/lvs/filter", query.encode(), given, "203.0.113.7", read)
    answer = await school.transfers.answer(who, request)
    assert isinstance(answer, Released)
    return answer


def ids(body: object) -> list[str]:
    assert isinstance(body, bytes)
    return [one["userIds"][0]["userId"] for one in orjson.loads(body)]


async def test_what_a_school_pushes_comes_back_filtered_and_registered(school: School) -> None:
    answer = await push(school, orjson.dumps(students(school)))

    assert (answer.reason, answer.purpose) == (None, PURPOSE)
    assert ids(answer.body) == sorted(ids(answer.body))
    assert len(ids(answer.body)) == 6
    (draft,) = school.register.drafts
    assert (draft.actor, draft.credential, draft.recipient) == ("school", "school-1", NAME)
    assert (draft.id, draft.route, draft.released) == (answer.receipt.id, "FILE /Student", (*school.pupils.values(),))
    assert school.upstream.calls == []


def platform() -> str:
    """OnderwijsTransparant, made to pass on to the bureau (R55)."""
    return changed(
        answered("onderwijstransparant"),
        ("purpose: toelaatbaarheid", f"purpose: {PURPOSE}"),
        ("final_recipients: [samenwerkingsverband]", f"final_recipients: [{NAME}]"),
        ("oso-2019:\n        dossier: {}", "edu-v-students:\n        Student: {}"),
        ("[address,", "[pupil-number, address,"),
    )


async def test_pushed_through_a_platform_goes_what_the_final_recipient_may_have() -> None:
    texts = ((NAME, answered(NAME)), ("onderwijstransparant", platform()))
    school = a_school(compiled=policy(texts=texts))
    through = QUERY.replace(NAME, "onderwijstransparant")

    direct = await push(school, orjson.dumps(students(school)))
    answer = await push(school, orjson.dumps(students(school)), query=f"{through}&final_recipient={NAME}")
    refused = await push(school, None, query=through)

    assert answer.body == direct.body
    assert (school.register.drafts[1].recipient, school.register.drafts[1].detail) == (
        NAME, ("through: onderwijstransparant",),
    )  # fmt: skip
    assert refused.reason is Reason.FINAL_RECIPIENT_MISSING


async def test_credential_of_a_recipient_is_refused_without_looking_at_the_body(school: School) -> None:
    for name in ("uitgever-noord", "toetsaanbieder"):
        answer = await push(school, None, query="whatever", who=caller(name))

        assert answer.reason is Reason.CALLER_NOT_RECIPIENT
        assert school.register.drafts[-1].actor == name
        assert school.register.drafts[-1].issued == ()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", Reason.PARAMETER_MISSING),
        (f"recipient={NAME}&purpose={PURPOSE}", Reason.PARAMETER_MISSING),
        (f"{QUERY}&limit=1", Reason.PARAMETER_UNKNOWN),
        (f"{QUERY}&schema=edu-v-students", Reason.PARAMETER_INVALID),
        (f"{QUERY}&record=a%0D%0Ab", Reason.PARAMETER_INVALID),
        (QUERY.replace(PURPOSE, "a%0D%0Ab"), Reason.PARAMETER_INVALID),
        (QUERY.replace(PURPOSE, "werving"), Reason.PURPOSE_UNKNOWN),
        (QUERY.replace(NAME, "onbekend"), Reason.RECIPIENT_UNKNOWN),
        (QUERY.replace("students", "onbekend"), Reason.ROUTE_UNKNOWN),
        ("recipient=uitgever-noord&purpose=toegang-leermiddel&schema=edu-v-students", Reason.CHANNEL_NOT_ALLOWED),
        (f"{QUERY}&final_recipient=uitgever-noord", Reason.CHANNEL_NOT_ALLOWED),
    ],
)
async def test_what_is_asked_is_decided_before_the_body_is_read(school: School, query: str, reason: Reason) -> None:
    answer = await push(school, None, query=query)

    assert answer.reason is reason
    assert school.register.drafts[-1].kind == "refusal"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"method": "GET"}, Reason.METHOD_NOT_ALLOWED),
        ({"purpose": "toetsafname"}, Reason.PURPOSE_MISMATCH),
        ({"media": "application/xml"}, Reason.MEDIA_TYPE_UNKNOWN),
        ({"media": "application/json; charset=iso-8859-1"}, Reason.MEDIA_TYPE_UNKNOWN),
        ({"content_encoding": "gzip"}, Reason.MEDIA_TYPE_UNKNOWN),
        ({"accept": "application/xml"}, Reason.NOT_ACCEPTABLE),
    ],
)
async def test_request_that_is_not_as_declared_is_refused_unread(
    school: School, changes: dict[str, Any], reason: Reason
) -> None:
    answer = await push(school, None, **changes)

    assert answer.reason is reason


@pytest.mark.parametrize(
    ("body", "media", "reason"),
    [
        (b"<a/>", JSON, Reason.MEDIA_TYPE_UNKNOWN),
        (b"\xef\xbb\xbf[]", JSON, Reason.MEDIA_TYPE_UNKNOWN),
        (b'{"a": 1}\n{"a": 2}\n', JSON, Reason.MEDIA_TYPE_UNKNOWN),
        (b"[{}]", LINES, Reason.MEDIA_TYPE_UNKNOWN),
        (b"", JSON, Reason.BODY_INVALID),
        (b"[{}", JSON, Reason.BODY_INVALID),
        (b"[{]}]", JSON, Reason.BODY_INVALID),
        (b'[{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}]", JSON, Reason.BODY_INVALID),
        (b"[" + b",".join([b'{"userIds": 1}'] * 6) + b"]", JSON, Reason.BODY_INVALID),
    ],
)
async def test_content_that_is_not_what_it_is_declared_as_is_refused(
    school: School, body: bytes, media: str, reason: Reason
) -> None:
    answer = await push(school, body, media=media)

    assert answer.reason is reason


async def test_lines_come_back_as_lines_with_the_digest_of_what_leaves(school: School) -> None:
    answer = await push(school, lines(students(school)), media=LINES)

    assert isinstance(answer.body, bytes)
    assert answer.media == LINES.encode()
    assert len([orjson.loads(line) for line in answer.body.splitlines()]) == 6
    assert school.register.drafts[0].digest == school.world.digest(answer.body)


async def test_single_record_of_a_pupil_who_is_withheld_looks_absent(school: School) -> None:
    shown = await push(school, orjson.dumps(students(school, 3)[0]))
    school.leaves(3)
    gone = await push(school, orjson.dumps(students(school, 3)[0]))

    assert isinstance(shown.body, bytes)
    assert shown.body.startswith(b"{")
    assert gone.reason is Reason.NOT_AVAILABLE
    assert school.register.drafts[-1].withheld == ((school.pupils[3], (Reason.PUPIL_NOT_IN_SCOPE,)),)


@pytest.mark.parametrize("media", [JSON, LINES])
async def test_large_upload_comes_back_in_parts_with_their_entries(media: str) -> None:
    school = bureau(Sizes(1_000, 500, 32))
    held = students(school)

    answer = await push(school, lines(held) if media == LINES else orjson.dumps(held), media=media)
    assert isinstance(answer.body, AsyncIterator)
    text = b"".join([part async for part in answer.body])

    found = [orjson.loads(line) for line in text.splitlines()] if media == LINES else orjson.loads(text)
    assert len(found) == 6
    kinds = [draft.kind for draft in school.register.drafts]
    assert kinds == ["part"] * (len(kinds) - 1) + ["closing"]
    assert len(kinds) > 2
