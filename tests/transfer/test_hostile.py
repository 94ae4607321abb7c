"""Whatever is handed in as something else, broken or made to harm: refused with its entry, bounded, nothing told."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest

from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.transfer.filing import Wanted
from gateway.transfer.filter import Filter
from gateway.transfer.released import Released
from gateway.transfer.request import Request
from tests import builders_lists as lists
from tests.builders_formats import student_json
from tests.builders_oneroster import table, user, zipped
from tests.policy.shipped import answered
from tests.simulators.world import SIZES, School, a_request, a_school, caller, policy, student_asked

pytestmark = pytest.mark.anyio

CANARY = "kanarie7f3a"
BOUND = 80_000_000  # bytes that may be held while a file of tens of millions is refused
NAMES = ("toetsbureau", "digitale-leeromgeving")
WANTED = {
    "json": Wanted("lvs", "edu-v-students", "toetsbureau", "papieren-toets", "Student"),
    "xml": Wanted("lvs", "lijst", lists.NAME, lists.PURPOSE),
    "csv": Wanted("lvs", "oneroster-csv", "digitale-leeromgeving", "klassen-inrichten", "users"),
    "zip": Wanted("lvs", "oneroster-csv", "digitale-leeromgeving", "klassen-inrichten"),
}
MEDIA = {"json": "application/json", "xml": "application/xml", "csv": "text/csv", "zip": "application/zip"}


def a_school_of(form: str) -> School:
    if form == "xml":
        return a_school(compiled=lists.policy())
    return a_school(compiled=policy(texts=tuple((name, answered(name)) for name in NAMES)))


def good(form: str, school: School) -> bytes:
    match form:
        case "json":
            return orjson.dumps([student_json(one, givenName=CANARY) for one in school.pupils.values()])
        case "xml":
            return lists.listed(*(lists.pupil(one.ids["las-key"]) for one in school.pupils.values()))
        case "csv":
            return table([user(1, ext=CANARY)])
        case _:
            return zipped({"users": [{**user(1), "sourcedId": one.ids["las-key"]} for one in school.pupils.values()]})


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("manifest.csv", b"propertyName,value\r\n")
        made.writestr("users.csv", b"0" * 100_000_000)
    return out.getvalue()


LAUGHS = "".join(f'<!ENTITY a{n} "{10 * f"&a{n - 1};"}">' for n in range(1, 12))
OTHER = {
    "gzip": gzip.compress(b"[]"),
    "pdf": b"%PDF-1.7\n" + CANARY.encode(),
    "html": f"<html><p>{CANARY}</p></html>".encode(),
    "nul": b"\0" * 1_000,
    "random": bytes(range(256)) * 40,
    "bomb": bomb(),
    "billion laughs": f'<!DOCTYPE a [<!ENTITY a0 "ha">{LAUGHS}]><a>&a11;</a>'.encode(),
    "quadratic": f'<!DOCTYPE a [<!ENTITY a "{50_000 * "x"}">]><a>{50_000 * "&a;"}</a>'.encode(),
    "external": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
    "deep xml": b"<a>" * 50_000,
    "deep json": b'[{"a":' + b"[" * 50_000,
    "a text of 40 MB": b'[{"a": "' + b"x" * 40_000_000,
    "an element of 40 MB": b"<leerlingen><leerling>" + b"x" * 40_000_000,
    "an attribute of 40 MB": b'<leerlingen><leerling key="' + b"x" * 40_000_000,
    "a cell of 40 MB": b'sourcedId\r\n"' + b"x\n" * 20_000_000,
    "a header of 40 MB": b"a," * 20_000_000,
}
FORMS = pytest.mark.parametrize("form", WANTED)


def pieces(body: bytes) -> Iterator[bytes]:
    return (body[at : at + 1_048_576] for at in range(0, len(body), 1_048_576))


async def refused(form: str, body: bytes) -> Reason:
    """As a file; nothing of it was given on, and the register holds no word of it."""
    school = a_school_of(form)
    given: list[object] = []
    filed = await Filter(school.outside, SIZES, "j.jansen").file(WANTED[form], pieces(body), given.extend)
    assert filed.stop is not None
    assert (given, filed.tally.released) == ([], 0)
    (draft,) = school.register.drafts
    assert (draft.kind, draft.released, draft.issued) == ("refusal", (), ())
    assert CANARY not in repr((draft, filed.stop, filed.stop.args))
    return filed.stop.reason


async def pushed(form: str, body: bytes, *, who: Caller | None = None) -> Released:
    school, wanted = a_school_of(form), WANTED[form]

    async def read() -> bytes:
        return body

    query = f"recipient={wanted.recipient}&purpose={wanted.purpose}&schema={wanted.schema}"
    query += f"&record={wanted.record}" if wanted.record else ""
    request = Request("POST", b"/lvs/filter", query.encode(), {b"content-type": MEDIA[form].encode()}, "", read)
    answer = await school.transfers.answer(who or Caller("school-1", "school", None, None), request)
    assert isinstance(answer, Released)
    return answer


UNREADABLE = {Reason.MEDIA_TYPE_UNKNOWN, Reason.BODY_INVALID, Reason.BODY_TOO_LARGE}


@FORMS
@pytest.mark.parametrize("other", OTHER)
async def test_what_is_no_file_of_this_format_is_refused_and_bounded(form: str, other: str) -> None:
    body = OTHER[other]
    tracemalloc.start()
    try:
        reason = await refused(form, body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert reason in UNREADABLE
    assert peak < BOUND


@FORMS
@pytest.mark.parametrize("other", WANTED)
async def test_content_of_another_format_than_declared_is_refused(form: str, other: str) -> None:
    if form == other:
        assert (await pushed(form, good(form, a_school_of(form)))).reason is None
        return
    body = good(other, a_school_of(other))

    assert await refused(form, body) in UNREADABLE
    assert (await pushed(form, body)).reason in UNREADABLE


@FORMS
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp037"])
async def test_an_encoding_that_is_not_the_formats_is_refused(form: str, encoding: str) -> None:
    body = good(form, a_school_of(form)).decode("latin-1").encode(encoding, "replace")

    assert await refused(form, body) in UNREADABLE


@pytest.mark.parametrize("form", ["json", "xml", "zip"])
async def test_a_file_that_ends_early_is_refused_wherever_it_ends(form: str) -> None:
    """A table says nowhere where it ends: of one that does, the last row is ragged and malformed."""
    whole = good(form, a_school_of(form))
    for cut in (1, len(whole) // 3, len(whole) // 2, len(whole) - 3):
        assert await refused(form, whole[:cut]) in UNREADABLE


async def test_nobody_gets_a_pseudonym_for_an_id_of_their_choice() -> None:
    """A recipient asks by an id that is not its own; a school hands in one that nobody introduced."""
    school = a_school()
    known = school.pupils[1].ids
    for one in (*known.values(), "las-999"):
        asked = a_request("/lvs/students", body=student_asked(one))
        answer = await school.transfers.answer(caller("uitgever-noord"), asked)
        assert isinstance(answer, Released)
        assert answer.reason is Reason.NOT_AVAILABLE
        assert school.register.drafts[-1].issued == ()
    assert school.upstream.calls == []
    unknown = replace(school.pupils[1], ids={"las-key": "las-999", "nepri": "n-999"})
    made = await pushed("json", orjson.dumps([student_json(unknown)]))
    assert made.body == b"[]"
