"""A set of files that leaves in pieces is the set that leaves in one, whatever stands in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.core.facts import CourtOrder, Facts, Restriction, RestrictionGround
from gateway.core.model import Category, Transform
from gateway.core.release.minimised import EnvelopeBroken
from tests import builders_formats as build
from tests import builders_oneroster as one
from tests.simulators.facts import SimulatedFacts

ANNE = replace(one.PUPILS[0], groups=frozenset({"c2"}))
PEOPLE = (ANNE, *one.PUPILS[1:], one.TEACHER)
RESTRICTED = Facts(restrictions=(Restriction(ground=RestrictionGround.ACCURACY),))
NOT_GROUPED = Facts(court_orders=(CourtOrder(categories=frozenset({Category.ORGANISATION})),))
GRANTS = {
    "academicSessions": build.keep("sourcedId", "title", "type", "startDate", "endDate", "parentSourcedId"),
    "orgs": build.keep("sourcedId", "name", "type", "parentSourcedId"),
    "courses": build.keep("sourcedId", "title", "orgSourcedId"),
    "classes": build.keep("sourcedId", "title", "schoolSourcedId", "courseSourcedId", "termSourcedIds"),
    "users": {**one.grants()["users"], **build.keep("orgSourcedIds")},
    "enrollments": one.grants()["enrollments"],
    "categories": build.keep("sourcedId", "title"),
    "lineItems": build.keep("sourcedId", "title", "classSourcedId", "categorySourcedId"),
    "results": {
        **build.keep("sourcedId", "lineItemSourcedId", "scoreStatus"),
        **build.changed(Transform.PSEUDONYM, "studentSourcedId.#text"),
    },
}


def some(of: str, numbers: int = 3) -> st.SearchStrategy[str]:
    """Ids of one file, of which the last stands nowhere, and none."""
    return st.sampled_from([*(f"{of}{number}" for number in range(1, numbers + 1)), ""])


def rows(*columns: str, **cells: st.SearchStrategy[str]) -> st.SearchStrategy[one.Rows]:
    named = dict.fromkeys(columns, st.just("x")) | cells
    return st.lists(st.fixed_dictionaries(named), min_size=1, max_size=4)


PERSON = st.sampled_from(["00121", "00122", "00127", "00129", ""])
ROLE = st.sampled_from(["student", "teacher", "?"])
DAY = st.sampled_from(["2026-08-01"] * 3 + ["x"])
TABLES = st.fixed_dictionaries(
    {
        "academicSessions": rows(
            "title", sourcedId=some("t"), type=st.just("term"), startDate=DAY, endDate=DAY, parentSourcedId=some("t")
        ),
        "orgs": rows("name", sourcedId=some("o"), type=st.just("school"), parentSourcedId=some("o")),
        "courses": rows("title", sourcedId=some("k"), orgSourcedId=some("o")),
        "classes": rows(
            sourcedId=some("c"), title=st.sampled_from(["1v", ""]), schoolSourcedId=some("o", 2),
            courseSourcedId=some("k", 2), termSourcedIds=some("t"),
        ),
        "users": rows("enabledUser", "givenName", "familyName", sourcedId=PERSON, orgSourcedIds=some("o")),
        "enrollments": rows(
            sourcedId=some("e"), classSourcedId=some("c", 2), schoolSourcedId=some("o", 2), userSourcedId=PERSON,
            role=ROLE,
        ),
        "categories": rows("title", sourcedId=some("a")),
        "lineItems": rows("title", sourcedId=some("i"), classSourcedId=some("c", 2), categorySourcedId=some("a", 2)),
        "results": rows(
            sourcedId=some("r"), lineItemSourcedId=some("i", 2), studentSourcedId=PERSON,
            scoreStatus=st.just("submitted"),
        ),
    }
)  # fmt: skip
DELTA = st.sets(st.sampled_from(sorted(GRANTS)), max_size=3)
FACTS = st.sampled_from([{}, {ANNE.id: RESTRICTED}, {ANNE.id: NOT_GROUPED}, {PEOPLE[1].id: RESTRICTED}])


@settings(max_examples=300, deadline=None)
@given(tables=TABLES, delta=DELTA, facts=FACTS, size=st.integers(1, 5))
def test_set_in_pieces_is_the_set_in_one(tables: Any, delta: set[str], facts: Any, size: int) -> None:
    body = one.zipped(tables, {**dict.fromkeys(delta, "delta"), "results": "delta" if "results" in delta else "bulk"})
    bench = one.bench(GRANTS, PEOPLE, facts=SimulatedFacts(facts))
    try:
        whole = bench.left(body)
    except EnvelopeBroken:
        whole = {}
    assume(whole)

    assert sorted_rows(bench.left_in_pieces(body, size)) == sorted_rows(whole)


def sorted_rows(tables: dict[str, one.Rows]) -> dict[str, list[tuple[tuple[str, str], ...]]]:
    """Rows with the same id stand in any order."""
    return {name: sorted(tuple(row.items()) for row in found) for name, found in tables.items()}
