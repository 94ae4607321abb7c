"""Serves an ASGI application on loopback, alone or in a thread, and lets it hang up on a client.

Hanging up is an ASGI extension of our own: `scope["extensions"][HANG_UP]["now"]()` closes the connection without
an answer, which no ASGI event can say. Leaves out when that happens (`control`).
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HANG_UP = "demo.hang-up"


class HangUpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with the transport's abort within reach of the application."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: {"now": self.transport.abort}}


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app, http=HangUpProtocol, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip


def _listen(port: int) -> socket.socket:
    # named TCP: asyncio turns off Nagle only then, else a body would wait 40 ms for the acknowledgement of its headers
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


async def serve(app: ASGIApp, port: int, ready: Callable[[int], None], lifeline: int | None = None) -> None:
    """Serve until a signal, or until the other end of the pipe `lifeline` is closed; `ready` gets the port once
    connections are accepted."""
    with _listen(port) as listener:
        bound = listener.getsockname()[1]
        server = _Server(_config(app), lambda: ready(bound))
        if lifeline is not None:
            asyncio.get_running_loop().add_reader(lifeline, setattr, server, "should_exit", True)
        await server.serve([listener])


@contextmanager
def running(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve in a thread while the block runs; yields the base URL."""
    started = threading.Event()
    with _listen(port) as listener:
        server = _Server(_config(app), started.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="demo-lvs", daemon=True)
        thread.start()
        try:
            if not started.wait(timeout=10):
                raise RuntimeError("the server did not start")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)
