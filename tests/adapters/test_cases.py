"""Cases in the database: holds open with their entry and once, permits are used up with it, time ends both (D2, D8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.adapters.facts.store import known
from gateway.adapters.pupils.linking import destroy_reference_key
from gateway.adapters.register import holds, permits
from gateway.adapters.register.acts import Act
from gateway.adapters.register.holds import Hold, NotOpen
from gateway.adapters.register.permits import NotPossible
from gateway.adapters.register.writer import DatabaseRegister
from gateway.adapters.tasks import open_tasks
from gateway.core.facts import Document, Exception18, Occasion, Permit, Release, Restriction, RestrictionGround
from gateway.core.gate.permits import Items
from gateway.core.model import Category, FieldClass, Person, Subject
from gateway.core.reasons import Reason
from gateway.core.register import Spent
from gateway.transfer.ports import VersionsChanged
from tests.simulators.drafts import NOW, a_draft, an_act
from tests.simulators.recording import KEYS, Recording, a_recording
from tests.simulators.stored import last_bodies

pytestmark = pytest.mark.anyio

TERM = timedelta(days=14)
TODAY = NOW.date()
RESTRICTION = Restriction(ground=RestrictionGround.ACCURACY)
HELD = Reason.PUPIL_RESTRICTED


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class School:
    """A recording with its register."""

    recording: Recording
    register: DatabaseRegister
    acts: int = 0

    def act(self, moment: Any = NOW) -> Act:
        self.acts += 1
        return an_act(100 + self.acts, moment)

    def subject(self, pupil: int) -> Subject:
        return Subject(self.recording.pupils[pupil], Person.PUPIL, self.recording.reference(pupil), {})

    async def holds(self, number: int = 1, reason: Reason = HELD, pupil: int = 0, **changes: Any) -> None:
        """An entry by which this pupil is held."""
        versions = self.recording.database.versioned().versions
        subject = self.subject(pupil)
        held = {"held": ((subject, reason),), "withheld": ((subject, (reason,)),), "released": ()}
        await self.register.append(a_draft(number, **{"versions": versions, **held, **changes}))

    def cases(self) -> list[Hold]:
        return holds.holds(self.recording.database, TERM)

    def tasks(self) -> list[str]:
        with self.recording.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT kind FROM task WHERE done IS NULL ORDER BY number")
            return [row[0] for row in rows]

    def look_after(self, days: int) -> int:
        moment = NOW + timedelta(days=days)
        return holds.look_after(self.recording.database, KEYS, TERM, moment, moment.date())

    def permit(self, occasion: Occasion = Occasion.REQUEST, *, secret: bool = False) -> str:
        permit = Permit(
            occasion=occasion,
            recipient="mbo",
            purpose="overdracht",
            categories=frozenset({Category.NAME}),
            channel="veilig",
            until=NOW + timedelta(days=1),
            secret=secret,
        )
        items = Items(identity="paspoort getoond")
        return permits.keep(self.recording.database, KEYS, self.act(), self.recording.pupils[0], permit, items)

    def kept(self, name: str) -> permits.KeptPermit:
        (found,) = permits.kept(self.recording.database, KEYS, name)
        return found

    async def uses(self, number: int, permit: str, handover: str) -> None:
        await self.register.append(a_draft(number, versions=None, spends=Spent(permit, handover)))


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[School]:
    recording = a_recording(tmp_path)
    register = DatabaseRegister(recording.database, KEYS)
    yield School(recording, register)
    register.close()
    recording.database.close()


# -- holds -----------------------------------------------------------------------------------------------


async def test_pupil_held_again_and_again_is_one_open_case(school: School) -> None:
    await school.holds(1)
    await school.holds(2)

    (case,) = school.cases()
    assert (case.subject, case.reason, case.state) == (school.recording.pupils[0], HELD, "open")
    assert (case.recipient, case.purpose) == ("uitgever-noord", "toegang-leermiddel")


async def test_content_that_is_released_ends_the_case_of_that_pupil_recipient_and_class(school: School) -> None:
    waits = Reason.FREE_TEXT_BLOCKED
    await school.holds(1, waits)
    await school.holds(2, waits, pupil=1)
    await school.holds(3, waits, recipient="ander")
    await school.holds(4, Reason.DOCUMENT_NOT_CLASSIFIED)
    release_text(school)

    assert [one.state for one in school.cases()] == ["released", "open", "open", "open"]
    (one,) = known(school.recording.database, KEYS, school.recording.pupils[0]).documents
    assert one.digest == b"d" * 32
    assert "class: free-text" in orjson.loads(last_bodies(school.recording.database, 1)[0])["detail"]


async def test_other_content_of_that_pupil_opens_another_case(school: School) -> None:
    await school.holds(1, Reason.FREE_TEXT_BLOCKED)
    release_text(school)
    school.look_after(1)
    await school.holds(2, Reason.FREE_TEXT_BLOCKED)

    assert [one.state for one in school.cases()] == ["released", "open"]


async def test_content_without_a_case_is_released_as_well(school: School) -> None:
    release_text(school)

    assert school.cases() == []
    assert known(school.recording.database, KEYS, school.recording.pupils[0]).documents


def release_text(school: School) -> None:
    document = Document(digest=b"d" * 32, purpose="toegang-leermiddel", field_class=FieldClass.FREE_TEXT)
    holds.release_content(
        school.recording.database, KEYS, school.recording.pupils[0], "uitgever-noord", document, school.act()
    )


async def test_another_pupil_recipient_or_reason_is_another_case(school: School) -> None:
    await school.holds(1)
    await school.holds(2, pupil=1)
    await school.holds(3, recipient="uitgever-zuid")
    await school.holds(4, Reason.INZAGE_NOT_RECORDED)

    assert len({case.id for case in school.cases()}) == 4


async def test_case_of_an_entry_that_is_refused_is_not_opened(school: School) -> None:
    versions = school.recording.database.versioned().versions
    school.recording.enter(0, RESTRICTION)

    with pytest.raises(VersionsChanged):
        await school.holds(1, versions=versions)

    assert school.cases() == []


@pytest.mark.parametrize(("grondslag", "days"), [("c: artikel 9.2 WVO 2020", 14), ("e: artikel 8 WPO", 28)])
async def test_case_is_due_at_the_statutory_term_or_after_four_weeks(school: School, grondslag: str, days: int) -> None:
    await school.holds(1, grondslag=grondslag)

    (case,) = school.cases()
    assert case.due == NOW + timedelta(days=days)


@pytest.mark.parametrize(
    ("reason", "changes", "secret"),
    [
        (HELD, {}, False),
        (Reason.CHILD_SAFETY, {}, True),
        (Reason.SECRET_ADDRESS, {}, True),
        (HELD, {"secret": True}, True),
    ],
)
async def test_case_that_tells_of_a_childs_safety_is_secret(
    school: School,
    reason: Reason,
    changes: dict[str, Any],
    secret: bool,  # noqa: FBT001 - a column of the table
) -> None:
    await school.holds(1, reason, **changes)

    assert [case.secret for case in school.cases()] == [secret]


async def test_overdue_case_becomes_a_task_for_board_and_fg_once(school: School) -> None:
    await school.holds(1)

    assert [school.look_after(27), school.look_after(28), school.look_after(29)] == [0, 1, 0]
    assert school.tasks() == [holds.OVERDUE_BOARD, holds.OVERDUE_FG]


async def test_task_of_an_overdue_case_is_done_once_somebody_decides(school: School) -> None:
    await school.holds(1)
    school.look_after(28)
    holds.close(school.recording.database, school.cases()[0], school.act())

    assert school.tasks() == []


async def test_overdue_secret_case_is_no_task_of_the_board(school: School) -> None:
    await school.holds(1, Reason.CHILD_SAFETY)
    school.look_after(28)

    assert school.tasks() == [holds.OVERDUE_FG]


def release(cause: int) -> Release:
    return Release(
        recipient="uitgever-noord",
        reason=HELD,
        categories=frozenset({Category.NAME}),
        until=TODAY + timedelta(days=10),
        cause=cause,
        exception=Exception18.CONSENT,
    )


async def test_released_case_lapses_with_the_fact_that_caused_it(school: School) -> None:
    (cause,) = school.recording.enter(0, RESTRICTION)
    await school.holds(1)
    (case,) = school.cases()
    holds.release(school.recording.database, KEYS, case, [release(cause)], school.act())
    before = school.look_after(1), [one.state for one in school.cases()]

    school.recording.enter(0, ends=(cause,))

    assert before == (0, ["released"])
    assert (school.look_after(1), [one.state for one in school.cases()]) == (1, ["lapsed"])
    assert [one.cause for one in school.recording.known(0).releases] == [cause]


async def test_released_case_lapses_after_its_last_day_and_may_open_anew(school: School) -> None:
    (cause,) = school.recording.enter(0, RESTRICTION)
    await school.holds(1)
    holds.release(school.recording.database, KEYS, school.cases()[0], [release(cause)], school.act())

    assert [school.look_after(10), school.look_after(11)] == [0, 1]
    await school.holds(2)
    assert sorted(case.state for case in school.cases()) == ["lapsed", "open"]


async def test_closed_case_stays_closed_until_it_was_due(school: School) -> None:
    await school.holds(1)
    holds.close(school.recording.database, school.cases()[0], school.act())
    await school.holds(2)
    assert [case.state for case in school.cases()] == ["closed"]

    school.look_after(28)
    await school.holds(3)
    assert sorted(case.state for case in school.cases()) == ["lapsed", "open"]


async def test_case_is_decided_about_once(school: School) -> None:
    await school.holds(1)
    (case,) = school.cases()
    holds.close(school.recording.database, case, school.act())

    with pytest.raises(NotOpen):
        holds.release(school.recording.database, KEYS, case, [release(0)], school.act())

    assert school.recording.known(0).releases == ()


# -- permits ---------------------------------------------------------------------------------------------


async def test_permit_is_a_fact_with_its_items_sealed_beside_it(school: School) -> None:
    kept = school.kept(school.permit())

    (fact,) = school.recording.known(0).permits
    assert (kept.fact, kept.items.identity, kept.state(NOW)) == (fact.number, "paspoort getoond", "in force")
    assert b"paspoort" not in school.recording.database.path.read_bytes()


async def test_permit_for_once_is_used_up_by_one_handing_over(school: School) -> None:
    name = school.permit()
    await school.uses(1, name, "h1")
    await school.uses(2, name, "h1")

    with pytest.raises(VersionsChanged):
        await school.uses(3, name, "h2")

    assert school.kept(name).state(NOW) == "used"


async def test_permit_for_an_emergency_is_used_until_it_ends(school: School) -> None:
    name = school.permit(Occasion.BREAK_GLASS)
    await school.uses(1, name, "h1")
    await school.uses(2, name, "h2")

    assert school.kept(name).state(NOW) == "in force"
    assert school.kept(name).state(NOW + timedelta(days=1)) == "over"


async def test_break_glass_is_a_task_for_the_fg_at_once_until_it_is_reviewed(school: School) -> None:
    name = school.permit(Occasion.BREAK_GLASS)
    assert school.tasks() == [permits.FG_NOTICE, permits.FG_REVIEW]
    found = open_tasks(school.recording.database, [permits.FG_REVIEW])
    assert [(one.kind, one.about) for one in found] == [(permits.FG_REVIEW, name)]
    assert open_tasks(school.recording.database, [holds.OVERDUE_BOARD]) == []

    permits.review(school.recording.database, school.kept(name), "terecht", school.act())

    assert school.tasks() == []
    assert (school.kept(name).review, school.kept(name).to_review) == ("terecht", False)
    with pytest.raises(NotPossible):
        permits.review(school.recording.database, school.kept(name), "onterecht", school.act())


async def test_revoked_permit_is_no_fact_and_of_no_use(school: School) -> None:
    name = school.permit(Occasion.SAFETY)
    permits.revoke(school.recording.database, KEYS, school.kept(name), school.act())

    assert school.recording.known(0).permits == ()
    assert school.kept(name).state(NOW) == "revoked"
    with pytest.raises(VersionsChanged):
        await school.uses(1, name, "h1")


async def test_every_entry_about_a_secret_permit_says_so(school: School) -> None:
    name = school.permit(Occasion.SAFETY, secret=True)
    permits.revoke(school.recording.database, KEYS, school.kept(name), school.act())

    made, revoked = map(orjson.loads, last_bodies(school.recording.database, 2))
    assert {"secret: yes", f"permit: {name}"} <= set(made["detail"])
    assert {"secret: yes", f"permit: {name}"} <= set(revoked["detail"])


async def test_pupil_who_is_forgotten_leaves_no_case(school: School) -> None:
    school.permit()
    await school.holds(1)

    destroy_reference_key(school.recording.database, school.recording.pupils[0], school.act())

    assert permits.kept(school.recording.database, KEYS) == []
    assert school.cases() == []


async def test_names_of_cases_say_nothing_about_how_many_there_are(school: School) -> None:
    first, second = school.permit(), school.permit()
    await school.holds(1)

    names = [first, second, *(case.id for case in school.cases())]
    assert len({len(name) for name in names}) == 1
    assert abs(int(first, 16) - int(second, 16)) > 1_000
