"""core.register, core.verification: canonical bytes, the chain, and that `verify` finds each change and says where."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import msgspec
import pytest

from gateway.core.model import Versions
from gateway.core.reasons import Reason
from gateway.core.register import START, Draft, encode, link, members, roll_of
from gateway.core.verification import Head, StoredEntry, StoredRoll, Verification, verify
from tests.simulators.drafts import a_draft, a_subject
from tests.simulators.register import SimulatedRegister

A, B, C = (bytes([number]) * 16 for number in (1, 2, 3))


def full_draft() -> Draft:
    """Every field has another value than its default."""
    return a_draft(
        credential="c-1",
        source="lvs",
        schema="edu-v-students",
        route="GET /students/school",
        recipient_hash="aa",
        schema_hash="bb",
        policy_version="1.0",
        grondslag="e: WPO artikel 8",
        reasons=(Reason.CONSENT_MISSING,),
        withheld=((a_subject(9), (Reason.CONSENT_MISSING,)),),
        partial=((a_subject(8), (("note", Reason.CONSENT_MISSING),)),),
        unresolved=2,
        malformed=3,
        categories=("pupil-number", "é"),
        bytes=5,
        digest="cc",
        key_version=1,
        part_of="x",
        part=1,
        count=7,
        detail=("reden: €",),
    )


# -- encoding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draft", [a_draft(), full_draft()], ids=["short", "full"])
def test_encode_is_canonical_json(draft: Draft) -> None:
    body = encode(draft, A * 2)

    canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert body == canonical.encode()


def test_encode_keeps_every_field_of_a_draft() -> None:
    body = json.loads(encode(full_draft(), A))

    elsewhere = {"versions": {"policy", "facts", "keys"}, "issued": set(), "held": set()}
    elsewhere |= {"secret": set(), "spends": set(), "views": set(), "advances": set(), "anchors": set()}
    expected: set[str] = {"v", "roll"}
    for each in msgspec.structs.fields(Draft):
        expected |= elsewhere.get(each.name, {each.name})
    assert set(body) == expected
    assert (body["policy"], body["released"], body["withheld"], body["v"]) == (1, 1, 1, 1)


def test_encode_of_a_draft_is_these_bytes() -> None:
    """A stored format: when this fails, old registers and new code no longer agree (see the growth rule)."""
    draft = Draft(
        id="i", kind="refusal", moment="m", actor="a", reasons=(Reason.RATE_LIMITED,), versions=Versions(1, 2, 3)
    )

    assert encode(draft, None) == (
        b'{"actor":"a","facts":2,"id":"i","keys":3,"kind":"refusal","moment":"m","outcome":"refused",'
        b'"policy":1,"reasons":["RATE_LIMITED"],"v":1}'
    )


def test_hash_of_an_entry_is_this_value() -> None:
    assert link(START, b"{}").hex() == "a15ed34346de1ca4ffe195d2e7f63e361b870cdba89bc759bd103fb56900f1ee"


def test_roll_does_not_depend_on_order_or_repetition() -> None:
    withheld = [(C, (Reason.CONSENT_MISSING, Reason.PUPIL_NOT_IN_SCOPE))]
    turned = [(C, (Reason.PUPIL_NOT_IN_SCOPE, Reason.CONSENT_MISSING))]

    assert roll_of([A, B, A], withheld) == roll_of([B, A], turned)


@pytest.mark.parametrize(
    ("released", "withheld"),
    [
        ([A], []),
        ([A, C], []),
        ([A, B], [(C, (Reason.CONSENT_MISSING,))]),
        ([A, B], [(C, (Reason.PUPIL_NOT_IN_SCOPE,))]),
    ],
)
def test_roll_with_another_verdict_is_another_roll(
    released: list[bytes], withheld: list[tuple[bytes, tuple[Reason, ...]]]
) -> None:
    assert roll_of(released, withheld) != roll_of([A, B], [])


def test_roll_without_pupils_is_none() -> None:
    assert roll_of([], []) is None


def test_members_are_the_released_and_the_withheld() -> None:
    roll = roll_of([A, B], [(C, (Reason.CONSENT_MISSING,)), (A, (Reason.PUPIL_NOT_IN_SCOPE,))])

    assert roll is not None
    assert members(roll.body) == {A, B, C}


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"v":2}', b'{"released":"00","v":1}', b'{"released":"zz","v":1}', b"\xff"]
)
def test_members_of_what_is_not_a_roll_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which of json's or ours does not matter
        members(body)


# -- verification --------------------------------------------------------------------------------------


@pytest.fixture
async def stored() -> SimulatedRegister:
    """Five entries: two with one roll, one with another, one without, one with withheld pupils."""
    register = SimulatedRegister()
    pupils = (a_subject(1), a_subject(2))
    await register.append(a_draft(1, released=pupils))
    await register.append(a_draft(2, released=pupils))
    await register.append(a_draft(3, kind="refusal", released=()))
    await register.append(a_draft(4, released=(a_subject(3),)))
    await register.append(a_draft(5, withheld=((a_subject(4), (Reason.CONSENT_MISSING,)),)))
    return register


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def checked(register: SimulatedRegister, expected: Head | None = None) -> Verification:
    return verify(register.entries, register.rolls, expected)


def places(found: Verification) -> set[str]:
    return {problem.where for problem in found.problems}


def flips(value: object) -> list[Any]:
    """`value` with one bit of each byte changed; for a number, the numbers beside it; and nothing at all."""
    match value:
        case bytes():
            return [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in range(len(value))] + [None, b""]
        case str():
            return [value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :] for at in range(len(value))] + [None, ""]
        case int():
            return [value + 1, value - 1, -value, None]
        case None:
            return [1, 2, 0]
        case _:
            raise AssertionError


pytestmark = pytest.mark.anyio


async def test_verify_of_an_untouched_register_is_ok(stored: SimulatedRegister) -> None:
    found = checked(stored)

    head = stored.entries[-1].hash
    assert isinstance(head, bytes)
    assert found == Verification(ok=True, count=5, head=Head(5, head), problems=())


async def test_verify_of_an_empty_register_is_ok() -> None:
    assert verify([], []) == Verification(ok=True, count=0, head=None, problems=())


@pytest.mark.parametrize("column", [each.name for each in fields(StoredEntry)])
@pytest.mark.parametrize("row", range(5))
async def test_verify_finds_one_changed_byte_in_an_entry(stored: SimulatedRegister, row: int, column: str) -> None:
    good = stored.entries[row]
    for changed in flips(getattr(good, column)):
        stored.entries[row] = replace(good, **{column: changed})
        found = checked(stored)

        assert not found.ok, (column, changed)
        here = {f"entry {row + 1}", f"entry {changed}", "entry -1"}
        # a changed hash also shows at the next entry, a changed roll number at the roll nobody refers to any more
        assert places(found) & here, (column, changed)
        assert len(found.problems) <= 3


@pytest.mark.parametrize("column", [each.name for each in fields(StoredRoll) if each.name != "members"])
@pytest.mark.parametrize("row", range(3))
async def test_verify_finds_one_changed_byte_in_a_roll(stored: SimulatedRegister, row: int, column: str) -> None:
    good = stored.rolls[row]
    for changed in flips(getattr(good, column)):
        stored.rolls[row] = replace(good, **{column: changed})
        found = checked(stored)

        assert not found.ok, (column, changed)
        assert places(found) & {f"roll {row + 1}", f"roll {changed}", "roll -1", f"entry {row + 1}"}, (column, changed)


@pytest.mark.parametrize("row", range(3))
async def test_verify_finds_one_changed_byte_in_the_index_of_a_roll(stored: SimulatedRegister, row: int) -> None:
    good = stored.rolls[row]
    for changed in flips(good.members[0]):
        stored.rolls[row] = replace(good, members=(changed, *good.members[1:]))

        assert places(checked(stored)) == {f"roll {row + 1}"}


_Change = Callable[[SimulatedRegister], None]


def _drop_entry(register: SimulatedRegister) -> None:
    del register.entries[2]


def _swap_entries(register: SimulatedRegister) -> None:
    register.entries[1], register.entries[2] = register.entries[2], register.entries[1]


def _swap_and_renumber(register: SimulatedRegister) -> None:
    one, other = register.entries[1], register.entries[2]
    register.entries[1] = replace(other, sequence=2)
    register.entries[2] = replace(one, sequence=3)


def _repeat_entry(register: SimulatedRegister) -> None:
    register.entries.insert(2, register.entries[2])


def _drop_first(register: SimulatedRegister) -> None:
    del register.entries[0]


def _drop_roll(register: SimulatedRegister) -> None:
    del register.rolls[0]


def _lone_roll(register: SimulatedRegister) -> None:
    roll = roll_of([bytes(16)], [])
    assert roll is not None
    register.rolls.append(StoredRoll(4, roll.digest, roll.body, (bytes(16),)))


def _lone_index(register: SimulatedRegister) -> None:
    register.rolls.append(StoredRoll(4, None, None, (bytes(16),)))


def _index_less(register: SimulatedRegister) -> None:
    register.rolls[0] = replace(register.rolls[0], members=register.rolls[0].members[1:])


def _index_more(register: SimulatedRegister) -> None:
    register.rolls[0] = replace(register.rolls[0], members=(*register.rolls[0].members, bytes(16)))


def _swap_roll_numbers(register: SimulatedRegister) -> None:
    one, other = register.rolls[0], register.rolls[1]
    register.rolls[:2] = [replace(one, number=other.number), replace(other, number=one.number)]


def _rewrite_from_there(register: SimulatedRegister) -> None:
    """One who knows the format changes an entry and its hash, but not what follows."""
    old = register.entries[2]
    assert isinstance(old.previous, bytes)
    register.entries[2] = replace(old, body=b'{"id":"%s","v":1}' % str(old.id).encode())
    body = register.entries[2].body
    assert isinstance(body, bytes)
    register.entries[2] = replace(register.entries[2], hash=link(old.previous, body))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_drop_entry, "entry 4"),
        (_drop_first, "entry 2"),
        (_swap_entries, "entry 3"),
        (_swap_and_renumber, "entry 2"),
        (_repeat_entry, "entry 3"),
        (_drop_roll, "entry 1"),
        (_lone_roll, "roll 4"),
        (_lone_index, "roll 4"),
        (_index_less, "roll 1"),
        (_index_more, "roll 1"),
        (_swap_roll_numbers, "entry 1"),
        (_rewrite_from_there, "entry 4"),
    ],
)
async def test_verify_locates_a_change_of_rows(stored: SimulatedRegister, change: _Change, place: str) -> None:
    change(stored)

    found = checked(stored)

    assert not found.ok
    assert place in places(found)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b'{"id":"x"}', b'{"v":1}'])
async def test_verify_of_an_unreadable_body_with_a_right_hash_is_a_problem(body: bytes) -> None:
    found = verify([StoredEntry(1, "x", None, body, START, link(START, body))], [])

    assert places(found) == {"entry 1"}


async def test_verify_of_an_entry_of_a_later_format_is_a_problem() -> None:
    body = b'{"id":"x","v":2}'

    assert not verify([StoredEntry(1, "x", None, body, START, link(START, body))], []).ok


async def test_verify_of_an_entry_with_fields_that_came_later_is_ok() -> None:
    body = b'{"id":"x","later":1,"v":1}'

    assert verify([StoredEntry(1, "x", None, body, START, link(START, body))], []).ok


async def test_verify_with_the_kept_head_finds_that_the_end_was_cut_off(stored: SimulatedRegister) -> None:
    head = checked(stored).head
    del stored.entries[-1]
    del stored.rolls[-1]

    assert checked(stored).ok
    assert places(checked(stored, head)) == {"entry 5"}


async def test_verify_with_an_older_kept_head_is_ok(stored: SimulatedRegister) -> None:
    digest = stored.entries[1].hash
    assert isinstance(digest, bytes)

    assert checked(stored, Head(2, digest)).ok
    assert not checked(stored, Head(3, digest)).ok


async def test_problem_never_shows_what_is_stored() -> None:
    entry = StoredEntry("jan jansen", "jan jansen", "jan jansen", b"jan jansen", b"jan jansen", b"jan jansen")

    found = verify([entry], [StoredRoll("jan jansen", b"jan jansen", b"jan jansen", ("jan jansen",))])

    assert "jan" not in repr(found.problems)
    assert not found.ok
