"""A school whose LVS speaks Somtoday Connect: the demo's records behind ports.Upstream, its pupils in the roster.

school = a_somtoday_school(pupils=12)
answer = await connect(school, "/leerling?amount=200")   # at the vestiging noord, as the shipped template's recipient
"""

from __future__ import annotations

from datetime import date
from functools import cache
from urllib.parse import parse_qsl

import orjson

from gateway.core.gate.decide import Permit
from gateway.core.model import Enrolment, Person, Subject
from gateway.core.policy.rules import compile_standings
from gateway.core.policy.terms import Location, Organisation
from gateway.demo.school import SITES, Pupil, School, Site, make_school
from gateway.demo.somtoday import BASE, Somtoday, Unknown, docent_id, leerling_id, vestiging_id
from gateway.transfer.compiled import Compiled, compile_policy
from gateway.transfer.ports import UpstreamAnswer, UpstreamCall
from gateway.transfer.released import Answer
from tests.policy.shipped import answered, changed, schemas
from tests.simulators import world
from tests.simulators.upstream import SimulatedUpstream

RECIPIENT, PURPOSE = "oefenprogramma", "oefenen-per-lesgroep"
NOORD, ZUID = (vestiging_id(site) for site in SITES)
ORGANISATION = Organisation(
    frozenset({"104A158"}),
    {site.name: Location(site.name, site.title, site.ids | {("vestiging", vestiging_id(site))}) for site in SITES},
)


class SomtodayUpstream(SimulatedUpstream):
    """Answers as the demo LVS does; `empty`: of nobody; `changed`: lesgroepen whose docenten are another type."""

    empty = False
    changed: frozenset[str] = frozenset()

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        self._take(permit, call, "fetch")
        vestiging, _, path = call.path.removeprefix(f"{BASE}/vestiging").removeprefix("/").partition("/")
        kind, _, one = path.partition("/")
        named = {"vestiging": vestiging} | ({"id": one} if one else {})
        try:
            body = _somtoday().answer(kind, named, dict(parse_qsl(call.query)))
        except Unknown:
            return UpstreamAnswer(404, "", b"")
        if self.empty:
            body = orjson.dumps({name: [] for name in orjson.loads(body)})
        if self.changed:
            groups = orjson.loads(body)["lesgroepen"]
            wrong = [one | ({"docenten": [{"uuid": "x"}]} if one["uuid"] in self.changed else {}) for one in groups]
            body = orjson.dumps({"lesgroepen": wrong})
        return UpstreamAnswer(200, "application/json", body)


@cache
def demo_school() -> School:
    return make_school(1, date(2026, 11, 22))


@cache
def _somtoday() -> Somtoday:
    return Somtoday(demo_school())


@cache
def policy(*edits: tuple[str, str]) -> Compiled:
    """The shipped template, answered and activated, with changes to its text."""
    world.PURPOSES.setdefault(RECIPIENT, PURPOSE)
    text = changed(answered(RECIPIENT), *edits)
    states = [world._state(world.loaded(RECIPIENT, text), suspended=False)]
    return compile_policy(compile_standings(states, schemas(), ORGANISATION), schemas(), {"lvs": ["somtoday"]})


def people(pupils: list[Pupil]) -> list[Subject]:
    """Known by their uuid and ECK iD, at the location of their vestiging."""
    return [_subject(number, one) for number, one in enumerate(pupils, 1)]


def _subject(number: int, pupil: Pupil) -> Subject:
    ids = {"las-key": leerling_id(pupil)} | ({"eck-id": pupil.eck_id} if pupil.eck_id else {})
    stay = Enrolment(pupil.stays[-1].site.name, pupil.year, date(2026, 8, 1), None)
    groups = frozenset(one.id for one in demo_school().groups if pupil in one.pupils)
    internal = number.to_bytes(16, "big")
    return Subject(internal, Person.PUPIL, internal[::-1], ids, (stay,), groups)


def _docenten(after: int) -> list[Subject]:
    """Of noord, every other one."""
    groups = [one for one in demo_school().groups if one.site is SITES[0] and one.subject is not None]
    ids = sorted({docent_id(teacher) for one in groups for _, teacher in one.teachers})[::2]
    stay = Enrolment(SITES[0].name, None, date.min, None)
    return [
        Subject(
            one.to_bytes(16, "big"), Person.STAFF, one.to_bytes(16, "little"), {"las-key": who}, (stay,), frozenset()
        )
        for one, who in enumerate(ids, after + 1)
    ]


def _here(site: Site) -> list[Pupil]:
    return [one for one in demo_school().pupils if one.stays[-1].site is site and not one.left]


def a_somtoday_school(pupils: int = 12, compiled: Compiled | None = None) -> world.School:
    """The roster knows so many pupils of each vestiging; the LVS has all."""
    known = [one for site in SITES for one in _here(site)[:pupils]]
    everybody = [*people(known), *_docenten(2 * pupils)]
    school = world.School(compiled or policy(), everybody, world.SIZES, SomtodayUpstream)
    school.world.organisation = ORGANISATION
    return school


async def connect(school: world.School, target: str, vestiging: str = NOORD) -> Answer:
    return await school.ask(f"/lvs{BASE}/vestiging/{vestiging}{target}", recipient=RECIPIENT)
