"""What a recipient asks of a list beside its route: which page, which fields, which records, in which order.

Read strictly, before anything is asked of the source; what does not leave is refused as what nobody has. Leaves out:
the page itself (`paged`), what can be compared (`formats.json.shaping`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TypeVar
from urllib.parse import urlencode

from gateway.core.policy.schema import Parameter
from gateway.core.reasons import Reason
from gateway.core.release.projection import Projection
from gateway.formats.json import Row
from gateway.formats.json.shaping import Filter, NotAsked, read_filter, read_selection, read_sort, selected
from gateway.transfer.anchors import Rank, as_text, from_text
from gateway.transfer.request import Asked, Match, Stop, upstream_path

T = TypeVar("T")

_LIMIT = 100  # OneRoster's own default
_HIGHEST_LIMIT = 10_000
_HIGHEST_OFFSET = 2**31 - 1  # int32, as OneRoster says


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be done with what leaves. `sorted_by`: the path by which `sort` does."""

    selection: frozenset[str] | None = None
    chosen: Filter | None = None
    sort: Callable[[bytes], str] | None = None
    backwards: bool = False
    sorted_by: str = ""

    def tells(self, path: str) -> bool:
        """Whether the answer says something of this field: who filters or sorts by one learns it, shown or not."""
        if self.selection is None or path.partition(".")[0] in self.selection:
            return True
        return path == self.sorted_by or (self.chosen is not None and path in self.chosen.paths)

    def ranked(self, rows: list[Row]) -> list[tuple[Rank, Row]]:
        """Those that are wanted, each once, in their order."""
        kept = [row for row in rows if self.chosen is None or self.chosen.holds(row.text)]
        found: list[tuple[Rank, Row]] = []
        for key, same in groupby(kept, attrgetter("key")):
            once = {row.text: row for row in same}  # a source that moved meanwhile shows a record twice
            found += [((self._value(row), key, number), row) for number, row in enumerate(once.values())]
        return sorted(found, key=lambda one: one[0], reverse=self.backwards)

    def _value(self, row: Row) -> str:
        return "" if self.sort is None else self.sort(row.text)

    def beyond(self, rank: Rank, after: Rank | None) -> bool:
        return after is None or (rank < after if self.backwards else rank > after)

    def shown(self, text: bytes) -> bytes:
        return text if self.selection is None else selected(text, self.selection)


def wishes(asked: Asked, projection: Projection) -> Wishes:
    """Raises Stop(PARAMETER_INVALID)."""
    said = asked.shaping
    return Wishes(
        _read("fields", read_selection, said.get("selection"), projection),
        _read("filter", read_filter, said.get("filter"), projection),
        _read("sort", read_sort, said.get("sort"), projection),
        said.get("sort-direction") == "desc",
        said.get("sort", ""),
    )


def _read(name: str, read: Callable[[str, Projection], T], text: str | None, projection: Projection) -> T | None:
    try:
        return None if text is None else read(text, projection)
    except NotAsked as refused:
        raise Stop(Reason.PARAMETER_INVALID, f"{name}: {refused}") from None


@dataclass(frozen=True, slots=True)
class Page:
    """Which page: `limit` records from `offset` on; `anchor`: sealed, where a link brought it."""

    limit: int
    offset: int
    anchor: bytes | None = field(repr=False)

    @classmethod
    def asked(cls, asked: Asked, parameters: Iterable[Parameter]) -> Page:
        """Raises Stop(PARAMETER_INVALID), in the words of the format."""
        said, name = asked.shaping, {one.meaning: one.name for one in parameters}
        limit = _number(name.get("limit", "limit"), said.get("limit"), _LIMIT, 1, _HIGHEST_LIMIT)
        offset = _number(name.get("offset", "offset"), said.get("offset"), 0, 0, _HIGHEST_OFFSET)
        text = said.get("anchor")
        anchor = None if text is None else from_text(text)
        if text is not None and anchor is None:
            raise Stop(Reason.PARAMETER_INVALID, "anchor")
        return cls(limit, offset, anchor)


def _number(name: str, text: str | None, default: int, least: int, most: int) -> int:
    found = default if text is None else int(text) if len(text) <= len(str(most)) else most + 1
    if not least <= found <= most:
        raise Stop(Reason.PARAMETER_INVALID, f"{name}: {least} to {most}")
    return found


@dataclass(frozen=True, slots=True)
class Walk:
    """One caller's way through one list: `context` is the same for all its pages, and for nothing else."""

    credential: str
    match: Match
    asked: Asked

    @property
    def context(self) -> str:
        match, said = self.match, self.asked.shaping
        shape = [(name, said[name]) for name in ("filter", "sort", "sort-direction") if name in said]
        path = upstream_path(match, {})
        query = urlencode([*shape, *self.asked.plain, *self._named])
        return f"{self.credential}\0{match.source}\0{match.schema.name}\0{path}\0{query}"

    @property
    def _named(self) -> list[tuple[str, str]]:
        return [(one.name, value) for one, value in self.asked.things if one.place == "query"]

    def headers(
        self, url: str, page: Page, following: int, sealed: bytes, total: int | None
    ) -> tuple[tuple[bytes, bytes], ...]:
        """`Link` (RFC 8288) and, where it is known, X-Total-Count."""
        places: dict[str, dict[str, str | int]] = {}
        if sealed:
            places["next"] = {"offset": following, "anchor": as_text(sealed)}
        places["first"] = {"offset": 0}
        if page.offset:
            places["prev"] = {"offset": max(0, page.offset - page.limit)}
        if total is not None:
            places["last"] = {"offset": max(0, total - 1) // page.limit * page.limit}
        links = ", ".join(f'<{self._url(url, page.limit, place)}>; rel="{name}"' for name, place in places.items())
        found = [(b"link", links.encode("ascii"))]
        return (*found, (b"x-total-count", str(total).encode())) if total is not None else tuple(found)

    def _url(self, url: str, limit: int, place: Mapping[str, str | int]) -> str:
        names: dict[str, str] = {one.meaning: one.name for one in self.match.route.parameters}
        said = {**self.asked.shaping, "limit": str(limit)}
        kept = [(names[one], value) for one, value in said.items() if one not in ("offset", "anchor")]
        query = urlencode(
            [*kept, *self.asked.plain, *self._named, *((names[one], value) for one, value in place.items())]
        )
        return f"{url}/{self.match.source}{upstream_path(self.match, {})}?{query}"
