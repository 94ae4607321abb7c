"""What the minimiser costs beside bare msgspec: the same types decoded and encoded, without looking at anybody.

Prints ratios for a page of 1,000 students with extension fields, a class, one student, and groups and enrolments;
verdicts and pseudonyms are remembered, as in a running gateway. `reported` adds what the register asks afterwards: who
was released, who not and why, what was issued. Rounds alternate, so that a busy machine slows all; the ratio is that of
the fastest rounds. Run from the repository's root: python bench/minimiser.py [rounds]
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import GenericAlias
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.core.model import Subject, Transform
from gateway.core.policy.schema import Record
from gateway.core.policy.terms import Grant
from gateway.core.release.emission import Emission
from gateway.core.release.sight import Sight
from gateway.formats.json import JsonMinimiser
from tests import builders_formats as build

_NOTE = "Afspraken staan in het dossier; volgende week opnieuw bespreken. " * 5


@dataclass(frozen=True, slots=True)
class Case:
    """One answer of the LVS, the minimiser for it, and whom it sees. `decode`, `encode`: the same types, bare."""

    name: str
    body: bytes
    minimiser: JsonMinimiser
    sight: Sight
    decode: Callable[[bytes], Any]
    many: bool = True


class Id(msgspec.Struct, gc=False, rename={"id": "userId", "type": "userIdType"}):
    id: str
    type: str


class Reference(
    msgspec.Struct, gc=False, omit_defaults=True, rename={"master": "userMasterIdentifier", "ids": "userIds"}
):
    master: str | None = None
    ids: list[Id] | None = None


def bare(fields: dict[str, Any]) -> Callable[[bytes], Any]:
    """A decoder that a person would write for these fields, ids as they are."""
    record: Any = msgspec.defstruct(
        "Bare", [(name, kind | None, None) for name, kind in fields.items()], omit_defaults=True, gc=False
    )
    return msgspec.json.Decoder(GenericAlias(list, (record,))).decode


_STUDENT = {"userMasterIdentifier": str, "userIds": list[Id], "preferredFirstName": str, "gender": str, "language": str}
_FIXED = dict.fromkeys(("givenName", "familyName", "status", "dateCreated", "dateLastModified"), str)


def students(count: int, withheld: float = 0.0) -> tuple[list[Subject], list[dict[str, Any]]]:
    """`withheld` of them are in a study year that the delivery does not have."""
    people = [build.pupil(number, year=2 if number % 100 < withheld * 100 else 1) for number in range(1, count + 1)]
    return people, [_full(one, number) for number, one in enumerate(people)]


def _full(one: Subject, number: int) -> dict[str, Any]:
    return build.student_json(
        one,
        preferredFirstName=f"Naam{number}",
        language="nld",
        email=f"L{number}@school.example",
        emailPrivate=f"{number}@thuis.example",
        emailsParents=[f"a{number}@thuis.example", f"b{number}@thuis.example"],
        address={
            "street": "Dorpsstraat",
            "houseNumber": number,
            "zipCode": "1234AB",
            "city": "Ons Dorp",
            "country": "Nederland",
        },
        bsn=f"{number:09d}",
        note=_NOTE,
        health={"allergies": ["noten", "melk"], "remarks": _NOTE},
    )


def case(
    name: str, record: Record, grants: dict[str, Grant], fields: dict[str, Any], people: list[Subject], records: Any
) -> Case:
    bench = build.bench(record, grants, people, years=frozenset({1}))
    body = msgspec.json.encode(records)
    return Case(name, body, bench.minimiser, bench.sight, bare(fields), isinstance(records, list))


def cases() -> list[Case]:
    grants = build.student_grants() | build.keep("preferredFirstName", "gender", "language")
    changed = grants | build.changed(Transform.YEAR, "dateOfBirth") | build.changed(Transform.INITIALS, "familyName")
    born = {**_STUDENT, "dateOfBirth": str, "familyName": str}
    page = students(1000)
    fifth = students(1000, 0.2)
    group_people = page[0]
    groups = [build.group_json(n, group_people[n % 33 * 30 : n % 33 * 30 + 30]) for n in range(100)]
    group_fields = {
        **dict.fromkeys(("groupId", "groupName", "groupType", "schoolPeriod", "beginDate"), str),
        "students": list[Reference],
        "assignments": list[str],
    }
    enrolments = [build.enrollment_json(n, one) for n, one in enumerate(page[0])]
    enrolment_fields = {
        **dict.fromkeys(("enrollmentId", "enrollmentType", "study", "subject", "schoolPeriod", "beginDate"), str),
        "studyYear": int,
        "student": Reference,
    }
    student, fields = build.student(), _STUDENT
    return [
        case("page of 1,000", student, grants, fields, *page),
        case("page of 1,000, 20 % withheld", student, grants, fields, *fifth),
        case("page of 1,000, year and initials", student, changed, born, *page),
        case("class of 30", student, grants, fields, *students(30)),
        case("one student", student, grants, fields, *students(1)),
        case("100 groups of 30", build.group(), build.group_grants(), group_fields, page[0], groups),
        case("1,000 enrolments", build.enrollment(), build.enrollment_grants(), enrolment_fields, page[0], enrolments),
    ]


def measure(one: Case, rounds: int) -> tuple[float, float, float]:
    """Fastest seconds of the bare way, of minimise, and of minimise with what the register asks."""
    warm = Emission(one.sight)
    released = one.minimiser.minimise(one.body, warm, many=one.many)
    warm.confirm()
    encode = msgspec.json.Encoder().encode
    same = _released_types(released.body)
    ways: list[Callable[[], object]] = [
        lambda: (one.decode(one.body), encode(same)),
        lambda: one.minimiser.minimise(one.body, Emission(one.sight), many=one.many),
        lambda: _reported(one),
    ]
    repeat = max(1, 50_000 // len(one.body))
    times = [[_timed(way, repeat) for way in ways] for _ in range(rounds)]
    bare_time, minimised, reported = map(min, zip(*times, strict=True))
    return bare_time, minimised, reported


def _released_types(body: bytes) -> Any:
    """What leaves, as objects of the types a person would write: the other half of the bare way."""
    found = msgspec.json.decode(body)
    names = {name: Any for record in found for name in record}
    slots = {"userIds": list[Id], "students": list[Reference], "student": Reference}
    return bare({name: slots.get(name, kind) for name, kind in names.items()})(body)


def _reported(one: Case) -> object:
    emission = Emission(one.sight)
    one.minimiser.minimise(one.body, emission, many=one.many)
    return emission.released, emission.withheld, emission.issued


def _timed(work: Callable[[], object], repeat: int) -> float:
    start = perf_counter()
    for _ in range(repeat):
        work()
    return (perf_counter() - start) / repeat


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    gc.freeze()  # the prepared cases are not what is measured
    print(f"{'':36}{'bytes':>10}{'bare µs':>10}{'ours µs':>10}{'ratio':>8}{'reported':>10}")
    for one in cases():
        bare_time, ours, reported = measure(one, rounds)
        print(
            f"{one.name:36}{len(one.body):>10,}{bare_time * 1e6:>10.1f}{ours * 1e6:>10.1f}"
            f"{ours / bare_time:>8.2f}{reported / bare_time:>10.2f}"
        )


if __name__ == "__main__":
    main()
