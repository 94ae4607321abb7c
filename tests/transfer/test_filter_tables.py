"""Files of OneRoster in CSV through the filter: cut, decided, minimised and registered as any other file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from operator import itemgetter

import pytest

from gateway.core.file_forms import Form, in_form
from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.formats.csv import set_of
from gateway.transfer.filing import Wanted
from gateway.transfer.filter import Filed, Filter
from gateway.transfer.filter import Rows as Left
from gateway.transfer.released import Released
from gateway.transfer.request import Request
from gateway.transfer.steps import Sizes
from tests.builders_csv import read
from tests.builders_formats import pupil
from tests.builders_oneroster import Rows, enrolment, files, table, unzipped, user, zipped
from tests.policy.shipped import answered
from tests.simulators.world import SIZES, School, a_school, policy

pytestmark = pytest.mark.anyio

RECIPIENT = "digitale-leeromgeving"
WANTED = Wanted("lvs", "oneroster-csv", RECIPIENT, "klassen-inrichten", "users")


@pytest.fixture
def school() -> School:
    return a_school_with(SIZES)


def a_school_with(sizes: Sizes) -> School:
    pupils = [replace(pupil(number), ids={"las-key": f"0012{number}"}) for number in (1, 2, 3)]
    return a_school(compiled=policy(texts=((RECIPIENT, answered(RECIPIENT)),)), pupils=pupils, sizes=sizes)


async def run(
    school: School, rows: Rows, *, part: int = SIZES.part_bytes, record: str = "users"
) -> tuple[Filed, bytes]:
    found: list[tuple[str, bytes]] = []
    flow = Filter(school.outside, replace(SIZES, part_bytes=part), "j.jansen")
    filed = await flow.file(replace(WANTED, record=record), [table(rows)], found.extend)
    await flow.finish(filed)
    return filed, b"".join(in_form(filed.form, (row for _, row in sorted(found)), filed.head))


async def test_table_leaves_with_pseudonyms_and_without_a_vendors_columns(school: School) -> None:
    filed, body = await run(school, [user(1, ext_vendor="canary"), user(9), user(2)])

    assert (filed.stop, filed.form, filed.tally.released, filed.tally.unresolved) == (None, Form.TABLE, 2, 1)
    assert list(read(body)[0]) == ["sourcedId", "enabledUser", "givenName", "familyName", "password"]
    assert {row["password"] for row in read(body)} == {""}
    (draft,) = school.register.drafts
    assert (draft.route, set(draft.released)) == ("FILE /users", {school.pupils[1], school.pupils[2]})
    assert draft.digest == school.world.digest(body)


async def test_table_in_parts_is_the_same_table_with_an_entry_for_each(school: School) -> None:
    rows = [user(number) for number in (1, 2, 3)]
    _, whole = await run(school, rows)
    before = len(school.register.drafts)

    filed, parted = await run(school, rows, part=1)

    assert parted == whole
    assert filed.parts == 3
    assert [one.kind for one in school.register.drafts[before:]] == ["part", "part", "part", "closing"]


async def test_columns_that_nobody_knows_are_named_in_the_report(school: School) -> None:
    filed, _ = await run(school, [user(1, ext_vendor="x")] * 6)

    assert filed.tally.unclassified() == {"ext_vendor": 6}


async def test_enrolments_lead_to_the_pupils_of_another_file(school: School) -> None:
    _, users = await run(school, files()["users"])
    _, enrolments = await run(school, [enrolment(1, 1), enrolment(2, 2)], record="enrollments")

    assert {row["userSourcedId"] for row in read(enrolments)} == {row["sourcedId"] for row in read(users)}


async def test_what_is_no_table_is_refused_and_registered(school: School) -> None:
    flow = Filter(school.outside, SIZES, "j.jansen")
    for body in (b"PK\x03\x04\0\0", b'sourcedId,"x', b"sourcedId,sourcedId\r\n"):
        filed = await flow.file(WANTED, [body], lambda _: None)
        assert filed.stop is not None
        assert filed.stop.reason in (Reason.BODY_INVALID, Reason.MEDIA_TYPE_UNKNOWN)


async def hand_in(
    school: School,
    body: bytes,
    *,
    piece: int = 1_000,
    part: int = SIZES.part_bytes,
    then: Callable[[int], None] = lambda _: None,
) -> tuple[Filed, bytes]:
    """`then` hears of each part that left, by its number."""
    found: list[tuple[str, bytes]] = []

    def take(rows: Left) -> None:
        found.extend(rows)
        then(len(school.register.drafts))

    flow = Filter(school.outside, replace(SIZES, part_bytes=part), "j.jansen")
    chunks = [body[at : at + piece] for at in range(0, len(body), piece)]
    filed = await flow.file(replace(WANTED, record=None), chunks, take)
    await flow.finish(filed)
    return filed, b"".join(set_of(sorted(found, key=itemgetter(0)))) if found else b""


async def test_set_of_files_leaves_as_one_that_refers_to_itself(school: School) -> None:
    body = zipped(files(users=[user(1, ext_vendor="canary"), user(2), user(9)]), extra_csv=b"canary")

    filed, made = await hand_in(school, body)

    left = unzipped(made)
    assert (filed.stop, filed.form) == (None, Form.SET)
    assert {row["userSourcedId"] for row in left["enrollments"]} == {row["sourcedId"] for row in left["users"]}
    assert {row["classSourcedId"] for row in left["enrollments"]} == {row["sourcedId"] for row in left["classes"]}
    assert len(left["users"]) == 2
    assert "ext_vendor" not in left["users"][0]
    assert b"canary" not in b"".join(str(rows).encode() for rows in left.values())
    assert (filed.tally.handed_in, filed.tally.released, filed.tally.unresolved) == (9, 8, 1)
    (draft,) = school.register.drafts
    assert (draft.route, draft.digest) == ("FILE /*", school.world.digest(made))
    assert "users.sourcedId" in draft.fields


async def test_set_in_pieces_is_the_same_set_with_an_entry_for_each(school: School) -> None:
    body = zipped(files(users=[user(1, ext_vendor="canary"), user(2), user(9)]))
    told, whole = await hand_in(school, body)
    before = len(school.register.drafts)

    filed, parted = await hand_in(school, body, part=1)

    assert unzipped(parted) == unzipped(whole)
    assert replace(filed.tally, persons=told.tally.persons) == told.tally
    drafts = school.register.drafts[before:]
    assert [one.kind for one in drafts] == ["part"] * 9 + ["closing"]
    assert {path.partition(".")[0] for path in drafts[0].fields} == {"users"}
    assert [len(one.released) for one in drafts] == [1, 1, 0, 1, 1, 1, 0, 0, 0, 0]


async def test_large_set_of_one_file_in_one_piece_is_a_part_too(school: School) -> None:
    """Its entry has the digest of its rows, not of the archive."""
    _, made = await hand_in(school, zipped({"users": [user(1), user(2)]}), part=134)

    assert len(unzipped(made)["users"]) == 2
    assert [one.kind for one in school.register.drafts] == ["part", "closing"]


async def test_class_whose_only_pupil_leaves_while_a_set_does_stays_behind(school: School) -> None:
    """House rule 4: between the pupil's own row and that of the enrolment."""
    body = zipped(files(enrollments=[enrolment(1, 1), enrolment(2, 2, 2)]))

    def then(parts: int) -> None:
        if parts == 2:
            school.leaves(2)

    _, made = await hand_in(school, body, part=1, then=then)

    left = unzipped(made)
    assert (len(left["users"]), len(left["enrollments"]), len(left["classes"])) == (2, 1, 1)


async def test_who_leaves_while_an_entry_is_committed_counts_for_nothing_in_the_set(school: School) -> None:
    """What a piece would have released is forgotten when it is screened again."""
    body = zipped(files(enrollments=[enrolment(1, 1), enrolment(2, 2, 2)]))

    def then(parts: int) -> None:
        if parts == 1:
            school.register.before = lambda _: school.leaves(2)

    _, made = await hand_in(school, body, part=1, then=then)

    left = unzipped(made)
    assert (len(left["users"]), len(left["enrollments"]), len(left["classes"])) == (1, 1, 1)


async def test_set_in_pieces_breaks_off_when_a_file_may_not_leave_any_more(school: School) -> None:
    given = answered(RECIPIENT)
    fewer = policy(texts=((RECIPIENT, given[: given.index("        enrollments:\n")]),))

    filed, _ = await hand_in(school, zipped(files()), part=1, then=lambda _: school.takes_over(fewer))

    assert filed.stop is not None
    assert filed.stop.reason is Reason.FACTS_CHANGED
    assert school.register.drafts[1].part_of == school.register.drafts[0].id


async def test_column_of_a_vendor_in_a_set_is_named_with_its_file(school: School) -> None:
    filed, _ = await hand_in(school, zipped(files(users=[user(1, ext_vendor="x")] * 6)))

    assert filed.tally.unclassified()["users.ext_vendor"] == 6


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"sourcedId\r\n1", Reason.MEDIA_TYPE_UNKNOWN),
        (b"PK\x03\x04", Reason.BODY_INVALID),
        (b"PK", Reason.BODY_INVALID),
        (b"", Reason.BODY_INVALID),
        (zipped(files())[:-30], Reason.BODY_INVALID),
    ],
)
async def test_what_is_no_set_is_refused_and_registered(school: School, body: bytes, reason: Reason) -> None:
    filed, made = await hand_in(school, body)

    assert filed.stop is not None
    assert (filed.stop.reason, made) == (reason, b"")
    assert school.register.drafts[-1].kind == "refusal"


async def push(school: School, body: bytes, media: str, record: str = "") -> Released:
    async def read() -> bytes:
        return body

    query = f"recipient={RECIPIENT}&purpose=klassen-inrichten&schema=oneroster-csv" + (record and f"&record={record}")
    request = Request("POST", b"/lvs/filter", query.encode(), {b"content-type": media.encode()}, "", read)
    answer = await school.transfers.answer(Caller("school-1", "school", None, None), request)
    assert isinstance(answer, Released)
    return answer


async def test_system_of_the_school_gets_a_table_and_a_set_back(school: School) -> None:
    tables = await push(school, table([user(1), user(2)]), "text/csv", "users")
    sets = await push(school, zipped(files()), "application/zip")

    assert isinstance(tables.body, bytes)
    assert isinstance(sets.body, bytes)
    assert (tables.media, sets.media) == (b"text/csv", b"application/zip")
    assert len(read(tables.body)) == 2
    assert len(unzipped(sets.body)["users"]) == 2


@pytest.mark.parametrize(
    ("body", "media", "record", "reason"),
    [
        (zipped(files()), "text/csv", "users", Reason.MEDIA_TYPE_UNKNOWN),
        (zipped(files()), "text/csv", "", Reason.MEDIA_TYPE_UNKNOWN),
        (table([user(1)]), "application/zip", "", Reason.MEDIA_TYPE_UNKNOWN),
        (table([user(1)]), "application/zip", "users", Reason.MEDIA_TYPE_UNKNOWN),
        (b"[]", "application/json", "users", Reason.MEDIA_TYPE_UNKNOWN),
        (table([user(1, note="x" * 70_000)]), "text/csv", "users", Reason.BODY_INVALID),
        (b"x" + b",y" * 600, "text/csv", "users", Reason.BODY_INVALID),
    ],
)
async def test_upload_that_is_not_what_it_says_is_refused(
    school: School, body: bytes, media: str, record: str, reason: Reason
) -> None:
    assert (await push(school, body, media, record)).reason is reason


async def test_table_that_is_larger_than_an_answer_comes_back_in_parts_as_the_same_table(school: School) -> None:
    small = a_school_with(Sizes(100, 50, 32))
    body = table([user(1), user(2), user(3)])

    answer = await push(small, body, "text/csv", "users")
    assert isinstance(answer.body, AsyncIterator)
    text = b"".join([part async for part in answer.body])

    whole = (await push(school, body, "text/csv", "users")).body
    assert isinstance(whole, bytes)
    assert sorted(text.splitlines()) == sorted(whole.splitlines())
    assert text.splitlines()[0] == whole.splitlines()[0]
    assert [one.kind for one in small.register.drafts] == ["part", "part", "closing"]
    assert answer.media == b"text/csv"


async def test_large_table_that_ends_in_rubbish_comes_back_with_nothing() -> None:
    small = a_school_with(Sizes(100, 50, 32))

    answer = await push(small, table([user(1), user(2)]) + b'x,"', "text/csv", "users")

    assert (answer.reason, answer.body) == (Reason.BODY_INVALID, None)
    assert [one.kind for one in small.register.drafts] == ["refusal"]


async def test_set_that_is_larger_than_an_answer_is_told_the_limit() -> None:
    small = a_school_with(Sizes(100, 50, 32))

    answer = await push(small, zipped(files()), "application/zip", "")

    assert (answer.reason, "limits.answer_bytes" in answer.about) == (Reason.BODY_TOO_LARGE, True)
