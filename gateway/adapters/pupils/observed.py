"""How enrolments, groups and waiting observations are stored: small JSON, one text for one meaning.

Growth rule: fields are only added, at the end and with a default.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import msgspec

from gateway.core.model import Enrolment, Person
from gateway.transfer.ports import Observation

_REMEMBERED = 4_096  # texts: pupils of one class share what they are decoded to


class _Enrolment(msgspec.Struct, array_like=True):
    location: str
    begin: date
    end: date | None
    year: int | None


class _Observation(msgspec.Struct):
    person: Person
    ids: dict[str, str]
    enrolments: list[_Enrolment]
    groups: list[str]


_enrolments = msgspec.json.Decoder(list[_Enrolment]).decode
_groups = msgspec.json.Decoder(list[str]).decode
_observation = msgspec.json.Decoder(_Observation).decode


def encode_enrolments(enrolments: Iterable[Enrolment]) -> str:
    """Each once, in one order."""
    return msgspec.json.encode(_stored(enrolments)).decode()


def _stored(enrolments: Iterable[Enrolment]) -> list[_Enrolment]:
    ordered = sorted(set(enrolments), key=lambda each: (each.location, each.begin, str(each.end), str(each.year)))
    return [_Enrolment(each.location, each.begin, each.end, each.year) for each in ordered]


@lru_cache(maxsize=_REMEMBERED)
def decode_enrolments(text: str) -> tuple[Enrolment, ...]:
    return tuple(Enrolment(each.location, each.year, each.begin, each.end) for each in _enrolments(text))


def encode_groups(groups: Iterable[str]) -> str:
    return msgspec.json.encode(sorted(set(groups))).decode()


@lru_cache(maxsize=_REMEMBERED)
def decode_groups(text: str) -> frozenset[str]:
    return frozenset(map(sys.intern, _groups(text)))


def merged(one: tuple[str, str], other: tuple[str, str]) -> tuple[str, str]:
    """Two presences (enrolments, groups) of one person at one location."""
    enrolments = (*decode_enrolments(one[0]), *decode_enrolments(other[0]))
    return encode_enrolments(enrolments), encode_groups(decode_groups(one[1]) | decode_groups(other[1]))


def encode_observation(observation: Observation) -> bytes:
    stored = _stored(observation.enrolments)
    return msgspec.json.encode(
        _Observation(observation.person, dict(observation.ids), stored, sorted(observation.groups))
    )


def decode_observation(opened: bytes) -> Observation:
    stored = _observation(opened)
    enrolments = tuple(Enrolment(each.location, each.year, each.begin, each.end) for each in stored.enrolments)
    return Observation(stored.person, stored.ids, enrolments, frozenset(stored.groups))
