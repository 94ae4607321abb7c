"""Counts instead of records (R45): who is counted, which cells leave, what the register hears."""

from __future__ import annotations

import json
from typing import Any

from gateway.core.model import PseudonymMethod, Subject, Transform
from gateway.core.policy.schema import Record
from gateway.core.policy.terms import Aggregate, Grant
from gateway.core.reasons import Reason
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.formats.json import JsonMinimiser
from tests import builders_formats as build

BY = build.keep("gender") | build.changed(Transform.YEAR, "dateOfBirth")


def counts(
    records: list[dict[str, Any]],
    people: list[Subject],
    *,
    record: Record | None = None,
    grants: dict[str, Grant] | None = None,
    years: frozenset[int] | None = None,
) -> tuple[Any, Emission]:
    granted = BY if grants is None else grants
    kind = record or build.student()
    projection = compile_projection(kind, granted, PseudonymMethod.HMAC, whole=False)
    emission = Emission(build.sight(build.delivery({kind.name: granted}, years=years), people))
    minimiser = JsonMinimiser(projection, Aggregate(tuple(granted), 5))
    found = minimiser.minimise(json.dumps(records).encode(), emission, many=True)
    return json.loads(found.body), emission


def pupils(**cells: int) -> tuple[list[dict[str, Any]], list[Subject]]:
    """So many pupils of each gender, born in 2012."""
    people = [build.pupil(number) for number in range(1, sum(cells.values()) + 1)]
    genders = [gender for gender, count in cells.items() for _ in range(count)]
    return [build.student_json(one, gender=gender) for one, gender in zip(people, genders, strict=True)], people


def test_list_leaves_as_counts_without_anybody_in_it() -> None:
    found, emission = counts(*pupils(female=6, male=7))

    assert found == [
        {"gender": "female", "dateOfBirth": "2012-01-01", "count": 6},
        {"gender": "male", "dateOfBirth": "2012-01-01", "count": 7},
    ]
    assert len(emission.released) == 13
    assert emission.issued == ()


def test_small_cell_stays_behind_with_another_that_would_give_it_away() -> None:
    found, emission = counts(*pupils(female=6, male=7, other=2))

    assert found == [{"gender": "male", "dateOfBirth": "2012-01-01", "count": 7}]
    assert len(emission.released) == 7
    assert [reasons for _, reasons in emission.withheld] == [(Reason.SMALL_CELL,)] * 8


def test_answer_with_small_cells_only_is_empty() -> None:
    assert counts(*pupils(female=2, male=3))[0] == []


def test_value_that_the_source_lacks_is_a_cell_of_its_own() -> None:
    records, people = pupils(female=10)
    for record in records[:5]:
        del record["gender"]

    assert [one["gender"] for one in counts(records, people)[0]] == ["female", None]


def test_withheld_pupil_is_not_counted() -> None:
    records, people = pupils(female=8)
    people[0] = build.pupil(1, year=2)

    found, emission = counts(records, people, years=frozenset({1}))

    assert found[0]["count"] == 7
    assert dict(emission.withheld) == {people[0]: (Reason.PUPIL_NOT_IN_SCOPE,)}


def test_pupil_counts_once_in_a_cell_however_many_records_say_it() -> None:
    people = [build.pupil(number) for number in range(1, 7)]
    records = [build.enrollment_json(number, one) for number, one in enumerate([*people, *people])]

    found, _ = counts(records, people, record=build.enrollment(), grants=build.keep("studyYear"))

    assert found == [{"studyYear": 1, "count": 6}]
