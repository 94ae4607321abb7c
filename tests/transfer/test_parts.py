"""transfer.parts: before each chunk its entry, screened at its own moment; a part that may not leave breaks off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest

from gateway.core.reasons import Reason
from gateway.transfer.parts import Part, Parts, Piece
from gateway.transfer.ports import Receipt, RegisterUnavailable
from gateway.transfer.released import Answer, Released
from gateway.transfer.request import Stop
from gateway.transfer.steps import Sizes
from tests.builders_formats import enrollment_json, pupil, student_json
from tests.simulators.world import NORTH, School, a_school, student_asked

pytestmark = pytest.mark.anyio

STUDENTS = f"/lvs/students/school?{NORTH}"
RECORD = len(orjson.dumps(student_json(pupil(1))))


@pytest.fixture
def school() -> School:
    """Nine pupils, of whom two fit in a part."""
    school = a_school(pupils=[pupil(number) for number in range(1, 10)], sizes=Sizes(100, RECORD + 10, 32))
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    return school


def stream(answer: Answer) -> AsyncIterator[bytes]:
    assert isinstance(answer, Released)
    assert isinstance(answer.body, AsyncIterator)
    return answer.body


async def whole(answer: Answer) -> list[object]:
    found: list[object] = orjson.loads(b"".join([part async for part in stream(answer)]))
    return found


async def test_large_list_leaves_whole_in_parts(school: School) -> None:
    found = await whole(await school.ask(STUDENTS))

    assert len(found) == 9
    kinds = [(draft.kind, draft.part) for draft in school.register.drafts]
    assert kinds == [("part", 1), ("part", 2), ("part", 3), ("part", 4), ("part", 5), ("closing", 5)]


async def test_large_list_is_one_transfer(school: School) -> None:
    answer = await school.ask(STUDENTS)
    await whole(answer)

    assert isinstance(answer, Released)
    assert {draft.part_of for draft in school.register.drafts} == {answer.receipt.id}
    assert len({draft.id for draft in school.register.drafts}) == 6


async def test_each_part_is_registered_before_it_leaves(school: School) -> None:
    chunks = stream(await school.ask(STUDENTS))

    registered = [sum(len(draft.released) for draft in school.register.drafts) async for _ in chunks]

    assert registered == [2, 4, 6, 8, 9, 9]


async def test_first_part_is_registered_before_the_answer_starts(school: School) -> None:
    school.register.unwritable = True

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.REGISTER_UNAVAILABLE


async def test_parts_hold_pseudonyms_in_order_within_each(school: School) -> None:
    seen = []
    async for chunk in stream(await school.ask(STUDENTS)):
        records = orjson.loads(b"[" + chunk.strip(b"[],") + b"]")
        seen.append([one["userIds"][0]["userId"] for one in records])

    assert all(part == sorted(part) for part in seen)


async def test_pupil_who_leaves_between_two_parts_is_in_none_after(school: School) -> None:
    chunks = stream(await school.ask(STUDENTS))
    await anext(chunks)
    for number in school.pupils:
        school.leaves(number)

    rest = [chunk async for chunk in chunks]

    assert rest == [b"]"]
    assert [len(draft.released) for draft in school.register.drafts if draft.kind == "part"] == [2, 0, 0, 0, 0]


async def test_nobody_in_the_first_part_still_makes_a_list(school: School) -> None:
    school.leaves(1)
    school.leaves(2)

    assert len(await whole(await school.ask(STUDENTS))) == 7


async def test_nobody_at_all_makes_an_empty_list(school: School) -> None:
    for number in school.pupils:
        school.leaves(number)

    assert await whole(await school.ask(STUDENTS)) == []


async def test_suspension_between_two_parts_breaks_the_answer_off(school: School) -> None:
    chunks = stream(await school.ask(STUDENTS))
    await anext(chunks)
    school.suspends("uitgever-noord")

    with pytest.raises(Stop):
        await anext(chunks)

    assert [chunk async for chunk in chunks] == []
    assert [(draft.kind, draft.part) for draft in school.register.drafts] == [("part", 1), ("refusal", 2)]
    assert school.register.drafts[-1].reasons[0] is Reason.SCHEMA_NOT_ACTIVE


async def test_register_that_fails_between_two_parts_breaks_the_answer_off(school: School) -> None:
    chunks = stream(await school.ask(STUDENTS))
    await anext(chunks)
    school.register.unwritable = True

    with pytest.raises(RegisterUnavailable):
        await anext(chunks)

    assert [chunk async for chunk in chunks] == []


async def test_end_of_the_list_leaves_only_after_the_closing(school: School) -> None:
    chunks = stream(await school.ask(STUDENTS))
    sent = [await anext(chunks) for _ in range(5)]
    school.register.unwritable = True

    with pytest.raises(RegisterUnavailable):
        await anext(chunks)

    assert not b"".join(sent).endswith(b"]")


async def test_facts_that_move_before_a_part_is_committed_are_screened_again(school: School) -> None:
    chunks = stream(await school.ask(STUDENTS))
    await anext(chunks)
    school.register.before = lambda _: school.leaves(3)

    await anext(chunks)

    assert [one.id for one in school.register.drafts[-1].released] == [school.pupils[4].id]


async def test_second_large_list_issues_nothing_again(school: School) -> None:
    for _ in range(2):
        await whole(await school.ask(STUDENTS))

    issued = [len(draft.issued) for draft in school.register.drafts if draft.kind == "part"]
    assert issued == [2, 2, 2, 2, 1, 0, 0, 0, 0, 0]


def with_malformed(school: School, number: int) -> None:
    """So many malformed records between the others: no two of them in one part."""
    good = [student_json(one) for one in school.pupils.values()]
    spread = [[one, student_json(pupil(1), userIds="no ids")] for one in good[:number]]
    school.upstream.holds["/students/school"] = [each for pair in spread for each in pair] + good[number:]


async def test_five_malformed_records_in_all_parts_together_are_withheld_alone(school: School) -> None:
    with_malformed(school, 5)

    assert len(await whole(await school.ask(STUDENTS))) == 9
    assert sum(draft.malformed for draft in school.register.drafts) == 5


async def test_six_malformed_records_in_all_parts_together_break_the_answer_off(school: School) -> None:
    """As few as may be in each part, and still more than the answer may have when it is built whole."""
    with_malformed(school, 6)
    chunks = stream(await school.ask(STUDENTS))

    with pytest.raises(Stop) as stopped:
        [chunk async for chunk in chunks]

    assert stopped.value.reason is Reason.UPSTREAM_FAILED
    assert max(draft.malformed for draft in school.register.drafts) == 1
    assert school.register.drafts[-1].kind == "refusal"


async def test_malformed_records_of_a_part_that_was_screened_again_count_once(school: School) -> None:
    with_malformed(school, 5)
    chunks = stream(await school.ask(STUDENTS))
    for _ in range(3):
        school.register.before = lambda _: school.leaves(9)
        await anext(chunks)

    assert [chunk async for chunk in chunks][-1] == b"]"


async def test_large_answer_about_one_pupil_is_built_whole(school: School) -> None:
    pseudonyms = await school.shown()
    school.upstream.holds["/enrollments/school/student"] = [enrollment_json(1, school.pupils[1])]
    answer = await school.ask("/lvs/enrollments/school/student", body=student_asked(pseudonyms[1]))

    assert isinstance(answer, Released)
    assert isinstance(answer.body, bytes)


async def test_list_within_the_bound_is_built_whole(school: School) -> None:
    school.upstream.holds["/students/school"] = []
    for number in school.pupils:
        school.leaves(number)

    answer = await school.ask(STUDENTS)

    assert isinstance(answer, Released)
    assert answer.body == b"[]"


async def test_source_that_sends_no_list_is_refused_before_anything_leaves(school: School) -> None:
    school.upstream.raw["/students/school"] = b'{"name": "%s"}' % (b"x" * 200)

    answer = await school.ask(STUDENTS)

    assert answer.reason is Reason.UPSTREAM_FAILED


async def test_parts_one_piece_is_followed_by_its_closing() -> None:
    closed = []

    async def emit(piece: Piece) -> Part:
        return Part(Receipt(f"part {piece.number}", piece.number), piece.body)

    async def close(parts: int) -> None:
        closed.append(parts)

    receipt, chunks = await Parts([b"[1,2]"], 5, emit, close).start()

    assert (receipt.id, [chunk async for chunk in chunks], closed) == ("part 1", [b"[1,2", b"]"], [1])
