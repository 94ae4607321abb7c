"""Files of OneRoster in CSV through the filter: cut, decided, minimised and registered as any other file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.file_forms import Form, in_form
from gateway.core.reasons import Reason
from gateway.transfer.filing import Wanted
from gateway.transfer.filter import Filed, Filter
from tests.builders_csv import read
from tests.builders_formats import pupil
from tests.builders_oneroster import Rows, enrolment, files, table, user
from tests.policy.shipped import answered
from tests.simulators.world import SIZES, School, a_school, policy

pytestmark = pytest.mark.anyio

RECIPIENT = "digitale-leeromgeving"
WANTED = Wanted("lvs", "oneroster-csv", RECIPIENT, "klassen-inrichten", "users")


@pytest.fixture
def school() -> School:
    pupils = [replace(pupil(number), ids={"las-key": f"0012{number}"}) for number in (1, 2, 3)]
    return a_school(compiled=policy(texts=((RECIPIENT, answered(RECIPIENT)),)), pupils=pupils)


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
