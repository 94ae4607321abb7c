"""One HTTP/1.1 connection after another: bounds, deadlines, and never an answer to somebody else's question."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.lowlevel import checkpoint

from gateway.adapters.lvs.wire import Limits, Origin, Reply, Wire
from gateway.transfer.ports import NotSent, UpstreamFailed, UpstreamTimeout
from tests.servers import LOOPS, Scripted, Turn, answer, scripted

pytestmark = pytest.mark.anyio

SOON = Limits(connect=5.0, first_byte=0.2, total=5.0)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@asynccontextmanager
async def to(server: Scripted, limits: Limits | None = None) -> AsyncIterator[Wire]:
    wire = Wire(Origin.of(server.url), ssl.create_default_context(), limits or Limits())
    try:
        yield wire
    finally:
        wire.close()


async def ask(wire: Wire, target: str = "/x", body: bytes | None = None) -> Reply:
    return await wire.ask("GET" if body is None else "POST", target, b"", body)


# -- reading ---------------------------------------------------------------------------------------------


async def test_answer_in_chunks_is_put_together() -> None:
    with scripted(Turn([HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n"])) as server:
        async with to(server) as wire:
            assert (await ask(wire)).body == b"[1,2]"


async def test_answer_after_interim_ones_is_the_answer() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    with scripted(Turn([early + answer(b"[7]")])) as server:
        async with to(server) as wire:
            reply = await ask(wire)
    assert (reply.status, reply.body, reply.all(b"link")) == (200, b"[7]", [])


async def test_body_is_sent_with_its_length() -> None:
    with scripted(Turn([answer()])) as server:
        async with to(server) as wire:
            await ask(wire, body=b'{"a":1}')
    assert server.requests[0].endswith(b'Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}')


BROKEN = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 2",
    "half the headers": HEAD,
    "half the body": HEAD + b"Content-Length: 10\r\n\r\n[1,2",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1",
    "end told by closing": HEAD + b"\r\n[1,2]",
    "another protocol": b"SSH-2.0-OpenSSH\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]\n",
    "length and chunks": HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tunnel\r\nConnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN.keys())
async def test_answer_that_is_not_whole_is_a_failure(said: bytes) -> None:
    with scripted(Turn([said])) as server:
        async with to(server) as wire:
            with pytest.raises(UpstreamFailed):
                await ask(wire)


async def test_reset_after_sending_is_a_failure_and_not_unsent() -> None:
    with scripted(Turn([b""], resets=True)) as server:
        async with to(server) as wire:
            with pytest.raises(UpstreamFailed):
                await ask(wire)


# -- bounds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "fits"), [(64, True), (65, False)])
async def test_body_up_to_the_limit_is_read(size: int, fits: bool) -> None:  # noqa: FBT001 - a table of cases
    with scripted(Turn([answer(b"1" * size)])) as server:
        async with to(server, Limits(body=64)) as wire:
            if fits:
                assert len((await ask(wire)).body) == size
            else:
                with pytest.raises(UpstreamFailed, match="body is too large"):
                    await ask(wire)


async def test_body_in_chunks_is_bounded_too() -> None:
    chunk = b"10\r\n" + b"1" * 16 + b"\r\n"
    with scripted(Turn([HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 10], holds=True)) as server:
        async with to(server, Limits(body=64)) as wire:
            with pytest.raises(UpstreamFailed, match="body is too large"):
                await ask(wire)


async def test_headers_are_bounded() -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(70))
    with scripted(Turn([HEAD + many + b"Content-Length: 2\r\n\r\n[]"])) as server:
        async with to(server) as wire:
            with pytest.raises(UpstreamFailed, match="header fields are too large"):
                await ask(wire)


async def test_limits_of_one_call_count_for_that_call() -> None:
    with scripted(Turn([answer(b"1" * 100)])) as server:
        async with to(server, Limits(body=64)) as wire:
            assert len((await wire.ask("GET", "/x", b"", None, Limits(body=100))).body) == 100


# -- deadlines -------------------------------------------------------------------------------------------


async def test_first_byte_that_does_not_come_is_too_late() -> None:
    with scripted(Turn([b""], holds=True)) as server:
        async with to(server, SOON) as wire:
            with pytest.raises(UpstreamTimeout):
                await ask(wire)


@pytest.mark.parametrize("begun", [HEAD, HEAD + b"Content-Length: 10\r\n\r\n[1"])
async def test_answer_that_stalls_is_too_late(begun: bytes) -> None:
    with scripted(Turn([begun], holds=True)) as server:
        async with to(server, Limits(first_byte=5.0, total=0.2)) as wire:
            with pytest.raises(UpstreamTimeout):
                await ask(wire)


async def test_answer_that_began_in_time_may_take_its_time() -> None:
    """The limit of the first byte does not count for the rest."""
    with scripted(Turn([HEAD], after=b"Content-Length: 2\r\n\r\n[]")) as server:
        async with to(server, SOON) as wire:
            asyncio.get_running_loop().call_later(0.3, server.go.set)
            assert (await ask(wire)).body == b"[]"


async def test_connection_that_does_not_come_free_means_not_sent() -> None:
    with scripted(Turn([b""], holds=True)) as server:
        async with to(server, Limits(connect=0.1, connections=1)) as wire, anyio.create_task_group() as group:
            group.start_soon(ask, wire)
            await anyio.to_thread.run_sync(server.arrived.get)
            with pytest.raises(NotSent):
                await ask(wire)
            group.cancel_scope.cancel()
        assert len(server.requests) == 1


async def test_connection_that_comes_free_is_used() -> None:
    with scripted(Turn([HEAD, answer(b"[2]")], holds=True), Turn([answer(b"[2]")])) as server:
        async with (
            to(server, Limits(connect=5.0, total=0.2, connections=1)) as wire,
            anyio.create_task_group() as group,
        ):
            first = asyncio.ensure_future(ask(wire))
            await anyio.to_thread.run_sync(server.arrived.get)
            assert (await ask(wire)).body == b"[2]"
            with pytest.raises(UpstreamTimeout):
                await first
            group.cancel_scope.cancel()


# -- connections that are kept ---------------------------------------------------------------------------


async def test_connection_is_used_again() -> None:
    with scripted(Turn([answer(b"[1]"), answer(b"[2]")])) as server:
        async with to(server) as wire:
            assert [(await ask(wire)).body for _ in range(2)] == [b"[1]", b"[2]"]
        assert server.connections == 1


@pytest.mark.parametrize("limits", [Limits(idle=0.0), Limits(idle=-1.0)])
async def test_connection_that_is_idle_too_long_is_not_used_again(limits: Limits) -> None:
    with scripted(Turn([answer(b"[1]")], holds=True), Turn([answer(b"[2]")])) as server:
        async with to(server, limits) as wire:
            assert [(await ask(wire)).body for _ in range(2)] == [b"[1]", b"[2]"]
        assert server.connections == 2


OUT_OF_STEP = {
    "wants to close": answer(b"[1]", b"Content-Type: application/json", b"Connection: close"),
    "says more": answer(b"[1]") + answer(b'["somebody else"]'),
    "begins to say more": answer(b"[1]") + HEAD,
    "failed": HEAD + b"Content-Length: 99\r\n\r\n[1",
}


@pytest.mark.parametrize("said", OUT_OF_STEP.values(), ids=OUT_OF_STEP.keys())
async def test_connection_out_of_step_is_not_used_again(said: bytes) -> None:
    with scripted(Turn([said], holds=True), Turn([answer(b"[2]")])) as server:
        async with to(server, Limits(total=0.3)) as wire:
            try:
                assert (await ask(wire)).body == b"[1]"
            except UpstreamTimeout:
                assert said is OUT_OF_STEP["failed"]
            assert (await ask(wire)).body == b"[2]"
        assert server.connections == 2


async def test_connection_that_speaks_unasked_is_not_used_again() -> None:
    unasked = Turn([answer(b"[1]")], after=answer(b'["somebody else"]'), holds=True)
    with scripted(unasked, Turn([answer(b"[2]")])) as server:
        async with to(server) as wire:
            await ask(wire)
            server.go.set()
            await anyio.to_thread.run_sync(server.went.wait)
            await _dropped(wire)
            assert (await ask(wire)).body == b"[2]"


async def test_connection_of_a_cancelled_call_is_not_used_again() -> None:
    with scripted(Turn([b""], after=answer(b'["late"]')), Turn([answer(b"[2]")])) as server:
        async with to(server) as wire:
            call = asyncio.ensure_future(ask(wire))
            await anyio.to_thread.run_sync(server.arrived.get)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            server.go.set()
            assert (await ask(wire)).body == b"[2]"


async def test_connection_the_server_closed_is_not_used_again() -> None:
    with scripted(Turn([answer(b"[1]")], after=b" "), Turn([answer(b"[2]")])) as server:
        async with to(server) as wire:
            await ask(wire)
            server.go.set()
            await anyio.to_thread.run_sync(server.went.wait)
            await _dropped(wire)
            assert (await ask(wire)).body == b"[2]"


async def _dropped(wire: Wire) -> None:
    """Lets the loop hear what has arrived."""
    for _ in range(1_000_000):
        if not wire.idle:
            return
        await checkpoint()
    raise AssertionError("the connection is still kept")


# -- what may be asked -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["x", "", "/a b", "/a\r\nX-Evil: 1", "/a\n", "/café", "/a#b", "//\x00", "http://other/"]
)
async def test_target_that_is_not_encoded_is_not_sent(target: str) -> None:
    with scripted() as server:
        async with to(server) as wire:
            with pytest.raises(ValueError, match="not encoded"):
                await ask(wire, target)
        assert server.connections == 0


def test_reply_repr_shows_nothing_of_the_answer() -> None:
    assert "Femke" not in repr(Reply(200, ((b"x-name", b"Femke"),), b'["Femke"]'))
