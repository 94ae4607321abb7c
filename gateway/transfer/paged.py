"""Lists that come in pages.

An offset counts released records. Every page is full but the last, so that a gap tells of nobody; a total is told only
of a list that was read whole, and counts what leaves. A page begins after the last record that left before it, whoever
was withheld or withdrawn since: in the order of pseudonyms over the whole list, or, where that is too long, over a
stretch of it (house rule 7). Leaves out: reading the source's pages (`stretches`), where a walk goes on (`anchors`),
what is asked of a page (`wishes`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from msgspec import structs

from gateway.core.gate.decide import Permit
from gateway.core.policy.grants import leaf_at
from gateway.core.reasons import Reason
from gateway.core.register import Anchor, altered
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Minimised
from gateway.core.release.projection import Projection
from gateway.core.release.views import Views
from gateway.formats.json import JsonMinimiser
from gateway.transfer import trail as entries
from gateway.transfer.anchors import Place, Rank, decoded, encoded
from gateway.transfer.flow import Flow, absent_answer
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.ports import Snapshot, UpstreamAnswer, UpstreamCall
from gateway.transfer.released import Answer, Released
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Match, Stop
from gateway.transfer.steps import Outside, Sizes
from gateway.transfer.stretches import WHOLE, NotThere, Stretch, Stretches
from gateway.transfer.trail import Trail
from gateway.transfer.whole import believed, is_list, is_whole
from gateway.transfer.wishes import Page, Walk, Wishes, wishes

Read = Callable[[Place], Awaitable[Stretch]]


@dataclass(slots=True)
class _Drawn:
    """What is on a page; where the next one begins (None: nowhere); how many records there are, where that is known;
    whether the list has any, on whichever page and whatever is asked of it."""

    texts: list[bytes] = field(default_factory=list, repr=False)
    next: Place | None = None
    total: int | None = None
    there: bool = False


class Paged(Flow):
    """For one request to a schema whose lists come in pages."""

    def __init__(self, outside: Outside, sizes: Sizes, remembered: Remembered) -> None:
        super().__init__(outside, sizes, remembered)
        self._wishes = Wishes()

    async def read(self, trail: Trail, match: Match, inquiry: Inquiry) -> Answer:
        page = Page.asked(inquiry.asked, match.route.parameters)
        self._wishes = await self.steadily(lambda snapshot: self._read_wishes(trail, inquiry, snapshot))
        if not match.route.many:
            return await super().read(trail, match, inquiry)
        aimed = await self.steadily(lambda snapshot: self.aim(trail, match, inquiry, snapshot))
        if isinstance(aimed, Released):
            return aimed
        assert match.schema.paging is not None
        stretches = Stretches(aimed[1].call, match.schema.paging)
        try:
            return await self.steadily(
                lambda snapshot: self._page(trail, match, inquiry, page, stretches, snapshot)
            )  # fmt: skip
        except NotThere:
            return await self.steadily(lambda snapshot: self.nothing_there(trail, match, inquiry, snapshot))

    async def _read_wishes(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> Wishes:
        minimiser = self.granted(trail, inquiry, snapshot).minimiser
        if minimiser is None:
            raise Stop(Reason.SCHEMA_NOT_ACTIVE)
        if minimiser.aggregate is not None:
            raise Stop(Reason.ROUTE_UNKNOWN)  # R45: counts are of a whole location, and have no pages
        return wishes(inquiry.asked, minimiser.projection)

    def told(self, projection: Projection) -> Projection:
        return _narrowed(projection, self._wishes)

    def framed(self, minimised: Minimised, match: Match) -> None:
        if not match.route.many and minimised.records:
            minimised.body = self._wishes.shown(minimised.body)
        super().framed(minimised, match)

    # -- one page ----------------------------------------------------------------------------------------

    async def _page(
        self, trail: Trail, match: Match, inquiry: Inquiry, page: Page, stretches: Stretches, snapshot: Snapshot
    ) -> Released:
        """Draw under this snapshot, commit the entry with where the next page begins, and only then let it leave."""
        permit, emission, minimiser = self.emission(trail, inquiry, snapshot)
        assert isinstance(minimiser, JsonMinimiser)
        walk = Walk(trail.caller.credential, match, inquiry.asked)
        place, skip = self._begin(walk, page, emission)

        async def read(at: Place) -> Stretch:
            return await stretches.at(at, lambda call: self._one(permit, match, call))

        whole = is_whole(match, inquiry)
        drawn = await self._draw(minimiser, emission, place, skip, page.limit, read, whole=whole)
        if drawn.total is not None and not drawn.there:
            believed(match, inquiry, emission, snapshot)
        minimised = Minimised(b"[" + b",".join(drawn.texts) + b"]", len(drawn.texts), emission.malformed)
        self.framed(minimised, match)
        built, projection = self.built(emission, minimised), self.told(minimiser.projection)
        draft = entries.delivery(trail, permit, snapshot.versions, projection, built)
        if not drawn.there and not is_list(match, inquiry):  # below somebody: as if nobody were there (house rule 5)
            draft = altered(draft, outcome="not-available")
            return absent_answer(permit, match, await self.outside.register.append(draft))
        following, sealed = page.offset + len(drawn.texts), b""
        if drawn.next is not None:
            sealed = self.outside.world.sealed(walk.context, encoded(self._dated(drawn.next, emission)))
            draft = altered(draft, anchors=(Anchor(walk.context, following, sealed),))
        receipt = await self.outside.register.append(draft)
        emission.confirm()
        headers = walk.headers(self.outside.world.url, page, following, sealed, drawn.total)
        return Released(receipt, body=minimised.body, purpose=permit.standing.delivery.purpose, headers=headers)

    async def _one(self, permit: Permit, match: Match, call: UpstreamCall) -> UpstreamAnswer:
        fetched = self.opened(match, await self.fetch(permit, call))
        if fetched.status != 404:
            self.outside.drift.look(match, fetched.body)
        return fetched

    async def _draw(
        self,
        minimiser: JsonMinimiser,
        emission: Emission,
        place: Place,
        skip: int,
        limit: int,
        read: Read,
        *,
        whole: bool,
    ) -> _Drawn:
        """Fill the page, and look one record further."""
        drawn = _Drawn()
        while True:
            stretch = await read(place)
            if self._wishes.sort is not None and stretch.place.size != WHOLE:
                raise Stop(Reason.PARAMETER_INVALID, "sort: this list is too long to be sorted")
            beside = Emission(emission.sight, _beside(emission, stretch, whole=whole))
            sheet = self.minimised(lambda: minimiser.look(stretch.body, beside))  # noqa: B023 - called at once
            rows = self._wishes.ranked(sheet.rows)
            drawn.there = drawn.there or bool(sheet.rows)
            if stretch.whole:
                drawn.total = len(rows)
            rest = [one for one in rows if self._wishes.beyond(one[0], place.after)]
            skip, rest = max(0, skip - len(rest)), rest[skip:]
            chosen = rest[: limit - len(drawn.texts)]
            last = chosen[-1][0] if len(chosen) < len(rest) and chosen else None
            texts = minimiser.cut(sheet, [row for _, row in chosen], emission)
            drawn.texts += [self._wishes.shown(text) for text in texts]
            if chosen or not rest:
                minimiser.kept(sheet, emission, _among(place.after, last, sorts=self._wishes.sort is not None))
            if len(chosen) < len(rest):
                drawn.next = structs.replace(stretch.place, after=last or place.after)
                return drawn
            if stretch.next is None:
                return drawn
            place = stretch.next

    def _begin(self, walk: Walk, page: Page, emission: Emission) -> tuple[Place, int]:
        """Where this page begins, and how many released records must be passed over first: those of an offset that
        nobody was led to."""
        world = self.outside.world
        if page.anchor is not None:
            place = self._opened(walk, page.anchor, emission)
            if place is None:
                raise Stop(Reason.PARAMETER_INVALID, "anchor: begin again at the first page")
            return place, 0
        kept = world.anchor(walk.context, page.offset) if page.offset else None
        found = None if kept is None else self._opened(walk, kept, emission)
        return (Place(), page.offset) if found is None else (found, 0)

    def _opened(self, walk: Walk, sealed: bytes, emission: Emission) -> Place | None:
        value = self.outside.world.unsealed(walk.context, sealed)
        place = None if value is None else decoded(value)
        stands = place is not None and place.stands(emission.sight.version, self.outside.clock())
        return place if stands else None

    def _dated(self, place: Place, emission: Emission) -> Place:
        moment = int(self.outside.clock().timestamp())
        return structs.replace(place, keys=emission.sight.version, moment=moment)


def _beside(emission: Emission, stretch: Stretch, *, whole: bool) -> Views | None:
    """Of what is only looked at; who ended stands with the last records of the list of everybody."""
    views = emission.views
    if views is None:
        return None
    last, begins = whole and stretch.next is None, views.announces and stretch.first
    return replace(views, seen={}, written=[], told=0, whole=last, single=stretch.whole, first=begins)


def _among(after: Rank | None, last: Rank | None, *, sorts: bool) -> Callable[[str], bool]:
    """Of whom a page tells the register that they stayed behind: once in a walk, with those between whom they would
    have stood; in an order of the recipient's own, with the first page."""
    if sorts:
        return lambda _key: after is None
    return lambda key: (after is None or key > after[1]) and (last is None or key <= last[1])


def _narrowed(projection: Projection, wishes: Wishes) -> Projection:
    """What the register tells of an answer of which only some fields were asked."""
    if wishes.selection is None:
        return projection
    paths = tuple(path for path in projection.paths if wishes.tells(path))
    leaves = [leaf for path in paths if (leaf := leaf_at(projection.record.fields, path)) is not None]
    return replace(projection, paths=paths, categories=tuple(sorted({leaf.category for leaf in leaves})))
