"""Four kinds of client keep a copy; whatever happens at school, each ends with exactly what it may hold.

One replaces everything with each list, one obeys `status` (Edu-V), one asks what changed (OneRoster), one asks whether
anything changed (UWLR). All fetch notices, and use nothing of whom these name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from lxml import etree

from gateway.core.facts import (
    Answer,
    Birth,
    Capacity,
    Consent,
    ConsentTerms,
    Form,
    Restriction,
    RestrictionGround,
    Withdrawal,
)
from gateway.core.model import Caller, Category, Person
from gateway.core.release import pseudonym
from gateway.demo.oneroster import BASE
from gateway.transfer.compiled import Compiled
from tests.builders_formats import pupil, student_json
from tests.builders_uwlr import HAAL, answered_with, answering, asking, content_of, moved, sample
from tests.builders_uwlr import people as uwlr_people
from tests.policy.shipped import answered, changed
from tests.simulators import oneroster, world
from tests.simulators.left import Left, left
from tests.simulators.synchronised import announcing, telling
from tests.simulators.world import NORTH, NOW, School, a_request, a_school

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the files"),
]

RESTRICTED = Restriction(ground=RestrictionGround.ACCURACY)
ANY = frozenset(Category)
BORN = date(2008, 1, 1)


@dataclass
class Client:
    """`holds`: of each pupil what it has, under its own name of them; `frozen`: of whom it uses nothing."""

    name: str
    purpose: str
    schema: str
    made: School
    files: Callable[..., Compiled]
    holds: dict[str, Any] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)

    async def ask(self, target: str, **given: Any) -> Left:
        self.made.clock.now += timedelta(minutes=10)
        who = Caller(self.name, "recipient", self.name, self.purpose)
        return await left(await self.made.transfers.answer(who, a_request(f"/lvs{target}", **given)))

    async def sync(self) -> None:
        """As the vendor guide says: notices, then what the format has."""
        told = (await self.ask(f"/notices?schema={self.schema}")).json()
        self.frozen = {one["pupil"] for one in told if one["notice"] == "restrict"}
        await self.take()

    async def take(self) -> None:
        raise NotImplementedError

    # -- the school --------------------------------------------------------------------------------------

    def pupils(self) -> list[int]:
        return [number for number, one in self.made.pupils.items() if one.person is Person.PUPIL]

    def called(self, *numbers: int) -> set[str]:
        key = self.made.world.keys.domain_key(self.name, 1)
        return {pseudonym.person(key, self.made.pupils[one].id, Person.PUPIL) for one in numbers}

    def consents(self, number: int, *more: Any) -> None:
        terms = ConsentTerms(
            recipients=frozenset({self.name}), purpose=self.purpose, categories=ANY, text="Brief",
            form=Form.WRITTEN, evidence="f" * 64,
        )  # fmt: skip
        given = Consent(capacity=Capacity.PUPIL, answer=Answer.YES, given=NOW - timedelta(days=9), terms=terms)
        self.made.record(number, Birth(day=BORN), given, *more)


class FullReplace(Client):
    """But what it must keep, it keeps."""

    async def take(self) -> None:
        answer = await self.ask(f"/students/school?{NORTH}")
        here = {one["userIds"][0]["userId"]: one for one in answer.json() if one["status"] == "active"}
        self.holds = {**{key: one for key, one in self.holds.items() if key in self.frozen}, **here}


class ByStatus(Client):
    """Keeps a record until it is told that it ended."""

    async def take(self) -> None:
        for one in (await self.ask(f"/students/school?{NORTH}")).json():
            _obey(self.holds, one["userIds"][0]["userId"], one)


class Delta(Client):
    """Asks for what changed since it last began to ask, page by page."""

    since = "2000-01-01T00:00:00.000Z"

    async def take(self) -> None:
        begun = f"{self.made.clock.now:%Y-%m-%dT%H:%M:%S}.000Z"
        query, offset = f"filter=dateLastModified%3E%27{self.since}%27&limit=5", 0
        while True:
            answer = await self.ask(f"{BASE}/users?{query}&offset={offset}")
            users = answer.json()["users"]
            for one in users:
                if [role["role"] for role in one["roles"]] != ["teacher"]:
                    _obey(self.holds, one["sourcedId"], one)
            offset += len(users)
            if len(users) < 5:
                break
        self.since = begun


class Unchanged(Client):
    """Asks whether anything changed; if so it replaces everything."""

    since = ""

    async def take(self) -> None:
        headers = {"content_type": "text/xml; charset=utf-8", "soapaction": f'"{HAAL}"'}
        more = f"<laatstontvangengegevens>{self.since}</laatstontvangengegevens>" if self.since else ""
        answer = await self.ask("/uwlr/leerlinggegevens", body=asking(HAAL, more), **headers)
        content = content_of(answer.body)[0]
        self.since = f"{self.made.clock.now:%Y-%m-%dT%H:%M:%S}Z"
        if etree.QName(content).localname == "geenwijzigingen":
            return
        found = etree.fromstring(answered_with(answer.body)).iterfind("{*}leerlingen/{*}leerling")
        here = {str(one.get("key")): etree.tostring(one).decode() for one in found}
        self.holds = {**{key: one for key, one in self.holds.items() if key in self.frozen}, **here}


def _obey(holds: dict[str, Any], key: str, record: Mapping[str, Any]) -> None:
    if record["status"] == "tobedeleted":
        holds.pop(key, None)
    else:
        holds[key] = record


# -- the four ----------------------------------------------------------------------------------------------------------


def edu_v(kind: type[Client]) -> Client:
    name = "uitgever-zuid"

    def files(*, more: bool) -> Compiled:
        text = announcing(
            telling(changed(answered(name), ("ground: e", "ground: a"), ("kind: publisher", "kind: assistant")))
        )
        text = text.replace("categories: [pupil-number, organisation]", "categories: [pupil-number, organisation, sex]")
        gender = "          gender: {reason: De aanspreekvorm in het materiaal.}\n" if more else ""
        return world.policy(texts=((name, changed(text, ("          status:\n", f"{gender}          status:\n"))),))

    school = a_school(compiled=files(more=False), pupils=[pupil(n) for n in range(1, 7)])
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    return kind(name, "toegang-leermiddel", "edu-v-students", school, files)


def one_roster() -> Client:
    name, purpose = oneroster.RECIPIENT, oneroster.PURPOSE

    def files(*, more: bool) -> Compiled:
        text = announcing(telling(changed(answered(name), ("ground: e", "ground: a"))))
        grades = "          grades: {reason: Het materiaal verschilt per leerjaar.}\n" if more else ""
        return oneroster.compiled(changed(text, ("          enabledUser:\n", f"{grades}          enabledUser:\n")))

    return Delta(name, purpose, "oneroster", oneroster.an_online_school(compiled=files(more=False)), files)


def uwlr() -> Client:
    name = "uwlr-smalle-set"

    def files(*, more: bool) -> Compiled:
        text = announcing(changed(answered(name), ("ground: e", "ground: a")))
        if not more:
            text = re.sub(r" +leerlingen\.leerling\.geboortedatum:\n.*\n.*\n", "", text)
        return world.policy(texts=((name, text),))

    school = a_school(compiled=files(more=False), pupils=uwlr_people())
    said = sample().replace(b"<geboortedatum>2006-06-21", f"<geboortedatum>{BORN}".encode())  # as the school recorded
    school.upstream.raw["/uwlr/leerlinggegevens"] = answering(moved(said))
    return Unchanged(name, "methodetoetsen", "uwlr-2-2", school, files)


@pytest.fixture(params=["full replace", "status", "delta", "unchanged"])
def client(request: pytest.FixtureRequest) -> Client:
    """Everybody but the last consented."""
    made = {"full replace": lambda: edu_v(FullReplace), "status": lambda: edu_v(ByStatus), "delta": one_roster}
    found: Client = made.get(request.param, uwlr)()
    for number in found.pupils()[:-1]:
        found.consents(number)
    return found


async def test_client_holds_whom_it_may_and_asks_again_in_vain(client: Client) -> None:
    here = client.called(*client.pupils()[:-1])
    await client.sync()
    before = dict(client.holds)

    await client.sync()

    assert set(client.holds) == here
    assert client.holds == before


async def test_client_loses_who_withdraws_and_nobody_else(client: Client) -> None:
    first, *others, _ = client.pupils()
    await client.sync()
    client.consents(first, Withdrawal(moment=NOW))

    await client.sync()

    assert set(client.holds) == client.called(*others)
    assert client.frozen == set()


async def test_client_keeps_who_is_restricted_unused_until_it_is_lifted(client: Client) -> None:
    first, *others, _ = client.pupils()
    await client.sync()
    client.consents(first, RESTRICTED)

    await client.sync()
    during = set(client.holds), set(client.frozen)
    client.consents(first)
    await client.sync()

    assert during == (client.called(first, *others), client.called(first))
    assert (set(client.holds), client.frozen) == (client.called(first, *others), set())


async def test_client_gets_who_consents_later(client: Client) -> None:
    await client.sync()
    client.consents(client.pupils()[-1])

    await client.sync()

    assert set(client.holds) == client.called(*client.pupils())


async def test_client_gets_a_new_field_of_who_has_it(client: Client) -> None:
    """In the official example of EDEXML not everybody has one."""
    await client.sync()
    before = dict(client.holds)
    client.made.takes_over(client.files(more=True))

    await client.sync()

    assert set(client.holds) == set(before)
    assert any(client.holds[one] != before[one] for one in before)


async def test_client_is_told_nothing_of_whom_it_never_had(client: Client) -> None:
    *_, last = client.pupils()
    client.consents(last, RESTRICTED)

    await client.sync()

    assert client.called(last).isdisjoint({*client.holds, *client.frozen})
