"""A school whose LVS speaks OneRoster: the demo's records behind ports.Upstream, and its people in the roster.

school = an_online_school(pupils=12)              # the demo school, cut down; who they are in `school.roster`
answer = await online(school, "/users?limit=5")   # as the recipient of the shipped template
school.upstream.calls                             # what reached the LVS
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import date
from functools import cache
from urllib.parse import parse_qsl, unquote

import msgspec
import orjson

from gateway.core.gate.decide import Permit
from gateway.core.model import Enrolment, Person, Subject
from gateway.core.policy.rules import compile_standings
from gateway.core.policy.terms import Location, Organisation
from gateway.demo.oneroster import BASE, Roster, make_roster, pupil_id, school_id
from gateway.demo.oneroster_api import OneRoster, Unknown
from gateway.demo.school import SITES, School, make_school
from gateway.transfer.compiled import Compiled, compile_policy
from gateway.transfer.ports import UpstreamAnswer, UpstreamCall
from gateway.transfer.released import Answer
from tests.policy.shipped import answered, changed, schemas
from tests.simulators import world
from tests.simulators.upstream import SimulatedUpstream

TODAY = date(2026, 11, 22)
RECIPIENT, PURPOSE = "leeromgeving-online", "klassen-bijhouden"
ORGANISATION = Organisation(
    frozenset({"104A158"}),
    {
        site.name: Location(site.name, site.title, site.ids | {("sourcedId", school_id(site))})
        for site in SITES
    },
)  # fmt: skip
TWELVE = 12


class OneRosterUpstream(SimulatedUpstream):
    """`most`: how many records it gives at once, whatever is asked; `counts`: whether it tells how many there are."""

    def __init__(self, journal: list[str], roster: Roster) -> None:
        super().__init__(journal)
        self.api = OneRoster(lambda: roster)
        self.counts = True

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        self._take(permit, call, "fetch")
        if self.broken is not None:
            raise self.broken
        path, named = _matched(call.path.removeprefix(BASE).strip("/"))
        try:
            answer = self.api.answer(path, named, dict(parse_qsl(call.query)))
        except Unknown:
            return UpstreamAnswer(404, "", b"")
        total = answer.headers.get("x-total-count") if self.counts else None
        return UpstreamAnswer(200, "application/json", bytes(answer.body), int(total) if total else None)


_NAMED = {
    "classes": "class", "courses": "course", "schools": "school", "students": "user", "teachers": "user",
    "terms": "term", "users": "user",
}  # fmt: skip


def _matched(path: str) -> tuple[str, Mapping[str, str]]:
    """The demo's own name of a route, and what the path names."""
    steps = [unquote(step) for step in path.split("/")]
    if len(steps) == 2:
        return f"{steps[0]}/{{id}}", {"id": steps[1]}
    named = {_NAMED[collection]: id_ for collection, id_ in zip(steps[::2], steps[1::2], strict=False)}
    return steps[-1], named


@cache
def demo_school() -> School:
    return make_school(1, TODAY)


def small(pupils: int) -> Roster:
    """Of the first class of noord that is large enough, so many pupils with their classes and teachers; made once,
    everybody gets a copy."""
    return deepcopy(_small(pupils))


@cache
def _small(pupils: int) -> Roster:
    school = demo_school()
    room = next(
        one for one in school.groups if one.subject is None and one.site is SITES[0] and len(one.pupils) >= pupils
    )
    few = {pupil_id(one) for one in room.pupils[:pupils]}
    whole = make_roster(school)
    mine = [one for one in whole.enrollments if one["user"]["sourcedId"] in few]
    classes = {one["class"]["sourcedId"] for one in mine}
    mine += [one for one in whole.enrollments if one["role"] == "teacher" and one["class"]["sourcedId"] in classes]
    people = {one["user"]["sourcedId"] for one in mine}
    return Roster(
        users=[one for one in whole.users if one["sourcedId"] in people],
        classes=[one for one in whole.classes if one["sourcedId"] in classes],
        courses=whole.courses,
        enrollments=sorted(mine, key=lambda one: str(one["sourcedId"])),
        demographics=[one for one in whole.demographics if one["sourcedId"] in few],
        orgs=whole.orgs,
        sessions=whole.sessions,
    )


def people(roster: Roster) -> list[Subject]:
    """Whom the roster of this LVS shows: known by their `sourcedId`, in the classes they are enrolled in."""
    groups: dict[str, set[str]] = {}
    for one in roster.enrollments:
        groups.setdefault(one["user"]["sourcedId"], set()).add(one["class"]["sourcedId"])
    found = []
    for number, user in enumerate(roster.users, 1):
        role = next(one for one in user["roles"] if one["roleType"] == "primary")
        location = next(site.name for site in SITES if school_id(site) == role["org"]["sourcedId"])
        person = Person.PUPIL if role["role"] == "student" else Person.STAFF
        ids = {"las-key": user["sourcedId"]}
        ids |= {"eck-id": user["userMasterIdentifier"]} if "userMasterIdentifier" in user else {}
        stay = Enrolment(location, 1 if person is Person.PUPIL else None, date(2026, 8, 1), None)
        internal = number.to_bytes(16, "big")
        mine = frozenset(groups.get(user["sourcedId"], ()))
        found.append(Subject(internal, person, internal[::-1], ids, (stay,), mine))
    return found


@cache
def policy(*edits: tuple[str, str]) -> Compiled:
    """The shipped template, answered and activated, with changes to its text."""
    return compiled(changed(answered(RECIPIENT), *edits))


def compiled(text: str) -> Compiled:
    """The recipient's file, activated."""
    world.PURPOSES.setdefault(RECIPIENT, PURPOSE)
    states = [world._state(world.loaded(RECIPIENT, text), suspended=False)]
    return compile_policy(compile_standings(states, schemas(), ORGANISATION), schemas(), {"lvs": ["oneroster"]})


def an_online_school(
    roster: Roster | None = None,
    source: type[OneRosterUpstream] = OneRosterUpstream,
    *,
    compiled: Compiled | None = None,
    known: Iterable[Subject] | None = None,
) -> world.School:
    found = roster or small(TWELVE)
    pupils = people(found) if known is None else known
    school = world.School(compiled or policy(), pupils, world.SIZES, lambda journal: source(journal, found))
    school.world.organisation = ORGANISATION
    return school


async def online(school: world.School, target: str, **headers: str) -> Answer:
    """GET of a path below OneRoster's base, or of a whole URL of the gateway."""
    whole = target.removeprefix(school.world.url)
    return await school.ask(whole if whole != target else f"/lvs{BASE}{target}", recipient=RECIPIENT, **headers)


def read(answer: Answer) -> dict[str, object]:
    body = getattr(answer, "body", None)
    assert isinstance(body, bytes), answer.reason
    found: dict[str, object] = orjson.loads(body)
    return found


def copied(roster: Roster) -> Roster:
    """To be changed."""
    fields = {name: getattr(roster, name) for name in Roster.__slots__}
    return Roster(**msgspec.json.decode(msgspec.json.encode(fields)))
