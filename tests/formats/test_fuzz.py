"""The targets of `make fuzz` themselves: they release something, see what leaks, and bear a first look."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fuzz.mutated import fuzz
from fuzz.target import CANARY, Leaked
from fuzz.targets import targets
from gateway.core.release.minimised import EnvelopeBroken

TARGETS = pytest.mark.parametrize("name", targets())


@TARGETS
def test_every_seed_holds_the_canary_and_something_of_it_leaves(name: str) -> None:
    target = targets()[name]
    for seed in target.seeds:
        assert len(target.run(seed)) > 40
        target.judge(seed)
    assert name.startswith("csv set") or all(CANARY.encode() in seed for seed in target.seeds)


@TARGETS
def test_what_leaks_outgrows_or_crashes_is_seen(name: str) -> None:
    target = targets()[name]

    def tells(_: bytes) -> bytes:
        raise EnvelopeBroken(CANARY)

    def crashes(_: bytes) -> bytes:
        raise IndexError

    for run in (lambda body: body + CANARY.encode(), lambda body: body * 99 + bytes(target.always + 9_999), tells):
        with pytest.raises(Leaked):
            replace(target, run=run).judge(b"x")
    with pytest.raises(IndexError):
        replace(target, run=crashes).judge(b"x")


@TARGETS
def test_edited_seeds_are_refused_or_leak_nothing(name: str) -> None:
    assert fuzz(targets()[name], 80) >= 80
