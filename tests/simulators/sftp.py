"""A recipient's SFTP server on loopback: takes files of who has the school's key into `folder/taken`.

with sftp_server(folder) as server:      # in a thread of its own, beside who runs an event loop
    server.url, server.host_key, server.identity, server.folder
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import asyncssh


@dataclass(frozen=True, slots=True)
class SftpServer:
    """`identity`: the private key by which it knows the school; `folder`: where what it takes is."""

    port: int
    host_key: str
    identity: Path
    folder: Path

    @property
    def url(self) -> str:
        return f"sftp://school@127.0.0.1:{self.port}"


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[SftpServer]:
    own, school = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    identity, known, taken = folder / "identity", folder / "authorized", folder / "taken"
    identity.write_bytes(school.export_private_key())
    identity.chmod(0o600)
    known.write_bytes(school.export_public_key())
    taken.mkdir()
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[own],
        authorized_client_keys=str(known),
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(taken).encode()),
    )
    try:
        yield SftpServer(listener.get_port(), own.export_public_key().decode().strip(), identity, taken)
    finally:
        listener.close()
        await listener.wait_closed()


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    ready, made, loop = Event(), list[SftpServer](), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with listening(folder) as server:
            made.append(server)
            ready.set()
            await stop.wait()

    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield made[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
