"""Exports to a recipient's SFTP server: the server is known by its key, the school by its own, and no other is trusted.

A file gets its name when it is there as a whole; the same once more takes its place. Needs the extra `sftp`
(asyncssh). Leaves out: endpoints over HTTPS (`adapters.endpoints`), what is sent (`bootstrap.exports`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.core.gate.decide import Permit
from gateway.transfer.ports import NotSent, OutcomeUnknown, Receipt

if TYPE_CHECKING:
    import asyncssh

_CONNECT = 10.0  # seconds
_LONGEST = 3_600.0  # seconds that one file may take


@dataclass(frozen=True, slots=True)
class SftpPlace:
    """A folder of a server. `host_key`: as in a known_hosts file, without the name; `identity`: a private key."""

    user: str
    host: str
    port: int
    folder: str
    host_key: str
    identity: Path = field(repr=False)

    @classmethod
    def of(cls, url: str, host_key: str, identity: Path) -> SftpPlace:
        """`sftp://USER@HOST[:PORT][/FOLDER]`; a folder counts from where the user comes in."""
        parts = urlsplit(url)
        folder = parts.path.strip("/")
        return cls(parts.username or "", parts.hostname or "", parts.port or 22, folder, host_key, identity)


class SftpPlaces:
    """Every endpoint over SFTP by name. A connection for each file."""

    def __init__(self, places: Mapping[str, SftpPlace]) -> None:
        self._places = places

    async def put(self, permit: Permit, receipt: Receipt, endpoint: str, name: str, path: Path) -> None:
        """To an endpoint that the agreement lists (R75). Raises NotSent, or OutcomeUnknown."""
        agreement = permit.standing.recipient.agreement
        if agreement is None or endpoint not in agreement.endpoints or not receipt.id:
            raise ValueError("the permit is for another endpoint")
        begun = False
        try:
            async with asyncio.timeout(_LONGEST), _connected(self._places[endpoint]) as sftp:
                folder = self._places[endpoint].folder
                part, target = (f"{folder}/{one}" if folder else one for one in (f".{name}.part", name))
                await sftp.put(str(path), part)
                begun = True
                await sftp.posix_rename(part, target)
        except NotSent:
            raise
        # asyncssh has no common class for what goes wrong on the wire, and its texts name hosts and paths
        except Exception:  # noqa: BLE001
            if begun:
                raise OutcomeUnknown("no answer came") from None
            raise NotSent("the file could not be put there") from None

    async def close(self) -> None:
        """Nothing stays open."""


@asynccontextmanager
async def _connected(place: SftpPlace) -> AsyncIterator[asyncssh.SFTPClient]:
    try:
        import asyncssh  # noqa: PLC0415 - an extra: who sends nothing over SFTP need not install it
    except ImportError:
        raise NotSent("install the extra sftp") from None
    async with (
        asyncssh.connect(
            place.host,
            place.port,
            username=place.user,
            client_keys=[str(place.identity)],
            known_hosts=([asyncssh.import_public_key(place.host_key)], [], []),
            connect_timeout=_CONNECT,
            agent_path=None,
            config=[],
            preferred_auth="publickey",
        ) as connection,
        connection.start_sftp_client() as sftp,
    ):
        yield sftp
