"""A set of OneRoster files: a class of which nobody leaves stays behind, and so does what only such a class names
(R7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from gateway.core.model import Subject, Transform
from gateway.core.policy.terms import Grant
from gateway.core.reasons import Reason
from tests import builders_formats as build
from tests import builders_oneroster as one

DAYS = {"startDate": "2026-08-01", "endDate": "2027-07-31"}


def granted(**more: Mapping[str, Grant]) -> dict[str, dict[str, Grant]]:
    base = one.grants()
    found: dict[str, dict[str, Grant]] = {
        "academicSessions": build.keep("sourcedId", "title", "type", "startDate", "endDate", "parentSourcedId"),
        "orgs": {**base["orgs"], **build.keep("parentSourcedId")},
        "courses": build.keep("sourcedId", "title", "orgSourcedId"),
        "classes": {**base["classes"], **build.keep("courseSourcedId", "termSourcedIds")},
        "users": base["users"],
        "enrollments": base["enrollments"],
    }
    return {**found, **{name: {**found.get(name, {}), **paths} for name, paths in more.items()}}


def rows(**changed: one.Rows) -> dict[str, one.Rows]:
    """Class c1 of school o1, of board b; class c2, of which nobody is, of school o2. In the schema's order."""
    found: dict[str, one.Rows] = {
        "academicSessions": [
            {"sourcedId": name, "title": name, "type": "term", "parentSourcedId": above, **DAYS}
            for name, above in (("year", ""), ("t1", "year"), ("t2", ""))
        ],
        "orgs": [
            {"sourcedId": name, "name": name, "type": "school", "parentSourcedId": above}
            for name, above in (("b", ""), ("o1", "b"), ("o2", "b2"), ("b2", "o2"))
        ],
        "courses": [{"sourcedId": f"k{n}", "title": f"vak {n}", "orgSourcedId": f"o{n}"} for n in (1, 2)],
        "classes": [
            {
                "sourcedId": f"c{n}",
                "title": f"1v{n}",
                "courseSourcedId": f"k{n}",
                "schoolSourcedId": f"o{n}",
                "termSourcedIds": f"t{n}",
            }
            for n in (1, 2)
        ],
        "users": [one.user(n) for n in (1, 2)],
        "enrollments": [one.enrolment(1, 1)],
    }
    return {**found, **changed}


def line_item(name: str, group: str, period: str) -> dict[str, str]:
    return {"sourcedId": name, "title": name, "classSourcedId": group, "gradingPeriodSourcedId": period}


def left(
    tables: Mapping[str, one.Rows],
    grants: Mapping[str, Mapping[str, Grant]] | None = None,
    people: Sequence[Subject] = one.PUPILS,
    modes: Mapping[str, str] | None = None,
) -> dict[str, set[str]]:
    """Of each file, the names in it."""
    found = one.bench(grants or granted(), people).left(one.zipped(tables, modes))
    return {name: {row.get("title") or row.get("name") or "" for row in rows} for name, rows in found.items()}


def test_class_of_which_nobody_leaves_stays_behind_with_what_only_it_names() -> None:
    found = left(rows())

    assert found["classes"] == {"1v1"}
    assert found["courses"] == {"vak 1"}


def test_organisations_and_periods_that_nobody_names_stay_behind_and_parents_do_not() -> None:
    found = left(rows())

    assert found["orgs"] == {"o1", "b"}
    assert found["academicSessions"] == {"t1", "year"}


def test_class_of_who_is_withheld_alone_stays_behind() -> None:
    tables = rows(enrollments=[one.enrolment(1, 1), one.enrolment(2, 2, 2)])

    assert left(tables)["classes"] == {"1v1", "1v2"}
    assert left(tables, people=one.PUPILS[:1])["classes"] == {"1v1"}


def test_organisation_that_a_user_names_leaves() -> None:
    users = [{**one.user(1), "orgSourcedIds": "o1,o2"}]

    assert left(rows(users=users))["orgs"] == {"o1", "b"}
    named = left(rows(users=users), granted(users=build.keep("orgSourcedIds")))
    assert named["orgs"] == {"o1", "b", "o2", "b2"}
    assert named["classes"] == {"1v1"}


def test_period_that_only_a_test_of_a_class_names_leaves_with_it() -> None:
    items = build.keep("sourcedId", "title", "classSourcedId", "gradingPeriodSourcedId")
    tables = rows(lineItems=[line_item("so", "c1", "t2"), line_item("po", "c2", "t2")])

    found = left(tables, granted(lineItems=items))

    assert found["lineItems"] == {"so"}
    assert found["academicSessions"] == {"t1", "year", "t2"}


@pytest.mark.parametrize("mode", ["bulk", "delta"])
def test_test_of_a_class_that_stays_behind_does_not_hold_it(mode: str) -> None:
    items = build.keep("sourcedId", "title", "classSourcedId")
    tables = rows(lineItems=[line_item("po", "c2", "t2")])

    found = left(tables, granted(lineItems=items), modes=dict.fromkeys(("classes", "lineItems"), mode))

    assert "lineItems" not in found
    assert found["classes"] == {"1v1"}


def test_class_of_the_test_of_a_result_leaves() -> None:
    grants = granted(
        lineItems=build.keep("sourcedId", "title", "classSourcedId"),
        results={
            **build.keep("sourcedId", "lineItemSourcedId", "scoreStatus"),
            **build.changed(Transform.PSEUDONYM, "studentSourcedId.#text"),
        },
    )
    result = {"sourcedId": "r1", "lineItemSourcedId": "po", "studentSourcedId": "00121", "scoreStatus": "submitted"}
    tables = rows(lineItems=[line_item("po", "c2", "t2")], results=[result])

    found = left(tables, grants, modes={"results": "bulk"})

    assert found["classes"] == {"1v1", "1v2"}
    assert len(found["results"]) == 1


def test_what_is_at_hand_for_a_course_does_not_hold_it() -> None:
    grants = granted(
        resources=build.keep("sourcedId", "vendorResourceId", "title"),
        courseResources=build.keep("sourcedId", "title", "courseSourcedId", "resourceSourcedId"),
    )
    held = [{"sourcedId": "h", "title": "h", "courseSourcedId": "k2", "resourceSourcedId": "m"}]
    tables = rows(resources=[{"sourcedId": "m", "vendorResourceId": "v", "title": "boek"}], courseResources=held)

    found = left(tables, grants)

    assert found["courses"] == {"vak 1"}
    assert "courseResources" not in found


# -- with their teachers ---------------------------------------------------------------------------------------------


def taught() -> dict[str, one.Rows]:
    """A teacher of both classes, of which c1 has a pupil."""
    users = [one.user(1), {**one.user(7), "role": "teacher"}]
    rows_of = [{**one.enrolment(n, 7, n - 1), "role": "teacher"} for n in (2, 3)]
    return rows(users=users, enrollments=[one.enrolment(1, 1), *rows_of])


@pytest.mark.parametrize("mode", ["bulk", "delta"])
def test_class_is_not_in_a_delivery_of_pupils_because_its_teacher_is(mode: str) -> None:
    modes = dict.fromkeys(("classes", "enrollments"), mode)

    found = one.bench(granted()).left(one.zipped(taught(), modes))

    assert [row["title"] for row in found["classes"]] == ["1v1"]
    assert len(found["users"]) == 2
    assert len(found["enrollments"]) == 2
    assert {row["classSourcedId"] for row in found["enrollments"]} == {row["sourcedId"] for row in found["classes"]}


@pytest.mark.parametrize("size", [1, 2, 5])
def test_set_with_teachers_in_pieces_is_the_set_in_one(size: int) -> None:
    body = one.zipped(taught())

    assert one.bench(granted()).left_in_pieces(body, size) == one.bench(granted()).left(body)


def test_rows_of_teachers_are_counted_once() -> None:
    bench = one.bench(granted())

    found = bench.run(one.zipped(taught())).files["enrollments"]

    assert (found.seen, found.records) == (3, 2)
    assert dict(bench.emission.withheld) == {one.TEACHER: (Reason.NOT_AVAILABLE,)}


# -- what is at hand for others ------------------------------------------------------------------------------------


def things() -> tuple[dict[str, dict[str, Grant]], dict[str, one.Rows]]:
    """A test of class c1, and one of class c2 where nobody is; each with a kind, a scale and a book of its own."""
    named = build.keep("sourcedId", "title")
    grants = granted(
        categories=named,
        lineItems={**named, **build.keep("classSourcedId", "categorySourcedId")},
        scoreScales={**named, **build.keep("classSourcedId")},
        lineItemScoreScales=build.keep("sourcedId", "lineItemSourcedId", "scoreScaleSourcedId"),
        resources={**named, **build.keep("vendorResourceId")},
        classResources=build.keep("sourcedId", "classSourcedId", "resourceSourcedId"),
    )
    tables = rows(
        categories=[{"sourcedId": f"k{n}", "title": f"soort {n}"} for n in (1, 2, 3)],
        lineItems=[{**line_item(f"i{n}", f"c{n}", ""), "categorySourcedId": f"k{n}"} for n in (1, 2)],
        scoreScales=[{"sourcedId": f"s{n}", "title": f"schaal {n}", "classSourcedId": f"c{n}"} for n in (1, 2)],
        lineItemScoreScales=[
            {"sourcedId": f"l{n}", "lineItemSourcedId": f"i{n}", "scoreScaleSourcedId": f"s{n}"} for n in (1, 2)
        ],
        resources=[{"sourcedId": f"b{n}", "vendorResourceId": "v", "title": f"boek {n}"} for n in (1, 2)],
        classResources=[
            {"sourcedId": f"r{n}", "classSourcedId": f"c{n}", "resourceSourcedId": f"b{n}"} for n in (1, 2)
        ],
    )
    return grants, tables


def test_what_is_at_hand_for_nobody_who_leaves_stays_behind() -> None:
    grants, tables = things()

    found = left(tables, grants)

    assert (found["lineItems"], found["categories"]) == ({"i1"}, {"soort 1"})
    assert (found["scoreScales"], found["resources"]) == ({"schaal 1"}, {"boek 1"})


def test_what_is_at_hand_leaves_where_changes_do_not_say_who_uses_it() -> None:
    grants, tables = things()

    found = left(tables, grants, modes={"lineItems": "delta"})

    assert found["categories"] == {"soort 1", "soort 2", "soort 3"}
    assert found["scoreScales"] == {"schaal 1"}


def test_what_is_at_hand_leaves_where_no_file_that_leaves_says_who_uses_it() -> None:
    grants, tables = things()

    found = left(tables, {name: paths for name, paths in grants.items() if name != "classResources"})

    assert found["resources"] == {"boek 1", "boek 2"}


def test_book_of_a_pupil_leaves() -> None:
    grants, tables = things()
    mine = {**build.keep("sourcedId", "resourceSourcedId"), **build.changed(Transform.PSEUDONYM, "userSourcedId.#text")}
    told = [{"sourcedId": "u", "userSourcedId": "00121", "resourceSourcedId": "b2"}]

    found = left({**tables, "userResources": told}, {**grants, "userResources": mine})

    assert found["resources"] == {"boek 1", "boek 2"}


@pytest.mark.parametrize("name", ["academicSessions", "orgs", "courses", "classes", "categories", "resources"])
def test_rows_of_nobody_stand_in_another_order_than_the_sources(name: str) -> None:
    """House rule 7."""
    grants, tables = things()
    turned = {one: found[::-1] for one, found in tables.items()}
    both = [one.bench(grants, one.PUPILS).left(one.zipped(each)) for each in (tables, turned)]

    assert both[0][name] == both[1][name]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_set_in_pieces_keeps_back_what_a_whole_one_does(size: int) -> None:
    grants, tables = things()
    body = one.zipped({**tables, "enrollments": [one.enrolment(1, 2), one.enrolment(2, 9, 2)]})

    assert one.bench(grants, one.PUPILS).left_in_pieces(body, size) == one.bench(grants, one.PUPILS).left(body)


# -- where the set does not say who is in a class ----------------------------------------------------------------


def in_groups(*groups: str) -> list[Subject]:
    return [replace(one.PUPILS[0], groups=frozenset(groups)), one.PUPILS[1]]


def without(name: str, found: Mapping[str, one.Rows]) -> dict[str, one.Rows]:
    return {one: rows for one, rows in found.items() if one != name}


def test_set_without_enrolments_holds_the_classes_of_the_roster() -> None:
    tables = without("enrollments", rows())

    assert left(tables, people=in_groups("c2"))["classes"] == {"1v2"}
    assert "classes" not in left(tables)


def test_delivery_without_enrolments_holds_the_classes_of_the_roster() -> None:
    grants = {name: paths for name, paths in granted().items() if name != "enrollments"}

    assert left(rows(), grants, in_groups("c2"))["classes"] == {"1v2"}
    assert "classes" not in left(rows(), grants)


def test_class_in_changes_leaves_where_the_changes_or_the_roster_know_somebody_in_it() -> None:
    modes = dict.fromkeys(("classes", "enrollments", "users"), "delta")

    assert left(rows(), people=in_groups("c2"), modes=modes)["classes"] == {"1v1", "1v2"}
    assert left(rows(), modes=modes)["classes"] == {"1v1"}


def test_roster_is_not_asked_where_the_set_says_who_is_in_a_class() -> None:
    assert left(rows(), people=in_groups("c2"))["classes"] == {"1v1"}
