"""Which question to the source lists all records of a kind at one location, for who reads them all (`export`), and by
which of its ids a source knows a location.

Pure. Leaves out: reading it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from urllib.parse import urlencode

from gateway.core.days import school_year
from gateway.core.policy.schema import Paging, Parameter, Record, Route, Schema
from gateway.core.reasons import Reason
from gateway.formats.xml import sections
from gateway.transfer.request import Stop

Message = tuple[tuple[Parameter, str], ...]

KINDS = ("V_ID", "AS_ID", "DD_ID", "BP_ID", "OIE_CODE")  # of organisation ids, the most particular first


def list_route(schema: Schema, record: str) -> Route | None:
    """The route that lists these records of one location; of all, where they come in pages and name their own."""
    if schema.paging is not None:
        lists = (one for one in schema.routes if (one.method, one.record, one.many) == ("GET", record, True))
        return next((one for one in lists if lists_all(one, schema)), None)
    if schema.format == "xml":
        return next((one for one in schema.routes if _tells_all(one, schema, record)), None)
    for route in schema.routes:
        meanings = {one.meaning for one in route.parameters}
        lists_some = route.many and route.method == "GET" and route.write is None and route.named is None
        others = [one for one in route.parameters if one.meaning in ("plain", "thing")]
        whole = lists_some and not any(one.required or one.place == "path" for one in others)
        if route.record == record and whole and {"organisation-id", "organisation-id-type"} <= meanings:
            return route
    return None


def lists_all(route: Route, schema: Schema) -> bool:
    """Of a format with pages: the list is called as what is in it, as others list some of them (`/students` among
    `/users`); where none is, its path names nothing but a location."""
    called = f"/{schema.records[route.record].envelope}"
    return route.path == called or (located(route) and all(one.path != called for one in schema.routes))


def lists_persons(record: Record) -> bool:
    """Whether each of these records is a person."""
    return any(not one.at for one in record.subjects)


def located(route: Route) -> bool:
    """Whether the path of a list names a location, and nothing else."""
    return [one.meaning for one in route.parameters if one.place == "path"] == ["organisation-place"]


def location_paths(schema: Schema, route: Route, ids: frozenset[tuple[str, str]]) -> list[dict[str, str]]:
    """What stands in such a path for a location that has these ids: of each, as none of them lists whom another has."""
    (name,) = (one.name for one in route.parameters if one.place == "path")
    values = sorted(value for kind, value in ids if kind == schema.location_type)
    if not values:
        raise Stop(Reason.LOCATION_OUT_OF_SCOPE, "locations")
    return [{name: value} for value in values]


def _tells_all(route: Route, schema: Schema, record: str) -> bool:
    """An operation that answers with the whole document, which can be read item by item."""
    known, soap = schema.records[record], route.soap
    others = [one for one in route.parameters if one.required and not one.export and one.meaning not in _NAMED]
    whole = soap is not None and soap.element == (known.element or record) and bool(sections(known))
    return route.record == record and whole and route.write is None and not others and "thing" not in _meant(route)


def _meant(route: Route) -> set[str]:
    return {one.meaning for one in route.parameters}


_NAMED = ("organisation-brin", "organisation-part", "organisation-key")


def question(schema: Schema, route: Route, ids: frozenset[tuple[str, str]], today: date) -> Message:
    """What a request of SOAP says for one location."""
    assert route.soap is not None, "list_route says so"
    known = dict(sorted(ids))  # of several codes the one that the roster is asked by
    code, key = known.get(route.soap.location), known.get(route.soap.schoolkey)
    named = {"organisation-brin": code[:4], "organisation-part": code[4:]} if code else {"organisation-key": key}
    if not code and not key:
        raise Stop(Reason.LOCATION_OUT_OF_SCOPE, "locations")
    filled = {"school-year": school_year(today), "version": schema.version}
    said = [(one, filled[one.export] if one.export else named.get(one.meaning)) for one in route.parameters]
    return tuple((one, text) for one, text in said if text)


def next_page(paging: Paging, query: str, at: int) -> str:
    """The query of the page that begins there."""
    page = urlencode([(paging.limit, paging.most), (paging.offset, at), *paging.stable])
    return f"{query}&{page}" if query else page


def organisation_query(route: Route, ids: frozenset[tuple[str, str]]) -> bytes:
    """One location, named as particularly as this route can."""
    names = {one.meaning: one for one in route.parameters}
    fit = [pair for pair in ids if _fits((route,), pair[0])]
    if not fit:
        raise Stop(Reason.LOCATION_OUT_OF_SCOPE, "locations")
    kind, value = min(fit, key=lambda pair: (KINDS.index(pair[0]) if pair[0] in KINDS else len(KINDS), pair))
    query = {names["organisation-id"].name: value, names["organisation-id-type"].name: kind}
    return urlencode(query).encode("ascii")


def named_as(schema: Schema, ids: frozenset[tuple[str, str]]) -> list[tuple[str, str]]:
    """The ids of a location that a source of this schema knows; those of other kinds are for other formats."""
    return sorted(pair for pair in ids if _fits(schema.routes, pair[0]))


def _fits(routes: Iterable[Route], kind: str) -> bool:
    types = [one.values for route in routes for one in route.parameters if one.meaning == "organisation-id-type"]
    return not types or any(not values or kind in values for values in types)
