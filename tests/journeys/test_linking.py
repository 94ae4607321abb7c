"""The bound on linking: whoever holds two publishers' answers, or one and the list of names, is left with the
memberships and years that both were given, and with guessing among the pupils who share these.

The attackers are stronger than real ones: told which group and which subject is which, and of every pupil all
memberships. Pupils who share these are a class. Within a class everything released is the same but for ids (the first
two tests), so what is left is the order of records and of ids; by each of these as many links are right as pupils
happen to stand in their own place, on average one in a class of any size (the last two). Leaves out: which ids and
texts two answers share (`test_what_leaves`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import sqrt
from typing import Any

import orjson
import pytest

from gateway.bootstrap.school import open_school
from gateway.core.release import pseudonym
from tests.journeys.driving import ENROLMENTS, GROUPS, STUDENTS, Demo, truth

pytestmark = pytest.mark.journey

RECIPIENTS = ("uitgever-noord", "uitgever-zuid")
Records = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Held:
    """Everything one recipient was given, and what only we know: whose a pseudonym is (`number`) and which subject of
    the LVS a mapped one is."""

    students: Records = field(repr=False)
    enrolments: Records = field(repr=False)
    groups: Records = field(repr=False)
    number: Mapping[str, str] = field(repr=False)
    subject: Mapping[str, str] = field(repr=False)

    def memberships(self) -> dict[str, frozenset[Hashable]]:
        """Pseudonym → its groups, subjects and years."""
        found: defaultdict[str, set[Hashable]] = defaultdict(set)
        for one in self.enrolments:
            what = self.subject[one["subject"]] if "subject" in one else one.get("studyYear")
            found[_named(one["student"])].add((one["enrollmentType"], what, one["schoolPeriod"]))
        for group in self.groups:
            for member in group["students"]:
                found[_named(member)].add(("group", group["groupName"], group["schoolPeriod"]))
        return {one: frozenset(found[one]) for one in map(_named, self.students)}

    def material(self) -> dict[str, list[bytes]]:
        """Pseudonym → all that was released about it, with nothing left out but the ids that are its own."""
        found: defaultdict[str, list[bytes]] = defaultdict(list)
        for one in self.students:
            found[_named(one)].append(_plain(one, userIds=_kinds(one)))
        for one in self.enrolments:
            own = {"enrollmentId": "", "student": _kinds(one["student"])}
            subject = {"subject": self.subject[one["subject"]]} if "subject" in one else {}
            found[_named(one["student"])].append(_plain(one, **own, **subject))
        for group in self.groups:
            for member in group["students"]:
                found[_named(member)].append(_plain(group, groupId="", students=_kinds(member)))
        return {one: sorted(parts) for one, parts in found.items()}


def _named(reference: dict[str, Any]) -> str:
    return str(reference["userIds"][0]["userId"])


def _kinds(reference: dict[str, Any]) -> list[dict[str, str]]:
    return [{**one, "userId": ""} for one in reference["userIds"]]


def _plain(record: dict[str, Any], **instead: object) -> bytes:
    return orjson.dumps({**record, **instead}, option=orjson.OPT_SORT_KEYS)


@pytest.fixture(scope="module")
def held(demo: Demo) -> tuple[Held, Held]:
    one, other = (_held(demo, recipient) for recipient in RECIPIENTS)
    return one, other


def _held(demo: Demo, recipient: str) -> Held:
    vendor = demo.vendor(recipient)
    students, enrolments, groups = (vendor.records(path) for path in (STUDENTS, ENROLMENTS, GROUPS))
    subjects = {one["subject"] for one in demo.lvs.everything("/enrollments/school") if "subject" in one}
    with open_school(demo.directory) as school:
        keys = school.world().now().keys
        key = keys.domain_key(recipient, keys.current.number)
        subject = {pseudonym.thing(key, "subject-offering", "lvs", one): one for one in subjects}
    return Held(students, enrolments, groups, truth(demo.directory, recipient).number, subject)


# -- classes: what memberships and years allow -----------------------------------------------------------------------

Classes = dict[Hashable, set[str]]
"""What both were told of some pupils → their numbers."""


def classes(one: Held, other: Held) -> Classes:
    """Of the pupils that both hold; what only one was told of a pupil links nothing."""
    mine, theirs = ({held.number[who]: what for who, what in held.memberships().items()} for held in (one, other))
    found: Classes = defaultdict(set)
    for number in mine.keys() & theirs.keys():
        found[mine[number] & theirs[number]].add(number)
    return dict(found)


def test_classes_leave_something_to_guess(held: tuple[Held, Held]) -> None:
    """The other tests would show nothing if memberships told everybody apart."""
    found = classes(*held)

    assert sum(len(one) for one in found.values()) > 100
    assert _most(found) < sum(len(one) for one in found.values()) / 2


@pytest.mark.parametrize("which", [0, 1], ids=RECIPIENTS)
def test_pupils_with_the_same_memberships_and_year_look_the_same(held: tuple[Held, Held], which: int) -> None:
    """In everything that was released: dates, moments, status, names, how many records there are."""
    one = held[which]
    material = one.material()
    looks = defaultdict(set)
    for who, memberships in one.memberships().items():
        looks[memberships].add(tuple(material[who]))

    assert looks
    assert {len(found) for found in looks.values()} == {1}


# -- orders: what is left --------------------------------------------------------------------------------------------

Order = Callable[[Held], Iterable[str]]
ORDERS: dict[str, Order] = {
    "students": lambda held: map(_named, held.students),
    "enrolments": lambda held: (_named(one["student"]) for one in held.enrolments),
    "groups": lambda held: (_named(one) for group in held.groups for one in group["students"]),
    "pseudonyms": lambda held: sorted(map(_named, held.students)),
    "pseudonyms backwards": lambda held: sorted(map(_named, held.students), key=lambda who: who[::-1]),
    "enrolment ids": lambda held: (
        _named(one["student"]) for one in sorted(held.enrolments, key=lambda one: str(one["enrollmentId"]))
    ),
    "bytes": lambda held: map(_named, sorted(held.students, key=orjson.dumps)),
}


def _ordered(held: Held, order: Order) -> list[str]:
    """Pupils' numbers in that order, each where it comes first."""
    return list(dict.fromkeys(held.number[who] for who in order(held)))


def _linked(found: Classes, one: Iterable[str], other: Iterable[str]) -> int:
    """How many are linked rightly by who is the n-th of a class in both orders."""
    orders = list(one), list(other)
    placed = [[[who for who in order if who in members] for order in orders] for members in found.values()]
    return sum(mine == theirs for first, second in placed for mine, theirs in zip(first, second, strict=False))


def _most(found: Classes) -> float:
    """Of so many classes this many right links come by chance less than once in ten million times."""
    return len(found) + 7 * sqrt(len(found))


@pytest.mark.parametrize(("mine", "theirs"), list(product(ORDERS, ORDERS)))
def test_two_answers_link_no_pupil_better_than_chance_within_a_class(
    held: tuple[Held, Held], mine: str, theirs: str
) -> None:
    one, other = held
    found = classes(one, other)

    assert _linked(found, _ordered(one, ORDERS[mine]), _ordered(other, ORDERS[theirs])) <= _most(found)


@pytest.mark.parametrize("order", list(ORDERS))
@pytest.mark.parametrize("which", [0, 1], ids=RECIPIENTS)
def test_list_of_names_links_no_pupil_better_than_chance_within_a_class(
    demo: Demo, held: tuple[Held, Held], which: int, order: str
) -> None:
    """Against the names in the order of the alphabet, which is the LVS's own, and in the order of the numbers."""
    one = held[which]
    found = classes(one, one)
    students = sorted(demo.lvs.everything("/students/school"), key=lambda one: (one["familyName"], one["givenName"]))
    alphabet = [_las_key(student) for student in students]

    for known in (alphabet, sorted(alphabet)):
        assert _linked(found, _ordered(one, ORDERS[order]), known) <= _most(found)


def _las_key(student: dict[str, Any]) -> str:
    return next(str(one["userId"]) for one in student["userIds"] if one["userIdType"] == "ASI")


def test_matching_by_order_would_be_seen(demo: Demo, held: tuple[Held, Held]) -> None:
    """With records in the LVS's order the same measure finds everybody."""
    alphabet = [_las_key(student) for student in demo.lvs.everything("/students/school")]
    found = classes(*held)

    assert _linked(found, alphabet, alphabet) == sum(len(one) for one in found.values())
