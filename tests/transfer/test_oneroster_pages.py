"""Walks over OneRoster's lists: every released record once, whoever is withheld, withdrawn or deleted meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.core.gate.decide import Permit
from gateway.core.reasons import Reason
from gateway.demo.oneroster import Roster, make_roster, school_id
from gateway.demo.oneroster_api import OneRoster
from gateway.demo.school import NOORD
from gateway.transfer.ports import UpstreamAnswer, UpstreamCall
from gateway.transfer.stretches import WHOLE
from tests.simulators.left import Left, left
from tests.simulators.oneroster import OneRosterUpstream, an_online_school, copied, demo_school, online, small
from tests.simulators.world import School

pytestmark = pytest.mark.anyio
_NEXT = re.compile(r'<([^>]*)>; rel="next"')


def lvs(school: School) -> OneRosterUpstream:
    assert isinstance(school.upstream, OneRosterUpstream)
    return school.upstream


def ids(answer: Left) -> list[str]:
    assert answer.status == 200, answer.body
    (records,) = answer.json().values()
    return [one["sourcedId"] for one in records]


def following(answer: Left) -> str | None:
    found = _NEXT.search(answer.header("link") or "")
    return found[1] if found else None


async def by_links(school: School, path: str, meanwhile: Callable[[int], None] = lambda _: None) -> list[str]:
    found: list[str] = []
    target: str | None = path
    for page in range(1_000):
        if target is None:
            return found
        answer = await left(await online(school, target))
        found += ids(answer)
        target = following(answer)
        meanwhile(page)
    raise AssertionError("the walk does not end")


async def by_offsets(school: School, path: str, limit: int, meanwhile: Callable[[int], None]) -> list[str]:
    found: list[str] = []
    for page in range(1_000):
        here = ids(await left(await online(school, f"{path}?limit={limit}&offset={len(found)}")))
        found += here
        meanwhile(page)
        if len(here) < limit:
            return found
    raise AssertionError("the walk does not end")


async def everybody(school: School) -> set[str]:
    """But for those whose end is told."""
    answer = await left(await online(school, "/users?limit=10000"))
    return {one["sourcedId"] for one in answer.json()["users"] if one["status"] == "active"}


WALKS = {
    "links": lambda school, meanwhile: by_links(school, "/users?limit=2", meanwhile),
    "offsets": lambda school, meanwhile: by_offsets(school, "/users", 2, meanwhile),
}


@pytest.mark.parametrize("counts", [True, False], ids=["total told", "no total"])
@pytest.mark.parametrize("most", [1, 3, 5_000])
@pytest.mark.parametrize("walk", WALKS)
async def test_walk_shows_every_released_record_once(walk: str, most: int, counts: bool) -> None:  # noqa: FBT001 - a case
    school = an_online_school()
    lvs(school).api.most, lvs(school).counts = most, counts
    for number in (2, 7, 12):
        school.leaves(number)

    found = await WALKS[walk](school, lambda _: None)

    assert len(found) == len(set(found)) == len(school.pupils) - 3
    assert found == sorted(found)


@pytest.mark.parametrize("walk", WALKS)
async def test_walk_with_withdrawals_misses_nobody_who_stays(walk: str) -> None:
    school = an_online_school()
    before = await everybody(school)
    gone = iter((1, 4, 9, 3))

    def withdraw(page: int) -> None:
        if page in (0, 1, 3):
            school.leaves(next(gone))

    found = await WALKS[walk](school, withdraw)

    stay = await everybody(school)
    assert len(before) - len(stay) == 3
    assert stay <= set(found) <= before
    assert len(found) == len(set(found))


@pytest.mark.parametrize("walk", WALKS)
async def test_walk_while_the_source_forgets_a_record_misses_nobody_who_stays(walk: str) -> None:
    roster = copied(small(12))
    school = an_online_school(roster)

    found = await WALKS[walk](school, lambda page: roster.users.pop(0) and None if page in (0, 2) else None)

    assert await everybody(school) <= set(found)
    assert len(found) == len(set(found))


async def test_two_walks_at_once_do_not_meet() -> None:
    school = an_online_school()
    first = await left(await online(school, "/users?limit=3"))
    school.leaves(5)
    await by_links(school, "/users?limit=3")

    rest = await by_links(school, following(first) or "")

    assert await everybody(school) <= {*ids(first), *rest}


@pytest.fixture(scope="module")
def long_roster() -> Roster:
    return make_roster(demo_school())


@pytest.mark.parametrize("limit", [999, 2_500])
async def test_list_that_is_too_long_to_be_read_whole_is_walked_in_stretches(long_roster: Roster, limit: int) -> None:
    school = an_online_school(long_roster)
    assert len(long_roster.enrollments) > WHOLE

    first = await left(await online(school, f"/enrollments?limit={limit}"))
    found = ids(first) + await by_links(school, following(first) or "")

    assert first.header("x-total-count") is None
    assert len(ids(first)) == limit
    here = {one.ids["las-key"] for one in school.pupils.values() if one.enrolments[0].location == "noord"}
    north = [one for one in long_roster.enrollments if one["school"]["sourcedId"] == school_id(NOORD)]
    assert len(found) == len(set(found)) == sum(one["user"]["sourcedId"] in here for one in north)


@pytest.mark.parametrize("walk", ["links", "offsets"])
async def test_long_list_that_moves_between_two_calls_misses_nobody_who_stays(long_roster: Roster, walk: str) -> None:
    roster = copied(long_roster)
    school = an_online_school(roster)
    before = set(await by_links(school, "/enrollments?limit=10000"))
    lvs(school).calls.clear()

    def changes(page: int) -> None:
        """Some go from the front, the middle and a seam; as many come at the end."""
        gone = [roster.enrollments.pop(at) for at in (1_998, 1_000, 999, 4, 0)]
        new = {**gone[0], "sourcedId": f"ffffffff-0000-4000-8000-0000000000{page:02}"}
        roster.enrollments.append(new)

    walks = {
        "links": lambda: by_links(school, "/enrollments?limit=700", changes),
        "offsets": lambda: by_offsets(school, "/enrollments", 700, changes),
    }
    found = await walks[walk]()

    after = set(await by_links(school, "/enrollments?limit=10000"))
    assert before & after <= set(found)
    assert len(found) == len(set(found))


async def test_long_list_of_which_the_place_is_gone_says_so(long_roster: Roster) -> None:
    roster = copied(long_roster)
    school = an_online_school(roster)
    first = await left(await online(school, "/enrollments?limit=999"))
    del roster.enrollments[:2_500]

    assert (await left(await online(school, following(first) or ""))).status == 400


async def test_long_list_in_no_order_is_not_walked(long_roster: Roster) -> None:
    roster = copied(long_roster)
    roster.enrollments[::2] = reversed(roster.enrollments[::2])

    answer = await online(an_online_school(roster), "/enrollments")

    assert answer.reason is Reason.UPSTREAM_FAILED


@pytest.mark.parametrize("counts", [True, False], ids=["total told", "no total"])
async def test_list_that_moves_while_one_page_is_made_misses_nobody_who_stays(counts: bool) -> None:  # noqa: FBT001 - a case
    roster = copied(small(12))
    school = an_online_school(roster, Moving)
    lvs(school).api.most, lvs(school).counts = 4, counts

    found = await by_links(school, "/users")

    assert await everybody(school) <= set(found)
    assert len(found) == len(set(found))


class Moving(OneRosterUpstream):
    """Each time it is asked its first user leaves, and there are as many as there were: three times."""

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        answer = await super().read(permit, call)
        users, number = self.api.roster.users, len(self.calls)
        if number < 4:
            users.append({**users.pop(0), "sourcedId": f"ffffffff-0000-4000-8000-00000000000{number}"})
        return answer


async def test_only_the_last_page_is_short_and_it_has_no_next() -> None:
    school = an_online_school()
    school.leaves(3)
    target, sizes = "/users?limit=4", []
    while target:
        answer = await left(await online(school, target))
        sizes.append(len(ids(answer)))
        target = following(answer) or ""

    assert set(sizes[:-1]) == {4}
    assert sum(sizes) == len(school.pupils) - 1


async def test_total_counts_what_is_released() -> None:
    school = an_online_school()
    for number in (2, 7):
        school.leaves(number)

    assert (await left(await online(school, "/users?limit=1"))).header("x-total-count") == str(len(school.pupils) - 2)


async def test_offset_that_nobody_was_led_to_counts_released_records() -> None:
    school = an_online_school()
    school.leaves(1)
    whole = await by_links(school, "/users?limit=100")

    assert ids(await left(await online(school, "/users?limit=2&offset=5"))) == whole[5:7]


async def test_page_asks_the_source_a_bounded_number_of_times() -> None:
    school = an_online_school()
    lvs(school).api.most = 1
    lvs(school).api.roster.users.extend(lvs(school).api.roster.users * 6)

    answer = await online(school, "/users")

    assert answer.reason is Reason.UPSTREAM_TIMEOUT
    assert len(school.upstream.calls) == 64


async def test_page_is_registered_with_those_who_are_on_it() -> None:
    school = an_online_school()
    school.leaves(2)
    told: list[int] = []
    kept: list[int] = []
    target: str | None = "/users?limit=4"
    while target is not None:
        target = following(await left(await online(school, target)))
        told.append(len(school.register.drafts[-1].released))
        kept.append(len(school.register.drafts[-1].withheld))

    assert sum(told) == len(school.pupils) - 1
    assert told[0] == 4
    assert sum(kept) == 1


# -- what cannot be asked ----------------------------------------------------------------------------------------


async def test_anchor_of_another_caller_list_or_day_begins_nothing() -> None:
    school = an_online_school()
    target = following(await left(await online(school, "/users?limit=3"))) or ""
    school.clock.now += timedelta(hours=25)

    late = await left(await online(school, target))
    elsewhere = await left(await online(school, target.replace("/users?", "/students?")))
    forged = await left(await online(school, "/users?offset=3&anchor=AAAA"))

    assert {one.status for one in (late, elsewhere, forged)} == {400}
    assert late.but_for_the_transfer == elsewhere.but_for_the_transfer == forged.but_for_the_transfer


@pytest.mark.parametrize(
    "pair",
    [
        ("fields=email", "fields=nothing"),
        ("fields=password", "fields=nothing"),
        ("sort=familyName", "sort=nothing"),
        ("sort=birthDate", "sort=nothing"),
        ("filter=email='a'", "filter=nothing='a'"),
        ("filter=familyName='Jansen'", "filter=nothing='Jansen'"),
        ("filter=roles.beginDate>'2026-10-01'", "filter=roles.nothing>'2026-10-01'"),
        ("filter=metadata.x='1'", "filter=nothing.x='1'"),
        ("filter=enabledUser='true'", "filter=nothing='true'"),
    ],
    ids=lambda pair: pair[0],
)
async def test_question_about_what_does_not_leave_is_one_about_nothing(pair: tuple[str, str]) -> None:
    school = an_online_school()

    withheld, unknown = [await left(await online(school, f"/users?{one}".replace(" ", "%20"))) for one in pair]

    assert withheld.status == 400
    assert withheld.but_for_the_transfer == unknown.but_for_the_transfer
    assert school.upstream.calls == []


CANNOT_BE = [
    "limit=0", "limit=10001", "offset=99999999999", "filter=role", "filter=role='a' OR", "limit=1&limit=2",
    "filter=sourcedId='a' AND sourcedId='b' OR sourcedId='c'",
]  # fmt: skip


@pytest.mark.parametrize("query", CANNOT_BE)
async def test_page_that_cannot_be_is_refused_before_anything_is_asked(query: str) -> None:
    school = an_online_school()

    assert (await left(await online(school, f"/enrollments?{query}".replace(" ", "%20")))).status == 400
    assert school.upstream.calls == []


# -- what can ------------------------------------------------------------------------------------------------------


async def test_filter_works_on_what_leaves() -> None:
    school = an_online_school()
    answer = (await left(await online(school, "/enrollments?limit=10000"))).json()["enrollments"]
    user = answer[0]["user"]["sourcedId"]

    found = await left(await online(school, f"/enrollments?filter=user.sourcedId='{user}'%20AND%20role~'STUD'"))

    mine = {one["sourcedId"] for one in answer if one["user"]["sourcedId"] == user and one["role"] == "student"}
    assert set(ids(found)) == mine
    assert found.header("x-total-count") == str(len(mine))


async def test_sort_is_by_what_leaves_and_walks_over_pages() -> None:
    school = an_online_school()
    whole = (await left(await online(school, "/classes"))).json()["classes"]

    found = await by_links(school, "/classes?sort=title&orderBy=desc&limit=3")

    titles = {one["sourcedId"]: one["title"] for one in whole}
    assert [titles[one] for one in found] == sorted(titles.values(), reverse=True)


async def test_selection_narrows_what_leaves_and_what_the_register_tells() -> None:
    school = an_online_school()

    answer = await left(await online(school, "/users?limit=1&fields=sourcedId&fields=roles"))

    (record,) = answer.json()["users"]
    assert set(record) == {"sourcedId", "roles"}
    assert all(path.startswith(("sourcedId", "roles")) for path in school.register.drafts[-1].fields)


@pytest.mark.parametrize("asked", ["filter=title>''", "sort=title", "sort=title&orderBy=desc"])
async def test_register_tells_the_field_that_a_recipient_filters_or_sorts_by_shown_or_not(asked: str) -> None:
    school = an_online_school()

    await left(await online(school, f"/classes?fields=sourcedId&{asked}"))

    assert set(school.register.drafts[-1].fields) == {"sourcedId", "title"}


async def test_list_below_something_that_is_gone_looks_as_what_never_was() -> None:
    school = an_online_school()
    group = (await left(await online(school, "/classes"))).json()["classes"][0]["sourcedId"]
    lvs(school).api = OneRoster(lambda: replace(small(12), classes=[]))

    gone = await left(await online(school, f"/classes/{group}/students"))
    never = await left(await online(school, "/classes/00000000-0000-8000-8000-000000000000/students"))

    assert gone.status == 404
    assert gone.but_for_the_transfer == never.but_for_the_transfer


async def test_class_of_which_nobody_is_in_the_delivery_is_none_of_its_business() -> None:
    school = an_online_school()
    before = await by_links(school, "/classes")

    for number in school.pupils:
        school.enrol(replace(school.pupils[number], enrolments=()))

    assert before
    assert await by_links(school, "/classes") == []


async def test_list_below_somebody_ends_for_who_counts_and_for_who_filters() -> None:
    school = an_online_school()
    (pupil, *_) = ids(await left(await online(school, "/students?limit=1")))
    path = f"/students/{pupil}/classes"
    there = len(ids(await left(await online(school, path))))

    assert there
    assert ids(await left(await online(school, f"{path}?limit={there}&offset={there}"))) == []
    assert ids(await left(await online(school, f"{path}?filter=title%3D%27geen%27"))) == []
