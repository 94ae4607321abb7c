"""By which of the formats that a source speaks it tells who is where, and by which when its pupils were born.

Leaves out: what each of them asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from gateway.adapters.lvs.upstream import HttpUpstream
from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils import association, oneroster, somtoday, students, uwlr
from gateway.adapters.pupils.roster import Details, Dialect

ROSTERS: Mapping[str, Callable[[HttpUpstream, Limits], Dialect]] = {
    association.SCHEMA: lambda upstream, limits: association.Association(upstream.fetch, limits),
    oneroster.SCHEMA: lambda upstream, limits: oneroster.OneRoster(upstream.fetch, limits),
    somtoday.SCHEMA: lambda upstream, limits: somtoday.Somtoday(upstream.fetch, limits),
    uwlr.SCHEMA: lambda upstream, limits: uwlr.Uwlr(upstream.message, limits),
}
DETAILS: Mapping[str, Callable[[HttpUpstream, Limits], Details]] = {
    students.SCHEMA: lambda upstream, limits: students.Students(upstream.fetch, limits),
    somtoday.SCHEMA: lambda upstream, limits: somtoday.Somtoday(upstream.fetch, limits),
    uwlr.SCHEMA: lambda upstream, limits: uwlr.Uwlr(upstream.message, limits),
}


def telling_where(schemas: Collection[str]) -> str | None:
    """Edu-V's Association API, where it speaks anything of Edu-V; else the first above. None where it speaks none of
    them: a format that nobody prepared tells fields, and not who is where."""
    if any(one.startswith("edu-v-") for one in schemas):
        return association.SCHEMA
    return next((one for one in ROSTERS if one in schemas), None)


def telling_births(schemas: Collection[str]) -> str | None:
    return next((one for one in DETAILS if one in schemas), None)
