"""`GET /SOURCE/notices?schema=NAME`: what a recipient must do with what it has (art. 18, 19 AVG).

R8, R26, R91, R94, N12. For a delivery that says `notices: true`. The answer is the state of now, not a queue: who must
be deleted (for 30 days after it was first told), and whose data must be kept and not used, as long as they are
restricted; whoever is no longer named may be used again when he stands in a list. Only about pupils of whom this
recipient has something, under its own id of them, without a reason. A list in which somebody restricted, or something
of theirs, would be missing waits until this was fetched (`flow`). Leaves out: who has ended (`core.release.views`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl

import msgspec

from gateway.core.gate.decide import Call
from gateway.core.model import Caller, PseudonymMethod, Subject
from gateway.core.policy.grants import kinds_given
from gateway.core.policy.schema import Record, Route, Schema
from gateway.core.reasons import Reason
from gateway.core.release import pseudonym
from gateway.core.release.sight import ECK_ID, Sight
from gateway.core.release.views import Owner, Remembered, Shelf, View, Viewed, has_ended, is_restricted
from gateway.transfer import trail as entries
from gateway.transfer.inquiry import Inquiry, accepts, named_purpose
from gateway.transfer.listing import lists_persons
from gateway.transfer.ports import PseudonymKeys, RegisterUnavailable, Snapshot
from gateway.transfer.released import Answer, Released
from gateway.transfer.request import Asked, Match, Request, Stop
from gateway.transfer.steps import Steps, unregistered
from gateway.transfer.trail import Built, Trail
from gateway.transfer.watching import moment_of, people_of

_PLACE = re.compile(rb"/([A-Za-z0-9-]+)/notices")


def is_notices(raw_path: bytes) -> bool:
    """Whether notices are asked for here; no schema has this path."""
    return _PLACE.fullmatch(raw_path) is not None


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """`delete`: and whatever was made of it; `restrict`: keep it and do not use it, or only these fields of it."""

    pupil: str
    notice: Literal["delete", "restrict"]
    since: str | None = None
    fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Notice to {self.notice} …>"


@dataclass(slots=True)
class _Told:
    """What is said, about whom, and what is written down of it. Of one pupil the same is said once."""

    notices: dict[tuple[str, str, tuple[str, ...]], Notice] = field(default_factory=dict)
    subjects: dict[Subject, None] = field(default_factory=dict)
    written: list[Viewed] = field(default_factory=list)


class Notices(Steps):
    """One per process."""

    async def answer(self, caller: Caller, request: Request) -> Answer:
        """Every refusal is registered before it is told."""
        trail = self.begin(caller)
        try:
            source, schema = self._asked(request)
            record = next((name for name, one in schema.records.items() if _about_people(one)), "")
            trail = trail.at(Match(source, schema, Route("GET", "/notices", record, many=True), {}))
            call = Call(source, schema.name, record, named_purpose(request), None)
            return await self.steadily(lambda snapshot: self._answer(trail, call, snapshot))
        except Stop as stop:
            return await self.refuse(trail, stop)
        except RegisterUnavailable:
            return unregistered(trail)

    def _asked(self, request: Request) -> tuple[str, Schema]:
        """Read strictly."""
        place = _PLACE.fullmatch(request.raw_path)
        compiled = self.outside.world.now().compiled
        source = place.group(1).decode() if place else ""
        if source not in compiled.spoken:
            raise Stop(Reason.ROUTE_UNKNOWN)
        if request.method != "GET":
            raise Stop(Reason.METHOD_NOT_ALLOWED, "GET")
        accepts(request, b"application/json")
        try:
            given = parse_qsl(request.query.decode("ascii"), keep_blank_values=True, max_num_fields=4)
        except ValueError:
            raise Stop(Reason.PARAMETER_INVALID) from None
        if any(name != "schema" for name, _ in given):
            raise Stop(Reason.PARAMETER_UNKNOWN, "declared: schema")
        if len(given) != 1:
            raise Stop(Reason.PARAMETER_MISSING, "schema")
        schema = compiled.schemas.get(given[0][1])
        if schema is None or schema.name not in compiled.spoken[source]:
            raise Stop(Reason.ROUTE_UNKNOWN, "schema")
        return source, schema

    async def _answer(self, trail: Trail, call: Call, snapshot: Snapshot) -> Released:
        if not call.record:
            raise Stop(Reason.ROUTE_UNKNOWN, "the schema has no persons")
        # art. 18 AVG waits for no doubt about a location: by the roster as it was nobody there has left
        granted = self.informed(trail, Inquiry(call, Asked(None, ())), snapshot)
        if not granted.sight.delivery.notices:
            raise Stop(Reason.ROUTE_UNKNOWN, "this delivery has no notices")
        told = _Told()
        for record in snapshot.compiled.schemas[call.schema].records.values():
            if _about_people(record):
                self._tell(told, granted.sight, snapshot.keys, record, moment_of(trail))
        notices = sorted(told.notices.values(), key=lambda one: (one.pupil, one.notice))
        body = msgspec.json.encode(notices)
        built = Built(
            released=tuple(told.subjects),
            records=len(notices),
            bytes=len(body),
            digest=self.outside.world.digest(body),
            views=tuple(told.written),
            detail=(f"notices: {len(notices)}",),
        )
        draft = entries.delivery(trail, granted.permit, snapshot.versions, None, built)
        receipt = await self.outside.register.append(draft)
        return Released(receipt, body=body, purpose=granted.permit.standing.delivery.purpose)

    def _tell(self, told: _Told, sight: Sight, keys: PseudonymKeys, record: Record, moment: str) -> None:
        delivery = sight.delivery
        shelf = Shelf(sight.source, delivery.recipient, delivery.purpose, delivery.schema, record.name)
        shelf = people_of(shelf) if record.since else shelf
        say = _notices if record.since or lists_persons(record) else _kept
        for view, about in self.outside.views.others(shelf, None, ()):
            subject = None if about.owner is None else sight.roster.by_id(about.owner)
            name = _name(sight, keys, record, about, subject)
            if name is None:
                continue
            unsure = about.owner is not None and sight.roster.unsure(about.owner)
            said_now = _as_before(view) if unsure else say(sight, record, view, subject, about.version, moment)
            for notice, after in said_now:
                said = (name, notice.notice, notice.fields)
                told.notices.setdefault(said, msgspec.structs.replace(notice, pupil=name))
                told.subjects |= {subject: None} if subject is not None else {}
                if after != view:
                    told.written.append(Viewed(shelf, after, about))


def _notices(
    sight: Sight, record: Record, view: View, subject: Subject | None, version: int, moment: str
) -> Iterator[tuple[Notice, View]]:
    """About a pupil, with what is then remembered of them."""
    verdict = None if subject is None else sight.verdict(record, subject)
    owner = Owner(None if verdict is None else verdict.reasons, subject)
    ended = view.ended
    if ended is None and has_ended(owner, version=version, current=sight.version, unlisted=False):
        ended = moment
    if ended is not None:
        yield Notice("", "delete", ended), view._replace(ended=ended)
    elif is_restricted(owner):
        frozen = view.frozen or moment
        yield Notice("", "restrict", frozen), view._replace(frozen=frozen)
    elif verdict is not None:
        fields = tuple(path for path, reason in verdict.fields if reason is Reason.PUPIL_RESTRICTED)
        if fields:
            yield Notice("", "restrict", fields=fields), view


def _kept(
    sight: Sight, record: Record, view: View, subject: Subject | None, _version: int, moment: str
) -> Iterator[tuple[Notice, View]]:
    """About a pupil of whom this is a record (an enrolment): only that it must be kept. That it ended, its own list
    tells."""
    verdict = None if subject is None else sight.verdict(record, subject)
    if verdict is not None and view.ended is None and is_restricted(Owner(verdict.reasons, subject)):
        frozen = view.frozen or moment
        yield Notice("", "restrict", frozen), view._replace(frozen=frozen)


def _as_before(view: View) -> Iterator[tuple[Notice, View]]:
    """About a pupil who might be two (R109): what was said stands."""
    if view.ended is not None:
        yield Notice("", "delete", view.ended), view
    elif view.frozen is not None:
        yield Notice("", "restrict", view.frozen), view


def _name(sight: Sight, keys: PseudonymKeys, record: Record, about: Remembered, subject: Subject | None) -> str | None:
    """By which id this recipient knows the pupil."""
    method = sight.delivery.pseudonym
    if method is PseudonymMethod.HMAC and (record.since or lists_persons(record)):
        return about.key
    if subject is None:
        return None
    if method is PseudonymMethod.HMAC:
        return pseudonym.person(keys.domain_key(sight.delivery.domain, about.version), subject.id, subject.person)
    given = sight.delivery.grants.get(record.name, {})
    kinds = (ECK_ID,) if method is PseudonymMethod.ECK_ID else kinds_given(record, given)
    return next((subject.ids[kind] for kind in kinds if kind in subject.ids), None)


def _about_people(record: Record) -> bool:
    """Of whom it is remembered whether this recipient had them: of persons, of whom a message held, and whose something
    is."""
    return record.since or any(one.withheld == "record" for one in record.subjects)
