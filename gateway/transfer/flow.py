"""One transfer, straight down: match, inquire, permit, resolve, fetch, minimise, record, release.

Each step hands the next its ticket: no fetch without a `Permit`, no answer without a `Receipt`. Who is named is
resolved and screened before anything is fetched; everybody is screened again when the entry is committed (house
rule 4). Leaves out: HTTP (`web`), every rule (`core`), the shape of a format (`formats`), statements that come back
(`writeback`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from gateway.core.file_forms import Form
from gateway.core.gate.decide import Permit
from gateway.core.model import Finding, Person, Subject
from gateway.core.policy.schema import Soap
from gateway.core.reasons import Reason
from gateway.core.register import Draft, altered
from gateway.core.release.circle import Circle
from gateway.core.release.emission import Emission
from gateway.core.release.faults import told
from gateway.core.release.minimised import EnvelopeBroken, Minimised, Share, TooLarge, tolerable
from gateway.core.release.projection import Projection
from gateway.core.release.views import Unannounced
from gateway.formats.json.envelope import closed, opened
from gateway.formats.json.minimiser import Pieces
from gateway.transfer import trail as entries
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.messages import asked, messages, operation
from gateway.transfer.minimiser import Minimiser
from gateway.transfer.parts import Part, Parts, Piece
from gateway.transfer.ports import (
    NotSent,
    OutcomeUnknown,
    Receipt,
    Snapshot,
    UpstreamAnswer,
    UpstreamCall,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from gateway.transfer.released import Answer, Released, media_of
from gateway.transfer.remembered import Granted
from gateway.transfer.request import Asked, Match, Stop, upstream_path, upstream_query
from gateway.transfer.resolve import Absent, Resolver
from gateway.transfer.steps import Steps
from gateway.transfer.trail import Built, Trail
from gateway.transfer.watching import message_unchanged, watched
from gateway.transfer.whole import believed, is_list, is_whole, one_table

T = TypeVar("T")


_TOO_LARGE = "more than is read at once (limits.upstream_bytes): ask for less, such as some groups, or have it exported"

_FAULTS = 20  # fields in which records are malformed, that an entry names


@dataclass(frozen=True, slots=True)
class Target:
    """What to ask of the source, in the source's own ids, and whom the request named."""

    call: UpstreamCall
    subject: Subject | None = None


class Flow(Steps):
    """Reads: from a known caller's request to what may leave. `broken`: what is said of records that cannot be read;
    `apart`: parts as rows, for who sorts over all of them; `form`: in which parts leave together."""

    broken = Reason.UPSTREAM_FAILED
    apart = False
    form = Form.ARRAY

    async def read(self, trail: Trail, match: Match, inquiry: Inquiry) -> Answer:
        """The page: decide → resolve and screen who is named → fetch → minimise → record → release."""
        aimed = await self.steadily(lambda snapshot: self.aim(trail, match, inquiry, snapshot))
        if isinstance(aimed, Released):
            return aimed
        permit, target = aimed
        fetched = self.opened(match, await self.fetch(permit, target.call))
        if fetched.status == 404:
            return await self.steadily(lambda snapshot: self.nothing_there(trail, match, inquiry, snapshot))
        self.outside.drift.look(match, fetched.body)
        counted = permit.standing.delivery.aggregate is not None  # of all records at once, and the answer is small
        whole = counted or match.route.soap is not None
        if len(fetched.body) > self.sizes.answer_bytes and is_list(match, inquiry) and not whole:
            return await self.in_parts(trail, match, inquiry, fetched.body)
        return await self.steadily(lambda snapshot: self.release(trail, match, inquiry, target, fetched, snapshot))

    async def aim(
        self, trail: Trail, match: Match, inquiry: Inquiry, snapshot: Snapshot
    ) -> tuple[Permit, Target] | Released:
        """A permit and what to fetch; or, where the request names what this recipient cannot have, the absence."""
        granted = self.granted(trail, inquiry, snapshot)
        one_table(granted.permit, match, inquiry)
        permit, target = granted.permit, self.target(granted.resolver, match, inquiry)
        if isinstance(target, Target):
            return permit, target
        draft = entries.absence(trail, permit, snapshot.versions, target)
        receipt = await self.outside.register.append(draft)
        return absent_answer(permit, match, receipt, listed=target.listed and inquiry.named is None)

    async def looked_at(self, trail: Trail, match: Match, inquiry: Inquiry) -> Emission | Absent:
        """A read without its end, for a person of the school (`review`): no entry, no answer, only what was judged."""
        granted = self.granted(trail, inquiry, self.outside.world.now())
        target = self.target(granted.resolver, match, inquiry)
        if isinstance(target, Absent):
            return target
        fetched = self.opened(match, await self.fetch(granted.permit, target.call))
        _, emission, minimiser = self.emission(trail, inquiry, self.outside.world.now())
        if fetched.status != 404:
            self.minimised(lambda: minimiser.minimise(fetched.body, emission, many=match.route.many))
            _same_person(target, emission.released)
        return emission

    def target(self, resolver: Resolver, match: Match, inquiry: Inquiry) -> Target | Absent:
        """What to ask the source, and about whom; the request names it."""
        return aimed_at(resolver, match, inquiry)

    async def fetch(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        try:
            return await self.outside.upstream.read(permit, call)
        except NotSent:
            raise Stop(Reason.NOT_SENT) from None
        except UpstreamTimeout:
            raise Stop(Reason.UPSTREAM_TIMEOUT) from None
        except UpstreamTooLarge:
            raise Stop(Reason.UPSTREAM_FAILED, _TOO_LARGE) from None
        except (UpstreamFailed, OutcomeUnknown):
            raise Stop(Reason.UPSTREAM_FAILED) from None

    async def release(
        self, trail: Trail, match: Match, inquiry: Inquiry, target: Target, fetched: UpstreamAnswer, snapshot: Snapshot
    ) -> Released:
        """Minimise under this snapshot, commit the entry, and only then make what may leave."""
        permit, emission, minimiser = self.emission(trail, inquiry, snapshot)
        one_table(permit, match, inquiry)
        if emission.views is not None:
            emission.views.whole = is_whole(match, inquiry)
            emission.views.first = emission.views.announces and is_list(match, inquiry)
        minimised = self.minimised(lambda: minimiser.minimise(fetched.body, emission, many=match.route.many))
        believed(match, inquiry, emission, snapshot)
        record, now = minimiser.projection.record, self.outside.clock()
        same = self.minimised(lambda: message_unchanged(match, inquiry, record, emission, minimised, now))
        if same and match.route.soap is not None:
            minimised = Minimised(operation(match, match.route.soap).unchanged(), 0, 0)
            emission = Emission(emission.sight, emission.views)  # nobody is in it
        self.framed(minimised, match)
        built = self.built(emission, minimised)
        _same_person(target, built.released)
        draft = entries.delivery(trail, permit, snapshot.versions, self.told(minimiser.projection), built)
        if minimised.records == 0 and not is_list(match, inquiry):
            draft = altered(draft, outcome="not-available")
            return absent_answer(permit, match, await self.outside.register.append(draft))
        receipt = await self.outside.register.append(draft)
        emission.confirm()
        return Released(
            receipt, body=minimised.body, media=media_of(match.route), purpose=permit.standing.delivery.purpose
        )

    async def nothing_there(self, trail: Trail, match: Match, inquiry: Inquiry, snapshot: Snapshot) -> Released:
        """The source has none. Where a request named it, that looks as any other absence (house rule 5); a list that
        is "not found" is a broken answer: an empty one would make a client delete what it holds."""
        if is_list(match, inquiry) and not match.values:
            raise Stop(Reason.UPSTREAM_FAILED)
        permit = self.granted(trail, inquiry, snapshot).permit  # nobody is withheld here: the entry names nobody
        draft = altered(entries.delivery(trail, permit, snapshot.versions, None, Built()), outcome="not-available")
        return absent_answer(permit, match, await self.outside.register.append(draft))

    async def in_parts(self, trail: Trail, match: Match, inquiry: Inquiry, body: bytes) -> Released:
        """A large list leaves in parts; each is screened and registered at its own moment (house rules 3 and 4)."""
        permit, _, minimiser = self.emission(trail, inquiry, self.outside.world.now())
        pieces = self.minimised(lambda: minimiser.split(body, self.sizes.part_bytes))
        return await self.leave_in_parts(trail, match, inquiry, permit, pieces)

    async def leave_in_parts(
        self, trail: Trail, match: Match, inquiry: Inquiry, permit: Permit, pieces: Pieces
    ) -> Released:
        async def emit(piece: Piece) -> Part:
            try:
                return await self.steadily(
                    lambda snapshot: self.part(trail, match, inquiry, piece, pieces.circle, snapshot)
                )
            except Stop as stop:
                if piece.number > 1:  # the caller only sees that the answer ends; the school sees why
                    await self.broken_off(trail, stop, piece.number)
                raise

        async def close(parts: int) -> None:
            await self.close(trail, parts)

        parts = Parts(pieces.bodies, tolerable(pieces.records), emit, close, form=self.form)
        receipt, stream = await parts.start()
        return Released(receipt, body=stream, purpose=permit.standing.delivery.purpose)

    async def close(self, trail: Trail, parts: int) -> None:
        """All of them were handed to the transport."""
        await self.outside.register.append(entries.closing(self.begin(trail.caller), trail, parts))

    async def broken_off(self, trail: Trail, stop: Stop, number: int) -> None:
        own = replace(self.begin(trail.caller), match=trail.match)
        await self.outside.register.append(altered(entries.refusal(own, stop), part_of=trail.id, part=number))

    async def part(
        self,
        trail: Trail,
        match: Match,
        inquiry: Inquiry,
        piece: Piece,
        circle: Callable[[], Circle] | None,
        snapshot: Snapshot,
    ) -> Part:
        permit, emission, minimiser = self.emission(trail, inquiry, snapshot)
        if minimiser.aggregate is not None:
            raise Stop(Reason.SCHEMA_NOT_ACTIVE)  # it is counts since the parts began, and counts have no parts
        if emission.views is not None:
            emission.views.single, emission.views.seen = False, piece.seen
            emission.views.whole = piece.last and is_whole(match, inquiry)
            emission.views.first = emission.views.announces and piece.number == 1
        share = Share(piece.tolerated, circle, self.apart)
        minimised = self.minimised(lambda: minimiser.minimise(piece.body, emission, many=True, share=share))
        self.framed(minimised, match)
        own = trail if piece.number == 1 else replace(self.begin(trail.caller), match=trail.match)
        built = self.built(emission, minimised)
        draft = entries.delivery(own, permit, snapshot.versions, minimiser.projection, built)
        if not piece.whole:
            draft = altered(draft, kind="part", part_of=trail.id, part=piece.number)
        draft = self.drafted(draft, minimised, emission)
        receipt = await self.outside.register.append(draft)
        emission.confirm()
        return Part(receipt, minimised.body, minimised.malformed, minimised, emission)

    def told(self, projection: Projection) -> Projection:
        """Hook: of what may leave, what the register is to tell of this answer."""
        return projection

    def framed(self, minimised: Minimised, match: Match) -> None:
        """What leaves in another form than a JSON array or object gets it here, before its digest is registered."""
        if minimised.records or match.route.many:
            minimised.body = closed(minimised.body, _envelope(match))

    def opened(self, match: Match, fetched: UpstreamAnswer) -> UpstreamAnswer:
        """Without what the format puts around its records."""
        name = _envelope(match)
        if not name or fetched.status == 404:
            return fetched
        return replace(fetched, body=self.minimised(lambda: opened(fetched.body, name)))

    def drafted(self, draft: Draft, minimised: Minimised, emission: Emission) -> Draft:
        """Hook: what must be kept in the transaction of a part's entry stands in its draft."""
        return draft

    def minimised(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except TooLarge:
            raise Stop(self.broken, _TOO_LARGE) from None
        except EnvelopeBroken as broken:
            # for the school: what is told of an answer to who called for it says nothing of its records
            said = [Finding(self.broken, one) for one in told(broken.faults, _FAULTS)]
            own = said and self.broken is Reason.BODY_INVALID  # handed in by the school itself
            about = said[0].about if own else ""
            raise Stop(self.broken, about, tuple(said)) from None
        except Unannounced:
            raise Stop(Reason.NOTICES_FIRST) from None

    def emission(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> tuple[Permit, Emission, Minimiser]:
        granted = self.granted(trail, inquiry, snapshot)
        minimiser = messages(trail.match, granted, snapshot) or granted.minimiser
        if minimiser is None:
            raise Stop(Reason.SCHEMA_NOT_ACTIVE)
        return granted.permit, self.watched(trail, inquiry, granted, minimiser), minimiser

    def watched(self, trail: Trail, inquiry: Inquiry, granted: Granted, minimiser: Minimiser) -> Emission:
        return watched(self.outside.views, trail, inquiry, granted, minimiser)

    def built(self, emission: Emission, minimised: Minimised) -> Built:
        return Built(
            released=emission.released,
            withheld=emission.withheld,
            partial=emission.partial,
            held=emission.held,
            unresolved=emission.unresolved,
            malformed=emission.malformed,
            records=minimised.records,
            bytes=len(minimised.body),
            digest=self.outside.world.digest(minimised.body),
            issued=emission.issued,
            views=tuple(emission.views.written) if emission.views else (),
            detail=_told(emission),
            key_version=emission.sight.version,
        )


def aimed_at(resolver: Resolver, match: Match, inquiry: Inquiry) -> Target | Absent:
    route = match.route
    if route.soap is not None:
        return _asked_by_message(resolver, match, route.soap, inquiry)
    things = resolver.things(inquiry.asked.things, many=route.many)
    people = resolver.people(inquiry.asked.people)
    if isinstance(things, Absent):
        return things
    if isinstance(people, Absent):
        return people
    things = {**things, **_own_ids(inquiry.asked, people)}
    path, query = upstream_path(match, things), upstream_query(inquiry.asked, things)
    if inquiry.named is None or route.named is None:
        one = next(iter(people.values()), None) if not route.many else None
        return Target(UpstreamCall(match.source, route.method, path, query), one)
    person = resolver.person(inquiry.named.ids, route.named.position.person)
    if isinstance(person, Absent):
        return person
    body = inquiry.named.upstream_body(person)
    return Target(UpstreamCall(match.source, route.method, path, query, body), person)


def _asked_by_message(resolver: Resolver, match: Match, soap: Soap, inquiry: Inquiry) -> Target | Absent:
    body = asked(resolver, match, soap, inquiry)
    if isinstance(body, Absent):
        return body
    return Target(UpstreamCall(match.source, "POST", upstream_path(match, {}), body=body, action=soap.action))


def _own_ids(asked: Asked, people: Mapping[str, Subject]) -> dict[str, str]:
    """By which the source knows them."""
    return {one.name: people[one.name].ids[one.kind or ""] for one, _ in asked.people}


def absent_answer(permit: Permit, match: Match, receipt: Receipt, *, listed: bool = False) -> Released:
    purpose = permit.standing.delivery.purpose
    if listed and match.route.soap is not None:
        nothing = operation(match, match.route.soap).nothing()
        return Released(receipt, body=nothing, media=media_of(match.route), purpose=purpose)
    if listed:
        return Released(receipt, body=closed(b"[]", _envelope(match)), purpose=purpose)
    return Released(receipt, Reason.NOT_AVAILABLE, shape=match.schema.errors, purpose=purpose)


def _envelope(match: Match) -> str:
    """The name under which a JSON answer of this route holds its records, if any."""
    record = match.schema.records[match.route.record]
    if match.schema.format != "json":
        return ""
    return record.envelope if match.route.many else record.element


def _told(emission: Emission) -> tuple[str, ...]:
    """For the school: ends that stand in the answer beside its records, and where records are malformed."""
    ends = (f"ends told: {emission.views.told}",) if emission.views and emission.views.told else ()
    if not emission.faults:
        return ends
    return (*ends, *(f"{Reason.RECORD_MALFORMED}: {one}" for one in told(emission.faults, _FAULTS)))


def _same_person(target: Target, released: tuple[Subject, ...]) -> None:
    """An answer about a named pupil holds no other pupil (R109)."""
    named = target.subject
    if named is None or named.person is not Person.PUPIL:
        return
    if any(one.id != named.id for one in released if one.person is Person.PUPIL):
        raise Stop(Reason.UPSTREAM_FAILED)
