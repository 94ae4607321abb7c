"""One worker process: the data plane on the listening socket it was handed, until its supervisor goes.

Leaves out: what the process is made of (`bootstrap`), who starts it (`supervisor`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn
import uvloop

from gateway.bootstrap.logs import configure
from gateway.bootstrap.plane import data_plane
from gateway.bootstrap.server import Server

# The loop and the register's writer share one interpreter lock. At Python's own 5 ms a commit waits for it longer than
# for the disk; at 0.5 ms each takes it from the other so often that a request costs a tenth more.
_SWITCH = 0.002  # seconds
_GRACE = 30  # seconds a running answer gets to finish when the worker is asked to stop


def main(arguments: list[str]) -> None:
    """`DIRECTORY SOCKET LIFELINE NUMBER`: file descriptors of the listening socket and of a pipe that closes when the
    supervisor goes; the worker's number."""
    directory, (listening, lifeline, number) = Path(arguments[0]), map(int, arguments[1:])
    configure()
    # Ctrl+C reaches the whole group; the supervisor stops us, by our lifeline, so that nothing is cut off
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(_SWITCH)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(directory, socket.socket(fileno=listening), lifeline, number))


async def _serve(directory: Path, listening: socket.socket, lifeline: int, number: int) -> None:
    async with data_plane(directory, number) as app:
        config = uvicorn.Config(
            app,
            interface="asgi3",
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,  # a path holds pseudonyms (house rule 8)
            log_config=None,
            server_header=False,
            proxy_headers=False,  # who calls is who connects; a named proxy is trusted for its scheme only (`web`)
            timeout_graceful_shutdown=_GRACE,
        )
        server = Server(config)
        _stop_without(lifeline, server)
        await server.serve(sockets=[listening])


def _stop_without(lifeline: int, server: uvicorn.Server) -> None:
    """Nobody writes into the pipe: it becomes readable when its other end is closed, by a stop or by a death."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, setattr, server, "should_exit", True)

    def gone() -> None:
        loop.remove_reader(lifeline)
        os.close(lifeline)
        server.should_exit = True

    loop.add_reader(lifeline, gone)


if __name__ == "__main__":
    main(sys.argv[1:])
