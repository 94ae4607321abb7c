"""Which question to the source lists all records of a kind at one location, for who reads them all (`export`).

Pure. Leaves out: paging within a list.
"""

from __future__ import annotations

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
    kinds = names["organisation-id-type"].values
    fit = [pair for pair in ids if not kinds or pair[0] in kinds]
    if not fit:
        raise Stop(Reason.LOCATION_OUT_OF_SCOPE, "locations")
    kind, value = min(fit, key=lambda pair: (_KINDS.index(pair[0]) if pair[0] in _KINDS else len(_KINDS), pair))
    query = {names["organisation-id"].name: value, names["organisation-id-type"].name: kind}
    return urlencode(query).encode("ascii")
