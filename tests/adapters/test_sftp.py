"""adapters.exports.sftp over a real server on loopback: whole files, to a server that is known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import asyncssh
import pytest

from gateway.adapters.exports.sftp import SftpPlace, SftpPlaces
from gateway.core.gate.decide import PUSH, Call, Permit, decide
from gateway.core.model import Caller
from gateway.transfer.ports import NotSent, Receipt
from tests.policy.shipped import answered
from tests.simulators.sftp import listening
from tests.simulators.world import ORGANISATION, POLICY, policy

pytestmark = pytest.mark.anyio

RECEIPT = Receipt("01a2045b-c2ba-7d62-a836-a38579f97816", 1)


@pytest.fixture(scope="module")
def permit() -> Permit:
    call = Call("lvs", "duo-inschrijving-vo", "inschrijving", None, None, PUSH)
    standings = policy(texts=(("duo", answered("duo")),)).standings
    caller = Caller("school-1", "school", "duo", "inschrijving")
    found = decide(caller, call, standings, POLICY, ORGANISATION, date(2026, 11, 22))
    assert isinstance(found, Permit)
    return found


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[tuple[SftpPlaces, SftpPlace]]:
    async with listening(folder) as one:
        place = SftpPlace("school", "127.0.0.1", one.port, "", one.host_key, one.identity)
        yield SftpPlaces({"duo": place}), place


async def test_file_is_there_whole_under_its_name(permit: Permit, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"[1]")
    async with server(tmp_path) as (places, _):
        await places.put(permit, RECEIPT, "duo", "uit.json", made)
        made.write_bytes(b"[2]")
        await places.put(permit, RECEIPT, "duo", "uit.json", made)

    assert {one.name: one.read_bytes() for one in (tmp_path / "taken").iterdir()} == {"uit.json": b"[2]"}


async def test_server_with_another_key_gets_nothing(permit: Permit, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    (tmp_path / "made").write_bytes(b"[1]")
    async with server(tmp_path) as (_, place):
        strange = SftpPlace(place.user, place.host, place.port, "", other, place.identity)
        with pytest.raises(NotSent):
            await SftpPlaces({"duo": strange}).put(permit, RECEIPT, "duo", "uit.json", tmp_path / "made")

    assert list((tmp_path / "taken").iterdir()) == []


async def test_endpoint_that_is_not_agreed_gets_nothing(permit: Permit, tmp_path: Path) -> None:
    """R75."""
    async with server(tmp_path) as (places, _):
        with pytest.raises(ValueError, match="another endpoint"):
            await places.put(permit, RECEIPT, "bureau", "uit.json", tmp_path / "made")


def test_place_is_read_from_its_url() -> None:
    place = SftpPlace.of("sftp://school@bestanden.example:2222/in/toets", "ssh-ed25519 AAAA", Path("key"))

    assert (place.user, place.host, place.port, place.folder) == ("school", "bestanden.example", 2222, "in/toets")
