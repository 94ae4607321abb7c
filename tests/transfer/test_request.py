"""transfer.request: paths and queries are read strictly, and never echoed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.model import Finding
from gateway.core.policy.schema import Branch, Parameter, Record, Route, Schema, Soap
from gateway.core.policy.terms import Location, Organisation
from gateway.core.reasons import Reason
from gateway.transfer.request import Asked, Match, Router, Stop, ask, upstream_path, upstream_query

ORGANISATION = Organisation(
    frozenset({"104A158"}),
    {
        "noord": Location("noord", "Noord", frozenset({("V_ID", "01AB00"), ("DD_ID", "D1")})),
        "zuid": Location("zuid", "Zuid", frozenset({("V_ID", "01AB01")})),
    },
)
ORGANISATION_PARAMETERS = (
    Parameter("orgMasterId", "query", "organisation-master"),
    Parameter("orgId", "query", "organisation-id"),
    Parameter("orgIdType", "query", "organisation-id-type", values=("V_ID", "DD_ID")),
    Parameter("filterByOrgId", "query", "organisation-filter", type="boolean"),
)
STUDENTS = Route(
    "GET",
    "/students/school",
    "Student",
    many=True,
    parameters=(
        *ORGANISATION_PARAMETERS,
        Parameter("schoolPeriodId", "query", "plain"),
        Parameter("subjectOfferingId", "query", "thing", maps="subject-offering"),
    ),
)
GROUP = Route(
    "GET", "/groups/school/{id}", "Group", many=False, parameters=(Parameter("id", "path", "thing", maps="group"),)
)
SCHOOL_GROUP = Route("GET", "/groups/school/all", "Group", many=True)
SEARCH = Route("POST", "/students", "Student", many=True)
SCHEMA = Schema(
    name="edu-v",
    title="Edu-V",
    version="1",
    format="json",
    base_path="/v1",
    direction="pull",
    errors="edu-v",
    routes=(GROUP, STUDENTS, SCHOOL_GROUP, SEARCH),
    records={"Student": Record("Student", Branch({})), "Group": Record("Group", Branch({}))},
)
ROUTER = Router({"lvs": [SCHEMA]})
BY_LOCATION = b"orgId=01AB00&orgIdType=V_ID"


def matched(path: str = "/lvs/v1/students/school") -> Match:
    return ROUTER.match(path.encode(), "GET")


def refused(path: str, method: str = "GET") -> Reason:
    with pytest.raises(Stop) as stop:
        ROUTER.match(path.encode(), method)
    return stop.value.reason


def unaskable(query: bytes) -> Stop:
    with pytest.raises(Stop) as stop:
        ask(matched(), query, ORGANISATION)
    return stop.value


def test_router_exact_path_is_found() -> None:
    assert matched().route is STUDENTS


def test_router_template_holds_the_decoded_segment() -> None:
    assert matched("/lvs/v1/groups/school/a%2Fb%20c").values == {"id": "a/b c"}


def test_router_exact_segment_wins_from_template() -> None:
    assert matched("/lvs/v1/groups/school/all").route is SCHOOL_GROUP


@pytest.mark.parametrize(
    "path",
    [
        "/other/v1/students/school",
        "/lvs/students/school",
        "/lvs/v1/students/school/",
        "/lvs/v1//students/school",
        "/lvs/v1/students/../students/school",
        "/lvs/v1/students%2Fschool",
        "/lvs/v1/groups/school/",
        "/lvs/v1/groups/school/%ff",
        "/lvs/v1/groups/school/.",
        "/lvs/v1/groups/school/..",
        "/lvs/v1/groups/school/%2e%2E",
        "/lvs/v1/Students/school",
        "lvs/v1/students/school",
        "/",
        "",
    ],
)
def test_router_any_other_path_is_unknown(path: str) -> None:
    assert refused(path) is Reason.ROUTE_UNKNOWN


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT", "get"])
def test_router_other_method_of_a_path_is_not_allowed(method: str) -> None:
    assert refused("/lvs/v1/students/school", method) is Reason.METHOD_NOT_ALLOWED


def test_router_says_a_method_once_of_a_path_with_several_operations() -> None:
    operations = tuple(
        replace(STUDENTS, method="POST", path="/uwlr", soap=Soap(name, name, name)) for name in ("Haal", "Breng")
    )
    router = Router({"lvs": [replace(SCHEMA, routes=operations)]})

    with pytest.raises(Stop) as stopped:
        router.match(b"/lvs/v1/uwlr", "GET")

    assert [one.about for one in stopped.value.findings] == ["POST"]


def test_ask_one_location_forces_the_filter() -> None:
    asked = ask(matched(), BY_LOCATION, ORGANISATION)

    assert asked.locations == frozenset({"noord"})
    assert upstream_query(asked, {}) == "orgId=01AB00&orgIdType=V_ID&filterByOrgId=true"


def test_ask_filter_false_goes_up_as_true() -> None:
    asked = ask(matched(), BY_LOCATION + b"&filterByOrgId=false", ORGANISATION)

    assert ("filterByOrgId", "true") in asked.organisation


def test_ask_master_covers_every_location() -> None:
    asked = ask(matched(), b"orgMasterId=104A158", ORGANISATION)

    assert asked.locations == frozenset({"noord", "zuid"})
    assert asked.organisation == (("orgMasterId", "104A158"),)


def test_ask_unknown_organisation_covers_no_location() -> None:
    assert ask(matched(), b"orgId=99ZZ00&orgIdType=V_ID", ORGANISATION).locations == frozenset()


def test_ask_id_of_another_type_covers_no_location() -> None:
    assert ask(matched(), b"orgId=01AB00&orgIdType=DD_ID", ORGANISATION).locations == frozenset()


@pytest.mark.parametrize("query", [b"", b"schoolPeriodId=2026-2027", b"orgId=01AB00", b"orgIdType=V_ID"])
def test_ask_without_organisation_is_refused_naming_the_parameters(query: bytes) -> None:
    stop = unaskable(query)

    assert stop.reason is Reason.PARAMETER_MISSING
    assert stop.about == "orgId with orgIdType"


def test_ask_both_organisations_is_refused() -> None:
    assert unaskable(BY_LOCATION + b"&orgMasterId=104A158").reason is Reason.PARAMETER_INVALID


def test_ask_undeclared_parameter_is_refused_without_its_name() -> None:
    """R74."""
    stop = unaskable(BY_LOCATION + b"&jansen=1")

    assert stop.reason is Reason.PARAMETER_UNKNOWN
    assert "jansen" not in stop.about


def test_ask_path_parameter_in_the_query_is_unknown() -> None:
    with pytest.raises(Stop) as stop:
        ask(matched("/lvs/v1/groups/school/1"), b"id=2", ORGANISATION)

    assert stop.value.reason is Reason.PARAMETER_UNKNOWN


@pytest.mark.parametrize(
    "query",
    [
        BY_LOCATION + b"&orgId=01AB01",
        BY_LOCATION + b"&filterByOrgId=yes",
        b"orgId=01AB00&orgIdType=OTHER",
        BY_LOCATION + b"&schoolPeriodId=",
        BY_LOCATION + b"&schoolPeriodId=" + b"1" * 600,
        BY_LOCATION + b"&schoolPeriodId=a%00b",
        BY_LOCATION + b"&schoolPeriodId=%ff",
        BY_LOCATION + b"&schoolPeriodId",
        BY_LOCATION + "&schoolPeriodId=é".encode(),
        BY_LOCATION + b"&a=1" * 40,
    ],
)
def test_ask_value_that_does_not_fit_is_refused(query: bytes) -> None:
    assert unaskable(query).reason in (Reason.PARAMETER_INVALID, Reason.PARAMETER_UNKNOWN)


def test_ask_mapped_id_is_replaced_upstream() -> None:
    asked = ask(matched(), BY_LOCATION + b"&subjectOfferingId=mapped&schoolPeriodId=2026-2027", ORGANISATION)

    assert [(parameter.name, value) for parameter, value in asked.things] == [("subjectOfferingId", "mapped")]
    assert upstream_query(asked, {"subjectOfferingId": "own id"}).endswith(
        "&schoolPeriodId=2026-2027&subjectOfferingId=own+id"
    )


def test_ask_path_id_is_replaced_and_encoded_upstream() -> None:
    match = matched("/lvs/v1/groups/school/mapped")
    asked = ask(match, b"", ORGANISATION)

    assert asked.things[0][1] == "mapped"
    assert upstream_path(match, {"id": "2/a?b"}) == "/v1/groups/school/2%2Fa%3Fb"
    assert upstream_query(asked, {"id": "2/a?b"}) == ""


def test_ask_route_without_organisation_names_no_location() -> None:
    assert ask(matched("/lvs/v1/groups/school/all"), b"", ORGANISATION) == Asked(None, ())


def test_stop_of_many_findings_answers_the_first_in_the_gate_order() -> None:
    stop = Stop.at((Finding(Reason.NO_GRONDSLAG), Finding(Reason.AGREEMENT_EXPIRED)))

    assert stop.reason is Reason.AGREEMENT_EXPIRED


def test_ask_same_query_again_is_read_once() -> None:
    match = matched()

    assert ask(match, BY_LOCATION, ORGANISATION) is ask(match, BY_LOCATION, ORGANISATION)


def test_ask_ever_new_queries_are_not_all_remembered() -> None:
    match = matched()
    for number in range(2_500):
        ask(match, BY_LOCATION + b"&schoolPeriodId=%d" % number, ORGANISATION)

    assert len(match.asked) <= 2_000


def test_router_path_with_an_id_is_not_remembered() -> None:
    assert matched() is matched()
    assert matched("/lvs/v1/groups/school/1") is not matched("/lvs/v1/groups/school/1")


def test_router_path_that_is_written_otherwise_is_found_and_not_remembered() -> None:
    assert matched("/lvs/v1/students/s%63hool").route is matched().route
    assert matched("/lvs/v1/students/s%63hool") is not matched("/lvs/v1/students/s%63hool")


def test_ask_long_query_is_not_remembered() -> None:
    match, long = matched(), BY_LOCATION + b"&schoolPeriodId=" + b"x" * 500
    ask(match, long, ORGANISATION)

    assert long not in match.asked
