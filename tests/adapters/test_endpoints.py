"""Messages to a recipient's endpoint over real sockets: what is sent, and the truth about what became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import pytest

from gateway.adapters.endpoints import Endpoint, HttpEndpoints
from gateway.adapters.lvs.token import Client
from gateway.adapters.lvs.upstream import system_trust
from gateway.adapters.lvs.wire import Limits
from gateway.core.gate.decide import PUSH, Call, Permit, decide
from gateway.core.model import Caller
from gateway.demo.receivers import DUO_PATH
from gateway.transfer.ports import Message, NotSent, OutcomeUnknown, Receipt, UpstreamFailed
from tests.builders_push import ACTION, enveloped, removal
from tests.policy.shipped import answered
from tests.servers import CLIENT_ID, RunningLvs, Turn, answer, free_port, scripted
from tests.simulators.world import ORGANISATION, POLICY, policy

pytestmark = pytest.mark.anyio

RECEIPT = Receipt("01a2045b-c2ba-7d62-a836-a38579f97816", 1)
QUICK = Limits(connect=5.0, first_byte=1.0, total=10.0)
MESSAGE = Message(
    "duo", "text/xml; charset=utf-8", enveloped(removal()), "edu-to=1", f"{ACTION}VerwijderingInschrijvingVO"
)


@pytest.fixture(scope="module")
def permit() -> Permit:
    call = Call("lvs", "duo-inschrijving-vo", "inschrijving", None, None, PUSH)
    caller = Caller("school-1", "school", "duo", "inschrijving")
    standings = policy(texts=(("duo", answered("duo")),)).standings
    found = decide(caller, call, standings, POLICY, ORGANISATION, date(2026, 11, 22))
    assert isinstance(found, Permit)
    return found


@asynccontextmanager
async def endpoints(url: str, client: Client | None = None) -> AsyncIterator[HttpEndpoints]:
    one = HttpEndpoints({"duo": Endpoint(url, client)}, system_trust, QUICK)
    try:
        yield one
    finally:
        await one.close()


async def test_message_arrives_with_its_action_and_nothing_of_the_caller(permit: Permit) -> None:
    with scripted(Turn([answer(b"<x/>", b"Content-Type: text/xml")])) as server:
        async with endpoints(f"{server.url}/ws") as one:
            told = await one.send(permit, RECEIPT, MESSAGE)

    (request,) = server.requests
    head = request.partition(b"\r\n\r\n")[0].decode().splitlines()
    assert head[0] == "POST /ws?edu-to=1 HTTP/1.1"
    assert {line.partition(":")[0].lower() for line in head[1:]} == {
        "host", "accept", "accept-encoding", "user-agent", "content-type", "content-length", "soapaction",
    }  # fmt: skip
    assert f'SOAPAction: "{MESSAGE.action}"' in head
    assert request.endswith(MESSAGE.body)
    assert (told.status, told.body) == (200, b"<x/>")


async def test_simulated_duo_takes_it(permit: Permit, lvs: RunningLvs) -> None:
    async with endpoints(f"{lvs.url}{DUO_PATH}") as one:
        told = await one.send(permit, RECEIPT, MESSAGE)

    assert told.status == 200
    assert b"ontvangstBevestiging>J<" in told.body


@pytest.mark.parametrize("status", [b"403 Forbidden", b"500 Oops", b"302 Found"])
async def test_status_is_told_as_it_is_and_no_redirect_is_followed(permit: Permit, status: bytes) -> None:
    with scripted(Turn([answer(b"", b"Location: http://elders.example/", status=status)])) as server:
        async with endpoints(server.url) as one:
            told = await one.send(permit, RECEIPT, MESSAGE)

    assert told.status == int(status[:3])
    assert len(server.requests) == 1


async def test_endpoint_that_does_not_listen_was_sent_nothing(permit: Permit) -> None:
    async with endpoints(f"http://127.0.0.1:{free_port()}") as one:
        with pytest.raises(NotSent):
            await one.send(permit, RECEIPT, MESSAGE)


async def test_endpoint_nobody_set_up_was_sent_nothing(permit: Permit) -> None:
    with pytest.raises(NotSent):
        await HttpEndpoints({}, system_trust, QUICK).send(permit, RECEIPT, MESSAGE)


async def test_endpoint_without_a_token_for_us_was_sent_nothing(permit: Permit, lvs: RunningLvs) -> None:
    wrong = Client(f"{lvs.url}/oauth/token", CLIENT_ID, "een ander")
    async with endpoints(f"{lvs.url}{DUO_PATH}", wrong) as one:
        with pytest.raises(NotSent):
            await one.send(permit, RECEIPT, MESSAGE)


@pytest.mark.parametrize("turn", [Turn(), Turn([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<x"]), Turn(resets=True)])
async def test_endpoint_that_breaks_off_leaves_the_outcome_unknown_and_is_not_asked_again(
    permit: Permit, turn: Turn
) -> None:
    with scripted(turn, turn) as server:
        async with endpoints(server.url) as one:
            with pytest.raises(OutcomeUnknown):
                await one.send(permit, RECEIPT, MESSAGE)

        assert server.connections == 1


async def test_answer_that_is_encoded_is_not_looked_into(permit: Permit) -> None:
    with scripted(Turn([answer(b"<x/>", b"Content-Encoding: gzip")])) as server:
        async with endpoints(server.url) as one:
            with pytest.raises(UpstreamFailed):
                await one.send(permit, RECEIPT, MESSAGE)


async def test_permit_for_another_endpoint_sends_nothing(permit: Permit) -> None:
    message = Message("elders", "text/xml", b"<x/>")
    with pytest.raises(ValueError, match="another endpoint"):
        await HttpEndpoints({}, system_trust, QUICK).send(permit, RECEIPT, message)
