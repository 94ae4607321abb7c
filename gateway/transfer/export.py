"""An export: a person of the school has the source's records read page by page, for one recipient, in flat memory.

The same flow as a live answer and a file; only where the records come from differs. Every part is decided and
registered at its own moment, and kept in a journal in the same transaction, so that a run that is killed goes on where
it was: nobody twice, nobody lost. A page of which the source says something else by then is read again, and so is a
list that moved between two pages of the source (`seams`). Before all of it is handed over, everybody in it is looked
at once more; whoever may no longer be in it is not (house rule 4).
Leaves out: what becomes of the rows (`bootstrap.exports`), where the journal is (`adapters.exports`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from gateway.core.days import legal_date
from gateway.core.file_forms import OtherFormat
from gateway.core.gate.decide import FILE, Call, Permit
from gateway.core.policy.schema import Paging
from gateway.core.reasons import Reason
from gateway.core.register import Draft, altered
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import EnvelopeBroken, Minimised, tolerable
from gateway.formats.xml import Left, XmlItemsFile, sections
from gateway.transfer import pages
from gateway.transfer import trail as entries
from gateway.transfer.drift import unknown_in
from gateway.transfer.filing import TOGETHER, Filing, as_listed, handed_in
from gateway.transfer.filter import PersonsRegister
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.journal import Done, Handed, Journal, Page
from gateway.transfer.listing import list_route, located, location_paths, next_page, organisation_query, question
from gateway.transfer.minimiser import Documents, Items, Minimiser
from gateway.transfer.pages import Exported, OtherPage, Progress, Reading, Shape, Source, calls_of, light, stands, whose
from gateway.transfer.parts import Piece
from gateway.transfer.ports import (
    NotSent,
    OutcomeUnknown,
    RegisterUnavailable,
    Snapshot,
    UpstreamCall,
    UpstreamFailed,
    UpstreamTimeout,
    VersionsChanged,
)
from gateway.transfer.remembered import Granted, Remembered
from gateway.transfer.request import Asked, Match, Stop, ask
from gateway.transfer.seams import Moved, Sheet, Walk
from gateway.transfer.steps import Outside, Sizes
from gateway.transfer.tally import Tally, kept, placed, recalled, sampled
from gateway.transfer.trail import Trail
from gateway.transfer.whole import someone

_TRIES = 3  # readings of a page of which the source says something else each time; looks before handing over


EVERYWHERE = ""
"""The location of a page whose records name their own."""


class Export(Filing):
    """One per run of a job."""

    broken = Reason.UPSTREAM_FAILED
    apart = True

    def __init__(
        self,
        outside: Outside,
        sizes: Sizes,
        asked: pages.Asked,
        source: Source,
        journal: Journal,
        watch: Callable[[Progress], None],
    ) -> None:
        register = PersonsRegister(outside.register, asked.person, asked.said)
        super().__init__(replace(outside, register=register), sizes, Remembered(outside.world))
        self.asked = asked
        self._source = source
        self._journal = journal
        self._watch = watch
        self._pages: list[Page] = []
        self._reading: Reading | None = None
        self._done: dict[Page, Done] = {}
        caller = asked.wanted.caller(asked.person)
        self.exported = Exported(replace(self.begin(caller), id=asked.id))

    async def read_all(self) -> Exported:
        """Every page is in the journal when this returns, unless `stop` says why not; every refusal is registered."""
        try:
            await self._permitted()
            self._recall()
            for number, page in enumerate(self._pages, 1):
                self._tell("reading", number)
                await self._page(page)
                self._reading = None  # what its document refers to
        except Stop as stop:
            await self._stopped(stop)
        except RegisterUnavailable:
            self.exported.stop = Stop(Reason.REGISTER_UNAVAILABLE)
        return self.exported

    async def hand_over(self, handed: Handed) -> bool:
        """Say in the register that all of it is handed over, as everybody in it stands at that moment. False: somebody
        no longer does, and their page is to be read again (`read_all`)."""
        try:
            return await self._closed(handed)
        except Stop as stop:
            await self._stopped(stop)
        except RegisterUnavailable:
            self.exported.stop = Stop(Reason.REGISTER_UNAVAILABLE)
        return True

    async def not_sent(self, stop: Stop) -> None:
        """It was about to be handed over, and the register is told that it was not, or perhaps."""
        await self._stopped(stop)

    def granted(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> Granted:
        """The gate's; and an address of the agreement (R75, R109)."""
        granted = super().granted(trail, inquiry, snapshot)
        agreement = granted.permit.standing.recipient.agreement
        if self.asked.endpoint is not None and self.asked.endpoint not in (agreement.endpoints if agreement else ()):
            raise Stop(Reason.SUBPROCESSOR_UNKNOWN, "the agreement does not list this endpoint (agreement.endpoints)")
        return granted

    def emission(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> tuple[Permit, Emission, Minimiser]:
        """A document of the source is read item by item."""
        permit, emission, minimiser = super().emission(trail, inquiry, snapshot)
        if isinstance(minimiser, Documents):
            minimiser = Items(minimiser.xml, self._reading.left if self._reading is not None else Left())
        return permit, emission, minimiser

    # -- what is asked -----------------------------------------------------------------------------------

    async def _permitted(self) -> None:
        """Decided before a byte is asked for; and which pages there are."""
        self._pages = []
        for record in self.asked.records:
            wanted = replace(self.asked.wanted, record=record)
            match, inquiry = handed_in(self.outside.world.now().compiled, wanted)
            self.exported.trail = self.exported.trail.at(match)
            permit, minimiser = await self._may(inquiry)
            projection = minimiser.projection
            self.exported.shapes[record] = Shape(projection.root.subject is not None, projection.paths)
            route = list_route(match.schema, record)
            if route is None:
                raise Stop(Reason.ROUTE_UNKNOWN, "the source gives no list of these records by location")
            self.exported.trail, self.exported.permit = self.exported.trail.at(replace(match, route=route)), permit
            here = match.schema.paging is None or located(route)
            places = sorted(permit.standing.delivery.locations) if here else [EVERYWHERE]
            self._pages += [Page(record, place) for place in places]

    async def _may(self, inquiry: Inquiry) -> tuple[Permit, Minimiser]:
        trail = self.exported.trail
        return await self.steadily(lambda snapshot: self.may_be_read(trail, inquiry, snapshot))

    def _asked(self, page: Page) -> tuple[Match, Inquiry]:
        """The list of this location, as the recipient would ask it."""
        wanted, organisation = self.asked.wanted, self.outside.world.organisation
        schema = self.outside.world.now().compiled.schemas[wanted.schema]
        route = list_route(schema, page.record)
        assert route is not None, "the pages were made of such routes"
        match = Match(wanted.source, schema, route, {})
        call = Call(wanted.source, schema.name, page.record, None, None, FILE)
        if page.location == EVERYWHERE:
            return match, Inquiry(call, ask(match, b"", organisation))
        location = organisation.locations.get(page.location)
        if location is None:
            raise Stop(Reason.LOCATION_OUT_OF_SCOPE, "locations")
        call = replace(call, locations=frozenset({page.location}))
        if route.soap is not None:
            message = question(schema, route, location.ids, legal_date(self.outside.clock()))
            return match, Inquiry(call, Asked(call.locations, ()), message=message)
        if located(route):
            match = Match(wanted.source, schema, route, location_paths(schema, route, location.ids)[0])
            query = next_page(schema.paging, "", 0) if schema.paging is not None else ""
            return match, Inquiry(call, ask(match, query.encode("ascii"), organisation))
        return match, Inquiry(call, ask(match, organisation_query(route, location.ids), organisation))

    def _recall(self) -> None:
        """What earlier runs came to."""
        self.exported.tally, self.exported.parts, self._done = Tally(), 0, {}
        for done in self._journal.parts():
            self.exported.tally.join(recalled(done.tally))
            self.exported.parts += 1
            self._done[done.page] = light(done)

    # -- one page ----------------------------------------------------------------------------------------

    async def _page(self, page: Page) -> None:
        for _ in range(_TRIES):
            done = self._done.get(page)
            if done is not None and done.last:
                return
            try:
                await self._read(page, done)
            except OtherPage:
                await self._void(page)
            else:
                return
        raise Stop(Reason.UPSTREAM_FAILED, "the source says something else each time")

    async def _read(self, page: Page, known: Done | None) -> None:
        match, inquiry = self._asked(page)
        self.exported.trail = self.exported.trail.at(match)
        permit, minimiser = await self._may(inquiry)
        reader = as_listed(match, self.sizes.answer_bytes)
        self._reading = reading = Reading(page, match, inquiry, reader, known)
        if known is not None and isinstance(minimiser, Items):
            for rows in self._journal.rows(page.record, page.location):
                reading.left.recall(minimiser.xml.sections, rows)
        size = self.sizes.answer_bytes if minimiser.masks else self.sizes.part_bytes
        location = self.outside.world.organisation.locations.get(page.location)
        calls = calls_of(match, inquiry, location.ids if location is not None else frozenset())
        records: list[bytes] = []
        held = 0
        async with aclosing(self._records(permit, calls, reading)) as found:
            async for record in found:
                if held >= size or (len(records) == TOGETHER and not minimiser.masks):
                    if minimiser.masks:
                        raise Stop(Reason.BODY_TOO_LARGE, "text is masked by the names in a whole location")
                    await self._emit(reading, records, last=False)
                    records, held = [], 0
                if reading.take(record):
                    records.append(record)
                    held += len(record)
        if known is not None and reading.consumed < known.consumed:
            raise OtherPage
        if not reading.consumed:
            now = self.outside.world.now()
            someone(match, inquiry, legal_date(self.outside.clock()), now)
        await self._emit(reading, records, last=True)

    async def _records(self, permit: Permit, calls: list[UpstreamCall], reading: Reading) -> AsyncGenerator[bytes]:
        """As the source sends them; what it says that is no list of records holds no word of it."""
        try:
            paging = reading.match.schema.paging
            if paging is None:
                async with aclosing(self._source.stream(permit, calls[0])) as chunks:
                    async for chunk in chunks:
                        for record in reading.reader.feed(chunk):
                            yield record
                for record in reading.reader.close():
                    yield record
            else:
                for call in calls:
                    async with aclosing(self._in_pages(permit, call, reading.match, paging)) as records:
                        async for record in records:
                            yield record
        except (OtherFormat, EnvelopeBroken, UpstreamFailed, OutcomeUnknown):
            raise Stop(Reason.UPSTREAM_FAILED) from None
        except NotSent:
            raise Stop(Reason.NOT_SENT) from None
        except UpstreamTimeout:
            raise Stop(Reason.UPSTREAM_TIMEOUT) from None

    async def _in_pages(
        self, permit: Permit, call: UpstreamCall, match: Match, paging: Paging
    ) -> AsyncGenerator[bytes]:
        """Of a source that gives its lists so. Raises OtherPage when it is another list by now."""

        async def read(at: int) -> Sheet:
            query = next_page(paging, call.query, at)
            fetched = self.opened(match, await self.fetch(permit, replace(call, query=query)))
            if fetched.status == 404:
                raise Stop(Reason.UPSTREAM_FAILED)
            return Sheet.of(fetched.body, paging.key, fetched.total)

        walk = Walk(read)
        try:
            while (records := await walk.next()) is not None:
                for record in records:
                    yield record
            await walk.confirm()
        except Moved:
            raise OtherPage from None

    async def _emit(self, reading: Reading, records: list[bytes], *, last: bool) -> None:
        tally, match = self.exported.tally, reading.match
        tolerated = tolerable(tally.handed_in + len(records)) - tally.malformed
        piece = Piece(reading.reader.piece(records), self._journal.next, tolerated)
        sample = reading.reader.piece(sampled(records))
        reading.last, reading.handed_in = last, len(records)
        reading.unknown = unknown_in(match.schema, match.route.record, sample, many=True)
        trail, inquiry = self.exported.trail, reading.inquiry
        part = await self.steadily(lambda snapshot: self.part(trail, match, inquiry, piece, None, snapshot))
        self._journal.committed()
        if part.minimised is not None and isinstance(reading.reader, XmlItemsFile):
            kinds = sections(match.schema.records[match.route.record])
            reading.left.recall(kinds, part.minimised.rows)
        self.remembered = Remembered(self.outside.world)  # nobody comes twice
        self.exported.parts += 1
        tally.join(reading.tally)
        self.outside.drift.look(match, sample)
        self._tell("part", self._pages.index(reading.page) + 1)

    def framed(self, minimised: Minimised, match: Match) -> None:
        """Rows leave, whatever stood around them."""

    def drafted(self, draft: Draft, minimised: Minimised, emission: Emission) -> Draft:
        """The part is kept in the transaction of its entry."""
        reading, versions = self._reading, draft.versions
        assert reading is not None
        assert versions is not None
        reading.tally = tally = Tally()
        tally.add(reading.handed_in, minimised, emission)
        tally.unknown.update(placed(reading.match.schema, reading.page.record, reading.unknown))
        done = Done(
            number=self._journal.next,
            page=reading.page,
            consumed=reading.consumed,
            prefix=reading.digest.digest(),
            last=reading.last,
            versions=(versions.policy, versions.facts, versions.keys),
            day=emission.sight.today,
            head=minimised.head,
            released=whose(reading, emission),
            tally=kept(tally),
            groups=emission.sight.groups,
        )
        self._done[reading.page] = light(done)
        return altered(draft, advances=self._journal.advance(done, minimised.rows))

    # -- before it is handed over ------------------------------------------------------------------------

    async def _closed(self, handed: Handed) -> bool:
        world = self.outside.world
        for _ in range(_TRIES):
            world.refresh()
            self._tell("looking", len(self._pages))
            snapshot = world.now()
            fallen = {done.page for done in self._journal.parts() if not self._stands(done, snapshot)}
            for page in fallen:
                await self._void(page)
            if fallen:
                return False
            draft = entries.closing(self.begin(self.exported.trail.caller), self.exported.trail, self.exported.parts)
            draft = altered(
                draft,
                versions=snapshot.versions,
                records=handed.records,
                bytes=handed.size,
                digest=handed.digest or None,
                advances=self._journal.closing(handed),
            )
            try:
                self.exported.receipt = await self.outside.register.append(draft)
            except VersionsChanged:
                continue
            return True
        raise Stop(Reason.FACTS_CHANGED)

    def _stands(self, done: Done, snapshot: Snapshot) -> bool:
        """Whether everybody in this part would be in it now, with the same fields, under the same pseudonym."""
        _, inquiry = self._asked(done.page)
        granted = self.granted(self.exported.trail, inquiry, snapshot)
        versions = snapshot.versions
        if (versions.policy, versions.keys) != (done.versions[0], done.versions[2]):
            return False
        if versions.facts == done.versions[1] and done.day == legal_date(self.outside.clock()):
            return True
        record = snapshot.compiled.schemas[inquiry.call.schema].records[inquiry.call.record]
        return stands(done, granted.sight, granted.roster, record)

    async def _void(self, page: Page) -> None:
        """The parts of this page are registered and not handed over; the register says so of everybody in them."""
        parts = [done for done in self._journal.parts() if done.page == page]
        if not parts:
            return
        roster = self.outside.world.now().rosters[self.asked.wanted.source]
        match, _ = self._asked(page)
        for done in parts:
            people = [roster.by_id(one) for _, ids in done.released for one, _ in ids]
            withheld = tuple((one, (Reason.FACTS_CHANGED,)) for one in people if one is not None)
            own = replace(self.begin(self.exported.trail.caller), match=match)
            draft = entries.refusal(own, Stop(Reason.FACTS_CHANGED, "this part is not handed over"))
            await self.outside.register.append(
                altered(draft, part_of=self.asked.id, part=done.number, withheld=withheld)
            )
        self._journal.void([done.number for done in parts])
        self._recall()

    async def _stopped(self, stop: Stop) -> None:
        exported = self.exported
        exported.stop = stop
        try:
            if exported.parts:
                await self.broken_off(exported.trail, stop, self._journal.next)
            else:
                await self.outside.register.append(entries.refusal(exported.trail, stop))
        except RegisterUnavailable:
            exported.stop = Stop(Reason.REGISTER_UNAVAILABLE)

    def _tell(self, doing: str, page: int) -> None:
        tally = self.exported.tally
        self._watch(Progress(doing, page, len(self._pages), tally.handed_in, tally.released))
