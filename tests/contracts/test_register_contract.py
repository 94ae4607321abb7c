"""What every ports.Register promises; run on the database and on the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from gateway.adapters.database import bump
from gateway.adapters.pupils.issued import IssuedPseudonyms
from gateway.adapters.register.chain import stored_entries
from gateway.adapters.register.writer import DatabaseRegister, verify_register
from gateway.adapters.store_keys import StoreKeys
from gateway.core.model import Versions
from gateway.core.register import Issue
from gateway.core.verification import StoredEntry, Verification, verify
from gateway.transfer.ports import Register, RegisterUnavailable, VersionsChanged
from tests.simulators.database import fresh_database
from tests.simulators.drafts import a_draft, a_subject
from tests.simulators.register import SimulatedRegister

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class World:
    """A register, and what stands around it."""

    register: Register
    move: Callable[[str], None]
    verify: Callable[[], Verification]
    entries: Callable[[], list[StoredEntry]]
    make_unwritable: Callable[[object], None]
    find: Callable[[str, str, str], Issue | None]


@pytest.fixture(params=["database", "simulator"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "simulator":
        yield _simulated()
        return
    database = fresh_database(tmp_path)
    keys = StoreKeys(bytes(32))
    register = DatabaseRegister(database, keys)
    issued = IssuedPseudonyms(database, keys)

    def move(name: str) -> None:
        with database.write() as connection:
            bump(connection, name)

    def entries() -> list[StoredEntry]:
        with database.read() as connection:
            return list(stored_entries(connection))

    yield World(
        register,
        move,
        lambda: verify_register(database),
        entries,
        lambda unwritable: database.path.chmod(0o400 if unwritable else 0o600),
        lambda domain, pseudonym, thing: issued.find(domain, pseudonym, thing, (1,)),
    )
    register.close()
    database.close()


def _simulated() -> World:
    register = SimulatedRegister()

    def move(name: str) -> None:
        numbers = {"policy": 0, "facts": 0, "keys": 0, name: 1}
        old = register.versions
        register.versions = Versions(
            old.policy + numbers["policy"], old.facts + numbers["facts"], old.keys + numbers["keys"]
        )

    def unwritable(state: object) -> None:
        register.unwritable = bool(state)

    return World(
        register,
        move,
        lambda: verify(register.entries, register.rolls),
        lambda: register.entries,
        unwritable,
        lambda domain, pseudonym, thing: register.issued.get((domain, thing, pseudonym)),
    )


async def test_append_returns_receipts_in_sequence(world: World) -> None:
    receipts = [await world.register.append(a_draft(number)) for number in (1, 2, 3)]

    assert [(receipt.id, receipt.sequence) for receipt in receipts] == [
        (a_draft(1).id, 1),
        (a_draft(2).id, 2),
        (a_draft(3).id, 3),
    ]


async def test_append_from_many_callers_makes_one_chain_that_verifies(world: World) -> None:
    async with anyio.create_task_group() as group:
        for number in range(1, 201):
            group.start_soon(world.register.append, a_draft(number, released=(a_subject(number % 7),)))

    found = world.verify()
    assert (found.ok, found.count) == (True, 200)


@pytest.mark.parametrize("name", ["policy", "facts", "keys"])
async def test_append_under_a_version_that_moved_is_refused_and_leaves_nothing(world: World, name: str) -> None:
    await world.register.append(a_draft(1))
    world.move(name)

    with pytest.raises(VersionsChanged):
        await world.register.append(a_draft(2))

    assert [entry.id for entry in world.entries()] == [a_draft(1).id]


async def test_append_in_one_batch_refuses_only_the_drafts_under_old_versions(world: World) -> None:
    world.move("facts")
    outcomes: dict[int, object] = {}

    async def append(number: int) -> None:
        versions = Versions(1, 2 if number % 2 else 1, 1)
        try:
            outcomes[number] = (await world.register.append(a_draft(number, versions=versions))).sequence
        except VersionsChanged:
            outcomes[number] = "changed"

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(append, number)

    assert {number for number, outcome in outcomes.items() if outcome == "changed"} == {0, 2, 4, 6, 8}
    assert sorted(str(outcomes[number]) for number in (1, 3, 5, 7, 9)) == ["1", "2", "3", "4", "5"]
    assert world.verify().ok


async def test_append_without_versions_is_kept_whatever_moved(world: World) -> None:
    world.move("policy")

    receipt = await world.register.append(a_draft(1, kind="refusal", versions=None, released=()))

    assert receipt.sequence == 1


async def test_append_to_an_unwritable_register_is_refused_and_works_again_afterwards(world: World) -> None:
    await world.register.append(a_draft(1))
    world.make_unwritable(True)
    with pytest.raises(RegisterUnavailable):
        await world.register.append(a_draft(2))
    world.make_unwritable(False)

    receipt = await world.register.append(a_draft(3))

    assert receipt.sequence == 2
    assert world.verify().ok


async def test_issued_pseudonym_is_found_back_only_in_its_domain_and_as_its_thing(world: World) -> None:
    issue = Issue("uitgever-noord", 1, "p-1", "pupil", None, None, bytes(16))
    await world.register.append(a_draft(1, issued=(issue,)))

    assert world.find("uitgever-noord", "p-1", "pupil") == issue
    assert world.find("uitgever-zuid", "p-1", "pupil") is None
    assert world.find("uitgever-noord", "p-1", "group") is None


async def test_issued_thing_gets_its_owner_later_and_keeps_it(world: World) -> None:
    nobodys = Issue("uitgever-noord", 1, "a-1", "assignment", "lvs", "assignment-1", None)
    owned = Issue("uitgever-noord", 1, "a-1", "assignment", "lvs", "assignment-1", bytes(16))
    for number, issue in enumerate((nobodys, owned, nobodys), start=1):
        await world.register.append(a_draft(number, issued=(issue,)))

    assert world.find("uitgever-noord", "a-1", "assignment") == owned


async def test_issued_pseudonym_of_a_refused_draft_is_not_found(world: World) -> None:
    world.move("facts")
    issue = Issue("uitgever-noord", 1, "p-1", "pupil", None, None, bytes(16))
    with pytest.raises(VersionsChanged):
        await world.register.append(a_draft(1, issued=(issue,)))

    assert world.find("uitgever-noord", "p-1", "pupil") is None


async def test_issued_pseudonym_of_a_refused_draft_is_found_once_the_draft_is_repeated(world: World) -> None:
    world.move("facts")
    issue = Issue("uitgever-noord", 1, "p-1", "pupil", None, None, bytes(16))
    with pytest.raises(VersionsChanged):
        await world.register.append(a_draft(1, issued=(issue,)))
    await world.register.append(a_draft(1, issued=(issue,), versions=Versions(1, 2, 1)))

    assert world.find("uitgever-noord", "p-1", "pupil") == issue


async def test_the_same_pupils_again_cost_no_second_list(world: World) -> None:
    pupils = tuple(a_subject(number) for number in range(30))
    await world.register.append(a_draft(1, released=pupils))
    await world.register.append(a_draft(2, released=pupils[::-1]))

    assert [entry.roll for entry in world.entries()] == [1, 1]


def test_issue_is_in_no_repr() -> None:
    assert "p-1" not in repr(a_draft(1, issued=(Issue("d", 1, "p-1", "pupil", None, None, None),)))
