"""Lists in XML through the filter: cut into their records as they arrive, each part registered, one list afterwards."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import cycle, islice

import pytest
from lxml import etree

from gateway.core.file_forms import Form, in_form
from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.core.release.sight import Seen
from gateway.transfer.filing import TOGETHER, Wanted
from gateway.transfer.filter import Filed, Filter
from gateway.transfer.released import Released
from gateway.transfer.request import Request
from tests import builders_lists as lists
from tests.simulators.world import SIZES, School, a_school

pytestmark = pytest.mark.anyio

WANTED = Wanted("lvs", "lijst", lists.NAME, lists.PURPOSE)
SPACE = f"{{{lists.SPACE}}}"


@pytest.fixture
def school() -> School:
    return a_school(compiled=lists.policy())


def keys(school: School, *numbers: int) -> list[str]:
    return [school.pupils[number].ids["las-key"] for number in numbers or school.pupils]


async def run(school: School, body: bytes, *, part: int = SIZES.part_bytes, piece: int = 100) -> tuple[Filed, bytes]:
    found: list[tuple[str, bytes]] = []
    chunks = [body[at : at + piece] for at in range(0, len(body), piece)]
    flow = Filter(school.outside, replace(SIZES, part_bytes=part), "j.jansen")
    filed = await flow.file(WANTED, chunks, found.extend)
    await flow.finish(filed)
    if filed.stop is not None:
        return filed, b""
    return filed, b"".join(in_form(filed.form, (row for _, row in sorted(found)), filed.head))


async def test_list_leaves_as_a_list_with_pseudonyms_in_their_order(school: School) -> None:
    filed, body = await run(school, lists.listed(*map(lists.pupil, keys(school))))

    root = etree.fromstring(body)
    said = [one.get("key", "") for one in root]
    assert (filed.stop, filed.form, root.tag) == (None, Form.LIST, f"{SPACE}leerlingen")
    assert said == sorted(said)
    assert len(said) == len(school.pupils) == filed.tally.released
    assert {child.tag for one in root for child in one} == {f"{SPACE}leerjaar"}
    (draft,) = school.register.drafts
    assert draft.digest == school.world.digest(body)


async def test_list_in_parts_is_the_same_list_with_an_entry_for_each(school: School) -> None:
    body = lists.listed(*map(lists.pupil, keys(school)))
    _, whole = await run(school, body)
    before = len(school.register.drafts)

    filed, parted = await run(school, body, part=1)

    assert parted == whole
    assert filed.parts == len(school.pupils)
    kinds = [one.kind for one in school.register.drafts[before:]]
    assert kinds == [*["part"] * filed.parts, "closing"]
    assert len({one.digest for one in school.register.drafts[before:-1]}) == filed.parts


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda body: body[:-5], Reason.BODY_INVALID),
        (lambda body: body.replace(b"<naam>", b"<naam>" + b"x" * 17_000_000, 1), Reason.BODY_INVALID),
        (lambda body: body.replace(b"?>", b"?><!DOCTYPE a>", 1), Reason.BODY_INVALID),
        (lambda body: body.replace(b"leerlingen", b"andere"), Reason.BODY_INVALID),
        (lambda _: b'[{"a": 1}]', Reason.MEDIA_TYPE_UNKNOWN),
        (lambda _: b"", Reason.BODY_INVALID),
    ],
)
async def test_list_that_breaks_is_refused_also_after_parts_of_it(school: School, edit: object, reason: Reason) -> None:
    assert callable(edit)
    filed, _ = await run(school, edit(lists.listed(*map(lists.pupil, keys(school)))), part=1, piece=70_000)

    assert filed.stop is not None
    assert filed.stop.reason is reason
    assert school.register.drafts[-1].kind == "refusal"


async def test_more_malformed_records_than_may_be_break_the_list(school: School) -> None:
    broken = [lists.pupil(key, "<leerjaar>x</leerjaar>") for key in keys(school) * 2]

    filed, _ = await run(school, lists.listed(*broken), part=1)

    assert filed.stop is not None
    assert filed.stop.reason is Reason.BODY_INVALID


async def test_system_of_the_school_gets_a_list_back_as_a_list(school: School) -> None:
    async def body() -> bytes:
        return lists.listed(*map(lists.pupil, keys(school)))

    query = f"recipient={lists.NAME}&purpose={lists.PURPOSE}&schema=lijst".encode()
    request = Request("POST", b"/lvs/filter", query, {b"content-type": b"text/xml"}, "", body)
    answer = await school.transfers.answer(Caller("school-1", "school", None, None), request)

    assert isinstance(answer, Released)
    assert isinstance(answer.body, bytes)
    assert (answer.reason, answer.media) == (None, b"text/xml")
    assert len(etree.fromstring(answer.body)) == len(school.pupils)


async def test_list_larger_than_an_answer_comes_back_in_parts_as_one_list() -> None:
    school = a_school(compiled=lists.policy(), sizes=replace(SIZES, answer_bytes=2_000, part_bytes=500))

    async def body() -> bytes:
        return lists.listed(*map(lists.pupil, keys(school) * 5))

    query = f"recipient={lists.NAME}&purpose={lists.PURPOSE}&schema=lijst".encode()
    request = Request("POST", b"/lvs/filter", query, {b"content-type": b"application/xml"}, "", body)
    answer = await school.transfers.answer(Caller("school-1", "school", None, None), request)
    assert isinstance(answer, Released)
    assert isinstance(answer.body, AsyncIterator)
    text = b"".join([part async for part in answer.body])

    assert len({one.get("key") for one in etree.fromstring(text)}) == len(school.pupils)
    kinds = [one.kind for one in school.register.drafts]
    assert kinds == [*["part"] * (len(kinds) - 1), "closing"]
    assert len(kinds) > 2


async def test_many_short_records_are_decided_about_in_several_parts(school: School) -> None:
    """A short row takes as much memory meanwhile as a long one."""
    records = map(lists.pupil, islice(cycle(keys(school)), 2 * TOGETHER + 1))

    filed, _ = await run(school, lists.listed(*records), piece=70_000)

    assert (filed.stop, filed.parts, filed.tally.handed_in) == (None, 3, 2 * TOGETHER + 1)


async def test_nobody_of_an_earlier_part_is_in_memory(school: School) -> None:
    """A million pupils fit."""
    kept: list[int] = []
    chunks = [lists.listed(*map(lists.pupil, keys(school)))]

    def give_on(_: object) -> None:
        kept.append(sum(isinstance(one, Seen) for one in gc.get_objects()))

    gc.collect()
    await Filter(school.outside, replace(SIZES, part_bytes=1), "j.jansen").file(WANTED, chunks, give_on)

    assert len(kept) == len(school.pupils) > 2
    assert kept[-1] <= kept[0] + 1
