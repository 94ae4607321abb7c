"""transfer.export: a source whose lists come in pages is read to its end, and everybody is decided as in a call."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest

from gateway.core.facts import Birth, Restriction, RestrictionGround
from gateway.core.gate.decide import Permit
from gateway.core.reasons import Reason
from gateway.demo.oneroster import Roster
from gateway.transfer.export import Export
from gateway.transfer.filing import Wanted
from gateway.transfer.journal import Handed
from gateway.transfer.pages import Asked, Exported, Progress
from gateway.transfer.ports import NotSent, UpstreamAnswer, UpstreamCall
from tests.simulators.journal import SimulatedJournal
from tests.simulators.oneroster import (
    ORGANISATION,
    PURPOSE,
    RECIPIENT,
    TWELVE,
    OneRosterUpstream,
    copied,
    people,
    policy,
    small,
)
from tests.simulators.world import SIZES, School

pytestmark = pytest.mark.anyio

WANTED = Wanted("lvs", "oneroster", RECIPIENT, PURPOSE)
HANDED = (("channel: api", "channel: sftp"),)


class FewAtOnce(OneRosterUpstream):
    """Gives five records at once, whatever is asked."""

    def __init__(self, journal: list[str], roster: Roster) -> None:
        super().__init__(journal, roster)
        self.roster = roster

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        return await super().read(permit, replace(call, query=call.query.replace("limit=1000", "limit=5")))


class Leaving(FewAtOnce):
    """Loses its first user once the first page is read."""

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        answer = await super().read(permit, call)
        if len(self.calls) == 1:
            self.changes()
        return answer

    def changes(self) -> None:
        del self.roster.users[0]


class Replacing(Leaving):
    """And has another in the last place: there are as many as there were."""

    def changes(self) -> None:
        super().changes()
        self.roster.users.append({**self.roster.users[-1], "sourcedId": "ffffffff-0000-4000-8000-000000000000"})


class Shuffling(FewAtOnce):
    """Lists in no order, and has two users change places after each page."""

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        answer = await super().read(permit, call)
        users, number = self.roster.users, len(self.calls)
        users[number % 4], users[-1 - number % 3] = users[-1 - number % 3], users[number % 4]
        return answer


class Backwards(FewAtOnce):
    """Lists in another order than was asked, and keeps to it."""

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        self.roster.users.sort(key=lambda one: str(one["sourcedId"]), reverse=True)
        return await super().read(permit, call)


class SamePage(FewAtOnce):
    """Gives its first page whatever is asked."""

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        assert len(self.calls) < 50, "asked for ever"
        query = re.sub(r"offset=[0-9]+", "offset=0", call.query)
        return await super().read(permit, replace(call, query=query))


class NoStream:
    """transfer.pages.Source of which no list is read as it comes."""

    def stream(self, permit: Permit, call: UpstreamCall) -> AsyncGenerator[bytes]:
        raise NotSent


def a_school(roster: Roster, source: type[FewAtOnce] = FewAtOnce) -> School:
    school = School(policy(*HANDED), people(roster), SIZES, lambda journal: source(journal, roster))
    school.world.organisation = ORGANISATION
    return school


def export(school: School, journal: SimulatedJournal, *records: str) -> Export:
    asked = Asked("job", "j.jansen", ("reason: toets",), WANTED, records)
    return Export(school.outside, SIZES, asked, NoStream(), journal, _unwatched)


def _unwatched(_: Progress) -> None: ...


async def exported(school: School, *records: str) -> tuple[Exported, list[dict[str, Any]]]:
    journal = SimulatedJournal()
    run = export(school, journal, *records)
    found = await run.read_all()
    return found, [orjson.loads(row) for rows in journal.kept.values() for _, row in rows]


@pytest.fixture
def school() -> School:
    return a_school(small(TWELVE))


async def test_every_page_of_the_source_is_read(school: School) -> None:
    found, records = await exported(school, "User")

    assert (found.stop, len(records)) == (None, len(school.pupils))
    assert len({one["sourcedId"] for one in records}) == len(records)
    assert len(school.upstream.calls) > len(records) // 5
    assert {draft.route for draft in school.register.drafts} == {"GET /users"}


@pytest.mark.parametrize(("there", "stopped"), [(True, Reason.UPSTREAM_FAILED), (False, None)])
async def test_source_that_gives_nobody_is_believed_only_where_the_roster_knows_nobody(
    school: School, stopped: Reason | None, *, there: bool
) -> None:
    assert isinstance(school.upstream, FewAtOnce)
    school.upstream.roster.users.clear()
    for number in () if there else school.pupils:
        school.leaves(number)

    found, records = await exported(school, "User")

    assert records == []
    assert (found.stop.reason if found.stop else None) == stopped


async def test_source_that_tells_no_count_is_read_until_nothing_comes(school: School) -> None:
    assert isinstance(school.upstream, OneRosterUpstream)
    school.upstream.counts = False

    found, records = await exported(school, "User")

    assert (found.stop, len(records)) == (None, len(school.pupils))


@pytest.mark.parametrize("counts", [True, False], ids=["total told", "no total"])
@pytest.mark.parametrize("source", [Leaving, Replacing])
async def test_list_that_moves_between_two_pages_loses_nobody_and_has_nobody_twice(
    source: type[FewAtOnce],
    counts: bool,  # noqa: FBT001 - a case
) -> None:
    school = a_school(copied(small(TWELVE)), source)
    assert isinstance(school.upstream, FewAtOnce)
    school.upstream.counts = counts

    found, records = await exported(school, "User")

    _, there = await exported(school, "User")
    ids = [one["sourcedId"] for one in records]
    assert found.stop is None
    assert {one["sourcedId"] for one in there} <= set(ids)
    assert len(ids) == len(set(ids))


async def test_list_in_no_order_is_read_until_two_readings_agree() -> None:
    school = a_school(copied(small(TWELVE)), Backwards)

    found, records = await exported(school, "User")

    assert (found.stop, len(records)) == (None, len(school.pupils))
    assert [call.query for call in school.upstream.calls].count(school.upstream.calls[0].query) == 2


async def test_list_that_is_another_each_time_is_not_exported() -> None:
    school = a_school(copied(small(TWELVE)), Shuffling)

    found, _ = await exported(school, "User")

    assert found.stop is not None
    assert found.stop.reason is Reason.UPSTREAM_FAILED


async def test_source_that_gives_one_page_for_ever_is_not_read_for_ever() -> None:
    school = a_school(small(TWELVE), SamePage)
    assert isinstance(school.upstream, SamePage)
    school.upstream.counts = False

    found, _ = await exported(school, "User")

    assert found.stop is not None
    assert found.stop.reason is Reason.UPSTREAM_FAILED


async def test_restricted_pupil_is_not_in_it(school: School) -> None:
    _, before = await exported(school, "User")
    school.record(1, Restriction(ground=RestrictionGround.ACCURACY))

    found, after = await exported(school, "User")

    assert len(after) == len(before) - 1
    assert found.tally.withheld[Reason.PUPIL_RESTRICTED] == 1


async def test_whoever_is_restricted_before_it_is_handed_over_has_the_page_read_again(school: School) -> None:
    journal = SimulatedJournal()
    run = export(school, journal, "User")
    await run.read_all()
    school.record(1, Restriction(ground=RestrictionGround.ACCURACY))

    assert not await run.hand_over(Handed(1, 1, ""))
    assert journal.kept == {}
    await run.read_all()
    assert await run.hand_over(Handed(1, 1, ""))
    assert run.exported.tally.withheld[Reason.PUPIL_RESTRICTED] == 1
    assert [draft.kind for draft in school.register.drafts][-3:] == ["refusal", "part", "closing"]


def _born_otherwise(school: School) -> None:
    school.record(1, Birth(day=date(2011, 2, 3)))


def _known_otherwise(school: School) -> None:
    school.enrol(replace(school.pupils[1], ids={**school.pupils[1].ids, "eck-id": "https://ketenid.nl/x/2"}))


def _everybody_left(school: School) -> None:
    for number in school.pupils:
        school.leaves(number)


@pytest.mark.parametrize(
    ("record", "change"), [("User", _born_otherwise), ("User", _known_otherwise), ("Class", _everybody_left)]
)
async def test_what_changed_of_whoever_is_in_it_has_the_page_read_again(
    school: School, record: str, change: Callable[[School], None]
) -> None:
    run = export(school, SimulatedJournal(), record)
    await run.read_all()
    change(school)

    assert not await run.hand_over(Handed(1, 1, ""))


async def test_what_changed_of_nobody_in_it_reads_nothing_again(school: School) -> None:
    run = export(school, SimulatedJournal(), "User")
    await run.read_all()
    school.enrol(replace(school.pupils[1], id=b"x" * 16, ids={"las-key": "new"}))

    assert await run.hand_over(Handed(1, 1, ""))


async def test_delivery_that_the_recipient_calls_for_is_not_exported() -> None:
    roster = small(TWELVE)
    school = School(policy(), people(roster), SIZES, lambda journal: FewAtOnce(journal, roster))
    school.world.organisation = ORGANISATION

    found, records = await exported(school, "User")

    assert found.stop is not None
    assert (found.stop.reason, records, school.upstream.calls) == (Reason.CHANNEL_NOT_ALLOWED, [], [])
