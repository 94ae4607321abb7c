"""What the server costs before there is a gateway: the floor under every figure of the gateway.

`python -m bench.floor hello PORT` answers everybody the same few bytes; `python -m bench.floor relay PORT URL` gives
back what the LVS at URL says, over the gateway's own read connections, without looking at it. Both run as a worker
does: uvicorn, uvloop, httptools.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
import uvloop

from gateway.adapters.lvs.upstream import system_trust
from gateway.adapters.lvs.wire import Limits, Origin, Wire

App = Callable[[Any, Any, Any], Awaitable[None]]


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    """An ASGI application that does nothing."""
    await _answer(send, b"{}")


def relay(wire: Wire) -> App:
    """An ASGI application that only asks the LVS."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"] if scope["method"] == "POST" else None
        target = f"{scope['raw_path'].decode()}?{scope['query_string'].decode()}"
        reply = await wire.ask(scope["method"], target, b"", body)
        await _answer(send, reply.body)

    return app


async def _answer(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def serve(port: int, app: App) -> None:
    """As a worker serves, until a signal."""
    config = uvicorn.Config(
        app, port=port, interface="asgi3", http="httptools", ws="none", lifespan="off", access_log=False,
        log_config=None, server_header=False, proxy_headers=False,
    )  # fmt: skip
    await uvicorn.Server(config).serve()


async def main(which: str, port: str, *url: str) -> None:
    await serve(int(port), relay(Wire(Origin.of(*url), system_trust(), Limits())) if which == "relay" else hello)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
