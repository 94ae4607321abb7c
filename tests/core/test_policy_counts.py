"""Rules about a delivery of counts (R45): one change on a good one, and exactly what is found wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.model import Transform
from gateway.core.policy.rules import problems
from gateway.core.policy.terms import (
    Aggregate,
    Grant,
    Recipient,
)
from tests.builders_policy import (
    A_RECORD,
    DELIVERY,
    ORGANISATION,
    SCHEMA,
    SCHEMAS,
    TODAY,
    grant,
    recipient,
)

# -- counts (R45) -------------------------------------------------------------------------------------


def counts(*fields: Grant, record: str = "Pupil", **terms: Any) -> Recipient:
    """A delivery of counts by these fields."""
    more: dict[str, Any] = {"grants": {record: {one.path: one for one in fields}}}
    more["aggregate"] = Aggregate(tuple(one.path for one in fields), 5)
    return recipient(replace(DELIVERY, **(more | terms)))


def where(one: Recipient) -> set[tuple[str | int, ...]]:
    return {problem.where for problem in problems(one, COUNTABLE, ORGANISATION, TODAY) if problem.rule == "R45"}


COUNTABLE = {"pupils": replace(SCHEMA, records={"Pupil": replace(A_RECORD, subjects=A_RECORD.subjects[:1])})}


def test_counts_by_what_names_nobody_are_accepted() -> None:
    one = counts(grant("sex"), grant("born", Transform.YEAR), grant("school.name"))

    assert problems(one, COUNTABLE, ORGANISATION, TODAY) == []


@pytest.mark.parametrize("path", ["ids.value", "master", "group", "direct", "contact", "free-text", "third-person"])
def test_counts_by_what_names_somebody_are_refused(path: str) -> None:
    transform = Transform.PSEUDONYM if path == "ids.value" else Transform.KEEP

    assert ("deliveries", "oefenen", "schemas", "pupils", "Pupil", path) in where(counts(grant(path, transform)))


@pytest.mark.parametrize(
    "aggregate",
    [Aggregate((), 5), Aggregate(("sex", "sex"), 5), Aggregate(("sex", "year"), 5), Aggregate(("count",), 5)],
)
def test_counts_by_other_fields_than_granted_are_refused(aggregate: Aggregate) -> None:
    assert ("deliveries", "oefenen", "aggregate", "by") in where(counts(grant("sex"), aggregate=aggregate))


def test_granted_field_that_is_not_counted_by_is_refused() -> None:
    one = counts(grant("sex"), grant("year"), aggregate=Aggregate(("sex",), 5))

    assert where(one) == {("deliveries", "oefenen", "schemas", "pupils", "Pupil", "year")}


def test_list_is_nothing_to_count_by() -> None:
    assert where(counts(grant("tags"))) == {("deliveries", "oefenen", "schemas", "pupils", "Pupil", "tags")}


def test_cells_of_fewer_than_five_are_refused() -> None:
    one = counts(grant("sex"), aggregate=Aggregate(("sex",), 4))

    assert where(one) == {("deliveries", "oefenen", "aggregate", "minimum")}


def test_counts_of_two_locations_are_refused() -> None:
    one = counts(grant("sex"), locations=frozenset({"noord", "zuid"}))

    assert where(one) == {("deliveries", "oefenen", "locations")}


def test_counts_of_records_about_two_persons_are_refused() -> None:
    found = {problem.where for problem in problems(counts(grant("sex")), SCHEMAS, ORGANISATION, TODAY)}

    assert found == {("deliveries", "oefenen", "schemas", "pupils", "Pupil")}


def test_same_pupils_counted_in_two_ways_are_refused() -> None:
    first = counts(grant("sex"))
    again = replace(counts(grant("year")).deliveries[0], purpose="tellen")

    assert where(replace(first, deliveries=(*first.deliveries, again))) == {("deliveries", "tellen", "aggregate")}
