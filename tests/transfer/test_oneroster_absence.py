"""OneRoster: withheld looks as absent (house rule 5), under every path, whatever is asked of it, and page by page."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import pytest

from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.model import Person
from gateway.core.release import pseudonym
from gateway.demo.oneroster import Roster
from tests import official_oneroster
from tests.official import needs_standards
from tests.policy.shipped import answered, changed
from tests.simulators.left import Left, left
from tests.simulators.oneroster import RECIPIENT, TWELVE, an_online_school, compiled, online, people, policy, small
from tests.simulators.world import School
from tests.transfer.test_oneroster import DEMOGRAPHICS, ENDS, UNKNOWN, ids, listed

pytestmark = pytest.mark.anyio

RESTRICTED = Restriction(ground=RestrictionGround.ACCURACY)
ORGANISATIONS = ("academicSessions", "courses", "gradingPeriods", "orgs", "schools", "terms")
"""What is there whoever is withheld."""
QUERIES = ("", "?limit=3", "?offset=4", "?fields=sourcedId", "?filter=sourcedId%3D%27x%27")


def named(path: str) -> bool:
    """Whether the last thing it names is a person, or of persons."""
    found = re.findall(r"/(\w+)/\{", path)
    return bool(found) and found[-1] not in ORGANISATIONS


@needs_standards
async def test_withheld_looks_as_unknown_under_every_path_whatever_is_asked() -> None:
    school = an_online_school(compiled=policy((ENDS, ENDS + DEMOGRAPHICS)))
    known, own = await ids(school), {}
    paths = [path for path in official_oneroster.endpoints() if named(path)]
    for path in paths:
        kind = path.split("/")[1]
        own[path] = (await listed(school, f"/{kind}"))[0]["sourcedId"]
    for number in school.pupils:
        school.record(number, RESTRICTED)
    school.upstream.calls.clear()

    for path in paths:
        last = re.findall(r"\{(\w+)\}", path)[-1]
        for query in QUERIES:
            asked = []
            for one in (own[path] if last == "sourcedId" else known[last], UNKNOWN):
                target = path.format_map({**known, last: one})
                asked.append(await left(await online(school, target + query)))
            assert asked[0].status in (400, 404), path  # one record has no pages
            assert asked[0].but_for_the_transfer == asked[1].but_for_the_transfer, path
    assert len(paths) > 10
    assert school.upstream.calls == []


async def pages(school: School, target: str | None) -> list[tuple[int, bytes, str]]:
    """Each page to the last, but for what seals where the next one begins."""
    found: list[Left] = []
    while target is not None:
        found.append(await left(await online(school, target)))
        following = re.search(r'<([^>]*)>; rel="next"', found[-1].header("link") or "")
        target = following[1] if following else None
    headers = [f"{one.header('link')} {one.header('x-total-count')}" for one in found]
    return [
        (one.status, one.body, re.sub("anchor=[^&>]*", "", said)) for one, said in zip(found, headers, strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize("query", ["", "?limit=3", "?limit=4&offset=2", "?limit=5&filter=status%3D%27active%27"])
@pytest.mark.parametrize("path", ["/users", "/students", "/classes", "/enrollments", "/classes/{}/students"])
async def test_list_with_somebody_withheld_is_the_list_of_a_source_that_never_had_them(path: str, query: str) -> None:
    roster = small(TWELVE)
    with_them = an_online_school(roster)
    number = next(number for number, one in with_them.pupils.items() if one.person is Person.PUPIL)
    own = with_them.pupils[number].ids["las-key"]
    others = [one for one in with_them.pupils.values() if one.ids["las-key"] != own]
    without = an_online_school(never(roster, own), known=others)
    (group, *_), _ = [await listed(one, "/classes") for one in (with_them, without)]
    with_them.record(number, RESTRICTED)

    target = path.format(group["sourcedId"]) + query
    assert await pages(with_them, target) == await pages(without, target)


def never(roster: Roster, own: str) -> Roster:
    """The same source, without this one."""
    fields = msgspec.json.decode(msgspec.json.encode({name: getattr(roster, name) for name in Roster.__slots__}))
    for name in ("users", "demographics"):
        fields[name] = [one for one in fields[name] if one["sourcedId"] != own]
    fields["enrollments"] = [one for one in fields["enrollments"] if one["user"]["sourcedId"] != own]
    return Roster(**fields)


# -- classes of which the recipient has nobody ---------------------------------------------------------------


def halved() -> tuple[Roster, str, set[str]]:
    """One class is of half of the pupils, and its teacher is there too."""
    roster = small(TWELVE)
    group, half = roster.classes[0]["sourcedId"], {one["sourcedId"] for one in roster.demographics[: TWELVE // 2]}
    roster.enrollments[:] = [
        one
        for one in roster.enrollments
        if one["class"]["sourcedId"] != group or one["role"] == "teacher" or one["user"]["sourcedId"] in half
    ]
    return roster, group, half


def of_one_year() -> tuple[School, str]:
    """The delivery is of year 1, and that half is in year 2."""
    roster, group, half = halved()
    known = [
        replace(one, enrolments=(replace(one.enrolments[0], year=2),)) if one.ids["las-key"] in half else one
        for one in people(roster)
    ]
    text = changed(answered(RECIPIENT), ("    pseudonym: hmac\n", "    rows: {years: [1]}\n    pseudonym: hmac\n"))
    return an_online_school(roster, compiled=compiled(text), known=known), group


async def test_class_of_which_no_pupil_is_in_the_delivery_leaves_nowhere_whoever_teaches_it() -> None:
    school, group = of_one_year()
    teachers = [one for one in school.pupils.values() if one.person is Person.STAFF and group in one.groups]
    mapped = pseudonym.thing(school.world.keys.domain_key(RECIPIENT, 1), "group", "lvs", group)

    classes = {one["sourcedId"] for one in await listed(school, "/classes")}
    enrolments = await listed(school, "/enrollments")
    asked = [f"/teachers/{one['sourcedId']}/classes" for one in await listed(school, "/teachers")]
    answers = [await left(await online(school, one)) for one in asked]
    taught = {one["sourcedId"] for told in answers if told.status == 200 for one in told.json()["classes"]}

    assert teachers
    assert classes == taught
    assert len(classes) > 1
    assert mapped not in classes | {one["class"]["sourcedId"] for one in enrolments}
    assert {one["class"]["sourcedId"] for one in enrolments} == classes
    assert any(one["role"] == "teacher" for one in enrolments)


async def test_class_whose_pupils_are_withheld_for_a_while_ends_nothing_of_its_teacher() -> None:
    roster, group, half = halved()
    school = an_online_school(roster)
    mapped = pseudonym.thing(school.world.keys.domain_key(RECIPIENT, 1), "group", "lvs", group)
    before = {one["class"]["sourcedId"] for one in await listed(school, "/enrollments") if one["role"] == "teacher"}
    for number, one in school.pupils.items():
        if one.ids["las-key"] in half:
            school.record(number, RESTRICTED)

    after = await listed(school, "/enrollments")

    assert mapped in before
    assert {one["class"]["sourcedId"] for one in after} == before - {mapped}
    assert {one["status"] for one in after} == {"active"}
