"""`gateway serve`: one supervisor that owns what there must be one of, and N workers that answer.

The supervisor takes over policy when a file changes, synchronises the rosters, restarts a worker that died, and holds
the admin listener. It handles no pupil's request. Stopping it stops everything it started.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from gateway.bootstrap.logs import configure
from gateway.bootstrap.office import METRICS_DIRECTORY, Office, open_office
from gateway.bootstrap.rosters import tells_where
from gateway.bootstrap.school import Unusable
from gateway.bootstrap.server import Server

_LOOK_EVERY = 0.25  # seconds between looks at the policy files: a change works within a second
_HOLDS_EVERY = 3_600  # seconds between looks at what waits for a person: due dates are days
_RESTART_PAUSE = 0.2  # seconds before a dead worker is replaced, so that a crash loop stays calm
_GRACE = 35  # seconds for workers to finish, a little more than each worker gives its answers


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs of what now listens."""

    gateway: str
    admin: str


@dataclass(slots=True)
class Supervisor:
    """One directory, its listening sockets and its workers. `worker`: the program of each."""

    directory: Path
    workers: int
    worker: tuple[str, ...] = (sys.executable, "-m", "gateway.worker")
    _stopping: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    async def run(self, announce: Callable[[Addresses], None]) -> None:
        """Serve until SIGTERM or SIGINT; `announce` is called once a delivery can succeed."""
        configure()
        self._stop_on_signals()
        with tempfile.TemporaryDirectory(prefix="gateway-metrics-") as metrics:
            async with open_office(self.directory, Path(metrics)) as office:
                office.take_over_policy()
                await self._serve(office, announce)

    def stop(self) -> None:
        """As a signal would."""
        self._stopping.set()

    def _stop_on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

    async def _serve(self, office: Office, announce: Callable[[Addresses], None]) -> None:
        settings = office.school.settings
        with _listen(settings.listen) as listening, _listen(settings.admin) as admin_listening:
            lifeline, lifeline_end = os.pipe()
            try:
                await self._until_stopped(office, listening, admin_listening, (lifeline, lifeline_end), announce)
            finally:
                os.close(lifeline)

    async def _until_stopped(
        self,
        office: Office,
        listening: socket.socket,
        admin_listening: socket.socket,
        lifeline: tuple[int, int],
        announce: Callable[[Addresses], None],
    ) -> None:
        admin = Server(_admin_config(office))
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(admin.serve(sockets=[admin_listening]))
            tasks = [group.create_task(self._keep(n, listening, lifeline[0], office)) for n in range(self.workers)]
            tasks.append(group.create_task(self._follow_files(office)))
            tasks.append(group.create_task(self._follow_holds(office)))
            called = [name for name, one in office.school.settings.sources.items() if tells_where(one)]
            tasks += [group.create_task(self._follow_roster(office, name)) for name in called]
            group.create_task(self._announce(office, listening, admin_listening, announce))
            await self._stopping.wait()
            os.close(lifeline[1])  # the workers see it, finish what is running, and stop
            await asyncio.wait(tasks, timeout=_GRACE)
            admin.should_exit = True
            await serving

    async def _announce(
        self,
        office: Office,
        listening: socket.socket,
        admin_listening: socket.socket,
        announce: Callable[[Addresses], None],
    ) -> None:
        while not self._stopping.is_set():
            if all(office.ready().values()):
                announce(Addresses(_url(listening), _url(admin_listening)))
                return
            await self._pause(_LOOK_EVERY)

    async def _keep(self, number: int, listening: socket.socket, lifeline: int, office: Office) -> None:
        """Run worker `number`; when it dies, run it again."""
        descriptors = (listening.fileno(), lifeline)
        command = [*self.worker, str(self.directory), *map(str, descriptors), str(number)]
        # links lead to where we listen, unless something else is said
        environment = {"GATEWAY_URL": office.url(_url(listening)), **os.environ, METRICS_DIRECTORY: str(office.metrics)}
        while not self._stopping.is_set():
            process = await asyncio.create_subprocess_exec(*command, pass_fds=descriptors, env=environment)
            await process.wait()
            await self._pause(_RESTART_PAUSE)

    async def _follow_files(self, office: Office) -> None:
        while not self._stopping.is_set():
            office.take_over_policy()
            await self._pause(_LOOK_EVERY)

    async def _follow_holds(self, office: Office) -> None:
        while not self._stopping.is_set():
            office.look_after_holds()
            office.forget_views()
            office.forget_exports()
            await self._pause(_HOLDS_EVERY)

    async def _follow_roster(self, office: Office, source: str) -> None:
        while not self._stopping.is_set():
            await self._pause(await office.synchronise(source))

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _admin_config(office: Office) -> uvicorn.Config:
    return uvicorn.Config(
        office.admin(), access_log=False, log_config=None, server_header=False, ws="none", lifespan="off"
    )


def _listen(address: tuple[str, int]) -> socket.socket:
    """Raises Unusable."""
    host, port = address
    try:
        listening = socket.create_server((host, port), backlog=1024, reuse_port=False)
    except OSError as error:
        why = error.strerror.partition(" (")[0] if error.strerror else "it cannot be listened on"
        raise Unusable([f"{host}:{port}: {why}"]) from None
    listening.set_inheritable(True)
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"
