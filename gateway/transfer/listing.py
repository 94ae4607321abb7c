"""Which question to the source lists all records of a kind at one location, for who reads them all (`export`), and by
which of its ids a source knows a location.

Pure. Leaves out: paging within a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from gateway.core.policy.schema import Route, Schema
from gateway.core.reasons import Reason
from gateway.transfer.request import Stop

_KINDS = ("V_ID", "AS_ID", "DD_ID", "BP_ID", "OIE_CODE")  # of organisation ids, the most particular first


def list_route(schema: Schema, record: str) -> Route | None:
    """The route that lists these records of one location."""
    for route in schema.routes:
        meanings = {one.meaning for one in route.parameters}
        lists = route.many and route.method == "GET" and route.write is None and route.named is None
        others = [one for one in route.parameters if one.meaning in ("plain", "thing")]
        whole = lists and not any(one.required or one.place == "path" for one in others)
        if route.record == record and whole and {"organisation-id", "organisation-id-type"} <= meanings:
            return route
    return None


def organisation_query(route: Route, ids: frozenset[tuple[str, str]]) -> bytes:
    """One location, named as particularly as this route can."""
    names = {one.meaning: one for one in route.parameters}
    fit = [pair for pair in ids if _fits((route,), pair[0])]
    if not fit:
        raise Stop(Reason.LOCATION_OUT_OF_SCOPE, "locations")
    kind, value = min(fit, key=lambda pair: (_KINDS.index(pair[0]) if pair[0] in _KINDS else len(_KINDS), pair))
    query = {names["organisation-id"].name: value, names["organisation-id-type"].name: kind}
    return urlencode(query).encode("ascii")


def named_as(schema: Schema, ids: frozenset[tuple[str, str]]) -> list[tuple[str, str]]:
    """The ids of a location that a source of this schema knows; those of other kinds are for other formats."""
    return sorted(pair for pair in ids if _fits(schema.routes, pair[0]))


def _fits(routes: Iterable[Route], kind: str) -> bool:
    types = [one.values for route in routes for one in route.parameters if one.meaning == "organisation-id-type"]
    return not types or any(not values or kind in values for values in types)
