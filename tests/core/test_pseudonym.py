"""Vectors and framing of the pseudonyms: what is pinned here may never change, or every recipient loses its pupils."""

from __future__ import annotations

import hashlib
import hmac
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Person
from gateway.core.release import pseudonym

VERSION_KEY = bytes(range(32))
KEY = pseudonym.domain_key(VERSION_KEY, "uitgever-noord")
INTERNAL = bytes(range(16))


def test_domain_key_for_a_known_key_and_domain_is_the_pinned_one() -> None:
    extracted = hmac.digest(bytes(32), VERSION_KEY, "sha256")  # RFC 5869 with an empty salt
    expanded = hmac.digest(extracted, b"pseudonym/v1/uitgever-noord\x01", "sha256")

    assert expanded == KEY


def test_person_for_a_known_key_and_id_is_the_pinned_uuid() -> None:
    assert pseudonym.person(KEY, INTERNAL, Person.PUPIL) == "c25dd86b-99e5-8fb5-9202-2576c4125e1b"
    assert pseudonym.person(KEY, INTERNAL, Person.STAFF) == "38dd076a-683d-8042-86f6-b25d848bbdb0"


def test_thing_for_a_known_key_and_value_is_the_pinned_uuid() -> None:
    assert pseudonym.thing(KEY, "group", "lvs", "1A") == "99cf7d7f-9ac9-8302-81cc-086e7c7f5ee3"


def test_person_is_the_hmac_of_kind_and_internal_id() -> None:
    """N2."""
    digest = hmac.new(KEY, b"pupil\0" + INTERNAL, hashlib.sha256).digest()[:16]
    given_bits = (1 << 122) - 1

    found = uuid.UUID(pseudonym.person(KEY, INTERNAL, Person.PUPIL))

    assert found.version == 8
    assert found.variant == uuid.RFC_4122
    assert _without_fixed_bits(found.bytes) == _without_fixed_bits(digest)
    assert _without_fixed_bits(b"\xff" * 16).bit_count() == given_bits.bit_count()


def _without_fixed_bits(digest: bytes) -> int:
    return int.from_bytes(digest, "big") & ~(0xF << 76) & ~(0x3 << 62)


def test_person_in_another_domain_has_another_pseudonym() -> None:
    other = pseudonym.domain_key(VERSION_KEY, "uitgever-zuid")

    assert pseudonym.person(other, INTERNAL, Person.PUPIL) != pseudonym.person(KEY, INTERNAL, Person.PUPIL)


def test_person_under_another_key_version_has_another_pseudonym() -> None:
    other = pseudonym.domain_key(VERSION_KEY[::-1], "uitgever-noord")

    assert pseudonym.person(other, INTERNAL, Person.PUPIL) != pseudonym.person(KEY, INTERNAL, Person.PUPIL)


@pytest.mark.parametrize("name", ["gro\0up", "\0"])
def test_thing_with_a_nul_in_its_kind_or_source_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="without NUL"):
        pseudonym.thing(KEY, name, "lvs", "1A")
    with pytest.raises(ValueError, match="without NUL"):
        pseudonym.thing(KEY, "group", name, "1A")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)


@given(st.tuples(NAMES, NAMES, TEXTS), st.tuples(NAMES, NAMES, TEXTS))
def test_thing_for_two_different_things_is_never_the_same(one: tuple[str, str, str], two: tuple[str, str, str]) -> None:
    assert (pseudonym.thing(KEY, *one) == pseudonym.thing(KEY, *two)) == (one == two)


@given(NAMES, TEXTS)
def test_thing_is_never_the_pseudonym_of_a_person(source: str, value: str) -> None:
    """A value that ends in a person's framing still begins with another word."""
    forged = pseudonym.thing(KEY, "pupil", source, value)

    assert forged != pseudonym.person(KEY, source.encode() + b"\0" + value.encode(), Person.PUPIL)
