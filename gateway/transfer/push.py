"""`POST /SOURCE/push/RECIPIENT/PURPOSE/…`: a message is handed in, and what may leave of it goes on.

With a school's credential only, and decided before the body is read. What goes on is built, registered and sent, once:
nothing is kept to be sent later, and the source hears truthfully what became of it: not sent (503), unknown (504),
refused (400). The recipient's answer is minimised too, by the delivery's own list. Leaves out: where the recipient is
(`adapters.endpoints`), statements of recipients (`writeback`).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from gateway.core.gate.decide import PUSH, Call, Permit
from gateway.core.model import Caller
from gateway.core.policy.schema import Schema
from gateway.core.reasons import Reason
from gateway.core.register import altered
from gateway.core.release.emission import Emission
from gateway.core.release.faults import told
from gateway.core.release.minimised import EnvelopeBroken, Minimised
from gateway.formats.json.nesting import too_deep
from gateway.formats.xml.addressing import Addressing, Opened, enclosed, opened
from gateway.transfer import trail as entries
from gateway.transfer.filing import Filing, minimiser_of
from gateway.transfer.flow import Target
from gateway.transfer.inquiry import Inquiry, accepts, declared, named_purpose
from gateway.transfer.ledger import State
from gateway.transfer.minimiser import Minimiser
from gateway.transfer.ports import (
    Message,
    NotSent,
    OutcomeUnknown,
    RegisterUnavailable,
    Snapshot,
    UpstreamAnswer,
    UpstreamCall,
    UpstreamFailed,
)
from gateway.transfer.released import Answer, Released
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Match, Request, Stop, ask
from gateway.transfer.steps import Outside, Sizes, unregistered
from gateway.transfer.trail import Built, Trail

_PLACE = re.compile(rb"/([A-Za-z0-9-]+)/push/([A-Za-z0-9._-]{1,100})/([A-Za-z0-9._-]{1,100})(/.*)")
_MEDIA = {"json": (b"application/json",), "xml": (b"text/xml", b"application/xml")}
_TAKEN = range(200, 300)
_REFUSED = range(400, 500)


def is_push(raw_path: bytes) -> bool:
    """Whether a message is handed in here to go on; no schema has this path."""
    return _PLACE.fullmatch(raw_path) is not None


@dataclass(frozen=True, slots=True)
class Back:
    """What the recipient's answer is read with: settled when the message is registered, as it leaves."""

    permit: Permit
    minimiser: Minimiser | None
    emission: Emission


class Push(Filing):
    """One per request."""

    def __init__(self, outside: Outside, sizes: Sizes, remembered: Remembered) -> None:
        super().__init__(outside, sizes, remembered)
        self._match: Match | None = None
        self._came = Opened(b"")
        self._back: Back | None = None

    async def answer(self, caller: Caller, request: Request) -> Answer:
        """The page: permit → read → minimise and register → send → say what became of it → minimise the answer."""
        trail = self.begin(caller)
        try:
            source, recipient, purpose, path = _place(caller, request)
            trail = replace(trail, caller=replace(caller, recipient=recipient, purpose=purpose))
            match = self.outside.world.now().compiled.pushes.match(b"/" + source + path, "POST")
            trail = trail.at(match)
            media = _declared(request, match.schema)
            asked = ask(match, request.query, self.outside.world.organisation)
            named, record = named_purpose(request), match.route.record
            inquiry = Inquiry(Call(match.source, match.schema.name, record, named, asked.locations, PUSH), asked)
            match, inquiry = await self.steadily(lambda snapshot: self._open(trail, match, inquiry, snapshot))
            match, inquiry = self._read(match, inquiry, await request.body())
            trail = trail.at(match)
            sent = await self._registered(trail, match, inquiry)
            return sent if sent.reason else await self._sent(trail, match, inquiry, sent, media)
        except Stop as stop:
            return await self.refuse(trail, stop)
        except RegisterUnavailable:
            return unregistered(trail)

    # -- before anything leaves ------------------------------------------------------------------------------

    async def _open(self, trail: Trail, match: Match, inquiry: Inquiry, snapshot: Snapshot) -> tuple[Match, Inquiry]:
        """Decided before a byte is read, for one of the documents that may come here. Raises Stop."""
        key = (trail.caller.recipient or "", trail.caller.purpose or "", match.schema.name)
        standing = snapshot.compiled.standings.get(key)
        granted = [one for one in _here(match) if standing and one.route.record in standing.delivery.grants]
        match = granted[0] if granted else match
        inquiry = replace(inquiry, call=replace(inquiry.call, record=match.route.record))
        await self.may_be_read(trail, inquiry, snapshot)
        return match, inquiry

    def _read(self, match: Match, inquiry: Inquiry, body: bytes) -> tuple[Match, Inquiry]:
        """Which of the documents that may come here it is, out of its envelope."""
        if match.schema.format == "json":
            if too_deep(body, self.sizes.depth):
                raise Stop(Reason.BODY_INVALID, "the body nests too deep")
            self._came, self._match = Opened(body), match
            return match, inquiry
        self._came = self.minimised(lambda: opened(body))
        for one in _here(match):
            if self._came.tag == _tag(one):
                self._match = one
                return one, replace(inquiry, call=replace(inquiry.call, record=one.route.record))
        raise Stop(Reason.BODY_INVALID, "another document than is handed in here")

    async def _registered(self, trail: Trail, match: Match, inquiry: Inquiry) -> Released:
        """What goes to the recipient, its entry durable; or why nothing does."""
        given = UpstreamAnswer(200, "", self._came.body)
        target = Target(UpstreamCall(match.source, match.route.method, match.route.path))
        self.outside.drift.look(match, self._came.body)
        return await self.steadily(lambda snapshot: self.release(trail, match, inquiry, target, given, snapshot))

    def emission(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> tuple[Permit, Emission, Minimiser]:
        permit, emission, minimiser = super().emission(trail, inquiry, snapshot)
        back = self._match.route.answer if self._match else None
        reads = minimiser_of(snapshot.compiled, permit, back) if back else None
        self._back = Back(permit, reads, Emission(emission.sight))
        return permit, emission, minimiser

    def framed(self, minimised: Minimised, match: Match) -> None:
        """In an envelope of our own, before its digest is registered."""
        del match  # it was read from what came in
        action = self._match.route.action if self._match else None
        if action is not None and minimised.records:
            minimised.body = enclosed(minimised.body, self._addressed(action))

    def _addressed(self, action: str) -> Addressing:
        """To whom the delivery goes, and not whom the message says."""
        assert self._back is not None
        standing = self._back.permit.standing
        address = self.outside.endpoints.address(standing.delivery.endpoint or "")
        return (self._came.addressing or Addressing()).acting(action).towards(address, standing.recipient.oin)

    def built(self, emission: Emission, minimised: Minimised) -> Built:
        if minimised.malformed and not minimised.records:
            # its own system handed it in: that nobody may go would send the school looking for a pupil's reason
            where = "; ".join(told(emission.faults, 1))
            raise Stop(Reason.BODY_INVALID, f"the message is not as its description says: {where}")
        endpoint = emission.sight.delivery.endpoint
        return msgspec.structs.replace(super().built(emission, minimised), detail=(f"endpoint: {endpoint}",))

    # -- and after ---------------------------------------------------------------------------------------------

    async def _sent(self, trail: Trail, match: Match, inquiry: Inquiry, sent: Released, media: bytes) -> Released:
        """What became of it: the recipient's answer, or the reason why there is none."""
        back = self._back
        assert back is not None
        assert isinstance(sent.body, bytes)
        message = _message(match, inquiry, back, sent.body)
        try:
            answer = await self.outside.endpoints.send(back.permit, sent.receipt, message)
            body = self._answered(match, back, answer)
        except NotSent:
            return await self._failed(trail, sent, State.NOT_SENT, Reason.NOT_SENT)
        except (OutcomeUnknown, UpstreamFailed, EnvelopeBroken):
            return await self._failed(trail, sent, State.UNKNOWN, Reason.OUTCOME_UNKNOWN)
        if body is None:
            about = f"status {answer.status}"
            return await self._failed(trail, sent, State.REFUSED, Reason.STATEMENT_REFUSED, about)
        await self._ended(trail, State.ACCEPTED, None)
        return replace(sent, body=body, media=media, status=answer.status)

    async def _failed(self, trail: Trail, sent: Released, state: State, reason: Reason, about: str = "") -> Released:
        await self._ended(trail, state, reason)
        return Released(sent.receipt, reason, shape=trail.shape, about=about, purpose=sent.purpose)

    def _answered(self, match: Match, back: Back, answer: UpstreamAnswer) -> bytes | None:
        """What the source gets of it; None when the recipient did not take the message. Raises EnvelopeBroken for what
        tells neither."""
        xml = match.schema.format == "xml"
        if xml and match.route.action and answer.status in (*_TAKEN, 500) and answer.body:
            came = opened(answer.body)
            if came.fault:
                return None
        else:
            came = Opened(answer.body)
        if answer.status in _REFUSED:
            return None
        if answer.status not in _TAKEN:
            raise EnvelopeBroken("neither taken nor refused")
        if back.minimiser is None or not answer.body:
            return b""
        made = back.minimiser.minimise(came.body, back.emission, many=False)
        if not made.records:
            raise EnvelopeBroken("another answer than its schema says")
        asked = self._came.addressing
        return enclosed(made.body, (came.addressing or Addressing()).answering(asked)) if asked else made.body

    async def _ended(self, trail: Trail, state: State, reason: Reason | None) -> None:
        """The register learns how the sending ended. Without it the outcome counts as unknown there, and the source is
        told the truth all the same."""
        draft = altered(
            entries.closing(self.begin(trail.caller), trail, None),
            outcome="failed" if reason else "acknowledged",
            reasons=(reason,) if reason else (),
            detail=(str(state),),
        )
        with contextlib.suppress(RegisterUnavailable):
            await self.outside.register.append(draft)


def _place(caller: Caller, request: Request) -> tuple[bytes, str, str, bytes]:
    """Source, recipient, purpose and path; nothing of it before it is known that a school calls."""
    if caller.kind != "school":
        raise Stop(Reason.CALLER_NOT_RECIPIENT)
    if request.method != "POST":
        raise Stop(Reason.METHOD_NOT_ALLOWED, "POST")
    found = _PLACE.fullmatch(request.raw_path)
    assert found is not None  # is_push
    source, recipient, purpose, path = found.groups()
    return source, recipient.decode("ascii"), purpose.decode("ascii"), path


def _declared(request: Request, schema: Schema) -> bytes:
    media = declared(request)
    if media not in _MEDIA.get(schema.format, ()):
        raise Stop(Reason.MEDIA_TYPE_UNKNOWN)
    accepts(request, media)
    return media


def _here(match: Match) -> Iterator[Match]:
    """Every document that may come to this path."""
    for route in match.schema.routes:
        if (route.method, route.path) == (match.route.method, match.route.path):
            yield Match(match.source, match.schema, route, match.values)


def _tag(match: Match) -> str:
    record, spaces = match.schema.records[match.route.record], match.schema.namespaces
    prefix, colon, local = (record.element or record.name).rpartition(":")
    space = spaces.get(prefix if colon else "", "")
    return f"{{{space}}}{local}" if space else local


def _message(match: Match, inquiry: Inquiry, back: Back, body: bytes) -> Message:
    media = "application/json" if match.schema.format == "json" else "text/xml; charset=utf-8"
    endpoint = back.permit.standing.delivery.endpoint or ""
    return Message(endpoint, media, body, inquiry.asked.encoded, match.route.action)
