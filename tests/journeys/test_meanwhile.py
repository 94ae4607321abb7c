"""What a person sets while answers are on their way binds them in every worker; and a birthday is Amsterdam's (R27).

On the demo whose facts change. Leaves out: the very second (`tests/transfer`).
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import orjson
import pytest

from gateway.bootstrap.school import clock, legal_today
from gateway.core.days import years_after
from gateway.core.facts import AnyFact, CourtOrder, Restriction, RestrictionGround, Withdrawal
from tests.journeys.driving import (
    ENROLMENTS,
    NORTH,
    STUDENTS,
    UNKNOWN,
    Demo,
    Vendor,
    run,
    same_but_for_the_transfer,
    until,
)
from tests.journeys.office import Known, asking, bring_in, guardian, learn, pupils, says_yes, years_old

pytestmark = pytest.mark.journey

RECIPIENT, PURPOSE = "oefenbureau", "toegang-leermiddel"


@dataclass(slots=True)
class Scene:
    """A publisher whose pupils consented, or their parents; `left`: those under 16 whom no test has named yet, in the
    order of its answers."""

    demo: Demo
    vendor: Vendor
    left: list[Known] = field(repr=False)


@pytest.fixture(scope="module")
def scene(changing: Demo) -> Iterator[Scene]:
    demo = changing
    with asking(demo, RECIPIENT, PURPOSE) as (vendor, shown):
        young = pupils(demo, RECIPIENT, shown, lambda one: years_old(one) < 15)
        old = pupils(demo, RECIPIENT, shown, lambda one: years_old(one) > 16)
        bring_in(demo, "guardian", map(guardian, young))
        own = {"capacity": "pupil", "giver": None, "extract": None}
        answers = [says_yes(one, RECIPIENT, PURPOSE) for one in young]
        answers += [says_yes(one, RECIPIENT, PURPOSE, **own) for one in old]
        bring_in(demo, "consent", answers)
        order = [one["student"]["userIds"][0]["userId"] for one in vendor.records(ENROLMENTS)]
        yield Scene(demo, vendor, sorted(young, key=lambda one: order.index(one.pseudonym)))


# -- a long answer, read slowly ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Stream:
    """An answer of which little was read; the rest waits in the gateway."""

    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse
    begun: bytes = field(repr=False)

    @property
    def port(self) -> int:
        found: int = self.connection.sock.getsockname()[1]
        return found

    def rest(self) -> bytes:
        return self.begun + self.response.read()


def begin(stack: ExitStack, vendor: Vendor) -> Stream:
    address = urlsplit(vendor.gateway)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    stack.callback(connection.close)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    # small segments: what the other side may keep in its kernel grows with them
    slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 500)
    slow.settimeout(30)
    slow.connect((str(address.hostname), address.port))
    connection.sock = slow
    connection.request("GET", f"{ENROLMENTS}?{urlencode(NORTH)}", headers={"Gateway-Key": str(vendor.told["api_key"])})
    response = connection.getresponse()
    assert response.status == 200
    return Stream(connection, response, response.read(1000))


def streams_in_every_worker(stack: ExitStack, demo: Demo, vendor: Vendor) -> list[Stream]:
    streams: list[Stream] = []

    def everywhere() -> bool:
        streams.append(begin(stack, vendor))
        return {_worker(demo, one.port) for one in streams} == set(demo.workers())

    until(everywhere)
    return streams


def _worker(demo: Demo, port: int) -> int | None:
    """The worker whose connection comes from this port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if int(row[2].rpartition(":")[2], 16) == port}
    held = {one: {str(link.readlink()) for link in Path(f"/proc/{one}/fd").iterdir()} for one in demo.workers()}
    return next((one for one, links in held.items() if links & sockets), None)


def restrict(scene: Scene, known: Known) -> None:
    bring_in(scene.demo, "restriction", [{"pupil": known.number, "ground": "accuracy"}])


def forbid(scene: Scene, known: Known) -> None:
    bring_in(scene.demo, "court-order", [{"pupil": known.number, "recipient": RECIPIENT}])


def withdraw(scene: Scene, known: Known) -> None:
    arguments = ("--capacity", "parent", "-C", str(scene.demo.directory))
    done = run("consent", "withdraw", *arguments, typed=known.number + "\n")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("act", [restrict, forbid, withdraw])
def test_act_while_long_answers_run_affects_who_did_not_leave_yet_in_every_worker(
    scene: Scene, act: Callable[[Scene, Known], None]
) -> None:
    late = scene.left.pop()
    with ExitStack() as stack:
        streams = streams_in_every_worker(stack, scene.demo, scene.vendor)
        act(scene, late)
        bodies = [one.rest() for one in streams]

    assert all(orjson.loads(one) for one in bodies)
    assert [late.pseudonym.encode() in one for one in bodies] == [False] * len(streams)
    assert all(other.pseudonym.encode() in one for other in scene.left for one in bodies)


# -- one answer, while the LVS thinks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fact",
    [Restriction(ground=RestrictionGround.ACCURACY), CourtOrder(addressee=RECIPIENT), Withdrawal(moment=clock())],
)
def test_fact_set_while_the_source_answers_keeps_a_named_pupil_in(scene: Scene, fact: AnyFact) -> None:
    """Between the verdict on whom the request names and the commit; several at once, so that every worker has one."""
    known = scene.left.pop()
    answers: list[httpx2.Response] = []
    calls = [threading.Thread(target=lambda: answers.append(scene.vendor.student(known.pseudonym))) for _ in range(6)]
    before = len(scene.demo.lvs.calls())
    scene.demo.lvs.fault("slow", 6, seconds=2.0)
    for one in calls:
        one.start()
    until(lambda: len(scene.demo.lvs.calls()) >= before + 6)
    learn(scene.demo, known, fact)
    assert not answers  # all of them still wait for the LVS
    for one in calls:
        one.join()

    assert {one.status_code for one in answers} == {404}
    assert same_but_for_the_transfer(*answers, scene.vendor.student(UNKNOWN))


# -- birthdays -----------------------------------------------------------------------------------------------------


def born(known: Known, age: int, day: date) -> dict[str, Any]:
    """A row that says that the pupil becomes so old on this day."""
    return {"pupil": known.number, "birth_date": years_after(day, -age).isoformat()}


@dataclass(frozen=True, slots=True)
class Aged:
    """Who becomes so old today, and who tomorrow."""

    today: date
    now: dict[int, Known]
    tomorrow: dict[int, Known]

    def only_today(self) -> None:
        if legal_today() != self.today:
            pytest.skip("midnight in Amsterdam passed meanwhile")


@pytest.fixture(scope="module")
def aged(scene: Scene) -> Aged:
    """Of the two who become 18 a mentor consented."""
    found = Aged(legal_today(), *({age: scene.left.pop() for age in (16, 18)} for _ in range(2)))
    rows = [born(one, age, found.today) for age, one in found.now.items()]
    rows += [born(one, age, found.today + timedelta(days=1)) for age, one in found.tomorrow.items()]
    bring_in(scene.demo, "pupil", rows)
    grown = (found.now[18], found.tomorrow[18])
    appointed = [{"guardian": f"mentor-{one.number}", "capacity": "mentor"} for one in grown]
    bring_in(scene.demo, "guardian", ({**guardian(one), **two} for one, two in zip(grown, appointed, strict=True)))
    by = {"capacity": "mentor"}
    consents = [says_yes(one, RECIPIENT, PURPOSE, giver=f"mentor-{one.number}", **by) for one in grown]
    bring_in(scene.demo, "consent", consents)
    return found


def test_parents_consent_ends_on_the_16th_birthday_in_amsterdam(scene: Scene, aged: Aged) -> None:
    turns, will = (scene.vendor.student(one[16].pseudonym) for one in (aged.now, aged.tomorrow))
    aged.only_today()

    assert (turns.status_code, will.status_code) == (404, 200)
    assert scene.demo.entry(turns)["reasons"] == ["CONSENT_GIVER_NOT_ENTITLED"]


def test_mentor_consents_from_the_18th_birthday_in_amsterdam(scene: Scene, aged: Aged) -> None:
    turns, will = (scene.vendor.student(one[18].pseudonym) for one in (aged.now, aged.tomorrow))
    listed = {one["userIds"][0]["userId"] for one in scene.vendor.records(STUDENTS)}
    aged.only_today()

    assert (turns.status_code, will.status_code) == (200, 404)
    assert (aged.now[18].pseudonym in listed, aged.tomorrow[18].pseudonym in listed) == (True, False)
