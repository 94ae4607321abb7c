"""Who the roster sync says is where: of the demo school, of odd answers, and of answers that are not whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from gateway.adapters.lvs.token import Client
from gateway.adapters.lvs.upstream import HttpUpstream, Source, system_trust
from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.association import Association, organisation_query
from gateway.adapters.pupils.roster import Outcome, RosterSource, RosterSync
from gateway.core.model import Enrolment, Person
from gateway.core.policy.terms import Location
from gateway.demo.control import Fault
from gateway.demo.school import SITES, Pupil
from gateway.transfer.ports import NotSent, Observation, UpstreamAnswer, UpstreamFailed, UpstreamTimeout
from tests.servers import CLIENT_ID, CLIENT_SECRET, RunningLvs, counting_bytes

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 9, 15, 12, 0, tzinfo=UTC)
YEAR = date(2026, 8, 1)
NOORD = Location("noord", "Noord", frozenset({("OIE_CODE", "01AB"), ("V_ID", "01AB00")}))
ZUID = Location("zuid", "Zuid", frozenset({("V_ID", "01AB01")}))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(slots=True)
class Book:
    """A RosterBook that keeps what it was told, per location."""

    learned: dict[str, Sequence[Observation]] = field(default_factory=dict)
    moments: dict[str, datetime] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    doubts: frozenset[str] = frozenset()

    def learn(
        self,
        source: str,
        told: Mapping[str, Sequence[Observation]],
        moment: datetime,
        random: Callable[[int], bytes],
        *,
        believed: Collection[str] = (),
    ) -> Mapping[str, int | None]:
        assert source == "lvs"
        self.learned.update(told)
        self.moments.update(dict.fromkeys(told, moment))
        return {**self.left_out, **dict.fromkeys(self.doubts - set(believed))}

    def one(self, kind: str, value: str, location: str = "noord") -> Observation:
        (found,) = (one for one in self.learned[location] if one.ids.get(kind) == value)
        return found


# -- the demo school -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Synced:
    """The demo school after one round."""

    lvs: RunningLvs
    book: Book
    sync: RosterSync
    outcomes: tuple[Outcome, ...]


@pytest.fixture
async def synced(lvs: RunningLvs) -> AsyncIterator[Synced]:
    client = Client(lvs.url + "/oauth/token", CLIENT_ID, CLIENT_SECRET)
    upstream = HttpUpstream({"lvs": Source(lvs.url, client)}, system_trust, Limits())
    locations = tuple(Location(site.name, site.title, site.ids) for site in SITES)
    book = Book()
    sync = RosterSync(Association(upstream.fetch, Limits()), book, [RosterSource("lvs", locations)], counting_bytes())
    yield Synced(lvs, book, sync, await sync.run_source("lvs", NOW))
    await upstream.close()


def pupils(book: Book, location: str) -> list[Observation]:
    return [one for one in book.learned[location] if one.person is Person.PUPIL]


def observed(synced: Synced, pupil: Pupil, location: str) -> Observation:
    return synced.book.one("las-key", str(pupil.number), location)


async def test_demo_school_is_learned_whole(synced: Synced) -> None:
    school = synced.lvs.lvs.school
    for site in SITES:
        here = {str(p.number) for p in school.pupils if any(stay.site is site for stay in p.stays)}
        assert {one.ids["las-key"] for one in pupils(synced.book, site.name)} == here
    assert [outcome.failure for outcome in synced.outcomes] == [None, None]
    assert {outcome.unclear for outcome in synced.outcomes} == {0}
    assert synced.book.moments == {"noord": NOW, "zuid": NOW}


async def test_demo_pupil_has_ids_years_and_groups(synced: Synced) -> None:
    school = synced.lvs.lvs.school
    group = next(group for group in school.groups if group.subject is None and group.pupils and group.name == "N4h")
    pupil = next(one for one in group.pupils if one.eck_id and one.neppi and len(one.stays) == 1)
    seen = observed(synced, pupil, "noord")
    assert seen.ids == {
        "eck-id": pupil.eck_id, "las-key": str(pupil.number), "nepri": pupil.nepri, "neppi": pupil.neppi
    }  # fmt: skip
    assert seen.enrolments == (
        Enrolment("noord", 3, date(2025, 8, 1), date(2026, 7, 31)),
        Enrolment("noord", 4, YEAR, None),
    )
    assert seen.groups == {one.id for one in school.groups if pupil in one.pupils}


async def test_demo_pupil_who_moved_is_at_each_location_for_their_time(synced: Synced) -> None:
    pupil = next(one for one in synced.lvs.lvs.school.pupils if len(one.stays) == 2)
    before, after = pupil.stays
    (*_, left), (*_, came) = (observed(synced, pupil, stay.site.name).enrolments for stay in pupil.stays)
    assert before.end is not None
    assert left.end == date.fromordinal(before.end.toordinal() - 1)
    assert (came.begin, came.end) == (after.begin, None)
    assert observed(synced, pupil, before.site.name).groups == frozenset()


async def test_demo_pupil_who_left_has_a_last_day(synced: Synced) -> None:
    pupil = next(one for one in synced.lvs.lvs.school.pupils if one.left)
    seen = observed(synced, pupil, pupil.stays[0].site.name)
    assert all(enrolment.end is not None for enrolment in seen.enrolments)


async def test_demo_employees_are_staff_of_their_location(synced: Synced) -> None:
    _, employee = synced.lvs.lvs.school.groups[0].teachers[0]
    seen = synced.book.one("neppi", employee.neppi)
    assert seen.person is Person.STAFF
    assert seen.enrolments == (Enrolment("noord", None, YEAR, None),)
    assert synced.lvs.lvs.school.groups[0].id in seen.groups


async def test_demo_calls_ask_one_location_at_a_time(synced: Synced) -> None:
    calls = {(call["method"], call["path"], call["query"]) for call in synced.lvs.lvs.control.calls}
    assert calls == {
        ("GET", f"/{what}/school", f"orgId={place}&orgIdType=V_ID&filterByOrgId=true")
        for what in ("enrollments", "groups", "assignments")
        for place in ("01AB00", "01AB01")
    }


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("html", "unusable"),
        ("gzip", "unusable"),
        ("error-data", "unusable"),
        ("broken-before", "unusable"),
        ("broken-after", "unusable"),
        ("envelope-type", "malformed"),
        ("record-type", "malformed"),
    ],
)
async def test_demo_fault_leaves_that_location_as_it_was(synced: Synced, fault: str, failure: str) -> None:
    later = datetime(2026, 9, 15, 12, 5, tzinfo=UTC)
    kept = synced.book.learned["noord"]
    synced.lvs.lvs.control.fault = Fault(fault, times=1)
    noord, zuid = await synced.sync.run_source("lvs", later)
    assert (noord.failure, zuid.failure) == (failure, None)
    assert synced.book.learned["noord"] is kept
    assert synced.book.moments == {"noord": NOW, "zuid": later}


async def test_demo_new_field_does_not_disturb(synced: Synced) -> None:
    synced.lvs.lvs.control.fault = Fault("new-field", times=6)
    assert [outcome.failure for outcome in await synced.sync.run_source("lvs", NOW)] == [None, None]


# -- answers made up for one thing -----------------------------------------------------------------------


def reference(eck: str | None = None, **typed: str) -> dict[str, Any]:
    ids = [{"userId": value, "userIdType": kind} for kind, value in typed.items()]
    return {"userMasterIdentifier": eck, "userIds": ids} if eck else {"userIds": ids}


def enrollment(student: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"enrollmentId": f"e-{msgspec.json.encode([student, more]).hex()}", "student": student, "studyYear": 2}
    return {**base, "enrollmentType": "study", "beginDate": "2026-08-01", "status": "active", **more}


def group(*students: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"groupId": "g-1", "students": list(students), "status": "active", **more}


def assignment(employee: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"employee": employee, "beginDate": "2026-08-01", "status": "active", **more}


@dataclass(slots=True)
class Said:
    """An LVS that answers what it was given, per location; `error` is raised for what it stands at."""

    lists: dict[tuple[str, str], list[dict[str, Any]]]
    errors: dict[tuple[str, str], Exception] = field(default_factory=dict)
    status: int = 200

    async def fetch(self, source: str, path: str, query: str, limits: Limits) -> UpstreamAnswer:
        assert limits == Limits()
        place = "noord" if "01AB00" in query else "zuid"
        what = path.removeprefix("/").removesuffix("/school")
        if error := self.errors.get((place, what)):
            raise error
        return UpstreamAnswer(self.status, "application/json", msgspec.json.encode(self.lists.get((place, what), [])))


async def learned(
    said: Said, *locations: Location, left_out: dict[str, int] | None = None
) -> tuple[Book, tuple[Outcome, ...]]:
    book = Book(left_out=left_out or {})
    sources = [RosterSource("lvs", locations or (NOORD,))]
    return book, await RosterSync(Association(said.fetch, Limits()), book, sources, counting_bytes()).run_source(
        "lvs", NOW
    )


async def noord(
    enrollments: Sequence[dict[str, Any]] = (),
    groups: Sequence[dict[str, Any]] = (),
    assignments: Sequence[dict[str, Any]] = (),
) -> tuple[Observation, ...]:
    lists = {"enrollments": enrollments, "groups": groups, "assignments": assignments}
    book, _ = await learned(Said({("noord", what): list(several) for what, several in lists.items()}))
    return tuple(book.learned["noord"])


async def test_ids_of_every_kind_are_named() -> None:
    typed = {"ASI": "1", "NEPRI": "2", "NEPPI": "3", "BPI": "4", "eduID": "5", "unheard-of": "6"}
    (one,) = await noord([enrollment(reference("eck", **typed))])
    assert one.ids == {"eck-id": "eck", "las-key": "1", "nepri": "2", "neppi": "3", "bpi": "4", "eduid": "5"}


async def test_ids_of_an_employee_are_never_a_pupil_s_number() -> None:
    typed = {"ASI": "1", "NEPRI": "2", "NEPPI": "3", "BPI": "4", "eduID": "5", "eckId": "6"}
    (one,) = await noord(assignments=[assignment(reference("master", **typed))])
    assert one.person is Person.STAFF
    assert one.ids == {"neppi": "3", "bpi": "4", "eduid": "5", "eck-id": "6"}


async def test_ids_seen_in_parts_are_one_person() -> None:
    parts = [reference("eck", ASI="1"), reference(ASI="1", NEPRI="2"), reference(NEPRI="2", BPI="3")]
    (one,) = await noord([enrollment(part) for part in parts], [group(reference(BPI="3"))])
    assert one.ids == {"eck-id": "eck", "las-key": "1", "nepri": "2", "bpi": "3"}
    assert one.groups == {"g-1"}


async def test_references_that_share_an_id_of_two_pupils_are_kept_apart() -> None:
    """Joined, one pupil's records would leave as the other's; the book sees that they share it, and takes neither."""
    mixed = [enrollment(reference("same", ASI="1")), enrollment(reference("same", ASI="2"))]
    told = await noord([*mixed, enrollment(reference(ASI="3"))], [group(reference(ASI="2"))])
    assert {tuple(sorted(one.ids.items())) for one in told} == {
        (("eck-id", "same"), ("las-key", "1")),
        (("eck-id", "same"), ("las-key", "2")),
        (("las-key", "2"),),
        (("las-key", "3"),),
    }


async def test_reference_with_two_ids_of_one_kind_tells_nobody() -> None:
    twice = {"userIds": [{"userId": one, "userIdType": "ASI"} for one in "12"]}
    book, (outcome,) = await learned(
        Said({("noord", "enrollments"): [enrollment(twice), enrollment(reference("e", ASI="1"))]})
    )
    assert book.learned["noord"] == ()
    assert (outcome.persons, outcome.unclear) == (0, 1)


async def test_who_the_book_leaves_out_is_counted() -> None:
    read = {("noord", "enrollments"): [enrollment(reference(ASI=one)) for one in "123"]}
    _, (outcome,) = await learned(Said(read), left_out={"noord": 2})
    assert (outcome.persons, outcome.unclear) == (1, 2)


@pytest.mark.parametrize(
    "student", [reference(), {}, reference(ASI=""), {"userIds": None, "userMasterIdentifier": None}]
)
async def test_reference_without_ids_is_nobody(student: dict[str, Any]) -> None:
    assert await noord([enrollment(student)], [group(student)], [assignment(student)]) == ()


async def test_pupil_and_employee_with_the_same_id_stay_two() -> None:
    both = await noord([enrollment(reference(BPI="7"))], assignments=[assignment(reference(BPI="7"))])
    assert {one.person for one in both} == {Person.PUPIL, Person.STAFF}


@pytest.mark.parametrize(
    ("begin", "end", "last"),
    [("2026-08-01", None, None), ("2026-08-01", "2026-09-01", date(2026, 8, 31)), ("2026-08-01", "2026-08-02", YEAR)],
)
async def test_end_of_edu_v_is_the_day_after_the_last(begin: str, end: str | None, last: date | None) -> None:
    (one,) = await noord([enrollment(reference(ASI="1"), beginDate=begin, endDate=end)])
    assert one.enrolments == (Enrolment("noord", 2, YEAR, last),)


@pytest.mark.parametrize(
    "more",
    [{"endDate": "2026-08-01"}, {"endDate": "2026-07-01"}, {"endDate": "0001-01-01"}, {"status": "tobedeleted"}],
)
async def test_enrollment_that_never_was_or_is_to_be_deleted_is_none(more: dict[str, Any]) -> None:
    assert await noord([enrollment(reference(ASI="1"), **more)]) == ()


async def test_subject_enrollment_counts_only_without_a_study() -> None:
    subject = {"enrollmentType": "subject", "studyYear": None}
    of_study = enrollment(reference(ASI="1"), endDate="2026-09-01")
    guest, both = enrollment(reference(ASI="2"), **subject), enrollment(reference(ASI="1"), **subject)
    first, second = sorted(await noord([of_study, both, guest]), key=lambda one: one.ids["las-key"])
    assert first.enrolments == (Enrolment("noord", 2, YEAR, date(2026, 8, 31)),)
    assert second.enrolments == (Enrolment("noord", None, YEAR, None),)


@pytest.mark.parametrize(
    ("more", "member"),
    [
        ({}, True),
        ({"endDate": "2026-09-16"}, True),
        ({"endDate": "2026-09-15"}, False),
        ({"status": "tobedeleted"}, False),
    ],
)
async def test_group_counts_until_its_end(more: dict[str, Any], *, member: bool) -> None:
    (one,) = await noord([enrollment(reference(ASI="1"))], [group(reference(ASI="1"), **more)])
    assert one.groups == (frozenset({"g-1"}) if member else frozenset())


async def test_assignment_to_be_deleted_is_none() -> None:
    assert await noord(assignments=[assignment(reference(BPI="1"), status="tobedeleted", group="g-1")]) == ()


async def test_day_of_the_sync_is_amsterdam_s() -> None:
    """Half past eleven in the evening in London is the next day here."""
    said = Said({("noord", "groups"): [group(reference(ASI="1"), endDate="2026-09-16")]})
    book = Book()
    sync = RosterSync(Association(said.fetch, Limits()), book, [RosterSource("lvs", (NOORD,))], counting_bytes())
    await sync.run_source("lvs", datetime(2026, 9, 15, 22, 30, tzinfo=UTC))
    assert book.learned["noord"] == ()


# -- answers that are not whole --------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["enrollments", "groups", "assignments"])
@pytest.mark.parametrize(
    ("error", "failure"),
    [(NotSent(), "not-reached"), (UpstreamTimeout(), "too-late"), (UpstreamFailed(), "unusable")],
)
async def test_location_of_which_a_part_fails_is_not_learned(what: str, error: Exception, failure: str) -> None:
    said = Said({("zuid", "enrollments"): [enrollment(reference(ASI="1"))]}, {("noord", what): error})
    book, outcomes = await learned(said, NOORD, ZUID)
    assert outcomes == (Outcome("lvs", "noord", failure=failure), Outcome("lvs", "zuid", 1))  # type: ignore[arg-type]  # a str of Failure
    assert list(book.learned) == ["zuid"]


async def test_location_the_lvs_does_not_know_is_not_learned() -> None:
    book, (outcome,) = await learned(Said({}, status=404))
    assert (outcome.failure, book.learned) == ("unusable", {})


@pytest.mark.parametrize(
    "wrong",
    [
        enrollment(reference(ASI="1"), beginDate="1 augustus"),
        enrollment(reference(ASI="1"), status="gone"),
        enrollment(reference(ASI="1"), studyYear="2"),
        enrollment({"userIds": [{"userId": 4711, "userIdType": "ASI"}]}),
        {"student": reference(ASI="1")},
    ],
)
async def test_location_with_one_malformed_record_is_not_learned(wrong: dict[str, Any]) -> None:
    """Left out, that pupil would count as gone."""
    book, (outcome,) = await learned(Said({("noord", "enrollments"): [enrollment(reference(ASI="2")), wrong]}))
    assert (outcome.failure, book.learned) == ("malformed", {})


async def test_filter_that_is_ignored_is_noticed() -> None:
    """Learned, every pupil would be at every location, and a delivery for one would show the other's."""
    whole = [enrollment(reference(ASI="1")), enrollment(reference(ASI="2"))]
    book, outcomes = await learned(Said({("noord", "enrollments"): whole, ("zuid", "enrollments"): whole}), NOORD, ZUID)
    assert {outcome.failure for outcome in outcomes} == {"filter-ignored"}
    assert book.learned == {}


async def test_empty_location_is_learned_as_empty() -> None:
    book, (outcome,) = await learned(Said({}))
    assert (book.learned, outcome) == ({"noord": ()}, Outcome("lvs", "noord"))


async def test_answer_that_the_book_doubts_is_a_failure_of_that_location_alone() -> None:
    book = Book(doubts=frozenset({"noord"}))
    said = Said({("noord", "enrollments"): [enrollment(reference(ASI="1"))]})
    sources = [RosterSource("lvs", (NOORD, ZUID))]
    sync = RosterSync(Association(said.fetch, Limits()), book, sources, counting_bytes())

    doubted = await sync.run_source("lvs", NOW)
    believed = await sync.run_source("lvs", NOW, ["noord"])

    assert doubted == (Outcome("lvs", "noord", 1, failure="doubted"), Outcome("lvs", "zuid"))
    assert believed == (Outcome("lvs", "noord", 1), Outcome("lvs", "zuid"))


def test_organisation_query_names_the_most_particular_id() -> None:
    assert organisation_query(NOORD) == "orgId=01AB00&orgIdType=V_ID&filterByOrgId=true"


def test_organisation_query_is_encoded() -> None:
    odd = Location("x", "X", frozenset({("AS_ID", "a&b c")}))
    assert organisation_query(odd) == "orgId=a%26b+c&orgIdType=AS_ID&filterByOrgId=true"


async def test_repr_of_an_observation_shows_no_id() -> None:
    (one,) = await noord([enrollment(reference("https://ketenid.nl/x", ASI="100123"))])
    assert "100123" not in repr(one)
    assert "ketenid" not in repr(one)
